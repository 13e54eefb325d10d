"""Splits whose annotations are not public: maps are written, and nothing is scored."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import vosbench
from vosbench.dataset import Listed
from vosbench.dataset.selection import Choice, select
from vosbench.dataset.verify import verify
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.score import score
from vosbench.registry import load_dataset

Put = Callable[..., None]
Cli = Callable[..., subprocess.CompletedProcess[str]]
MEDIAN = Path(__file__).parents[2] / "examples" / "median.py"
TESTS = ("butterfly", "cat")


@pytest.fixture
def test_dev(put: Put, root: Path) -> Path:
    """The frames of two videos, as in the package of the test videos."""
    put("ImageSets/2019/test-dev.txt")
    for name in TESTS:
        put(f"JPEGImages/480p/{name}/{{n:05d}}.jpg", numbers=range(3))
    return root


def test_a_run_writes_maps_alone(test_dev: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "results"
    words = ("run", "--plugin", str(MEDIAN), "--method", "median", "--dataset", "davis17", "--split", "test-dev")
    done = cli(*words, "--root", str(test_dev), "--videos", "butterfly,cat", "--out", str(out))
    assert (done.returncode, done.stdout) == (0, "")
    assert "DAVIS-2017 Unsupervised test-dev has no public annotations, so there is nothing to score" in done.stderr
    folder = out / "davis17" / "median+test-dev"
    assert len(list(folder.glob("*/*.png"))) == 6
    assert json.loads((folder / "run.json").read_text())["split"] == "test-dev"
    assert [path.name for path in (out / "davis17").iterdir() if path.is_file() and path.suffix == ".json"] == []
    again = cli("score", str(folder), *words[5:], "--root", str(test_dev), "--videos", "butterfly,cat")
    assert again.returncode == 3
    assert (
        again.stderr.strip()
        .splitlines()[-1]
        .endswith(
            "DAVIS-2017 Unsupervised test-dev has no public annotations, so masks of it cannot be scored here; see the "
            "dataset's card"
        )
    )


def test_nothing_would_be_left_without_a_folder(test_dev: Path) -> None:
    where = {"root": test_dev, "split": "test-dev", "videos": TESTS, "plugins": (MEDIAN,)}
    with pytest.raises(UsageError, match="has no annotations to score maps, and they are not kept; pass a folder"):
        vosbench.run("median", "davis17", **where)  # type: ignore[arg-type]


def test_the_selection(test_dev: Path, tmp_path: Path) -> None:
    dataset = load_dataset("davis17")
    selection = select(dataset, Choice(root=test_dev, split="test-dev", videos=TESTS))
    assert (selection.annotated, selection.unannotated, selection.videos[0].layout) == (False, {}, "davis17-test-dev")
    with pytest.raises(DataError, match="has no public annotations"):
        score(tmp_path, selection)
    with pytest.raises(DataError, match="28 of 30 videos are missing"):
        select(dataset, Choice(root=test_dev, split="test-dev"))
    with pytest.raises(DataError, match="is not DAVIS-2017 Unsupervised"):
        select(dataset, Choice(root=test_dev))
    report = verify(dataset, test_dev, "test-dev")
    assert (report.complete, {each.message for each in report.errors}) == (2, {"is missing"})
    assert Listed(frames=None, annotated=()).expected(selection.videos[0]) == (3, ())


@pytest.mark.torch
def test_it_is_no_data_to_train_on(test_dev: Path, put: Put, cli: Cli, tmp_path: Path) -> None:
    for name in load_dataset("davis17").listing("test-dev"):
        put(f"JPEGImages/480p/{name}/00000.jpg")
    done = cli("train", "f2net", "--data", f"davis17:test-dev={test_dev}", "--out", str(tmp_path / "weights"))
    assert (done.returncode, "has no public annotations" in done.stderr) == (3, True)
