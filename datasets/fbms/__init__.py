"""FBMS-59: 59 sparsely annotated videos of moving objects, including BMS-26."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Download, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, recognise
from vosbench.dataset.protocol import SALIENCY
from vosbench.dataset.shared_layouts import repacks

ANTONILO = "fbms-official-antonilo"
LEVELS = {name: f"fbms_antonilo_{name}" for name in ("marple2", "marple7")}
BELOW = ("", "FBMS", "FBMS-59", "FBMS59")
SETS = "t*set"  # Trainingset and Testset, in any spelling
PLACES = (f"{SETS}/", f"{SETS}/Data/", "", "Data/")
GROUND_TRUTH = "|".join(f"{place}*/GroundTruth" for place in PLACES)

# An annotation has the number of its frame. Videos of BMS-26 have grey labels (.pgm); the others have colours on white
# (.ppm), and their .pgm and PROB files contain pixel weights instead of labels.
OFFICIAL = Layout(
    name="fbms-official",
    frames="|".join(f"{place}{{video}}" for place in PLACES),
    annotations="|".join(f"{place}{{video}}/GroundTruth" for place in PLACES),
    codec={".ppm": "ppm_nonwhite", ".pgm": "nonzero"},
    markers=(GROUND_TRUTH,),
    without=("inst",),
    below=BELOW,
    pair="number",
    ignored="*prob*",
)
# The package of BMS-26 alone has no such folder: annotations and a video's Def.dat are next to its frames.
BMS26 = replace(
    OFFICIAL,
    name="bms26-official",
    annotations=OFFICIAL.frames,
    codec={".pgm": "nonzero"},
    markers=("|".join(f"{place}*/*Def.dat" for place in PLACES),),
    without=("inst", GROUND_TRUTH),
    below=(*BELOW, "BMS-26", "BMS26", "moseg_dataset"),
)
COPY = Layout(
    name="fbms-mg",
    frames="JPEGImages/{video}",
    annotations="Annotations/{video}",
    codec="luma127",
    markers=("JPEGImages", "Annotations"),
    without=("JPEGImages/480p", "*_ann.txt"),
    below=BELOW,
    pair="number",
)
DAVIS_LIKE = replace(
    COPY,
    name="fbms-davis-like",
    frames="JPEGImages/480p/{video}",
    annotations="Annotations/480p/{video}",
    codec="inverted255",
    markers=("JPEGImages/480p", "Annotations/480p"),
    without=(),
)
LAYOUTS = (
    OFFICIAL,
    BMS26,
    replace(OFFICIAL, name=ANTONILO, codec=dict.fromkeys((".ppm", ".pgm"), "fbms_antonilo"), without=(), forced=True),
    replace(
        COPY,
        name="fbms-3dc",
        frames=f"{SETS}/{{video}}",
        annotations="inst/*/{video}",
        codec="nonzero",
        markers=(SETS, "inst"),
    ),
    replace(
        COPY,
        name="fbms-tmo",
        frames=f"{SETS}/JPEGImages/{{video}}",
        annotations=f"{SETS}/Annotations/{{video}}",
        markers=(f"{SETS}/JPEGImages", f"{SETS}/Annotations"),
        labelled_only=True,
    ),
    COPY,
    replace(COPY, name="fbms-rcf", markers=("*_ann.txt", "JPEGImages"), without=()),
    replace(
        COPY,
        name="fbms-xseg",
        frames="*/frame/{video}",
        annotations="*/mask/{video}",
        markers=("*/frame", "*/mask"),
        labelled_only=True,
    ),
    DAVIS_LIKE,
    replace(DAVIS_LIKE, name="fbms-davis-like-flipped", codec="binary255", forced=True),
    *repacks(("FBMS", "FBMS-59"), "FBMS", codec="luma127", labelled_only=True),
)


TITLE = "FBMS-59"
PAPER = (
    "Ochs, Malik and Brox, Segmentation of Moving Objects by Long Term Video Analysis, TPAMI 2014; of BMS-26 among it: "
    "Brox and Malik, Object Segmentation by Long Term Analysis of Point Trajectories, ECCV 2010"
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of a split: ``"test"`` or ``"train"``."""
    return {
        row["name"]: Listed(frames=int(row["frames"]), annotated=tuple(map(int, row["annotated"].split())))
        for row in read_sequences(__file__)
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
        DatasetProtocol(name="fbms-seqmean", resize="prediction", about="J and F, frame → video → dataset"),
        DatasetProtocol(
            name="fbms-framemean", resize="prediction", average="frame", about="J and F, mean over all frames"
        ),
        DatasetProtocol(
            name="fbms-inner",
            resize="prediction",
            frames="annotated-inner",
            about="fbms-seqmean without the first and last annotated frame",
        ),
        DatasetProtocol(
            name="fbms-seqmean-skip",
            resize="prediction",
            empty="skip",
            about="fbms-seqmean without frames that have no object",
        ),
        DatasetProtocol(
            name="fbms-objects", measures=("OB",), unit="regions", about="Ochs–Brox: clusters matched to all regions"
        ),
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
