"""What the comparison of small benchmarks reports: not their times, which tests do not assert."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import bench
import calibration
import environments
import numpy as np
import pytest
import series
from bench import Rounds, compare
from environments import Peer, environment
from hypothesis import given
from hypothesis import strategies as st
from measured import Calibrated
from turns import difference, take_turns

STORED = {"region": 1.2, "png[1-bit]": 0.4}


def rounds(ratio: float, seed: int, noise: float = 0.05, machine: float = 1.0) -> Rounds:
    """Noisy rounds of a benchmark on a machine that is slower by a factor, and at times used by others."""
    draw = np.random.default_rng(seed)
    busy = machine * draw.choice([1, 1, 1.7], 25)  # both the benchmark and the loop next to it
    own, loop = (0.01 * busy * draw.uniform(1 - noise, 1 + noise, 25) for _ in range(2))
    return Rounds((ratio * own).tolist(), loop.tolist())


@given(seed=st.integers(0, 2**32 - 1), machine=st.sampled_from([0.3, 1.0, 4.0]))
def test_a_slowdown_of_20_percent_is_reported_and_noise_of_5_is_not(seed: int, machine: float) -> None:
    as_stored = {name: rounds(ratio, seed, machine=machine).ratio for name, ratio in STORED.items()}
    assert compare(STORED, as_stored) == []
    slower = {**as_stored, "region": rounds(1.2 * STORED["region"], seed, machine=machine).ratio}
    (line,) = compare(STORED, slower)
    assert line.startswith("region: ")
    assert "slower" in line
    assert "before: 1.200" in line


@pytest.mark.parametrize("factor", [0.5, 0.95, 1.05])
def test_faster_ones_and_noise_of_the_median_are_not_reported(factor: float) -> None:
    assert compare(STORED, {name: factor * ratio for name, ratio in STORED.items()}) == []


def test_what_has_no_counterpart_is_reported() -> None:
    assert compare(STORED, {"region": 1.2, "new": 1.0}) == [
        "new: no stored ratio; store one with --write",
        "png[1-bit]: not measured",
    ]
    assert compare(STORED, {"region": 1.2}, all_of_them=False) == []


def command(monkeypatch: pytest.MonkeyPatch, *runs: dict[str, float]) -> list[list[str]]:
    """Let runs of the benchmarks return these ratios, and collect what was asked for."""
    asked: list[list[str]] = []
    left = list(runs)

    def measured(_more: list[str], names: Sequence[str] = (), _source: Path | None = None) -> dict[str, Rounds]:
        asked.append(list(names))
        return {name: Rounds([ratio], [1.0]) for name, ratio in left.pop(0).items()}

    monkeypatch.setattr(bench, "measure", measured)
    return asked


def call(monkeypatch: pytest.MonkeyPatch, path: Path, *words: str) -> str:
    """Call the command; what it ends with."""
    monkeypatch.setattr("sys.argv", ["bench.py", "--results", str(path), *words])
    try:
        bench.main()
    except SystemExit as end:
        return str(end.code)
    return ""


def test_slow_ones_are_measured_again_and_named_one_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "benchmarks.json"
    asked = command(monkeypatch, STORED, STORED, STORED)
    assert call(monkeypatch, path, "--write") == ""
    assert len(asked) == bench.STORED_OF
    assert "| region | 1200.0 ms | 1.200 |" in path.with_suffix(".md").read_text("utf-8")
    asked = command(
        monkeypatch, {"region": 1.5, "png[1-bit]": 0.6}, {"region": 1.5, "png[1-bit]": 0.4}, {"region": 1.6}
    )
    said = call(monkeypatch, path)
    assert said == "\nregion: 25% slower, 1.500 of the calibration loop; before: 1.200"
    assert asked == [[], ["region", "png[1-bit]"], ["region"]]
    assert "png[1-bit]: 0.400; before: 0.400" in capsys.readouterr().out


def test_a_commit_is_measured_here_and_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sources: list[Path] = []

    def measured(_more: list[str], _names: Sequence[str] = (), source: Path | None = None) -> dict[str, Rounds]:
        assert source is not None
        sources.append(source)
        assert (source / "vosbench" / "__init__.py").is_file()
        return {"region": Rounds([2.0 if source == series.REPOSITORY else 1.0], [1.0])}

    monkeypatch.setattr(bench, "measure", measured)
    if subprocess.run(
        ["git", "-C", str(series.REPOSITORY), "rev-parse", "HEAD"], capture_output=True, check=False
    ).returncode:
        pytest.skip("not a clone")
    said = call(monkeypatch, tmp_path / "none.json", "--against", "HEAD")
    assert said == "\nregion: 100% slower, 2.000 of the calibration loop; before: 1.000"
    assert sources[1:] == [series.REPOSITORY] * 3
    assert not sources[0].exists()


def test_another_loop_is_not_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    command(monkeypatch, STORED, STORED, STORED, STORED)
    call(monkeypatch, path, "--write")
    monkeypatch.setattr(calibration, "VERSION", calibration.VERSION + 1)
    assert "nothing is stored for this calibration loop" in call(monkeypatch, path)


def test_stored_ratios_are_those_of_the_loop_and_of_the_benchmarks() -> None:
    small = series.read().sections["small"]
    assert isinstance(small, Calibrated)
    assert small.loop == calibration.VERSION
    tests = bench.SMALL.read_text("utf-8")
    assert all(f"def test_{name.partition('[')[0]}(" in tests for name in small.benchmarks)
    assert len(small.benchmarks) == 10
    assert calibration.loop() > 0


def test_a_peer_that_cannot_be_installed_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments.venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, 1))
    found = environment("a-peer", Peer(("numpy==2.3.4", "a-peer==1.0"), hint="it is at home"), tmp_path)
    assert found.missing == "pip could not install a-peer (it is at home)"
    assert not found.versions


def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    asked: list[str] = []

    def ask(task: dict[str, str]) -> dict[str, object]:
        asked.append(task["side"])
        return {"seconds": float(len(asked)), "scores": {"J": [0.5, json.loads(task["j"])]}}

    turns = take_turns({side: (ask, {"side": side, "j": j}) for side, j in (("ours", "1"), ("b", "1.5"))}, 2)
    assert asked == ["ours", "b"] * 3
    assert turns.times == {"ours": [3.0, 5.0], "b": [4.0, 6.0]}
    assert turns.seconds("b") == 5
    assert turns.ratio("b") == pytest.approx((4 / 3 + 6 / 5) / 2)
    assert turns.apart("b") == 0.5
    assert difference({"J": [1.0]}, {"J": [1.0, 1.0]}) == float("inf")
