"""YouTube-VOS: 3471 training videos with numbered objects, for training."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, names_there, recognise

TITLE = "YouTube-VOS"
BELOW = ("", "train", "YouTubeVOS_2018/train", "YouTube-VOS/train", "YTVOS18/train", "YouTubeVOS_2018", "YouTube-VOS")

OFFICIAL = Layout(
    name="ytvos-official",
    frames="JPEGImages/{video}",
    annotations="Annotations/{video}",
    codec="nonzero",
    markers=("JPEGImages", "Annotations"),
    without=("JPEGImages/480p", "train_all_frames/JPEGImages"),
    below=BELOW,
)
LAYOUTS = (
    OFFICIAL,
    replace(
        OFFICIAL,
        name="ytvos-all-frames",
        frames="train_all_frames/JPEGImages/{video}",
        annotations="train/Annotations/{video}|train_all_frames/Annotations/{video}",
        markers=("train_all_frames/JPEGImages",),
        without=(),
        below=("", "YouTubeVOS_2018", "YouTube-VOS", "YTVOS18"),
    ),
    replace(
        OFFICIAL,
        name="ytvos-xseg",
        frames="frame/{video}|frame/*/{video}",
        annotations="mask/{video}|mask/*/{video}",
        markers=("frame", "mask"),
        without=(),
        below=("", "YouTube2SEG"),
    ),
    replace(
        OFFICIAL,
        name="ytvos-fsnet",
        frames="{video}/Frame",
        annotations="{video}/GT",
        markers=("*/Frame", "*/GT"),
        without=(),
        below=("", "*YTBVOS*", "TrainSet/*YTBVOS*"),
        pair="number",
    ),
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"train"``; ``"part"`` is whatever videos are there."""
    rows = read_sequences(__file__) if split == "train" else []
    return {row["name"]: Listed(frames=None) for row in rows}


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`."""
    chosen = recognise(root, LAYOUTS, TITLE, layout)
    there = listing(split) or {name: Listed(frames=None) for name in names_there(root, chosen)}
    return collect(root, chosen, there)


dataset = Dataset(
    name="ytvos",
    title=TITLE,
    paper="Xu et al., YouTube-VOS: Sequence-to-Sequence Video Object Segmentation, ECCV 2018",
    licence="not verified; see youtube-vos.org",
    splits=("train", "part"),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(
        DatasetProtocol(
            name="ytvos-foreground",
            resize="prediction",
            about="J and F of all annotated frames, all objects as one foreground, for validation during training",
        ),
    ),
    listing=listing,
    videos=videos,
    folders=("YouTube-VOS", "YouTubeVOS_2018", "YTVOS18", "ytvos"),
    sparse=True,
    steps="Register at youtube-vos.org and unpack train.zip.",
)
