"""The Python face: functions that take names or objects, paths or arrays.

Users import it from `vosbench`. The command line calls the same functions, which print nothing: what the command line
prints to stderr is in a result's ``notes``.
"""

from vosbench.face.functions import check, compare, load_dataset, load_method, read_record, read_records, run, score
from vosbench.face.options import Listener, RunOptions, SelectOptions, SetupOptions, ToleranceOptions, tolerances
from vosbench.face.result import CheckResult, CompareResult, Result
from vosbench.face.segmenting import SegmentResult, segment

__all__ = [
    "CheckResult",
    "CompareResult",
    "Listener",
    "Result",
    "RunOptions",
    "SegmentResult",
    "SelectOptions",
    "SetupOptions",
    "ToleranceOptions",
    "check",
    "compare",
    "load_dataset",
    "load_method",
    "read_record",
    "read_records",
    "run",
    "score",
    "segment",
    "tolerances",
]
