import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from vosbench.errors import UsageError
from vosbench.metrics import measures
from vosbench.metrics.measures import (
    BOXES,
    CRITERIA,
    MAPS,
    MASKS,
    MEASURES,
    OVERLAPS,
    OVERVIEW,
    REGIONS,
    Accumulation,
    Better,
    Family,
    Measure,
    add_family,
    headings,
    leading,
    measure_of,
    name_of,
)
from vosbench.records.record import Speed
from vosbench.records.tolerance import Tolerances


def test_every_measure_is_complete() -> None:
    taken = {*MASKS, *REGIONS, *BOXES, *MAPS}
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


class Nothing:
    def add(self, _annotation: Any, _prediction: Any) -> dict[str, float]:
        return {}

    def finish(self) -> dict[str, float | None]:
        return {"mine": None}


def family(name: str = "mine", *names: str, **changes: Any) -> Family:
    known = {"start": Nothing, "measures": tuple(Measure(name=each) for each in names or ("mine",))}
    return Family(name=name, **{**known, **changes})


@pytest.fixture
def _forget() -> Iterator[None]:
    before = dict(measures._TABLE)
    yield
    measures._TABLE.clear()
    measures._TABLE.update(before)


@pytest.mark.usefixtures("_forget")
def test_a_family_is_added_once() -> None:
    add_family(family("mine", "mine_mean", "mine_low"))
    add_family(family("mine", "mine_mean", "mine_low"))
    assert [each.name for each in MEASURES.values() if each.symbol == "mine"] == ["mine_mean", "mine_low"]
    with pytest.raises(UsageError, match='"mine_low" is defined twice, by "mine" and by "other"'):
        add_family(family("other", "other", "mine_low"))
    assert "other" not in MEASURES, "all or nothing"


@pytest.mark.parametrize(
    ("name", "names", "changes", "said"),
    [
        ("J", (), {}, "it is a measure of vosbench"),
        ("mine", ("MAE",), {}, "it is a measure of vosbench"),
        ("a,b", (), {}, "cannot name a measure"),
        ("J.1", (), {}, "cannot name a measure"),
        ("mine", ("a", "a"), {}, "a measure twice"),
        ("mine", (), {"measures": ()}, "no measure"),
        ("mine", (), {"conventions": "a|b"}, "separates the parts"),
        ("mine", (), {"start": lambda: None}, "top level"),
    ],
)
def test_a_family_that_could_not_work_is_refused(
    name: str, names: tuple[str, ...], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        family(name, *names, **changes)


def test_signatures() -> None:
    assert family().signature() == "mine@1"
    assert family(version=2, conventions="d=1").signature() == "mine@2:d=1"


def boundary_iou(annotation: Any, prediction: Any) -> float:
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "boundary_iou.py"))
    accumulation: Accumulation = example["family"].start()
    (value,) = accumulation.add(annotation, prediction).values()
    assert accumulation.finish() == {"BIoU": value}
    return value


def test_the_example_by_hand() -> None:
    """Frames of 30×40 have a diagonal of 50 and bands of 1 pixel."""
    empty = np.zeros((30, 40), bool)
    square, moved, ring, corner = (empty.copy() for _ in range(4))
    square[10:20, 10:20] = True
    moved[10:20, 11:21] = True
    ring[10:20, 10:20] = True
    ring[11:19, 11:19] = False
    corner[:4, :4] = True
    assert boundary_iou(square, square) == 1
    assert boundary_iou(square, moved) == 18 / 54
    assert boundary_iou(square, ring) == 1, "what lies inside does not count"
    narrower = corner.copy()
    narrower[:, 3] = False
    assert boundary_iou(corner, narrower) == 8 / (12 + 10 - 8), "the border is a contour"
    assert boundary_iou(empty, empty) == 1
    assert boundary_iou(empty, square) == boundary_iou(square, empty) == 0
    large = np.zeros((300, 400), bool)
    large[100:200, 100:200] = True
    hollow = large.copy()
    hollow[110:190, 110:190] = False
    assert boundary_iou(large, hollow) == 1, "bands of 10 pixels"
    hollow[109:191, 109:191] = False
    assert boundary_iou(large, hollow) == (100**2 - 82**2) / (100**2 - 80**2)
