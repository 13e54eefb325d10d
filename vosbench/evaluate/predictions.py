"""Predictions on disk: masks or maps from any method, in a folder or a zip file.

Conventions:
    The file of frame *t* of video *v* may be named ``v/<frame's stem>.png``, ``v/%05d.png``, ``v/v_%05d.png`` or
    ``v_<frame's stem>.png``, inside any folders; files other than PNG and ``__MACOSX`` are ignored.
    Numbers refer to the dataset's frame files. If any number of a video does not occur there, such as 0 when frame
    files are numbered from 1, all numbers of the video are positions instead, counted from 0.
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
    """The location of each frame's mask.

    Attributes:
        origin: the folder or zip file.
        files: video name → frame index → the file's path, or its name inside the zip.
        codec: the codec that reads the masks.
    """

    origin: Path
    files: Mapping[str, Mapping[int, str]]
    codec: str

    def label(self, video: str, index: int) -> str:
        """Name one mask in an error message."""
        return f"{self.origin}:{self.files[video][index]}"

    def read(self, video: str, indices: Sequence[int], reader: Reader[Read]) -> Iterator[Read]:
        """Read masks of a video in the given order.

        Args:
            video: its name.
            indices: frame indices.
            reader: the function that reads a mask, `vosbench.images.files.read_mask` or a similar one.

        Raises:
            DataError: if a file is corrupt or has another encoding.
        """
        with _Opened(self.origin) as opened:
            for index in indices:
                yield reader(opened.read(self.files[video][index]), self.codec, self.label(video, index))


def find(origin: Path, videos: Sequence[Video], codec: str | None = None) -> Predictions:
    """Find the masks of a dataset's videos in a folder or zip.

    Args:
        origin: a folder, or a zip file, which is read without unpacking it.
        videos: the videos to find masks of; masks of other videos are ignored.
        codec: the codec that reads the masks; if None, it is recognised from one mask of each video.

    Raises:
        DataError: if these videos have no masks, names are unsafe or ambiguous, or encodings differ.
    """
    with _Opened(origin) as opened:
        names = opened.names()
        files = {video.name: _match(video, names) for video in videos}
        if not any(files.values()):
            raise DataError(_nothing(origin, names, videos))
    return located(origin, files, codec)


def located(origin: Path, files: Mapping[str, Mapping[int, str]], codec: str | None = None) -> Predictions:
    """Make predictions from known files.

    Args:
        origin: a folder or a zip file.
        files: video name → frame index → the file's path below the folder, or its name inside the zip.
        codec: the codec that reads the masks; if None, it is recognised from one mask of each video.

    Raises:
        DataError: if encodings differ.
    """
    if codec is None:
        with _Opened(origin) as opened:
            codec = _recognise(origin, opened, files)
    return Predictions(origin, files, codec)


def _match(video: Video, names: Mapping[str, Sequence[PurePosixPath]]) -> dict[int, str]:
    """Frame index → file: by the stem of the frame, else by number, or by position if numbers do not fit."""
    stems = {frame.stem: index for index, frame in enumerate(video.frames)}
    matches: list[tuple[int, PurePosixPath]] = []
    numbered: list[tuple[int, PurePosixPath]] = []
    for path in names.get(video.name, ()):
        stem = path.stem.removeprefix(f"{video.name}_")
        index = stems.get(path.stem, stems.get(stem))
        if index is not None:
            matches.append((index, path))
        elif re.fullmatch(r"\d{5}", stem):
            numbered.append((int(stem), path))
    numbers = {number: index for index, frame in enumerate(video.frames) if (number := _number(frame)) is not None}
    if any(number not in numbers for number, _ in numbered):
        numbers = {index: index for index in range(len(video.frames))}
    matches += [(numbers[number], path) for number, path in numbered if number in numbers]
    files: dict[int, str] = {}
    for index, path in matches:
        if index in files:
            raise DataError(f'frame {index} of "{video.name}" has two masks, "{files[index]}" and "{path}"; keep one')
        files[index] = str(path)
    return files


def _number(frame: Path) -> int | None:
    """The number at the end of a frame's name."""
    digits = re.search(r"\d+$", frame.stem)
    return int(digits[0]) if digits else None


def _nothing(origin: Path, names: Mapping[str, Sequence[PurePosixPath]], videos: Sequence[Video]) -> str:
    selected = ", ".join(f'"{video.name}"' for video in videos[:3])
    contents = ", ".join(f'"{name}"' for name in list(names)[:3]) or "no PNG files"
    return (
        f'"{origin}" has no masks of the {len(videos)} selected videos ({selected}, …); it contains {contents}. '
        "Is it for another dataset? Masks should be named <video>/<frame>.png"
    )


def _recognise(origin: Path, opened: "_Opened", files: Mapping[str, Mapping[int, str]]) -> str:
    """Recognise the codec from the first mask of each video that is not empty; empty masks fit any codec."""
    votes: Counter[str] = Counter()
    for frames in files.values():
        for name in frames.values():
            vote = recognise(*images.read_pixels(opened.read(name), f"{origin}:{name}"))
            if vote is not None:
                votes[vote] += 1
                break
    if len(votes) > 1:
        codecs = " and ".join(f"{count} videos as {name}" for name, count in votes.items())
        raise DataError(f'the masks in "{origin}" have different encodings ({codecs}); choose one with --codec')
    return next(iter(votes), "map")


class _Opened:
    """A folder or zip file, open for reading."""

    def __init__(self, origin: Path) -> None:
        self.origin = origin
        self.zip: zipfile.ZipFile | None = None
        if origin.is_dir():
            return
        if not origin.exists():
            raise DataError(f'the predictions "{origin}" do not exist; pass a folder or a zip file of masks')
        try:
            self.zip = zipfile.ZipFile(origin)
        except (zipfile.BadZipFile, OSError):
            raise DataError(f'"{origin}" is neither a folder nor a valid zip file of masks') from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.zip:
            self.zip.close()

    def names(self) -> dict[str, list[PurePosixPath]]:
        """The PNG files by video name: their folder, or the part of their name before the last underscore."""
        if self.zip:
            paths = [PurePosixPath(entry.filename) for entry in self.zip.infolist() if not entry.is_dir()]
        else:
            files = sorted(self.origin.rglob("*.png"))
            paths = [PurePosixPath(path.relative_to(self.origin).as_posix()) for path in files]
        named: dict[str, list[PurePosixPath]] = {}
        for path in paths:
            if path.is_absolute() or ".." in path.parts or "\\" in str(path):
                raise DataError(f'"{self.origin}" contains the entry "{path}", which escapes from it; it is not read')
            if path.suffix.lower() != ".png" or "__MACOSX" in path.parts or path.name.startswith("."):
                continue
            named.setdefault(path.parent.name, []).append(path)
            flat = path.stem.rpartition("_")[0]
            if flat and flat != path.parent.name:
                named.setdefault(flat, []).append(path)
        return named

    def read(self, name: str) -> Path | bytes:
        """The path of a file in a folder, or the bytes of an entry in a zip file."""
        if self.zip is None:
            return self.origin / name
        try:
            return self.zip.read(name)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            raise DataError(f'"{self.origin}:{name}" cannot be read from the zip: {error}') from None
