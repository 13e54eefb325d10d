"""Averaging rules, checked by hand and on random small sets of videos."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import make_record
from vosbench.dataset import DatasetProtocol, Listed
from vosbench.errors import DataError
from vosbench.evaluate.aggregate import VideoScores, dataset_scores, video_scores
from vosbench.evaluate.task import Scored
from vosbench.metrics.ochs_brox import ObjectScores
from vosbench.metrics.statistics import mean
from vosbench.records.record import Record, Row
from vosbench.registry import load_dataset
from vosbench.report import grouped as report

SCORES = {"a1": {"J_mean": 0.5}, "a2": {"J_mean": 1.0}, "b1": {"J_mean": 0.25}}
CATEGORIES = {"a1": "a", "a2": "a", "b1": "b"}
LISTING = {name: Listed(frames=1, category=category) for name, category in CATEGORIES.items()}


def scored(video: str, values: list[float], missing: tuple[int, ...] = (), measure: str = "J") -> Scored:
    rows = tuple(Row(video, frame, measure, value) for frame, value in enumerate(values))
    return Scored(video=video, rows=rows, missing=missing, unscored=0, annotations="")


def listed(*names: str) -> dict[str, Listed]:
    return {name: Listed(frames=1) for name in names}


def test_means_by_hand() -> None:
    videos = VideoScores(SCORES, LISTING)
    assert videos.mean("J_mean") == 1.75 / 3
    assert videos.mean("J_mean", ["a2"]) == 1.0
    assert videos.by_category("J_mean") == {"a": 0.75, "b": 0.25}
    assert videos.category_mean("J_mean") == 0.5


@pytest.mark.parametrize("gap", ["absent", "incomplete", "without a value"])
def test_an_incomplete_set_has_no_mean(gap: str) -> None:
    """A category or attribute whose own videos are complete still has result."""
    scores: dict[str, dict[str, float | None]] = {**SCORES, "b1": {"J_mean": None}}
    if gap == "absent":
        del scores["b1"]
    listing = {
        "a1": Listed(frames=1, category="a", attributes=("FM",)),
        "a2": Listed(frames=1, category="a"),
        "b1": Listed(frames=1, category="b", attributes=("OCC",)),
    }
    videos = VideoScores(scores, listing, {"b1"} if gap == "incomplete" else ())
    assert videos.mean("J_mean") is videos.category_mean("J_mean") is None
    assert videos.by_category("J_mean") == {"a": 0.75, "b": None}
    assert videos.by_attribute("J_mean", "FM") == (0.5, None)
    assert videos.by_attribute("J_mean", "OCC") == (None, None)


def test_no_videos_have_no_mean() -> None:
    videos = VideoScores({}, {})
    assert videos.mean("J_mean") is videos.category_mean("J_mean") is None
    assert videos.by_attribute("J_mean", "FM") == (None, None)


def test_a_skipped_video_does_not_count() -> None:
    scores = {**SCORES, "b1": {"J_mean": None}}
    videos = VideoScores(scores, LISTING, skippable={"J_mean"})
    assert videos.values("J_mean") == {"a1": 0.5, "a2": 1.0}
    assert videos.mean("J_mean") == videos.category_mean("J_mean") == 0.75
    assert videos.by_category("J_mean") == {"a": 0.75}
    assert VideoScores(scores, LISTING, {"b1"}, {"J_mean"}).mean("J_mean") is None


def test_an_unstable_video_counts_for_everything_but_stability() -> None:
    scores = {"a": {"J_mean": 0.5, "T_mean": 0.25}, "b": {"J_mean": 1.0, "T_mean": 0.75}}
    listing = {
        "a": Listed(frames=1, category="cow", attributes=("FM",)),
        "b": Listed(frames=1, category="cow", attributes=("FM",), stable=False),
    }
    videos = VideoScores(scores, listing)
    assert (videos.mean("J_mean"), videos.mean("T_mean"), videos.mean("T_all_mean")) == (0.75, 0.25, 0.5)
    assert videos.by_category("T_mean") == {"cow": 0.25}
    assert videos.by_attribute("T_mean", "FM") == (0.25, None)
    assert videos.by_attribute("J_mean", "FM") == (0.75, None)
    # If an unstable video is missing, the record has no mean, so the same mean elsewhere must be None too.
    partial = VideoScores({"a": scores["a"]}, listing)
    assert partial.mean("T_mean") is partial.category_mean("T_mean") is None
    assert partial.by_category("T_mean") == {"cow": 0.25}


def test_without_a_category_there_is_no_category_mean() -> None:
    videos = VideoScores(SCORES, {**LISTING, "b1": Listed(frames=1)})
    assert videos.mean("J_mean") is not None
    assert videos.category_mean("J_mean") is None


def test_attributes_by_hand() -> None:
    attributes = {"a1": ("FM", "OCC", "ROT"), "a2": ("OCC",), "b1": ("OCC", "FM")}
    videos = VideoScores(SCORES, {name: Listed(frames=1, attributes=names) for name, names in attributes.items()})
    assert videos.by_attribute("J_mean", "FM") == (0.375, 1.0 - 0.375)
    assert videos.by_attribute("J_mean", "OCC") == (1.75 / 3, None)
    assert videos.by_attribute("J_mean", "SV") == (None, None)


def test_region_measures_are_combined_like_shots() -> None:
    """F is the harmonic mean of the mean precision and recall, and objects are summed."""
    shots = {"a": ObjectScores(1.0, 0.5, 2 / 3, 1, 2, 1.0), "b": ObjectScores(0.5, 0.5, 0.5, 2, 3, 1.0)}
    protocol = DatasetProtocol(name="p", measures=("OB",), unit="regions")
    results = [
        Scored(video=name, rows=(), missing=(), unscored=0, annotations="", regions=shot)
        for name, shot in shots.items()
    ]
    expected = {"OB_precision": 0.75, "OB_recall": 0.5, "OB_F": pytest.approx(0.6), "OB_extracted": 3.0}
    assert dataset_scores(results, protocol, listed("a", "b")) == expected
    videos = VideoScores({result.video: video_scores(result, protocol) for result in results}, listed("a", "b"))
    assert {key: videos.mean(key) for key in expected} == expected
    assert videos.mean("OB_F", ["b"]) == 0.5
    assert set(dataset_scores(results, protocol, listed("a", "b", "c")).values()) == {None}


def test_vocabulary_of_davis() -> None:
    """The fifteen attributes of the paper's table, and rotation, which was added later."""
    attributes = {name for video in load_dataset("davis16").listing("trainval").values() for name in video.attributes}
    assert attributes == {
        *("AC", "BC", "CS", "DB", "DEF", "EA", "FM", "HO"),
        *("IO", "LR", "MB", "OCC", "OV", "ROT", "SC", "SV"),
    }


