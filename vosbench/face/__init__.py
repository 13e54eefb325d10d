"""The Python face: functions that take names or objects, paths or arrays.

Users import it from `vosbench`. The command line calls the same functions, which print nothing: what the command line
prints to stderr is in a result's ``notes``.
"""

from vosbench.face.functions import check, compare, load_dataset, load_method, read_record, read_records, run, score
from vosbench.face.options import Listener, RunOptions, SelectOptions, ToleranceOptions, tolerances
from vosbench.face.result import CheckResult, CompareResult, Result

__all__ = [
    "CheckResult",
    "CompareResult",
    "Listener",
    "Result",
    "RunOptions",
    "SelectOptions",
    "ToleranceOptions",
    "check",
    "compare",
    "load_dataset",
    "load_method",
    "read_record",
    "read_records",
    "run",
    "score",
    "tolerances",
]
