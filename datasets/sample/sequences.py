"""The list of sequences that the dataset is generated from.

Conventions:
    Attributes are those of DAVIS-2016 (Perazzi et al., CVPR 2016, Table 1) and determine the scene: "BC" a static
    look-alike next to the object, "CS" a shaking camera, "DEF" an outline that changes strongly, "FM" more than 20/854
    of the frame's width per frame, "LR" an object whose box covers less than a tenth of the frame, "OCC" posts that
    pass in front of it, "SV" boxes of less than half the area of others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vosbench.errors import UsageError

VERSION = 3
SEED = 1
SPLITS = ("val", "train")
WIDE, FILM, FIELD = (112, 192), (108, 192), (120, 160)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a sequence shows; together with `SEED` and `VERSION` it determines every pixel.

    Attributes:
        name: unique across splits.
        split: ``"val"`` or ``"train"``.
        category: the kind of object: ``"animal"``, ``"blob"``, ``"polygon"`` or ``"vehicle"``.
        frames: number of frames.
        size: height and width of a frame, in pixels.
        attributes: its challenges.
        place: where it looks filmed, ``"meadow"`` or ``"street"``; None is drawn on a plain ground.
    """

    name: str
    split: str
    category: str
    frames: int
    size: tuple[int, int]
    attributes: tuple[str, ...]
    place: str | None = None


Row = tuple[str, str, int, tuple[int, int], str]

VAL: tuple[Row, ...] = (
    ("animal-fence", "animal", 40, WIDE, "CS DEF OCC"),
    ("animal-herd", "animal", 24, FILM, "BC DEF"),
    ("animal-walk", "animal", 32, FIELD, "DEF SV"),
    ("blob-drift", "blob", 24, WIDE, "CS DEF"),
    ("blob-post", "blob", 30, FIELD, "OCC"),
    ("polygon-dash", "polygon", 20, WIDE, "FM"),
    ("polygon-far", "polygon", 28, FILM, "CS LR"),
    ("polygon-twin", "polygon", 26, WIDE, "BC"),
)
FILMED: tuple[Script, ...] = (
    Script(
        name="film-horse",
        split="val",
        category="animal",
        frames=24,
        size=WIDE,
        attributes=("CS", "DEF"),
        place="meadow",
    ),
    Script(name="film-car", split="val", category="vehicle", frames=24, size=FILM, attributes=("CS",), place="street"),
)
TRAIN = (
    ("animal", "DEF"),
    ("animal", "CS DEF SV"),
    ("animal", "DEF FM"),
    ("animal", "DEF OCC"),
    ("animal", "BC CS DEF"),
    ("animal", "DEF LR"),
    ("blob", "DEF"),
    ("blob", "BC"),
    ("blob", "CS DEF FM"),
    ("blob", "DEF OCC"),
    ("blob", "LR SV"),
    ("polygon", "SV"),
    ("polygon", "BC CS"),
    ("polygon", "DEF FM"),
    ("polygon", "OCC"),
    ("polygon", "CS LR"),
)


def scripts(split: str) -> Sequence[Script]:
    """The sequences of a split, in list order.

    Raises:
        UsageError: if the split is unknown.

    >>> [len(scripts(split)) for split in SPLITS]
    [10, 16]
    """
    if split not in SPLITS:
        raise UsageError(f'sample has no split "{split}"; available: {", ".join(SPLITS)}')
    rows = VAL
    if split == "train":
        rows = tuple(
            (f"{category}-{number:02d}", category, 16, WIDE, attributes)
            for number, (category, attributes) in enumerate(TRAIN, start=1)
        )
    drawn = [
        Script(name=name, split=split, category=category, frames=frames, size=size, attributes=tuple(words.split()))
        for name, category, frames, size, words in rows
    ]
    return [*drawn, *(script for script in FILMED if script.split == split)]
