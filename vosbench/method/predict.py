"""Run a predictor on a video: frames are read ahead and maps written behind, each in a thread."""

import io
import struct
import traceback
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.engine.threads import WriteBehind, work_ahead
from vosbench.errors import DataError, VideoError, VosbenchError, one_line, place
from vosbench.files import write_whole
from vosbench.images import files as images
from vosbench.images import read_frame, size
from vosbench.method.method import FloatMap, Predictor, Resumable, State

T = TypeVar("T")
Frame = NDArray[np.uint8]


def read_ahead(paths: Iterable[Path], depth: int = 2) -> Generator[Frame, None, None]:
    """Read frames in order, ahead of their use.

    At most ``depth`` frames are held beyond the current one. Reading begins when the first frame is requested; the
    thread ends with the generator, whether it is exhausted, closed or dropped. While stages are timed
    (`vosbench.engine.stages.collecting`) each frame is read on request, in the caller's thread.

    Args:
        paths: the frames, such as ``video.frames``.
        depth: how many frames to read ahead, at least 1.

    Yields:
        (H, W, 3) uint8, RGB; see `vosbench.images.read_frame`.

    Raises:
        DataError: if a frame cannot be read; raised after the frames before it.
    """
    return work_ahead(read_frame, paths, depth)


def batches(
    video: Video, start: int, size: int, read: Callable[[Path], T]
) -> Generator[tuple[list[T], int], None, None]:
    """Read the frames of a video in batches, ahead of their use, as `read_ahead` does.

    Batches begin at multiples of their size even in a resumed run, so the same frames always share a pass and the maps
    are equal to the last bit.

    Args:
        video: the video.
        start: the first frame to predict.
        size: frames per batch.
        read: how; `vosbench.images.read_frame`, or a function that also begins with what the method does to a frame.

    Yields:
        what was read of the frames, and how many of them lie before ``start``.
    """
    first = start - start % size
    with closing(work_ahead(read, video.frames[first:], size + 1)) as ahead:
        while frames := list(islice(ahead, size)):
            yield frames, max(start - first, 0)
            first += size


def one_ahead(results: Iterator[T]) -> Iterator[T]:
    """Have each result begun before the one in front of it is used, so that a device computes meanwhile.

    Args:
        results: begins a result when it is asked for it; a failure is raised after the results before it were used.
    """
    waiting: list[T] = []
    try:
        for result in results:
            yield from waiting
            waiting = [result]
    except Exception:
        yield from waiting
        raise
    yield from waiting


def of_equal_size(frames: Iterable[Frame], video: Video) -> Iterator[Frame]:
    """Pass on the frames of a video, between which flow is estimated.

    Raises:
        DataError: if a frame has another size than the one before.
    """
    shape: tuple[int, ...] | None = None
    for path, frame in zip(video.frames, frames, strict=False):
        if shape not in {None, frame.shape}:
            raise DataError(f'"{path}" has another size than the frame before; flow needs equal sizes')
        shape = frame.shape
        yield frame


BEHIND = 4
"""How many maps may wait to be written, which bounds the memory they take."""
STATE = ".state.npz"


def write_maps(predictor: Predictor, video: Video, folder: Path, advance: Callable[[int], None]) -> None:
    """Write one 8-bit map per frame into a folder, as ``<frame's stem>.png``.

    Complete maps on disk are kept. A `Resumable` predictor resumes after them, from the state saved next to them; any
    other predictor restarts the video. Files are written in a separate thread, in order, each state after its map; the
    thread has ended when this returns.

    Args:
        predictor: the method.
        video: the video; its annotations are withheld from the method.
        folder: of the maps.
        advance: called with the number of finished frames, from the writing thread.

    Raises:
        VideoError: if the method fails, or its maps break the contract.
    """
    paths = [folder / f"{frame.stem}.png" for frame in video.frames]
    done = next((index for index, path in enumerate(paths) if not images.is_complete(path)), len(paths))
    advance(done)
    if done == len(paths):
        (folder / STATE).unlink(missing_ok=True)
        return
    start, state = _saved(folder / STATE, done) if isinstance(predictor, Resumable) else (0, {})

    @stage("write")
    def finish(index: int, values: FloatMap, following: State | None) -> None:
        if not images.is_complete(paths[index]):
            images.write_map(paths[index], values)
        if following is not None:
            _save(folder / STATE, index + 1, following)
        advance(max(done, index + 1))

    index, frames_only = start, video.unannotated()
    with WriteBehind(BEHIND, folder) as behind:
        for values in guarded(partial(_begin, predictor, frames_only, start, state), frames_only, start):
            if index == len(paths):
                raise VideoError(f'the method yields more maps for "{video.name}" than its {len(paths)} frames')
            check_map(values, size(video.frames[index]), f'map {index} of "{video.name}"')
            # Copies, since the method may reuse its arrays.
            following = copied(predictor.state()) if isinstance(predictor, Resumable) else None
            behind.do(partial(finish, index, values.copy(), following))
            index += 1
    if index < len(paths):
        raise VideoError(f'the method yields {index} maps for the {len(paths)} frames of "{video.name}"')
    (folder / STATE).unlink(missing_ok=True)


