"""Predictions on disk: masks or maps from any method, in whatever form.

Conventions:
    A mask belongs to the video whose name is that of a folder above it, the nearest one, or the beginning of its own
    name; if only one video is selected, all masks may be its. `vosbench.evaluate.numbering` pairs it with a frame,
    `vosbench.evaluate.containers` reads folders and archives, `vosbench.evaluate.stacks` files with all masks of a
    video, and `vosbench.images.recognition` recognises the codec.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.dataset.fingerprint import Checksums
from vosbench.errors import DataError, counted
from vosbench.evaluate import containers, stacks
from vosbench.evaluate.containers import Container
from vosbench.evaluate.numbering import Numbering, agreed, match, of_annotated
from vosbench.images import files as images
from vosbench.images.codecs import codec as codec_of
from vosbench.images.recognition import Found, Look, Looks, recognise, same
from vosbench.metrics.packed import Packed

Read = TypeVar("Read", bound=Packed | NDArray[Any])
Reader = Callable[[Path | bytes, str, str, images.Check | None, images.Looker | None], Read]
CUTS = re.compile(r"[_\-. ]")


@dataclass(frozen=True, slots=True)
class Predictions:
    """The location of each frame's mask, and how it is read.

    Attributes:
        origin: the folder or file, as the user named it.
        files: video name → frame index → the file's path below the place, its name inside a zip, or its absolute path.
        codecs: video name → the codec that reads its masks.
        place: the folder or zip file that contains them; the origin by default.
        recognising: whether codecs are guesses, so that what the masks contain is recorded while they are read.
        notes: how names and numbers were read, one note a line.
    """

    origin: Path
    files: Mapping[str, Mapping[int, str]]
    codecs: Mapping[str, str]
    place: Path | None = None
    recognising: bool = False
    notes: tuple[str, ...] = ()

    @property
    def codec(self) -> str:
        """The codecs in use, separated by spaces."""
        return " ".join(sorted(set(self.codecs.values())))

    def first(self, frames: int) -> "Predictions":
        """The masks of the first frames of each video."""
        kept = {name: {t: file for t, file in files.items() if t < frames} for name, files in self.files.items()}
        return replace(self, files=kept)

    def only(self, video: str) -> "Predictions":
        """The masks of one video, which is what another process needs to know."""
        return replace(self, files={video: self.files[video]}, codecs={video: self.codecs[video]})

    def label(self, video: str, index: int) -> str:
        """Name one mask in an error message."""
        name = self.files[video][index]
        if name.startswith("/"):  # written out
            name = "/".join(PurePosixPath(name).parts[-2:])
        return f"{self.origin}:{name}"

    def read(self, video: str, indices: Iterable[int], reader: Reader[Read]) -> Iterator[Read]:
        """Read masks of a video in the given order; see `Reading.read`."""
        with self.opened(video) as masks:
            for index in indices:
                yield masks.read(index, reader)

    @contextmanager
    def opened(self, video: str) -> "Iterator[Reading]":
        """Open the masks of a video for reading."""
        with containers.opened(self.place or self.origin, self.origin) as container:
            yield Reading(self, video, container, Checksums(video))


@dataclass(frozen=True, slots=True)
class Reading:
    """The masks of a video, open for reading.

    Attributes:
        looks: what the masks that were read contain, if codecs are being recognised.
        content: a hash of the masks that were read.
    """

    predictions: Predictions
    video: str
    container: Container
    content: Checksums
    looks: Looks = field(default_factory=dict)

    def read(self, index: int, reader: Reader[Read], check: images.Check | None = None) -> Read:
        """Read the mask of a frame.

        Args:
            index: frame index.
            reader: the function that reads a mask, `vosbench.images.files.read_mask` or a similar one.
            check: called with the (height, width) that the file's header claims, before anything is decoded.

        Raises:
            DataError: if the file is corrupt or has another encoding.
        """
        name = self.predictions.files[self.video][index]
        source = Path(name) if Path(name).is_absolute() else self.container.read(name)
        look = self._look if self.predictions.recognising else None
        found = reader(
            source, self.predictions.codecs[self.video], self.predictions.label(self.video, index), check, look
        )
        self.content.add(index, found)
        return found

    def _look(self, look: Look, name: str) -> None:
        found = self.looks.get(look)
        self.looks[look] = Found(1, name) if found is None else Found(found.times + 1, found.example)


def find(
    origin: Path,
    videos: Sequence[Video],
    codec: str | None = None,
    numbering: Numbering = "auto",
    scratch: Path | None = None,
    *,
    alone: bool = False,
) -> Predictions:
    """Find the masks of a dataset's videos.

    Args:
        origin: a folder; a zip file, which is read without unpacking it; another archive, or a file of all masks.
        videos: the videos to find masks of; masks of other videos are ignored.
        codec: the codec that reads the masks; if None, it is guessed from one mask of each video, for `settled`.
        numbering: how numbers in names are read.
        scratch: a folder for what must be unpacked, which must exist until the masks are read.
        alone: whether nothing but the videos' annotations is known, so that masks of other frames are ignored.

    Raises:
        DataError: if these videos have no masks, or names are unsafe or ambiguous.
        UsageError: if the codec is unknown, or a package is needed that is not installed.
    """
    if codec is not None:
        codec_of(codec)
    place = origin if origin.is_dir() or scratch is None else containers.unpacked(origin, scratch)
    with containers.opened(place, origin) as container:
        names = container.names()
        found = _sort(names, videos, origin)
        if alone:
            _leave_out_others(found, videos, numbering)
        matched = {video.name: match(video, found.images.get(video.name, ()), numbering) for video in videos}
        paths, notes = agreed(matched)
        files = {video: {index: names[path] for index, path in of.items()} for video, of in paths.items()}
        for video in videos:
            if not files[video.name] and video.name in found.stacks and scratch is not None:
                files[video.name] = _write_out(container, found.stacks[video.name], names, video, origin, scratch)
        listed = [path for path in names if path.suffix.lower() == ".json"]
        if not any(files.values()) and len(listed) == 1 and scratch is not None:
            file = container.file(names[listed[0]], scratch)
            files, notes = _of_runs(file, listed[0], videos, numbering, scratch)
        if not any(files.values()):
            raise DataError(_nothing(origin, names, videos))
    moving = {found.stacks[video.name].suffix.lower() for video in videos if video.name in found.stacks}
    if moving - {".npy", ".npz"}:
        notes.append("masks are decoded from video files, whose compression changes numbers")
    return located(origin, files, codec, place, (*found.notes, *notes))


def located(
    origin: Path,
    files: Mapping[str, Mapping[int, str]],
    codec: str | None,
    place: Path | None = None,
    notes: tuple[str, ...] = (),
) -> Predictions:
    """Make predictions from known files.

    Args:
        origin: the folder or file, as the user named it.
        files: as in `Predictions`.
        codec: the codec that reads the masks; if None, it is guessed from one mask of each video.
        place: as in `Predictions`.
        notes: as in `Predictions`.
    """
    if codec is not None:
        return Predictions(origin, files, dict.fromkeys(files, codec), place, notes=notes)
    unread = Predictions(origin, files, dict.fromkeys(files, "map"), place, recognising=True, notes=notes)
    looks = {video: _first_look(unread, video) for video in files}
    try:
        guess = recognise(looks, str(origin))
    except DataError:  # all masks may tell more than the first ones, or the same
        guess = unread.codecs
    return replace(unread, codecs=guess)


def _first_look(predictions: Predictions, video: str) -> Looks:
    """What the first mask of a video that is not empty contains."""
    with predictions.opened(video) as reading:
        for index in predictions.files[video]:
            if reading.read(index, images.read_packed).any() or any(look.high for look in reading.looks):
                break
        return reading.looks


def settled(
    predictions: Predictions, looks: Mapping[str, Looks], *, soft: bool = False
) -> tuple[Predictions, list[str]]:
    """The predictions with the codecs that all of their masks tell, and the videos that the guess had read otherwise.

    Args:
        predictions: those that were read while their codecs were being recognised.
        looks: video → what its masks contain.
        soft: whether soft maps are scored as such.

    Raises:
        DataError: if the masks do not tell their codec.
    """
    found = recognise(looks, str(predictions.origin), soft=soft)
    codecs = {video: found.get(video, guess) for video, guess in predictions.codecs.items()}
    changed = [video for video, of in looks.items() if not same(predictions.codecs[video], codecs[video], of)]
    return replace(predictions, codecs=codecs), changed


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Files by video: images, and a file with all masks; those of no video; and notes."""

    images: dict[str, list[PurePosixPath]] = field(default_factory=dict)
    stacks: dict[str, PurePosixPath] = field(default_factory=dict)
    strays: list[PurePosixPath] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _sort(names: Mapping[PurePosixPath, str], videos: Sequence[Video], origin: Path) -> _Sorted:
    """Tell which files belong to which video."""
    known = {video.name: video.name for video in videos}
    known |= {name.casefold(): name for name in known if name.casefold() not in known}
    spelled: dict[str, list[str]] = {}
    for name in [video.name for video in videos]:
        spelled.setdefault(_plain(name), []).append(name)
    known |= {plain: names[0] for plain, names in spelled.items() if len(names) == 1 and plain not in known}
    single = {video.name for video in videos if len(video) == 1}
    found = _Sorted()
    above = cache(partial(_above, known=known))
    for path in sorted(names, key=lambda path: path.parts):
        if path.suffix.lower() in containers.IMAGES:
            video = above(path.parts[:-1]) or _before(path.stem, known, single)
            (found.strays if video is None else found.images.setdefault(video, [])).append(path)
        elif path.suffix.lower() in containers.STACKS:
            video = _known(path.stem, known) or above(path.parts[:-1])
            if video is None:
                found.strays.append(path)
            elif video in found.stacks:
                one = found.stacks[video]
                raise DataError(f'"{video}" has two files with all masks, "{one}" and "{path}"; keep one')
            else:
                found.stacks[video] = path
    if not found.images and not found.stacks and len(videos) == 1:
        _give_all(found, videos[0].name, origin)
    for video, paths in found.images.items():
        first = next(kind for kind in KINDS.values() if any(_kind(path) == kind for path in paths))
        other = next((path for path in paths if _kind(path) != first), None)
        if other is not None:
            found.notes.append(f'"{video}" has {first} files and others, such as "{other}"; only {first} files count')
            found.images[video] = [path for path in paths if _kind(path) == first]
    return found


