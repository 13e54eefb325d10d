"""The trees that YouTube-Objects is found in."""

from dataclasses import replace
from functools import partial

from vosbench.dataset.layout import Layout
from vosbench.dataset.shared_layouts import repacks


def _shot(name: str) -> str:
    """The folder of a sequence in the original trees; of every video the first shot was annotated."""
    return f"{_split_by('/data/', name)}/shots/001"


def _split_by(sign: str, name: str) -> str:
    """The name with another sign between category and number; ``*`` where nobody says how a copy writes it."""
    return name.replace("_", sign)


# Labels are JPEG files called after the 1-based number of their frame in the shot. Their download holds the
# labelled frames alone (``00001.png``); many have copied all frames of the shot in beside (``frame0001.jpg``).
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
