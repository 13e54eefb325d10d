"""Check a method against the contract of `vosbench.method.method`.

In the tests of your own method::

    def test_the_contract(tmp_path):
        check_predictor(method.load(Setup()), sample_video(tmp_path))
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import NoReturn

import numpy as np

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError, VideoError
from vosbench.images import read_frame, size, write_png
from vosbench.method.method import FloatMap, Predictor, Resumable, State
from vosbench.method.predict import check_map, copied, guarded

LONG = 64
"""Frames of the video whose first map is requested while its last frame is missing."""


def sample_video(folder: Path, frames: int = 5) -> Video:
    """Make a video to check a method with: a bright disk that moves over noise, 48 × 64 pixels.

    Args:
        folder: for frames and masks.
        frames: number of frames.

    Returns:
        the video, with every frame annotated.
    """
    noise = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :64]
    names = [f"{t:05d}.png" for t in range(frames)]
    for t, name in enumerate(names):
        mask = (rows - 20 - 2 * t) ** 2 + (columns - 16 - 5 * t) ** 2 <= 81
        picture = noise.integers(0, 90, (48, 64, 3), dtype=np.uint8)
        picture[mask] = (120, 220, 40)
        write_png(folder / "frames" / "disk" / name, picture)
        write_png(folder / "masks" / "disk" / name, mask * np.uint8(255))
    return Video(
        name="disk",
        frames=tuple(folder / "frames" / "disk" / name for name in names),
        annotations={t: folder / "masks" / "disk" / name for t, name in enumerate(names)},
    )


def check_predictor(predictor: Predictor, video: Video) -> None:
    """Check that a predictor keeps its contract; it runs about six times on the video.

    It checks that there is one map per frame, of the frame's size, float32 and in [0, 1]; that maps are in order and
    equal in every run; that the first map precedes the reading of the last frame; that annotations are not used; and
    that a `Resumable` predictor gives the same maps when resumed.

    Args:
        predictor: the method.
        video: at least three different frames; see `sample_video`.

    Raises:
        UsageError: if the video is too short.
        VideoError: if the contract is broken; the message says how.
    """
    if len(video) < 3:
        raise UsageError(f'"{video.name}" has {len(video)} frames; checking a method needs at least 3')
    maps, states = _first_run(predictor, video.unannotated())
    _compare(maps, _run(predictor, video.unannotated()), "a second run of the same predictor yields a different")
    with tempfile.TemporaryDirectory() as name:
        _check_blindness(predictor, video, maps, Path(name))
        _check_order(predictor, video.unannotated(), maps, Path(name))
        _check_laziness(predictor, video.unannotated(), Path(name))
    if isinstance(predictor, Resumable):
        for start in (0, 1, len(video) - 1, len(video)):
            begin = partial(predictor.resume, video.unannotated(), start, states[start])
            again = list(guarded(begin, video, start))
            _compare(maps[start:], again, f"resumed at frame {start}, the method yields a different", start)


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
                if value.dtype != np.float64:
                    raise VideoError(f'"{name}" of the state after map {index} is {value.dtype}; it must be float64')
    if len(maps) < len(video):
        raise VideoError(f"the method yields {len(maps)} maps for {len(video)} frames")
    return maps, states


def _compare(expected: list[FloatMap], actual: list[FloatMap], what: str, start: int = 0) -> None:
    if len(actual) != len(expected):
        raise VideoError(f"{what} number of maps: {len(actual)}, not {len(expected)}")
    for index, (one, other) in enumerate(zip(expected, actual, strict=True), start):
        if not np.array_equal(one, other):
            raise VideoError(f"{what} map of frame {index}; maps must be equal to the last bit")


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


def _check_blindness(predictor: Predictor, video: Video, maps: list[FloatMap], folder: Path) -> None:
    """Check that annotations are neither requested nor found next to the frames."""
    elsewhere = folder / "alone" / video.name
    elsewhere.mkdir(parents=True)
    frames = tuple(Path(shutil.copy(path, elsewhere)) for path in video.frames)
    blind = _run(predictor, replace(video, frames=frames, annotations=_Withheld()))
    _compare(maps, blind, "with the same frames in another folder, without annotations, the method yields a different")


def _check_order(predictor: Predictor, video: Video, maps: list[FloatMap], folder: Path) -> None:
    """Check that if changing a frame changes any map, it changes the frame's own map."""
    for t in (len(video) - 1, len(video) // 2):
        path = folder / f"inverted-{t}" / video.frames[t].with_suffix(".png").name
        write_png(path, 255 - read_frame(video.frames[t]))
        after = _run(predictor, replace(video, frames=(*video.frames[:t], path, *video.frames[t + 1 :])))
        changed = [i for i, (one, other) in enumerate(zip(maps, after, strict=True)) if not np.array_equal(one, other)]
        if changed and t not in changed:
            raise VideoError(f"maps are out of order: frame {t} was changed, and map {changed[0]} differs, not {t}")


def _check_laziness(predictor: Predictor, video: Video, folder: Path) -> None:
    """Check that a long video yields its first map although its last frame cannot be read."""
    absent = folder / "absent.png"
    long = replace(video, frames=(*islice(cycle(video.frames), LONG - 1), absent))
    try:
        next(guarded(partial(predictor.predict, long), long))
    except (VideoError, StopIteration, DataError) as error:
        raise VideoError(
            f"the first map of {LONG} frames comes only after the last frame was read; yield each map once computed"
        ) from error
