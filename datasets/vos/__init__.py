"""VOS: 200 videos for video saliency, every 15th frame annotated."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, recognise
from vosbench.dataset.protocol import SALIENCY
from vosbench.dataset.shared_layouts import repacks

TITLE = "VOS"
LAYOUTS = (
    Layout(
        name="vos-rcrnet",
        frames="JPEGImages/{video}",
        annotations="Annotations/{video}",
        codec="above:128",
        markers=("JPEGImages", "Annotations"),
        without=("JPEGImages/480p",),
        below=("", "VOS"),
        labelled_only=True,
    ),
    *repacks(("VOS", "VOS_test"), codec="above:128", labelled_only=True),
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"test"``, ``"val"`` or ``"train"``, by number; no list of their frames exists."""
    return {
        row["name"]: Listed(frames=None, category=row["difficulty"])
        for row in read_sequences(__file__)
        if row["split"] == split
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`."""
    return collect(root, recognise(root, LAYOUTS, TITLE, layout), listing(split))


dataset = Dataset(
    name="vos",
    title=TITLE,
    paper="Li, Xia and Chen, A Benchmark Dataset and Saliency-Guided Stacked Autoencoders for Video-Based Salient "
    "Object Detection, TIP 2018",
    licence="not stated in the sources that we could read",
    splits=("test", "val", "train"),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=SALIENCY,
    listing=listing,
    videos=videos,
    folders=("VOS", "vos"),
    steps="Get VOS from its authors at cvteam.net/projects/TIP18-VOS/VOS.html.",
)
