"""The options of a method: what ``--set name=value`` may say, and what follows from it."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vosbench.errors import UsageError


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a method, set by ``--set name=value``.

    Attributes:
        default: the value if it is not set.
        meaning: one line of help.
        choices: the allowed values; any if empty.
        read: brings a value into its usual spelling, or raises a ValueError that says what it must be; such as
            `whole`. Defaults are written as it writes them.
        path: whether it names a file or folder to read; its contents are recorded by their hash.
        variants: variant → its own default; None if it has no such option.
        implies: value → the defaults of other options with it.
    """

    default: str
    meaning: str
    choices: tuple[str, ...] = ()
    read: Callable[[str], str] | None = None
    path: bool = False
    variants: Mapping[str, str | None] = field(default_factory=dict)
    implies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def resolve(name: str, known: Mapping[str, Option], values: Mapping[str, str], variant: str = "") -> dict[str, str]:
    """Check options, and fill in those that are not set: by what others imply, or their defaults.

    Args:
        name: of the method, for the messages.
        known: its options.
        values: those that are set; what this returns may be given again.
        variant: of the method; some have other options.

    Raises:
        UsageError: if an option or a value is unknown.

    >>> known = {"speed": Option("slow", "", implies={"fast": {"size": "1"}}), "size": Option("2", "", read=whole(1))}
    >>> resolve("toy", known, {"speed": "fast"}), resolve("toy", known, {"size": "03"})
    ({'speed': 'fast', 'size': '1'}, {'speed': 'slow', 'size': '3'})
    """
    called = f"{name}.{variant}" if variant else name
    defaults = {key: option.variants.get(variant, option.default) for key, option in known.items()}
    chosen = {key: default for key, default in defaults.items() if default is not None}
    set_here = {}
    for key, value in values.items():
        if key not in chosen:
            available = ", ".join(f"{other}=…" for other in chosen) or "none"
            raise UsageError(f'{called} has no option "{key}"; available: {available}')
        set_here[key] = value if value == chosen[key] else _read(called, key, known[key], value)
    implied: dict[str, str] = {}
    for key, value in chosen.items():
        implied |= known[key].implies.get(set_here.get(key, value), {})
    return chosen | {key: value for key, value in implied.items() if key in chosen} | set_here


def changed(known: Mapping[str, Option], options: Mapping[str, str], variant: str = "") -> dict[str, str]:
    """Those of all options, as `resolve` returns them, that do not have the variant's defaults."""
    return {
        key: value for key, value in options.items() if value != known[key].variants.get(variant, known[key].default)
    }


def _read(called: str, key: str, option: Option, value: str) -> str:
    if option.choices and value not in option.choices:
        raise UsageError(f'{called} has no {key} "{value}"; available: {", ".join(option.choices)}')
    try:
        value = option.read(value) if option.read else value
    except ValueError as error:
        raise UsageError(f'{called} has no {key} "{value}": {error}') from None
    if option.path and value and not (Path(value).is_file() or Path(value).is_dir()):
        raise UsageError(f'the file or folder "{value}" of option "{key}" of {called} does not exist')
    return value


def whole(least: int) -> Callable[[str], str]:
    """Read a whole number.

    >>> whole(1)("05")
    '5'
    """

    def read(text: str) -> str:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise ValueError(f"it must be a whole number of at least {least}")
        return str(value)

    return read


def positive(text: str) -> str:
    """Read a positive number.

    >>> positive("15.0"), positive("1e-3")
    ('15', '0.001')
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise ValueError("it must be a positive number")
    return f"{value:.15g}"


MOTION = "0.5"
"""Weight of motion as a stage of a lite network; the card of `motion` tells how it was chosen."""
SCALES, FLIP = "1", "no"
"""Defaults of the options `scales` and `flip` of the lite variants."""


def scales(text: str) -> str:
    """Read the scales of an input, relative to its size.

    >>> scales("0.75, 1.0,1.25")
    '0.75,1,1.25'
    """
    wanted = "it must be different numbers from 0.25 to 4, such as 0.75,1,1.25"
    try:
        values = numbers(text)
    except ValueError:
        raise ValueError(wanted) from None
    if not all(0.25 <= value <= 4 for value in values) or len(set(values)) < len(values):
        raise ValueError(wanted)
    return ",".join(f"{value:.15g}" for value in values)


def numbers(text: str) -> tuple[float, ...]:
    """Numbers separated by commas.

    Raises:
        ValueError: if one is not a number.
    """
    return tuple(float(word) for word in text.split(","))


def view_options(without: Iterable[str]) -> dict[str, Option]:
    """The options of test-time augmentation.

    Args:
        without: the variants that do not have them.
    """
    missing = dict.fromkeys(without)
    return {
        "scales": Option(
            SCALES,
            "scales of the input of `lite`, such as 0.75,1,1.25, whose maps are averaged",
            read=scales,
            variants=missing,
        ),
        "flip": Option(
            FLIP,
            "whether maps of `lite` are averaged with those of the mirrored frames",
            ("yes", "no"),
            variants=missing,
        ),
    }


def stage_options(without: Iterable[str]) -> dict[str, Option]:
    """The options of the stages that follow a network; see `vosbench.method.nn.refined`.

    Args:
        without: the variants that do not have them.
    """
    missing = dict.fromkeys(without)
    return {
        "motion": Option(
            "off",
            "adds the log odds of method `motion`, which reads the whole video first, to those of the map",
            ("off", "on"),
            variants=missing,
        ),
        "motion_weight": Option(MOTION, "weight of those log odds, with motion=on", read=positive, variants=missing),
        "refine": Option(
            "on",
            "draws the edges of the map to those of the frame, by a guided filter",
            ("on", "off"),
            variants=missing,
        ),
    }


def aligned_size(text: str) -> str:
    """Read a size as WxH, in pixels, whose sides are 8 n + 1, so that positions of features lie on pixels.

    >>> aligned_size("857x481")
    '857x481'
    """
    wanted = "it must be WIDTHxHEIGHT, each 8 n + 1 pixels and at least 17, such as 857x481"
    return sized(text, lambda side: side >= 17 and side % 8 == 1, wanted)


def sized(text: str, accepts: Callable[[int], bool], wanted: str) -> str:
    """Read a size as WxH, in pixels.

    Args:
        text: as typed.
        accepts: whether a side may have so many pixels.
        wanted: what it must be, for the message.

    Raises:
        ValueError: if it is not.

    >>> sized("0640x480", lambda side: side > 0, "it must be WIDTHxHEIGHT")
    '640x480'
    """
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdecimal() and accepts(int(side)) for side in sides):
        raise ValueError(wanted)
    width, height = map(int, sides)
    return f"{width}x{height}"
