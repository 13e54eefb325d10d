"""Recognise the codec of foreign masks from all of them: their modes, their values, and the colours of their palettes.

Conventions:
    Two values are a binary mask, whatever they are, and the darker one is background. A few values (at most `FEW` in
    each file) are numbers of objects: 0 or black is background. Many values are a soft map, whose upper half is object;
    its range is that of its bit depth. A palette is read by its colours, unless they do not tell its indices apart.
    If readings that are plausible give different masks, none is chosen: that is an error, which names the files.
    All masks of a submission are recognised together. If that fails, each video is recognised on its own, since methods
    are sometimes run with different scripts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError
from vosbench.images.codecs import Codec, Pixels, codec, colour_codes, luma

FEW = 16
"""Values of a file, above which it is a soft map."""
STEP = 97  # pixels between those that tell most soft maps; odd, so that columns of images differ
LOSSY = 24  # difference of channels that JPEG may add to grey
HALF = {"I;16": 1 << 15}
"""Lowest level of the object in soft maps, by mode; 128 in 8 bits."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a file contains, as far as it tells its codec.

    Attributes:
        mode: the Pillow mode as stored.
        values: the stored values in order: levels, indices, or colours as R·65536 + G·256 + B; None if more than `FEW`.
        low: the lowest grey level.
        high: the highest grey level.
        grey: whether all colours are grey.
        colours: the colour of each index in ``values``, if the mode is ``"P"``.
        lossy: whether it is a JPEG file, whose values are not exact.
    """

    mode: str
    values: tuple[int, ...] | None
    low: int
    high: int
    grey: bool = True
    colours: tuple[int, ...] = ()
    lossy: bool = False

    @property
    def faint(self) -> bool:
        """Whether a soft map has values, but none in the upper half of its range."""
        return 0 < self.high < HALF.get(self.mode, 128)

    def seen_by(self, reading: Codec) -> list[bool] | None:
        """Which of the values a codec reads as object; None if there are too many to tell, or it does not know them."""
        if self.values is None or not reading.reads(self.mode):
            return None
        stored: NDArray[Any] = np.array(self.values)
        mode = self.mode
        if mode == "P" and reading.shown:
            stored, mode = np.array(self.colours), "RGB"
        if mode == "RGB":
            stored = np.stack([stored >> 16, stored >> 8 & 255, stored & 255], axis=-1)
        wide = stored[None]
        pixels: Pixels = wide.astype(np.uint16) if mode == "I;16" else wide.astype(np.uint8)
        return reading.foreground(pixels)[0].tolist() if reading.knows(pixels, mode) else None


class Found(NamedTuple):
    """How often a look was seen, and the name of a file that has it."""

    times: int
    example: str


Looks = dict[Look, Found]
"""The looks of a video's masks."""


def look_at(pixels: Pixels, mode: str, palette: bytes = b"", *, lossy: bool = False) -> Look:
    """Describe the pixels of a file.

    Args:
        pixels: (H, W), or (H, W, 3) in mode ``"RGB"``, as stored.
        mode: the Pillow mode.
        palette: R, G and B of each index, if the mode is ``"P"``.
        lossy: whether the file is JPEG.
    """
    if mode == "RGB":
        channels = [pixels[..., channel] for channel in range(3)]  # reducing an axis of 3 is many times as slow
        differences = reduce(np.maximum, channels) - reduce(np.minimum, channels)
        grey = int(differences.max(initial=0)) <= (LOSSY if lossy else 0)
        codes: NDArray[Any] = colour_codes(pixels)
        levels: NDArray[Any] = luma(pixels)
        return Look(mode, distinct(codes), int(levels.min()), int(levels.max()), grey=grey, lossy=lossy)
    if mode == "1":
        return look_of(mode, ())
    values = distinct(pixels)
    if mode != "P":
        low, high = (values[0], values[-1]) if values else (int(pixels.min()), int(pixels.max()))
        return Look(mode, values, low, high, lossy=lossy)
    return look_of(mode, values or tuple(np.flatnonzero(np.bincount(pixels.ravel()))), palette)


