"""Pair the frames and masks of a folder of some shape, as its videos.

Conventions:
    A mask belongs to the frame of the same name without suffix. If a video has no such pair, the last number in the
    names counts. Masks that then belong to no frame are errors.
    Without frames, a mask of the next number is of the next frame; between others there are frames without a mask, at
    most `LARGEST_GAP`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vosbench.dataset.flow import beside_frames
from vosbench.dataset.folders import Folders
from vosbench.dataset.layout import FRAME_SUFFIXES, MASK_SUFFIXES
from vosbench.dataset.shapes import STILLS, Place, Tree, beside, images_of, kinds_of
from vosbench.dataset.stand_ins import LAST_NUMBER, number
from vosbench.dataset.video import Video
from vosbench.errors import DataError, counted

LARGEST_GAP = 99


def collect_videos(tree: Tree, name: str) -> list[Video]:
    """Collect the videos of a tree in the order of their names, with codec ``binary255`` for now.

    Args:
        tree: the tree.
        name: what to call a video that has no folder of its own.

    Raises:
        DataError: if a mask belongs to no frame, a still image has no mask, or names are ambiguous.
    """
    folders = Folders()
    if tree.layout == STILLS:
        return _stills(next(iter(tree.videos.values())), folders)
    named = {(video or name): place for video, place in tree.videos.items()}
    return [_video(video, named[video], tree, folders) for video in sorted(named)]


def _stills(place: Place, folders: Folders) -> list[Video]:
    """Still images, in the order of their names; each has a mask."""
    frames, masks = _files(place, folders, "stills")
    paired = {frames[index].stem: (frames[index], mask) for index, mask in _pair(frames, masks, "the stills").items()}
    alone = sorted(path.name for path in frames if path.stem not in paired)
    if alone:
        raise DataError(f'"{place.frames}": {counted(len(alone), "image")} without a mask, such as "{alone[0]}"')
    return [
        Video(name=stem, frames=(frame,), annotations={0: mask}, layout=STILLS)
        for stem, (frame, mask) in sorted(paired.items())
    ]


def _video(name: str, place: Place, tree: Tree, folders: Folders) -> Video:
    frames, masks = _files(place, folders, name)
    frameless = place.frames is None
    frames, annotations = _stand_ins(masks) if frameless else (frames, _pair(frames, masks, f'"{name}"'))
    video = Video(name=name, frames=tuple(frames), annotations=annotations, layout=tree.layout, frameless=frameless)
    if place.frames is None:
        return video
    pattern = place.frames.relative_to(tree.root).as_posix()
    if any(sign in pattern for sign in "{}|"):  # which mean something in patterns
        return video
    return replace(video, flow=beside_frames(tree.root, pattern, name, frames, folders))


def _files(place: Place, folders: Folders, name: str) -> tuple[list[Path], list[Path]]:
    """The frames and the masks of a place, ordered by number and name."""
    if place.frames == place.masks and place.frames is not None:
        both = beside(place.frames, folders)
        assert both is not None
        return _ordered(place.frames, both[0]), _ordered(place.frames, both[1])
    found: list[list[Path]] = []
    for folder, suffixes, what in ((place.frames, FRAME_SUFFIXES, "frames"), (place.masks, MASK_SUFFIXES, "masks")):
        there = {} if folder is None else kinds_of(images_of(folder, folders))
        kinds = {suffix: kind for suffix, kind in there.items() if suffix in suffixes}
        if there and not kinds:
            raise DataError(f'"{folder}" has {what} of "{name}" as {", ".join(there)}, not as {", ".join(suffixes)}')
        if len(kinds) > 1:
            raise DataError(f'"{folder}" has {what} of "{name}" as {" and as ".join(sorted(kinds))}; keep one kind')
        found.append([] if folder is None else _ordered(folder, next(iter(kinds.values()), [])))
    return found[0], found[1]


def _pair(frames: Sequence[Path], masks: Sequence[Path], what: str) -> dict[int, Path]:
    """Frame index → mask, by name, or by number if no name fits."""
    for key, kind in ((_stem_of, "name"), (_number_of, "number")):
        index = _unique(frames, key, what)
        if kind == "number" and (index is None or -1 in index):
            break
        found = {index[key(path)]: path for path in masks if index is not None and key(path) in index}
        if found and len(found) == len(masks):
            return found
        if found:
            lost = next(path for path in masks if path not in found.values())
            raise DataError(
                f"{counted(len(masks) - len(found), 'mask')} of {what} without a frame of the same {kind}, such as "
                f'"{lost}"'
            )
    if not masks:
        return {}
    if not frames:
        raise DataError(f'{what} have masks, such as "{masks[0]}", but no images')
    raise DataError(
        f'no mask of {what} has the name or number of a frame: masks are named like "{masks[0].name}", frames like '
        f'"{frames[0].name}"'
    )


def _unique(frames: Sequence[Path], key: Callable[[Path], object], what: str) -> dict[object, int] | None:
    index: dict[object, int] = {}
    for position, path in enumerate(frames):
        if index.setdefault(key(path), position) != position:
            if key is _stem_of:
                raise DataError(f'{what} has two frames named "{path.stem}"; keep one')
            return None
    return index


def _stand_ins(masks: Sequence[Path]) -> tuple[list[Path], dict[int, Path]]:
    """Frames that masks may be of, and frame index → mask; see the conventions above."""
    frames: list[Path] = []
    annotations: dict[int, Path] = {}
    for before, path in zip((None, *masks), masks, strict=False):
        if before is not None:
            frames += _between(before, path)
        annotations[len(frames)] = path
        frames.append(path.with_suffix(".jpg"))
    return frames, annotations


def _between(one: Path, other: Path) -> list[Path]:
    """Stand-ins for the frames between two masks: at least one, unless their numbers follow each other."""
    first, last = (LAST_NUMBER.search(path.stem) for path in (one, other))
    if first is None or last is None or _around(first) != _around(last):
        return [one.with_name(f"{one.stem}+.jpg")]
    before, after = _around(first)
    numbers = range(int(first[1]) + 1, int(last[1]))[:LARGEST_GAP]
    return [one.with_name(f"{before}{each:0{len(first[1])}d}{after}.jpg") for each in numbers]


def _around(match: re.Match[str]) -> tuple[str, str]:
    """What is before and after the number in a name."""
    return match.string[: match.start(1)], match.string[match.end(1) :]


def _ordered(folder: Path, names: Sequence[str]) -> list[Path]:
    return [folder / name for _, name in sorted((number(name), name) for name in names)]


def _stem_of(path: Path) -> object:
    return path.stem


def _number_of(path: Path) -> object:
    return number(path.name)
