"""Faults that are injected: one line, an exit code that tells what failed, and nothing half-written."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]

FAULTY = """
import numpy as np
from vosbench.method import Method


class Predictor:
    def predict(self, video):
        for path in video.frames:
            {predict}
            yield np.zeros((24, 32), np.float32)


def load(setup):
    {load}
    return Predictor()


faulty = Method(name="faulty", title="Faulty", paper="none", licence="MIT", load=load, needs_weights=False)
"""
MEASURE = """
from vosbench.metrics.measures import Family, Measure


class Accumulation:
    def add(self, annotation, prediction):
        {add}
        return {{"odd": 1.0}}

    def finish(self):
        return {{"odd_mean": 1.0}}


odd = Family(name="odd", measures=(Measure(name="odd_mean", symbol="odd", heading="odd mean"),), start=Accumulation)
"""


def one_error(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert done.returncode == code, done.stderr
    assert len(errors) == 1, done.stderr
    assert all(part in errors[0] for part in said), errors[0]


def plugin(folder: Path, text: str) -> Path:
    path = folder / "faulty.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("load", "predict", "code", "said"),
    [
        ("raise SystemExit(1)", "pass", 5, "SystemExit: 1"),
        ("import sys; sys.exit('bye')", "pass", 5, "SystemExit: bye"),
        ("raise ImportError('no such module')", "pass", 5, "no such module"),
        ("pass", "raise SystemExit(1)", 4, "SystemExit: 1"),
        ("pass", "raise MemoryError", 4, "MemoryError"),
        ("pass", "raise StopIteration", 4, '"v0"'),
    ],
)
def test_a_method_never_decides_the_exit_code(  # noqa: PLR0917 - fixtures and a case
    cli: Cli, toy_root: Path, tmp_path: Path, load: str, predict: str, code: int, said: str
) -> None:
    path = plugin(tmp_path, FAULTY.format(load=load, predict=predict))
    words = ("run", "--method", "faulty", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--plugin", path)
    one_error(cli(*words), code, said)


@pytest.mark.parametrize(("add", "said"), [("return {'odd': 'x'}", "odd")])
def test_a_measure_never_decides_the_exit_code(cli: Cli, toy_root: Path, tmp_path: Path, add: str, said: str) -> None:
    path = plugin(tmp_path, MEASURE.format(add=add))
    words = ("score", toy_root / "masks", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--plugin", path)
    one_error(cli(*words, "--measures", "J,odd"), 3, said)


@pytest.mark.parametrize("text", ["raise SystemExit(0)", "1/0", "def f(:"])
def test_a_plugin_that_fails_on_import_is_named(cli: Cli, tmp_path: Path, text: str) -> None:
    path = plugin(tmp_path, text)
    one_error(cli("list", "methods", "--plugin", path), 2, "faulty.py", "line 1")


def scored(toy_root: Path, *words: str | Path) -> tuple[str | Path, ...]:
    return ("score", toy_root / "masks", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, *words)


@pytest.mark.parametrize("text", ["", "[]", "\0"])
def test_a_damaged_card_of_a_run(cli: Cli, toy_root: Path, tmp_path: Path, text: str) -> None:
    words = ("run", "--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--out", "out")
    assert cli(*words).returncode == 0
    (tmp_path / "out" / "toy" / "brightness" / "run.json").write_text(text)
    one_error(cli(*words), 3, "run.json", "is damaged")


@pytest.mark.parametrize("content", [b"", b"\0" * 99])
def test_a_damaged_state_restarts_the_video(cli: Cli, toy_root: Path, tmp_path: Path, content: bytes) -> None:
    words = ("run", "--method", "brightness.average", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--out")
    assert cli(*words, "whole").returncode == 0
    assert cli(*words, "damaged").returncode == 0
    folder = tmp_path / "damaged" / "toy" / "brightness.average" / "v1"
    (folder / "00003.png").unlink()
    (folder / ".state.npz").write_bytes(content)
    assert cli(*words, "damaged").returncode == 0
    for path in sorted((tmp_path / "whole").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "damaged" / path.relative_to(tmp_path / "whole")).read_bytes()


@pytest.mark.parametrize("option", ["--dataset", "--root", "--protocol", "--jobs"])
def test_an_option_that_is_given_twice(cli: Cli, toy_root: Path, option: str) -> None:
    done = cli(*scored(toy_root, "--jobs", "1", "--protocol", "toy", option, "1"))
    assert done.returncode == 2
    assert f"{option} is given 2 times, but has one value" in done.stderr


def test_options_with_several_values_may_be_given_twice(cli: Cli, toy_root: Path) -> None:
    assert cli(*scored(toy_root, "--plugin", TOY, "--quiet", "--quiet")).returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--codec", "nonsense"), 2, 'there is no codec "nonsense"'),
        (("--per-frame", "rows.xlsx"), 2, "should end in .csv or .csv.gz or .parquet"),
        (("--pr", "curve.png"), 2, "should end in .csv"),
        (("--by", "category"), 3, "Toy has no categories"),
        (("--by", "attribute"), 3, "Toy has no attributes"),
        (("--numbering", "2"), 2, "numbering"),
    ],
)
def test_what_cannot_be_done_fails_before_the_work(
    cli: Cli, toy_root: Path, words: tuple[str, str], code: int, said: str
) -> None:
    for path in (toy_root / "masks").rglob("*.png"):
        path.write_bytes(b"scoring would fail here")
    done = cli(*scored(toy_root, *words))
    assert done.returncode == code
    assert said in done.stderr


def test_parquet(cli: Cli, toy_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pandas as pd

    assert cli(*scored(toy_root, "--per-frame", "rows.parquet")).returncode == 0
    assert cli(*scored(toy_root, "--per-frame", "rows.csv")).returncode == 0
    assert pd.read_parquet(tmp_path / "rows.parquet").equals(pd.read_csv(tmp_path / "rows.csv"))


@pytest.mark.parametrize("name", ["davis16", "adnet-2", "saliency", "speed"])
def test_measured_needs_measurements(cli: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / "results").mkdir()
    one_error(cli("table", name, "--measured"), 3, "results")


def test_findings_as_json(cli: Cli, toy_root: Path) -> None:
    found = [
        cli("verify", "toy", "--root", toy_root, "--plugin", TOY, *words)
        for words in (["--format", "json"], ["--json"])
    ]
    assert json.loads(found[0].stdout) == json.loads(found[1].stdout)


def test_progress_in_logs(toy_root: Path) -> None:
    code = "from vosbench.cli import console, main; console.EVERY = 0.0; main()"
    words = [sys.executable, "-c", code, *map(str, scored(toy_root))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("progress: ")]
    assert lines[-1] == "progress: 2 of 2 videos, less than a minute left (masks)"
    assert "progress" not in subprocess.run([*words, "--quiet"], capture_output=True, text=True, check=True).stderr


def test_sigterm_cleans_up(toy_root: Path, tmp_path: Path) -> None:
    words = ("run", "--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--out", "out")
    environment = {**os.environ, "TOY_SECONDS": "0.3", "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    call = [sys.executable, "-m", "vosbench", *map(str, words)]
    with subprocess.Popen(call, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        waited = tmp_path / "out" / "toy" / "brightness" / "v0" / "00001.png"
        while not waited.is_file():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate()
    assert process.returncode == 143
    assert errors.splitlines()[-1].startswith("terminated; finished work is kept")
    assert not list((tmp_path / "tmp").iterdir())
    assert not list((tmp_path / "out").rglob(".lock"))


IMPORTING = """
import os, signal, sys, time
try:
    os.kill(os.getpid(), getattr(signal, "{name}"))
    time.sleep(0.001)
except BaseException:  # extension modules print such errors and raise others
    print("Traceback", file=sys.stderr)
"""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_signals_wait_for_imports(toy_root: Path, tmp_path: Path, name: str, code: int) -> None:
    (tmp_path / "importing.py").write_text(IMPORTING.format(name=name))
    plugins = ["--plugin", tmp_path / "importing.py", "--plugin", TOY]
    words = [
        "run",
        "--method",
        "brightness",
        "--dataset",
        "toy",
        "--root",
        toy_root,
        *plugins,
        "--out",
        tmp_path / "out",
    ]
    call = [sys.executable, "-m", "vosbench", *map(str, words)]
    done = subprocess.run(call, env={**os.environ, "TOY_SECONDS": "0.3"}, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_numba_without_a_folder_for_its_cache() -> None:
    pytest.importorskip("numba")
    code = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = caching.FunctionCache._impl_class._locator_classes = []\n"
        "from vosbench.metrics.compiled import compiled\n"
        "def twice(x): return 2 * x\n"
        "assert compiled(twice)(21) == 42\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