@lru_cache(maxsize=512)
def look_of(mode: str, values: tuple[int, ...], palette: bytes = b"") -> Look:
    """Describe a file by its values alone, of mode ``"1"``, whose values are always 0 and 255, ``"L"`` or ``"P"``."""
    if mode == "1":
        return Look(mode, (0, 255), 0, 255)
    if mode != "P":
        return Look(mode, values if len(values) <= FEW else None, values[0], values[-1])
    table = np.frombuffer(palette[: len(palette) // 3 * 3], np.uint8).reshape(-1, 3)
    rgb = np.zeros((max(values) + 1, 3), np.uint8)
    rgb[: len(table)] = table[: len(rgb)]
    used = rgb[list(values)]
    codes = tuple(int(code) for code in used.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1]))
    levels, grey = luma(used[None]), bool((used == used[:, :1]).all())
    few = len(values) <= FEW
    return Look(
        mode,
        tuple(int(value) for value in values) if few else None,
        int(levels.min()),
        int(levels.max()),
        grey=grey,
        colours=codes if few else (),
    )


def distinct(pixels: NDArray[Any]) -> tuple[int, ...] | None:
    """The distinct values of an array in order; None if there are more than `FEW`.

    >>> distinct(np.array([[3, 0], [3, 7]])), distinct(np.arange(99))
    ((0, 3, 7), None)
    """
    left = pixels.ravel()
    if np.unique(left[::STEP]).size > FEW:
        return None
    found: list[int] = []
    while left.size:
        if len(found) == FEW:
            return None
        found.append(int(left[0]))
        left = left[left != left[0]]
    return tuple(sorted(found))


def recognise(
    videos: Mapping[str, Looks], origin: str, *, soft: bool = False, setting: str = "--codec {}"
) -> Mapping[str, str]:
    """Recognise the codecs of a submission.

    Args:
        videos: video → the looks of its masks.
        origin: where they are, for errors.
        soft: whether soft maps are scored as such, so that what may be a soft map is one.
        setting: how to choose a codec, for errors.

    Returns:
        video → codec; ``"map"`` if all masks of a submission are empty, which fit any codec.

    Raises:
        DataError: if the masks of a video contradict each other, or could be read in several ways.
    """
    merged: Looks = {}
    for looks in videos.values():
        for look, found in looks.items():
            before = merged.get(look, Found(0, found.example))
            merged[look] = Found(before.times + found.times, before.example)
    try:
        together = _codec(merged)
        for name, looks in videos.items():
            _refuse_another(name, looks, together)
    except _Unclear as problem:
        if soft and "map" in problem.codecs:
            return dict.fromkeys(videos, "map")
        return _separately(videos, origin, problem, setting)
    return dict.fromkeys(videos, together or "map")


def same(one: str, other: str, looks: Iterable[Look]) -> bool:
    """Whether two codecs read the same masks from files with these looks."""
    if one == other:
        return True
    pair = codec(one), codec(other)
    return all((seen := look.seen_by(pair[0])) is not None and seen == look.seen_by(pair[1]) for look in looks)


class _Unclear(Exception):  # noqa: N818
    """The masks do not tell their codec: what was seen, which codecs would read it, and the files that show it."""

    def __init__(self, said: str, codecs: tuple[str, ...], shown: Iterable[Found]) -> None:
        super().__init__(said)
        self.codecs = codecs
        self.examples = [found.example for found in shown]


def _separately(videos: Mapping[str, Looks], origin: str, together: _Unclear, setting: str) -> dict[str, str]:
    """The codec of each video on its own."""
    codecs: dict[str, str | None] = {}
    for name, looks in videos.items():
        try:
            codecs[name] = _codec(looks)
        except _Unclear as problem:
            raise _error(origin, problem, setting) from None
    soft = {name for name, looks in videos.items() if any(look.values is None for look in looks)}
    if soft and len(soft) < len(videos):  # then a video of few values may be a soft map, too
        raise _error(origin, together, setting)
    usual = next((each for each in codecs.values() if each is not None), "map")
    return {name: each or usual for name, each in codecs.items()}


def _error(origin: str, problem: _Unclear, setting: str) -> DataError:
    files = " and ".join(f'"{name}"' for name in dict.fromkeys(problem.examples[:2]))
    codecs = " or ".join(setting.format(name) for name in problem.codecs)
    advice = f"choose {codecs}" if codecs else "save them as PNG images of two values"
    return DataError(f'the masks in "{origin}" do not tell how to read them: {problem} (see {files}); {advice}')


