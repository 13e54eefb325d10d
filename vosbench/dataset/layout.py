"""Folder layouts of datasets: recognise one and collect its videos.

Conventions:
    Only names are read; no file is opened.
    Frames and annotations are paired by name, never by order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from vosbench.dataset.dataset import Listed, VideoFinder
from vosbench.dataset.flow import beside_frames
from vosbench.dataset.folders import Folders, files_of
from vosbench.dataset.stand_ins import markers_of_annotations, number, stand_ins
from vosbench.dataset.video import Video
from vosbench.errors import DataError, UsageError
from vosbench.images.annotations import Annotation

# Only the first suffix that a folder contains counts: ``a.png`` next to the frame ``a.jpg`` is its mask.
FRAME_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".ppm")
MASK_SUFFIXES = (".png", ".bmp", ".pgm", ".ppm", ".jpg", ".jpeg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a dataset's files are below its root.

    Paths are patterns of `Folders`: ``*`` matches anything, ``|`` separates alternatives, case is ignored.

    Attributes:
        name: the name for ``--layout`` and in records.
        frames: folder of a video's frames, with ``{video}`` for its name; if videos share a folder,
            ``folder/{video}_{frame}`` with ``{frame}`` for digits.
        annotations: its annotations, likewise; empty if the layout has none.
        objects: folders of a video, each with the masks of one object; they count if `annotations` has no files.
        codec: how to read annotations; or suffix → codec, of which the first suffix that exists counts.
        markers: paths that must all exist below the root.
        without: paths of other layouts, none of which may exist.
        below: folders below the root that may contain the tree; ``""`` is the root itself.
        pair: whether frames and annotations share their ``"stem"``, or the last ``"number"`` in their names.
        names: listed name of a video → its name on disk.
        ignored: pattern of files that are not annotations.
        labelled_only: whether some copies contain only the annotated frames.
        forced: whether the layout is never recognised, only selected with ``--layout``.
    """

    name: str
    frames: str
    annotations: str
    codec: str | Mapping[str, str]
    markers: tuple[str, ...]
    without: tuple[str, ...] = ()
    below: tuple[str, ...] = ("",)
    pair: Literal["stem", "number"] = "stem"
    names: Callable[[str], str] = str
    ignored: str = ""
    labelled_only: bool = False
    forced: bool = False
    objects: str = ""

    def place(self, root: Path, folders: Folders) -> str | None:
        """The folder of `below` that has this layout's markers; None if there is none."""

        def there(below: str, pattern: str) -> bool:
            return any(any(folders.find(base, pattern)) for base in folders.find(root, below))

        for below in self.below:
            foreign = any(there(below, pattern) for pattern in self.without)
            if not foreign and all(there(below, pattern) for pattern in self.markers):
                return below
        return None

    def without_frames(self) -> "Layout":
        """The layout of a copy that has only the annotations."""
        return replace(self, markers=markers_of_annotations(self.markers, self.frames, self.annotations))


def recognise(root: Path, layouts: Sequence[Layout], title: str, forced: str | None = None) -> Layout:
    """Find the layout of a root.

    Args:
        root: the dataset's folder.
        layouts: the dataset's layouts.
        title: the dataset's title, for errors.
        forced: name of the layout to use, whatever the markers.

    Returns:
        the layout, its ``below`` narrowed to the folder of the tree; if no layout fits as a whole, the one that the
        annotations fit without their frames.

    Raises:
        DataError: if no layout fits, or more than one.
        UsageError: if the forced one is unknown.
    """
    known = {layout.name: layout for layout in layouts}
    if forced is not None and forced not in known:
        raise UsageError(f'{title} has no layout "{forced}"; available: {", ".join(known)}')
    if not root.is_dir():
        raise DataError(f'the root "{root}" is not a folder; pass the folder that contains {title} with --root')
    folders = Folders()
    if forced is not None:
        whole = replace(known[forced], without=())
        place = whole.place(root, folders) or whole.without_frames().place(root, folders)
        return replace(known[forced], below=(place or known[forced].below[0],))
    usual = [layout for layout in layouts if not layout.forced]
    alone = [layout.without_frames() for layout in usual if layout.annotations != layout.frames]
    fits = _fitting(root, folders, usual) or _fitting(root, folders, [layout for layout in alone if layout.markers])
    if len(fits) > 1:
        raise DataError(
            f'"{root}" looks like {" and ".join(layout.name for layout in fits)} at once; choose one with --layout'
        )
    if not fits:
        there = ", ".join(sorted(folders.entries(root))[:6]) or "nothing"
        wanted = "; or ".join(f"{' and '.join(layout.markers)} ({layout.name})" for layout in layouts[:3])
        more = f"; or one of {len(layouts) - 3} more layouts, see its card" if len(layouts) > 3 else ""
        raise DataError(f'"{root}" is not {title}: it contains {there}, but {wanted}{more} is needed')
    return fits[0]


