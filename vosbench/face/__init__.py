"""The Python face: functions that take names or objects, paths or arrays.

Users import it from `vosbench`. The command line calls the same functions, which print nothing: what the command line
prints to stderr is in a result's ``notes``.
"""

from vosbench.face.functions import (
    check,
    compare,
    load_dataset,
    load_method,
    load_suite,
    read_record,
    read_records,
    run,
    score,
)
from vosbench.face.options import (
    Listener,
    RunOptions,
    SelectOptions,
    SetupOptions,
    SuiteOptions,
    SuiteRunOptions,
    ToleranceOptions,
    tolerances,
)
from vosbench.face.plans import PlanCheck, PlanResult, check_plan, plan_status, run_plan, score_plan
from vosbench.face.result import CheckResult, CompareResult, Result, SuiteResult
from vosbench.face.segmenting import SegmentResult, segment
from vosbench.face.several import score_several
from vosbench.face.suites import run_suite, score_suite

__all__ = [
    "CheckResult",
    "CompareResult",
    "Listener",
    "PlanCheck",
    "PlanResult",
    "Result",
    "RunOptions",
    "SegmentResult",
    "SelectOptions",
    "SetupOptions",
    "SuiteOptions",
    "SuiteResult",
    "SuiteRunOptions",
    "ToleranceOptions",
    "check",
    "check_plan",
    "compare",
    "load_dataset",
    "load_method",
    "load_suite",
    "plan_status",
    "read_record",
    "read_records",
    "run",
    "run_plan",
    "run_suite",
    "score",
    "score_plan",
    "score_several",
    "score_suite",
    "segment",
    "tolerances",
]
