"""Long-Videos: three videos of thousands of frames, 21 of each annotated."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, recognise

TITLE = "Long-Videos"
OFFICIAL = Layout(
    name="longvideos-official",
    frames="JPEGImages/{video}",
    annotations="Annotations/{video}",
    codec="nonzero",
    markers=("JPEGImages", "Annotations"),
    without=("JPEGFlows", "Flow"),
    below=("", "Long-Videos", "LongVideos", "long_videos", "long_video_set/long_video", "long_video", "LVID"),
)
LAYOUTS = (
    OFFICIAL,
    replace(OFFICIAL, name="longvideos-tmo", markers=(*OFFICIAL.markers, "JPEGFlows"), without=(), labelled_only=True),
    replace(OFFICIAL, name="longvideos-mtnet", markers=(*OFFICIAL.markers, "Flow"), without=(), labelled_only=True),
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"test"``, the only split; which of their frames are annotated is read from disk."""
    del split
    return {
        row["name"]: Listed(frames=int(row["frames"]), labels=int(row["labels"])) for row in read_sequences(__file__)
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos; see `vosbench.dataset.dataset.VideoFinder`."""
    return collect(root, recognise(root, LAYOUTS, TITLE, layout), listing(split))


dataset = Dataset(
    name="longvideos",
    title=TITLE,
    paper="Liang et al., Video Object Segmentation with Adaptive Feature Bank and Uncertain-Region Refinement, "
    "NeurIPS 2020",
    licence="not verified; its authors' code is for academic use only",
    splits=("test",),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(
        DatasetProtocol(
            name="longvideos-hfan",
            frames="annotated-inner",
            resize="prediction",
            about="J and F without the first and last annotated frame, mean over videos, as HFAN",
        ),
        DatasetProtocol(
            name="longvideos-mtnet",
            frames="before-last",
            resize="prediction",
            about="J and F without the last annotated frame, mean over videos, as MTNet",
        ),
        DatasetProtocol(
            name="longvideos-tmo",
            measures=("J",),
            empty="skip",
            resize="prediction",
            about="J of all annotated frames that have an object, mean over videos, as TMO",
        ),
        DatasetProtocol(
            name="longvideos-afb-urr",
            frames="after-first",
            resize="prediction",
            about="J and F without the first annotated frame, mean over videos, as AFB-URR, which is given that frame",
        ),
        DatasetProtocol(
            name="longvideos-dattt",
            average="frame",
            resize="prediction",
            maps_above=128,
            about="J and F of all annotated frames, maps above 128, mean over the frames of all videos, as DATTT",
        ),
    ),
    listing=listing,
    videos=videos,
    folders=("Long-Videos", "LongVideos", "long_video_set", "LVID", "longvideos"),
    steps="Get Long-Videos from kaggle.com/gvclsu/long-videos; JPEGImages and Annotations lie in one folder.",
)
