"""Where videos are worked on: in this process, or in several, a video each."""

import multiprocessing
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


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
        with ProcessPoolExecutor(min(jobs, len(items)), mp_context=context) as pool:
            yield from pool.map(work, items)
