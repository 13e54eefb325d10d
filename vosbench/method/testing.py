"""Check a method against the contract of `vosbench.method.method`.

In the tests of your own method::

    def test_the_contract(tmp_path):
        check_predictor(method.load(Setup()), sample_video(tmp_path), needs=method.needs, tolerance=method.tolerance)
"""

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import NoReturn

import numpy as np

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError, VideoError
from vosbench.images import read_frame, size, write_png
from vosbench.images.flow import read_flow, write_flow
from vosbench.method.method import FloatMap, Predictor, Resumable, State
from vosbench.method.predict import check_map, copied, guarded

LONG = 64
"""Frames of the video whose first map is requested while its last frame is missing."""


def sample_video(folder: Path, frames: int = 5) -> Video:
    """Make a video to check a method with: a bright disk that moves over noise, 48 × 64 pixels, and its flow.

    Args:
        folder: for frames, masks and optical flow.
        frames: number of frames.

    Returns:
        the video, with every frame annotated.
    """
    noise = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :64]
    names = [f"{t:05d}.png" for t in range(frames)]
    flow: dict[int, dict[int, Path]] = {1: {}, -1: {}}
    for t, name in enumerate(names):
        mask = (rows - 20 - 2 * t) ** 2 + (columns - 16 - 5 * t) ** 2 <= 81
        picture = noise.integers(0, 90, (48, 64, 3), dtype=np.uint8)
        picture[mask] = (120, 220, 40)
        write_png(folder / "frames" / "disk" / name, picture)
        write_png(folder / "masks" / "disk" / name, mask * np.uint8(255))
        for step, files in flow.items():
            if 0 <= t + step < frames:
                files[t] = folder / "flow" / f"{step:+d}" / "disk" / name
                write_flow(files[t], mask[..., None] * np.array((5 * step, 2 * step), np.float32))
    return Video(
        name="disk",
        frames=tuple(folder / "frames" / "disk" / name for name in names),
        annotations={t: folder / "masks" / "disk" / name for t, name in enumerate(names)},
        flow=flow,
    )


def check_predictor(predictor: Predictor, video: Video, *, needs: Collection[str] = (), tolerance: float = 0.0) -> None:
    """Check that a predictor keeps its contract; it runs about seven times on the video.

    It checks that there is one map per frame, of the frame's size, float32 and in [0, 1]; that maps are in order and
    equal in every run; that annotations are not used; and that a `Resumable` predictor gives the same maps when
    resumed. What is needed besides a frame and the first one is declared, and what is declared is true:

    * unless ``"whole-video"`` is, the first map precedes the reading of the last frame; if it is, nothing is read
      before the first map is requested;
    * unless ``"previous"`` or ``"whole-video"`` is, a change of a frame other than the first changes no later map;
    * unless ``"flow"`` is, optical flow is not used; if it is, maps change with it.

    Args:
        predictor: the method.
        video: at least three different frames, with optical flow if it is needed; see `sample_video`.
        needs: what the method declares; see `vosbench.method.method.Method`.
        tolerance: the largest difference of maps that should be equal; likewise.

    Raises:
        UsageError: if the video is too short, or has no flow for a method that needs it.
        VideoError: if the contract is broken; the message says how.
    """
    if len(video) < 3:
        raise UsageError(f'"{video.name}" has {len(video)} frames; checking a method needs at least 4')
    if "flow" not in needs:
        video = replace(video, flow={})  # as in a run
    elif not video.flow:
        raise UsageError(f'"{video.name}" has no optical flow to check a method with that needs it')
    maps, states = _first_run(predictor, video.unannotated())
    compare = partial(_compare, tolerance=tolerance)
    compare(maps, _run(predictor, video.unannotated()), "a second run of the same predictor yields a different")
    if isinstance(predictor, Resumable):
        for start in (0, 1, len(video) - 1, len(video)):
            begin = partial(predictor.resume, video.unannotated(), start, states[start])
            again = list(guarded(begin, video, start))
            compare(maps[start:], again, f"resumed at frame {start}, the method yields a different", start)
    with tempfile.TemporaryDirectory() as name:
        compare(maps, _blind_run(predictor, video, Path(name)), _BLIND)
        earlier = "previous" in needs or "whole-video" in needs
        _check_order(predictor, video.unannotated(), maps, Path(name), earlier=earlier, tolerance=tolerance)
        _check_laziness(predictor, video.unannotated(), Path(name), whole="whole-video" in needs)
        if "flow" in needs:
            _check_flow(predictor, video.unannotated(), maps, Path(name))


def _run(predictor: Predictor, video: Video) -> list[FloatMap]:
    return [np.array(values) for values in guarded(partial(predictor.predict, video), video)]


