"""The example for SLURM, with a stand-in for its sbatch."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from factories import write_toy
from in_process import call
from toys import TOY

EXAMPLE = Path(__file__).parents[2] / "examples" / "slurm" / "shards.sh"
STAND_IN = Path(__file__).with_name("sbatch.py")


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The spool of a stand-in for SLURM."""
    spool, programs = tmp_path / "spool", tmp_path / "bin"
    for folder in (spool, programs):
        folder.mkdir()
    for name, words in (("sbatch", [str(STAND_IN)]), ("vosbench", ["-m", "vosbench"])):
        (programs / name).write_text(f'#!/bin/bash\nexec {shlex.join([sys.executable, *words])} "$@"\n', "utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM", str(spool))
    monkeypatch.chdir(tmp_path)
    return spool


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".shards" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_an_array_of_jobs_ends_in_the_record_of_one_process(
    slurm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_toy(tmp_path / "my data", videos=5)
    words = ["--method", "brightness.average", "--dataset", str(data), "--plugin", str(TOY), "--out"]
    assert call("run", *words, "whole").returncode == 0
    monkeypatch.setenv("TOY_SECONDS", "0.1")
    monkeypatch.setenv("PREEMPT", "1")
    monkeypatch.setenv("SBATCH_OPTIONS", "--partition cpu")
    done = subprocess.run(["bash", EXAMPLE, "2", *words, "parts"], check=True, capture_output=True, text=True)
    assert done.stdout == "Submitted batch job 101\n"
    until = time.monotonic() + 120
    while not (slurm / "101.code").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    said = "".join(path.read_text("utf-8") for path in sorted(slurm.glob("*.out")))
    assert (slurm / "101.code").read_text("utf-8") == "0", said
    assert (slurm / "preempted").read_text("utf-8") == "143"
    assert "terminated; finished work is kept" in said
    assert "--partition cpu" in (slurm / "100.job").read_text("utf-8")
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
