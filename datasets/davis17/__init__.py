"""DAVIS-2017 Unsupervised: videos with several annotated objects each, and test videos without public annotations."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Download, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, recognise

TITLE = "DAVIS-2017 Unsupervised"
LAYOUTS = tuple(
    Layout(
        name=f"davis17-unsup{suffix}",
        frames=f"JPEGImages/{size}/{{video}}",
        annotations=f"Annotations_unsupervised/{size}/{{video}}",
        codec="ids",
        markers=(f"JPEGImages/{size}", f"Annotations_unsupervised/{size}"),
        without=without,
    )
    for suffix, size, without in (
        ("", "480p", ()),
        ("-full", "Full-Resolution", ("Annotations_unsupervised/480p",)),
    )
)


# The annotations of the test videos are not public, and the package of those has no folder for them.
TESTS = tuple(
    replace(
        layout,
        name=layout.name.replace("unsup", "test-dev"),
        annotations="",
        markers=(layout.markers[0],),
        without=(*(("JPEGImages/480p",) if layout.without else ()),),
        below=("", "DAVIS"),
    )
    for layout in LAYOUTS
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"val"``, ``"train"`` or ``"test-dev"``, of which the numbers of frames are not listed."""
    return {
        row["name"]: Listed(frames=int(row["frames"])) if row["frames"] else Listed(frames=None, annotated=())
        for row in read_sequences(__file__)
        if row["split"] == split
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`."""
    layouts = TESTS if split == "test-dev" else LAYOUTS
    return collect(root, recognise(root, layouts, TITLE, layout), listing(split))


dataset = Dataset(
    name="davis17",
    title=TITLE,
    paper="Caelles et al., The 2019 DAVIS Challenge on VOS: Unsupervised Multi-Object Segmentation, arXiv 1905.00737",
    licence="CC BY 4.0 unless its sources say otherwise",
    splits=("val", "train", "test-dev"),
    layouts=tuple(layout.name for layout in (*LAYOUTS, *TESTS)),
    protocols=(
        DatasetProtocol(
            name="davis17-objects",
            unit="objects",
            average="object",
            about="J and F of numbered proposals, matched to objects; mean over objects",
        ),
    ),
    listing=listing,
    videos=videos,
    folders=("DAVIS2017", "DAVIS-2017", "DAVIS"),
    downloads=(
        Download(
            name="DAVIS-2017-Unsupervised-trainval-480p.zip",
            mirrors=("https://data.vision.ee.ethz.ch/csergi/share/davis/DAVIS-2017-Unsupervised-trainval-480p.zip",),
        ),
    ),
)
