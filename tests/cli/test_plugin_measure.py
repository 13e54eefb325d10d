"""Boundary IoU, which examples/boundary_iou.py adds, from score to table, compare and check.

Frames are 30×40, of diagonal 50, so that bands are 1 pixel wide. A square of 10×10 pixels has a band of 36; with one
that is moved by a pixel it shares 9 pixels of the upper side and 9 of the lower: 18 / (36 + 36 − 18) = 1/3.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vosbench import registry
from vosbench.cli import app
from vosbench.images import write_png
from vosbench.metrics import measures
from vosbench.records import record
from vosbench.records.record import Record

EXAMPLE = Path(__file__).parents[2] / "examples" / "boundary_iou.py"
TOY = ("--plugin", str(Path(__file__).parents[1] / "plugins" / "toy.py"))
BIOU = (*TOY, "--plugin", str(EXAMPLE))
FRAMES = 5


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What a test adds to the table of measures is gone after it."""
    before = dict(measures._TABLE)
    yield
    measures._TABLE.clear()
    measures._TABLE.update(before)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Done:
        with pytest.raises(SystemExit) as end:
            app(list(words))
        return Done(int(end.value.code or 0), *capsys.readouterr())

    return call


def square(column: int) -> NDArray[np.uint8]:
    mask = np.zeros((30, 40), np.uint8)
    mask[10:20, column : column + 10] = 255
    return mask


def write_masks(folder: Path, moved: int) -> None:
    """Squares in both videos, in v0 moved by a pixel in some frames."""
    for video in ("v0", "v1"):
        for t in range(FRAMES):
            write_png(folder / video / f"{t:05}.png", square(11 if video == "v0" and t < moved else 10))


@pytest.fixture
def score(cli: Cli, tmp_path: Path) -> Callable[..., Record]:
    """Score masks of which some frames of v0 are moved."""
    write_masks(tmp_path / "data" / "masks", 0)
    for video in ("v0", "v1"):
        for t in range(FRAMES):
            write_png(tmp_path / "data" / "frames" / video / f"{t:05}.png", np.zeros((30, 40, 3), np.uint8))

    def call(name: str, moved: int, *more: str) -> Record:
        write_masks(tmp_path / name, moved)
        words = ("score", name, "--dataset", "toy", "--root", "data", "--measures", "J,F,BIoU", *BIOU)
        done = cli(*words, "--out", "results", *(more or ("--jobs", "1")))
        assert done.code == 0, done.err
        assert "BIoU" in done.out
        return record.read(Path("results") / "toy" / f"{name}+J-F-BIoU.json")

    return call


