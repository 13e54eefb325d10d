"""Leaderboards: who stands in one, in which order, next to which published numbers."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from factories import davis16_record, number
from vosbench.dataset import Dataset, DatasetProtocol
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.score import all_rows, score
from vosbench.records import record as records
from vosbench.records.published import published
from vosbench.records.record import Record
from vosbench.records.store import read_records
from vosbench.registry import load_dataset
from vosbench.report.leaderboard import BoardView, leaderboard, published_leaderboard, scores_table
from vosbench.report.table import Table, render

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"


def toy(**changes: object) -> Dataset:
    return replace(load_dataset("toy", [TOY]), **changes)


def chosen(root: Path, protocol: DatasetProtocol | None = None, protocol_name: str | None = None) -> Selection:
    dataset = toy(protocols=(protocol,)) if protocol else toy()
    return select(dataset, Choice(root=root, protocol=protocol_name))


def of_protocol(root: Path, protocol: DatasetProtocol, **listed: object) -> Selection:
    dataset = load_dataset("toy", [TOY])
    found = {name: replace(each, **listed) for name, each in dataset.listing("val").items()}
    return select(replace(dataset, protocols=(protocol,), listing=lambda _: found), Choice(root=root))


def named(record: Record, name: str, value: float, **provenance: object) -> Record:
    return record.model_copy(
        update={
            "method": name,
            "scores": {**record.scores, "JF_mean": value},
            "provenance": record.provenance.model_copy(update=provenance),
        }
    )


def test_leaderboard_ranks_and_leaves_out(toy_root: Path, tmp_path: Path) -> None:
    record, scored, _ = score(toy_root / "masks", chosen(toy_root))
    rows = all_rows(scored)
    made = [
        named(record, "worse", 0.5, training="toys"),
        named(record, "better", 0.9),
        named(record, "random", 1.0, untrained=True),
        named(record, "short", 1.0, limit=3),
    ]
    for each in made:
        records.write(tmp_path / "toy" / f"{each.method}.json", each, rows)
    table, left_out = leaderboard(read_records(tmp_path, "toy"))
    assert [row[0] for row in table.rows] == ["better", "worse"]
    assert table.notes[-1] == "worse: trained on toys"
    assert left_out == [
        '"random" is left out: untrained',
        '"short" is left out: only 3 frames of each video',
    ]
    with pytest.raises(DataError, match="no records for a leaderboard"):
        leaderboard(made[2:])
    other = made[0].model_copy(update={"signature": "x@2|vosbench 1"})
    with pytest.raises(DataError, match="not comparable"):
        leaderboard([made[1], other])


def columns(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_sorting_follows_the_direction_of_the_measure() -> None:
    found = [
        davis16_record("a", {"J_mean": 0.5, "T_mean": 0.3, "JF_mean": 0.6}),
        davis16_record("b", {"J_mean": 0.7, "T_mean": 0.4, "JF_mean": 0.5}),
        davis16_record("c", {"J_mean": 0.6, "T_mean": None, "JF_mean": 0.4}),
    ]

    def order(sort: str | None) -> list[object]:
        return [row[0] for row in leaderboard(found, view=BoardView(sort=sort))[0].rows]

    assert order(None) == order("J&F") == ["a", "b", "c"]
    assert order("J_mean") == order("j mean") == ["b", "c", "a"]
    assert order("T") == ["a", "b", "c"]
    with pytest.raises(UsageError, match=r'no measure "J_men" in this table; did you mean "J_mean"\?'):
        order("J_men")
    assert leaderboard(found)[0].better == ("", "higher", "lower", "higher")


def test_published_numbers_beside_measured_ones() -> None:
    numbers = [
        number(),
        number(protocol="", source="AMC-Net Table 5", value="70.9"),
        number(protocol="vsod-davsod@1", value="10.0"),
        number(split="trainval", value="11.0"),
        number(measure="maxF", value="12.0"),
        number(category="cow", value="13.0"),
        number(method="ARP", value="76.2"),
    ]
    table, _ = leaderboard([davis16_record("fseg", {"J_mean": 0.70684})], numbers=numbers, view=BoardView(diff=True))
    assert [(row["method"], row["from"], row["protocol"]) for row in columns(table)] == [
        ("ARP", "F2Net Table 3", "davis16@1"),
        ("FSEG", "AMC-Net Table 5", "not stated"),
        ("FSEG", "F2Net Table 3", "davis16@1"),
        ("fseg", "measured", "davis16@1"),
        ("fseg", "measured − F2Net Table 3", "davis16@1"),
    ]
    difference = columns(table)[4]["J mean"]
    assert (difference.value, difference.signed) == (pytest.approx(-0.00016), True)
    assert any(note == 'records: "fseg" is FSEG' for note in table.notes)
    assert any(note.startswith("3 published numbers left out") for note in table.notes)


def test_only_published_numbers() -> None:
    dataset = load_dataset("davis16")
    numbers = [each for each in published("f2net-3") if each.dataset == "davis16"]
    table = published_leaderboard(numbers, dataset.protocols[0], sort="T")
    assert [row[0] for row in table.rows][:2] == ["COSNet", "EpO+"]
    assert len(table.rows) == 13
    with pytest.raises(DataError, match="no published numbers under"):
        published_leaderboard([number(measure="maxF")], dataset.protocols[0])


@pytest.mark.parametrize("kind", ["table", "md", "csv", "json", "latex"])
def test_videos_stand_below_their_headings(toy_root: Path, kind: str) -> None:
    """A dataset has one score more than its videos: T over all of them."""
    selection = of_protocol(toy_root, DatasetProtocol(name="p", measures=("J", "F", "T")))
    shutil.copytree(toy_root / "masks", toy_root / "predictions")
    (toy_root / "predictions" / "v1" / "00002.png").unlink()
    record, _, _ = score(toy_root / "predictions", selection)
    table = scores_table(record)
    assert all(len(row) == len(table.columns) for row in table.rows)
    columns = dict(zip(table.columns, table.rows[1], strict=True))
    assert (columns["T all"], columns["J&F"]) == (None, 1.0)
    assert render(table, kind)  # type: ignore[arg-type]
