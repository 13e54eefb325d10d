"""Damaged files are read or refused in one line: no traceback, no crash, no wait, no gigabyte.

``VOSBENCH_EXAMPLES`` sets how many files of a kind there are, and ``VOSBENCH_FUZZ_FIRST`` the number of the first: with
``VOSBENCH_EXAMPLES=1`` that repeats one. The worker writes files into the folder ``VOSBENCH_FUZZ_KEEP``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from factories import examples
from fuzz import corpus

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of memory are of POSIX")
TESTS = Path(__file__).parents[1]
UNREAD = {"absolute.zip", "above.zip", "linked.zip", "links.tar", "a.mp4"}
"""Whole files that are refused: for their names, for masks of no frame, and for grey levels of compression."""


def tried(kind: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    """What the worker says of each file."""
    command = [sys.executable, "-W", "default", "-m", "fuzz.worker", kind, str(first), str(count)]
    paths = [str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")]
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=known)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"the process ends with {done.returncode} at {lines[-1:]}: {done.stderr[-4000:]}"
    found = [line for line in lines if "outcome" in line]
    problems = [f"{kind} {line['number']} ({line['name']}): {said}" for line in found for said in line["problems"]]
    assert not problems, f"{len(problems)} problems, such as {problems[0]}"
    return found


def outcomes(found: list[dict[str, Any]]) -> dict[str, str]:
    """The outcome of each whole file."""
    return {line["name"]: line["outcome"] for line in found if line["number"] < 0}


@pytest.mark.parametrize(("kind", "usual"), [("images", 400), ("archives", 250)])
def test_damaged_files(kind: str, usual: int) -> None:
    first, count = int(os.environ.get("VOSBENCH_FUZZ_FIRST", "0")), examples(usual)
    found = tried(kind, count, first)
    damaged = [line["outcome"] for line in found if line["number"] >= 0]
    assert len(damaged) == count
    refused = {name for name, outcome in outcomes(found).items() if outcome == "refused"}
    assert refused - UNREAD == {name for name in outcomes(found) if name.startswith("other/")}
    if count >= usual:
        assert min(damaged.count("read"), damaged.count("refused")) > count // 8  # both are tested


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("kind", ["images", "archives"])
def test_many_damaged_files(kind: str, part: int) -> None:
    count = examples(400)
    first = int(os.environ.get("VOSBENCH_FUZZ_FIRST", "1000000")) + part * count
    assert len(tried(kind, count, first)) > count


def test_corpus() -> None:
    found = {line["name"]: line["outcome"] for line in tried("corpus", 0) if line["number"] >= 0}
    assert found == dict.fromkeys(corpus.files(), "refused")


@pytest.mark.slow
def test_large_images() -> None:
    assert {line["outcome"] for line in tried("large", 0) if line["number"] >= 0} == {"read"}
