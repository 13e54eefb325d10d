"""Make the optical flow of videos, once: it is kept in a cache whose key is what it was made of.

Conventions:
    A flow is named like its frame, in ``Flows_gap1/`` (to the next frame) and ``Flows_gap-1/`` (to the one before), as
    16-bit PNG; see `vosbench.images.flow`. The last frame has no forward flow, the first none backward.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from vosbench.dataset import Video
from vosbench.dataset.flow import FOLDER, with_flow
from vosbench.engine.locks import locked
from vosbench.engine.threads import WriteBehind
from vosbench.errors import DataError, UsageError, counted, suggest
from vosbench.files import cache_folder, combined, sha256, sweep
from vosbench.images import files as images
from vosbench.images.flow import write_flow
from vosbench.method.estimators import METHODS, STEPS, Estimation, Estimator, Frame, estimation, hashed, resized
from vosbench.method.method import Method, Setup
from vosbench.method.predict import of_equal_size, read_ahead
from vosbench.method.resume import read_card, write_card

BEHIND = 4
CARD, OURS = "flow.json", "flow"
Place = Callable[[Video, Sequence[str]], tuple[Path, str]]
"""A video and the hashes of its frames → the folder for its flow, and the name of the video in it."""


def make(
    videos: Iterable[Video],
    how: Estimation,
    place: Place,
    steps: Sequence[int] = STEPS,
    advance: Callable[[str, int], None] = lambda _video, _done: None,
) -> list[Video]:
    """Make the flow of videos where it is missing.

    Args:
        videos: the videos.
        how: the method and its options.
        place: where a video's flow is; see `Place`.
        steps: over how many frames; negative to earlier ones.
        advance: called with a video's name and the number of its finished frames.

    Returns:
        the videos with their flow.

    Raises:
        UsageError: if a package is missing.
        DataError: if a frame cannot be read, the frames of a video differ in size, or the folder has the flow of other
            frames, or of other options.
    """
    estimator: Estimator | None = None
    found = []
    for video in videos:
        hashes = hashed(video)
        folder, called = place(video, hashes)
        with locked(folder):
            sweep(folder)
            _open(folder, called, hashes, how)
            wanted = {
                (t, step): folder / FOLDER.format(step=step) / called / f"{frame.stem}.png"
                for t, frame in enumerate(video.frames)
                for step in steps
                if 0 <= t + step < len(video)
            }
            absent = {pair for pair, path in wanted.items() if not images.is_complete(path)}
            if absent:
                estimator = estimator or METHODS[how.name].load(how.options, how.device)
                _estimate(video, absent, wanted, resized(estimator, how.options["size"]), advance)
            advance(video.name, len(video))
        files: dict[int, dict[int, Path]] = {step: {} for step in steps}
        for (t, step), path in wanted.items():
            files[step][t] = path
        found.append(replace(video, flow=files))
    return found


def _open(folder: Path, called: str, frames: Sequence[str], how: Estimation) -> None:
    """Start or resume a video's flow; its card tells what it is made of."""
    card, key = _card(folder, called), how.key(frames)
    if card.is_file():
        if read_card(card, OURS).get("key") != key:
            raise DataError(
                f'"{folder}" has flow of other frames or options{f" for {called!r}" if called else ""}; choose another '
                "folder, or delete this one"
            )
        return
    write_card(card, {"key": key, "flow": how.description, "frames": frames})


def _card(folder: Path, called: str) -> Path:
    return folder / (f".{called}.{CARD}" if called else CARD)


def _frames(card: Path) -> list[object]:
    """The hashes of frames that a card notes."""
    noted = read_card(card, OURS).get("frames")
    return noted if isinstance(noted, list) else []


def _estimate(
    video: Video,
    absent: set[tuple[int, int]],
    wanted: Mapping[tuple[int, int], Path],
    estimate: Estimator,
    advance: Callable[[str, int], None],
) -> None:
    reach = max(abs(step) for _, step in wanted)
    frames: dict[int, Frame] = {}
    with WriteBehind(BEHIND, next(iter(wanted.values())).parent) as behind:
        for t, frame in enumerate(of_equal_size(read_ahead(video.frames), video)):
            frames[t] = frame
            frames.pop(t - reach - 1, None)
            # Each pair is complete with its later frame.
            for source, step in sorted(pair for pair in absent if max(pair[0], pair[0] + pair[1]) == t):
                flow = estimate(frames[source], frames[source + step])
                behind.do(partial(write_flow, wanted[source, step], flow))
            advance(video.name, t)


def folder_of(video: Video) -> Path:
    """The folder of the cache that has a video's flow."""
    return next(path for files in video.flow.values() for path in files.values()).parents[1]


def in_cache(how: Estimation) -> Place:
    """Where the cache has a video's flow: a folder whose name is the key."""
    return lambda _video, hashes: (cache_folder() / "flow" / f"{how.name}-{how.key(hashes)[:24]}", "")


def check(method: Method, setup: Setup, videos: Sequence[Video]) -> None:
    """Check, before the work, that a method gets the optical flow that it needs, and no other.

    Raises:
        UsageError: if it needs flow and there is none, or if flow is named that it does not use or that does not exist.
    """
    name, source = method.called(setup.variant), setup.flow
    if "flow" not in method.needs:
        if source is not None:
            raise UsageError(f'"{name}" uses no optical flow; omit --flow (a method declares what it needs)')
    elif source is None:
        without = next((video.name for video in videos if not video.flow), None)
        if without is not None:
            raise UsageError(
                f'"{name}" needs optical flow, and the dataset contains none of "{without}"; pass a folder of it with '
                "--flow, or have it made with --flow dis"
            )
    elif estimation(source) is None and not Path(source).is_dir():
        raise UsageError(f'there is no folder or flow method "{source}"; {suggest(source, list(METHODS))}')


def supply(
    method: Method,
    setup: Setup,
    videos: Sequence[Video],
    advance: Callable[[str, int], None] = lambda _video, _done: None,
) -> list[Video]:
    """The videos with the flow that a method needs, made where it is missing; without any if it needs none.

    Raises:
        DataError: if the folder that the setup names lacks flow, or has that of other frames.
    """
    source = setup.flow
    if "flow" not in method.needs:
        return [replace(video, flow={}) for video in videos]
    if source is None:
        return list(videos)
    how = estimation(source, setup.device)
    if how is not None:
        return make(videos, how, in_cache(how), advance=advance)
    folder = Path(source)
    for video in videos:
        card = _card(folder, video.name)
        if card.is_file() and _frames(card)[: len(video)] != hashed(video):  # it may be cut
            raise DataError(f'"{folder}" has the flow of other frames of "{video.name}"; make it again: vosbench flow')
    return [with_flow(video, folder) for video in videos]


def digest(videos: Sequence[Video]) -> str:
    """A hash of the flow of videos, for records: names, steps, frames and the contents of files."""
    return combined(
        f"{video.name} {step} {t} {sha256(path)}"
        for video in videos
        for step, files in sorted(video.flow.items())
        for t, path in sorted(files.items())
    )


def described(videos: Sequence[Video]) -> str:
    """How much flow there is, for messages."""
    files = sum(len(files) for video in videos for files in video.flow.values())
    return f"{counted(files, 'file')} of optical flow of {counted(len(videos), 'video')}"
