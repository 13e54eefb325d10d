"""Records below a results folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from factories import make_record
from vosbench.errors import DataError
from vosbench.records import Record
from vosbench.records.store import find_records, read_records


def store(folder: Path, *records: Record) -> None:
    for each in records:
        path = folder / each.dataset / f"{each.method}.json"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(each.to_json(), "utf-8")


def test_records_are_found_by_dataset_protocol_and_split(tmp_path: Path) -> None:
    kept = [
        make_record("b", dataset="one", split="val", protocol="p@1"),
        make_record("a", dataset="two", split="val", protocol="p@2"),
        make_record("b", dataset="two", split="train", protocol="q@1"),
    ]
    store(tmp_path, *kept[::-1])
    baseline = tmp_path / "baselines" / "b.json"
    baseline.parent.mkdir()
    baseline.write_text(kept[0].to_json(), "utf-8")
    assert find_records(tmp_path) == kept
    assert find_records(tmp_path, "two") == kept[1:]
    assert find_records(tmp_path, protocol="p") == kept[:2]
    assert find_records(tmp_path, "two", split="train") == kept[2:]
    assert find_records(tmp_path, "three") == []
    with pytest.raises(DataError, match="holds no such record"):
        read_records(tmp_path, "one", split="train")


def test_reading_records_loads_no_evaluation_and_no_images() -> None:
    code = (
        "import sys, vosbench.records, vosbench.records.store\n"
        "heavy = {'PIL', 'cv2', 'torch', 'scipy', 'pandas', 'vosbench.evaluate', 'vosbench.images'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_hidden_files_are_no_records(tmp_path: Path) -> None:
    kept = make_record()
    store(tmp_path, kept)
    for path in ("toy/._a.json", "__MACOSX/a.json", ".ipynb_checkpoints/a.json"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"\0")
    assert find_records(tmp_path) == [kept]
