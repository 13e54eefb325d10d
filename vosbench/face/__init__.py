"""The Python face: names or objects, paths or arrays in; results that show themselves out.

Users import this from `vosbench`. The verbs of the command line call the same functions, which print nothing: what the
command line says on stderr is kept in a result's ``notes``.
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
