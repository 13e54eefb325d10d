"""YouTube-Objects: 126 shots of ten categories of objects, with the masks of Jain and Grauman."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.dataset.layout import collect, recognise
from vosbench.datasets.ytobj.layouts import LAYOUTS
from vosbench.errors import DataError

TITLE = "YouTube-Objects"
PAPER = (
    "Prest et al., Learning Object Class Detectors from Weakly Annotated Video, CVPR 2012; masks: Jain and Grauman, "
    "Supervoxel-Consistent Foreground Propagation in Video, ECCV 2014"
)
BOXES = ("YTO/ImageSets", "YTOdevkit/YTO/ImageSets", "ImageSets")


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"test"``, the only split; nobody lists how many frames they have, or which are labelled."""
    del split
    with (Path(__file__).parent / "sequences.csv").open(encoding="utf-8") as file:
        return {
            f"{row['category']}_{row['id']}": Listed(frames=None, category=row["category"])
            for row in csv.DictReader(file)
        }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos; see `vosbench.dataset.dataset.VideoFinder`."""
    if layout is None and any((root / each).is_dir() for each in BOXES):
        raise DataError(
            f'"{root}" is version 2 of {TITLE}, which has bounding boxes and no masks, and other frames than version 1;'
            " the masks of Jain and Grauman (youtube_masks) are asked for, see the dataset's card"
        )
    return collect(root, recognise(root, LAYOUTS, TITLE, layout), listing(split))


dataset = Dataset(
    name="ytobj",
    title=TITLE,
    paper=PAPER,
    licence="not stated; the videos are YouTube's, the masks come on registration",
    splits=("test",),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(
        DatasetProtocol(name="ytobj-category", measures=("J",), resize="prediction", average="category"),
        DatasetProtocol(name="ytobj-sequence", measures=("J",), resize="prediction"),
        DatasetProtocol(name="ytobj-tmo", measures=("J",), resize="prediction", empty="skip"),
    ),
    listing=listing,
    videos=videos,
    folders=("YouTube-Objects", "youtube_masks", "YTOBJ", "YO2SEG", "ytobj"),
    steps="Register for the masks at vision.cs.utexas.edu/projects/videoseg/data_download_register.html and unpack "
    "youtube_masks; the frames, version 1, are at calvin-vision.net/datasets/youtube-objects-dataset.",
)