def _fitting(root: Path, folders: Folders, layouts: Sequence[Layout]) -> list[Layout]:
    places = [(layout, layout.place(root, folders)) for layout in layouts]
    return [replace(layout, below=(place,)) for layout, place in places if place is not None]


def collect(root: Path, layout: Layout, listing: Mapping[str, Listed]) -> list[Video]:
    """Collect the listed videos whose frames exist, in list order, without decoding anything.

    If no video has frames, those whose annotations suffice; see `vosbench.dataset.stand_ins`.

    Args:
        root: the dataset's folder.
        layout: the layout, as `recognise` returns it.
        listing: the videos to look for.

    Raises:
        DataError: if there are only annotations, and the list does not tell which frames they are of.
    """
    folders = Folders()
    base = next(folders.find(root, layout.below[0]), root)
    videos: list[Video] = []
    masks: dict[str, list[list[Path]]] = {}
    for name, listed in listing.items():
        called = layout.names(name)
        frames = tuple(_of_first_kind(files_of(folders, base, layout.frames, called), FRAME_SUFFIXES))
        masks[name] = _masks(folders, base, layout, called)
        if frames:
            video = _video(name, listed, layout, frames, *_annotations(frames, masks[name], layout, listed))
            videos.append(replace(video, flow=beside_frames(base, layout.frames, called, frames, folders)))
    if videos or not any(files for parts in masks.values() for files in parts):
        return videos
    for name, listed in listing.items():
        folder = base / layout.frames.partition("|")[0].format(video=layout.names(name), frame="")
        standing = [_standing(files, listed, layout, folder) for files in masks[name]]
        frames, _, codec = standing[0] if standing else ((), {}, "")
        if frames and all(each == frames for each, _, _ in standing):
            annotations = _joined([each for _, each, _ in standing])
            videos.append(replace(_video(name, listed, layout, frames, annotations, codec), frameless=True))
    if not videos:
        raise DataError(
            f'"{root}" contains annotations but no frames in layout "{layout.name}", and the list does not tell which '
            "frames they are of; copy the frames too"
        )
    return videos


def _standing(
    masks: Sequence[Path], listed: Listed, layout: Layout, folder: Path
) -> tuple[tuple[Path, ...], Mapping[int, Path], str]:
    """The frames that annotations are of, frame index → annotation, and their codec."""
    for kind, codec in _kinds(masks, layout):
        whole, some = layout.pair == "stem", layout.labelled_only
        frames, annotations = stand_ins(kind, listed, folder, whole=whole, labelled_only=some)
        if frames:
            return frames, annotations, codec
    return (), {}, ""


def _video(
    name: str,
    listed: Listed,
    layout: Layout,
    frames: tuple[Path, ...],
    annotations: Mapping[int, Annotation],
    codec: str,
) -> Video:
    return Video(
        name=name,
        frames=frames,
        annotations=annotations,
        codec=codec,
        category=listed.category,
        layout=layout.name,
        labelled_only=layout.labelled_only and len(annotations) == len(frames),
    )


def names_there(root: Path, layout: Layout) -> list[str]:
    """The names of the videos that have frames in a layout, sorted, for splits without a list.

    Args:
        root: the dataset's folder.
        layout: the layout, as `recognise` returns it.
    """
    folders, found = Folders(), set[str]()
    base = next(folders.find(root, layout.below[0]), root)
    for option in layout.frames.split("|"):
        parts = option.split("/")
        flat = "{frame}" in parts[-1]
        for folder in folders.find(base, "/".join(parts[:-1] if flat else parts).replace("{video}", "*")):
            images = [name for name in folders.files(folder) if Path(name).suffix.lower() in FRAME_SUFFIXES]
            if flat:
                found |= {name.rpartition("_")[0] for name in images}
            elif images:
                found.add(folder.parts[parts.index("{video}") - len(parts)])
    return sorted(found)


