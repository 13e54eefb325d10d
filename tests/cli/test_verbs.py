import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_help_names_the_verbs(cli: Cli) -> None:
    shown = cli("--help").stdout
    for verb in ("list", "run", "score", "table", "verify"):
        assert f"\n  {verb} " in shown


def test_version(cli: Cli) -> None:
    from vosbench import __version__

    assert cli("--version").stdout == f"vosbench {__version__}\n"


def test_list(cli: Cli) -> None:
    assert "AD-Net" in cli("list").stdout
    listed = json.loads(cli("list", "datasets", "--format", "json").stdout)
    assert {"davis16", "sample"} <= {row["dataset"] for row in listed["rows"]}


def test_unknown_options_are_usage_errors(cli: Cli) -> None:
    assert cli("run", "--nonsense").returncode == 2
    assert cli("score").returncode == 2


def test_run_score_and_table_agree(cli: Cli, toy_root: Path) -> None:
    run = cli("run", "--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY)
    assert run.returncode == 0, run.stderr
    words = ("--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--format", "json")
    score = json.loads(cli("score", "results/toy/brightness", *words).stdout)
    table = json.loads(cli("table", "toy", "--plugin", TOY, "--format", "json").stdout)
    assert score["scores"]["J_mean"] == table["rows"][0]["J mean"] == 1.0
    assert score["signature"] in table["notes"][0] or table["notes"][0].endswith(
        score["signature"].rpartition("|vosbench ")[0]
    )


@pytest.mark.parametrize("kind", ["table", "md", "csv", "latex"])
def test_every_format_names_the_protocol(cli: Cli, toy_root: Path, kind: str) -> None:
    words = ("--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--format", kind)
    assert "toy@1|J:all|F:0.008|avg:video" in cli("score", toy_root / "masks", *words).stdout


def test_quiet_says_nothing_but_the_result(cli: Cli, toy_root: Path) -> None:
    words = ("--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--quiet")
    assert cli("run", "--method", "brightness", *words).stderr == ""


@pytest.mark.torch
def test_untrained_runs_never_enter_a_leaderboard(cli: Cli, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    words = ("--method", "adnet.tiny", "--dataset", "sample", "--untrained", "--limit", "2")
    run = cli("run", *words, VOSBENCH_CACHE=cache)
    assert run.returncode == 0, run.stderr
    assert "random weights (seed 0); its scores mean nothing" in run.stderr
    assert "not for a leaderboard: untrained" in run.stdout
    table = cli("table", "sample")
    assert table.returncode == 3
    assert "untrained" in table.stderr


def test_verify_of_the_sample(cli: Cli, tmp_path: Path) -> None:
    done = cli("verify", "sample", VOSBENCH_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert "10 of 10 sequences are complete" in done.stdout
