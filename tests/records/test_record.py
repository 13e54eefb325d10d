"""The result file: written, read back, refused."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from vosbench.dataset import Dataset, DatasetProtocol
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError
from vosbench.evaluate.score import all_rows, score
from vosbench.records import record as records
from vosbench.records.record import Row
from vosbench.records.store import read_records
from vosbench.registry import load_dataset

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"


def toy(**changes: object) -> Dataset:
    return replace(load_dataset("toy", [TOY]), **changes)


def chosen(root: Path, protocol: DatasetProtocol | None = None, protocol_name: str | None = None) -> Selection:
    dataset = toy(protocols=(protocol,)) if protocol else toy()
    return select(dataset, Choice(root=root, protocol=protocol_name))


def test_records_are_written_alike_and_read_back(toy_root: Path, tmp_path: Path) -> None:
    record, scored, _ = score(toy_root / "masks", chosen(toy_root))
    rows = all_rows(scored)
    for name in ("a", "b"):
        records.write(tmp_path / name / "toy.json", record, rows)
    files = [sorted((tmp_path / name).iterdir()) for name in ("a", "b")]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert records.read(tmp_path / "a" / "toy.json") == record
    lines = gzip.decompress((tmp_path / "a" / "toy.csv.gz").read_bytes()).decode().splitlines()
    assert lines[:2] == ["video,frame,measure,value", "v0,0,J,1.0"]
    jsonschema.validate(json.loads(record.to_json()), json.loads(records.json_schema()))


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "other@1"}', "[1]"])
def test_what_is_no_record(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError, match="is not a vosbench record"):
        records.read(path)


def test_rows_are_named() -> None:
    assert Row("v", 1, "J", 0.5)._asdict() == {"video": "v", "frame": 1, "measure": "J", "value": 0.5}


def test_no_records(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no such record"):
        read_records(tmp_path, "toy")
