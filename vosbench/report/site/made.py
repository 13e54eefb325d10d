"""What has been made for a site, and from what, so that it is made once.

Conventions:
    The index is a hidden file in the site's folder. What was made has a name, a key (a hash of everything that it
    depends on), and files; it is made again if its key has changed or a file is missing.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vosbench.files import sweep, write_whole

INDEX = ".made.json"
OURS = re.compile(r"(media|masks)/[a-z0-9-]+/[a-z0-9-]+/[a-z0-9-]+\.(jpg|js)")
"""Names of files that may be removed; the index is a file, which may contain anything."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that was made.

    Attributes:
        key: a hash of what it was made from.
        files: its files, below the site's folder.
        about: what else there is to know of it, as JSON.
    """

    key: str
    files: tuple[str, ...]
    about: Any = None


class Made:
    """The things that were made below a folder."""

    def __init__(self, folder: Path) -> None:
        """Read the index; without one, or with a damaged one, nothing has been made."""
        self._folder = folder
        self._before = _read(folder / INDEX)
        self._now: dict[str, Thing] = {}

    def fresh(self, name: str, key: str) -> Thing | None:
        """A thing that need not be made again; None if it must be."""
        thing = self._before.get(name)
        if thing is None or thing.key != key or not all((self._folder / file).is_file() for file in thing.files):
            return None
        self._now[name] = thing
        return thing

    def add(self, name: str, key: str, files: Iterable[str], about: Any = None) -> Thing:  # noqa: ANN401 - JSON
        """Note that a thing was made, at once, so that it survives an interruption."""
        thing = Thing(key, tuple(files), about)
        self._now[name] = self._before[name] = thing
        self._write(self._before)
        return thing

    def finish(self) -> None:
        """Remove what is no longer part of the site."""
        wanted = {file for thing in self._now.values() for file in thing.files}
        left = {file for thing in self._before.values() for file in thing.files} - wanted
        for file in sorted(left):
            if OURS.fullmatch(file):
                path = self._folder / file
                path.unlink(missing_ok=True)
                for parent in [*path.parents][:3]:  # video, dataset, media
                    if parent.is_dir() and not any(parent.iterdir()):
                        parent.rmdir()
        self._write(self._now)
        for place in (self._folder, *self._folder.glob("media/*"), *self._folder.glob("masks/*")):
            sweep(place)

    def _write(self, things: Mapping[str, Thing]) -> None:
        found = {name: [thing.key, thing.files, thing.about] for name, thing in sorted(things.items())}
        write_whole(self._folder / INDEX, json.dumps(found).encode())


def _read(path: Path) -> dict[str, Thing]:
    try:
        found = json.loads(path.read_bytes())
        return {name: Thing(str(key), tuple(map(str, files)), about) for name, (key, files, about) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
