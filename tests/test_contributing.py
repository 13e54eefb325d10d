"""The code in docs/add-*.md runs, by the commands that stand with it."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vosbench.cli import app
from vosbench.images import write_png
from vosbench.records import record
from vosbench.registry import load_dataset

PAGES = sorted((Path(__file__).parents[1] / "docs").glob("add-*.md"))
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Write every example to its file, in an empty folder; run the command of one, with some words replaced."""
    monkeypatch.chdir(tmp_path)
    commands = {}
    for code in re.findall(r"```python\n(.*?)```", "".join(page.read_text("utf-8") for page in PAGES), re.DOTALL):
        name, command = re.match(r"# (\w+\.py): try it with  vosbench (.*)\n", code).groups()
        Path(name).write_text(code, "utf-8")
        commands[name] = command.split()
    assert set(commands) == {"median.py", "pets.py", "area.py", "mine.py"}

    def call(name: str, *more: str, **replaced: str) -> str:
        with pytest.raises(SystemExit) as end:
            app([*(replaced.get(word, word) for word in commands[name]), *more])
        shown = capsys.readouterr()
        assert not end.value.code, shown.err
        return shown.out

    return call


def test_the_method_and_the_measure(run: Run) -> None:
    few = ("--videos", next(iter(load_dataset("sample").listing("val"))), "--limit", "4", "--quiet")
    run("median.py", *few, "--measures", "J")
    maps = "results/sample/median+limit4"
    (path,) = Path("results/sample").glob("median+limit4+1video-*+J.json")
    assert record.read(path).scores.keys() == {"J_mean", "J_recall", "J_decay"}
    run("area.py", *few, "--out", "out", "--jobs", "1", MASKS=maps)
    (path,) = Path("out/sample").glob("median+limit4+1video-*+J-area.json")
    made = record.read(path)
    (scores,) = made.videos.values()
    assert scores.keys() == {"J_mean", "J_recall", "J_decay", "area_mean", "area_max"}
    assert scores["area_mean"] is not None
    assert 0 < scores["area_mean"] <= (scores["area_max"] or 0) < 1
    assert "|area@1:of-frame|" in made.signature


def test_the_dataset(run: Run) -> None:
    for video, frames, every in (("cat", 40, 1), ("dog", 52, 10)):
        for t in range(frames):
            write_png(Path("data/frames", video, f"{t:05}.png"), np.zeros((6, 8, 3), np.uint8))
            if t % every == 0:
                mask = np.zeros((6, 8), np.uint8)
                mask[1:3, 2:5] = 255
                write_png(Path("data/masks", video, f"{t:05}.png"), mask)
    assert "pets" in run("pets.py", PETS="data").lower()


def test_the_suite(run: Run) -> None:
    shown = run("mine.py", "--format", "csv").splitlines()
    assert shown[1].startswith('mine,davis16,val,davis16,"J mean, F mean, T",')
    assert shown[2].startswith(",longvideos,test,longvideos-hfan,J mean,")
