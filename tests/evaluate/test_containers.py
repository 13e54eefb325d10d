"""Archives, arrays and run lengths that are unusual, unsafe or damaged."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.evaluate import predictions
from vosbench.evaluate.predictions import Predictions
from vosbench.evaluate.stacks import decode_runs
from vosbench.images import read_mask
from vosbench.images.codecs import codec
from vosbench.images.recognition import Found, Look, look_of, recognise

COW = Video(name="cow", frames=tuple(Path(f"{t:05d}.jpg") for t in range(3)))
MASK = np.array([[0, 255, 255], [0, 0, 255]], np.uint8)


def png() -> bytes:
    target = io.BytesIO()
    Image.fromarray(MASK).save(target, "PNG")
    return target.getvalue()


def find(origin: Path) -> Predictions:
    scratch = origin.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return predictions.find(origin, [COW], scratch=scratch)


def tar(path: Path, entries: list[tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(png()) if entry.isfile() else None)
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    made.size = len(png()) if kind == tarfile.REGTYPE else 0
    return made


def test_links_inside_a_tar_are_followed(tmp_path: Path) -> None:
    archive = tar(
        tmp_path / "masks.tar",
        [
            entry("cow", tarfile.DIRTYPE),
            entry("cow/00000.png"),
            entry("cow/00001.png", tarfile.SYMTYPE, "00000.png"),
            entry("cow/00002.png", tarfile.LNKTYPE, "cow/00000.png"),
            entry("cow/notes.txt"),
            entry("cow/pipe.png", tarfile.FIFOTYPE),
        ],
    )
    masks = find(archive)
    assert [mask.tolist() for mask in masks.read("cow", range(3), read_mask)] == [(MASK > 0).tolist()] * 3


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([entry("../cow/00000.png")], "which escapes from it"),
        ([entry("/cow/00000.png")], "which escapes from it"),
        ([entry("C:\\cow\\00000.png")], "which escapes from it"),
        ([entry("cow/00000.png", tarfile.SYMTYPE, "../../secret.png")], "which escapes from it"),
        ([entry("cow/00000.png", tarfile.SYMTYPE, "00009.png")], 'is a link to "cow/00009.png", which is not a mask'),
        ([entry("cow/00000.png"), entry("./cow/00000.png")], 'contains "cow/00000.png" twice'),
    ],
)
def test_unsafe_tars_are_refused(tmp_path: Path, entries: list[tarfile.TarInfo], said: str) -> None:
    with pytest.raises(DataError) as error:
        find(tar(tmp_path / "masks.tar", entries))
    assert said in str(error.value)
    assert not (tmp_path / "secret.png").exists()


def test_encrypted_archives(tmp_path: Path) -> None:
    py7zr = pytest.importorskip("py7zr")
    with py7zr.SevenZipFile(tmp_path / "masks.7z", "w", password="secret") as archive:
        archive.writestr(png(), "cow/00000.png")
    with pytest.raises(DataError, match="is encrypted; pack it again without a password"):
        find(tmp_path / "masks.7z")


def test_what_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vosbench.evaluate.containers.LARGEST", {".png": 20})
    with pytest.raises(DataError, match=r"cow/00000.png\" unpacks to \d+ bytes; more than 20 are not read"):
        find(tar(tmp_path / "masks.tar", [entry("cow/00000.png")]))
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        archive.writestr("cow/00000.png", png())
    with pytest.raises(DataError, match=r"cow/00000.png\" unpacks to \d+ bytes; more than 20 are not read"):
        find(tmp_path / "masks.zip")


def test_entries_without_a_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        archive.writestr(".", b"")
    with pytest.raises(DataError, match="without a usable name"):
        find(tmp_path / "masks.zip")


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (np.zeros((3, 2, 3, 3)), r"is an array of shape \(3, 2, 3, 3\); the masks of a video are \(frames"),
        (np.zeros((2, 4, 4)), "2 masks, but its video has 3 frames"),
        (np.full((3, 4, 4), 7.5), r"floats from 7.5 to 7.5; a soft map is in \[0, 1\]"),
        (np.full((3, 4, 4), np.nan), "floats from nan to nan"),
        (np.full((3, 4, 4), -1), "values from -1 to -1"),
        (np.full((3, 4, 4), "x"), "array of <U1"),
        (np.zeros((3, 2**13, 2**13), np.bool_)[:, :1, :1].repeat(1, 1), ""),
    ],
)
def test_stacks_that_are_no_masks(tmp_path: Path, stack: np.ndarray, said: str) -> None:
    np.save(tmp_path / "cow.npy", stack)
    if said:
        with pytest.raises(DataError, match=said):
            find(tmp_path / "cow.npy")
    else:
        assert len(find(tmp_path / "cow.npy").files["cow"]) == 3


def test_damaged_stacks(tmp_path: Path) -> None:
    for name, content in (("cow.npy", b"\x93NUMPY no"), ("cow.npz", b"PK no"), ("cow.mp4", b"no video")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises((DataError, UsageError)) as error:  # the extra for videos may not be installed
            find(tmp_path / name)
        assert "\n" not in str(error.value)


def test_pickled_arrays_are_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "cow.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read as the masks of a video"):
        find(tmp_path / "cow.npy")


def test_two_stacks_of_a_video(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for suffix in ("npy", "mp4"):
        (tmp_path / "masks" / f"cow.{suffix}").write_bytes(b"")
    with pytest.raises(DataError, match='"cow" has two files with all masks'):
        find(tmp_path / "masks")


RUNS = {"size": [2, 2], "counts": [1, 2, 1]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"image_id": 7, "segmentation": RUNS}], "image 7 is a number"),
        ([{"segmentation": RUNS}], "KeyError"),
        (3, "AttributeError"),
        ({"cow": [RUNS, RUNS, {"size": [3, 2], "counts": [6]}]}, "masks of 2 sizes"),
        ({"cow": [None, None, None]}, "all masks of a video are empty"),
        ({"cow": [{"size": [0, 2], "counts": []}] * 3}, "masks of 2×0"),
        ({"cow": [{"size": [2, 2], "counts": [5]}] * 3}, "runs of 5 pixels do not fill 2×2"),
        ({"cow": [{"size": [2, 2], "counts": [-1, 5]}] * 3}, "do not fill"),
        ({"cow": [{"size": [2, 2], "counts": "!"}] * 3}, "not in the alphabet"),
        ({"cow": [{"size": [2, 2], "counts": "P"}] * 3}, "ends inside a number"),
    ],
)
def test_run_lengths_that_are_no_masks(tmp_path: Path, content: object, said: str) -> None:
    (tmp_path / "masks.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="is not a JSON file of masks as run lengths") as error:
        find(tmp_path / "masks.json")
    assert said in str(error.value)


def test_run_lengths_with_negative_differences() -> None:
    """The fourth length is stored as its difference to the second: 2 − 4."""
    assert (decode_runs("142N", 3, 3) == decode_runs([1, 4, 2, 2], 3, 3)).all()


def looks(*found: Look) -> dict[str, dict[Look, Found]]:
    return {"cow": {look: Found(1, f"{at}.png") for at, look in enumerate(found)}}


def palette(indices: tuple[int, ...], *colours: tuple[int, int, int]) -> Look:
    return look_of("P", indices, bytes(level for colour in colours for level in colour))


RED, GREEN, BLACK, WHITE = (200, 0, 0), (0, 200, 0), (0, 0, 0), (255, 255, 255)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ([palette((0, 1), BLACK, RED)], "palette"),
        ([palette((0, 1), RED, BLACK)], "colours"),
        ([palette((1, 2), RED, BLACK, GREEN)], "colours"),
        ([palette((0, 1), (9, 0, 0), RED)], "palette"),
        ([palette((0, 1), BLACK, RED), palette((0, 1), RED, BLACK)], "colours"),
        ([palette((0, 1), WHITE, BLACK), Look("L", (0, 255), 0, 255)], "colours"),
        ([palette((0, 255), *[(level,) * 3 for level in range(256)])], "nonzero"),
        ([Look("RGB", (0, 0x0A0A0A), 0, 10), Look("L", (0,), 0, 0)], "binary:0,10"),
        ([Look("I;16", None, 0, 40000)], "map"),
    ],
)
def test_palettes_and_colours(found: list[Look], name: str) -> None:
    assert recognise(looks(*found), "masks") == {"cow": name}
    assert codec(name).name == name


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([palette((0, 1, 2), RED, GREEN, BLACK)], "index 0 is (200, 0, 0), another is black"),
        ([palette((1, 2), BLACK, RED, GREEN)], "palette indices 1, 2, none of them 0 or black"),
        ([palette((0, 1), RED, (9, 0, 0))], "index 0 is brighter than the other index"),
        ([palette((0, 1, 2), BLACK, BLACK, RED)], "several indices are black"),
        ([palette((1, 2), BLACK, BLACK, BLACK)], "indices 1, 2 of one colour"),
        ([palette(tuple(range(40)), *[(level, 9, 9) for level in range(40)])], "palettes of many colours"),
        ([palette((0, 1), BLACK, RED), Look("L", None, 0, 255)], "some are soft maps, others have colours"),
        ([Look("RGB", (5, 9), 0, 9, grey=False)], "colours (0, 0, 5), (0, 0, 9), but no black"),
        ([Look("L", (0, 9), 0, 9), Look("I;16", (0, 9), 0, 9)], "some have 16 bits per pixel, others 8"),
        ([Look("RGB", None, 0, 255, grey=False, lossy=True)], "many colours"),
        ([Look("RGB", (1, 0x020202, 0x030303), 1, 3)], "no black"),
    ],
)
def test_palettes_and_colours_that_are_unclear(found: list[Look], said: str) -> None:
    with pytest.raises(DataError) as error:
        recognise(looks(*found), "masks")
    assert said in str(error.value)
