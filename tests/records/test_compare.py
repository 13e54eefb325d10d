import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from factories import make_provenance, make_record
from vosbench.dataset import Listed
from vosbench.dataset.selection import Choice, select
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.score import score
from vosbench.metrics.measures import MASKS, SALIENCY, measure_of
from vosbench.records.compare import compare, frames_apart, unlike
from vosbench.records.record import Record
from vosbench.registry import load_dataset
from vosbench.report.comparison import tables, to_json
from vosbench.report.table import Number, render

SIGNATURE = "toy@1|J:all|F:0.008|avg:video|vosbench 0.1.0"


def record(videos: Mapping[str, Mapping[str, float | None]], **changes: object) -> Record:
    scores = dict.fromkeys(next(iter(videos.values())), 0.5)
    return make_record(scores=scores, videos=videos, **changes)


def of_measure(name: str, **values: float | None) -> Record:
    return record({video: {name: value} for video, value in values.items()})


def test_a_record_and_itself() -> None:
    one = of_measure("J_mean", a=0.1, b=0.8, c=0.3, d=0.9)
    (effect,) = compare(one, one, {})
    assert effect.compared.difference == 0
    assert (effect.compared.interval.low, effect.compared.interval.high) == (0, 0)
    assert effect.compared.p == 1
    assert unlike(one, one) == frames_apart(one, one) == []


def test_three_videos_by_hand() -> None:
    """All eight swaps of three differences of one sign: only none and all are as far from 0."""
    (effect,) = compare(of_measure("J_mean", a=0.5, b=0.7, c=0.9), of_measure("J_mean", a=0.4, b=0.5, c=0.6), {})
    assert effect.compared.difference == pytest.approx(0.2)
    assert effect.compared.p == 2 / 8
    assert effect.compared.exact
    assert [each.difference for each in effect.deltas] == pytest.approx([0.1, 0.2, 0.3])


def test_swapped_records_give_the_opposite() -> None:
    rng = np.random.default_rng(0)
    one, other = (of_measure("J_mean", **{f"v{i}": float(x) for i, x in enumerate(rng.random(9))}) for _ in range(2))
    (forth,), (back,) = compare(one, other, {}), compare(other, one, {})
    assert forth.compared.difference == -back.compared.difference
    assert forth.compared.p == back.compared.p
    assert forth.compared.interval.low is not None
    assert back.compared.interval.high is not None
    assert forth.compared.interval.low == pytest.approx(-back.compared.interval.high, abs=0.03)


def test_attributes_by_hand() -> None:
    listing = {
        "a": Listed(frames=1, attributes=("FM", "OCC")),
        "b": Listed(frames=1, attributes=("FM",)),
        "c": Listed(frames=1),
    }
    one, other = of_measure("J_mean", a=0.5, b=0.7, c=0.9), of_measure("J_mean", a=0.4, b=0.4, c=0.9)
    (effect,) = compare(one, other, listing)
    found = {each.attribute: (each.videos, each.difference, each.others) for each in effect.attributes}
    assert found["FM"] == (2, pytest.approx(0.2), pytest.approx(0.0))
    assert found["OCC"] == (1, pytest.approx(0.1), pytest.approx(0.15))
    assert effect.attributes[0].interval.low is None


def test_stability_is_compared_where_it_is_averaged() -> None:
    listing = {"a": Listed(frames=1), "b": Listed(frames=1, stable=False)}
    one, other = of_measure("T_mean", a=0.5, b=9.0), of_measure("T_mean", a=0.25, b=1.0)
    (effect,) = compare(one, other, listing)
    assert [each.video for each in effect.deltas] == ["a"]


def test_what_only_one_has_is_left_out() -> None:
    (effect,) = compare(of_measure("J_mean", a=0.5, b=None, c=0.1), of_measure("J_mean", a=0.4, b=0.5, d=0.1), {})
    assert [each.video for each in effect.deltas] == ["a"]
    with pytest.raises(DataError, match="nothing to compare"):
        compare(of_measure("J_mean", a=0.5), of_measure("J_mean", b=0.5), {})
    with pytest.raises(UsageError, match="they have J_mean"):
        compare(of_measure("J_mean", a=0.5), of_measure("J_mean", a=0.5), {}, ["F_mean"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset": "other"}, "datasets differ: toy val and other val"),
        ({"split": "train"}, "datasets differ: toy val and toy train"),
        ({"protocol": "toy@2", "signature": SIGNATURE.replace("@1", "@2")}, "protocols differ: toy@1"),
        ({"signature": SIGNATURE.replace("0.008", "0.01")}, "protocols differ: toy@1"),
        ({"provenance": {"limit": 8}}, "limits of frames differ: none and 8"),
        ({"provenance": {"annotations": "b" * 64}}, "annotations differ"),
    ],
)
def test_records_that_are_not_comparable(changes: dict[str, object], said: str) -> None:
    videos = {"a": {"J_mean": 0.5}}
    (line,) = unlike(record(videos), record(videos, **changes))
    assert line.startswith(said)


def test_records_that_are_comparable() -> None:
    videos = {"a": {"J_mean": 0.5, "F_mean": 0.5}}
    one = record(videos)
    assert unlike(one, record(videos, signature=SIGNATURE.replace("0.1.0", "0.2.0"))) == []
    fewer = record({"a": {"J_mean": 0.5}}, signature="toy@1|J:all|avg:video|vosbench 0.1.0")
    assert unlike(one, fewer) == [], "some of the measures"
    more = record({"a": {"J_mean": 0.5, "F_mean": 0.5}, "b": {"J_mean": 0.5, "F_mean": 0.5}})
    elsewhere = more.model_copy(update={"provenance": make_provenance(annotations="b" * 64)})
    assert unlike(one, elsewhere) == [], "the hash is of all videos"
    limit = {"signature": f"limit:8|{SIGNATURE}", "provenance": {"limit": 8}}
    assert len(unlike(one, record(videos, **limit))) == 1, "said once"


