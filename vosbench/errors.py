"""Error types. A user's mistake is one line, never a traceback.

Exit codes of the command line: 1 check failed, 2 usage, 3 unusable data or predictions, or files that cannot be
written, 4 a video failed, 5 a plugin failed, 6 a worker process was killed or a cluster broke down, 70 unexpected
error, 130 interrupted, 143 terminated.
"""

import difflib
import traceback
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class VosbenchError(Exception):
    """Base class of the errors that vosbench raises; their messages are one clear line."""

    exit_code = 3

    def __str__(self) -> str:
        """The message, whatever names it quotes."""
        return printable(super().__str__())


class UsageError(VosbenchError):
    """An invalid request: an unknown name, a missing option, contradicting options."""

    exit_code = 2


class DataError(VosbenchError):
    """A dataset or predictions are missing, incomplete or not what they should be."""

    exit_code = 3


class StalledError(VosbenchError):
    """A disk or a folder on a network does not answer."""

    exit_code = 3


class MeasureError(VosbenchError, ValueError):
    """Invalid arrays for a measure: mismatched shapes, NaN, a wrong dtype or rank."""

    exit_code = 3


class PluginError(VosbenchError):
    """A method, dataset or measure of a third party failed outside of a video."""

    exit_code = 5


class WorkerError(VosbenchError):
    """A worker process ended before its work was done, or a cluster cannot do it."""

    exit_code = 6


class VideoError(VosbenchError):
    """A method failed on a video, or its maps break the predictor contract."""

    exit_code = 4


def printable(text: str) -> str:
    r"""Text whose invisible signs are escaped as in JSON: line breaks, other control characters, marks of direction.

    So is what cannot be encoded, such as bytes of a file's name.

    >>> print(printable("snow 雪\x1b\n\u202e\udcff.png"))
    snow 雪\u001b\n\u202e\udcff.png
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or unicodedata.category(sign) == "Zs" else _code(sign) for sign in text)


def _code(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    code = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(sign, code)


def suggest(name: str, known: Sequence[str]) -> str:
    """Suggest known names for an unknown one.

    >>> suggest("J_men", ["J_mean", "F_mean"])
    'did you mean "J_mean"?'
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else f"available: {', '.join(known) or 'none'}"


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural if it is not 1.

    >>> counted(1, "mask"), counted(2, "mask")
    ('1 mask', '2 masks')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


EXTRAS = {
    "torch": "torch",
    "safetensors": "torch",
    "numba": "fast",
    "zlib_ng": "fast",
    "tensorboard": "tensorboard",
    "av": "video",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "onnxscript": "onnx",
    "pyarrow": "parquet",
    "matplotlib": "plot",
    "py7zr": "archives",
    "backports": "archives",
    "jinja2": "site",
    "cloudpickle": "dist",
    "dask": "dist",
    "distributed": "dist",
    "huggingface_hub": "hub",
    "mlflow": "mlflow",
    "wandb": "wandb",
}
"""Optional modules → the extra that installs them."""


def one_line(error: BaseException) -> str:
    """An unexpected error in one line; for a missing optional package, how to install it.

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
    """The optional package whose import failed; ``""`` for any other error."""
    name = str(error.name).partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return name if name in EXTRAS else ""


@contextmanager
def extras_needed() -> Iterator[None]:
    """Say which extra to install if the block imports a package that is not installed.

    Raises:
        UsageError: if a package of `EXTRAS` is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if not missing_package(error):
            raise
        raise UsageError(one_line(error)) from error


def place(error: BaseException, module: str) -> str:
    """File and line in a module or package that raised an error.

    Args:
        error: the error, after it was raised.
        module: name of a module or package; ``""`` is any.

    Returns:
        file and line of the deepest frame in the module; of a syntax error, if there is none; otherwise ``""``.
    """
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = str(frame.f_globals.get("__name__"))
        if not module or name == module or name.startswith(f"{module}."):
            found = f'"{frame.f_code.co_filename}", line {line}'
    if not found and isinstance(error, SyntaxError) and error.filename:
        found = f'"{error.filename}", line {error.lineno}'
    return found
