"""MoCA: videos of moving camouflaged animals, annotated with boxes."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, names_there, recognise
from vosbench.datasets.moca.boxes import read_boxes, with_boxes

TITLE = "MoCA"
FILTERED = "filtered"
TABLE = "annotations.csv"

MASKS = Layout(
    name="moca-masks",
    frames="JPEGImages/{video}",
    annotations="Annotations/{video}",
    codec="luma127",
    markers=("JPEGImages", "Annotations/*/*"),
    without=(TABLE, f"Annotations/{TABLE}"),
    below=("", "MoCA_filtered", "MoCA"),
)
BOXES = replace(MASKS, name="moca-motiongrouping", annotations="", markers=("JPEGImages", TABLE), without=())
OFFICIAL = replace(
    BOXES, name="moca-official", markers=("JPEGImages", f"Annotations/{TABLE}"), without=(TABLE,), below=("", "MoCA")
)
LAYOUTS = (BOXES, OFFICIAL, MASKS)
TABLES = {BOXES.name: TABLE, OFFICIAL.name: f"Annotations/{TABLE}"}


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"filtered"``; of ``"all"`` no list exists."""
    rows = read_sequences(__file__) if split == FILTERED else []
    return {row["name"]: Listed(frames=int(row["frames"])) for row in rows}


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`.

    Raises:
        DataError: also if the table of boxes cannot be read.
    """
    chosen = recognise(root, LAYOUTS, TITLE, layout)
    listed = listing(split) or {name: Listed(frames=None) for name in names_there(root, chosen)}
    found = collect(root, chosen, listed)
    if chosen.name not in TABLES:
        return found
    boxes = read_boxes(root / chosen.below[0] / TABLES[chosen.name])
    return [with_boxes(video, boxes.get(video.name, {}), between=chosen.name == OFFICIAL.name) for video in found]


dataset = Dataset(
    name="moca",
    title=TITLE,
    paper="Lamdouar et al., Betrayed by Motion: Camouflaged Object Discovery via Motion Segmentation, ACCV 2020",
    licence="not verified",
    splits=(FILTERED, "all"),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(
        DatasetProtocol(
            name="moca-motiongrouping",
            measures=("box",),
            resize="prediction",
            about="IoU of boxes around masks, mean over videos; shares of frames above 0.5 to 0.9; as Motion Grouping",
        ),
    ),
    listing=listing,
    videos=videos,
    folders=("MoCA_filtered", "MoCA", "moca"),
    sparse=True,
    steps="Get MoCA from robots.ox.ac.uk/~vgg/data/MoCA; the filtered set is made from it by the scripts of "
    "github.com/charigyang/motiongrouping.",
)
