"""Interpreters do the same task in turn, in one run on one machine.

A worker is a script started with ``--worker SIDE``. It answers each task, a line of JSON on its standard input, with a
line of JSON that has at least ``seconds`` and ``scores``. All sides keep their data in memory, so that only the task
is timed; the first round warms up compilers and caches and is not counted.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from environments import Environment

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
Task = Mapping[str, Any]


class Ask(Protocol):
    """Send a task to a worker and wait for the answer."""

    def __call__(self, task: Task) -> Mapping[str, Any]:
        """Do a task."""


class Turns(NamedTuple):
    """The result of some rounds.

    Attributes:
        times: the seconds of each side, one for each round.
        answers: each side's last answer.
    """

    times: dict[str, list[float]]
    answers: dict[str, Mapping[str, Any]]

    def seconds(self, side: str) -> float:
        """The median of a side."""
        return statistics.median(self.times[side])

    def ratio(self, other: str, ours: str = "ours") -> float:
        """The median of another side's time, divided by ours of the same round."""
        pairs = zip(self.times[other], self.times[ours], strict=True)
        return statistics.median(theirs / own for theirs, own in pairs)

    def apart(self, other: str, ours: str = "ours") -> float:
        """The largest difference between the scores of two sides."""
        return difference(self.answers[ours]["scores"], self.answers[other]["scores"])


@contextmanager
def worker(python: Path, script: Path, side: str, path: str = "") -> Iterator[Ask]:
    """Start a worker whose libraries use one thread each; it ends with the block."""
    start = [str(python), str(script), "--worker", side]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    if python != Path(sys.executable):  # a peer finds its own modules, none of this environment
        environment["PYTHONPATH"] = path
    with subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        sent, received = process.stdin, process.stdout
        assert sent is not None
        assert received is not None

        def ask(task: Task) -> Mapping[str, Any]:
            sent.write(json.dumps(task) + "\n")
            sent.flush()
            answer: Mapping[str, Any] = json.loads(received.readline() or '{"error": "the worker has ended"}')
            if "error" in answer:
                raise RuntimeError(f"{side}, {task}: {answer['error']}")
            return answer

        yield ask
        sent.close()


@contextmanager
def workers(script: Path, peers: Mapping[str, Environment]) -> Iterator[dict[str, Ask]]:
    """One worker of this environment, ``"ours"``, and one for each peer that can be run."""
    with ExitStack() as stack:
        asks = {"ours": stack.enter_context(worker(Path(sys.executable), script, "ours"))}
        for name, peer in peers.items():
            if not peer.missing:
                asks[name] = stack.enter_context(worker(peer.python, script, name, peer.path))
        yield asks


def take_turns(sides: Mapping[str, tuple[Ask, Task]], rounds: int, clock: str = "seconds") -> Turns:
    """Let workers do their tasks in turn.

    Args:
        sides: the worker and the task of each; one worker may be several sides.
        rounds: number of counted rounds, after one to warm up.
        clock: the time to compare: ``"seconds"`` of processor time or ``"wall"``.
    """
    found = Turns({side: [] for side in sides}, {})
    for number in range(rounds + 1):
        for side, (ask, task) in sides.items():
            found.answers[side] = ask(task)
            if number:
                found.times[side].append(found.answers[side][clock])
    return found


def difference(ours: Mapping[str, Any], peer: Mapping[str, Any]) -> float:
    """The largest difference between two sides' lists of scores; infinite if names or lengths differ."""
    if {name: len(values) for name, values in ours.items()} != {name: len(values) for name, values in peer.items()}:
        return float("inf")
    pairs = [pair for name, values in ours.items() for pair in zip(values, peer[name], strict=True)]
    return max(abs(first - second) for first, second in pairs)
