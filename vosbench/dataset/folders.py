"""Folders of datasets: their listings, and patterns of paths below them."""

import os
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from vosbench.dataset.stand_ins import number
from vosbench.errors import DataError
from vosbench.files import hidden


class Folders:
    """A cache of folder listings, without hidden files and folders (`vosbench.files.hidden`); links are followed.

    A pattern is a path below a folder. Its parts may contain ``*``, ``?`` and ``[…]``; case is ignored, but an exact
    match comes first. ``|`` separates alternatives.
    """

    def __init__(self) -> None:
        self._read: dict[Path, dict[str, bool]] = {}

    def entries(self, folder: Path) -> Mapping[str, bool]:
        """Names in a folder, and whether each is a folder; empty if the folder does not exist.

        Raises:
            DataError: if the folder cannot be read.
        """
        if folder not in self._read:
            try:
                with os.scandir(folder) as entries:
                    self._read[folder] = {entry.name: _is_folder(entry) for entry in entries if not hidden(entry.name)}
            except (FileNotFoundError, NotADirectoryError):
                self._read[folder] = {}
            except OSError as error:
                raise DataError(f'the folder "{folder}" cannot be read: {error.strerror}') from None
        return self._read[folder]

    def files(self, folder: Path) -> Iterator[str]:
        """Names of the files in a folder, unordered."""
        return (name for name, is_folder in self.entries(folder).items() if not is_folder)

    def find(self, base: Path, pattern: str) -> Iterator[Path]:
        """Paths that match a pattern below a folder, the best match first.

        Args:
            base: the folder.
            pattern: see the class; ``""`` is the folder itself.
        """
        for option in pattern.split("|"):
            yield from self._walk(base, [part for part in option.split("/") if part])

    def _walk(self, folder: Path, parts: list[str]) -> Iterator[Path]:
        if not parts:
            yield folder
            return
        part, rest = parts[0], parts[1:]
        names = self.entries(folder)
        if part in names:
            yield from self._walk(folder / part, rest)
        lower = part.lower()
        special = any(sign in part for sign in "*?[")
        for name in sorted(
            name for name in names if name.lower() == lower or (special and fnmatchcase(name.lower(), lower))
        ):
            if name != part:
                yield from self._walk(folder / name, rest)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def files_of(folders: Folders, base: Path, place: str, video: str) -> list[Path]:
    """A video's files in the first folder that contains any, ordered by number and name."""
    for option in filter(None, place.split("|")):
        folder, _, file = option.rpartition("/") if "{frame}" in option else (option, "", "")
        before, _, after = file.partition("{frame}")
        called = re.escape(before.format(video=video)).replace(r"\*", ".*").replace(r"\?", ".")
        wanted = re.compile(rf"{called}\d+{re.escape(after)}", re.IGNORECASE)
        for path in folders.find(base, folder.format(video=video)):
            names = [name for name in folders.files(path) if not file or wanted.fullmatch(name.rpartition(".")[0])]
            if names:
                return [path / name for _, name in sorted((number(name), name) for name in names)]
    return []
