import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("kind", ["table", "md", "csv", "latex"])
def test_scores_come_first_then_the_profile(cli: Cli, toy_root: Path, kind: str) -> None:
    words = ("--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--format", kind)
    run = cli("run", *words, "--profile")
    assert run.returncode == 0, run.stderr
    scores, _, speed = run.stdout.partition("frames/s")
    assert "brightness" in scores
    for stage in ("decode", "encoder", "matching", "post", "write", "other"):
        assert stage in speed
    assert "mean of 3 frames of 32x24 after 2 of warm-up" in run.stdout
    assert "frames/s" not in cli("run", *words).stdout


def test_json_is_one_record(cli: Cli, toy_root: Path) -> None:
    words = ("--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--format", "json")
    shown = json.loads(cli("run", *words, "--profile").stdout)
    assert shown["speed"]["frames"] == 3
    assert shown["speed"]["parameters"] is None
    assert json.loads(cli("run", *words).stdout)["speed"] is None


def test_a_network_s_profile(cli: Cli, tmp_path: Path) -> None:
    words = ("--method", "f2net.tiny", "--dataset", "sample", "--untrained", "--limit", "3", "--profile", "--quiet")
    run = cli("run", *words, VOSBENCH_CACHE=str(tmp_path / "cache"))
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    record = json.loads((tmp_path / "results" / "sample" / "f2net.tiny+limit3.json").read_bytes())
    assert record["speed"]["gmacs"] > 0.1
    assert record["speed"]["parameters"] == 681_912
    assert record["provenance"]["inputs"] == ["177x177"]
