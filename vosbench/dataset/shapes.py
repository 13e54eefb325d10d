"""The shapes of datasets that are just folders: recognise one from the names of its folders.

Conventions:
    Only names are read. Folders of frames and masks are called as in `vosbench.dataset.shared_layouts`, in any case.

    ==============  =================================================================================================
    ``videos``      ``JPEGImages/<video>`` and ``Annotations/<video>``, or with a level, as ``JPEGImages/480p/<video>``
    ``per-video``   ``<video>/Imgs`` and ``<video>/GT``; frames may also be in ``<video>`` itself, next to a folder of
                    masks or next to the masks
    ``one-video``   ``frames`` and ``masks``; frames may also be in the folder itself, likewise
    ``stills``      ``images`` and ``masks``: each image is a video of one frame
    ``masks``       masks alone, of one video or in a folder for each; for ``vosbench score --gt``
    ==============  =================================================================================================
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vosbench.dataset.description import FILE, VIDEO, Description
from vosbench.dataset.folders import Folders
from vosbench.dataset.layout import FRAME_SUFFIXES, MASK_SUFFIXES
from vosbench.dataset.shared_layouts import FRAME_FOLDERS, MASK_FOLDERS
from vosbench.errors import DataError, UsageError

VIDEOS, PER_VIDEO, ONE_VIDEO, STILLS, MASKS = "videos", "per-video", "one-video", "stills", "masks"
SHAPES = (VIDEOS, PER_VIDEO, ONE_VIDEO, STILLS)
OF_STILLS, OF_VIDEO = ("images", "image", "imgs", "img"), ("frames", "frame")
"""Folders of frames that tell stills from a video; others do not."""
GROUPS = ("images", "image")
"""Folders of frames that a folder of stills has, too; so ``<name>/images`` is not taken for a video."""
MOST_TRIED = 100
"""Folders in which another dataset is looked for, to suggest it."""


class Place(NamedTuple):
    """The folders of a video's frames and masks; None if it has none."""

    frames: Path | None
    masks: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One way to read a folder.

    Attributes:
        root: the folder.
        layout: its shape.
        where: the folders, in words.
        videos: name → its folders; of stills, a single entry for all.
    """

    root: Path
    layout: str
    where: str
    videos: Mapping[str, Place]


def find_tree(root: Path, description: Description, layout: str | None, *, masks: bool = False) -> Tree:
    """Find the shape of a folder.

    Args:
        root: the folder.
        description: may name the layout, or where frames and annotations are.
        layout: the layout that was asked for.
        masks: whether masks alone may be what the folder is.

    Raises:
        DataError: if no shape fits, or several; the message says what was found.
        UsageError: if the layout is unknown.
    """
    known = (*SHAPES, *((MASKS,) if masks else ()))
    if layout is not None and layout not in known:
        raise UsageError(f'a folder has no layout "{layout}"; available: {", ".join(known)}')
    if not root.is_dir():
        raise DataError(f'"{root}" is not a folder')
    folders = Folders()
    if description.annotations is not None:
        return _described(root, folders, description, layout)
    wanted = layout or description.layout
    found = [tree for tree in _trees(root, folders, wanted) if wanted in {None, tree.layout}]
    if masks and not found and wanted in {None, MASKS}:
        found = _of_masks(root, folders)
    if len(found) > 1:
        several = "; ".join(f"{tree.layout} ({tree.where})" for tree in found[:4])
        advice = "choose one with --layout"
        if len({tree.layout for tree in found}) < len(found):
            advice = f'name the folders in "{FILE}", such as "annotations: Annotations/480p/{VIDEO}"'
        raise DataError(f'"{root}" can be read in several ways: {several}; {advice}')
    if not found:
        raise DataError(_nothing(root, folders, wanted, masks=masks))
    return found[0]


def _trees(root: Path, folders: Folders, wanted: str | None) -> list[Tree]:
    return [
        *_by_kind(root, folders),
        *_per_video(root, folders, grouped=wanted == PER_VIDEO),
        *_flat(root, folders, wanted),
    ]


def _by_kind(root: Path, folders: Folders) -> Iterator[Tree]:
    """Frames of all videos in one folder, masks in another; on several levels, those that both have."""
    parts = [
        {parent: videos for folder in _named(root, names, folders) for parent, videos in _parents(folder, folders)}
        for names in (FRAME_FOLDERS, MASK_FOLDERS)
    ]
    pairs: list[tuple[Path | None, Path]] = [(one, other) for one in parts[0] for other in parts[1]]
    level = {parent: parent.relative_to(root).parts[1:] for part in parts for parent in part}
    same = [pair for pair in pairs if pair[0] is not None and level[pair[0]] == level[pair[1]]]
    for one, other in same or pairs or [(None, other) for other in parts[1]]:
        names = {*(parts[0][one] if one else ()), *parts[1][other]}
        place = Place(one, other)
        videos = {
            name: Place(
                one / name if one is not None and name in parts[0][one] else None,
                other / name if name in parts[1][other] else None,
            )
            for name in names
        }
        yield Tree(root=root, layout=VIDEOS, where=_words(root, place), videos=videos)


def _per_video(root: Path, folders: Folders, *, grouped: bool) -> Iterator[Tree]:
    """A folder for each video, with its frames and masks."""
    videos = {}
    for name in _children(root, folders):
        if name.lower() in (*FRAME_FOLDERS, *MASK_FOLDERS):
            continue
        place = _unit(root / name, folders)
        if place is not None and (grouped or place.frames is None or place.frames.name.lower() not in GROUPS):
            videos[name] = place
    if any(place.masks for place in videos.values()):
        first = next(name for name in sorted(videos) if videos[name].masks)
        yield Tree(root=root, layout=PER_VIDEO, where=_words(root, videos[first]), videos=videos)


def _flat(root: Path, folders: Folders, wanted: str | None) -> Iterator[Tree]:
    """Frames and masks without folders of videos: the frames of one, or stills."""
    place = _unit(root, folders)
    if place is None or place.masks is None:
        return
    called = place.frames.name.lower() if place.frames not in {None, root} else OF_VIDEO[0]
    for layout, others in ((ONE_VIDEO, OF_STILLS), (STILLS, OF_VIDEO)):
        if wanted == layout or called not in others:
            yield Tree(root=root, layout=layout, where=_words(root, place), videos={"": place})


def _of_masks(root: Path, folders: Folders) -> list[Tree]:
    flat = (
        [Tree(root=root, layout=MASKS, where="masks", videos={"": Place(None, root)})]
        if any(images_of(root, folders))
        else []
    )
    nested = [
        Tree(
            root=root,
            layout=MASKS,
            where=f'masks in folders of "{parent.name}"',
            videos={name: Place(None, parent / name) for name in names},
        )
        for parent, names in _parents(root, folders)
    ]
    if flat and nested:
        raise DataError(f'"{root}" contains both masks and folders of masks; keep one of the two')
    return flat or nested


def _unit(folder: Path, folders: Folders) -> Place | None:
    """Where the frames and the masks of one video are; None if there are neither."""
    both = [
        [each for each in _named(folder, names, folders) if any(images_of(each, folders))]
        for names in (FRAME_FOLDERS, MASK_FOLDERS)
    ]
    for what, several in zip(("frames", "masks"), both, strict=True):
        if len(several) > 1:
            listed = " and ".join(each.name for each in several)
            raise DataError(f'"{folder}" has {what} in {listed}; name the folders in "{FILE}" of the dataset')
    frames, masks = (several[0] if several else None for several in both)
    if frames is None and any(images_of(folder, folders)):
        frames = folder
        if masks is None and beside(folder, folders) is not None:
            masks = folder
    return None if frames is None and masks is None else Place(frames, masks)


def beside(folder: Path, folders: Folders) -> tuple[list[str], list[str]] | None:
    """Frames and masks in one folder: files of two kinds, of which each mask has the name of a frame."""
    kinds = kinds_of(images_of(folder, folders))
    if len(kinds) != 2:
        return None
    frames = next(kinds[suffix] for suffix in FRAME_SUFFIXES if suffix in kinds)
    masks = next(kind for kind in kinds.values() if kind is not frames)
    stems = {_stem(name) for name in frames}
    return (frames, masks) if all(_stem(name) in stems for name in masks) else None


def _described(root: Path, folders: Folders, description: Description, layout: str | None) -> Tree:
    """The tree whose folders the description names."""
    patterns = description.frames, description.annotations
    wanted = layout or description.layout
    found = [_matches(root, folders, pattern) if pattern else {} for pattern in patterns]
    flat = VIDEO not in str(description.annotations)
    shape = wanted or (ONE_VIDEO if flat else VIDEOS)
    if flat != (shape in {ONE_VIDEO, STILLS}):
        raise DataError(f'"{root / FILE}" names folders that layout "{shape}" does not have')
    if not found[1]:
        raise DataError(f'"{root}" has no masks in "{description.annotations}", which "{FILE}" names')
    if description.frames and not found[0]:
        raise DataError(f'"{root}" has no frames in "{description.frames}", which "{FILE}" names')
    names = dict.fromkeys([*found[0], *found[1]])
    videos = {name: Place(found[0].get(name), found[1].get(name)) for name in names}
    return Tree(root=root, layout=shape, where=" and ".join(filter(None, patterns)), videos=videos)


def _matches(root: Path, folders: Folders, pattern: str) -> dict[str, Path]:
    """Video → the folder with images that a pattern describes; the name is empty if the pattern has none."""
    before, video, after = pattern.partition(VIDEO)
    found: dict[str, Path] = {}
    for base in folders.find(root, before):
        for name in _children(base, folders) if video else ("",):
            for folder in folders.find(base / name, after):
                if any(images_of(folder, folders)) and found.setdefault(name, folder) != folder:
                    raise DataError(f'"{root}": "{pattern}" is both "{found[name]}" and "{folder}"; keep one')
    return found


def _nothing(root: Path, folders: Folders, wanted: str | None, *, masks: bool) -> str:
    names = list(folders.entries(root))
    there = ", ".join(sorted(names)[:6]) + (", …" if len(names) > 6 else "") if names else "nothing"
    if wanted is not None:
        return f'"{root}" does not have the layout "{wanted}": it contains {there}'
    inside = [name for name in _children(root, folders)[:MOST_TRIED] if _trees_or_none(root / name)]
    if inside:
        return f'"{root}" is not a dataset, but contains one: pass "{root / inside[0]}" instead'
    if masks:
        return f'"{root}" contains no images; pass a folder of masks, or a folder of such folders'
    return (
        f'"{root}" is not a dataset of a known shape: it contains {there}, but Annotations/<video> with '
        "JPEGImages/<video>, <video>/GT with <video>/Imgs, or masks with frames or images are needed"
    )


def _trees_or_none(folder: Path) -> list[Tree]:
    try:
        return _trees(folder, Folders(), None)
    except DataError:
        return []


def _words(root: Path, place: Place) -> str:
    named = [str(each.relative_to(root)) for each in dict.fromkeys(place) if each is not None]
    return " and ".join("the folder itself" if each == "." else each for each in named)


def _children(folder: Path, folders: Folders) -> list[str]:
    return sorted(name for name, is_folder in folders.entries(folder).items() if is_folder)


def _named(folder: Path, names: Sequence[str], folders: Folders) -> list[Path]:
    return [folder / name for name in _children(folder, folders) if name.lower() in names]


def _parents(folder: Path, folders: Folders) -> list[tuple[Path, list[str]]]:
    """The folder that has folders of images, or otherwise those in it that do; and the names of these."""
    levels = [folder / name for name in _children(folder, folders)]
    found = [
        (place, [name for name in _children(place, folders) if any(images_of(place / name, folders))])
        for place in (folder, *levels)
    ]
    found = [(place, names) for place, names in found if names]
    return found[:1] if found and found[0][0] == folder else found


def images_of(folder: Path, folders: Folders) -> Iterator[str]:
    """Names of the images in a folder."""
    return (name for name in folders.files(folder) if Path(name).suffix.lower() in MASK_SUFFIXES)


def kinds_of(names: Iterator[str]) -> dict[str, list[str]]:
    """Suffix → names; ``.jpeg`` is ``.jpg``."""
    found: dict[str, list[str]] = {}
    for name in names:
        suffix = Path(name).suffix.lower()
        found.setdefault(".jpg" if suffix == ".jpeg" else suffix, []).append(name)
    return found


def _stem(name: str) -> str:
    return Path(name).stem