def _give_all(found: _Sorted, video: str, origin: Path) -> None:
    """Give files that are named after no video to the only one that is selected, unless they may be another's."""
    shown = [path for path in found.strays if path.suffix.lower() in containers.IMAGES]
    if shown:
        parents = {path.parent for path in shown}
        if len(parents) > 1 or next(iter(parents)).name not in {"", origin.stem}:
            return
        found.images[video] = shown
    elif len(found.strays) == 1:
        found.stacks[video] = found.strays[0]
    else:
        return
    found.notes.append(f'no file or folder is named after "{video}", the only video to score; all masks are its')


def _leave_out_others(found: _Sorted, videos: Sequence[Video], numbering: Numbering) -> None:
    """Leave out the masks of frames that have no annotation."""
    left = []
    for video in videos:
        paths = found.images.get(video.name, [])
        kept = of_annotated(video, paths, numbering)
        left += [path for path in paths if path not in kept]
        if paths:
            found.images[video.name] = [*kept]
    if left:
        found.notes.append(
            f'{counted(len(left), "mask")} without an annotation of that name, such as "{left[0]}", '
            f"{'is' if len(left) == 1 else 'are'} not scored"
        )


KINDS = {
    ".png": "PNG",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    **dict.fromkeys((".pgm", ".ppm", ".pbm", ".pnm"), "PGM"),
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
}
"""Kinds of images; if a video has several, only the first counts."""


