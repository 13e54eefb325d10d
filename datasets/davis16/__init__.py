"""DAVIS-2016: 50 videos with one annotated object or group, of which 20 are for evaluation."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Download, Listed, Video
from vosbench.dataset.layout import collect, recognise
from vosbench.dataset.protocol import SALIENCY
from vosbench.datasets.davis16.layouts import LAYOUTS
from vosbench.errors import DataError

TITLE = "DAVIS-2016"
SPLITS = {"val": ("val",), "train": ("train",), "trainval": ("train", "val")}


@cache
def _sequences() -> Mapping[str, tuple[str, Listed]]:
    with (Path(__file__).parent / "sequences.csv").open(encoding="utf-8") as file:
        return {
            row["name"]: (
                row["split"],
                Listed(
                    frames=int(row["frames"]),
                    stable=row["stable"] == "true",
                    attributes=tuple(row["attributes"].split()),
                ),
            )
            for row in csv.DictReader(file)
        }


def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of a split: ``"val"``, ``"train"`` or ``"trainval"``."""
    parts = SPLITS[split]
    return {name: listed for name, (part, listed) in _sequences().items() if part in parts}


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`."""
    unsupervised = "Annotations_unsupervised"
    if unsupervised in root.parts or ((root / unsupervised).is_dir() and not (root / "Annotations").is_dir()):
        raise DataError(
            f'"{root}" holds {unsupervised}, the objects of DAVIS-2017 Unsupervised, which differ from those of '
            f"{TITLE}; give the folder with Annotations of DAVIS-2016 or of the semi-supervised 2017 package"
        )
    return collect(root, recognise(root, LAYOUTS, TITLE, layout), listing(split))


dataset = Dataset(
    name="davis16",
    title=TITLE,
    paper="Perazzi et al., A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation, CVPR 2016",
    licence="CC BY-NC 4.0",
    splits=tuple(SPLITS),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(
        DatasetProtocol(name="davis16", measures=("J", "F", "T"), frames="inner"),
        DatasetProtocol(name="davis17-unsup", frames="all"),
        *SALIENCY,
    ),
    listing=listing,
    videos=videos,
    folders=("DAVIS", "DAVIS2016", "DAVIS-2016"),
    downloads=(
        Download(
            name="DAVIS-data.zip",
            mirrors=(
                "https://graphics.ethz.ch/Downloads/Data/Davis/DAVIS-data.zip",
                "https://cgl.ethz.ch/Downloads/Data/Davis/DAVIS-data.zip",
            ),
            checksum="md5:0cb3cf9c5617209fa3cc4794e52a2ffa",
        ),
    ),
)
