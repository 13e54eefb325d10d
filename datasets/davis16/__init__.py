"""DAVIS-2016: 50 videos with one annotated object or group, of which 20 are for evaluation."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, Listed
from vosbench.errors import DataError
from vosbench.layout import Layout, collect, recognise
from vosbench.protocol import DatasetProtocol
from vosbench.video import Video

TITLE = "DAVIS-2016"
SPLITS = {"val": ("val",), "train": ("train",), "trainval": ("train", "val")}


def _layout(name: str, size: str, codec: str, markers: tuple[str, ...], without: tuple[str, ...] = ()) -> Layout:
    return Layout(
        name=name,
        frames=f"JPEGImages/{size}/{{video}}",
        annotations=f"Annotations/{size}/{{video}}",
        codec=codec,
        markers=(*markers, f"JPEGImages/{size}", f"Annotations/{size}"),
        without=without,
    )


# The 2016 package lists its sets per resolution; the 2017 one holds the same videos under ImageSets/2016, its masks
# as palette indices of several objects. Full resolution is read where 480p is not there, or by --layout.
_BUNDLE = ("ImageSets/480p", "ImageSets/1080p")
LAYOUTS = (
    _layout("davis16-official", "480p", "binary255", ("ImageSets/480p",)),
    _layout("davis16-official-1080p", "1080p", "binary255", ("ImageSets/1080p",), ("Annotations/480p",)),
    _layout("davis17-trainval", "480p", "palette", ("ImageSets/2016",), _BUNDLE),
    _layout("davis17-trainval-full", "Full-Resolution", "palette", ("ImageSets/2016",), (*_BUNDLE, "Annotations/480p")),
)


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
    """Find the videos of a split; see `vosbench.dataset.VideoFinder`."""
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
        DatasetProtocol(name="davis16", frames="inner"),
        DatasetProtocol(name="davis17-unsup", frames="all"),
    ),
    listing=listing,
    videos=videos,
)