def _refuse_another(video: str, looks: Looks, together: str | None) -> None:
    """Refuse a codec that reads the masks of a video otherwise than they would be read on their own."""
    told = {look: found for look, found in looks.items() if not _blank(look)}
    alone = _codec(told)
    if alone is not None and together is not None and not same(alone, together, told):
        said = f'the masks of "{video}" alone would be read as "{alone}", all masks together as "{together}"'
        raise _Unclear(said, (together, alone), told.values())


def _codec(looks: Looks) -> str | None:
    """The codec that reads all of these; None if all are empty."""
    told = {look: found for look, found in looks.items() if not _blank(look)}
    if not told:
        return None
    palettes = {look: found for look, found in told.items() if look.mode == "P"}
    if palettes and len(palettes) < len(told):
        return _by_colour(told)
    if palettes:
        return _of_palettes(palettes)
    if any(look.mode == "RGB" and not look.grey for look in told):
        return _by_colour(told)
    return _of_levels(told)


def _blank(look: Look) -> bool:
    """Whether a file fits any codec: all of it is 0 and black."""
    return look.values == (0,) and look.high == 0


def _of_levels(looks: Looks) -> str:
    """The codec of grey levels."""
    if any(look.lossy for look in looks):
        return _of_lossy(looks)
    modes = {look.mode for look in looks}
    half = max(HALF.get(mode, 128) for mode in modes)
    if len({mode == "I;16" for mode in modes}) > 1:
        raise _Unclear("some have 16 bits per pixel, others 8", ("map", "nonzero"), _one_of_each(looks, _sixteen))
    high = max(look.high for look in looks)
    if any(look.values is None for look in looks):
        if half > 128 and high < half:
            brightest = [found for look, found in looks.items() if look.high == high]
            raise _Unclear(f"16-bit values up to {high} only", ("map", "map8", "nonzero"), brightest)
        return "map"
    values = _union(looks)
    if "RGB" in modes:
        return _name_shown(values, looks)
    return _name_levels(values, looks, modes)


def _sixteen(look: Look) -> bool:
    return look.mode == "I;16"


def _name_levels(values: list[int], looks: Looks, modes: set[str]) -> str:
    """The codec of a few grey levels."""
    half = max(HALF.get(mode, 128) for mode in modes)
    if len(values) == 2:
        if values == [0, 255] and "I;16" not in modes:
            return "binary255"
        if values == [0, 1] and modes == {"L"}:
            return "binary01"
        return f"binary:{values[0]},{values[1]}"
    if values == [255] and half == 128:
        return "binary255"
    between = [value for value in values if 0 < value < half]
    if values[0] == 0 and not (between and values[-1] >= half):
        return "nonzero"
    shown = [found for look, found in looks.items() if look.values and set(look.values) & set(between or values)]
    void = ("ids",) if values[-1] == 255 and modes == {"L"} else ()
    raise _Unclear(f"grey levels {_listed(values)}", ("map", "nonzero", *void), shown)


def _name_shown(values: list[int], looks: Looks) -> str:
    """The codec of a few grey colours; black is background."""
    if values[0] == 0 or len(values) == 2:
        name = _name_levels(values, looks, {"L"})
        return "colours" if name in {"nonzero", "binary01"} else name
    raise _Unclear(f"grey levels {_listed(values)}, but no black", ("map",), looks.values())


def _of_lossy(looks: Looks) -> str:
    if not all(look.grey for look in looks):
        raise _Unclear("JPEG images of colours", (), looks.values())
    high = max(look.high for look in looks)
    if high < 128:
        raise _Unclear(f"JPEG images with no value above {high}", (), looks.values())
    return "map"


