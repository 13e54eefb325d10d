import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vosbench.engine import locks
from vosbench.errors import DataError

HOLD = (
    "import sys\n"
    "from pathlib import Path\n"
    "from vosbench.engine.locks import {name}\n"
    "with {name}({argument}) as folder:\n"
    "    print(folder or 'held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def holding(name: str, argument: str) -> tuple[subprocess.Popen[str], str]:
    """A process that holds a lock until its input ends, and what it says once it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(name=name, argument=argument)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_the_second_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    with locks.locked(tmp_path / "new"):
        holder = json.loads((tmp_path / "new" / locks.LOCK).read_text())
        with pytest.raises(DataError, match=rf'new" is in use by process {os.getpid()} on {holder["host"]} since \d'):
            locks.locked(tmp_path / "new").__enter__()
    assert not list((tmp_path / "new").iterdir())
    with locks.locked(tmp_path / "new"):
        pass


def test_another_process_is_named(tmp_path: Path) -> None:
    process, _ = holding("locked", f"Path({str(tmp_path)!r})")
    with pytest.raises(DataError, match=f"in use by process {process.pid} "):
        locks.locked(tmp_path).__enter__()
    process.communicate("")
    assert process.returncode == 0
    with locks.locked(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_stale(tmp_path: Path) -> None:
    process, _ = holding("locked", f"Path({str(tmp_path)!r})")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (tmp_path / locks.LOCK).is_file()
    with locks.locked(tmp_path):
        assert json.loads((tmp_path / locks.LOCK).read_text())["pid"] == os.getpid()
    assert not (tmp_path / locks.LOCK).exists()


def test_an_error_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locks.locked(tmp_path):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_temporary_folders_of_killed_processes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    alive, theirs = holding("scratch", "'masks'")
    killed, left = holding("scratch", "'masks'")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert Path(left).is_dir()
    new = tmp_path / "vosbench-masks-new"  # of a process that is about to lock it
    new.mkdir()
    (new / locks.LOCK).touch()
    with locks.scratch("masks") as folder:
        assert {path.name for path in tmp_path.iterdir()} == {folder.name, Path(theirs).name, new.name}
    alive.communicate("")
    assert list(tmp_path.iterdir()) == [new]
