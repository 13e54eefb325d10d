"""vosbench: a benchmark and evaluation suite for unsupervised video object segmentation.

The names below are imported on first use, so that ``import vosbench`` is fast.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vosbench.dataset import Dataset, DatasetProtocol, Listed, Suite, SuiteEntry, Video
    from vosbench.errors import DataError, MeasureError, UsageError, VideoError, VosbenchError
    from vosbench.face import (
        CheckResult,
        CompareResult,
        PlanCheck,
        PlanResult,
        Result,
        SegmentResult,
        SuiteResult,
        check,
        check_plan,
        compare,
        load_dataset,
        load_method,
        load_suite,
        plan_status,
        read_record,
        read_records,
        run,
        run_plan,
        run_suite,
        score,
        score_plan,
        score_suite,
        segment,
    )
    from vosbench.face.figures import figure
    from vosbench.face.looking import Inspection, OverlayResult, inspect, overlay
    from vosbench.face.protocols import ExplainResult, ProtocolsResult, explain, score_protocols
    from vosbench.method import Embedder, Measurable, Method, Option, Predictor, Recipe, Resumable, Setup
    from vosbench.metrics import Family, Measure
    from vosbench.records import Record, Row

__version__ = "0.1.0"
__all__ = [
    "CheckResult",
    "CompareResult",
    "DataError",
    "Dataset",
    "DatasetProtocol",
    "Embedder",
    "ExplainResult",
    "Family",
    "Inspection",
    "Listed",
    "Measurable",
    "Measure",
    "MeasureError",
    "Method",
    "Option",
    "OverlayResult",
    "PlanCheck",
    "PlanResult",
    "Predictor",
    "ProtocolsResult",
    "Recipe",
    "Record",
    "Result",
    "Resumable",
    "Row",
    "SegmentResult",
    "Setup",
    "Suite",
    "SuiteEntry",
    "SuiteResult",
    "UsageError",
    "Video",
    "VideoError",
    "VosbenchError",
    "check",
    "check_plan",
    "compare",
    "explain",
    "figure",
    "inspect",
    "load_dataset",
    "load_method",
    "load_suite",
    "overlay",
    "plan_status",
    "read_record",
    "read_records",
    "run",
    "run_plan",
    "run_suite",
    "score",
    "score_plan",
    "score_protocols",
    "score_suite",
    "segment",
]
_FOLDER = Path(__file__).parent
if not (_FOLDER / "methods").is_dir():
    # A checkout without symbolic links, as git makes it on Windows: search their targets directly.
    __path__ += [str(_FOLDER.parent), str(_FOLDER.parent / "results")]
_ROOMS = {
    "dataset": ("Dataset", "DatasetProtocol", "Listed", "Suite", "SuiteEntry", "Video"),
    "errors": ("DataError", "MeasureError", "UsageError", "VideoError", "VosbenchError"),
    "face": (
        *("CheckResult", "CompareResult", "PlanCheck", "PlanResult", "Result", "SegmentResult", "SuiteResult"),
        *("check", "check_plan", "compare"),
        *("load_dataset", "load_method", "load_suite", "plan_status", "read_record", "read_records"),
        *("run", "run_plan", "run_suite", "score", "score_plan", "score_suite", "segment"),
    ),
    "face.looking": ("Inspection", "OverlayResult", "inspect", "overlay"),
    "face.protocols": ("ExplainResult", "ProtocolsResult", "explain", "score_protocols"),
    "face.figures": ("figure",),
    "method": ("Embedder", "Measurable", "Method", "Option", "Predictor", "Recipe", "Resumable", "Setup"),
    "metrics": ("Family", "Measure"),
    "records": ("Record", "Row"),
}


def __getattr__(name: str) -> object:
    """Import a name from the module that exports it."""
    from importlib import import_module

    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f"vosbench.{room}"), name)
    raise AttributeError(f'module "vosbench" has no attribute "{name}"')


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
