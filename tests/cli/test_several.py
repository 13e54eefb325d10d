"""`vosbench score` with several submissions."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from toys import TOY

Cli = Callable[..., subprocess.CompletedProcess[str]]


def submissions(toy_root: Path) -> tuple[Path, Path, tuple[str, ...]]:
    """One of true masks, one that has those of the other video, and what else to say."""
    good, bad = toy_root.parent / "good", toy_root.parent / "bad"
    shutil.copytree(toy_root / "masks", good)
    shutil.copytree(toy_root / "masks" / "v1", bad / "v0")
    shutil.copytree(toy_root / "masks" / "v0", bad / "v1")
    return good, bad, ("--dataset", "toy", "--root", str(toy_root), "--plugin", str(TOY), "--quiet")


def test_they_make_one_table_and_a_record_each(cli: Cli, toy_root: Path, tmp_path: Path) -> None:
    good, bad, words = submissions(toy_root)
    done = cli("score", bad, good, *words, "--format", "csv", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert [line.split(",")[0] for line in done.stdout.splitlines()[:3]] == ["method", "good", "bad"]
    for name in ("good", "bad"):
        record = json.loads((tmp_path / "out" / "toy" / f"{name}.json").read_text("utf-8"))
        alone = cli("score", tmp_path / name, *words, "--format", "json")
        assert record["scores"] == json.loads(alone.stdout)["scores"]


def test_one_that_fails_leaves_the_others(cli: Cli, toy_root: Path, tmp_path: Path) -> None:
    good, bad, words = submissions(toy_root)
    (bad / "v0" / "00002.png").write_bytes(b"no image")
    done = cli("score", bad, good, tmp_path / "nothing", *words, "--format", "csv", "--out", "out")
    assert done.returncode == 3
    assert [line.split(",")[0] for line in done.stdout.splitlines()[:2]] == ["method", "good"]
    assert done.stderr.count("error: ") == 2
    assert (tmp_path / "out" / "toy" / "good.json").is_file()
    assert not (tmp_path / "out" / "toy" / "bad.json").exists()


def test_a_missing_mask_leaves_no_mean_and_no_row(cli: Cli, toy_root: Path) -> None:
    good, bad, words = submissions(toy_root)
    (bad / "v0" / "00002.png").unlink()
    done = cli("score", bad, good, *words, "--format", "csv")
    assert done.returncode == 3
    assert "bad" not in done.stdout
    assert "are missing" in done.stderr


def test_what_is_for_a_single_one_is_refused(cli: Cli, toy_root: Path) -> None:
    good, bad, words = submissions(toy_root)
    for more in (("--name", "x"), ("--by", "video"), ("--per-frame", "rows.csv"), ("--protocol", "all")):
        refused = cli("score", good, bad, *words, *more)
        assert (refused.returncode, refused.stdout) == (2, "")
    twice = cli("score", good, good, *words)
    assert twice.returncode == 2
    assert 'two submissions are called "good"' in twice.stderr