def _kind(path: PurePosixPath) -> str:
    return KINDS[path.suffix.lower()]


def _known(name: str, known: Mapping[str, str]) -> str | None:
    return known.get(name) or known.get(name.casefold()) or (known.get(_plain(name)) if name[:1].isalpha() else None)


def _plain(name: str) -> str:
    """A name without signs between its parts: copies of datasets call ``select_0616_1`` ``select0616-1``."""
    return CUTS.sub("", name.casefold())


def _above(folders: Sequence[str], known: Mapping[str, str]) -> str | None:
    """The video that a folder above a file is named after, or two folders in a row, such as ``cow/01`` for cow_01."""
    for end in range(len(folders), 0, -1):
        for names in ((folders[end - 1],), folders[max(end - 2, 0) : end]):
            video = _known("_".join(names), known)
            if video is not None:
                return video
    return None


def _before(stem: str, known: Mapping[str, str], single: set[str]) -> str | None:
    """The video with whose name a file's name begins."""
    video = _known(stem, known)
    if video in single:
        return video
    for cut in reversed(list(CUTS.finditer(stem))):
        video = _known(stem[: cut.start()], known)
        if video is not None:
            return video
    return None


def _write_out(
    container: Container,
    path: PurePosixPath,
    names: Mapping[PurePosixPath, str],
    video: Video,
    origin: Path,
    scratch: Path,
) -> dict[int, str]:
    folder = scratch / f"videos/{video.name}"
    folder.mkdir(parents=True, exist_ok=True)
    label = str(origin) if origin.name == str(path) else f"{origin}:{path}"
    written = stacks.write_out(container.file(names[path], scratch), label, len(video), folder)
    return {index: str(file) for index, file in written.items()}


def _of_runs(
    file: Path, path: PurePosixPath, videos: Sequence[Video], numbering: Numbering, scratch: Path
) -> tuple[dict[str, dict[int, str]], list[str]]:
    """The masks of a JSON file of run lengths; those of frames are written out."""
    runs = stacks.read_runs(file, str(path))
    known = {PurePosixPath(name).name: name for name in runs} | {name: name for name in runs}
    named = {
        video.name: {
            PurePosixPath(video.name, frame): objects
            for frame, objects in runs.get(known.get(video.name, ""), {}).items()
        }
        for video in videos
    }
    found, notes = agreed({video.name: match(video, list(named[video.name]), numbering) for video in videos})
    files: dict[str, dict[int, str]] = {}
    for name, paths in found.items():
        frames = {index: named[name][frame] for index, frame in paths.items()}
        written = stacks.write_runs(frames, str(path), scratch / f"videos/{name}")
        files[name] = {index: str(image) for index, image in written.items()}
    return files, notes


def _nothing(origin: Path, names: Mapping[PurePosixPath, str], videos: Sequence[Video]) -> str:
    selected = ", ".join(f'"{video.name}"' for video in videos[:3]) + (", …" if len(videos) > 3 else "")
    what = f"the {len(videos)} selected videos" if len(videos) > 1 else "the selected video"
    shown = list(dict.fromkeys(str(path.parent) if str(path.parent) != "." else path.name for path in names))
    contents = ", ".join(f'"{name}"' for name in shown[:3]) or "no images"
    return (
        f'"{origin}" has no masks of {what} ({selected}); it contains {contents}. '
        "Is it for another dataset? Masks should be named <video>/<frame>.png"
    )
