"""Runs and scores on clusters: the same bytes as in one process, whatever happens to workers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vosbench
from spread import processes
from test_concurrency import tree
from vosbench.errors import VideoError
from vosbench.face import Listener
from vosbench.records.record import read

pytest.importorskip("distributed", reason="needs the extra dist")
pytestmark = pytest.mark.filterwarnings("default")  # a package's warnings concern its own tests

from vosbench.engine.cluster import Dask  # noqa: E402

TOY = Path(__file__).parent / "plugins" / "toy.py"


def words(toy_root: Path, out: Path, *more: str) -> list[str]:
    """The command of a run."""
    line = f"-m vosbench run --method brightness.average --dataset toy --root {toy_root} --plugin {TOY} --out {out}"
    return [sys.executable, *line.split(), *more]


def test_a_killed_worker_changes_no_byte(toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = {"root": toy_root, "plugins": [TOY]}
    whole, spread = tmp_path / "whole", tmp_path / "spread"
    alone = vosbench.run("brightness.average", "toy", out=whole, **of)
    flag = tmp_path / "flag"
    flag.write_text("v0/00003")
    monkeypatch.setenv("TOY_KILL", str(flag))
    steps: list[tuple[str, int, int]] = []
    listener = Listener(advance=lambda *step: steps.append(step))
    with Dask(2) as engine:
        vosbench.run("brightness.average", "toy", out=spread, engine=engine, listener=listener, **of)
        scored = vosbench.score(spread / "toy" / "brightness.average", dataset="toy", engine=engine, **of)
    assert not flag.exists()
    assert tree(spread) == tree(whole)
    assert steps[-1][1:] == (10, 10)
    assert scored.record.scores == alone.record.scores
    assert scored.record.provenance.masks == alone.record.provenance.masks


def test_options_that_contradict_each_other(toy_root: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from vosbench.cli import app

    maps = str(toy_root / "masks")
    given = [*words(toy_root, tmp_path / "out")[3:]]
    score = ["score", maps, "--dataset", "toy", "--root", str(toy_root), "--plugin", str(TOY)]
    for command, said in (
        ([*given, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "pass either --workers or --scheduler"),
        ([*given, "--video-timeout", "3"], "--video-timeout requires --workers or --scheduler"),
        ([*given, "--workers", "2", "--device", "cuda:1"], "choose GPUs by CUDA_VISIBLE_DEVICES"),
        ([*score, "--workers", "2", "--jobs", "2"], "omit it with --workers or --scheduler"),
        ([*score, "--workers", "2", "--protocol", "all"], "--workers is for one protocol"),
    ):
        done = CliRunner().invoke(app, command)
        assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "out").exists()


# Slow ones


@pytest.mark.slow
def test_a_video_that_kills_its_worker_twice_has_failed(toy_root: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "TOY_POISON": "v0/00003"}
    command = words(toy_root, tmp_path / "out", "--workers", "2", "--quiet")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 4, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith('error: "toy/brightness.average/v0" ended its worker process twice, for example because')
    assert line.endswith('brightness.average.json", is marked incomplete')
    record = read(tmp_path / "out" / "toy" / "brightness.average.json")
    assert record.failed == ["v0"]
    assert record.videos["v1"]["J_mean"] is not None
    subprocess.run(words(toy_root, tmp_path / "out", "--workers", "1"), check=True, capture_output=True, timeout=300)
    subprocess.run(words(toy_root, tmp_path / "whole"), check=True, capture_output=True)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize(("blow", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_client_that_is_stopped_takes_its_workers_along(
    toy_root: Path, tmp_path: Path, blow: signal.Signals, code: int
) -> None:
    import psutil

    command = words(toy_root, tmp_path / "out", "--workers", "2", "--quiet")
    client = subprocess.Popen(
        command,
        env={**os.environ, "TOY_SECONDS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    )
    first = tmp_path / "out" / "toy" / "brightness.average" / "v0" / "00001.png"
    deadline = time.monotonic() + 120
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    family = psutil.Process(client.pid).children(recursive=True)
    os.killpg(client.pid, blow) if blow == signal.SIGINT else client.send_signal(blow)  # as Ctrl-C does
    said = client.communicate(timeout=120)[1]
    assert client.returncode == code
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    if code > 0:
        assert said.count("\n") == 1, said
        assert "Run the same command again to resume" in said
    subprocess.run(words(toy_root, tmp_path / "out"), check=True, capture_output=True)
    subprocess.run(words(toy_root, tmp_path / "whole"), check=True, capture_output=True)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


@pytest.mark.slow
def test_a_dead_scheduler_keeps_what_is_finished(
    toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_SECONDS", "0.5")
    of = {"root": toy_root, "plugins": [TOY], "out": tmp_path / "out"}
    with processes(tmp_path, 1) as (address, started), Dask(scheduler=address) as engine:
        kill = Listener(advance=lambda *_: started[0].kill())
        with pytest.raises(VideoError, match="was not finished: the scheduler of the cluster was lost; the record of"):
            vosbench.run("brightness.average", "toy", engine=engine, listener=kill, **of)
    record = read(tmp_path / "out" / "toy" / "brightness.average.json")
    assert record.failed == ["v1"]
    monkeypatch.delenv("TOY_SECONDS")
    vosbench.run("brightness.average", "toy", **of)
    vosbench.run("brightness.average", "toy", **{**of, "out": tmp_path / "whole"})
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
