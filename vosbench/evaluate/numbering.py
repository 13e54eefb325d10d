"""Pair the masks of a video with its frames by their names.

Conventions:
    A file whose name, with or without the video's name before it, is that of a frame belongs to that frame. Otherwise
    the number in its name counts: of several numbers the last one that differs in all files. The numbers of a video are
    read in one way, as a whole: the first that fits of frame names, the numbers of the frame files, positions counted
    from 0, positions counted from 1, and the order of the names if there are as many files as frames.
    If several ways fit and give different frames, the one in which other videos of the submission can only be read is
    used, otherwise the first; a note says so.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images.annotations import stem_of

Numbering = Literal["auto", "frames", "0", "1"]
NUMBERINGS: tuple[Numbering, ...] = ("auto", "frames", "0", "1")
NAMED = {"frames": "as numbered like the frames", "0": "as counted from 0", "1": "as counted from 1"}
DIGITS = re.compile(r"\d+")
LONGEST = 15  # digits of a number, far beyond frame numbers

Readings = dict[str, dict[PurePosixPath, int]]


@dataclass(frozen=True, slots=True)
class Matched:
    """The masks of a video.

    Attributes:
        files: frame index → file, as the way that was chosen reads the names.
        way: that way.
        others: other ways that fit and give other frames: way → frame index → file.
        strangers: files without a number, which are ignored.
    """

    files: Mapping[int, PurePosixPath] = field(default_factory=dict)
    way: str = ""
    others: Mapping[str, Mapping[int, PurePosixPath]] = field(default_factory=dict)
    strangers: Sequence[PurePosixPath] = ()


def match(video: Video, paths: Sequence[PurePosixPath], numbering: Numbering = "auto") -> Matched:
    """Pair the files of a video with its frames.

    Args:
        video: the video.
        paths: its masks.
        numbering: the only way to read numbers, or ``"auto"``.

    Raises:
        DataError: if the names fit in no way, or two files belong to one frame.
    """
    if not paths:
        return Matched()
    stems = [path.stem.removeprefix(f"{video.name}_") for path in paths]
    numbers = _numbers(stems)
    frame_stems = {frame.stem: index for index, frame in enumerate(video.frames)}
    frame_numbers = _numbers([frame.stem for frame in video.frames])
    known = {number: index for index, number in enumerate(frame_numbers) if number is not None}
    named = [frame_stems.get(path.stem, frame_stems.get(stem)) for path, stem in zip(paths, stems, strict=True)]
    strangers = [
        path for path, number, index in zip(paths, numbers, named, strict=True) if number is None and index is None
    ]
    if numbering in {"auto", "frames"} and len(strangers) < len(paths):
        left = [index for path, index in zip(paths, named, strict=True) if path not in strangers]
        if None not in left:
            numbers_of_named = dict(zip(paths, numbers, strict=True))
            return _chosen(video, paths, named, strangers, numbers_of_named if numbering == "auto" else {}, known)
    counted = {path: number for path, number in zip(paths, numbers, strict=True) if number is not None}
    readings = _readings(counted, len(video), known)
    if numbering != "auto":
        readings = {way: files for way, files in readings.items() if way == numbering}
    elif not readings and len(paths) - len(strangers) * bool(counted) == len(video):
        readings = {"position": _by_position(video, paths if not counted else list(counted), counted)}
    if not readings:
        raise DataError(_unfit(video, list(counted) or list(paths), numbering))
    return _of_readings(video, readings, strangers if counted else [])


def of_annotated(
    video: Video, paths: Sequence[PurePosixPath], numbering: Numbering = "auto"
) -> Sequence[PurePosixPath]:
    """The files of annotated frames, if only the annotations are known, and there may be frames without.

    Args:
        video: the video, without its frames.
        paths: its masks.
        numbering: as in `match`.

    Returns:
        the files with the names of annotations, if each has one, or if all files fit in no better way than their order;
        otherwise those with their numbers, if each has one; otherwise all.
    """
    stems = {stem_of(annotation) for annotation in video.annotations.values()}
    called = {path: path.stem.removeprefix(f"{video.name}_") for path in paths}
    named = [path for path in paths if path.stem in stems or called[path] in stems]
    by_name = numbering in {"auto", "frames"}
    if by_name and stems <= {path.stem for path in named} | {called[path] for path in named}:
        return named
    try:
        way = match(video, paths, numbering).way
    except DataError:
        way = "position"
    if way != "position":
        return paths
    if by_name and named:
        return named
    wanted = set(_numbers([*stems]))
    numbers = _numbers([*called.values()])
    if not by_name or None in wanted or not wanted <= set(numbers):
        return paths
    return [path for path, number in zip(paths, numbers, strict=True) if number in wanted]


def agreed(videos: Mapping[str, Matched]) -> tuple[dict[str, dict[int, PurePosixPath]], list[str]]:
    """Settle videos whose numbers fit in several ways by those that fit in only one.

    Returns:
        Video → frame index → file, and notes.
    """
    sure = {matched.way for matched in videos.values() if matched.files and not matched.others}
    files: dict[str, dict[int, PurePosixPath]] = {}
    unsure: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, matched in videos.items():
        way, chosen = matched.way, matched.files
        if len(sure) == 1 and (only := next(iter(sure))) in matched.others:
            way, chosen = only, matched.others[only]
        if matched.others:
            rest = [other for other in ("frames", *matched.others) if other != way and other in NAMED]
            unsure.setdefault((way, tuple(dict.fromkeys(rest))), []).append(name)
        files[name] = dict(sorted(chosen.items()))
    notes = [_doubt(way, others, names, files) for (way, others), names in unsure.items()]
    strangers = [str(path) for matched in videos.values() for path in matched.strangers]
    if strangers:
        what = "file has no number and is" if len(strangers) == 1 else "files have no number and are"
        notes.append(f'{len(strangers)} {what} ignored, such as "{strangers[0]}"')
    counted = [name for name, matched in videos.items() if matched.way == "1" and not matched.others]
    if counted:
        notes.append(f"masks of {_videos(counted)} are numbered from 1: 1 is the first frame")
    placed = [name for name, matched in videos.items() if matched.way == "position"]
    if placed:
        notes.append(f"masks of {_videos(placed)} are taken in the order of their names, as many as there are frames")
    return files, notes


def _chosen(
    video: Video,
    paths: Sequence[PurePosixPath],
    named: Sequence[int | None],
    strangers: Sequence[PurePosixPath],
    numbers: Mapping[PurePosixPath, int | None],
    known: Mapping[int, int],
) -> Matched:
    """Files with the names of frames; bare numbers may also be positions."""
    pairs = {path: index for path, index in zip(paths, named, strict=True) if index is not None}
    exact = {frame.stem for frame in video.frames if not frame.stem.isdecimal()}
    bare = {path: number for path in pairs if (number := numbers.get(path)) is not None and path.stem not in exact}
    readings: Readings = {"frames": pairs}
    if len(bare) == len(pairs):
        readings |= {way: files for way, files in _readings(bare, len(video), known).items() if way != "frames"}
    return _of_readings(video, readings, strangers)


def _of_readings(video: Video, readings: Readings, strangers: Sequence[PurePosixPath]) -> Matched:
    way = next(iter(readings))
    indexed = {name: _indexed(video, files) for name, files in readings.items()}
    others = {name: files for name, files in indexed.items() if files != indexed[way]}
    return Matched(indexed[way], way, others, strangers)


def _indexed(video: Video, files: Mapping[PurePosixPath, int]) -> dict[int, PurePosixPath]:
    indexed: dict[int, PurePosixPath] = {}
    for path, index in files.items():
        if index in indexed:
            one, other = sorted((str(indexed[index]), str(path)))
            raise DataError(f'frame {index} of "{video.name}" has two masks, "{one}" and "{other}"; keep one')
        indexed[index] = path
    return indexed


def _numbers(stems: Sequence[str]) -> list[int | None]:
    """The number in each name; None if it has none."""
    runs = [[int(digits[-LONGEST:]) for digits in DIGITS.findall(stem)] for stem in stems]
    numbered = [run for run in runs if run]
    columns = min(map(len, numbered), default=0)
    if not numbered or any(len(run) != columns for run in numbered):
        return [run[-1] if run else None for run in runs]
    column = next(
        (at for at in reversed(range(columns)) if len({run[at] for run in numbered}) == len(numbered)), columns - 1
    )
    return [run[column] if run else None for run in runs]


def _readings(numbers: Mapping[PurePosixPath, int], frames: int, known: Mapping[int, int]) -> Readings:
    """The ways to read numbers that fit all of them: way → file → frame index."""
    ways: dict[str, Callable[[int], int | None]] = {
        "frames": known.get,
        "0": lambda number: number if number < frames else None,
        "1": lambda number: number - 1 if 1 <= number <= frames else None,
    }
    found: Readings = {}
    for way, index_of in ways.items():
        indices = {path: index for path, number in numbers.items() if (index := index_of(number)) is not None}
        if numbers and len(indices) == len(numbers):
            found[way] = indices
    return found


def _by_position(
    video: Video, paths: Sequence[PurePosixPath], numbers: Mapping[PurePosixPath, int]
) -> dict[PurePosixPath, int]:
    if len(set(numbers.values())) < len(numbers):
        _indexed(video, numbers)  # two files of one number
    ordered = sorted(paths, key=lambda path: (numbers.get(path, -1), path.stem))
    return {path: index for index, path in enumerate(ordered)}


def _unfit(video: Video, paths: Sequence[PurePosixPath], numbering: Numbering) -> str:
    known = {frame.stem for frame in video.frames}
    strange = next((path for path in sorted(paths, key=str, reverse=True) if path.stem not in known), paths[0])
    frames = f"{len(video)} frame{'s' * (len(video) != 1)}"
    masks = f"{len(paths)} mask{'s' * (len(paths) != 1)}"
    wanted = "in no way that was tried (as the frames, from 0, from 1, in order)"
    if numbering != "auto":
        wanted = f'not {NAMED[numbering]}, as "--numbering {numbering}" says'
    return (
        f'the masks of "{video.name}" are numbered {wanted}: there are {masks}, such as "{strange}", and {frames}, '
        f'"{video.frames[0].name}" to "{video.frames[-1].name}"'
    )


def _doubt(
    way: str, others: Sequence[str], names: Sequence[str], files: Mapping[str, Mapping[int, PurePosixPath]]
) -> str:
    index, file = next(iter(files[names[0]].items()))
    instead = " or ".join(f"--numbering {other}" for other in others)
    return (
        f'masks of {_videos(names)} are read {NAMED.get(way, way)}, so that "{file}" is frame {index} counted from 0; '
        f"their numbers would also fit {instead}"
    )


def _videos(names: Sequence[str]) -> str:
    return f'"{names[0]}"' + (f" and {len(names) - 1} more videos" if len(names) > 1 else "")