def test_frame_sets() -> None:
    one = record({"a": {"J_mean": 0.5}, "b": {"J_mean": None}}, missing=["b/00003"])
    other = record({"a": {"J_mean": 0.5}, "c": {"J_mean": 0.5}})
    assert frames_apart(one, other) == [
        'only the first has "b"',
        'only in the first are missing: "b/00003"',
        'only the second has "c"',
    ]


def test_directions() -> None:
    lower = {"J_decay", "F_decay", "T_mean", "T_all_mean", "MAE"}
    keys = {f"{name}_{part}" for name in ("J", "F") for part in ("mean", "recall", "decay")}
    for key in (keys - lower) | {"JF_mean", "OB_F", *SALIENCY} - lower:
        assert measure_of(key).better == "higher", key
    for key in lower:
        assert measure_of(key).better == "lower", key
    assert set(MASKS) == {"J", "F", "T"}


@pytest.mark.parametrize(("measure", "worst"), [("J_mean", "a"), ("T_mean", "c")])
def test_worst_and_best_know_what_is_better(measure: str, worst: str) -> None:
    one, other = of_measure(measure, a=0.1, b=0.5, c=0.9), of_measure(measure, a=0.5, b=0.5, c=0.5)
    *_, ends = tables([one, other], [compare(one, other, {})])
    assert ends.rows[0][0] == worst


def test_the_better_one_is_named_where_there_is_little_doubt() -> None:
    better_one = of_measure("MAE", a=0.10, b=0.11, c=0.12, d=0.13).model_copy(update={"method": "better"})
    worse_one = of_measure("MAE", a=0.30, b=0.32, c=0.33, d=0.36).model_copy(update={"method": "worse"})
    shown, *_ = tables([better_one, worse_one], [compare(better_one, worse_one, {})])
    assert shown.rows[0][-1] == "better"
    shown, *_ = tables([worse_one, better_one], [compare(worse_one, better_one, {})])
    assert shown.rows[0][-1] == "better"
    assert SIGNATURE in render(shown, "table")


def test_many_videos_show_both_ends() -> None:
    one = of_measure("J_mean", **{f"v{i:02}": i / 100 for i in range(30)})
    other = of_measure("J_mean", **{f"v{i:02}": 0.15 for i in range(30)})
    effects = [compare(one, other, {})]
    *_, ends = tables([one, other], effects)
    assert [row[0] for row in ends.rows] == [f"v{i:02}" for i in (*range(5), *range(25, 30))]
    (everything,) = tables([one, other], effects, "video")
    assert len(everything.rows) == 30
    assert everything.rows[3][1] == Number(0.03 - 0.15, 3, signed=True)


def test_the_document_is_whole_and_unrounded() -> None:
    one, other = of_measure("J_mean", a=1 / 3, b=0.5), of_measure("J_mean", a=1 / 7, b=0.5)
    found = json.loads(to_json([one, other], [compare(one, other, {"a": Listed(frames=1, attributes=("FM",))})], ["w"]))
    measure = found["measures"]["J_mean"]
    assert measure["videos"]["a"] == {"first": 1 / 3, "second": 1 / 7, "difference": 1 / 3 - 1 / 7}
    assert measure["difference"] == (1 / 3 - 1 / 7) / 2
    assert measure["attributes"]["FM"]["videos"] == 1
    assert found["warnings"] == ["w"]
    assert found["first"]["signature"] == SIGNATURE


def test_two_submissions_as_scipy_compares_them(real_data: Path) -> None:
    """The interval and p are those of a direct computation on the differences, with the same seed."""
    from scipy import stats

    dataset = load_dataset("davis16")
    selection = select(dataset, Choice(root=real_data / "DAVIS", measures=("J",)))
    one, other = (score(real_data / "davis16_results" / f"{name}.zip", selection)[0] for name in ("ags", "pdb"))
    assert unlike(one, other) == frames_apart(one, other) == []
    (effect,) = compare(one, other, selection.listing, seed=7)
    names = sorted(one.videos)
    differences = np.array([one.videos[name]["J_mean"] - other.videos[name]["J_mean"] for name in names])  # type: ignore[operator]
    assert effect.compared.difference == pytest.approx(differences.mean(), abs=1e-15)
    interval = stats.bootstrap(
        (np.sort(differences),), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(7)
    ).confidence_interval
    assert (effect.compared.interval.low, effect.compared.interval.high) == (interval.low, interval.high)
    tested = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=9999, rng=np.random.default_rng(7)
    )
    assert effect.compared.p == tested.pvalue
    assert effect.compared.interval.low is not None
    assert 0 < effect.compared.interval.low < 0.025 < effect.compared.difference < 0.03
    assert 0.01 < effect.compared.p < 0.04
    occluded = [
        one.videos[name]["J_mean"] - other.videos[name]["J_mean"]
        for name in names
        if "OCC" in selection.listing[name].attributes
    ]  # type: ignore[operator]
    (found,) = [each for each in effect.attributes if each.attribute == "OCC"]
    assert found.difference == pytest.approx(np.mean(occluded))