def test_real_frames(real_data: Path, reference: Path) -> None:
    """Per-frame values of the leaderboard, rounded to three decimals, give its mean."""
    frames = json.loads((real_data / "davis16_results" / "osvos.official_per_frame.json").read_text())
    listing = load_dataset("davis16").listing("val")
    results = [scored(name, [float(value) for value in frames[name]["J"]]) for name in listing]
    with (reference / "official_davis16_val.csv").open() as file:
        (official,) = [float(row["J_mean"]) for row in csv.DictReader(file) if row["method"] == "osvos"]
    over = {
        average: dataset_scores(results, DatasetProtocol(name="p", measures=("J",), average=average), listing)["J_mean"]  # type: ignore[arg-type]
        for average in ("video", "frame")
    }
    assert over["video"] == pytest.approx(official, abs=0.001)
    assert over["frame"] != over["video"]
    videos = VideoScores(
        {result.video: video_scores(result, DatasetProtocol(name="p", measures=("J",))) for result in results}, listing
    )
    for attribute in {name for video in listing.values() for name in video.attributes}:
        value, gain = videos.by_attribute("J_mean", attribute)
        assert value is not None
        assert gain is not None
        having = sum(attribute in video.attributes for video in listing.values())
        assert value + gain * (len(listing) - having) / len(listing) == pytest.approx(over["video"])


