"""Two processes on one folder, and processes that are killed at random moments: repeated, they end in equal bytes."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from factories import examples

TOY = Path(__file__).parent / "plugins" / "toy.py"
BLOWS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def command(words: Sequence[str | Path]) -> list[str]:
    return [sys.executable, "-m", "vosbench", *map(str, words)]


def run_words(toy_root: Path, out: Path, method: str = "brightness.average") -> list[str | Path]:
    return ["run", "--method", method, "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--out", out, "--quiet"]


def tree(folder: Path) -> dict[str, str]:
    """Path → hash of every file, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def started(words: Sequence[str | Path], seconds: float, scratch: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "TOY_SECONDS": str(seconds), "TMPDIR": str(scratch)}
    return subprocess.Popen(
        command(words),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("pairs", [pytest.param(2, id="some"), pytest.param(40, marks=pytest.mark.slow, id="many")])
def test_two_runs_on_one_folder(toy_root: Path, tmp_path: Path, scratch: Path, pairs: int) -> None:
    subprocess.run(command(run_words(toy_root, tmp_path / "whole")), check=True, capture_output=True)
    expected = tree(tmp_path / "whole")
    refused = 0
    for at in range(examples(pairs)):
        out = tmp_path / f"out{at}"
        both = [started(run_words(toy_root, out), 0.05, scratch) for _ in range(2)]
        said = [process.communicate()[1] for process in both]
        codes = sorted(process.returncode for process in both)
        assert codes in ([0, 0], [0, 3]), said
        for process, errors in zip(both, said, strict=True):
            assert "Traceback" not in errors
            if process.returncode:
                assert " is in use by process " in errors
                assert errors.count("\n") == 1
                refused += 1
        assert tree(out) == expected
    assert refused
    assert not list(scratch.glob("vosbench-*"))


@pytest.mark.parametrize("kills", [pytest.param(2, id="some"), pytest.param(12, marks=pytest.mark.slow, id="many")])
@pytest.mark.parametrize("verb", ["run", "score", "train", "convert", "table"])
def test_killed_and_repeated(toy_root: Path, tmp_path: Path, scratch: Path, verb: str, kills: int) -> None:
    numbers = random.Random(verb)
    torch = pytest.importorskip("torch") if verb in {"train", "convert"} else None
    if torch is not None:
        from vosbench.methods.adnet.network import TINY, build

        torch.save(build("ad", TINY).state_dict(), tmp_path / "ad.pth")
    training = Path(__file__).parent / "plugins" / "toy_training.py"

    def words(out: Path) -> list[str | Path]:
        data = ["--root", toy_root, "--plugin", TOY]
        return {
            "run": run_words(toy_root, out),
            "score": ["score", toy_root / "masks", "--dataset", "toy", *data, "--out", out, "--jobs", "2", "--quiet"],
            "train": [
                *("train", "toynet", "--data", f"toy:val={toy_root}", "--plugin", TOY, "--plugin", training),
                *("--out", out, "--save-every", "3", "--quiet"),
            ],
            "convert": ["convert", tmp_path / "ad.pth", "--method", "adnet.tiny", "--out", out / "ad.safetensors"],
            "table": ["table", "davis16", "--published", "--results", out],
        }[verb]

    begun = time.monotonic()
    whole = started(words(tmp_path / "whole"), 0, scratch)
    expected_output, errors = whole.communicate()
    lasted = time.monotonic() - begun
    assert whole.returncode == 0, errors
    for at in range(examples(kills)):
        out = tmp_path / f"out{at}"
        process = started(words(out), 0.02, scratch)
        time.sleep(numbers.uniform(0.1, 1.1) * lasted)
        process.send_signal(numbers.choice(BLOWS))
        _, errors = process.communicate()
        assert "Traceback" not in errors, errors
        again = started(words(out), 0, scratch)
        output, errors = again.communicate()
        assert again.returncode == 0, errors
        assert comparable(tree(out)) == comparable(tree(tmp_path / "whole"))
        assert output.replace(str(out), "") == expected_output.replace(str(tmp_path / "whole"), "")
    assert not list(scratch.glob("vosbench-*"))


def comparable(files: dict[str, str]) -> dict[str, str]:
    """Without what tells how long a training took."""
    return {name: digest for name, digest in files.items() if not name.endswith((".pt", "log.csv"))}
