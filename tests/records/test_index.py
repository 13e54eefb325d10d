"""The index of a folder with many records."""

import os
import time
from pathlib import Path

import pytest

from factories import make_record
from vosbench.files import NO_CACHE
from vosbench.records import Record, index, record
from vosbench.records.record import Curves
from vosbench.records.store import find_records, read_all

FEWEST, COUNT = 6, 9


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of records that were written long ago, and a cache of its own."""
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(NO_CACHE)
    monkeypatch.setattr(index, "SETTLED", -1.0)
    monkeypatch.setattr(index, "FEWEST", FEWEST)
    folder = tmp_path / "results" / "toy"
    folder.mkdir(parents=True)
    for number in range(COUNT):
        write(folder, make(f"m{number:03d}", number / COUNT))
    return folder


def make(name: str, score: float) -> Record:
    curve = (score,) * 256
    return make_record(
        name,
        {"J_mean": score},
        {"cows": {"J_mean": score}, "dog": {"J_mean": None}},
        curves=Curves(precision=curve, recall=curve, f_measure=curve),
    )


def write(folder: Path, made: Record) -> None:
    (folder / f"{made.method}.json").write_text(made.to_json(), "utf-8")


class Reads:
    """Counts the files that are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        read = record.read

        def counted(path: Path) -> Record:
            self.names.append(path.name)
            return read(path)

        monkeypatch.setattr(record, "read", counted)

    def of(self, folder: Path) -> list[str]:
        """The files that listing a folder reads; what it lists is checked."""
        whole = [index.head(each) for each in read_all(folder, lambda _: None)]
        self.names.clear()
        assert read_all(folder, lambda _: None, heads=True) == whole
        return sorted(self.names)


def test_files_are_read_once_and_those_that_change_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads(monkeypatch)
    assert len(reads.of(place)) == COUNT
    assert reads.of(place) == []
    write(place, make("m007", 0.5))
    write(place, make("new", 0.5))
    (place / "m001.json").unlink()
    assert reads.of(place) == ["m007.json", "new.json"]
    assert reads.of(place) == []


def test_a_replaced_file_of_the_same_size_and_time_is_read_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads(monkeypatch)
    reads.of(place)
    path = place / "m003.json"
    status, other = path.stat(), place / "m004.json"
    text = path.read_text("utf-8").replace('"method": "m003"', '"method": "x003"')
    other.write_text(text, "utf-8")
    other.replace(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert reads.of(place) == ["m003.json"]


def test_a_file_written_moments_ago_is_not_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "SETTLED", 3600.0)
    reads = Reads(monkeypatch)
    assert len(reads.of(place)) == COUNT
    assert len(reads.of(place)) == COUNT
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 86400)  # the clock is set back
    assert len(reads.of(place)) == COUNT
    assert reads.of(place) == []


@pytest.mark.parametrize("damage", [b"", b"vosbench records 0\n{}", b"{}", index.MAGIC + b'{"m000.json": 1}'])
def test_a_damaged_index_is_made_again(place: Path, damage: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads(monkeypatch)
    reads.of(place)
    (path,) = index.folder().iterdir()
    path.write_bytes(damage)
    assert len(reads.of(place)) == COUNT
    assert reads.of(place) == []


def test_a_file_that_is_no_record_is_a_warning_each_time(place: Path) -> None:
    (place / "m002.json").write_text("{", "utf-8")
    for _ in range(2):
        lines: list[str] = []
        found = find_records(place.parent, heads=True, warn=lines.append)
        assert len(found) == COUNT - 1
        assert len(lines) == 1
        assert "m002.json" in lines[0]


def test_small_folders_and_no_cache_have_no_index(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NO_CACHE, "1")
    assert len(read_all(place, print, heads=True)) == COUNT
    monkeypatch.delenv(NO_CACHE)
    for path in sorted(place.iterdir())[: COUNT - FEWEST + 1]:
        path.unlink()
    assert len(read_all(place, print, heads=True)) == FEWEST - 1
    assert not index.folder().exists()


def test_a_cache_that_cannot_be_written_changes_nothing(place: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", "utf-8")
    assert len(find_records(place.parent, heads=True)) == COUNT


def test_indexes_are_bounded_and_removed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST", 2)
    for name in "abc":
        place = place.rename(place.with_name(name))
        read_all(place, print, heads=True)
    assert len([*index.folder().iterdir()]) == 2
    assert index.clear() > 0
    assert [*index.folder().iterdir()] == []
