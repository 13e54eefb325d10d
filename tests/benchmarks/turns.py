"""Two interpreters do the same task in turn, in one run on one machine.

A worker is a script started with ``--worker SIDE``. It answers each task, a line of JSON on its standard input, with a
line of JSON that has at least ``seconds`` and ``scores``. Both sides keep their data in memory, so that only the task
is timed; the first round warms up compilers and caches and is not counted.
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
        task: the task of both sides.
        ours: our result, with its unit.
        peer: the peer's result, with its unit.
        measured: the ratio or amount to compare with the target.
        target: the target, as printed.
        met: whether the target was met.
        scores: how the two sides' scores compare.
    """

    task: str
    ours: str
    peer: str
    measured: str
    target: str
    met: bool
    scores: str


class Timing(NamedTuple):
    """The result of some rounds: median seconds, the median ratio, and each side's last answer."""

    ours: float
    peer: float
    ratio: float
    answers: tuple[Mapping[str, Any], Mapping[str, Any]]


class Ask(Protocol):
    """Send a task to a worker and wait for the answer."""

    def __call__(self, task: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do a task."""


@contextmanager
def worker(python: Path, script: Path, side: str) -> Iterator[Ask]:
    """Start a worker whose libraries use one thread each; it ends with the block."""
    start = [str(python), str(script), "--worker", side]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    with subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
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
) -> Timing:
    """Let two workers do their tasks in turn.

    Args:
        ours: our worker.
        peer: the other worker; ratios are its time divided by ours.
        tasks: the task of each.
        rounds: number of counted rounds, after one to warm up.
        clock: the time to compare: ``"seconds"`` of processor time or ``"wall"``.
    """
    times: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        answers = ours(tasks[0]), peer(tasks[1])
        if number:
            times.append((answers[0][clock], answers[1][clock]))
    return Timing(
        ours=statistics.median(first for first, _ in times),
        peer=statistics.median(second for _, second in times),
        ratio=statistics.median(second / first for first, second in times),
        answers=answers,
    )


def difference(ours: Mapping[str, Any], peer: Mapping[str, Any]) -> float:
    """The largest difference between two sides' lists of scores; infinite if names or lengths differ."""
    if {name: len(values) for name, values in ours.items()} != {name: len(values) for name, values in peer.items()}:
        return float("inf")
    pairs = [pair for name, values in ours.items() for pair in zip(values, peer[name], strict=True)]
    return max(abs(first - second) for first, second in pairs)
