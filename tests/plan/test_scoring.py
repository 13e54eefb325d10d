"""Submissions of a plan: scored together, once, and again if they change."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

import vosbench
from factories import write_toy
from in_process import call
from vosbench.errors import WorkerError
from vosbench.evaluate.together import Submission, score_together
from vosbench.images import kept

PLUGIN = Path(__file__).parents[1] / "plugins" / "planned.py"
PLAN = f"""
plugins: [{PLUGIN}]
submissions:
  - "subs/{{dataset}}/*"
  - {{masks: "late/{{dataset}}", name: mine, folder: late}}
datasets: [toy, {{dataset: other, protocols: [toy, toy-inner]}}]
"""
RECORDS = {f"{place}.json" for place in ("toy/good", "toy/bad", "other/good", "other/bad", "late/toy/mine")} | {
    f"{place}@toy-inner.json" for place in ("other/good", "other/bad", "late/other/mine")
}


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOSBENCH_DATA", "data")
    write_toy(Path("data/toy"))
    write_toy(Path("data/Others"), size=(30, 40))
    for dataset, folder in (("toy", "toy"), ("other", "Others")):
        masks = Path("data", folder, "masks")
        shutil.copytree(masks, Path("late", dataset))
        shutil.copytree(masks / "v1", Path("subs", dataset, "bad", "v0"))
        shutil.copytree(masks / "v0", Path("subs", dataset, "bad", "v1"))
        shutil.make_archive(f"subs/{dataset}/good", "zip", masks)
    Path("plan.yaml").write_text(PLAN, "utf-8")


def score(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = call("score", "--plan", "plan.yaml", "--jobs", "1", *words)
    errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert (done.returncode, len(errors)) == (code, bool(code)), done.stderr
    return done


def records() -> dict[str, bytes]:
    return {
        str(path.relative_to("results")): path.read_bytes()
        for path in Path("results").glob("**/[!.]*.json")
        if ".plan" not in path.parts
    }


def test_records_are_those_of_single_scores_and_nothing_is_scored_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = score()
    assert records().keys() == RECORDS | {"late/other/mine.json"}
    assert shown.stdout.splitlines()[-1] == "9 records: 9 done"
    words = ("--dataset", "other", "--protocol", "toy-inner", "--plugin", PLUGIN, "--out", "alone")
    assert call("score", "subs/other/bad", *words).returncode == 0
    name = "other/bad@toy-inner.json"
    assert Path("alone", name).read_bytes() == records()[name]
    monkeypatch.setattr("vosbench.plan.submissions.score_together", None)
    assert score().stdout == shown.stdout
    assert "9 records: 9 done" in call("status", "plan.yaml").stdout


def test_annotations_of_a_dataset_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    usual = kept.read_annotation
    monkeypatch.setattr(kept, "read_annotation", lambda first, *rest: (reads.append(first), usual(first, *rest))[1])
    score()
    assert len(reads) == len(set(reads)) == 20  # of two datasets, one of them under two protocols


def test_masks_that_change_are_refused_or_replaced() -> None:
    score()
    before = records()
    shutil.copytree("subs/toy/bad/v1", "subs/toy/bad/v0", dirs_exist_ok=True)
    assert "bad on toy: changed since: masks" in score(code=2).stdout
    assert records() == before
    score("--overwrite")
    assert {name for name, data in records().items() if data != before[name]} == {"toy/bad.json"}


def test_what_is_missing_is_named_before_the_work() -> None:
    shutil.rmtree("late/other")
    done = score(code=3)
    assert 'there is nothing at "late/{dataset}"; --available leaves it out' in done.stderr
    assert not Path("results").exists()
    assert "2 not here" in call("status", "plan.yaml").stdout
    assert "note: left out: submission 2 of the plan" in score("--available").stderr
    shutil.rmtree("data/Others")
    assert "1 of the 3 datasets" not in score("--available").stdout.splitlines()[0]
    shutil.rmtree("late")
    Path("plan.yaml").write_text(PLAN.replace("subs/", "sbus/"), "utf-8")
    assert 'there is nothing at "sbus/{dataset}/*"' in score("--available", code=3).stderr


def test_one_that_is_damaged_ends_only_itself() -> None:
    Path("subs/toy/bad/v0/00002.png").write_bytes(b"no image")
    Path("late/toy/v1/00003.png").unlink()
    done = score(code=3)
    assert "9 records: 7 done, 2 failed" in done.stdout
    assert 'late/mine on toy: 1 mask is missing, such as "v1/00003", so there is no mean' in done.stdout
    assert not Path("results/toy/bad.json").exists()
    assert score(code=3).stdout == done.stdout
    for name in ("subs/toy/bad/v0/00002.png", "late/toy/v1/00003.png"):
        shutil.copyfile("data/toy/masks/v1/00003.png", name)
    assert "9 records: 9 done" in score().stdout


def test_a_plan_is_scored_or_run_as_it_says(tmp_path: Path) -> None:
    refused = call("run", "--plan", "plan.yaml")
    assert (
        refused.stderr
        == 'error: "plan.yaml" has no methods to run; its submissions are scored by vosbench score --plan\n'
    )
    Path("plan.yaml").write_text(
        f"plugins: [{PLUGIN}]\nmethods: [{{method: level, untrained: yes}}]\ndatasets: [toy]", "utf-8"
    )
    assert "no submissions to score; its methods are run by vosbench run --plan" in score(code=2).stderr
    assert call("score", "--plan", "plan.yaml", "masks").stderr.startswith("error: submissions is stated by the plan")
    assert call("score", "--dataset", "toy").stderr == "error: pass masks to score, or --plan\n"
    Path("both.yaml").write_text(f"{PLAN}methods: [{{method: level, untrained: yes}}]\n", "utf-8")
    summary = vosbench.check_plan(tmp_path / "both.yaml").summary.splitlines()
    assert summary[0].startswith("1 method × 3 datasets: 3 records; 6 videos with 30 frames here")
    assert summary[1].startswith("3 submissions × 3 datasets: 9 records")
    assert score("--dry-run", code=2) is not None
    assert vosbench.score_plan("both.yaml", dry_run=True).notes == ("to do: 9 records, 18 videos",)


def test_a_killed_process_ends_only_its_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(submissions: Sequence[Submission], **_: object) -> object:
        if submissions[0].selection.dataset.name == "toy":
            raise WorkerError("a worker process was killed")
        return score_together(submissions)

    monkeypatch.setattr("vosbench.plan.submissions.score_together", killed)
    done = score(code=6)
    assert "9 records: 6 done, 3 failed" in done.stdout
    monkeypatch.setattr("vosbench.plan.submissions.score_together", score_together)
    assert "9 records: 9 done" in score().stdout  # it is nobody's fault, so it is not remembered


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # a package's warnings concern its own tests
def test_workers_change_no_byte() -> None:
    pytest.importorskip("distributed", reason="needs the extra dist")
    done = call("score", "--plan", "plan.yaml", "--workers", "2", "--quiet")
    assert done.returncode == 0, done.stderr
    spread = records()
    shutil.rmtree("results")
    assert score().stdout == done.stdout
    assert records() == spread