def _first_run(predictor: Predictor, video: Video) -> tuple[list[FloatMap], list[State]]:
    """The maps, each checked, and the states before each and after the last."""
    maps: list[FloatMap] = []
    states: list[State] = [{}]
    for index, values in enumerate(guarded(partial(predictor.predict, video), video)):
        if index == len(video):
            raise VideoError(f"the method yields more maps than the {len(video)} frames")
        check_map(values, size(video.frames[index]), f"map {index}")
        maps.append(values.copy())
        if isinstance(predictor, Resumable):
            states.append(copied(predictor.state()))
            for name, value in states[-1].items():
                if value.dtype.hasobject:
                    raise VideoError(
                        f'"{name}" of the state after map {index} holds objects, which cannot be saved; it must be an '
                        "array of numbers or text"
                    )
    if len(maps) < len(video):
        raise VideoError(f"the method yields {len(maps)} maps for {len(video)} frames")
    return maps, states


def _compare(expected: list[FloatMap], actual: list[FloatMap], what: str, start: int = 0, *, tolerance: float) -> None:
    if len(actual) != len(expected):
        raise VideoError(f"{what} number of maps: {len(actual)}, not {len(expected)}")
    for index, (one, other) in enumerate(zip(expected, actual, strict=True), start):
        if not _equal(one, other, tolerance):
            equal = "equal to the last bit" if tolerance == 0 else f"equal within {tolerance}"
            raise VideoError(f"{what} map of frame {index}; maps must be {equal}")


def _equal(one: FloatMap, other: FloatMap, tolerance: float) -> bool:
    return one.shape == other.shape and float(np.abs(one - other).max()) <= tolerance


class _Withheld(Mapping[int, Path]):
    """Annotations that raise when accessed."""

    def _refuse(self) -> NoReturn:
        raise VideoError("the method reads the video's annotations; it may read only frames")

    def __getitem__(self, index: int) -> Path:
        self._refuse()

    def __iter__(self) -> Iterator[int]:
        self._refuse()

    def __len__(self) -> int:  # noqa: PLE0303 - never returns
        self._refuse()


_BLIND = "with the same frames in another folder, without annotations, the method yields a different"


def _blind_run(predictor: Predictor, video: Video, folder: Path) -> list[FloatMap]:
    """The maps if annotations are neither given nor found next to the frames."""
    elsewhere = folder / "alone" / video.name
    elsewhere.mkdir(parents=True)
    frames = tuple(Path(shutil.copy(path, elsewhere)) for path in video.frames)
    return _run(predictor, replace(video, frames=frames, annotations=_Withheld()))


def _check_order(
    predictor: Predictor, video: Video, maps: list[FloatMap], folder: Path, *, earlier: bool, tolerance: float
) -> None:
    """Check that a changed frame changes its own map if it changes any, and later maps only if that is declared."""
    for t in (len(video) - 1, len(video) // 2):
        path = folder / f"inverted-{t}" / video.frames[t].with_suffix(".png").name
        write_png(path, 255 - read_frame(video.frames[t]))
        after = _run(predictor, replace(video, frames=(*video.frames[:t], path, *video.frames[t + 1 :])))
        pairs = enumerate(zip(maps, after, strict=True))
        changed = [index for index, (one, other) in pairs if not _equal(one, other, tolerance)]
        if changed and t not in changed:
            raise VideoError(f"maps are out of order: frame {t} was changed, and map {changed[0]} differs, not {t}")
        if changed and changed[-1] > t and not earlier:
            raise VideoError(
                f'frame {t} was changed, and map {changed[-1]} differs: declare the need "previous", on which it is '
                "decided how a video may be divided"
            )


def _check_laziness(predictor: Predictor, video: Video, folder: Path, *, whole: bool) -> None:
    """Check that a long video yields its first map although its last frame cannot be read.

    A method of whole videos reads nothing before its first map is requested.
    """
    absent = folder / "absent.png"
    if whole:
        try:
            predictor.predict(replace(video, frames=(absent,) * len(video)))
        except Exception as error:
            raise VideoError(
                "the method reads a video before its first map is requested; yield maps from a generator"
            ) from error
        return
    frames = (*islice(cycle(video.frames), LONG - 1), absent)
    flow = {
        step: {t: files.get(t % len(video), next(iter(files.values()))) for t in range(LONG)}
        for step, files in video.flow.items()
    }
    long = replace(video, frames=frames, flow=flow)
    try:
        next(guarded(partial(predictor.predict, long), long))
    except (VideoError, StopIteration, DataError) as error:
        raise VideoError(
            f"the first map of {LONG} frames comes only after the last frame was read; yield each map once computed, "
            'or declare the need "whole-video"'
        ) from error


def _check_flow(predictor: Predictor, video: Video, maps: list[FloatMap], folder: Path) -> None:
    """Check that maps change with the flow."""
    turned: dict[int, dict[int, Path]] = {step: {} for step in video.flow}
    for step, files in video.flow.items():
        for t, path in files.items():
            turned[step][t] = folder / f"turned{step}" / f"{video.frames[t].stem}.png"
            write_flow(turned[step][t], np.roll(read_flow(path), (7, 11), axis=(0, 1))[..., ::-1])
    if all(np.array_equal(*pair) for pair in zip(maps, _run(predictor, replace(video, flow=turned)), strict=True)):
        raise VideoError("the method declares that it needs optical flow, but other flow gives equal maps")
