"""Read frames in a thread of their own, a few ahead of the one in hand, while a method computes."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vosbench.images import read_frame
from vosbench.stages import is_collecting

T = TypeVar("T")
Frame = NDArray[np.uint8]


def read_ahead(paths: Iterable[Path], depth: int = 2) -> Generator[Frame, None, None]:
    """Read frames in their order, ahead of their use.

    At most ``depth`` frames are held besides the one in hand. Reading begins when the first frame is asked for; the
    thread ends with the generator, whether it is exhausted, closed or dropped. While stages are timed
    (`vosbench.stages.collecting`) each frame is read when it is asked for, in the caller's thread.

    Args:
        paths: the frames, such as ``video.frames``.
        depth: how many frames to be ahead, 1 or more.

    Yields:
        (H, W, 3) uint8, RGB, as `vosbench.images.read_frame` gives it.

    Raises:
        DataError: where a frame cannot be read; raised in its turn, after the frames before it.
    """
    return work_ahead(read_frame, paths, depth)


def work_ahead(work: Callable[[Path], T], paths: Iterable[Path], depth: int) -> Generator[T, None, None]:
    """As `read_ahead`, with something else to do about each path.

    >>> list(work_ahead(lambda path: path.stem, [Path("0.png"), Path("1.png"), Path("2.png")], depth=1))
    ['0', '1', '2']
    """
    if is_collecting():
        yield from map(work, paths)
        return
    pending: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(1, thread_name_prefix="vosbench-read")
    try:
        for path in paths:
            pending.append(pool.submit(work, path))
            if len(pending) > depth:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
