"""Records as a user makes them: apart if they are of something else, never lost, found again."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from in_process import call
from vosbench import face

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command line in this process, in an empty folder: there are many short calls."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return call


@pytest.fixture
def score(cli: Cli, toy_root: Path) -> Cli:
    """``vosbench score MASKS`` on the toy dataset, below ``out``."""

    def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
        masks, *rest = words
        return cli("score", masks, "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--out", "out", *rest)

    return call


@pytest.fixture
def masks(toy_root: Path) -> Path:
    """Masks that are not perfect, in a folder whose name has a dot."""
    folder = toy_root.parent / "model.v1"
    shutil.copytree(toy_root / "masks", folder)
    spoil(folder / "v0" / "00002.png")
    return folder


def spoil(path: Path) -> None:
    pixels = np.asarray(Image.open(path)).copy()
    pixels[:6, :6] = 255
    Image.fromarray(pixels).save(path)


def written() -> set[str]:
    return {path.name for path in Path("out", "toy").glob("*.json")}


def table(cli: Cli, *words: str) -> list[dict[str, float]]:
    done = cli("table", "toy", "--results", "out", "--plugin", TOY, "--format", "json", *words)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)["rows"])


def test_measures_protocols_limits_and_videos_leave_a_record_each(cli: Cli, score: Cli, masks: Path) -> None:
    for words in ((), ("--measures", "J"), ("--protocol", "toy-saliency"), ("--limit", "3"), ("--videos", "v0")):
        for _ in range(2):
            done = score(masks, *words)
            assert done.returncode == 0, done.stderr
    names = ("model.v1", "model.v1+J", "model.v1@toy-saliency", "model.v1+limit3", "model.v1+1video-0270da4d")
    assert written() == {f"{name}.json" for name in names}
    shown = table(cli)
    assert [row["method"] for row in shown] == ["model.v1", "model.v1+J"]
    assert shown[1]["J mean"] == shown[0]["J mean"] < 1
    assert (shown[1]["F mean"], "MAE" in shown[0]) == (None, False)
    assert [row["method"] for row in table(cli, "--protocol", "toy-saliency")] == ["model.v1"]
    assert [row["model.v1+J"] for row in table(cli, "--by", "video", "--measure", "J_mean")] == [
        row["model.v1"] for row in table(cli, "--by", "video", "--measure", "J_mean")
    ]
    notes = cli("table", "toy", "--results", "out", "--plugin", TOY).stderr
    assert 'not in this table: "model.v1@toy-saliency" (val, toy-saliency@1); see --split and --protocol' in notes
    assert '"model.v1+limit3" is left out: only 3 frames of each video' in notes
    records = face.read_records("out")
    assert {f"{record.name}.json" for record in records} == written()
    for record in records:
        path = Path("out", "toy", f"{record.name}.json")
        assert cli("compare", path, path, "--plugin", TOY).returncode == 0
        baseline = Path(shutil.copy(path, "baseline.json"))
        assert cli("check", path, "--baseline", baseline).returncode == 0


def test_names_of_folders_and_archives(score: Cli, masks: Path) -> None:
    second = Path(shutil.copytree(masks, masks.with_name("model.v2")))
    archive = shutil.make_archive(str(masks.with_name("model.v3")), "gztar", masks)
    for each in (masks, second, Path(archive), masks / "." / "v0" / ".."):
        assert score(each).returncode == 0
    assert written() == {"model.v1.json", "model.v2.json", "model.v3.json"}


def test_other_masks_under_one_name_are_refused(score: Cli, masks: Path) -> None:
    assert score(masks).returncode == 0
    before = Path("out/toy/model.v1.json").read_bytes()
    spoil(masks / "v1" / "00001.png")
    done = score(masks)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        'error: "out/toy/model.v1.json" holds the scores of other predictions ("model.v1", '
    )
    assert done.stderr.splitlines()[-1].endswith("pass --overwrite to replace it, or another --name or --out")
    assert Path("out/toy/model.v1.json").read_bytes() == before
    assert score(masks, "--name", "model.v2").returncode == 0
    assert score(masks, "--overwrite").returncode == 0
    assert Path("out/toy/model.v1.json").read_bytes() != before


@pytest.mark.parametrize(
    "name", ["../../evil", "/tmp/evil", "", ".", "..", ".x", "a\nb", "a\x1b[2Jb", "x" * 121, "NUL"]
)
def test_names_that_lead_elsewhere_are_refused_before_the_work(score: Cli, tmp_path: Path, name: str) -> None:
    done = score("missing", "--name", name)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "cannot name a file: it " in line
    assert line.isprintable()
    assert not list(tmp_path.rglob("*evil*"))
    assert not Path("out").exists()


def test_an_incomplete_record_is_completed(score: Cli, masks: Path) -> None:
    hidden = masks.parent / "00002.png"
    (masks / "v0" / "00002.png").rename(hidden)
    assert score(masks).returncode == 3
    assert written() == {"model.v1.json"}
    hidden.rename(masks / "v0" / "00002.png")
    assert score(masks).returncode == 0
    assert face.read_record("out/toy/model.v1.json").missing == []


def test_a_run_that_fails_on_a_video_is_incomplete(cli: Cli, toy_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("run", "--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--out", "out")
    monkeypatch.setenv("TOY_FAIL", "v0/00003")
    done = cli(*words)
    assert done.returncode == 4
    said = done.stderr.splitlines()[-1]
    assert said.startswith('error: the method fails on frame 3 of "v0": RuntimeError: out of luck (')
    assert said.endswith('; the record of the others, "out/toy/brightness.json", is marked incomplete')
    shown = cli("table", "toy", "--results", "out", "--plugin", TOY)
    assert shown.returncode == 3
    assert '"brightness" is left out: incomplete, since the method failed on 1 video, ' in shown.stderr
    monkeypatch.delenv("TOY_FAIL")
    assert cli(*words).returncode == 0
    assert [row["method"] for row in table(cli)] == ["brightness"]


def test_a_run_does_not_replace_a_record_of_other_masks(cli: Cli, score: Cli, toy_root: Path, masks: Path) -> None:
    assert score(masks, "--name", "brightness").returncode == 0
    before = Path("out/toy/brightness.json").read_bytes()
    words = ("run", "--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--out", "out")
    done = cli(*words)
    assert done.returncode == 2
    assert "holds the scores of other predictions" in done.stderr
    assert Path("out/toy/brightness.json").read_bytes() == before
    assert cli(*words, "--overwrite").returncode == 0


def test_the_help_says_that_plugins_are_run(cli: Cli) -> None:
    for verb in ("run", "score", "table", "compare", "check"):
        assert "The file is run" in " ".join(cli(verb, "--help").stdout.replace("│", " ").split())
