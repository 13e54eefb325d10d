"""The same masks under several protocols, and what the choices of two records are worth."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from in_process import call
from vosbench.dataset import DatasetProtocol
from vosbench.report.protocols import apart, otherwise

Cli = Callable[..., subprocess.CompletedProcess[str]]
PLUGIN = ("--plugin", Path(__file__).parents[1] / "plugins" / "toy.py")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    return call


@pytest.fixture
def masks(toy_root: Path, tmp_path: Path) -> Path:
    """Masks that are right but in the first frames, which are empty."""
    place = tmp_path / "mine"
    shutil.copytree(toy_root / "masks", place)
    for path in place.glob("*/00000.png"):
        Image.fromarray(np.zeros((24, 32), np.uint8)).save(path)
    return place


@pytest.fixture
def words(masks: Path, toy_root: Path) -> tuple[str | Path, ...]:
    return ("score", masks, "--dataset", "toy", "--root", toy_root, *PLUGIN, "--jobs", "1", "--quiet")


def test_all_protocols_have_a_line_each(cli: Cli, words: tuple[str | Path, ...]) -> None:
    done = cli(*words, "--protocol", "all", "--out", "results")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["toy", "toy-inner", "toy-saliency"]
    assert lines[2].split()[1] == "0.800"
    assert lines[3].split()[1:3] == ["1.000", "(+0.200)"]
    assert "toy-inner: counts frames 1…N−2, not all annotated frames" in lines
    assert any(line.startswith("toy-saliency: ") and "measures MAE, maxF, S, not J, F" in line for line in lines)
    assert {path.name for path in Path("results/toy").glob("*.json")} == {
        f"mine{apart}.json" for apart in ("", "@toy-inner", "@toy-saliency")
    }
    found = json.loads(cli(*words, "--protocol", "toy-inner,toy", "--measures", "J", "--format", "json").stdout)
    assert list(found["protocols"]) == ["toy", "toy-inner"]
    assert found["protocols"]["toy-inner"]["record"]["scores"]["J_mean"] == 1.0


def test_a_protocol_that_masks_lack_frames_of(cli: Cli, words: tuple[str | Path, ...], masks: Path) -> None:
    for path in masks.glob("*/00000.png"):
        path.unlink()
    done = cli(*words, "--protocol", "all", "--measures", "J,F")
    assert done.returncode == 3
    assert 'protocol "toy": 2 masks are missing' in done.stderr
    assert "toy-inner" in done.stdout
    assert "toy-saliency: left out: it has none of the measures" in done.stdout


def test_what_the_choices_of_two_records_are_worth(cli: Cli, words: tuple[str | Path, ...], masks: Path) -> None:
    assert cli(*words, "--protocol", "toy,toy-inner", "--out", "results").returncode == 0
    pair = "results/toy/mine.json", "results/toy/mine@toy-inner.json"
    done = cli(*words, "--explain", *pair, "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = {row["choice"]: row for row in json.loads(done.stdout)["rows"]}
    assert list(rows) == ["frames: counts", "the records"]
    assert rows["frames: counts"]["second"] == "frames 1…N−2"
    assert rows["frames: counts"]["J mean"] == pytest.approx(0.2)
    assert rows["the records"]["J mean"] == pytest.approx(0.2)
    limited = (*words[:-1], "--limit", "3", "--out", "results", "--quiet")
    assert cli(*limited).returncode == 0
    done = cli(*words, "--explain", pair[1], "results/toy/mine+limit3.json", "--measures", "J", "--format", "json")
    rows = {row["choice"]: row for row in json.loads(done.stdout)["rows"]}
    assert list(rows) == ["frames: counts", "limit: frames", "all together", "the records"]
    assert rows["all together"]["J mean"] == pytest.approx(rows["the records"]["J mean"])
    assert rows["frames: counts"]["J mean"] == pytest.approx(-0.2)
    same = cli(*words, "--explain", pair[0], pair[0])
    assert "the records are of the same choices" in same.stdout
    assert masks.is_dir()


@pytest.mark.parametrize(
    ("more", "code", "problem"),
    [
        (("--protocol", "toy,toy-inn"), 2, 'toy has no protocol "toy-inn"; did you mean "toy-inner"?'),
        (("--protocol", "all", "--measures", "X"), 2, 'no protocol has the measure "X"'),
        (("--protocol", "all", "--by", "video"), 2, "--by is for one protocol"),
        (("--explain", "a.json", "b.json"), 3, 'the record "a.json" cannot be read'),
        (("--explain", "a.json", "b.json", "--protocol", "toy"), 2, "--protocol is for scores"),
    ],
)
def test_mistakes_are_one_line(
    cli: Cli, words: tuple[str | Path, ...], more: tuple[str, ...], code: int, problem: str
) -> None:
    done = cli(*words, *more)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dataset_is_needed(cli: Cli, masks: Path, toy_root: Path) -> None:
    done = cli("score", masks, "--gt", toy_root / "masks", "--protocol", "all")
    assert (done.returncode, done.stderr) == (2, "error: several protocols need --dataset\n")


def test_choices_of_other_measures_do_not_count() -> None:
    one, other = DatasetProtocol(name="a", measures=("J",)), DatasetProtocol(name="b", measures=("J",), tolerance=0.1)
    assert apart(one, other) == []
    assert otherwise(other, one) == "does the same"
    start = DatasetProtocol(name="c", measures=("T",), t_first="skip")
    assert otherwise(start, DatasetProtocol(name="d", measures=("T",))) == (
        "T starts with the first scored frame, not the annotation of frame 0"
    )
