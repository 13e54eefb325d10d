"""Predictions on disk: a folder or a zip of masks or maps, of anybody's making.

Conventions:
    The file of frame *t* of video *v* may be called ``v/<frame's stem>.png``, ``v/%05d.png``, ``v/v_%05d.png`` or
    ``v_<frame's stem>.png``, below any folders; files that are no PNG and ``__MACOSX`` are not looked at.
    The numbers are those of the dataset's frame files; where a number is none of theirs, as 0 is not where they begin
    at 1, all of a video's are taken for positions, from 0.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self, TypeVar

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import files as images
from vosbench.images.codecs import recognise

Read = TypeVar("Read")
Reader = Callable[[Path | bytes, str, str], Read]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Where each frame's mask is.

    Attributes:
        origin: the folder or zip file.
        files: video name → frame index → the file's path, or its name inside the zip.
        codec: how the masks are read.
    """

    origin: Path
    files: Mapping[str, Mapping[int, str]]
    codec: str

    def label(self, video: str, index: int) -> str:
        """Name one mask for an error."""
        return f"{self.origin}:{self.files[video][index]}"

    def read(self, video: str, indices: Sequence[int], reader: Reader[Read]) -> Iterator[Read]:
        """Read masks of a video in the given order.

        Args:
            video: its name.
            indices: frame indices.
            reader: what makes a mask of a file; `vosbench.images.files.read_mask`, or another of its kind.

        Raises:
            DataError: where one is corrupt or of another encoding.
        """
        with _Opened(self.origin) as opened:
            for index in indices:
                yield reader(opened.read(self.files[video][index]), self.codec, self.label(video, index))


def find(origin: Path, videos: Sequence[Video], codec: str | None = None) -> Predictions:
    """Find the masks of a dataset's videos in a folder or zip.

    Args:
        origin: a folder or a zip file, which is read without unpacking it.
        videos: the videos whose masks are looked for; masks of others are left alone.
        codec: how masks are read; recognised from one mask of each video where None.

    Raises:
        DataError: where there is nothing of these videos, names are unsafe or ambiguous, or encodings differ.
    """
    with _Opened(origin) as opened:
        names = opened.names()
        files = {video.name: _match(video, names) for video in videos}
        if not any(files.values()):
            raise DataError(_nothing(origin, names, videos))
    return located(origin, files, codec)


def located(origin: Path, files: Mapping[str, Mapping[int, str]], codec: str | None = None) -> Predictions:
    """Predictions whose files are known.

    Args:
        origin: a folder or a zip file.
        files: video name → frame index → the file's path below the folder, or its name inside the zip.
        codec: how masks are read; recognised from one mask of each video if None.

    Raises:
        DataError: if encodings differ.
    """
    if codec is None:
        with _Opened(origin) as opened:
            codec = _recognise(origin, opened, files)
    return Predictions(origin, files, codec)


def _match(video: Video, names: Mapping[str, Sequence[PurePosixPath]]) -> dict[int, str]:
    """Frame index → file: by the frame's stem; else by its number, or by its position where numbers begin at 0."""
    stems = {frame.stem: index for index, frame in enumerate(video.frames)}
    found: list[tuple[int, PurePosixPath]] = []
    numbered: list[tuple[int, PurePosixPath]] = []
    for path in names.get(video.name, ()):
        stem = path.stem.removeprefix(f"{video.name}_")
        index = stems.get(path.stem, stems.get(stem))
        if index is not None:
            found.append((index, path))
        elif re.fullmatch(r"\d{5}", stem):
            numbered.append((int(stem), path))
    numbers = {number: index for index, frame in enumerate(video.frames) if (number := _number(frame)) is not None}
    if any(number not in numbers for number, _ in numbered):
        numbers = {index: index for index in range(len(video.frames))}
    found += [(numbers[number], path) for number, path in numbered if number in numbers]
    files: dict[int, str] = {}
    for index, path in found:
        if index in files:
            raise DataError(f'frame {index} of "{video.name}" has two masks, "{files[index]}" and "{path}"; keep one')
        files[index] = str(path)
    return files


def _number(frame: Path) -> int | None:
    """The number that a frame's name ends in."""
    digits = re.search(r"\d+$", frame.stem)
    return int(digits[0]) if digits else None


def _nothing(origin: Path, names: Mapping[str, Sequence[PurePosixPath]], videos: Sequence[Video]) -> str:
    asked = ", ".join(f'"{video.name}"' for video in videos[:3])
    there = ", ".join(f'"{name}"' for name in list(names)[:3]) or "no PNG file"
    return (
        f'"{origin}" holds no mask of the {len(videos)} videos asked for ({asked}, …), but {there}; '
        "is it of another dataset? Masks are looked for as <video>/<frame>.png"
    )


def _recognise(origin: Path, opened: "_Opened", files: Mapping[str, Mapping[int, str]]) -> str:
    """Look at one mask of each video, further ones while they are empty."""
    votes: Counter[str] = Counter()
    for frames in files.values():
        for name in frames.values():
            vote = recognise(*images.read_pixels(opened.read(name), f"{origin}:{name}"))
            if vote is not None:
                votes[vote] += 1
                break
    if len(votes) > 1:
        found = " and ".join(f"{count} videos as {name}" for name, count in votes.items())
        raise DataError(f'the masks of "{origin}" are encoded differently ({found}); say which with --codec')
    return next(iter(votes), "map")


class _Opened:
    """A folder or zip file, open for reading."""

    def __init__(self, origin: Path) -> None:
        self.origin = origin
        self.zip: zipfile.ZipFile | None = None
        if origin.is_dir():
            return
        if not origin.exists():
            raise DataError(f'the predictions "{origin}" do not exist; give a folder or a zip file of masks')
        try:
            self.zip = zipfile.ZipFile(origin)
        except (zipfile.BadZipFile, OSError):
            raise DataError(f'"{origin}" is neither a folder nor a sound zip file of masks') from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.zip:
            self.zip.close()

    def names(self) -> dict[str, list[PurePosixPath]]:
        """The PNG files by the video they name: their folder, or what stands before the last underscore."""
        if self.zip:
            paths = [PurePosixPath(entry.filename) for entry in self.zip.infolist() if not entry.is_dir()]
        else:
            found = sorted(self.origin.rglob("*.png"))
            paths = [PurePosixPath(path.relative_to(self.origin).as_posix()) for path in found]
        named: dict[str, list[PurePosixPath]] = {}
        for path in paths:
            if path.is_absolute() or ".." in path.parts or "\\" in str(path):
                raise DataError(f'"{self.origin}" holds the entry "{path}", which escapes from it; it is not read')
            if path.suffix.lower() != ".png" or "__MACOSX" in path.parts or path.name.startswith("."):
                continue
            named.setdefault(path.parent.name, []).append(path)
            flat = path.stem.rpartition("_")[0]
            if flat and flat != path.parent.name:
                named.setdefault(flat, []).append(path)
        return named

    def read(self, name: str) -> Path | bytes:
        """A folder's file as its path, a zip's entry as its bytes."""
        if self.zip is None:
            return self.origin / name
        try:
            return self.zip.read(name)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            raise DataError(f'"{self.origin}:{name}" cannot be read from the zip: {error}') from None
