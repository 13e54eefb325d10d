"""DAVSOD: videos for video salient object detection, with three test splits by difficulty."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, names_there, recognise
from vosbench.dataset.protocol import SALIENCY
from vosbench.dataset.shared_layouts import repacks

TITLE = "DAVSOD"
NUMBERS = re.compile(r"\d+")
TESTS = ("DAVSOD", "TestSet", "test", "TestSet/DAVSOD", "DAVSOD/TestSet", "DAVSOD/test")
PLACES = {
    "easy": ("", "DAVSOD", "*easy*", "DAVSOD/*easy*", "*test*/*easy*", *TESTS[1:]),
    "normal": ("*normal*", "DAVSOD/*normal*", "*test*/*normal*"),
    "difficult": ("*difficult*", "DAVSOD/*difficult*", "*test*/*difficult*"),
    "train": ("*train*", "DAVSOD/*train*", "", "DAVSOD"),
    "validation": ("*validation*", "DAVSOD/*validation*", "*valset*", "DAVSOD/*valset*"),
}
"""Split → folders that may hold its videos. The names of the videos of three splits are not published."""


def _any_spelling(name: str) -> str:
    """A pattern of a video's folder: ``select_0616_1`` is also ``select0616-1``."""
    numbers = NUMBERS.findall(name)
    return f"select*{'?'.join(numbers)}" if name == _name(numbers) else name


def _name(numbers: list[str]) -> str:
    return "_".join(["select", *numbers])


OFFICIAL = Layout(
    name="davsod-official",
    frames="{video}/Imgs",
    annotations="{video}/GT_object_level",
    codec="above:128",
    markers=("*/Imgs", "*/GT_object_level"),
    pair="number",
    names=_any_spelling,
)
LAYOUTS = (
    OFFICIAL,
    replace(
        OFFICIAL,
        name="davsod-flat",
        frames="RGB/{video}_{frame}",
        annotations="GT/{video}_{frame}",
        markers=("RGB", "GT"),
    ),
    replace(
        OFFICIAL,
        name="davsod-xseg",
        frames="*/frame/{video}",
        annotations="*/mask/{video}",
        markers=("*/frame", "*/mask"),
    ),
    replace(
        OFFICIAL,
        name="davsod-jpegimages",
        frames="JPEGImages/{video}",
        annotations="Annotations/{video}",
        markers=("JPEGImages", "Annotations"),
    ),
    *repacks((), codec="above:128", names=_any_spelling),
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"easy"`` and ``"train"``; of other splits no list exists."""
    return {
        row["name"]: Listed(frames=int(row["frames"]) if row["frames"] else None)
        for row in read_sequences(__file__)
        if row["split"] == split
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`.

    If no list exists, these are the videos in folders named after the split.
    """
    places = PLACES[split]
    if split in root.name.lower():
        places = ("", *places)
    chosen = recognise(root, [replace(each, below=places) for each in LAYOUTS], f"{TITLE} {split}", layout)
    if listed := listing(split):
        return collect(root, chosen, listed)
    there = {_canonical(name): Listed(frames=None) for name in names_there(root, chosen)}
    return collect(root, chosen, dict(sorted(there.items())))


def _canonical(name: str) -> str:
    return _name(NUMBERS.findall(name)) if re.fullmatch(r"select[\d_-]+", name) else name


dataset = Dataset(
    name="davsod",
    title=TITLE,
    paper="Fan et al., Shifting More Attention to Video Salient Object Detection, CVPR 2019",
    licence="not stated in the sources that we could read",
    splits=tuple(PLACES),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=SALIENCY,
    listing=listing,
    videos=videos,
    folders=("DAVSOD", "davsod"),
    steps="Follow github.com/DengPingFan/DAVSOD; keep each split in a folder of its own, such as Easy-35.",
)
