"""DAVIS-2016: 50 videos with one annotated object or group, 20 of them for evaluation."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Download, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, recognise
from vosbench.dataset.protocol import SALIENCY
from vosbench.dataset.shared_layouts import repacks
from vosbench.errors import DataError


def _package(name: str, size: str, codec: str, markers: tuple[str, ...], without: tuple[str, ...]) -> Layout:
    return Layout(
        name=name,
        frames=f"JPEGImages/{size}/{{video}}",
        annotations=f"Annotations/{size}/{{video}}",
        codec=codec,
        markers=(*markers, f"JPEGImages/{size}", f"Annotations/{size}"),
        without=without,
        below=("", "DAVIS"),
    )


# The 2016 package lists its sets per resolution; the 2017 package has the same videos under ImageSets/2016, with masks
# as palette indices of several objects. Full resolution is read if 480p is missing, or with --layout. What other
# projects add (their own lists, flow, or the masks of 2016 next to those of 2017) makes a separate layout.
_SETS = ("ImageSets/480p", "ImageSets/1080p")
_LISTS = "train_seqs.txt|val_seqs.txt|test_seqs.txt"
_FLOWS = "davis*-flow"
_ADDED = (_LISTS, _FLOWS, "JPEGFlows/480p", "Annotations/480p_2016")
_ONE, _LATER = ("ImageSets/480p",), ("ImageSets/2016",)
OFFICIAL = _package("davis16-official", "480p", "binary255", _ONE, _ADDED)
PACKAGE_2017 = _package("davis17-trainval", "480p", "palette", _LATER, (*_SETS, *_ADDED))
SEG = Layout(
    name="xseg-split",
    frames="frame/*/{video}",
    annotations="mask/*/{video}",
    codec="binary01",
    markers=("frame", "mask"),
    below=("", "DAVIS2SEG"),
    pair="number",
)

LAYOUTS = (
    OFFICIAL,
    _package("davis16-official-1080p", "1080p", "binary255", ("ImageSets/1080p",), ("Annotations/480p", *_ADDED)),
    PACKAGE_2017,
    _package("davis17-trainval-full", "Full-Resolution", "palette", _LATER, (*_SETS, "Annotations/480p", *_ADDED)),
    replace(
        OFFICIAL,
        name="davis-480p_2016",
        annotations="Annotations/480p_2016/{video}",
        markers=("JPEGImages/480p", "Annotations/480p_2016"),
        without=(),
    ),
    replace(
        OFFICIAL, name="cosnet", codec="nonzero", markers=("JPEGImages/480p", "Annotations/480p", _LISTS), without=()
    ),
    replace(
        PACKAGE_2017,
        name="matnet",
        frames="JPEGImages/480p/{video}|DAVIS2017/JPEGImages/480p/{video}",
        annotations="Annotations/480p/{video}|DAVIS2017/Annotations/480p/{video}",
        markers=(_FLOWS, "JPEGImages/480p|DAVIS2017/JPEGImages/480p"),
        without=(),
        below=("", "data", "DAVIS2017", "data/DAVIS2017", "DAVIS"),
    ),
    replace(OFFICIAL, name="tmo", markers=(*OFFICIAL.markers[1:], "JPEGFlows/480p"), without=("ImageSets/2016",)),
    replace(PACKAGE_2017, name="tmo-2017", markers=(*PACKAGE_2017.markers, "JPEGFlows/480p"), without=()),
    SEG,
    replace(
        SEG,
        name="xseg-split-mtnet",
        frames="*/frame/{video}",
        annotations="*/mask/{video}",
        markers=("val/frame|test/frame|train/frame", "*/mask"),
        below=("", "DAVIS"),
    ),
    replace(
        SEG,
        name="rtnet-flat",
        frames="*/img/{video}_{frame}",
        annotations="*/label/{video}_{frame}",
        codec="binary255",
        markers=("*/img", "*/label"),
        below=("", "DAVIS"),
    ),
    Layout(name="ags", frames="davis16-test/{video}", annotations="", codec="binary255", markers=("davis16-test",)),
    Layout(
        name="rcf-list",
        frames="JPEGImages/{video}",
        annotations="Annotations/{video}",
        codec="binary255",
        markers=("*_ann.txt", "JPEGImages", "Annotations"),
        without=("JPEGImages/480p",),
    ),
    *repacks(("DAVIS",), "DAVIS", codec="binary255"),
)


TITLE = "DAVIS-2016"
SPLITS = {"val": ("val",), "train": ("train",), "trainval": ("train", "val")}


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of a split: ``"val"``, ``"train"`` or ``"trainval"``."""
    return {
        row["name"]: Listed(
            frames=int(row["frames"]), stable=row["stable"] == "true", attributes=tuple(row["attributes"].split())
        )
        for row in read_sequences(__file__)
        if row["split"] in SPLITS[split]
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`."""
    unsupervised = "Annotations_unsupervised"
    if unsupervised in root.parts or ((root / unsupervised).is_dir() and not (root / "Annotations").is_dir()):
        raise DataError(
            f'"{root}" contains {unsupervised}, the objects of DAVIS-2017 Unsupervised, which differ from those of '
            f"{TITLE}; pass the folder with Annotations of DAVIS-2016 or of the semi-supervised 2017 package"
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
        DatasetProtocol(
            name="davis16",
            measures=("J", "F", "T"),
            frames="inner",
            about="J, F and T of frames 1…N−2, as in papers and on the leaderboard",
        ),
        DatasetProtocol(name="davis17-unsup", frames="all", about="J and F of all frames"),
        DatasetProtocol(
            name="davis16-gcc5",
            measures=("J", "F", "T"),
            frames="inner",
            junctions="gcc5",
            about="davis16 with T as the official tool computes it if built today (junction order gcc5)",
        ),
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
