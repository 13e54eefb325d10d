"""What type checkers see of ``import vosbench``; mypy reads this file, nothing runs it."""

from pathlib import Path
from typing import assert_type

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import vosbench


def scores_of_masks(frames: list[NDArray[np.bool_]], movie: NDArray[np.uint8]) -> None:
    result = vosbench.score("masks.zip", dataset="davis16", root=Path("DAVIS"), measures="J,F", jobs=2)
    assert_type(result, vosbench.Result)
    assert_type(result.scores, dict[str, float | None])
    assert_type(result.record, vosbench.Record)
    assert_type(result.to_latex(), str)
    assert_type(result.to_frame(), pd.DataFrame)
    assert_type(result.frames(), pd.DataFrame)
    assert_type(vosbench.score(frames, frames, protocol=vosbench.DatasetProtocol(name="mine")), vosbench.Result)
    assert_type(vosbench.score({"cow": movie}, {"cow": movie}), vosbench.Result)
    vosbench.score("masks", dataset="sample", limit="three")  # type: ignore[arg-type]


def runs_and_judgements(run: vosbench.Result) -> None:
    assert_type(
        vosbench.run(vosbench.load_method("f2net.tiny"), vosbench.load_dataset("sample"), seed=3), vosbench.Result
    )
    assert_type(vosbench.compare(run, "other.json"), vosbench.CompareResult)
    assert_type(vosbench.check(run, Path("baseline.json"), tolerance={"J_mean": 0.01}), vosbench.CheckResult)
    assert_type(vosbench.read_records("results", "davis16"), list[vosbench.Record])
    vosbench.run("f2net.tiny", "sample", batch_size=2)  # type: ignore[call-arg]


def suites() -> None:
    assert_type(vosbench.run_suite("f2net.tiny", "uvos", root="data", available=True), vosbench.SuiteResult)
    result = vosbench.score_suite("masks", vosbench.load_suite("vsod"), measures="MAE", jobs=2)
    assert_type(result.records, list[vosbench.Record])
    planned = vosbench.run_plan("plan.yaml", retry_failed=True, workers=2, dry_run=True)
    assert_type(planned, vosbench.PlanResult)
    assert_type(planned.problem, vosbench.VosbenchError | None)
    assert_type(vosbench.score_plan("plan.yaml", jobs=2), vosbench.PlanResult)
    assert_type(vosbench.plan_status("plan.yaml").render("csv"), str)
    assert_type(vosbench.check_plan("plan.yaml").problems, tuple[vosbench.VosbenchError, ...])
    vosbench.run_suite("f2net.tiny", "uvos", videos="cows")  # type: ignore[call-arg]


def predictor(setup: vosbench.Setup) -> vosbench.Predictor:
    raise vosbench.UsageError(setup.device)


METHOD = vosbench.Method(name="m", title="M", paper="–", licence="MIT", load=predictor)