def pairs(root: Path, layout: Layout) -> list[Video]:
    """Collect the images of a set without videos: each is a video of one frame, named after its stem, in name order.

    Raises:
        DataError: if an image has no mask, or a mask no image.
    """
    folders = Folders()
    base = next(folders.find(root, layout.below[0]), root)
    images = {path.stem: path for path in _of_first_kind(sorted(_all(folders, base, layout.frames)), FRAME_SUFFIXES)}
    used = {next(iter(images.values())).suffix} if images and layout.annotations == layout.frames else set()
    masks = _of_first_kind(
        (path for path in _all(folders, base, layout.annotations) if path.suffix not in used), MASK_SUFFIXES
    )
    annotations = {path.stem: path for path in masks}
    alone = sorted(images.keys() ^ annotations.keys())
    if alone:
        what = "image without a mask" if alone[0] in images else "mask without an image"
        raise DataError(f'"{root}" is incomplete: "{alone[0]}" is an {what}, one of {len(alone)}')
    codec = str(layout.codec)
    return [
        Video(name=stem, frames=(path,), annotations={0: annotations[stem]}, codec=codec, layout=layout.name)
        for stem, path in images.items()
    ]


def image_finder(layouts: Sequence[Layout], title: str) -> VideoFinder:
    """The finder of a set of images with one split: `pairs` in the recognised layout."""

    def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
        del split
        return pairs(root, recognise(root, layouts, title, layout))

    return videos


def _all(folders: Folders, base: Path, place: str) -> list[Path]:
    return [folder / name for folder in folders.find(base, place) for name in folders.files(folder)]


def _masks(folders: Folders, base: Path, layout: Layout, video: str) -> list[list[Path]]:
    """A video's annotations; if each object has its own, a list for each."""
    found = [files_of(folders, base, layout.annotations, video)]
    if layout.objects and not any(path.suffix.lower() in MASK_SUFFIXES for path in found[0]):
        found = [
            [folder / name for _, name in sorted((number(name), name) for name in folders.files(folder))]
            for folder in folders.find(base, layout.objects.format(video=video))
        ]
    ignored = layout.ignored
    return [[path for path in masks if not (ignored and fnmatchcase(path.name.lower(), ignored))] for masks in found]


def _of_first_kind(paths: Iterable[Path], suffixes: Iterable[str]) -> list[Path]:
    kinds: dict[str, list[Path]] = {suffix: [] for suffix in suffixes}
    for path in paths:
        kinds.get(path.suffix.lower(), []).append(path)
    return next((kind for kind in kinds.values() if kind), [])


def _annotations(
    frames: Sequence[Path], masks: Sequence[Sequence[Path]], layout: Layout, listed: Listed
) -> tuple[Mapping[int, Annotation], str]:
    """Frame index → annotation, of the first suffix that exists, for each object; and the codec."""
    codec = _kinds((), layout)[0][1]
    parts: list[dict[int, Path]] = []
    for files in masks:
        parts.append({})
        for kind, known in _kinds(files, layout):
            paired = _by_stem(frames, kind) if layout.pair == "stem" else _by_number(frames, kind, listed)
            if paired:
                parts[-1], codec = paired, known
                break
    return _joined(parts), codec


def _joined(parts: Sequence[Mapping[int, Path]]) -> Mapping[int, Annotation]:
    """One annotation of all objects, for the frames in which each of them has one."""
    if len(parts) < 2:
        return parts[0] if parts else {}
    return {t: tuple(part[t] for part in parts) for t in sorted(parts[0]) if all(t in part for part in parts)}


def _kinds(masks: Sequence[Path], layout: Layout) -> list[tuple[list[Path], str]]:
    """The annotations of each suffix, and their codec."""
    codecs = dict.fromkeys(MASK_SUFFIXES, layout.codec) if isinstance(layout.codec, str) else layout.codec
    return [([path for path in masks if path.suffix.lower() == suffix], codec) for suffix, codec in codecs.items()]


def _by_stem(frames: Sequence[Path], masks: Sequence[Path]) -> dict[int, Path]:
    index = {path.stem: position for position, path in enumerate(frames)}
    return {index[path.stem]: path for path in masks if path.stem in index}


def _by_number(frames: Sequence[Path], masks: Sequence[Path], listed: Listed) -> dict[int, Path]:
    """Pair by number; if a copy renumbered only the frames, by the shift that agrees with the list."""
    index = {number(path.name): position for position, path in enumerate(frames)}
    numbers = [number(path.name) for path in masks]
    same = {index[found]: path for found, path in zip(numbers, masks, strict=True) if found in index}
    if listed.annotated and masks and set(same) != set(listed.annotated):
        shift = listed.annotated[0] - min(numbers)
        moved = {found + shift: path for found, path in zip(numbers, masks, strict=True)}
        if set(moved) == set(listed.annotated) and len(frames) == listed.frames:
            return moved
    return same
