"""Numba's compiler as a decorator that keeps a function's type.

Conventions:
    Only functions that were measured to be at least twice as fast as with NumPy or OpenCV are compiled, on their
    first call, and cached on disk. ``NUMBA_DISABLE_JIT=1`` runs them as plain Python, with equal results.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers on its first call."""
    return cast("Callable[P, R]", numba.njit(cache=True)(function))
