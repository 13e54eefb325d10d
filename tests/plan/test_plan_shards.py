"""A plan in shards: the records of one process."""

from pathlib import Path

import pytest

from in_process import call
from planned import contents as all_contents
from planned import plan, prepare, worked

PLAN = """
plugins: [PLUGIN]
methods:
  - method: level
    weights: {a: a.txt, b: b.txt}
  - {method: level.dim, weights: "{variant}.txt"}
datasets: [toy, {dataset: other, protocols: [toy-inner, toy]}]
"""


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path, monkeypatch)
    plan(PLAN)


def videos() -> list[str]:
    """The videos that methods had since the last call."""
    return sorted(line for line in worked() if line != "load")


def contents(folder: str = "results") -> dict[str, bytes]:
    """Records, rows and maps, without what plans and shards note."""
    return all_contents(folder, (".plan", ".shards"))


def done(*words: str, code: int = 0) -> str:
    found = call(*words, "--plan", "plan.yaml")
    assert found.returncode == code, found.stderr
    return found.stderr


@pytest.mark.parametrize("of", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_shards_of_a_plan_end_in_the_bytes_of_one_process(of: int) -> None:
    done("run", "--out", "whole")
    once = videos()
    for index in range(1, of + 1):
        assert f"note: shard {index}/{of} has" in done("run", "--shard", f"{index}/{of}", "--out", "parts")
    assert videos() == once  # nothing twice, although two protocols share maps
    assert not list(Path("parts").glob("**/*.csv.gz"))
    done("merge", "--out", "parts")
    assert contents("parts") == contents("whole")
    assert videos() == []
    done("run", "--out", "parts")
    assert videos() == []


def test_a_plan_is_merged_as_a_whole_or_not_at_all() -> None:
    done("run", "--shard", "1/2")
    before = contents()
    assert "have no rows of" in done("merge", code=3)
    assert contents() == before
    done("run", "--shard", "2/2")
    plan(PLAN.replace("methods:", "methods:\n  - {method: level, weights: dim.txt, folder: third}"))
    assert "have no rows of" in done("merge", code=3)
    plan(PLAN)
    done("merge")


def test_a_failed_video_of_a_shard_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done("run", "--out", "whole")
    monkeypatch.setenv("PLAN_FAIL", "toy/v1/00002")
    said = done("run", "--shard", "1/1", "--out", "parts", code=4)
    assert '"v1"' in said
    assert "the others of shard 1/1 are done" in said
    done("merge", "--out", "parts", code=4)
    monkeypatch.delenv("PLAN_FAIL")
    done("run", "--shard", "1/1", "--out", "parts")
    done("merge", "--out", "parts")
    assert contents("parts") == contents("whole")


@pytest.mark.parametrize("other", ["--dry-run", "--retry-failed", "--overwrite", "--suite=uvos", "--method=level"])
def test_what_a_shard_of_a_plan_does_not_take(other: str) -> None:
    said = done("run", "--shard", "1/2", other, code=2)
    assert "contradict" in said or "is stated by the plan" in said
