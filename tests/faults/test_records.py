"""Records and settings that are damaged, and targets that cannot be written."""

import os
import subprocess
import sys

import pytest

from injected import Lab, fault

FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
"""


def damaged(lab: Lab) -> tuple[str, str]:
    """A whole record and a damaged one."""
    lab.done(*lab.score("--jobs", "1", "--out", "results", "--name", "whole"))
    folder = lab.folder / "results" / "toy"
    data = (folder / "whole.json").read_bytes()
    (folder / "damaged.json").write_bytes(data[: len(data) // 2])
    return "results/toy/whole.json", "results/toy/damaged.json"


@fault("a file among the records is damaged: `table`")
def test_table_of_records(lab: Lab) -> None:
    damaged(lab)
    lab.inject("table", *lab.data[1:2], *lab.data[4:])


@fault("a record is damaged: `compare`")
def test_compare(lab: Lab) -> None:
    lab.inject("compare", *damaged(lab))


@fault("a record is damaged: `check`")
def test_check(lab: Lab) -> None:
    whole, broken = damaged(lab)
    lab.inject("check", broken, "--baseline", whole)


@fault("a baseline is damaged: `check`")
def test_baseline(lab: Lab) -> None:
    whole, broken = damaged(lab)
    lab.inject("check", whole, "--baseline", broken)


@fault("the settings with roots are damaged")
def test_settings(lab: Lab) -> None:
    (lab.folder / "roots.json").write_text("{", "utf-8")
    lab.setenv("VOSBENCH_CONFIG", str(lab.folder / "roots.json"))
    lab.inject("verify", "davis16")


@fault("the folder for records is a file")
def test_folder_is_a_file(lab: Lab) -> None:
    (lab.folder / "file").touch()
    assert "J mean" in lab.inject(*lab.score("--jobs", "1", "--out", "file/results")).stdout


@fault("the file for rows has a name that is too long")
def test_long(lab: Lab) -> None:
    assert "J mean" in lab.inject(*lab.score("--jobs", "1", "--per-frame", f"{'x' * 300}.csv")).stdout


@pytest.mark.slow
@fault("the disk is full when scores are written (here: a limit on the size of files)")
def test_full(lab: Lab) -> None:
    lab.ended(lab.process(*lab.score("--jobs", "1", "--out", "results"), prelude=FULL))


@fault("the reader of the output closes it")
def test_closed(lab: Lab) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "vosbench", "list", "methods"]
    lab.begin()
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    lab.end(done.returncode, done.stderr)