def test_average_is_over_videos_not_frames() -> None:
    results = [scored("short", [1.0]), scored("long", [0.0] * 9)]
    protocol = DatasetProtocol(name="p", measures=("J",))
    assert dataset_scores(results, protocol, listed("short", "long"))["J_mean"] == 0.5
    assert dataset_scores(results, protocol, listed("short", "long", "third"))["J_mean"] is None
    broken = [results[0], scored("long", [0.0] * 9, missing=(3,))]
    assert dataset_scores(broken, protocol, listed("short", "long"))["J_mean"] is None


def test_stability_is_averaged_over_stable_videos_and_over_all() -> None:
    results = [scored("a", [0.1, 0.3], measure="T"), scored("b", [0.6], measure="T"), scored("c", [], measure="T")]
    protocol = DatasetProtocol(name="p", measures=("T",))
    scores = dataset_scores(results, protocol, listed("a", "c") | {"b": Listed(frames=1, stable=False)})
    assert scores == {"T_mean": pytest.approx(0.2), "T_all_mean": pytest.approx(0.4)}
    assert dataset_scores(results, protocol, listed("a", "b", "c", "d"))["T_all_mean"] is None
    unstable = {name: Listed(frames=1, stable=False) for name in "abc"}
    assert dataset_scores(results, protocol, unstable)["T_mean"] is None


def test_objects_of_all_videos_are_averaged() -> None:
    one = scored("a", [1.0, 1.0], measure="J.1")
    rows = (*scored("b", [0.0], measure="J.1").rows, *scored("b", [0.5], measure="J.2").rows)
    two = Scored(video="b", rows=rows, missing=(), unscored=0, annotations="")
    protocol = DatasetProtocol(name="p", measures=("J",), unit="objects", average="object")
    assert dataset_scores([one, two], protocol, listed("a", "b"))["J_mean"] == 0.5
    assert dataset_scores([one], protocol, listed("a", "b"))["J_mean"] is None


def test_averages_of_a_protocol_differ() -> None:
    results = [scored("a", [1.0]), scored("b", [0.0] * 3), scored("c", [0.8, 0.8])]
    listing = {name: Listed(frames=1, category="cow" if name == "a" else "dog") for name in "abc"}
    by_average = {
        average: dataset_scores(results, DatasetProtocol(name="p", measures=("J",), average=average), listing)  # type: ignore[arg-type]
        for average in ("video", "category", "frame")
    }
    assert {name: scores["J_mean"] for name, scores in by_average.items()} == {
        "video": pytest.approx(0.6),
        "category": pytest.approx(0.7),
        "frame": pytest.approx(2.6 / 6),
    }
    assert "J_decay" not in by_average["frame"]
    with pytest.raises(DataError, match="has none"):
        dataset_scores(results, DatasetProtocol(name="p", measures=("J",), average="category"), listed("a"))


