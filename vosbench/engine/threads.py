"""Work in a thread next to the caller's: write behind it, read ahead of it."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from vosbench.engine.stages import is_collecting

T = TypeVar("T")


class WriteBehind:
    """Do jobs one after the other, in their order, behind the block that hands them over.

    No job is started after one has failed. The failure is raised when the next job is handed over, or at the end of
    the block, which waits for every job. A block left by an exception, even an interruption, finishes what was handed
    over; no thread outlives the block. While stages are timed (`vosbench.engine.stages.collecting`) a job is done when
    it is handed over, in the caller's thread.

    Args:
        depth: how many jobs may wait; handing over one more waits for the oldest.

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
        """Begin."""
        return self

    def do(self, job: Callable[[], None]) -> None:
        """Hand over a job.

        Raises:
            BaseException: what an earlier job raised.
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
        """Wait for every job; raise the first failure, unless the block fails already."""
        self._pool.shutdown()
        if error is None:
            for future in self._pending:
                future.result()


def work_ahead(work: Callable[[Path], T], paths: Iterable[Path], depth: int) -> Generator[T, None, None]:
    """Work on each path in order, ahead of the result that the caller has.

    At most ``depth`` results are kept ahead. Work starts when the first result is asked for; the thread ends with the
    generator, whether it is exhausted, closed or dropped. While stages are timed, work is done when a result is asked
    for, in the caller's thread.

    Args:
        work: what to do with a path; what it raises is raised in its turn.
        paths: in order.
        depth: how many results to be ahead.

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
