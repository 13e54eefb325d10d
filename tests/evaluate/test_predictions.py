import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.evaluate import predictions
from vosbench.images import read_mask

VIDEOS = [Video(name=name, frames=tuple(Path(f"{t:05d}.jpg") for t in range(3))) for name in ("bmx-trees", "cow")]
MASK = np.array([[0, 255]], np.uint8)


def write(root: Path, names: list[str], mask: np.ndarray = MASK) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    return root


def zipped(folder: Path, extra: dict[str, bytes] | None = None) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as file:
        for entry in sorted(folder.rglob("*.png")):
            file.write(entry, entry.relative_to(folder))
        for name, data in (extra or {}).items():
            file.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "pattern",
    ["{v}/{t:05d}.png", "a/b/{v}/{t:05d}.png", "{v}/{v}_{t:05d}.png", "{v}_{t:05d}.png", "masks/{v}_{t:05d}.png"],
)
@pytest.mark.parametrize("pack", [False, True])
def test_every_naming_scheme_is_found(tmp_path: Path, pattern: str, *, pack: bool) -> None:
    names = [pattern.format(v=video.name, t=t) for video in VIDEOS for t in range(3)]
    origin = write(tmp_path / "masks", names)
    masks = predictions.find(zipped(origin) if pack else origin, VIDEOS)
    assert {name: sorted(files) for name, files in masks.files.items()} == {"bmx-trees": [0, 1, 2], "cow": [0, 1, 2]}
    with masks.opened("cow") as reading:
        assert [reading.read(t, read_mask).tolist() for t in (2, 0)] == [[[False, True]]] * 2


@pytest.mark.parametrize(
    ("names", "indices"),
    [
        (["cars1_02"], [1]),  # by stem
        (["00001", "00003"], [0, 2]),  # by the numbers of the frame files
        (["00000", "00002"], [0, 2]),  # by position, as no frame file has number 0
    ],
)
def test_frames_whose_stems_differ(tmp_path: Path, names: list[str], indices: list[int]) -> None:
    video = Video(name="cars1", frames=tuple(Path(f"cars1_{t + 1:02d}.jpg") for t in range(3)))
    masks = predictions.find(write(tmp_path, [f"cars1/{name}.png" for name in names]), [video])
    assert sorted(masks.files["cars1"]) == indices


def test_macos_leftovers_and_other_videos_are_ignored(tmp_path: Path) -> None:
    origin = write(tmp_path / "masks", ["cow/00000.png", "bear/00000.png"])
    archive = zipped(origin, {"__MACOSX/cow/._00000.png": b"", "cow/notes.txt": b""})
    assert predictions.find(archive, VIDEOS).files == {"bmx-trees": {}, "cow": {0: "cow/00000.png"}}


@pytest.mark.parametrize("name", ["../cow/00000.png", "/cow/00000.png", "a/../../cow/00000.png", "..\\cow\\00000.png"])
def test_entries_that_escape_are_rejected(tmp_path: Path, name: str) -> None:
    archive = zipped(write(tmp_path / "masks", ["cow/00001.png"]), {name: b""})
    with pytest.raises(DataError, match="escapes"):
        predictions.find(archive, VIDEOS)


def test_two_masks_of_one_frame(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two masks"):
        predictions.find(write(tmp_path / "masks", ["a/cow/00000.png", "b/cow/00000.png"]), VIDEOS)


def test_masks_of_another_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'contains "bear"\. Is it for another dataset'):
        predictions.find(write(tmp_path / "masks", ["bear/00000.png"]), VIDEOS)


def test_neither_folder_nor_zip(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        predictions.find(tmp_path / "none", VIDEOS)
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(DataError, match="pass a folder, or"):
        predictions.find(tmp_path / "text.zip", VIDEOS, scratch=tmp_path / "scratch")


def test_a_corrupt_entry_is_named(tmp_path: Path) -> None:
    archive = zipped(write(tmp_path / "masks", ["cow/00000.png"]), {"cow/00001.png": b"\x89PNG, not really"})
    masks = predictions.find(archive, VIDEOS)
    with masks.opened("cow") as reading, pytest.raises(DataError, match=r"masks\.zip:cow/00001\.png"):
        reading.read(1, read_mask)


@pytest.mark.parametrize("name", ["{t:05d}.png", "cow/{t:05d}.png", "masks/{t}.png"])
def test_masks_without_a_name_are_of_the_only_video(tmp_path: Path, name: str) -> None:
    origin = write(tmp_path / "masks", [name.format(t=t) for t in range(3)])
    found = predictions.find(origin, VIDEOS[1:])
    assert sorted(found.files["cow"]) == [0, 1, 2]
    assert len(found.notes) == ("cow" not in name)


def test_a_folder_with_another_name_is_not_of_the_only_video(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'no masks of the selected video .*it contains "dog"'):
        predictions.find(write(tmp_path / "masks", ["dog/00000.png"]), VIDEOS[1:])


def test_one_kind_of_image_counts(tmp_path: Path) -> None:
    origin = write(tmp_path / "masks", ["cow/00000.png", "cow/00000.jpg", "cow/00001.bmp"])
    found = predictions.find(origin, VIDEOS)
    assert found.files["cow"] == {0: "cow/00000.png"}
    assert found.notes == ('"cow" has PNG files and others, such as "cow/00000.jpg"; only PNG files count',)


@pytest.mark.parametrize("name", ["masks.png", "masks.rar", "masks.zip", "masks.7z", "masks.tar.gz", "masks"])
@pytest.mark.parametrize("content", [b"", b"neither", b"PK\3\4 no", b"7z\xbc\xaf\x27\x1c no", b"\x28\xb5\x2f\xfd no"])
def test_what_is_no_archive_is_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    said = r"pass a folder, or a \.zip|nor a valid zip file|is not installed; run: pip install"
    with pytest.raises((DataError, UsageError), match=said) as error:
        predictions.find(tmp_path / name, VIDEOS, scratch=tmp_path / "scratch")
    assert "\n" not in str(error.value)


def test_names_that_cannot_be_decoded_are_shown(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    try:
        (tmp_path / "masks" / "c\udcffow_00000.png").write_bytes(b"")
    except OSError:
        pytest.skip("the file system has no names of other bytes")
    with pytest.raises(DataError, match=r"udcffow_00000\.png") as error:
        predictions.find(tmp_path / "masks", VIDEOS)
    assert str(error.value).isprintable()
