"""Finding videos costs little, and lists are what the papers count."""

import sys
import tracemalloc
from pathlib import Path

import pytest

from vosbench.dataset import Listed, Video, folders
from vosbench.dataset.folders import Folders
from vosbench.errors import DataError
from vosbench.registry import load_dataset


def many(root: Path, path: str, name: str, count: int, masks: str) -> None:
    folder, labels = root / path.format(name=name), root / masks.format(name=name)
    folder.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        (folder / f"{name}_{index:05d}.jpg").touch()
    for index in range(0, count, 20):
        (labels / f"{name}_{index:05d}.png").touch()


@pytest.mark.parametrize("name", ["fbms", "davis16", "duts"])
def test_ten_thousand_empty_frames(tmp_path: Path, name: str) -> None:
    split = load_dataset(name).splits[0]
    if name == "fbms":
        for video, listed in load_dataset(name).listing(split).items():
            many(tmp_path, "{name}/Frame", video, listed.frames or 0, "{name}/GT")
        many(tmp_path, "more/Frame", "more", 2700, "more/GT")
    elif name == "davis16":
        for video in load_dataset(name).listing(split):
            many(tmp_path, "val/img", video, 500, "val/label")
    else:
        (tmp_path / "DUTS-TR-Image").mkdir()
        (tmp_path / "DUTS-TR-Mask").mkdir()
        for index in range(10_000):
            (tmp_path / "DUTS-TR-Image" / f"{index}.jpg").touch()
            (tmp_path / "DUTS-TR-Mask" / f"{index}.png").touch()
    calls = 0

    def count(_frame: object, event: str, _of: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    sys.setprofile(count)
    try:
        videos = load_dataset(name).videos(tmp_path, split)
    finally:
        sys.setprofile(None)
    tracemalloc.start()
    again = load_dataset(name).videos(tmp_path, split)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(len(video) for video in again) >= 7306
    assert len(videos) == len(again)
    assert calls < 1000 * sum(len(video) for video in again)  # for each of ten thousand files, not for each pair
    assert peak < 50e6


@pytest.mark.parametrize(
    ("name", "split", "videos", "frames", "annotated"),
    [
        ("davis16", "val", 20, 1376, None),
        ("davis16", "train", 30, 2079, None),
        ("fbms", "test", 30, 7306, 367),
        ("fbms", "train", 29, 6554, 353),
        ("visal", "test", 17, 963, 193),
        ("ytobj", "test", 126, None, None),
    ],
)
def test_lists(name: str, split: str, videos: int, frames: int | None, annotated: int | None) -> None:
    listing = load_dataset(name).listing(split)
    assert len(listing) == videos
    if frames is not None:
        assert sum(listed.frames or 0 for listed in listing.values()) == frames
    if annotated is not None:
        assert sum(len(listed.annotated or ()) for listed in listing.values()) == annotated


def test_ten_categories_of_youtube_objects() -> None:
    listing = load_dataset("ytobj").listing("test")
    counts = [
        sum(each.category == name for each in listing.values())
        for name in dict.fromkeys(e.category for e in listing.values())
    ]
    assert counts == [6, 6, 15, 7, 16, 20, 27, 14, 10, 5]


def test_what_is_expected_of_a_video() -> None:
    paths = tuple(Path(f"{index}.png") for index in range(3))
    video = Video(name="a", frames=paths, annotations=dict.fromkeys((0, 2), paths[0]))
    sparse = Listed(frames=9, annotated=(0, 4, 8))
    assert sparse.expected(video) == (9, (0, 4, 8))
    assert sparse.expected(Video(name="a", frames=paths, labelled_only=True)) == (3, (0, 1, 2))
    assert Listed(frames=2).expected(video) == (2, (0, 1))
    assert Listed(frames=None).expected(video) == (3, (0, 2))
    assert Listed(frames=None, annotated=(1,)).expected(video) == (3, (1,))


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TestSet/a", "testset/b", "Other/c"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "TestSet" / ".hidden").touch()
    (tmp_path / "TestSet" / "x.txt").touch()
    found = Folders()
    assert list(found.find(tmp_path, "testset/*")) == [
        tmp_path / "testset" / "b",
        *(tmp_path / "TestSet" / n for n in ("a", "x.txt")),
    ]
    assert list(found.find(tmp_path, "none|other/C")) == [tmp_path / "Other" / "c"]
    assert list(found.find(tmp_path, "")) == [tmp_path]
    assert list(found.files(tmp_path / "TestSet")) == ["x.txt"]

    def denied(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(folders.os, "scandir", denied)
    with pytest.raises(DataError, match=r"cannot be read: Permission denied"):
        Folders().entries(tmp_path)
