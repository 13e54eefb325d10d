"""Records below a results folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from factories import make_record
from vosbench.errors import DataError, UsageError
from vosbench.records import Record, record
from vosbench.records.store import find_records, read_records, save


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


def test_a_file_that_is_not_a_record_is_a_warning(tmp_path: Path) -> None:
    kept = make_record()
    store(tmp_path, kept)
    (tmp_path / "toy" / "empty.json").write_bytes(b"")
    (tmp_path / "toy" / "folder.json").mkdir()
    (tmp_path / "toy" / "link.json").symlink_to("nowhere")
    warnings: list[str] = []
    assert find_records(tmp_path, warn=warnings.append) == [kept]
    assert len(warnings) == 3
    assert warnings[0].startswith(f'"{tmp_path}/toy/empty.json" is not a vosbench record: the file: ')
    assert warnings[1] == f'the record "{tmp_path}/toy/folder.json" cannot be read; it is left out'


def test_datasets_may_have_any_name(tmp_path: Path) -> None:
    kept = make_record(dataset="a[1]*")
    store(tmp_path, kept)
    assert find_records(tmp_path, "a[1]*") == [kept]


def test_records_of_the_defaults_come_first(tmp_path: Path) -> None:
    plain, other = make_record("b"), make_record("b", apart="+J")
    for each in (other, plain):
        save(tmp_path, each, [])
    assert sorted(path.name for path in (tmp_path / "toy").glob("*.json")) == ["b+J.json", "b.json"]
    assert find_records(tmp_path) == [plain, other]


def hashed(masks: str, scores: dict[str, float | None] | None = None, **changes: object) -> Record:
    """A record of one video, of predictions with a hash."""
    videos = {"v": scores or {"J_mean": 0.5}}
    return make_record("m", {"J_mean": 0.5}, videos, provenance={"masks": masks, "predictions": "maps"}, **changes)


def test_other_predictions_under_one_name_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, hashed("a"), [])
    assert path == tmp_path / "toy" / "m.json"
    save(tmp_path, hashed("a", {"J_mean": 0.6}), [])  # other annotations
    before = path.read_bytes()
    said = r'm.json" holds the scores of other predictions \("maps", 2026-01-01\); pass --overwrite to replace it, or'
    with pytest.raises(UsageError, match=said):
        save(tmp_path, hashed("b"), [])
    assert path.read_bytes() == before
    save(tmp_path, hashed("b"), [], overwrite=True)
    assert record.read(path).provenance.masks == "b"


def test_other_records_under_one_name_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, hashed("a", signature="p@1|J:all|vosbench 0.1.0"), [])
    with pytest.raises(UsageError, match=r'is the record of "m" under p@1\|J:all; pass --overwrite'):
        save(tmp_path, hashed("a", signature="p@2|J:all|vosbench 0.1.0"), [])
    save(tmp_path, hashed("a", signature="p@1|J:all|vosbench 0.2.0"), [])
    taken = hashed("a").model_copy(update={"method": "m+J"})
    save(tmp_path, taken, [])
    with pytest.raises(UsageError, match=r'm\+J.json" is the record of "m\+J"'):
        save(tmp_path, hashed("a", apart="+J"), [])
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="is not a record that can be read"):
        save(tmp_path, hashed("a"), [])
    assert path.read_bytes() == b""


def test_incomplete_and_old_records_are_completed(tmp_path: Path) -> None:
    one, two = {"J_mean": 0.5}, {"J_mean": 0.25}
    partial = hashed("a", missing=["w/0"]).model_copy(update={"videos": {"v": one, "w": {"J_mean": None}}})
    whole = hashed("b").model_copy(update={"videos": {"v": one, "w": two}})
    save(tmp_path, partial, [])
    with pytest.raises(UsageError, match="other predictions"):
        save(tmp_path, whole.model_copy(update={"videos": {"v": two, "w": two}}), [])
    save(tmp_path, whole, [])
    with pytest.raises(UsageError, match="other predictions"):
        save(tmp_path, partial, [])
    old = whole.model_copy(update={"provenance": whole.provenance.model_copy(update={"masks": ""})})
    save(tmp_path, old, [], overwrite=True)
    save(tmp_path, whole, [])
    save(tmp_path, old, [], overwrite=True)
    with pytest.raises(UsageError, match="other predictions"):
        save(tmp_path, hashed("c"), [])


@pytest.mark.parametrize("name", ["../evil", "", ".m", "a\nb", "x" * 200])
def test_nothing_is_written_under_a_wrong_name(tmp_path: Path, name: str) -> None:
    for changes in ({"method": name}, {"dataset": name}):
        with pytest.raises(UsageError, match="cannot name a file"):
            save(tmp_path / "results", make_record(**changes), [], overwrite=True)
    assert not list(tmp_path.iterdir())


def test_names_that_differ_in_case_are_refused(tmp_path: Path) -> None:
    save(tmp_path, make_record("F2Net"), [])
    with pytest.raises(UsageError, match=r'f2net.json" and "F2Net.json" are one file on some file systems'):
        save(tmp_path, make_record("f2net"), [], overwrite=True)
