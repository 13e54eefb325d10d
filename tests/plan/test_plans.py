"""Plans on the command line: run, killed, repeated, extended, changed and failing."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import vosbench
from factories import write_toy
from in_process import call
from planned import PLUGIN, contents, plan, prepare, worked
from vosbench.engine.engine import Failure, Serial
from vosbench.engine.locks import locked
from vosbench.records.record import read

Cli = Callable[..., subprocess.CompletedProcess[str]]
PLAN = """
plugins: [PLUGIN]
methods:
  - method: level
    weights: {a: a.txt, b: b.txt}
  - {method: level.dim, weights: "{variant}.txt"}
datasets: [toy, {dataset: other, protocols: toy-inner}]
"""


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    prepare(tmp_path, monkeypatch)
    plan(PLAN)
    return tmp_path


def run(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = call("run", "--plan", "plan.yaml", *words)
    errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert (done.returncode, len(errors)) == (code, bool(code)), done.stderr
    return done


RECORDS = {
    "a/toy/level.json",
    "b/toy/level.json",
    "toy/level.dim.json",
    "a/other/level@toy-inner.json",
    "b/other/level@toy-inner.json",
    "other/level.dim@toy-inner.json",
}


def test_a_plan_makes_the_records_of_single_runs_and_does_nothing_twice() -> None:
    shown = run()
    assert {name for name in contents() if name.endswith(".json") and "run.json" not in name} == RECORDS
    assert sorted(worked()) == sorted(["load"] * 3 + ["toy/v0", "toy/v1", "Others/v0", "Others/v1"] * 3)
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["method", "toy", "J", "mean", "↑", "other", "(toy-inner)", "J", "mean", "↑"]
    scores = [read(Path("results", f"{name}.json")).scores["J_mean"] for name in ("a/toy/level", "b/toy/level")]
    assert [line.split()[:2] for line in lines[2:4]] == [
        ["a/level", f"{scores[0]:.3f}"],
        ["b/level", f"{scores[1]:.3f}"],
    ]
    assert lines[-1] == "6 records: 6 done"
    alone = ("--plugin", PLUGIN, "--method", "level", "--weights", "a.txt", "--dataset", "toy", "--out", "alone")
    assert call("run", *alone).returncode == 0
    assert contents("alone") == {name[2:]: data for name, data in contents().items() if name.startswith("a/toy")}
    worked()
    before = {path: path.stat().st_mtime_ns for path in Path("results").rglob("*")}
    assert run().stdout == shown.stdout
    assert worked() == []
    assert {path: path.stat().st_mtime_ns for path in Path("results").rglob("*")} == before


def test_a_plan_is_the_same_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    worked()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("VOSBENCH_DATA", str(tmp_path / "data"))
    assert call("run", "--plan", tmp_path / "plan.yaml").returncode == 0
    assert "6 records: 6 done" in call("status", tmp_path / "plan.yaml").stdout
    assert not [*Path().iterdir()]


def test_more_of_a_plan_is_more_work_and_nothing_else() -> None:
    run()
    worked()
    before = contents()
    plan(
        PLAN.replace("datasets: [", "datasets: [{dataset: third, root: data/toy}, ").replace(
            "b: b.txt", "b: b.txt, c: b.txt"
        )
    )
    run()
    assert sorted(worked()) == sorted(["load"] * 4 + ["toy/v0", "toy/v1"] * 5 + ["Others/v0", "Others/v1"])
    after = contents()
    assert before.items() <= after.items()
    assert len(after) > len(before)


def test_replaced_weights_are_refused_or_replace_their_records_alone() -> None:
    run()
    worked()
    before = contents()
    Path("b.txt").write_text("0.5", "utf-8")
    done = run(code=2)
    said = "error: inputs have changed, b/level on toy and 1 more record; --overwrite replaces what was made of the old"
    assert done.stderr.splitlines()[-1].startswith(said)
    assert "b/level on toy and 1 more: changed since: weights" in done.stdout
    assert (worked(), contents()) == ([], before)
    assert "6 records: 4 done, 2 changed" in call("status", "plan.yaml").stdout
    assert "2 records of other inputs would be kept; --overwrite replaces what has changed" in run("--dry-run").stdout
    assert "to do: 2 records, 4 videos" in run("--dry-run", "--overwrite").stdout
    run("--overwrite")
    assert sorted(worked()) == sorted(["load", "toy/v0", "toy/v1", "Others/v0", "Others/v1"])
    after = contents()
    assert {name for name in after if after[name] != before.get(name)} == {n for n in before if n.startswith("b/")} - {
        name for name in before if name.startswith("b/") and before[name] == after[name]
    }
    assert before["b/toy/level.json"] != after["b/toy/level.json"]
    Path("b.txt").write_text("0.4", "utf-8")
    plan(f"changed: replace\n{PLAN}")
    run()
    assert contents()["b/toy/level.json"] != after["b/toy/level.json"]


def test_a_replacement_that_is_killed_is_finished_without_being_allowed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    Path("b.txt").write_text("0.5", "utf-8")
    with monkeypatch.context() as patched:
        patched.setattr("vosbench.plan.execute.finish", interrupt)
        assert call("run", "--plan", "plan.yaml", "--overwrite").returncode == 130
    assert "4 done, 2 begun" in call("status", "plan.yaml").stdout
    run()
    weights = {read(Path(f"results/{name}/toy/level.json")).provenance.weights for name in "ab"}
    assert weights == {hashlib.sha256(Path(f"{name}.txt").read_bytes()).hexdigest() for name in "ab"}


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("change", "said", "again"),
    [
        (lambda: write_toy(Path("data/toy"), frames=5, size=(26, 32)), "frames of v0, v1, annotations", 2),
        (
            lambda: Path("data/toy/masks/v1/00002.png").write_bytes(Path("data/toy/masks/v0/00001.png").read_bytes()),
            "annotations",
            0,
        ),
        (lambda: Path("results/a/toy/level.json").write_text("{}", "utf-8"), "the record itself", 0),
    ],
)
def test_other_inputs_count_too(change: Callable[[], object], said: str, again: int) -> None:
    run()
    worked()
    change()
    done = run(code=2)
    assert f"changed since: {said}" in done.stdout
    run("--overwrite")
    assert len([line for line in worked() if line == "toy/v0"]) == (3 if again else 0)
    assert not read(Path("results/a/toy/level.json")).shortcomings
    run()


def test_a_record_that_is_gone_is_made_of_the_maps_again() -> None:
    run()
    worked()
    path = Path("results/a/toy/level.json")
    before = path.read_bytes()
    path.unlink()
    run()
    assert (worked(), path.read_bytes()) == (["load"], before)


def test_runs_that_no_plan_knows_are_taken_over_or_named() -> None:
    words = ("--plugin", PLUGIN, "--method", "level.dim", "--dataset", "toy", "--quiet")
    assert call("run", *words, "--weights", "dim.txt").returncode == 0
    before = Path("results/toy/level.dim.json").read_bytes()
    worked()
    run()
    assert worked().count("toy/v0") == 2
    assert Path("results/toy/level.dim.json").read_bytes() == before
    shutil.rmtree("results")
    assert call("run", *words, "--weights", "a.txt").returncode == 0
    assert "level.dim on toy: changed since: weights" in run(code=2).stdout


def test_a_failing_video_is_named_and_not_tried_again_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAN_FAIL", "toy/v1/00002")
    plan(PLAN.replace("[toy,", "[{dataset: toy, videos: v1}, toy,"))
    done = run(code=4)
    assert done.stderr.splitlines()[-1].startswith(
        "error: videos failed, a/level on toy (v1) and 5 more records; --retry-failed"
    )
    assert (
        'a/level on toy (v1) and 5 more: the method fails on frame 2 of "v1": RuntimeError: out of luck' in done.stdout
    )
    assert "9 records: 3 done, 6 failed" in done.stdout
    assert read(Path("results/a/toy/level.json")).failed == ["v1"]
    assert not read(Path("results/a/other/level@toy-inner.json")).shortcomings
    worked()
    monkeypatch.delenv("PLAN_FAIL")
    assert run(code=4).stdout == done.stdout
    assert worked() == []
    assert "1 of 2 failed" in call("status", "plan.yaml").stdout
    assert "6 records that failed would be left; --retry-failed tries again" in run("--dry-run").stdout
    run("--retry-failed")
    assert [line for line in worked() if line != "load"] == ["toy/v1"] * 3
    assert not read(Path("results/a/toy/level.json")).shortcomings
    assert "9 records: 9 done" in run().stdout


def test_a_method_that_cannot_be_loaded_ends_only_its_own_records() -> None:
    Path("b.txt").write_text("no number", "utf-8")
    done = run(code=5)
    assert "b/level on toy and 1 more record failed" in done.stderr
    assert "6 records: 4 done, 2 failed" in done.stdout
    assert run(code=5).stdout == done.stdout
    Path("b.txt").write_text("0.9", "utf-8")  # other weights are another attempt
    assert "6 records: 6 done" in run().stdout


def test_missing_datasets_are_named_before_the_work_and_left_out_on_request() -> None:
    shutil.rmtree("data/Others")
    done = run(code=2)
    said = "error: 1 of the 2 datasets of the plan cannot be used here: other (toy-inner): not found; name its root in"
    assert done.stderr.startswith(said)
    assert done.stderr.endswith("; --available leaves them out\n")
    assert not Path("results").exists()
    assert "3 not here" in call("status", "plan.yaml").stdout
    assert (
        "note: 1 of the 2 datasets of the plan is left out: other (toy-inner): not found" in run("--available").stderr
    )
    write_toy(Path("data/Others"), size=(30, 40))
    run()
    shutil.rmtree("data/Others")
    assert "6 records: 6 done" in call("status", "plan.yaml").stdout  # what is known without the dataset


def test_a_damaged_frame_ends_only_its_record() -> None:
    frame = Path("data/Others/frames/v1/00002.png")
    frame.write_bytes(frame.read_bytes()[:60])
    done = run(code=4)
    assert "is corrupt" in done.stdout
    assert "6 records: 3 done, 3 failed" in done.stdout
    run(code=4)
    shutil.rmtree("data/Others")
    write_toy(Path("data/Others"), size=(30, 40))
    assert "6 records: 6 done" in run("--overwrite").stdout  # the frame has another size


def test_protocols_share_maps() -> None:
    plan(PLAN.replace("[toy,", "[{dataset: toy, protocols: [toy, toy-inner, toy-saliency]},"))
    run()
    assert worked().count("toy/v0") == 3
    assert {path.name for path in Path("results/a/toy").glob("*.json")} == {
        *("level.json", "level@toy-inner.json", "level@toy-saliency.json")
    }


def test_splits_without_annotations_have_maps_alone() -> None:
    shutil.copytree("data/toy", "data/secret")
    shutil.rmtree("data/secret/masks")
    plan("plugins: [PLUGIN]\nmethods: [{method: level, untrained: yes}]\ndatasets: [secret]")
    done = run()
    assert "1 record: 1 done" in done.stdout
    assert not Path("results/secret/level.json").exists()
    assert len([*Path("results/secret/level/v0").glob("*.png")]) == 5
    worked()
    assert (run().stdout, worked()) == (done.stdout, [])


@pytest.mark.slow
def test_two_plans_on_one_folder_share_the_work() -> None:
    words = [sys.executable, "-m", "vosbench", "run", "--plan", "plan.yaml", "--quiet"]
    both = [
        subprocess.Popen(words, env={**os.environ, "PLAN_SECONDS": "0.05"}, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [(each.communicate()[1], each.returncode) for each in both]
    assert {code for _, code in ends} <= {0, 3}
    assert all(code == 0 or "in use by process" in said for said, code in ends)
    assert sorted(line for line in worked() if line != "load") == sorted(
        ["toy/v0", "toy/v1", "Others/v0", "Others/v1"] * 3
    )
    shared = contents()
    shutil.rmtree("results")
    run()
    assert contents() == shared


def test_what_another_process_holds_is_left_to_it() -> None:
    with locked(Path("results/b/other/level")):
        status = call("status", "plan.yaml")
        assert "running 0 of 2" in status.stdout
        assert f"b/level on other (toy-inner): run by process {os.getpid()} on " in status.stdout
        done = run(code=3)
    assert f"error: b/level on other (toy-inner) in use by process {os.getpid()} on " in done.stderr
    assert "6 records: 5 done, 1 in use" in done.stdout
    assert "6 records: 6 done" in run().stdout


def test_what_is_left_is_told_before_and_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    said = run("--dry-run").stdout
    assert "to do: 6 records, 12 videos; time: unknown: level and level.dim were not timed here yet" in said
    assert not Path("results").exists()
    run()
    plan(PLAN.replace("b: b.txt", "b: b.txt, c: b.txt"))
    said = run("--dry-run").stdout
    assert "8 records: 6 done, 2 to do" in said
    assert "to do: 2 records, 4 videos; time: about 1 s in one process" in said
    assert "time: about 1 s with 8 workers" in run("--dry-run", "--workers", "8").stdout
    before = {path: path.stat().st_mtime_ns for path in Path("results").rglob("*")}
    status = call("status", "plan.yaml")
    assert "time left: about 1 s in one process" in status.stdout
    assert {path: path.stat().st_mtime_ns for path in Path("results").rglob("*")} == before
    rows = json.loads(call("status", "plan.yaml", "--format", "json").stdout)["rows"]
    assert [row["state"] for row in rows].count("done") == 6
    assert rows[0].keys() == {"method", "dataset", "state", "score", "value", "reason", "record"}
    assert rows[0]["record"].endswith("results/a/toy/level.json")
    assert call("status", "plan.yaml", "--long").stdout.count("\n") > 8
    capsys.readouterr()


@pytest.mark.parametrize("option", ["--method", "--dataset", "--suite", "--weights", "--limit", "--seed"])
def test_what_a_plan_states_is_refused_as_an_option(option: str) -> None:
    done = call("run", "--plan", "plan.yaml", option, "1")
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {option} is stated by the plan; leave it out, or change the plan\n",
    )


def test_options_of_plans_need_one() -> None:
    apart = call("run", "--plan", "plan.yaml", "--profile")
    assert (apart.returncode, apart.stderr) == (2, "error: --profile does not go with --plan; leave it out\n")
    for option in ("--dry-run", "--retry-failed"):
        done = call("run", "--method", "level", "--dataset", "toy", option)
        assert (done.returncode, done.stderr) == (2, f"error: {option} requires --plan\n")
    assert call("run", "--dataset", "toy").stderr == "error: pass --method with --dataset or --suite, or --plan\n"


def test_status_fetches_nothing() -> None:
    plan(PLAN.replace("b: b.txt", f"b: 'https://127.0.0.1:1/b.pt#sha256={'0' * 64}'"))
    status = call("status", "plan.yaml")
    assert "6 records: 4 to do, 2 invalid" in status.stdout
    assert "method 1 of the plan, b/level: " in status.stdout
    assert "VOSBENCH_OFFLINE" not in os.environ


def test_the_python_face_is_the_same() -> None:
    done = vosbench.run_plan("plan.yaml", available=True)
    assert done.problem is None
    assert str(done).splitlines()[-1] == "6 records: 6 done"
    assert str(vosbench.plan_status("plan.yaml")) == str(done)
    assert "6 records" in vosbench.check_plan("plan.yaml").summary


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # a package's warnings concern its own tests
def test_workers_change_no_byte() -> None:
    pytest.importorskip("distributed", reason="needs the extra dist")
    shown = run("--workers", "2")
    spread = contents()
    shutil.rmtree("results")
    assert run().stdout == shown.stdout
    assert contents() == spread


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # a package's warnings concern its own tests
def test_a_video_that_kills_its_workers_has_failed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra dist")
    with monkeypatch.context() as patched:
        patched.setenv("PLAN_DIE", "toy/v1/00002")
        done = run("--workers", "2", code=4)
    assert "6 records: 3 done, 3 failed" in done.stdout
    assert {read(path).failed[0] for path in Path("results").rglob("toy/*.json") if path.parent.name == "toy"} == {"v1"}
    worked()
    assert run(code=4).stdout == done.stdout
    assert worked() == []
    run("--retry-failed")
    spread = contents()
    shutil.rmtree("results")
    run()
    assert contents() == spread


@pytest.mark.parametrize("cluster", [False, True])
def test_a_full_disk_ends_the_plan_and_nothing_is_blamed(monkeypatch: pytest.MonkeyPatch, *, cluster: bool) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "v1")

    class Engine(Serial):
        def run(self, work: Any, items: Any, **how: Any) -> Any:
            for outcome in super().run(work, items, **how):
                fails = items[outcome.index].video.name == "v1"
                failure = Failure("error", "OSError", "No space left on device", error=None if cluster else full)
                yield replace(outcome, value=None, failure=failure) if fails else outcome

    with monkeypatch.context() as patched:
        patched.setattr("vosbench.plan.execute.Serial", Engine)
        done = call("run", "--plan", "plan.yaml", "--quiet")
        assert (done.returncode, done.stderr.count("\n")) == (3, 1)
        assert "No space left on device" in done.stderr
    assert "6 records: 2 begun, 4 to do" in call("status", "plan.yaml").stdout
    assert "6 records: 6 done" in run().stdout


def test_long_videos_are_cut_for_workers_and_no_byte_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vosbench.runner.pieces.LEAST", 2)
    names: list[str] = []

    class Engine(Serial):
        size = 40

        def run(self, work: Any, items: Any, **how: Any) -> Any:
            names.extend(map(how["name"], items))
            return super().run(work, items, **how)

    done = vosbench.run_plan("plan.yaml", engine=Engine())
    assert done.problem is None
    assert "a/level on toy, v0, frames 2 to 3" in names
    assert len(names) == len(set(names)) == 6 * 2 * (3 + 1)
    spread = contents()
    shutil.rmtree("results")
    run()
    assert contents() == spread


def test_a_note_that_is_damaged_is_made_again() -> None:
    run()
    worked()
    before = contents()
    for path in Path("results/a").rglob(".plan/*.json"):
        path.write_bytes(path.read_bytes()[:40])
    run()
    assert set(worked()) == {"load"}
    assert contents() == before
    assert "6 records: 6 done" in run().stdout
