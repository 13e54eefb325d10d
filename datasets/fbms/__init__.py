"""FBMS-59: 59 videos of moving objects, sparsely annotated, with BMS-26 among them."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Download, Listed, Video
from vosbench.dataset.layout import collect, recognise
from vosbench.dataset.protocol import SALIENCY
from vosbench.datasets.fbms.layouts import ANTONILO, LAYOUTS, LEVELS

TITLE = "FBMS-59"
PAPER = (
    "Ochs, Malik and Brox, Segmentation of Moving Objects by Long Term Video Analysis, TPAMI 2014; of BMS-26 among it: "
    "Brox and Malik, Object Segmentation by Long Term Analysis of Point Trajectories, ECCV 2010"
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of a split: ``"test"`` or ``"train"``."""
    with (Path(__file__).parent / "sequences.csv").open(encoding="utf-8") as file:
        return {
            row["name"]: Listed(
                frames=int(row["frames"]),
                annotated=tuple(int(index) for index in row["annotated"].split()),
            )
            for row in csv.DictReader(file)
            if row["split"] == split
        }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`."""
    found = collect(root, recognise(root, LAYOUTS, TITLE, layout), listing(split))
    if layout == ANTONILO:
        return [replace(video, codec=LEVELS.get(video.name, video.codec)) for video in found]
    return found


dataset = Dataset(
    name="fbms",
    title=TITLE,
    paper=PAPER,
    licence="research only, no commercial use",
    splits=("test", "train"),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(
        DatasetProtocol(name="fbms-seqmean", resize="prediction"),
        DatasetProtocol(name="fbms-framemean", resize="prediction", average="frame"),
        DatasetProtocol(name="fbms-inner", resize="prediction", frames="annotated-inner"),
        DatasetProtocol(name="fbms-seqmean-skip", resize="prediction", empty="skip"),
        DatasetProtocol(name="fbms-objects", measures=("OB",), unit="regions"),
        *SALIENCY,
    ),
    listing=listing,
    videos=videos,
    folders=("FBMS", "FBMS-59", "FBMS59", "fbms"),
    downloads=tuple(
        Download(
            name=f"FBMS_{part}.zip",
            mirrors=(f"https://lmb.informatik.uni-freiburg.de/resources/datasets/fbms/FBMS_{part}.zip",),
        )
        for part in ("Testset", "Trainingset")
    ),
)
