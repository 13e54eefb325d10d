"""Read pickled containers and numeric arrays without running code.

A pickle is a program that may call anything that can be imported. Here only a few names are allowed, and those of NumPy
resolve to the stand-ins below, which only convert bytes to numbers.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vosbench.errors import DataError

BROKEN = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, OSError,
    MemoryError, OverflowError, UnicodeError, RecursionError, ImportError,
)  # fmt: skip


class Type:
    """Stand-in for `numpy.dtype`: booleans, integers and floats only."""

    def __init__(self, code: str, *_: object) -> None:
        self._type = np.dtype(code)
        if self._type.kind not in "biuf":
            raise ValueError(f"unsupported array of {self._type}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Set the byte order; ``|`` is none."""
        self._type = self._type.newbyteorder(state[1])

    def read(self, data: bytes | str) -> np.ndarray[Any, Any]:
        """Convert bytes to (N,) numbers; Python 2 pickled bytes as text."""
        return np.frombuffer(data.encode("latin1") if isinstance(data, str) else data, dtype=self._type)


class Array:
    """Stand-in for `numpy.ndarray` while a pickle is read."""

    def __init__(self, *_: object) -> None:
        self.values: np.ndarray[Any, Any] = np.zeros(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Set the state: (version, shape, type, whether in column order, bytes)."""
        _, shape, kind, by_column, data = state
        self.values = kind.read(data).reshape(shape, order="F" if by_column else "C")


def buffered(data: bytes, kind: Type, shape: tuple[int, ...], order: Any) -> Array:  # noqa: ANN401 - unread
    """Make an array as in protocol 5."""
    array = Array()
    array.values = kind.read(data).reshape(shape, order=order)
    return array


def scalar(kind: Type, data: bytes | str) -> float:
    """Make a number from a NumPy scalar."""
    number: float = kind.read(data)[0].item()
    return number


def as_bytes(text: str, _: str = "latin1") -> bytes:
    """Make bytes as in protocol 2."""
    return text.encode("latin1")


ALLOWED: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): Type,
    ("_codecs", "encode"): as_bytes,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): buffered for core in ("core", "_core")},
}


class Reader(pickle.Unpickler):
    """An unpickler that imports nothing."""

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        """Look up an allowed name; see `pickle.Unpickler`."""
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}") from None


def read(path: Path) -> object:
    """Read a pickle of containers, numbers, text and numeric arrays; arrays are `Array`.

    Raises:
        DataError: if the file cannot be read or contains anything else.
    """
    try:
        with path.open("rb") as file:
            return Reader(file, encoding="latin1").load()
    except BROKEN as error:
        raise DataError(f'"{path}" is not a pickle of plain arrays and containers: {error}') from error
