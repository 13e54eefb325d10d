"""A suite's table: which records and published numbers it shows, and how lines are formed and sorted."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from factories import make_record, number
from vosbench.dataset import Dataset, Suite, SuiteEntry
from vosbench.errors import DataError, UsageError
from vosbench.records.published import Published
from vosbench.records.record import Record
from vosbench.registry import SUITES, find, load_dataset, load_suite
from vosbench.report.leaderboard import score_keys
from vosbench.report.suite import suite_table
from vosbench.report.table import Cell, Table, render

UVOS = load_suite("uvos")
SPLITS = {entry.dataset: entry.split for entry in UVOS.entries}
PROTOCOLS = {entry.dataset: f"{entry.protocol}@1" for entry in UVOS.entries}


def datasets(suite: Suite = UVOS) -> Mapping[str, Dataset]:
    return {entry.dataset: load_dataset(entry.dataset) for entry in suite.entries}


def of(dataset: str, method: str, score: float | None, **changes: Any) -> Record:
    usual = {"dataset": dataset, "split": SPLITS[dataset], "protocol": PROTOCOLS[dataset]}
    return make_record(method, {"J_mean": score}, **{**usual, **changes})


def cells(table: Table, *columns: str) -> dict[str, tuple[Cell, ...]]:
    shown = [table.columns.index(column) for column in columns]
    return {str(row[0]): tuple(row[at] for at in shown) for row in table.rows}


def printed(**changes: str) -> Published:
    usual = {"dataset": "ytobj", "split": "test", "protocol": "ytobj-category@1", "source": "F2Net Table 4"}
    return number(**{**usual, **changes})


@pytest.mark.parametrize("name", find(SUITES))
def test_datasets_of_suites_have_their_splits_protocols_and_scores(name: str) -> None:
    suite = load_suite(name)
    for entry, dataset in ((entry, load_dataset(entry.dataset)) for entry in suite.entries):
        assert set(entry.scores) <= set(score_keys(entry.protocol_of(dataset)))


def test_vsod_is_the_benchmark_of_ssav() -> None:
    suite = load_suite("vsod")
    counts = {entry.dataset: len(load_dataset(entry.dataset).listing(entry.split)) for entry in suite.entries}
    assert counts == {"visal": 17, "davis16": 20, "fbms": 30, "segtrack2": 13, "davsod": 35, "vos": 40}
    assert {entry.protocol for entry in suite.entries} == {"vsod-davsod"}


def test_lines_are_methods_and_columns_datasets() -> None:
    found = [of("davis16", "a", 0.5), of("fbms", "a", 0.6), of("fbms", "b", 0.9), of("ytobj", "b", 0.7)]
    table, left_out = suite_table(UVOS, datasets(), found)
    assert table.columns == (
        "method",
        *("DAVIS-2016 J&F", "DAVIS-2016 J mean", "DAVIS-2016 F mean"),
        *("FBMS-59 J mean", "YouTube-Objects J mean"),
    )
    assert [*table.rows] == [("a", None, 0.5, None, 0.6, None), ("b", None, None, None, 0.9, 0.7)]
    assert table.notes[1] == "fbms test, fbms-seqmean@1|J:all|F:0.008|avg:video"
    assert not left_out
    assert "| a        |" in render(table, "md")


@pytest.mark.parametrize(
    "changes",
    [
        {"split": "train"},
        {"protocol": "fbms-framemean@1"},
        {"protocol": "fbms-seqmean@2"},
    ],
)
def test_records_of_other_splits_protocols_and_versions_are_not_in_it(changes: dict[str, str]) -> None:
    found = [of("fbms", "a", 0.6, **changes), of("ytobj", "a", 0.7)]
    table, left_out = suite_table(UVOS, datasets(), found)
    assert cells(table, "FBMS-59 J mean") == {"a": (None,)}
    assert table.notes[1] == "fbms test, fbms-seqmean@1, no records"
    assert not left_out


def test_incomplete_records_are_left_out_with_a_reason() -> None:
    found = [of("fbms", "a", 0.6, provenance={"limit": 3}), of("ytobj", "a", 0.7)]
    table, left_out = suite_table(UVOS, datasets(), found)
    assert cells(table, "FBMS-59 J mean") == {"a": (None,)}
    assert left_out == ['"a" (fbms test) is left out: only 3 frames of each video']
    with pytest.raises(DataError, match=r'nothing to show for the suite "uvos" .*only 3 frames'):
        suite_table(UVOS, datasets(), found[:1])


def test_of_two_records_of_a_method_the_one_with_more_measures_is_shown() -> None:
    signature = "fbms-seqmean@1|J:all|avg:video|vosbench 0.1.0"
    found = [of("fbms", "a", 0.5, apart="+J", signature=signature), of("fbms", "a", 0.6)]
    table, left_out = suite_table(UVOS, datasets(), found)
    assert cells(table, "FBMS-59 J mean") == {"a": (0.6,)}
    assert left_out == ['"a+J" (fbms test) is left out: the table has "a"']


def test_a_line_of_unlike_records_says_so() -> None:
    trained = {"training": "toys", "weights": "1" * 64}
    found = [of("fbms", "a", 0.6, provenance=trained), of("ytobj", "a", 0.7, provenance={"weights": "2" * 64})]
    found += [of("fbms", "b", 0.6, provenance=trained), of("ytobj", "b", 0.7, provenance=trained)]
    notes = suite_table(UVOS, datasets(), found)[0].notes
    assert notes[-2:] == ("a: its records on these datasets have different weights", "a, b: trained on toys")
    changed = [of("fbms", "c", 0.6, provenance={"options": {"x": "1"}}), of("ytobj", "c", 0.6)]
    assert "c: its records on these datasets have different options" in suite_table(UVOS, datasets(), changed)[0].notes
    other = [of("fbms", "a", 0.6), of("fbms", "b", 0.6, provenance={"annotations": "b" * 64})]
    notes = suite_table(UVOS, datasets(), other)[0].notes
    assert "fbms test: records are of different annotations, whose hashes they have" in notes


@pytest.mark.parametrize("sort", ["fbms J_mean", "FBMS-59 J mean", "fbms test J MEAN"])
def test_a_column_ranks(sort: str) -> None:
    found = [of("fbms", "a", 0.6), of("fbms", "b", 0.9), of("davis16", "a", 0.9), of("davis16", "c", 0.95)]
    table, _ = suite_table(UVOS, datasets(), found, sort=sort)
    assert [row[0] for row in table.rows] == ["b", "a", "c"]
    by_first, _ = suite_table(UVOS, datasets(), found, sort="J mean")
    assert [row[0] for row in by_first.rows] == ["c", "a", "b"]
    with pytest.raises(UsageError, match='there is no column "fbms T"'):
        suite_table(UVOS, datasets(), found, sort="fbms T")


def test_lower_is_better_where_it_is() -> None:
    suite = load_suite("vsod")
    usual = {"dataset": "vos", "split": "test", "protocol": "vsod-davsod@1"}
    found = [make_record("a", {"MAE": 0.2, "maxF": 0.5}, **usual), make_record("b", {"MAE": 0.1, "maxF": 0.4}, **usual)]
    table, _ = suite_table(suite, datasets(suite), found, sort="vos MAE")
    assert [row[0] for row in table.rows] == ["b", "a"]
    assert len(table.columns) == 1 + 6 * 3
    assert render(table, "md").count("**0.100**") == 1


def test_published_numbers_only_under_the_protocol_a_line_for_each_document() -> None:
    numbers = [
        number(),
        number(measure="F_mean", value="65.3"),
        printed(value="68.4"),
        printed(value="68.1", source="AMC-Net Table 6"),
        printed(value="53.8", method="FST", protocol=""),
        printed(value="12.3", category="cat"),
        number(dataset="fbms", split="test", protocol="", value="1.2"),
        number(measure="T_mean", value="31.6"),
    ]
    table, _ = suite_table(UVOS, datasets(), [of("davis16", "fseg", 0.7)], numbers)
    lines = [(row[0], row[1], *row[2:]) for row in table.rows]
    assert lines == [
        (
            "FSEG",
            "F2Net Table 3; F2Net Table 4",
            pytest.approx(0.68),
            pytest.approx(0.707),
            0.653,
            None,
            pytest.approx(0.684),
        ),
        ("FSEG", "AMC-Net Table 6", None, None, None, None, pytest.approx(0.681)),
        ("fseg", "measured", None, 0.7, None, None, None),
    ]
    assert 'records: "fseg" is FSEG' in table.notes
    assert table.notes[-2:] == (
        "fbms test: 1 published number left out, whose protocol is another or not stated",
        "ytobj test: 1 published number left out, whose protocol is another or not stated",
    )
    alone, _ = suite_table(UVOS, datasets(), [], numbers)
    assert len(alone.rows) == 2


def test_contradicting_numbers_of_one_document_have_lines_of_their_own() -> None:
    numbers = [printed(value="68.4"), printed(value="68.5", source="F2Net, text"), number(source="F2Net, text")]
    table, _ = suite_table(UVOS, datasets(), [], numbers)
    assert [(row[1], row[3], row[6]) for row in table.rows] == [
        ("F2Net Table 4", None, pytest.approx(0.684)),
        ("F2Net, text", pytest.approx(0.707), pytest.approx(0.685)),
    ]
    percent = [printed(value="68.4"), printed(value="0.684", unit="1", source="F2Net, text")]
    assert [row[1] for row in suite_table(UVOS, datasets(), [], percent)[0].rows] == ["F2Net Table 4; F2Net, text"]


def test_entries_of_one_dataset_are_told_apart() -> None:
    entries = [
        SuiteEntry(dataset="davsod", split=split, protocol=protocol, scores=("MAE",))
        for split, protocol in (("easy", "vsod-davsod"), ("normal", "vsod-davsod"))
    ]
    entries.append(SuiteEntry(dataset="fbms", split="test", protocol="fbms-seqmean", scores=("J_mean",)))
    entries.append(SuiteEntry(dataset="fbms", split="test", protocol="fbms-framemean", scores=("J_mean",)))
    suite = Suite(name="mine", title="Mine", entries=tuple(entries))
    table, _ = suite_table(suite, datasets(suite), [of("fbms", "a", 0.6)])
    assert table.columns[1:] == (
        *("DAVSOD easy MAE", "DAVSOD normal MAE"),
        *("FBMS-59 fbms-seqmean J mean", "FBMS-59 fbms-framemean J mean"),
    )
    assert json.loads(render(table, "json"))["rows"][0]["FBMS-59 fbms-framemean J mean"] is None


def test_suites_that_make_no_sense_are_refused() -> None:
    entry = SuiteEntry(dataset="fbms", split="test", protocol="fbms-seqmean", scores=("J_mean",))
    with pytest.raises(UsageError, match="has no datasets"):
        Suite(name="mine", title="Mine", entries=())
    with pytest.raises(UsageError, match='has fbms test under "fbms-seqmean" twice'):
        Suite(name="mine", title="Mine", entries=(entry, entry))
    with pytest.raises(UsageError, match="shows no scores of fbms test"):
        Suite(name="mine", title="M", entries=(SuiteEntry(dataset="fbms", split="test", protocol="p", scores=()),))
    for changes, said in (({"protocol": "fbms-seqmeen"}, 'no protocol "fbms-seqmeen"'), ({"split": "x"}, "no split")):
        known = {"dataset": "fbms", "split": "test", "protocol": "fbms-seqmean"} | changes
        with pytest.raises(UsageError, match=said):
            SuiteEntry(**known, scores=("J_mean",)).protocol_of(load_dataset("fbms"))
