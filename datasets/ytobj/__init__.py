"""YouTube-Objects: 126 shots of ten object categories, with the masks of Jain and Grauman."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, recognise
from vosbench.dataset.shared_layouts import repacks
from vosbench.errors import DataError


def _shot(name: str) -> str:
    """The folder of a sequence in the original tree; only the first shot of each video is annotated."""
    return f"{_split_by('/data/', name)}/shots/001"


def _split_by(sign: str, name: str) -> str:
    """The name with another sign between category and number; ``*`` if a copy's spelling is unknown."""
    return name.replace("_", sign)


# Labels are JPEG files named after the 1-based number of their frame in the shot. Their download contains only the
# labelled frames (``00001.png``); many copies also have all frames of the shot next to them (``frame0001.jpg``).
MASKS = Layout(
    name="yto-masks",
    frames="{video}/images",
    annotations="{video}/labels",
    codec="luma127",
    markers=("*/data/*/shots/001/labels",),
    without=("*/data/*/shots/001/images/frame*",),
    below=("", "youtube_masks", "YouTube-Objects/youtube_masks", "YouTube-Objects"),
    pair="number",
    names=_shot,
    labelled_only=True,
)
SEG = Layout(
    name="yo2seg",
    frames="*/frame/{video}|frame/*/{video}",
    annotations="*/mask/{video}|mask/*/{video}",
    codec="binary01",
    markers=("*/frame|frame", "*/mask|mask"),
    below=("", "YO2SEG"),
    pair="number",
    names=partial(_split_by, ""),
    labelled_only=True,
)
LAYOUTS = (
    MASKS,
    replace(MASKS, name="yto-masks-full", markers=("*/data/*/shots/001/images/frame*",), without=()),
    replace(
        MASKS,
        name="yto-frames",
        frames="{video}",
        annotations="youtube_masks/{video}/labels",
        markers=("*/data/*/shots/001/frame*",),
        without=(),
        below=("", "YouTube-Objects"),
        labelled_only=False,
    ),
    replace(
        MASKS,
        name="yto-tmo",
        frames="JPEGImages/{video}",
        annotations="Annotations/{video}",
        markers=("JPEGImages", "Annotations"),
        without=("JPEGImages/480p",),
        below=("", "YTOBJ"),
        names=partial(_split_by, "/"),
    ),
    SEG,
    replace(
        SEG,
        name="yo2seg-480p",
        frames="JPEGImages/480p/{video}",
        annotations="Annotations/{video}",
        codec="binary255",
        markers=("JPEGImages/480p", "Annotations"),
    ),
    replace(
        MASKS,
        name="osmn",
        frames="Images/{video}",
        annotations="Labels/{video}",
        markers=("Images", "Labels", "all.txt"),
        without=(),
        below=("",),
        names=partial(_split_by, "*"),
    ),
    *repacks(("YTOBJ", "YouTube-Objects"), "YTobj", codec="luma127", names=partial(_split_by, "*"), labelled_only=True),
)


TITLE = "YouTube-Objects"
PAPER = (
    "Prest et al., Learning Object Class Detectors from Weakly Annotated Video, CVPR 2012; masks: Jain and Grauman, "
    "Supervoxel-Consistent Foreground Propagation in Video, ECCV 2014"
)
BOXES = ("YTO/ImageSets", "YTOdevkit/YTO/ImageSets", "ImageSets")


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"test"``, the only split; no list of their frames and labels exists."""
    del split
    return {
        f"{row['category']}_{row['id']}": Listed(frames=None, category=row["category"])
        for row in read_sequences(__file__)
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos; see `vosbench.dataset.dataset.VideoFinder`."""
    if layout is None and any((root / folder).is_dir() for folder in BOXES):
        raise DataError(
            f'"{root}" is version 2 of {TITLE}, which has boxes instead of masks, and other frames than version 1; '
            "pass the folder with the masks of Jain and Grauman (youtube_masks), see the dataset's card"
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
        DatasetProtocol(
            name="ytobj-category",
            measures=("J",),
            resize="prediction",
            average="category",
            about="J, mean over categories",
        ),
        DatasetProtocol(name="ytobj-sequence", measures=("J",), resize="prediction", about="J, mean over videos"),
        DatasetProtocol(
            name="ytobj-tmo",
            measures=("J",),
            resize="prediction",
            empty="skip",
            about="ytobj-sequence without frames that have no object",
        ),
    ),
    listing=listing,
    videos=videos,
    folders=("YouTube-Objects", "youtube_masks", "YTOBJ", "YO2SEG", "ytobj"),
    steps="Register for the masks at vision.cs.utexas.edu/projects/videoseg/data_download_register.html and unpack "
    "youtube_masks; the frames, version 1, are at calvin-vision.net/datasets/youtube-objects-dataset.",
)
