from typing import get_args

import pytest

from vosbench.errors import UsageError
from vosbench.metrics.measures import (
    CRITERIA,
    MASKS,
    MEASURES,
    OVERLAPS,
    OVERVIEW,
    REGIONS,
    SALIENCY,
    Better,
    Measure,
    headings,
    leading,
    measure_of,
    name_of,
)
from vosbench.records.record import Speed
from vosbench.records.tolerance import Tolerances


def test_every_measure_is_complete() -> None:
    taken = {*MASKS, *REGIONS, *SALIENCY}
    for name, each in MEASURES.items():
        assert each.name == name
        assert each.heading
        assert each.better in get_args(Better)
        assert each.symbol in taken | {""}
        assert each.tolerance > 0
    assert {each.symbol for each in MEASURES.values()} == taken | {""}
    assert {*OVERVIEW, *CRITERIA} <= MEASURES.keys()
    assert all(measure_of(name).better == "higher" for name in CRITERIA), "the largest is taken as the best"
    assert {"fps", "latency", "peak_memory", "parameters", "gmacs"} <= MEASURES.keys() & Speed.model_fields.keys()


def test_every_frame_has_statistics_of_overlaps() -> None:
    for symbol in OVERLAPS:
        names = [each.name for each in MEASURES.values() if each.symbol == symbol]
        assert names == [f"{symbol}_mean", f"{symbol}_recall", f"{symbol}_decay"]
        assert measure_of(f"{symbol}_decay").better == "lower"
        assert headings(names) == [f"{symbol} mean", f"{symbol} recall", f"{symbol} decay"]


def test_lower_is_better_of_these_alone() -> None:
    lower = {name for name, each in MEASURES.items() if each.better == "lower" and each.measured}
    assert lower == {
        "J_decay",
        "F_decay",
        "T_mean",
        "T_all_mean",
        "MAE",
        "latency",
        "peak_memory",
        "parameters",
        "gmacs",
    }


def test_gain_is_positive_for_the_better() -> None:
    assert measure_of("maxF").gain(0.25) == 0.25
    assert measure_of("MAE").gain(0.25) == -0.25
    assert measure_of("nobody knows").gain(0.25) == measure_of("nobody knows").gain(-0.25) == -0.25


def test_default_tolerances_are_those_of_the_table() -> None:
    assert Tolerances().of_mean("T_mean", 0.5) == measure_of("T_mean").tolerance == 0.02
    assert Tolerances().of_video("cows", "T_mean") == measure_of("T_mean").video_tolerance == 0.1
    assert Tolerances().of_video("cows", "J_recall") is None


def test_asked_for_by_name_or_heading() -> None:
    assert name_of("t", ["J_mean", "T_mean"]) == name_of("T_MEAN", ["T_mean"]) == "T_mean"
    assert name_of("F", ["F_mean", "OB_F"]) == "OB_F"
    with pytest.raises(UsageError, match='did you mean "J_mean"'):
        name_of("J_men", ["J_mean"])
    assert leading(["J_mean", "JF_mean"]) == "JF_mean"
    assert leading(["MAE", "maxF"]) == "MAE"


def test_what_is_not_in_the_table_has_its_plain_name() -> None:
    assert measure_of("mine") == Measure(name="mine", heading="mine", better="")
