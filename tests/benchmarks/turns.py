"""Two interpreters take turns: the same task, once here, once there, in one run on one machine.

A worker is a script that is started with ``--worker SIDE`` and answers each line of JSON on its standard input, a
task, with one line of JSON: at least ``seconds``, and ``scores``. Both sides hold their data, so that only the
task is timed; the first round warms up (compilers, caches) and is not counted.
"""

import json
import os
import statistics
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        task: what both did.
        ours: as printed, with its unit.
        peer: likewise; what ours is measured against.
        measured: the ratio, or the amount, in question.
        target: what was promised of it, as printed.
        met: whether the promise was kept.
        scores: how the two sides' scores compare.
    """

    task: str
    ours: str
    peer: str
    measured: str
    target: str
    met: bool
    scores: str


class Taken(NamedTuple):
    """What some rounds gave: medians of seconds, of ratios by round, and each side's last answer."""

    ours: float
    peer: float
    ratio: float
    answers: tuple[Mapping[str, Any], Mapping[str, Any]]


class Ask(Protocol):
    """Hands a task to a worker and waits for the answer."""

    def __call__(self, task: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do a task."""


@contextmanager
def worker(python: Path, script: Path, side: str) -> Iterator[Ask]:
    """Start a worker with one thread to each of its libraries; it ends with the block."""
    words = [str(python), str(script), "--worker", side]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        sent, received = process.stdin, process.stdout
        assert sent is not None
        assert received is not None

        def ask(task: Mapping[str, Any]) -> Mapping[str, Any]:
            sent.write(json.dumps(task) + "\n")
            sent.flush()
            answer: Mapping[str, Any] = json.loads(received.readline() or '{"error": "the worker has ended"}')
            if "error" in answer:
                raise RuntimeError(f"{side}, {task}: {answer['error']}")
            return answer

        yield ask
        sent.close()


def take_turns(
    ours: Ask, peer: Ask, tasks: tuple[Mapping[str, Any], Mapping[str, Any]], rounds: int, clock: str = "seconds"
) -> Taken:
    """Let two workers do their tasks by turns.

    Args:
        ours: the one, in the numerator of nothing: ratios say how many times as long the peer takes.
        peer: the other.
        tasks: the task of each.
        rounds: counted ones; one that is not comes before.
        clock: which of the answers' times counts: ``"seconds"`` of processor time or ``"wall"``.
    """
    times: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        answers = ours(tasks[0]), peer(tasks[1])
        if number:
            times.append((answers[0][clock], answers[1][clock]))
    return Taken(
        ours=statistics.median(first for first, _ in times),
        peer=statistics.median(second for _, second in times),
        ratio=statistics.median(second / first for first, second in times),
        answers=answers,
    )


def difference(ours: Mapping[str, Any], peer: Mapping[str, Any]) -> float:
    """The largest difference between two sides' lists of scores, which must be of the same names and lengths."""
    if {name: len(values) for name, values in ours.items()} != {name: len(values) for name, values in peer.items()}:
        return float("inf")
    pairs = [pair for name, values in ours.items() for pair in zip(values, peer[name], strict=True)]
    return max(abs(first - second) for first, second in pairs)