def write_part(predictor: Resumable, video: Video, folder: Path, start: int, stop: int) -> None:
    """Write the missing maps of the frames from ``start`` to before ``stop``, as `write_maps` does.

    Args:
        predictor: the method, which keeps nothing from map to map.
        video: the video.
        folder: of the maps.
        start: the first frame; a multiple of the predictor's batch.
        stop: the frame after the last one.

    Raises:
        VideoError: if the method fails, or its maps break the contract.
    """
    paths = {index: folder / f"{video.frames[index].stem}.png" for index in range(start, stop)}
    frames_only = video.unannotated()
    if all(images.is_complete(path) for path in paths.values()):
        return
    maps = guarded(partial(predictor.resume, frames_only, start, {}), frames_only, start)
    with WriteBehind(BEHIND) as behind:
        for (index, path), values in zip(paths.items(), maps, strict=False):
            check_map(values, size(video.frames[index]), f'map {index} of "{video.name}"')
            if not images.is_complete(path):
                behind.do(partial(images.write_map, path, values.copy()))


def _begin(predictor: Predictor, video: Video, start: int, state: State) -> Iterator[FloatMap]:
    return predictor.resume(video, start, state) if isinstance(predictor, Resumable) else predictor.predict(video)


def guarded(begin: Callable[[], Iterator[FloatMap]], video: Video, start: int = 0) -> Iterator[FloatMap]:
    """Yield a method's maps; any error of its own becomes a `VideoError` that names the frame.

    Args:
        begin: starts the method.
        video: the video, for the message.
        start: index of its first map.
    """
    index = start
    try:
        for values in begin():
            yield values
            index += 1
    except VosbenchError:
        raise
    except (Exception, SystemExit) as error:  # a method must not decide the exit code
        names = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
        its = next((name for name in names if not name.startswith("vosbench.method.")), __name__)
        where = place(error, its.partition(".")[0])
        raise VideoError(f'the method fails on frame {index} of "{video.name}": {one_line(error)} ({where})') from error


class Stateless:
    """Base of predictors that keep nothing from map to map; a subclass that does replaces `state` too."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Segment a video; see `vosbench.method.method.Predictor`."""
        return self.resume(video, 0, {})

    def state(self) -> State:
        """Return nothing: the video is all that the next map needs."""
        return {}

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """Yield the maps of frames ``start``, ``start + 1``, …; see `vosbench.method.method.Resumable`."""
        raise NotImplementedError


def copied(state: State) -> State:
    """Copy a state, so that it no longer changes."""
    return {name: np.array(value) for name, value in state.items()}


def check_map(values: FloatMap, size: tuple[int, int], label: str) -> None:
    """Check a map against the contract of `Predictor`.

    Args:
        values: the map.
        size: (H, W) of its frame.
        label: what to call it in the message.

    Raises:
        VideoError: if its type, dtype, size or range is wrong.
    """
    if not isinstance(values, np.ndarray) or values.dtype != np.float32 or values.shape != size:
        what = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
        raise VideoError(f"{label} is {what}; it must be float32 {size}")
    if not (values.min() >= 0 and values.max() <= 1):
        raise VideoError(f"{label} ranges from {values.min()} to {values.max()}; it must be in [0, 1]")


def _save(path: Path, following: int, state: State) -> None:
    """Save the state to resume from at frame ``following``."""
    objects = [name for name, value in state.items() if value.dtype.hasobject]
    if objects:  # they would be pickled, and pickles are not read
        raise VideoError(f'"{objects[0]}" of the state before frame {following} holds objects; only numbers are kept')
    buffer = io.BytesIO()
    named: dict[str, Any] = {f"state.{name}": value for name, value in state.items()}
    np.savez(buffer, following=np.array(following), **named)
    write_whole(path, buffer.getvalue())


def _saved(path: Path, done: int) -> tuple[int, State]:
    """Load the frame to resume at and its state: frame 0 if nothing is saved, or maps before it are missing."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            following = int(file["following"])
            state = {name.removeprefix("state."): file[name] for name in file.files if name != "following"}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, struct.error):
        return 0, {}  # damaged: the video restarts
    return (following, state) if following <= done else (0, {})
