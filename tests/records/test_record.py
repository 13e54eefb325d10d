"""The result file: written, read back, refused."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

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


OLD = """{
  "schema": "vosbench/record@1",
  "method": "old",
  "dataset": "toy",
  "split": "val",
  "protocol": "toy@1",
  "signature": "toy@1|J:all|vosbench 0.1.0",
  "scores": {
    "J_mean": 0.5
  },
  "videos": {
    "v0": {
      "J_mean": 0.5
    }
  },
  "missing": [],
  "speed": null,
  "provenance": {
    "date": "2026-01-01",
    "vosbench": "0.1.0",
    "commit": null,
    "dirty": null,
    "packages": {},
    "annotations": "0",
    "layout": "",
    "annotation_codecs": [],
    "predictions": "old",
    "codec": "map",
    "untrained": false,
    "seed": null,
    "weights": null,
    "training": null,
    "device": null,
    "batch": null,
    "precision": null,
    "compile": null,
    "options": {},
    "inputs": [],
    "limit": null
  }
}
"""
"""A record as the first version of the schema wrote it."""


def test_records_of_the_first_version_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "toy" / "old.json"
    path.parent.mkdir()
    path.write_text(OLD, "utf-8")
    (old,) = read_records(tmp_path, "toy")
    assert (old.name, old.apart, old.failed, old.provenance.masks) == ("old", "", [], "")
    assert old.to_json() == OLD
    jsonschema.validate(json.loads(OLD), json.loads(records.json_schema()))


def test_the_hash_of_predictions_depends_on_their_content_only(toy_root: Path, tmp_path: Path) -> None:
    first = score(toy_root / "masks", chosen(toy_root))[0].provenance
    assert len(first.masks) == 64
    for path in (toy_root / "masks").rglob("*.png"):
        mask = np.asarray(Image.open(path))
        (tmp_path / "bmp" / path.parent.name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "bmp" / path.parent.name / f"{path.stem}.bmp")
    assert score(tmp_path / "bmp", chosen(toy_root))[0].provenance.masks == first.masks
    changed = tmp_path / "bmp" / "v1" / "00004.bmp"
    pixels = np.asarray(Image.open(changed)).copy()
    pixels[0, 0] = 255
    Image.fromarray(pixels).save(changed)
    assert score(tmp_path / "bmp", chosen(toy_root))[0].provenance.masks != first.masks


@pytest.mark.parametrize("protocol", ["toy-saliency", "toy-inner"])
def test_every_protocol_hashes_predictions(toy_root: Path, protocol: str) -> None:
    record, _, _ = score(toy_root / "masks", chosen(toy_root, protocol_name=protocol))
    other, _, _ = score(toy_root / "masks", chosen(toy_root))
    assert record.provenance.masks not in {"", other.provenance.masks}
