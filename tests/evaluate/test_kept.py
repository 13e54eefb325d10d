"""Annotations are decoded once, and what is kept is never wrong."""

import os
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from toys import TOY, selected
from vosbench.errors import DataError
from vosbench.evaluate.score import score
from vosbench.images import annotations as reading
from vosbench.images import files, kept, read_annotation, write_png
from vosbench.images.annotations import Annotation, Box
from vosbench.images.kept import Annotations
from vosbench.metrics.packed import unpack
from vosbench.records.record import Record

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, turned on."""
    monkeypatch.delenv(kept.OFF)
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "annotations"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of annotations that are decoded."""
    names: list[str] = []
    read = files.read_packed

    def noting(source: Path | bytes, codec: str, name: str) -> object:
        names.append(Path(name).name)
        return read(source, codec, name)

    monkeypatch.setattr(reading, "read_packed", noting)
    return names


def scored(toy_root: Path) -> Record:
    return score(toy_root / "masks", selected(toy_root))[0]


def written(folder: Path, count: int = 5, seed: int = 0) -> dict[int, Path]:
    """Annotations of an odd size."""
    rng = np.random.default_rng(seed)
    masks = rng.random((count, 21, 67)) < 0.4
    for index, mask in enumerate(masks):
        write_png(folder / f"{index:05d}.png", mask * np.uint8(255))
    return {index: folder / f"{index:05d}.png" for index in range(count)}


def read_all(annotations: Mapping[int, Annotation], codec: str = "binary255") -> list[object]:
    found = Annotations("cow", annotations, codec)
    masks: list[object] = [unpack(found.read(index)[0]).tolist() for index in annotations]
    found.save()
    return masks


def plain(annotations: Mapping[int, Annotation], codec: str = "binary255") -> list[object]:
    return [unpack(read_annotation(annotation, codec)).tolist() for annotation in annotations.values()]


def test_the_second_time_nothing_is_decoded_and_the_record_is_the_same(toy_root: Path, decoded: list[str]) -> None:
    first = scored(toy_root)
    times = len(decoded)
    assert times > 0
    assert scored(toy_root) == first
    assert len(decoded) == times


def test_it_can_be_turned_off(toy_root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scored(toy_root)
    kept.clear()
    monkeypatch.setenv(kept.OFF, "1")
    assert scored(toy_root) == first
    assert not list(cache.iterdir())


def test_changed_files_are_decoded_anew(tmp_path: Path, decoded: list[str]) -> None:
    annotations = written(tmp_path / "cow")
    read_all(annotations)
    changed = written(tmp_path / "cow", seed=1)
    decoded.clear()
    assert read_all(changed) == plain(changed)
    decoded.clear()
    assert read_all(changed) == plain(changed)
    assert len(decoded) == len(changed)  # those of `plain`


def test_the_content_of_changed_files_is_that_of_the_new_ones(toy_root: Path) -> None:
    first = scored(toy_root).provenance.annotations
    for path in (toy_root / "masks" / "v0").iterdir():
        write_png(path, np.full((24, 32), 255, np.uint8))
    second = scored(toy_root).provenance.annotations
    assert second != first
    kept.clear()
    assert scored(toy_root).provenance.annotations == second


def test_another_codec_is_another_mask(tmp_path: Path) -> None:
    annotations = written(tmp_path / "cow")
    read_all(annotations)
    assert read_all(annotations, "inverted255") == plain(annotations, "inverted255")
    assert read_all(annotations) == plain(annotations)


def test_files_of_several_objects_and_boxes(tmp_path: Path) -> None:
    one, other = written(tmp_path / "1"), written(tmp_path / "2", seed=1)
    several = {index: (one[index], other[index]) for index in one}
    assert read_all(several) == plain(several)
    assert read_all(several) == plain(several)
    frame = written(tmp_path / "frames", 1)[0]
    boxes = {index: Box(frame, frame, index, 1, 9, 9) for index in range(5)}
    assert read_all(boxes) == plain(boxes)
    assert Annotations("cow", boxes, "binary255").read(0)[1] == b""


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "other version"])
def test_damaged_files_of_the_cache_count_as_absent(damage: str, tmp_path: Path, cache: Path) -> None:
    annotations = written(tmp_path / "cow")
    read_all(annotations)
    (path,) = cache.iterdir()
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
    elif damage == "emptied":
        data.clear()
    else:
        data[: len(kept.MAGIC)] = b"vosbench masks 0"
    path.write_bytes(data)
    assert read_all(annotations) == plain(annotations)
    assert path.read_bytes() != data


def test_errors_are_those_of_reading(tmp_path: Path) -> None:
    annotations = written(tmp_path / "cow")
    (tmp_path / "cow" / "00002.png").unlink()
    with pytest.raises(DataError, match=r"00002\.png.* does not exist"):
        read_all(annotations)
    (tmp_path / "cow" / "00002.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"00002\.png.* is not an image"):
        read_all(annotations)


def test_a_file_in_place_of_the_folder_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    annotations = written(tmp_path / "cow")
    assert read_all(annotations) == plain(annotations)
    assert kept.usage() == (0, 0)


def test_several_at_once(tmp_path: Path) -> None:
    annotations = written(tmp_path / "cow", 8)
    expected = plain(annotations)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: read_all(annotations), range(16)))
    assert found == [expected] * 16
    assert kept.usage()[0] == 1


def test_it_is_bounded(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str]) -> None:
    annotations = written(tmp_path / "cow", 40)
    monkeypatch.setattr(kept, "MOST_OF_VIDEO", 2000)
    assert read_all(annotations) == plain(annotations)
    (path,) = cache.iterdir()
    assert path.stat().st_size < 2300
    decoded.clear()
    read_all(annotations)
    assert 0 < len(decoded) < 40
    for number in range(3):
        (cache / f"{number}.masks").write_bytes(bytes(1000))
        os.utime(cache / f"{number}.masks", (number, number))
    monkeypatch.setattr(kept, "MOST", path.stat().st_size + 1500)
    kept._bound(cache)
    assert sorted(each.name for each in cache.iterdir()) == sorted(["2.masks", path.name])


def test_the_command_line_shows_and_clears_it(cli: Cli, toy_root: Path, cache: Path) -> None:
    words = ("score", toy_root / "masks", "--dataset", "toy", "--root", toy_root, "--plugin", TOY)
    environment = {kept.OFF: "", "VOSBENCH_CACHE": str(cache.parent)}
    assert cli(*words, "--no-cache", **environment).returncode == 0
    assert cli("data", "cache", **environment).stderr.startswith("0 videos")
    assert cli(*words, **environment).returncode == 0
    shown = cli("data", "cache", **environment)
    assert (shown.stdout, shown.stderr[:8]) == (f"{cache}\n", "2 videos")
    assert cli("data", "cache", "--clear", **environment).returncode == 0
    assert kept.usage() == (0, 0)
