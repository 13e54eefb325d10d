import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import vosbench
from vosbench.records.check import update

PLUGINS = [Path(__file__).parent / "plugins" / name for name in ("toy.py", "linear.py")]
Suite = Callable[..., subprocess.CompletedProcess[str]]

SOURCE = """
import pytest

GATED = {{"baseline": "baseline.json", "weights": {weights!r}, "root": {root!r}, "plugins": {plugins!r}}}


def test_called(vosbench_check):
    record = vosbench_check("linear", "toy", **GATED)
    assert record.method == "linear"


def test_tolerant(vosbench_check):
    vosbench_check("linear", "toy", **GATED, tolerance=1, relative={{"J_mean": 1}}, video_tolerance=1)


@pytest.mark.vosbench("linear", "toy", **GATED)
def test_marked(vosbench_check):
    vosbench_check()


def test_of_something_else():
    pass
"""
COUNTING = """
import vosbench.runner
run = vosbench.runner.run

def counted(*args, **kwargs):
    with open("runs", "a") as file:
        file.write("x")
    return run(*args, **kwargs)

vosbench.runner.run = counted
"""


@pytest.fixture
def suite(tmp_path: Path, toy_root: Path) -> Suite:
    """Run a test suite of somebody else, with a checkpoint, a spoiled one and a baseline beside it."""
    noise = np.random.default_rng(2).normal(0, 4, 4).astype(np.float32)
    for name, spoilt in (("good", 0 * noise), ("spoiled", noise)):
        save_file({"colour": 4 + spoilt[:3], "bias": spoilt[3:] - 6}, tmp_path / f"{name}.safetensors")
    good = vosbench.run("linear", "toy", weights=tmp_path / "good.safetensors", root=toy_root, plugins=PLUGINS)
    update(tmp_path / "baseline.json", good.record)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    given = {"root": str(toy_root), "plugins": [str(path) for path in PLUGINS]}

    def run(*words: str, source: str = SOURCE, weights: str = "good.safetensors") -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_gate.py").write_text(source.format(weights=weights, **given))
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-rA", *words]
        # In CI pytest's summary is longer.
        wide = {key: value for key, value in os.environ.items() if key not in {"CI", "BUILD_NUMBER"}}
        wide["COLUMNS"] = "300"
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=wide)

    return run


def test_a_good_checkpoint_passes_and_runs_once(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(COUNTING)
    good = suite("--vosbench-per-video")
    assert good.returncode == 0, good.stdout
    for name in (
        "called",
        "tolerant",
        *(f"marked[{case}]" for case in ("all videos", "v0", "v1")),
        "of_something_else",
    ):
        assert f"PASSED test_gate.py::test_{name}\n" in good.stdout
    assert (tmp_path / "runs").read_text() == "x"


def test_a_spoiled_checkpoint_fails_and_names_the_videos(suite: Suite) -> None:
    bad = suite(weights="spoiled.safetensors")
    assert bad.returncode == 1
    for line in ("FAILED test_gate.py::test_called", "FAILED test_gate.py::test_marked", "2 failed, 2 passed"):
        assert line in bad.stdout
    assert bad.stdout.count("; 2 of 2 videos (v0, v1)") == 2
    assert "Traceback" not in bad.stdout


def test_a_test_per_video(suite: Suite) -> None:
    bad = suite("--vosbench-per-video", "-k", "marked and v1", weights="spoiled.safetensors")
    assert "FAILED test_gate.py::test_marked[v1] - Failed: J_mean was 1.0000 and is" in bad.stdout
    assert "1 failed, 5 deselected" in bad.stdout


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest has subtests from version 9 on")
def test_a_call_has_a_subtest_per_video(suite: Suite) -> None:
    bad = suite("--vosbench-per-video", "-k", "called", weights="spoiled.safetensors")
    assert bad.returncode == 1
    for name in ("all videos", "v0", "v1"):
        assert f"(video='{name}') test_gate.py::test_called" in bad.stdout


MISTAKES = {
    '"linear", "toy"': "needs a baseline",
    '"linear", baseline="baseline.json"': "a method and a dataset",
    '"linear", "toy", baseline="baseline.json", wieghts="x"': 'has no option "wieghts"',
    '"linear", "toy", baseline="baseline.json", max_drop=-1': "a tolerance is 0 or more",
    '"nothing", "toy", baseline="baseline.json"': 'there is no method "nothing"',
    '"linear", "toy", **GATED': "there is no baseline, so there is nothing to compare",
}


def test_mistakes_and_a_missing_baseline_fail_in_one_line(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "baseline.json").unlink()
    head, _, _ = SOURCE.partition("def test_called")
    tests = [f"def test_{i}(vosbench_check):\n    vosbench_check({call})\n" for i, call in enumerate(MISTAKES)]
    tests += ['@pytest.mark.vosbench("linear", "toy")\ndef test_forgotten(vosbench_check):\n    vosbench_check()\n']
    tests += [
        '@pytest.mark.vosbench("linear", "toy", **GATED)\ndef test_marked(vosbench_check):\n    vosbench_check()\n'
    ]
    bad = suite("--vosbench-per-video", source=head + "\n".join(tests))
    for said in MISTAKES.values():
        assert said in bad.stdout
    assert "FAILED test_gate.py::test_marked[all videos] - Failed: there is no baseline" in bad.stdout
    assert "FAILED test_gate.py::test_forgotten[all videos] - Failed: vosbench: vosbench_check needs a" in bad.stdout
    assert " passed" not in bad.stdout
    assert "Traceback" not in bad.stdout


def test_starting_pytest_imports_nothing_of_vosbench_but_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    code = (
        "import sys, pytest\n"
        "assert pytest.main(['-q', '-p', 'vosbench.pytest_plugin']) == 0\n"
        "loaded = {name for name in sys.modules if name.split('.')[0] == 'vosbench'}\n"
        "assert loaded == {'vosbench', 'vosbench.pytest_plugin'}, loaded\n"
        "assert not {'numpy', 'torch', 'pydantic', 'typer'} & sys.modules.keys()\n"
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment, capture_output=True)