@pytest.mark.parametrize("measures", [("J",), ("J", "T")])
def test_videos_without_objects_do_not_count_if_empty_frames_are_skipped(measures: tuple[str, ...]) -> None:
    """A video that only has temporal stability does not count for J."""
    results = [scored("a", [1.0]), scored("b", [0.5], measure="T")]
    skip = DatasetProtocol(name="p", measures=measures, empty="skip")
    assert dataset_scores(results, skip, listed("a", "b"))["J_mean"] == 1.0
    assert dataset_scores(results, DatasetProtocol(name="p", measures=measures), listed("a", "b"))["J_mean"] is None


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[Scored], dict[str, Listed], DatasetProtocol]:
    """Up to five videos of one to three frames; some are absent, incomplete, empty, unstable or have no contour."""
    average = draw(st.sampled_from(["video", "category", "object", "frame"]))
    protocol = DatasetProtocol(
        name="p",
        measures=("J", "F", "T"),
        unit="objects" if average == "object" else "foreground",
        average=average,
        empty=draw(st.sampled_from(["score", "skip"])),
    )
    values = st.floats(0, 1)
    listing, results = {}, []
    for name in "abcde"[: draw(st.integers(1, 5))]:
        listing[name] = Listed(frames=3, stable=draw(st.booleans()), category=draw(st.sampled_from(["cow", "dog"])))
        if draw(st.integers(0, 9)) == 0:
            continue
        empty = protocol.empty == "skip" and draw(st.booleans())
        objects = [".1", ".2"][: draw(st.integers(1, 2))] if average == "object" else [""]
        frames = draw(st.integers(1, 3))
        rows = [
            Row(name, frame, measure + label, draw(values))
            for measure in ("J", "F")
            for label in objects
            for frame in range(frames)
            if not empty
        ]
        rows += [Row(name, frame, "T", draw(values)) for frame in range(draw(st.integers(0, frames)))]
        missing = (frames,) if draw(st.integers(0, 9)) == 0 else ()
        results.append(Scored(video=name, rows=tuple(rows), missing=missing, unscored=0, annotations=""))
    return results, listing, protocol


def as_record(results: list[Scored], listing: Mapping[str, Listed], protocol: DatasetProtocol) -> Record:
    missing = [name for name in listing if name not in {result.video for result in results}]
    return make_record(
        scores=dataset_scores(results, protocol, listing),
        videos={result.video: video_scores(result, protocol) for result in results},
        signature=protocol.signature("0"),
        missing=[*missing, *(f"{result.video}/{index:05d}" for result in results for index in result.missing)],
    )


def near(value: object) -> object:
    return None if value is None else pytest.approx(value, abs=1e-12)


@given(splits())
def test_numbers_shown_in_two_places_are_equal(
    case: tuple[list[Scored], dict[str, Listed], DatasetProtocol],
) -> None:
    results, listing, protocol = case
    record = as_record(results, listing, protocol)
    selection = cast("Any", SimpleNamespace(chosen=listing, protocol=protocol, dataset=SimpleNamespace(title="D")))
    shown: dict[str, dict[Any, dict[str, Any]]] = {}
    for by in ("average", "category", "video", "interval"):
        with mock.patch.object(report, "RESAMPLES", 100):
            table = report.breakdown(record, results, selection, by)  # type: ignore[arg-type]
        shown[by] = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    column = {"video": "sequence mean", "category": "category mean", "object": "object mean", "frame": "frame mean"}
    for name in ("J", "F"):
        assert shown["average"][name][column[protocol.average]] == near(record.scores[f"{name}_mean"])
    assert shown["average"]["T"]["sequence mean"] == near(record.scores["T_mean"])
    if record.videos:
        for kind in ("sequence mean", "category mean"):
            assert shown["category"][kind]["J mean"] == near(shown["average"]["J"][kind])
        for by in ("category", "video"):
            assert shown[by]["sequence mean"]["T"] == near(record.scores["T_mean"])
        assert shown["interval"]["T"]["mean"] == near(record.scores["T_mean"])
        assert shown["interval"]["F mean"]["mean"] == near(shown["video"]["sequence mean"]["F mean"])
    complete = not record.missing
    counting = [result for result in results if any(row.measure.startswith("J") for row in result.rows)]
    assert (record.scores["J_mean"] is not None) == (complete and bool(counting))
    # Recompute the category mean from its definition.
    members: dict[str | None, list[float]] = {}
    for result in counting:
        series = {key: [row.value for row in result.rows if row.measure == key] for key in ("J", "J.1", "J.2")}
        value = mean([sum(values) / len(values) for values in series.values() if values])
        assert value is not None
        members.setdefault(listing[result.video].category, []).append(value)
    expected = mean([sum(values) / len(values) for values in members.values()]) if complete else None
    assert shown["average"]["J"]["category mean"] == near(expected)
