"""Equal numbers: whatever divides the work, maps and records are the same to the last byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from toys import TOY, selected
from vosbench.engine.threads import computing
from vosbench.errors import UsageError
from vosbench.method import Setup
from vosbench.registry import load_method
from vosbench.runner import run

pytest.importorskip("torch")


def files(folder: Path) -> dict[str, bytes]:
    """Path → content of every file that is not hidden."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def ran(out: Path, *words: str, method: str = "adnet.tiny", frames: int = 3, **environment: str) -> dict[str, bytes]:
    """The files of a run on a video of the sample, in a process of its own."""
    words = ("--dataset", "sample", "--videos", "film-horse", "--limit", str(frames), "--out", str(out), *words)
    call = [sys.executable, "-m", "vosbench", "run", "--method", method, "--quiet", *words]
    subprocess.run(call, check=True, capture_output=True, env={**os.environ, **environment})
    return files(out)


def test_libraries_compute_with_the_threads_of_the_setup() -> None:
    import cv2
    import torch

    before = cv2.getNumThreads(), torch.get_num_threads()
    with computing(3):
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (3, 3)
        with pytest.raises(RuntimeError), computing(2):
            raise RuntimeError
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (3, 3)
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before


def test_the_environment_does_not_decide_on_threads(tmp_path: Path) -> None:
    """Attention adds up in another order with two threads: maps would differ between machines, and from workers'."""
    one = ran(tmp_path / "one", method="f2net.tiny", frames=2, OMP_NUM_THREADS="1")
    assert ran(tmp_path / "two", method="f2net.tiny", frames=2, OMP_NUM_THREADS="2") == one
    (record,) = (data for name, data in one.items() if name.endswith(".json") and "run.json" not in name)
    assert b'"threads": 1,' in record


def test_another_number_of_threads_is_another_run(toy_root: Path, tmp_path: Path) -> None:
    method, _ = load_method("brightness", [TOY])
    run(method, Setup(), selected(toy_root), tmp_path / "out")
    with pytest.raises(UsageError, match=r"contains maps of another run \(threads was 1, now 2\)"):
        run(method, Setup(threads=2), selected(toy_root), tmp_path / "out")


def test_maps_of_earlier_versions_are_kept(toy_root: Path, tmp_path: Path) -> None:
    """Their cards do not tell the threads, and neither does the record."""
    method, _ = load_method("brightness", [TOY])
    assert run(method, Setup(), selected(toy_root), tmp_path).record.provenance.threads == 1
    card = tmp_path / "toy" / "brightness" / "run.json"
    card.write_text(card.read_text().replace('  "threads": 1,\n', ""))
    again = run(method, Setup(threads=2), selected(toy_root), tmp_path)
    assert again.record.provenance.threads is None
    assert '"threads"' not in (tmp_path / "toy" / "brightness.json").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["adnet.tiny", "deeplabv3.lite"])
def test_batches_do_not_move_a_bit(tmp_path: Path, method: str) -> None:
    """In single precision on a CPU; records differ in the batch that they name alone."""
    one = ran(tmp_path / "one", method=method)
    several = ran(tmp_path / "several", "--batch", "2", method=method)
    assert {name: data.replace(b'"batch": 2,', b'"batch": 1,') for name, data in several.items()} == one
