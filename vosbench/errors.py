"""What can go wrong, as types. A user's mistake is one line and never a traceback.

The command line turns each into its exit code: 1 gate failed, 2 usage, 3 data or predictions unfit,
4 a video failed; 70 is an error that nobody foresaw.
"""

import difflib
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class VosbenchError(Exception):
    """Base of every error that vosbench raises on purpose; its message is one clear line."""

    exit_code = 3


class UsageError(VosbenchError):
    """The request itself cannot be met: an unknown name, a missing option, two that contradict."""

    exit_code = 2


class DataError(VosbenchError):
    """A dataset or a set of predictions is missing, incomplete or not what it is said to be."""

    exit_code = 3


class MeasureError(VosbenchError, ValueError):
    """Arrays that a measure cannot take: mismatched shapes, NaN, a wrong dtype or rank."""

    exit_code = 3


class VideoError(VosbenchError):
    """A method failed on a video, or gave maps that break the predictor contract."""

    exit_code = 4


def suggest(name: str, known: Sequence[str]) -> str:
    """What to type instead of an unknown name.

    >>> suggest("J_men", ["J_mean", "F_mean"])
    'did you mean "J_mean"?'
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known) or 'none'}"


EXTRAS = {"torch": "torch", "safetensors": "torch", "numba": "fast", "zlib_ng": "fast"}
"""Modules that vosbench is installed without → the extra that brings them."""


def one_line(error: BaseException) -> str:
    """An error that nobody foresaw, in one line, as Python names it; of a package that an extra brings, how to get it.

    >>> one_line(KeyError("cow"))
    "KeyError: 'cow'"
    >>> one_line(ModuleNotFoundError("No module named 'torch'", name="torch"))
    'torch is not installed; run: pip install "vosbench[torch]"'
    """
    if package := missing_package(error):
        return f'{package} is not installed; run: pip install "vosbench[{EXTRAS[package]}]"'
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def missing_package(error: BaseException) -> str:
    """The package of an extra whose import failed; ``""`` if the error is another."""
    name = str(error.name).partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return name if name in EXTRAS else ""


@contextmanager
def extras_needed() -> Iterator[None]:
    """Say which extra to install if the block imports a package that is not installed.

    Raises:
        UsageError: if the import of a package of `EXTRAS` fails.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if not missing_package(error):
            raise
        raise UsageError(one_line(error)) from error


def place(error: BaseException, module: str) -> str:
    """Where inside a module or package an error comes from.

    Args:
        error: the error, after it was raised.
        module: name of a module or package; ``""`` is any.

    Returns:
        File and line of the deepest frame inside it; of a syntax error, if no code of it ran; else ``""``.
    """
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = str(frame.f_globals.get("__name__"))
        if not module or name == module or name.startswith(f"{module}."):
            found = f'"{frame.f_code.co_filename}", line {line}'
    if not found and isinstance(error, SyntaxError) and error.filename:
        found = f'"{error.filename}", line {error.lineno}'
    return found
