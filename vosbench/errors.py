"""What can go wrong, as types. A user's mistake is one line and never a traceback.

The command line turns each into its exit code: 1 gate failed, 2 usage, 3 data or predictions unfit,
4 a video failed.
"""


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
