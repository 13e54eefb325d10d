"""A user's mistakes: one line that says what was asked, found and to do, and the right exit code."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from factories import half_a_jpeg
from vosbench.images import write_png
from vosbench.registry import load_dataset

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


def write_davis(root: Path, value: int = 255, videos: int = 20) -> Path:
    """A DAVIS-2016 val of 8×6 pixels."""
    write_png(root / "one.png", np.zeros((6, 8, 3), np.uint8))
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 2:5] = value
    write_png(root / "mask.png", mask)
    for name, listed in list(load_dataset("davis16").listing("val").items())[:videos]:
        for room, source, suffix in (("JPEGImages", "one.png", "jpg"), ("Annotations", "mask.png", "png")):
            folder = root / room / "480p" / name
            folder.mkdir(parents=True)
            for index in range(listed.frames):
                (folder / f"{index:05d}.{suffix}").hardlink_to(root / source)
    (root / "ImageSets" / "480p").mkdir(parents=True)
    (root / "ImageSets" / "480p" / "val.txt").touch()
    return root


@pytest.fixture(scope="module")
def davis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_davis(tmp_path_factory.mktemp("davis"))


def fails(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert done.returncode == code, done.stderr
    assert len(errors) == 1, done.stderr
    assert errors[0].startswith("error: ")
    for part in said:
        assert part in errors[0]


def test_perfect_masks_score_one(cli: Cli, davis: Path) -> None:
    done = cli("score", davis / "Annotations" / "480p", "--dataset", "davis16", "--root", davis, "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("480p,1.0,1.0,0.0,1.0,1.0,0.0,0.0,0.0,1.0,")


def test_wrong_root(cli: Cli, tmp_path: Path) -> None:
    fails(cli("score", tmp_path, "--dataset", "davis16", "--root", "nowhere"), 3, '"nowhere" is not a folder', "--root")
    (tmp_path / "empty").mkdir()
    fails(cli("verify", "davis16", "--root", tmp_path / "empty"), 3, "is not DAVIS-2016: it contains nothing, but")
    fails(cli("verify", "davis16"), 2, "DAVIS-2016 not found: pass --root")


def test_wrong_names(cli: Cli, davis: Path) -> None:
    run = ("run", "--dataset", "davis16", "--root", davis, "--untrained", "--method")
    fails(cli(*run, "adnett"), 2, 'no method "adnett"; did you mean "adnet"?')
    fails(cli(*run, "adnet.interr"), 2, 'did you mean "adnet.inter"?')
    fails(cli("verify", "davs16"), 2, 'no dataset "davs16"; did you mean "davis16"?')
    fails(cli(*run, "adnet", "--videos", "cow"), 2, 'no video "cow"')
    fails(cli(*run, "adnet", "--split", "test"), 2, 'no split "test"; available: val, train, trainval')
    fails(cli(*run, "adnet", "--protocol", "x"), 2, 'no protocol "x"; available: davis16, davis17-unsup')
    fails(cli(*run, "adnet", "--layout", "x"), 2, 'no layout "x"; available: davis16-official')
    fails(cli(*run, "adnet", "--limit", "0"), 2, "must be at least 1 frame, not 0")


def test_no_weights(cli: Cli, davis: Path) -> None:
    done = cli("run", "--method", "adnet", "--dataset", "davis16", "--root", davis)
    fails(done, 2, '"adnet" comes without weights', "--weights", "--untrained")


def test_half_a_dataset(cli: Cli, tmp_path: Path) -> None:
    root = write_davis(tmp_path / "half", videos=10)
    masks = root / "Annotations" / "480p"
    fails(cli("score", masks, "--dataset", "davis16", "--root", root), 3, "10 of 20 videos are missing (drift-straight")
    some = cli("score", masks, "--dataset", "davis16", "--root", root, "--videos", "cows", "--format", "csv")
    assert some.returncode == 0
    assert some.stdout.splitlines()[1].startswith("480p,1.0,1.0,")
    assert '"davis16 val over 1 of 20 videos, videos:1of20|davis16@1|' in some.stdout.splitlines()[1]
    (root / "JPEGImages" / "480p" / "cows" / "00103.jpg").unlink()
    fails(cli("score", masks, "--dataset", "davis16", "--root", root, "--videos", "cows"), 3, "103 of 104 frames")
    (root / "Annotations" / "480p" / "camel" / "00007.png").unlink()
    found = cli("score", masks, "--dataset", "davis16", "--root", root, "--videos", "camel", "--measures", "J")
    assert found.returncode == 0
    only = 'note: "camel" has 89 of 90 annotations; only these are used, so the scores are not for a leaderboard'
    assert only in found.stderr.splitlines()
    assert "davis16 val over 1 of 20 videos, videos:1of20|annotated:89of90|davis16@1|J:inner|" in found.stdout
    assert "not for a leaderboard: only 1 of 20 videos, 1 annotation missing" in found.stdout


def test_annotations_unsupervised(cli: Cli, davis: Path, tmp_path: Path) -> None:
    root = tmp_path / "unsupervised"
    (root / "Annotations_unsupervised").mkdir(parents=True)
    masks = davis / "Annotations"
    fails(cli("score", masks, "--dataset", "davis16", "--root", root), 3, "objects of DAVIS-2017 Unsupervised")
    inside = root / "Annotations_unsupervised"
    fails(cli("score", masks, "--dataset", "davis16", "--root", inside), 3, "objects of DAVIS-2017 Unsupervised")


def test_annotations_of_zeros_and_ones(cli: Cli, davis: Path, tmp_path: Path) -> None:
    root = write_davis(tmp_path / "ones", value=1)
    done = cli("score", davis / "Annotations" / "480p", "--dataset", "davis16", "--root", root)
    fails(done, 3, "contains the values 1", "0 as background and 255 as object")


def test_predictions_of_zeros_and_ones_are_read_and_reported(cli: Cli, davis: Path, tmp_path: Path) -> None:
    root = write_davis(tmp_path / "ones", value=1)
    done = cli("score", root / "Annotations", "--dataset", "davis16", "--root", davis, "--format", "csv")
    assert 'read as "binary01"' in done.stderr
    assert done.stdout.splitlines()[1].startswith("Annotations,1.0,")


def test_corrupt_png(cli: Cli, davis: Path, tmp_path: Path) -> None:
    masks = Path(shutil.copytree(davis / "Annotations", tmp_path / "masks"))
    (masks / "480p" / "dog" / "00030.png").unlink()
    (masks / "480p" / "dog" / "00030.png").write_bytes((davis / "mask.png").read_bytes()[:-30])
    words = ("score", masks, "--dataset", "davis16", "--root", davis, "--out", "results")
    fails(cli(*words), 3, "dog/00030.png", "corrupt")
    assert not (tmp_path / "results").exists()


def test_zip_of_another_dataset(cli: Cli, davis: Path, tmp_path: Path) -> None:
    archive = tmp_path / "fbms.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(davis / "mask.png", "cars1/cars1_01.png")
    fails(cli("score", archive, "--dataset", "davis16", "--root", davis), 3, "for another dataset?", '"cars1"')


def test_masks_of_the_wrong_size(cli: Cli, davis: Path, tmp_path: Path) -> None:
    masks = Path(shutil.copytree(davis / "Annotations", tmp_path / "masks"))
    (masks / "480p" / "dog" / "00030.png").unlink()
    write_png(masks / "480p" / "dog" / "00030.png", np.full((3, 4), 255, np.uint8))
    done = cli("score", masks, "--dataset", "davis16", "--root", davis)
    fails(done, 3, "dog/00030.png", "is 4×3, but its annotation is 8×6", "save masks at the size of the frames")


def test_a_missing_scored_frame(cli: Cli, davis: Path, tmp_path: Path) -> None:
    masks = Path(shutil.copytree(davis / "Annotations", tmp_path / "masks"))
    (masks / "480p" / "dog" / "00059.png").unlink()
    words = ("score", masks, "--dataset", "davis16", "--root", davis, "--format", "csv")
    assert cli(*words).returncode == 0
    (masks / "480p" / "dog" / "00030.png").unlink()
    done = cli(*words)
    fails(done, 3, "1 mask is missing", "dog/00030")
    assert done.stdout.splitlines()[1].startswith("masks,,,")


def test_a_corrupt_frame(cli: Cli, toy_root: Path) -> None:
    (toy_root / "frames" / "v1" / "00002.png").write_bytes(b"none")
    words = ("run", "--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY)
    fails(cli(*words), 4, "v1/00002.png", "is not an image that is read here (PNG, JPEG, BMP, TIFF, PPM or PGM)")


def test_half_a_jpeg(cli: Cli, toy_root: Path) -> None:
    path = half_a_jpeg(toy_root / "frames" / "v1" / "00003.png")
    toys = ("--plugin", TOY, "--root", toy_root)
    fails(cli("run", "--dataset", "toy", "--method", "brightness", *toys), 4, f'"{path}" is corrupt (')
    done = cli("verify", "toy", *toys)
    assert done.returncode == 3
    (line,) = (line for line in done.stdout.splitlines() + done.stderr.splitlines() if "frames cannot be read" in line)
    assert f'1 of 5 frames cannot be read: "{path}" is corrupt (' in line


@pytest.mark.skipif(sys.platform == "win32", reason="FIFOs are of POSIX")
def test_a_frame_that_is_a_fifo(cli: Cli, toy_root: Path) -> None:
    path = toy_root / "frames" / "v1" / "00003.png"
    path.unlink()
    os.mkfifo(path)
    toys = ("--plugin", TOY, "--root", toy_root)
    fails(cli("run", "--dataset", "toy", "--method", "brightness", *toys), 4, f'"{path}" is a FIFO, not a file')


def test_annotations_without_frames(cli: Cli, toy_root: Path) -> None:
    toys = ("--dataset", "toy", "--plugin", TOY, "--root", toy_root)
    whole = cli("score", toy_root / "masks", *toys, "--format", "csv")
    shutil.rmtree(toy_root / "frames")
    alone = cli("score", toy_root / "masks", *toys, "--format", "csv")
    assert (alone.returncode, alone.stdout) == (0, whole.stdout)
    fails(cli("run", "--method", "brightness", *toys), 3, "Toy val has annotations but no frames", "copy them too")
    done = cli("verify", "toy", *toys[2:])
    assert done.returncode == 3
    assert "has no frames: its annotations can be scored" in done.stdout + done.stderr


def test_table_of_nothing(cli: Cli) -> None:
    fails(cli("table", "davis16"), 3, "holds no such record", "vosbench run")
