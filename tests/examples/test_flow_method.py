"""The example of a two-stream method runs on real videos through ``vosbench flow``, and notices changed flow."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from in_process import call
from vosbench.images.flow import write_flow
from vosbench.method import Setup
from vosbench.method.testing import check_predictor, sample_video
from vosbench.records import record as records
from vosbench.registry import load_method

EXAMPLE = Path(__file__).parents[2] / "examples" / "flow_method.py"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))


def run(out: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    method = ("--plugin", EXAMPLE, "--method", "two-stream", "--untrained", "--out", out, "--limit", "3")
    return call("run", *method, *words)


def test_it_passes_and_is_short(tmp_path: Path) -> None:
    method, _ = load_method("two-stream", [EXAMPLE])
    check_predictor(method.load(Setup()), sample_video(tmp_path), needs=method.needs, tolerance=method.tolerance)
    assert len(EXAMPLE.read_text().splitlines()) <= 60


def test_changed_flow_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "flow"
    made = call("flow", "sample", "--method", "dis:size=64x48", "--out", folder, "--quiet")
    assert (made.returncode, made.stdout) == (0, f"{folder}\n")
    words = ("--dataset", "sample", "--flow", folder)
    first = run(tmp_path / "out", *words)
    assert first.returncode == 0, first.stderr
    record = records.read(tmp_path / "out" / "sample" / "two-stream+limit3.json")
    assert record.provenance.flow is not None
    assert run(tmp_path / "out", *words).returncode == 0
    flow = min((folder / "Flows_gap1").glob("*/*.png"))
    write_flow(flow, np.zeros((48, 64, 2), np.float32))
    again = run(tmp_path / "out", *words)
    assert again.returncode == 2
    assert "contains maps of another run (flow was" in again.stderr
    assert run(tmp_path / "out", *words, "--overwrite").returncode == 0
    other = records.read(tmp_path / "out" / "sample" / "two-stream+limit3.json").provenance
    assert other.flow != record.provenance.flow
    assert other.masks != record.provenance.masks


def test_flow_is_needed_and_made_on_request(tmp_path: Path) -> None:
    without = run(tmp_path, "--dataset", "sample")
    assert without.returncode == 2
    assert "needs optical flow, and the dataset contains none" in without.stderr
    done = run(tmp_path, "--dataset", "sample", "--flow", "dis:size=64x48")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "cache" / "flow").iterdir())
    idle = call("run", "--method", "deeplabv3.tiny", "--dataset", "sample", "--flow", "dis", "--out", tmp_path)
    assert idle.returncode == 2
    assert "uses no optical flow; omit --flow" in idle.stderr


def test_three_videos_of_davis(real_data: Path, tmp_path: Path) -> None:
    words = ("--root", real_data / "DAVIS", "--videos", "car-shadow,libby,drift-straight")
    made = call("flow", "davis16", "--method", "dis:size=214x120", *words)
    assert made.returncode == 0, made.stderr
    assert "use it with: vosbench run --flow dis:size=214x120" in made.stderr
    done = run(tmp_path / "out", "--dataset", "davis16", *words, "--flow", "dis:size=214x120")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").rglob("*.png"))) == 9