def test_score(score: Callable[..., Record]) -> None:
    made = score("one", 1, "--jobs", "1", "--per-frame", "rows.csv")
    assert made.signature.startswith("toy@1|J:all|F:0.008|BIoU@1:d=0.02|avg:video|vosbench ")
    assert list(made.scores)[-1] == "BIoU"
    assert made.videos["v0"]["BIoU"] == pytest.approx((4 + 1 / 3) / 5)
    assert made.videos["v1"]["BIoU"] == 1
    assert made.scores["BIoU"] == pytest.approx(14 / 15)
    assert made.videos["v0"]["J_mean"] == pytest.approx((4 + 90 / 110) / 5), "ours are as without it"
    rows = [row for row in csv.DictReader(Path("rows.csv").read_text().splitlines()) if row["measure"] == "BIoU"]
    assert [float(row["value"]) for row in rows] == pytest.approx([1 / 3] + 9 * [1])
    assert [(row["video"], row["frame"]) for row in rows[:2]] == [("v0", "0"), ("v0", "1")]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_other_processes_know_the_measure(
    score: Callable[..., Record], start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if start == "spawn":
        monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    alone, together = score("one", 2, "--jobs", "1"), score("one", 2, "--jobs", "2")
    assert together.scores == alone.scores


def test_missing_masks_leave_no_mean(cli: Cli, score: Callable[..., Record]) -> None:
    score("one", 1)
    Path("one/v0/00003.png").unlink()
    words = ("score", "one", "--dataset", "toy", "--root", "data", "--measures", "BIoU", *BIOU, "--format", "json")
    done = cli(*words, "--jobs", "1")
    assert done.code == 3
    made = json.loads(done.out)
    assert made["scores"] == {"BIoU": None}
    assert made["videos"] == {"v0": {"BIoU": None}, "v1": {"BIoU": 1.0}}


def test_table_and_list(cli: Cli, score: Callable[..., Record]) -> None:
    score("few", 1)
    score("many", 5)
    ranked = cli("table", "toy", *BIOU, "--sort", "biou", "--format", "md").out.splitlines()
    assert ranked[0].rstrip(" |").endswith("BIoU ↑")
    assert [line.split("|")[1].strip() for line in ranked[2:4]] == ["few", "many"]
    assert ranked[2].rstrip(" |").endswith("**0.933**")
    by_video = cli("table", "toy", *BIOU, "--by", "video", "--measure", "BIoU", "--format", "csv").out
    assert "v0,0.86666" in by_video
    row = next(line for line in cli("list", "measures", *BIOU).out.splitlines() if line.startswith("BIoU"))
    assert row.split()[:4] == ["BIoU", "BIoU", "BIoU", "higher"]
    assert "boundary_iou.py" in row


def test_without_the_plugin_the_plain_name_is_shown(cli: Cli, score: Callable[..., Record]) -> None:
    score("few", 1)
    measures._TABLE.pop("BIoU")
    heading = cli("table", "toy", *TOY, "--format", "md").out.splitlines()[0]
    assert "J mean ↑" in heading
    assert heading.rstrip(" |").endswith("BIoU")
    refused = cli("table", "toy", *TOY, "--sort", "BIoU")
    assert refused.code == 2
    assert 'cannot rank by "BIoU", whose direction is unknown' in refused.err


def test_compare(cli: Cli, score: Callable[..., Record]) -> None:
    score("few", 1)
    score("many", 5)
    words = ("compare", "results/toy/few+J-F-BIoU.json", "results/toy/many+J-F-BIoU.json", "--format", "json")
    found = json.loads(cli(*words, *BIOU).out)["measures"]
    assert found["BIoU"]["difference"] == pytest.approx((13 / 15 - 1 / 3) / 2)
    assert found["BIoU"]["videos"]["v1"]["difference"] == 0


def test_records_of_two_versions_are_not_compared(cli: Cli, score: Callable[..., Record]) -> None:
    made = score("few", 1)
    newer = made.model_copy(update={"signature": made.signature.replace("BIoU@1", "BIoU@2")})
    fewer = {name: value for name, value in newer.scores.items() if name == "BIoU"}
    for name, scores in (("newer", newer.scores), ("fewer", fewer)):
        Path(f"{name}.json").write_text(newer.model_copy(update={"scores": scores}).to_json())
        done = cli("compare", "results/toy/few+J-F-BIoU.json", f"{name}.json", *BIOU)
        assert done.code == 3
        assert "protocols differ" in done.err
    without = made.model_copy(update={"signature": made.signature.replace("BIoU@1:d=0.02|", "")})
    only = {name: value for name, value in made.scores.items() if name != "BIoU"}
    Path("without.json").write_text(without.model_copy(update={"scores": only}).to_json())
    assert cli("compare", "results/toy/few+J-F-BIoU.json", "without.json", *BIOU).code == 0, "J and F are the same"


def test_a_record_that_is_worse_fails_the_gate(cli: Cli, score: Callable[..., Record]) -> None:
    score("good", 0)
    score("bad", 5)
    done = cli("check", "results/toy/bad+J-F-BIoU.json", "--baseline", "results/toy/good+J-F-BIoU.json", *BIOU)
    assert done.code == 1
    lines = [line.split() for line in done.out.splitlines() if "BIoU" in line and "FAILED" in line]
    assert lines[0][-5:] == ["1.0000", "0.6667", "-0.3333", "0.0030", "FAILED"]


@pytest.mark.parametrize(("change", "known", "unknown"), [(-0.0029, 0, 1), (-0.0031, 1, 1), (0.5, 0, 1)])
def test_its_direction_and_tolerance_decide(
    cli: Cli, score: Callable[..., Record], change: float, known: int, unknown: int
) -> None:
    """The family lets a mean lose 0.003; without its plugin nobody knows a direction, and 0.002 is the default."""
    made = score("good", 5)
    changed = {**made.scores, "BIoU": made.scores["BIoU"] + change}
    Path("run.json").write_text(made.model_copy(update={"scores": changed}).to_json())
    words = ("check", "run.json", "--baseline", "results/toy/good+J-F-BIoU.json")
    assert cli(*words, *BIOU).code == known
    measures._TABLE.pop("BIoU")
    done = cli(*words)
    assert done.code == unknown
    assert "nobody here knows which way is better, so any change counts, of: BIoU" in done.out


def test_unknown_and_doubled_measures(cli: Cli, score: Callable[..., Record]) -> None:
    score("one", 1)
    words = ("score", "one", "--dataset", "toy", "--root", "data")
    done = cli(*words, "--measures", "J,BIou", *BIOU)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert 'did you mean "BIoU"?' in done.err
    assert cli(*words, "--measures", "J,BIoU", *TOY).code == 2, "nobody has brought it"
    Path("copy.py").write_text(EXAMPLE.read_text())
    done = cli(*words, "--measures", "J", *BIOU, "--plugin", "copy.py")
    assert done.code == 2
    assert 'the measure "BIoU" is declared twice' in done.err


@pytest.mark.usefixtures("score")  # which writes the dataset
def test_an_entry_point(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    point, others = EntryPoint("BIoU", "boundary_iou:family", registry.MEASURES), registry.entry_points
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [point] if group == registry.MEASURES else others(group=group)
    )
    write_masks(Path("one"), 1)
    words = ("score", "one", "--dataset", "toy", "--root", "data", "--measures", "BIoU", *TOY, "--jobs", "1")
    done = cli(*words, "--format", "json")
    assert json.loads(done.out)["scores"]["BIoU"] == pytest.approx(14 / 15)
    sys.modules.pop("boundary_iou", None)


BROKEN = """
from vosbench.metrics import Family, Measure

class Broken:
    def add(self, annotation, prediction):
        return {added}

    def finish(self):
        return {finished}

broken = Family(name="broken", measures=(Measure(name="broken"),), start=Broken)
"""


@pytest.mark.parametrize(
    ("added", "finished", "said"),
    [
        ("{}[0]", "{'broken': 1}", 'the measure "broken" fails on frame 0 of "v0" at'),
        ("{'x': float('nan')}", "{'broken': 1}", 'it gives "x" = nan'),
        ("{'J': 1}", "{'broken': 1}", 'it gives "J" = 1.0, our name'),
        ("{}", "{'broken': float('inf')}", 'it gives "broken" = inf'),
        ("{}", "{'other': 1}", "it finishes with other, not broken"),
        ("None", "{'broken': 1}", "AttributeError"),
    ],
)
def test_what_goes_wrong_is_one_line(
    cli: Cli, score: Callable[..., Record], added: str, finished: str, said: str
) -> None:
    score("one", 1)
    Path("broken.py").write_text(BROKEN.format(added=added, finished=finished))
    words = ("score", "one", "--dataset", "toy", "--root", "data", "--measures", "broken", *TOY)
    done = cli(*words, "--plugin", "broken.py", "--jobs", "1")
    assert (done.code, done.out, done.err.count("\n")) == (3, "", 1)
    assert said in done.err
