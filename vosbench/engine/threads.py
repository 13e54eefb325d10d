"""Work in a second thread: write behind the caller, read ahead of it; and the threads that libraries compute with."""

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from vosbench.engine.stages import is_collecting

T = TypeVar("T")


class WriteBehind:
    """Run jobs in order, in a thread behind the block that submits them.

    No job starts after one has failed. The failure is raised when the next job is submitted, or at the end of the
    block, which waits for every job. A block left by an exception, even an interruption, finishes the submitted jobs;
    the thread never outlives the block. While stages are timed (`vosbench.engine.stages.collecting`), jobs run in the
    caller's thread when they are submitted.

    Args:
        depth: how many jobs may wait; submitting another waits for the oldest.

    >>> done = []
    >>> with WriteBehind(depth=2) as behind:
    ...     for name in "abc":
    ...         behind.do(lambda name=name: done.append(name))
    >>> done
    ['a', 'b', 'c']
    """

    def __init__(self, depth: int = 4) -> None:
        self._depth = depth
        self._pending: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="vosbench-write")
        self._failed = False

    def __enter__(self) -> Self:
        """Start the block."""
        return self

    def do(self, job: Callable[[], None]) -> None:
        """Submit a job.

        Raises:
            BaseException: the failure of an earlier job.
        """
        if is_collecting():
            job()
            return
        self._pending.append(self._pool.submit(self._run, job))
        while len(self._pending) > self._depth or (self._pending and self._pending[0].done()):
            self._pending.popleft().result()

    def _run(self, job: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            job()
        except BaseException:
            self._failed = True
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for every job; raise the first failure unless the block itself failed."""
        self._pool.shutdown()
        if error is None:
            for future in self._pending:
                future.result()


def work_ahead(work: Callable[[Path], T], paths: Iterable[Path], depth: int) -> Generator[T, None, None]:
    """Apply a function to paths in order, ahead of the caller.

    At most ``depth`` results are kept ahead. Work starts when the first result is requested; the thread ends with the
    generator, whether it is exhausted, closed or dropped. While stages are timed, work is done in the caller's thread
    when a result is requested.

    Args:
        work: the function; its errors are raised in place of the result.
        paths: the paths, in order.
        depth: number of results ahead.

    Yields:
        the results in order.

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


@contextmanager
def computing(threads: int) -> Iterator[None]:
    """Set the number of threads that torch and OpenCV compute with in this process; it is as before after the block.

    Sums over large matrices, such as those of attention, differ in their last bits if another number of threads adds
    them up. So the number is part of a setup, and not what the machine or an engine's environment happens to say.

    torch is not imported: whoever computes with it has done so.

    Args:
        threads: at least 1.
    """
    import cv2

    torch = sys.modules.get("torch")
    before = cv2.getNumThreads(), None if torch is None else torch.get_num_threads()
    cv2.setNumThreads(threads)
    if torch is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        if torch is not None:
            torch.set_num_threads(before[1])
