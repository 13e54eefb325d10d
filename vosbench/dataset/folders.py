"""What folders hold, by pattern ignoring case; each folder is read once, and no file is opened."""

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from vosbench.errors import DataError


class Folders:
    """Folders that have been read.

    A pattern is a path below some folder. Its parts may hold ``*``, ``?`` and ``[…]``; case is ignored, but an exact
    match goes first. ``|`` separates alternatives.
    """

    def __init__(self) -> None:
        self._read: dict[Path, dict[str, bool]] = {}

    def entries(self, folder: Path) -> Mapping[str, bool]:
        """Names in a folder, and whether each is a folder itself; nothing if there is no such folder.

        Raises:
            DataError: if the folder may not be read.
        """
        if folder not in self._read:
            try:
                with os.scandir(folder) as entries:
                    self._read[folder] = {each.name: each.is_dir() for each in entries if each.name[0] != "."}
            except (FileNotFoundError, NotADirectoryError):
                self._read[folder] = {}
            except OSError as error:
                raise DataError(f'the folder "{folder}" cannot be read: {error.strerror}') from None
        return self._read[folder]

    def files(self, folder: Path) -> Iterator[str]:
        """Names of the files in a folder, in no order."""
        return (name for name, is_folder in self.entries(folder).items() if not is_folder)

    def find(self, base: Path, pattern: str) -> Iterator[Path]:
        """What matches a pattern below a folder, the best match first.

        Args:
            base: the folder.
            pattern: as the class says; ``""`` is the folder itself.
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
