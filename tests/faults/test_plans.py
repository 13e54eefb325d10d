"""Plans that are not valid, or not finished."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from factories import write_toy
from in_process import call
from injected import Lab, fault
from spread import until
from vosbench.engine.locks import locked

PLUGIN = Path(__file__).parents[1] / "plugins" / "planned.py"
RUN = ("run", "--plan", "plan.yaml", "--quiet")
Planned = Callable[..., Lab]


@pytest.fixture
def planned(lab: Lab) -> Planned:
    """Write a plan, its weights and its dataset: two methods on the toy dataset and another."""

    def write(methods: str = "[{method: level, weights: w}]", datasets: str = "[toy, other]", more: str = "") -> Lab:
        data = lab.root / "data"
        write_toy(data / "toy")
        write_toy(data / "Others", size=(30, 40))
        for name in "wx":
            (lab.folder / name).write_text("1", "utf-8")
        lab.setenv("VOSBENCH_DATA", str(data))
        text = f"plugins: ['{PLUGIN}']\nmethods: {methods}\ndatasets: {datasets}\n{more}"
        (lab.folder / "plan.yaml").write_text(text, "utf-8")
        return lab

    return write


@fault("a plan with a key that there is not")
def test_key(planned: Planned, lab: Lab) -> None:
    planned("[{method: level, wieghts: w}]")
    lab.inject(*RUN)


@fault("a plan that names an unknown method")
def test_method(planned: Planned, lab: Lab) -> None:
    planned("[levle]")
    lab.inject(*RUN)


@fault("a plan that would write one file twice")
def test_twice(planned: Planned, lab: Lab) -> None:
    planned("[{method: level, weights: w}, {method: level, weights: x}]", "[toy]")
    lab.inject(*RUN)


@fault("a dataset of a plan is missing here")
def test_dataset(planned: Planned, lab: Lab) -> None:
    planned()
    shutil.rmtree(lab.root / "data" / "Others")
    lab.inject(*RUN)


@fault("a dataset of a plan is missing here, with `--available`")
def test_available(planned: Planned, lab: Lab) -> None:
    planned()
    shutil.rmtree(lab.root / "data" / "Others")
    lab.inject(*RUN, "--available")


SUBMISSIONS = "submissions: [toy/data/toy/masks, nowhere]"


@fault("a submission of a plan is missing here")
def test_submission(planned: Planned, lab: Lab) -> None:
    planned(datasets="[toy]", more=SUBMISSIONS)
    lab.inject("score", "--plan", "plan.yaml", "--quiet")


@fault("a submission of a plan is missing here, with `--available`")
def test_available_submission(planned: Planned, lab: Lab) -> None:
    planned(datasets="[toy]", more=SUBMISSIONS)
    lab.inject("score", "--plan", "plan.yaml", "--jobs", "1", "--quiet", "--available")


@fault("a method of a plan fails on some videos")
def test_videos(planned: Planned, lab: Lab) -> None:
    planned()
    lab.setenv("PLAN_FAIL", "toy/v1/00002")
    lab.inject(*RUN)


@fault("a method of a plan cannot be loaded")
def test_load(planned: Planned, lab: Lab) -> None:
    planned("[{method: level, weights: w}, {method: level.dim, weights: x}]", "[toy]")
    (lab.folder / "x").write_text("no number", "utf-8")
    lab.inject(*RUN)


@fault("a frame of a dataset of a plan is damaged")
def test_frame(planned: Planned, lab: Lab) -> None:
    planned()
    frame = lab.root / "data" / "Others" / "frames" / "v1" / "00002.png"
    frame.write_bytes(frame.read_bytes()[:60])
    lab.inject(*RUN)


@fault("what a record of a plan depends on has changed")
def test_changed(planned: Planned, lab: Lab) -> None:
    planned(datasets="[toy]")
    lab.done(*RUN)
    (lab.folder / "w").write_text("0.5", "utf-8")
    lab.inject(*RUN)


@fault("a record of a plan has been changed")
def test_record(planned: Planned, lab: Lab) -> None:
    planned(datasets="[toy]")
    lab.done(*RUN)
    (lab.folder / "results" / "toy" / "level.json").write_text("{}", "utf-8")
    lab.inject(*RUN)


@fault("two plans on one folder: what the other has begun")
def test_two(planned: Planned, lab: Lab) -> None:
    planned(datasets="[toy]")
    lab.begin()
    with locked(lab.folder / "results" / "toy" / "level"):
        done = call(*RUN)
    lab.end(done.returncode, done.stderr)


@fault("the note of what a record depends on is damaged")
def test_note(planned: Planned, lab: Lab) -> None:
    planned(datasets="[toy]")
    lab.done(*RUN)
    for path in lab.folder.rglob(".plan/*.json"):
        path.write_bytes(path.read_bytes()[:40])
    lab.inject(*RUN)


@fault("a plan is killed at any moment (SIGKILL)")
def test_killed(planned: Planned, lab: Lab) -> None:
    planned()
    process = lab.process(*RUN, PLAN_SECONDS="0.2")
    until(lambda: (lab.folder / "results/toy/level/v1/00001.png").exists() or process.poll() is not None)
    process.kill()
    lab.ended(process)
    status = call("status", "plan.yaml").stdout
    assert " begun" in status
    assert "running" not in status
    lab.done(*RUN)
    killed = results(lab)
    shutil.rmtree("results")
    lab.done(*RUN)
    assert killed == results(lab)


def results(lab: Lab) -> dict[Path, bytes]:
    """Records, rows and maps, without what the plan notes."""
    files = (path for path in (lab.folder / "results").rglob("*") if path.is_file() and ".plan" not in path.parts)
    return {path: path.read_bytes() for path in files}
