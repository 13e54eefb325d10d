"""Work in a second thread: write behind the caller, read ahead of it; and the threads that libraries compute with."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from vosbench.engine.stages import is_collecting
from vosbench.errors import StalledError, UsageError

T = TypeVar("T")


PATIENCE, USUAL = "VOSBENCH_PATIENCE", 600.0
"""The variable with the seconds that a file may take to be read or written, and what they are if it is not set."""
Job = Callable[[], Any]


class _Thread:
    """Runs jobs in order in a thread, which nobody has to wait for: a folder on a network may never answer."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Job] | None] = SimpleQueue()
        self._thread = threading.Thread(target=_serve, args=(self._jobs,), name=name, daemon=True)
        self._thread.start()
        self._stalled = False

    def submit(self, job: Job) -> "Future[Any]":
        """Hand over a job."""
        future: Future[Any] = Future()
        self._jobs.put((future, job))
        return future

    def answer(self, future: "Future[T]", what: str) -> T:
        """Wait for the oldest of the jobs that are under way.

        Raises:
            StalledError: if it takes longer than anybody should wait.
            BaseException: what the job has raised.
        """
        seconds = patience()
        try:
            return future.result(seconds)
        except TimeoutError:  # also that of a job
            if future.done():
                return future.result()
            self._stalled = True
            raise StalledError(
                f"{what} after {seconds:g} s: the disk or network folder does not answer; {PATIENCE} sets the seconds"
            ) from None

    def close(self) -> None:
        """End the thread after the jobs that it has, unless it stalls."""
        self._jobs.put(None)
        if not self._stalled:
            self._thread.join()


def _serve(jobs: "SimpleQueue[tuple[Future[Any], Job] | None]") -> None:
    while (job := jobs.get()) is not None:
        future, work = job
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
                future.set_exception(error)
        del job, future, work  # while nothing is to be done, nothing is held


def patience() -> float:
    """Seconds that a file may take.

    Raises:
        UsageError: if what is set is not a number.
    """
    said = os.environ.get(PATIENCE, "")
    try:
        seconds = float(said or USUAL)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise UsageError(f'{PATIENCE} is a number of seconds above 0, not "{said}"')
    return min(seconds, threading.TIMEOUT_MAX)


class WriteBehind:
    """Run jobs in order, in a thread behind the block that submits them.

    No job starts after one has failed. The failure is raised when the next job is submitted, or at the end of the
    block, which waits for every job. A block left by an exception, even an interruption, finishes the submitted jobs;
    the thread never outlives the block, unless a job never ends. While stages are timed
    (`vosbench.engine.stages.collecting`), jobs run in the caller's thread when they are submitted.

    Args:
        depth: how many jobs may wait; submitting another waits for the oldest.
        place: what the jobs write to, for messages.

    >>> done = []
    >>> with WriteBehind(depth=2) as behind:
    ...     for name in "abc":
    ...         behind.do(lambda name=name: done.append(name))
    >>> done
    ['a', 'b', 'c']
    """

    def __init__(self, depth: int = 4, place: Path | None = None) -> None:
        self._depth = depth
        self._what = f'nothing can be written to "{place}"' if place is not None else "nothing can be written"
        self._pending: deque[Future[None]] = deque()
        self._thread = _Thread("vosbench-write")
        self._failed = False

    def __enter__(self) -> Self:
        """Start the block."""
        return self

    def do(self, job: Callable[[], None]) -> None:
        """Submit a job.

        Raises:
            StalledError: if an earlier job takes too long.
            BaseException: the failure of an earlier job.
        """
        if is_collecting():
            job()
            return
        self._pending.append(self._thread.submit(partial(self._run, job)))
        while len(self._pending) > self._depth or (self._pending and self._pending[0].done()):
            self._thread.answer(self._pending.popleft(), self._what)

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
        first: BaseException | None = None
        for future in () if isinstance(error, StalledError) else self._pending:
            try:
                self._thread.answer(future, self._what)
            except BaseException as failure:  # noqa: BLE001 - raised below
                first = first or failure
                if isinstance(failure, StalledError):
                    break
        self._thread.close()
        if error is None and first is not None:
            raise first


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

    Raises:
        StalledError: if a result takes too long.

    >>> list(work_ahead(lambda path: path.stem, [Path("0.png"), Path("1.png"), Path("2.png")], depth=1))
    ['0', '1', '2']
    """
    if is_collecting():
        yield from map(work, paths)
        return
    pending: deque[tuple[Path, Future[T]]] = deque()
    thread = _Thread("vosbench-read")

    def oldest() -> T:
        path, future = pending.popleft()
        return thread.answer(future, f'"{path}" is not read')

    try:
        for path in paths:
            pending.append((path, thread.submit(partial(work, path))))
            if len(pending) > depth:
                yield oldest()
        while pending:
            yield oldest()
    finally:
        for _, future in pending:
            future.cancel()
        thread.close()


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
