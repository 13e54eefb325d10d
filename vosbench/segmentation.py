"""Segment any video: a mask for each frame, and an overlay to look at.

Conventions:
    The masks of ``cow.mp4``, or of a folder of images ``cow``, are ``<out>/cow/<frame>.png``. Frames of a video file
    are numbered from 0, those of a folder keep their names. Masks have the size of the frames as they are shown.
    A card next to the masks lists what they depend on, so that the same command resumes, and another one is refused.
    Frames are decoded when a method asks for them, so that a long video fills neither memory nor disk; see
    `vosbench.images.unrolled`. What a method remembers of a video comes on top.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from vosbench.dataset import Video
from vosbench.dataset.layout import FRAME_SUFFIXES
from vosbench.dataset.stand_ins import number
from vosbench.engine.locks import locked, scratch
from vosbench.engine.threads import computing
from vosbench.errors import DataError, UsageError, VideoError, counted, extras_needed
from vosbench.files import combined, hidden, sha256, sweep
from vosbench.images import films, read_frame, size
from vosbench.images.files import read_levels
from vosbench.images.films import Film, Frame
from vosbench.images.overlay import tinted
from vosbench.images.unrolled import Unrolled, names
from vosbench.method import Method, Setup, flow
from vosbench.method.loading import loaded
from vosbench.method.masks import masks_of
from vosbench.method.predict import STATE, write_maps
from vosbench.method.resume import card_of, open_folder, read_card, write_card

CARD = ".segment.json"
IMAGE_SUFFIXES = (*FRAME_SUFFIXES, ".tif", ".tiff")
OVERLAY = ".mp4"
STILLS_RATE = Fraction(25)
"""Frames per second of the overlay of a folder."""
Advance = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Segmented:
    """The masks of a video.

    Attributes:
        name: of the video.
        folder: of the masks.
        frames: number of masks.
        overlay: the overlay; None if none was wanted.
    """

    name: str
    folder: Path
    frames: int
    overlay: Path | None


@dataclass(frozen=True, slots=True)
class Job:
    """A video to segment; see `plan`.

    Attributes:
        path: a video file, an image, or a folder of images.
        name: of the video.
        folder: of the masks.
        overlay: the overlay, or None.
        images: the frames; none if it is a video file.
        film: how long each frame is shown, and their size.
    """

    path: Path
    name: str
    folder: Path
    overlay: Path | None
    images: tuple[Path, ...]
    film: Film

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.film.times)

    @property
    def masks(self) -> list[Path]:
        """The file of each mask."""
        stems = [path.stem for path in self.images] or names(self.frames)
        return [self.folder / f"{stem}.png" for stem in stems]


def plan(videos: Sequence[Path], out: Path, overlay: Path | None, advance: Advance) -> list[Job]:
    """Find out what to do, and look through all videos, so that mistakes are known before anything is computed.

    Args:
        videos: video files, images, and folders of images.
        out: the folder for folders of masks.
        overlay: the file of the overlay of a single video, or a folder for overlays; None for no overlays.
        advance: called with what is looked at, how many frames were, and how many there are; 0 if that is not known.

    Raises:
        UsageError: if masks or overlays of two videos, or masks and frames, would be in one place.
        DataError: if a video does not exist or cannot be decoded to its end.
    """
    if not videos:
        raise UsageError("name at least one video")
    single = overlay is not None and overlay.suffix != "" and not overlay.is_dir()
    if overlay is not None and single:
        films.check_writable(overlay)
        if len(videos) > 1:
            raise UsageError(f'"{overlay}" cannot be the overlay of {len(videos)} videos; name a folder for them')
    named: dict[str, Path] = {}
    for path in videos:
        name = _name(path)
        if other := named.get(name.casefold()):
            raise UsageError(f'the masks of "{other}" and "{path}" would be in one folder, "{out / name}"; rename one')
        named[name.casefold()] = path
    jobs = []
    for path in videos:
        name, target = _name(path), overlay
        if overlay is not None and not single:
            target = overlay / f"{_name(path)}{OVERLAY}"
        if target is not None and target.exists() and any(target.samefile(each) for each in videos):
            raise UsageError(f'"{target}" is a video to segment; choose another name for the overlay')
        if path.is_dir() and (out / name).resolve() == path.resolve():
            raise UsageError(f'the masks would be among the frames, in "{path}"; choose another folder with --out')
        jobs.append(_look(path, name, out / name, target, advance))
    return jobs


def _name(path: Path) -> str:
    if not path.exists():
        raise DataError(f'"{path}" does not exist')
    name = path.resolve().name if path.is_dir() else path.stem
    if not name or hidden(name):
        raise UsageError(f'masks cannot be in a folder called "{name}"; rename "{path}"')
    return name


def _look(path: Path, name: str, folder: Path, overlay: Path | None, advance: Advance) -> Job:
    if not path.is_dir() and path.suffix.lower() not in IMAGE_SUFFIXES:
        film = films.look_through(path, str(path), lambda done, of: advance(f"looking through {name}", done, of))
        return Job(path, name, folder, overlay, (), film)
    frames = _images(path) if path.is_dir() else (path,)
    film = Film(path, size(frames[0]), array("q", range(len(frames))), 1, 1 / STILLS_RATE, STILLS_RATE)
    return Job(path, name, folder, overlay, frames, film)


def _images(folder: Path) -> tuple[Path, ...]:
    """The frames in a folder, by number and name."""
    kinds: dict[str, list[Path]] = {}
    for path in folder.iterdir():
        suffix = path.suffix.lower()
        if suffix in IMAGE_SUFFIXES and not hidden(path.name) and path.is_file():
            kinds.setdefault({".jpeg": ".jpg", ".tiff": ".tif"}.get(suffix, suffix), []).append(path)
    if not kinds:
        raise DataError(f'"{folder}" contains no images ({", ".join(IMAGE_SUFFIXES)})')
    if len(kinds) > 1:
        raise DataError(f'"{folder}" contains {" and ".join(sorted(kinds))} images; which are frames is not clear')
    (frames,) = kinds.values()
    stems = Counter(path.stem.casefold() for path in frames)
    if twice := next((path.stem for path in frames if stems[path.stem.casefold()] > 1), ""):
        raise DataError(f'two images in "{folder}" are called "{twice}"; rename one')
    return tuple(sorted(frames, key=lambda path: (number(path.name), path.name)))


def segment(  # noqa: PLR0913 - a job, how its masks are written, and a listener
    method: Method,
    setup: Setup,
    jobs: Sequence[Job],
    *,
    threshold: float = 0.5,
    soft: bool = False,
    overwrite: bool = False,
    advance: Advance = lambda _name, _done, _total: None,
) -> list[Segmented]:
    """Write masks and overlays; what an earlier call has finished is kept.

    Args:
        method: the method.
        setup: its setup, with options and weights resolved.
        jobs: the videos.
        threshold: probability, in [0, 1], from which on a pixel belongs to the object.
        soft: write probabilities, as levels from 0 to 255, instead of masks of 0 and 255.
        overwrite: replace masks of another setup or video, and overlays.
        advance: called with a video's name, the number of frames that are done of all videos, and that of all frames.

    Raises:
        UsageError: if there are other masks or overlays.
        VideoError: if the method failed on a video; the others are finished first.
        DataError: if another process uses a folder, or a video can no longer be read.
        PluginError: if the method cannot be loaded.
    """
    if not 0 <= threshold <= 1:
        raise UsageError(f"the threshold is a probability from 0 to 1, not {threshold}")
    with extras_needed():
        predictor = loaded(method, setup)
    if not soft:
        predictor = masks_of(predictor, threshold)
    card = {"method": method.called(setup.variant), "threshold": None if soft else threshold, **card_of(method, setup)}
    for job in jobs:
        _check_overlay(job, threshold, overwrite=overwrite)
    total, before = sum(job.frames for job in jobs), 0
    finished: list[Segmented] = []
    failures: list[str] = []
    for job in jobs:
        heard = partial(_count, advance, job.name, before, total)
        overlaid = partial(_count, advance, f"overlay of {job.name}", 0, job.frames)
        try:
            with locked(job.folder):
                sweep(job.folder)
                _discard_others(job, overwrite=overwrite)
                with _video(job) as video:
                    advance(f"flow of {job.name}" if "flow" in method.needs else job.name, before, total)
                    (ready,) = flow.supply(method, setup, [video])
                    known = {"flow": flow.digest([ready])} if "flow" in method.needs else {}
                    old = (each for pattern in ("*.png", STATE) for each in job.folder.glob(pattern))
                    wanted = {**card, **known, "input": _digest(job)}
                    open_folder(job.folder / CARD, wanted, old, overwrite=overwrite)
                    with computing(setup.threads):
                        write_maps(predictor, ready, job.folder, heard)
                _write_overlay(job, threshold, overlaid)
            finished.append(Segmented(job.name, job.folder, job.frames, job.overlay))
        except VideoError as error:
            failures.append(str(error))
        before += job.frames
    if failures:
        rest = f" (and {counted(len(failures) - 1, 'more video')} failed)" if len(failures) > 1 else ""
        raise VideoError(failures[0] + rest)
    return finished


def _count(advance: Advance, what: str, before: int, total: int, done: int) -> None:
    advance(what, before + done, total)


def _discard_others(job: Job, *, overwrite: bool) -> None:
    """Discard files called as the masks will be, which nobody knows how they were made, or refuse."""
    if (job.folder / CARD).exists():
        return
    for path in job.masks:
        if path.exists() and not overwrite:
            raise UsageError(f'"{path}" is not of an earlier segmentation; choose another --out, or pass --overwrite')
        path.unlink(missing_ok=True)


@contextmanager
def _video(job: Job) -> Iterator[Video]:
    """The video as methods take it."""
    if job.images:
        yield Video(name=job.name, frames=job.images)
        return
    with scratch("frames") as folder, Unrolled(job.film, str(job.path), folder) as unrolled:
        yield Video(name=job.name, frames=unrolled.paths)


def _digest(job: Job) -> str:
    if not job.images:
        return sha256(job.path)
    return combined(f"{path.name} {sha256(path)}" for path in job.images)


def _check_overlay(job: Job, threshold: float, *, overwrite: bool) -> None:
    """Refuse to replace a file that is not the overlay that an earlier call has finished."""
    if job.overlay is None or not job.overlay.exists():
        return
    path = job.folder / CARD
    known = read_card(path).get("overlay") if path.is_file() else None
    if known != _stamp(job.overlay, threshold) and not overwrite:
        raise UsageError(f'"{job.overlay}" exists; choose another name, or pass --overwrite')


def _stamp(overlay: Path, threshold: float) -> str:
    return f"{threshold} {sha256(overlay)}"


def _write_overlay(job: Job, threshold: float, advance: Callable[[int], None]) -> None:
    path = job.folder / CARD
    card = read_card(path)
    if job.overlay is None or (job.overlay.exists() and card.get("overlay") == _stamp(job.overlay, threshold)):
        return
    films.write(job.overlay, job.film, _overlays(job, threshold, advance))
    write_card(path, {**card, "overlay": _stamp(job.overlay, threshold)})


def _overlays(job: Job, threshold: float, advance: Callable[[int], None]) -> Iterator[Frame]:
    with ExitStack() as stack:
        frames: Iterator[Frame] = map(read_frame, job.images)
        if not job.images:
            shown = stack.enter_context(closing(films.shown(job.path, str(job.path))))
            frames = (one.pixels() for one in shown)
        for index, (frame, mask) in enumerate(zip(frames, job.masks, strict=True)):
            if frame.shape[:2] != job.film.size:
                raise DataError(f'"{job.images[index]}" has another size than the frames before; no overlay is made')
            yield tinted(frame, read_levels(mask, "map") >= threshold * 255)
            advance(index + 1)
