"""What a record depends on, as far as it can be known without running anything; everything is looked at once."""

import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from vosbench.dataset import Dataset, Video
from vosbench.dataset.fingerprint import files_digest
from vosbench.dataset.selection import Selection
from vosbench.files import combined, sha256
from vosbench.images.annotations import Box, paths_of
from vosbench.method import Method, Setup
from vosbench.method.resume import card_of

SHORT = 16
"""Digits of the hash of a video's frames, of which there are many."""
PACKAGE = Path(__file__).parents[1]
ROOMS = {
    "method code": ("images", "method", "runner/units.py"),
    "scoring code": ("dataset", "evaluate", "metrics"),
}
"""What code counts as → where in vosbench it is."""
APART = {
    *("recipe", "recipes", "lite_recipe", "augment", "losses", "distractors"),
    *("convert", "export", "quantise", "testing", "profile"),
    *("fetch", "verify", "unpack", "inspection", "warm"),
}
"""Modules there on which no map and no score depends: those of trainings, and tools."""


def of_method(method: Method, setup: Setup) -> dict[str, Any]:
    """What maps depend on, besides the frames.

    Raises:
        VosbenchError: if weights or files cannot be read.
    """
    card = card_of(method, setup)
    options = card["options"]
    assert isinstance(options, dict)
    files = [key for key in options if method.options[key].path]
    card["options"] = {key: value for key, value in options.items() if key not in files}  # their contents count
    flow = {} if setup.flow is None else {"flow": setup.flow}
    return {**card, **flow, "method code": combined([_rooms("method code"), _code(method.load)])}


def of_selection(selection: Selection) -> dict[str, Any]:
    """What scores depend on, besides the maps, and the frames."""
    protocol = selection.protocol
    families = [_code(family.start) for family in protocol.families]
    return {
        "protocol": selection.signature().rpartition("|vosbench ")[0],
        "frames": {video.name: combined(_frames(video))[:SHORT] for video in selection.videos},
        "annotations": combined(line for video in selection.videos for line in _annotations(video)),
        "scoring code": combined([_rooms("scoring code"), _code_of_dataset(selection.dataset), *families]),
    }


def _frames(video: Video) -> list[str]:
    return [f"{path.name} {_size(path)}" for path in video.frames]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a frame of a video file, which is not written yet, or one that is missing
        return -1


def _annotations(video: Video) -> Iterable[str]:
    yield f"{video.name} {video.codec}"
    for index, annotation in sorted(video.annotations.items()):
        if isinstance(annotation, Box):
            yield f"{index} {annotation.edges} {annotation.motion}"
        else:
            yield f"{index} {files_digest(paths_of(annotation))}"


@cache
def _rooms(name: str) -> str:
    places = [PACKAGE / place for place in ROOMS[name]]
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*.py")))]
    return combined(f"{file.relative_to(PACKAGE)} {sha256(file)}" for file in files if file.stem not in APART)


def _code_of_dataset(dataset: Dataset) -> str:
    return _code(dataset.videos) if dataset.root is None else ""


def _code(function: Callable[..., object]) -> str:
    """A hash of the source of a plugin's function: of its file, or all files of its folder if it is in a package."""
    function = getattr(function, "func", function)
    name = str(getattr(function, "__module__", None) or type(function).__module__)
    file = getattr(sys.modules.get(name), "__file__", None)
    return "" if file is None else _source(Path(file), "." in name)


@cache
def _source(file: Path, package: bool) -> str:  # noqa: FBT001 - of a cache
    files = sorted(file.parent.rglob("*.py")) if package else [file]
    return combined(f"{each.relative_to(file.parent)} {sha256(each)}" for each in files if each.is_file())
