import json
import re
import shlex
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from vosbench.cli import app

PLUGINS = Path(__file__).parents[1] / "plugins"
TOY = ("--dataset", "toy", "--plugin", PLUGINS / "toy.py", "--plugin", PLUGINS / "linear.py")


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Cli = Callable[..., Done]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process, which saves the start of another; in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str | Path) -> Done:
        code = 0
        try:
            app([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
        return Done(code, *capsys.readouterr())

    return call


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Weights that find every pixel of the toy's disks."""
    path = tmp_path / "good.safetensors"
    save_file({"colour": np.full(3, 4, np.float32), "bias": np.full(1, -6, np.float32)}, path)
    return path


@pytest.fixture
def spoiled(tmp_path: Path) -> Path:
    """The same with noise."""
    path = tmp_path / "spoiled.safetensors"
    noise = np.random.default_rng(2).normal(0, 4, 4).astype(np.float32)
    save_file({"colour": 4 + noise[:3], "bias": noise[3:] - 6}, path)
    return path


@pytest.fixture
def gate(cli: Cli, toy_root: Path, tmp_path: Path, checkpoint: Path) -> Cli:
    """Check a checkpoint against the baseline of the good one."""

    def call(weights: Path, *words: str | Path) -> Done:
        run = ("--method", "linear", *TOY, "--root", toy_root, "--weights", weights)
        return cli("check", *run, "--baseline", tmp_path / "baseline.json", *words)

    made = call(checkpoint, "--update-baseline")
    assert made.returncode == 0, made.stderr
    return call


def test_a_spoiled_checkpoint_fails_and_names_the_videos(
    gate: Cli, checkpoint: Path, spoiled: Path, tmp_path: Path
) -> None:
    baseline = (tmp_path / "baseline.json").read_bytes()
    good = gate(checkpoint, "--junit", "good.xml")
    assert good.returncode == 0, good.stderr
    assert "PASSED: 7 measures of all videos, and 2 videos" in good.stdout
    bad = gate(spoiled, "--junit", "out/bad.xml")
    assert bad.returncode == 1
    assert bad.stdout.endswith("2 of 2 videos (v0, v1)\n")
    assert "changed since the baseline: weights" in bad.stdout
    found = {name: ET.parse(tmp_path / name).getroot() for name in ("good.xml", "out/bad.xml")}
    assert {name: int(root.attrib["failures"]) > 0 for name, root in found.items()} == {
        "good.xml": False,
        "out/bad.xml": True,
    }
    times = {case.attrib["name"]: float(case.attrib["time"]) for case in found["good.xml"].iter("testcase")}
    assert times["video v0"] > 0
    assert float(found["good.xml"].attrib["time"]) >= times["video v0"] + times["video v1"] - 0.002
    assert (tmp_path / "baseline.json").read_bytes() == baseline
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("kind", ["table", "json", "junit", "github", "markdown"])
def test_every_format_names_the_videos(gate: Cli, spoiled: Path, kind: str) -> None:
    bad = gate(spoiled, "--format", kind, "--quiet")
    assert bad.returncode == 1
    assert "v0" in bad.stdout
    assert "v1" in bad.stdout
    assert bad.stderr == ""


def test_a_missing_baseline_fails(cli: Cli, gate: Cli, checkpoint: Path, tmp_path: Path) -> None:
    run = tmp_path / "run" / "toy" / "linear.json"
    assert gate(checkpoint, "--out", "run").returncode == 0
    missing = cli("check", run, "--baseline", "nowhere.json", "--junit", "missing.xml")
    assert missing.returncode == 1
    assert "there is no baseline, so there is nothing to compare" in missing.stdout
    assert ET.parse(tmp_path / "missing.xml").getroot().attrib["failures"] == "1"
    assert not (tmp_path / "nowhere.json").exists()
    (tmp_path / "damaged.json").write_text("{}")
    assert cli("check", run, "--baseline", "damaged.json").returncode == 3


def test_a_baseline_is_updated_only_on_request(cli: Cli, gate: Cli, spoiled: Path, tmp_path: Path) -> None:
    updated = gate(spoiled, "--update-baseline", "--out", "run")
    assert updated.returncode == 0, updated.stderr
    assert "J mean" in updated.stdout
    assert "FAILED: " in updated.stdout
    assert "was updated" in updated.stderr
    assert (tmp_path / "baseline.json").read_bytes() == (tmp_path / "run" / "toy" / "linear.json").read_bytes()
    assert cli("check", "run/toy/linear.json", "--baseline", "baseline.json").returncode == 0


def test_tolerances_are_applied(gate: Cli, spoiled: Path) -> None:
    passing = gate(spoiled, "--max-drop", "1", "--video-tolerance", "1")
    assert passing.returncode == 0, passing.stdout
    assert gate(spoiled, "--tolerance", "1", "--video-tolerance", "1").returncode == 0
    assert gate(spoiled, "--tolerance", "1", "--video-tolerance", "1", "--max-drop", "0.01").returncode == 1
    assert gate(spoiled, "--tolerance", "J_men=1").returncode == 2


def test_what_is_not_comparable_is_unfit(gate: Cli, checkpoint: Path) -> None:
    other = gate(checkpoint, "--protocol", "toy-inner")
    assert other.returncode == 3
    assert "not comparable: protocols differ" in other.stderr
    limited = gate(checkpoint, "--limit", "3")
    assert limited.returncode == 3
    assert "Traceback" not in limited.stderr


def test_some_videos_are_checked_against_the_same_videos(cli: Cli, gate: Cli, checkpoint: Path, tmp_path: Path) -> None:
    first, second = "run/toy/linear+1video-0270da4d.json", "other/toy/linear+1video-3bfc2695.json"
    some = gate(checkpoint, "--videos", "v0", "--out", "run")
    assert some.returncode == 3
    said = 'videos differ: means over 1 of 2 videos and over all videos (only the second has "v1")'
    assert some.stderr.splitlines()[-1] == f"error: run and baseline are not comparable: {said}"
    run = Path(shutil.copy(tmp_path / first, tmp_path / "some.json"))
    back = cli("check", "baseline.json", "--baseline", run)
    assert (back.returncode, "over all videos and over 1 of 2 videos" in back.stderr) == (3, True)
    same = cli("check", first, "--baseline", run)
    assert same.returncode == 0, same.stderr
    assert "toy val over 1 of 2 videos, videos:1of2|toy@1" in same.stdout
    assert re.search(r"PASSED: \d measures of 1 of 2 videos, and 1 video\n", same.stdout)
    assert gate(checkpoint, "--videos", "v1", "--out", "other").returncode == 3
    other = cli("check", second, "--baseline", run)
    assert other.returncode == 3
    assert 'over 1 of 2 videos (only the first has "v1", only the second has "v0")' in other.stderr
    compared = cli("compare", first, run)
    assert (compared.returncode, "toy val over 1 of 2 videos" in compared.stdout) == (0, True)
    refused = cli("compare", second, run)
    assert (refused.returncode, refused.stderr.count("videos differ")) == (3, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "pass a record to check, or --method and --dataset"),
        (["--method", "linear"], "pass a record to check, or --method and --dataset"),
        (["run.json", "--method", "linear"], "is a record, so nothing is run"),
        (["run.json", "--seed", "3"], "leave out --seed"),
        (["b.json"], "is the run itself"),
        (["--method", "m", "--dataset", "d", "--out", "o", "--baseline", "o/d/m.json"], "is the run itself"),
        (["run.json", "--max-drop", "-1"], "a tolerance is 0 or more"),
    ],
)
def test_contradictory_requests(cli: Cli, words: list[str], said: str) -> None:
    done = cli("check", *([] if "--baseline" in words else ["--baseline", "b.json"]), *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_file_that_cannot_be_written_is_one_line(gate: Cli, cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.xml").mkdir()
    done = gate(checkpoint, "--junit", "folder.xml")
    assert done.returncode == 2
    assert 'the report "folder.xml" cannot be written' in done.stderr
    (tmp_path / "file").write_text("")
    done = cli("check", "baseline.json", "--baseline", "file/new.json", "--update-baseline")
    assert done.returncode == 2
    assert 'the baseline "file/new.json" cannot be written' in done.stderr


@pytest.fixture
def pair(cli: Cli, toy_root: Path, checkpoint: Path, spoiled: Path) -> tuple[str, str]:
    """Records of the good and the spoiled checkpoint."""
    for weights in (checkpoint, spoiled):
        run = ("--method", "linear", *TOY, "--root", toy_root, "--weights", weights, "--out", weights.stem)
        assert cli("run", *run).returncode == 0
    return "good/toy/linear.json", "spoiled/toy/linear.json"


def test_compare(cli: Cli, pair: tuple[str, str]) -> None:
    plugin = ("--plugin", PLUGINS / "toy.py")
    found = json.loads(cli("compare", *pair, *plugin, "--format", "json").stdout)
    good, bad = (found[name]["scores"]["J_mean"] for name in ("first", "second"))
    assert found["measures"]["J_mean"]["difference"] == pytest.approx(good - bad)
    assert found["measures"]["J_mean"]["difference"] > 0.1
    shown = cli("compare", *pair, *plugin)
    assert shown.returncode == 0, shown.stderr
    for expected in ("J mean", "95% low", "toy@1|J:all|F:0.008|avg:video", "seed 0", "v0", "v1"):
        assert expected in shown.stdout
    rows = cli("compare", *pair, *plugin, "--by", "video", "--measure", "J_mean", "--format", "csv").stdout.splitlines()
    assert [row.split(",")[0] for row in rows] == ["video", "v0", "v1"]
    assert cli("compare", *pair, *plugin, "--by", "attribute").returncode == 3


def test_compare_three(cli: Cli, pair: tuple[str, str]) -> None:
    words = ("compare", *pair, pair[0], "--plugin", PLUGINS / "toy.py", "--measure", "J_mean")
    shown = cli(*words, "--format", "csv").stdout.splitlines()
    assert shown[0].startswith('measure,method,videos,mean,linear − method,95% low,95% high,p,"p, Holm",better')
    assert [line.split(",")[1] for line in shown[1:]] == ["linear", "linear (2)", "linear (3)"]
    found = json.loads(cli(*words, "--format", "json").stdout)
    assert [each["name"] for each in found["comparisons"]] == ["linear (2)", "linear (3)"]
    holm = [each["measures"]["J_mean"]["p_holm"] for each in found["comparisons"]]
    assert holm == [min(1.0, 2 * found["comparisons"][0]["measures"]["J_mean"]["p"]), 1.0]
    assert "J mean: linear − linear (3)" in cli(*words, "--by", "video").stdout
    alone = cli("compare", pair[0])
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "at least two records" in alone.stderr


def test_compare_without_the_dataset_has_a_note(cli: Cli, pair: tuple[str, str]) -> None:
    shown = cli("compare", *pair)
    assert shown.returncode == 0
    assert 'note: without the dataset\'s list there are no attributes: there is no dataset "toy"' in shown.stderr


def test_a_record_compared_with_itself(cli: Cli, pair: tuple[str, str]) -> None:
    found = json.loads(cli("compare", pair[0], pair[0], "--format", "json").stdout)
    for effect in found["measures"].values():
        assert (effect["difference"], effect["p"]) == (0, 1)
        assert (effect["interval"]["low"], effect["interval"]["high"]) == (0, 0)


def test_compare_warns_of_what_is_not_comparable(
    cli: Cli, pair: tuple[str, str], toy_root: Path, checkpoint: Path
) -> None:
    run = ("--method", "linear", *TOY, "--root", toy_root, "--weights", checkpoint, "--out", "other")
    assert cli("run", *run, "--videos", "v0", "--protocol", "toy-inner").returncode == 0
    other = "other/toy/linear@toy-inner+1video-0270da4d.json"
    refused = cli("compare", pair[1], other)
    assert refused.returncode == 3
    assert "protocols differ" in refused.stderr
    assert 'only the first has "v1"' in refused.stderr
    forced = cli("compare", pair[1], other, "--force")
    assert forced.returncode == 0
    assert "warning: protocols differ" in forced.stderr
    assert "warning: protocols differ" in forced.stdout
    (row,) = [line for line in forced.stdout.splitlines() if line.startswith("J mean")]
    assert row.split()[2] == "1"


EXAMPLES = Path(__file__).parents[2] / "examples" / "ci"


def test_the_workflow_runs_as_it_stands(cli: Cli, toy_root: Path, checkpoint: Path, tmp_path: Path) -> None:
    """Its command, with the toy in place of the names under ``env``."""
    text = (EXAMPLES / "checkpoint.yml").read_text("utf-8")
    (folded,) = re.findall(r"run: >\n((?: {10}.*\n)+)", text)
    settings = {"METHOD": "linear", "WEIGHTS": str(checkpoint), "DATASET": "toy", "BASELINE": "baseline.json"}
    assert settings.keys() <= set(re.findall(r"^  ([A-Z]+): ", text, re.MULTILINE))
    words = [settings.get(word.removeprefix("$"), word) for word in shlex.split(folded)]
    assert words[:2] == ["vosbench", "check"]
    assert not [word for word in words if word.startswith("$")]
    call = [*words[1:], "--root", toy_root, *TOY[2:]]
    assert cli(*call, "--update-baseline").returncode == 0
    done = cli(*call)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("::notice title=vosbench check%3A linear on toy::PASSED")
    assert {path.name for path in tmp_path.glob("out/*/*.json")} == {"linear.json"}
    assert (tmp_path / "vosbench.xml").is_file()
