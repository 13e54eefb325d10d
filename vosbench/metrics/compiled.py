"""Numba's compiler as a decorator that keeps a function's type.

Conventions:
    Only functions that were measured to be at least twice as fast as with NumPy or OpenCV are compiled, on their
    first call, and cached on disk if possible. They copy arrays in loops, since the assignment of an array to a slice
    takes the compiler seconds. Numba is an extra: without it, or with ``NUMBA_DISABLE_JIT=1``, they run as plain
    Python, with equal results. Without it, NumPy replaces loops over pixels or pairs of points that would take seconds;
    it adds the same terms in the same order, so that results stay equal to the bit.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

numba: Any
try:
    import numba
except ImportError:
    numba = None

COMPILING = numba is not None and not numba.config.DISABLE_JIT
"""Whether loops are compiled; otherwise what needs fewer of them is faster."""
P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers on its first call."""
    if numba is None:
        return function
    try:
        made = numba.njit(cache=True)(function)
    except RuntimeError:  # no folder for the cache can be written
        made = numba.njit(function)
    return cast("Callable[P, R]", made)


def compiled_or(plain: Callable[..., R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """As `compiled`; without Numba, another function takes the place of the loops.

    Args:
        plain: does the same with NumPy.
    """
    return lambda function: plain if numba is None else compiled(function)


def is_cold(function: Callable[..., object]) -> bool:
    """Whether a compiled function is not in the cache on disk, so that its first call compiles it."""
    cache = getattr(getattr(function, "_cache", None), "_cache_file", None)
    index = getattr(cache, "_index_path", None)
    return index is not None and not Path(index).exists()
