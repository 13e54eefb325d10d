"""Process videos in this process, or in several, one video each."""

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, TypeVar

from vosbench.errors import WorkerError

Item = TypeVar("Item")
Result = TypeVar("Result")
_preparations: list[Callable[[], object]] = []


def prepare_workers(function: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401 - those of the function
    """Have every later worker process call a function before its first item, such as to import the items' types.

    Args:
        function: a function that can be pickled.
        arguments: its arguments, which can be pickled too.
    """
    _preparations.append(partial(function, *arguments))


def preparations() -> tuple[Callable[[], object], ...]:
    """What worker processes call before their first item; see `prepare_workers`."""
    return tuple(_preparations)


def prepare(preparations: Sequence[Callable[[], object]]) -> None:
    """Prepare this worker process, which ends when its parent does, however that ends."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not the parent's, which cleans up
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for preparation in preparations:
        preparation()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Prepared:
    """Prepares the process that unpickles it; pass it first to the workers of another library."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[tuple[Callable[[], object], ...]]]:
        """Unpickle as a call of `prepare`."""
        return prepare, (tuple(_preparations),)


def forks() -> bool:
    """Whether worker processes are copies of this one, so that they need no imports.

    That is safe before torch has started threads; workers start none themselves.
    """
    return "fork" in multiprocessing.get_all_start_methods() and "torch" not in sys.modules


def _submitted(
    pool: ProcessPoolExecutor, work: Callable[[Item], Result], items: Sequence[Item], cost: Callable[[Item], float]
) -> list[Future[Result]]:
    """The futures of all items, in their order, of which the longest begin."""
    ranked = sorted(range(len(items)), key=lambda index: -cost(items[index]))
    begun = {index: pool.submit(work, items[index]) for index in ranked}
    return [begun[index] for index in range(len(items))]


def _in_order(futures: Sequence[Future[Result]], advance: Callable[[int], None] | None) -> Iterator[Result]:
    """The results; the error is that of the first item that fails, as in one process."""
    try:
        if advance:
            for done, future in enumerate(as_completed(futures), 1):
                if future.exception() is not None:
                    break
                advance(done)
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def each(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int = 1,
    *,
    cost: Callable[[Item], float] = lambda _: 0.0,
    advance: Callable[[int], None] | None = None,
) -> Iterator[Result]:
    """Apply a function to every item and yield the results in order.

    Scoring uses many small array operations that hold the interpreter lock: processes are faster, threads are not.

    Args:
        work: the function; it, items and results can be pickled.
        items: the items, usually videos.
        jobs: number of processes.
        cost: estimates how long an item takes; several processes begin with the longest.
        advance: called with the number of finished items; all are then awaited before the first result.
    """
    if jobs <= 1 or len(items) <= 1:
        for done, result in enumerate(map(work, items), 1):
            if advance:
                advance(done)
            yield result
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        context = multiprocessing.get_context("fork" if forks() else "spawn")
        workers = min(jobs, len(items))
        with ProcessPoolExecutor(workers, context, initializer=prepare, initargs=(tuple(_preparations),)) as pool:
            try:
                yield from _in_order(_submitted(pool, work, items, cost), advance)
            except BrokenProcessPool:
                raise WorkerError(
                    "a worker process was killed, for example because memory ran out; try fewer processes (--jobs)"
                ) from None
            except BaseException as error:
                if not isinstance(error, Exception):  # interrupted: nobody waits for what is still being done
                    for worker in multiprocessing.active_children():
                        worker.terminate()
                raise