def _of_palettes(looks: Looks) -> str:
    """The codec of palette images: by index if 0 is background in each file, otherwise by colour."""
    if any(look.values is None for look in looks):
        if all(look.grey for look in looks):
            return "map"
        raise _Unclear("palettes of many colours", (), (found for look, found in looks.items() if not look.grey))
    mapped: dict[int, set[int]] = {}
    for look in looks:
        for index, colour in zip(look.values or (), look.colours, strict=True):
            mapped.setdefault(index, set()).add(colour)
    if len(mapped) > 1 and len(set().union(*mapped.values())) == 1:
        return _numbers(sorted(mapped), looks)
    if any(len(found) > 1 for found in mapped.values()):  # each file has a palette of its own
        return _by_colour(looks)
    return _of_one_palette({index: next(iter(found)) for index, found in mapped.items()}, looks)


def _of_one_palette(colours: Mapping[int, int], looks: Looks) -> str:
    """The codec of files that share a palette, of which these indices are in use."""
    black = 0 in colours.values()
    if colours.get(0) == 0:
        if list(colours.values()).count(0) > 1:
            raise _Unclear("several indices are black", ("palette", "colours"), looks.values())
        if len(colours) > 2 and all(look.grey for look in looks):
            _name_levels(sorted(colour & 255 for colour in colours.values()), looks, {"L"})  # or a soft map?
    elif black and (0 not in colours or len(colours) == 2):
        return "colours"
    elif black:
        raise _Unclear(f"index 0 is {_shown(colours[0])}, another is black", ("palette", "colours"), looks.values())
    elif 0 not in colours:
        raise _Unclear(f"palette indices {_listed(sorted(colours))}, none of them 0 or black", (), looks.values())
    elif len(colours) == 2 and _level(colours[0]) > min(map(_level, colours.values())):
        dark, bright = sorted(map(_level, colours.values()))
        said = "index 0 is brighter than the other index"
        raise _Unclear(said, ("palette", f"binary:{dark},{bright}"), looks.values())
    return "nonzero" if 255 in colours else "palette"


def _numbers(indices: list[int], looks: Looks) -> str:
    """The codec of indices that all show one colour: numbers, 0 being background."""
    if indices[0] != 0:
        raise _Unclear(f"indices {_listed(indices)} of one colour", ("nonzero",), looks.values())
    return "nonzero" if 255 in indices else "palette"


def _by_colour(looks: Looks) -> str:
    """The codec of colours: those of RGB images and palettes, and grey levels."""
    if any(look.values is None and not look.grey for look in looks):
        many = [found for look, found in looks.items() if look.values is None and not look.grey]
        raise _Unclear("images of many colours, not masks", (), many)
    if any(look.lossy for look in looks):
        return _of_lossy(looks)
    colours: set[int] = set()
    for look in looks:
        if look.values is None:
            raise _Unclear("some are soft maps, others have colours", ("map",), _one_of_each(looks, _many))
        grey = look.mode in {"1", "L", "I;16"}
        colours |= (
            {value * 0x10101 if value < 256 else -1 for value in look.values}
            if grey
            else set(look.colours or look.values)
        )
    if 0 not in colours:
        found = ", ".join(_shown(colour) for colour in sorted(colours)[:4])
        raise _Unclear(f"colours {found}, but no black", ("ppm_nonwhite",), looks.values())
    if all(look.grey for look in looks) and not (colours == {0, 0xFFFFFF} and any(look.mode == "P" for look in looks)):
        return _name_shown(sorted(colour & 255 for colour in colours), looks)
    return "colours"


def _many(look: Look) -> bool:
    return look.values is None


def _one_of_each(looks: Looks, which: Callable[[Look], bool]) -> list[Found]:
    one = [found for look, found in looks.items() if which(look)]
    other = [found for look, found in looks.items() if not which(look)]
    return [*one[:1], *other[:1]]


def _union(looks: Looks) -> list[int]:
    """The grey levels in any of the files."""
    levels: set[int] = set()
    for look in looks:
        values = look.colours or look.values or ()
        levels |= {value & 255 for value in values} if look.mode in {"P", "RGB"} else set(values)
    return sorted(levels)


def _level(colour: int) -> int:
    return int(luma(np.array([[[colour >> 16, colour >> 8 & 255, colour & 255]]], np.uint8))[0, 0])


def _shown(colour: int) -> str:
    return f"({colour >> 16}, {colour >> 8 & 255}, {colour & 255})"


def _listed(values: list[int]) -> str:
    return ", ".join(map(str, values[:6])) + (", …" if len(values) > 6 else "")
