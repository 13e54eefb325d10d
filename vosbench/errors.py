"""What can go wrong, as types. A user's mistake is one line and never a traceback.

The command line turns each into its exit code: 1 gate failed, 2 usage, 3 data or predictions unfit,
4 a video failed.
"""

import difflib
from collections.abc import Sequence


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
    return f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known)}"
