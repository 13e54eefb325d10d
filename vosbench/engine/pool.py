"""Where videos are worked on: in this process, or in several, a video each."""

import multiprocessing
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_preparations: list[Callable[[], object]] = []


def prepare_workers(function: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401 - those of the function
    """Have every later worker process call a function before its first item, as to import what items are made of.

    Args:
        function: can be pickled.
        arguments: likewise.
    """
    _preparations.append(partial(function, *arguments))


def prepare(preparations: Sequence[Callable[[], object]]) -> None:
    """Prepare this worker process."""
    for each in preparations:
        each()


class Prepared:
    """Prepares the process that unpickles it; first among what another library sends to its workers."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[tuple[Callable[[], object], ...]]]:
        """Become a call of `prepare`."""
        return prepare, (tuple(_preparations),)


def each(work: Callable[[Item], Result], items: Sequence[Item], jobs: int = 1) -> Iterator[Result]:
    """Work on every item and yield the results in order.

    Measuring takes many small array operations, which hold the interpreter's lock: processes gain, threads do not.

    Args:
        work: a function that can be pickled, as can items and results.
        items: what to work on, a video each.
        jobs: processes at once.
    """
    if jobs <= 1 or len(items) <= 1:
        yield from map(work, items)
        return
    with warnings.catch_warnings():
        # A fork is safe before torch has started threads; workers use none themselves. It spares the imports.
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        forked = "fork" in multiprocessing.get_all_start_methods() and "torch" not in sys.modules
        context = multiprocessing.get_context("fork" if forked else "spawn")
        workers = min(jobs, len(items))
        with ProcessPoolExecutor(workers, context, initializer=prepare, initargs=(tuple(_preparations),)) as pool:
            yield from pool.map(work, items)
