"""Whole commands: `vosbench score` of submissions to DAVIS-2016 in zip files, each a process of its own.

Start-up is that of a command that scores nothing. Annotations are kept in a folder of the benchmark's own, empty at
first; compiled code is kept where it always is, and is there before anything is timed.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from environments import Environment
from measured import Amount, Row, Target

PEERS = ()
SUBMISSIONS = ("ags", "andiff", "epo+", "fseg", "osvos", "pdb", "sfls", "tis")
MASKS = ("--measures", "J,F")
NOTES = [
    (
        "processor seconds are those of a command and of its processes, beyond those of a command that scores nothing; "
        "wall seconds are whole ones"
    ),
    "memory is that above a bare interpreter, through `vosbench.score` in one process",
]
PEAK = "import re, pathlib; print(re.findall(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[0])"


class Spent(NamedTuple):
    """Seconds of a command: of processors, and on the wall."""

    processor: float
    wall: float


class Commands(NamedTuple):
    """How `vosbench score` is run.

    Attributes:
        data: the folder of VOSBENCH_TEST_DATA.
        cache: where annotations are kept.
    """

    data: Path
    cache: Path

    def score(self, *words: str, names: tuple[str, ...] = SUBMISSIONS[:1], jobs: int = 1) -> Spent:
        """Score submissions, silently."""
        zips = [str(self.data / "davis16_results" / f"{name}.zip") for name in names]
        words = (*zips, "--dataset", "davis16", "--root", str(self.data / "DAVIS"), "--jobs", str(jobs), *words)
        return self.run("score", *words)

    def run(self, *words: str) -> Spent:
        """Run a command of vosbench."""
        wall, before = time.perf_counter(), os.times()
        command = [sys.executable, "-m", "vosbench", *words]
        subprocess.run(
            command, check=True, env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        return Spent(spent, time.perf_counter() - wall)

    def peak(self, code: str) -> float:
        """The peak memory of an interpreter after some code, in MB."""
        command = [sys.executable, "-c", f"{code}\n{PEAK}"]
        done = subprocess.run(command, check=True, env=self.environment(), capture_output=True, text=True)
        return int(re.findall(r"\d+", done.stdout)[-1]) / 1024

    def environment(self) -> dict[str, str]:
        """That of commands, whose modules are compiled once, as those of an installed package are."""
        usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**usual, "VOSBENCH_CACHE": str(self.cache), "PYTHONPYCACHEPREFIX": str(self.cache / "bytecode")}


def rows(_peers: Mapping[str, Environment], data: Path, rounds: int) -> Iterator[Row]:
    """Time commands by turns, after one round that is not counted.

    Args:
        data: the folder of VOSBENCH_TEST_DATA.
        rounds: number of counted rounds.
    """
    with tempfile.TemporaryDirectory() as name:
        commands = Commands(data, Path(name))
        found: dict[str, list[Spent]] = {}
        for counted in range(rounds + 1):
            for file in Path(name).rglob("*.masks"):
                file.unlink()
            spent = {
                "start": commands.run("--version"),
                "first": commands.score(*MASKS),
                "second": commands.score(*MASKS),
                "eight": commands.score(*MASKS, names=SUBMISSIONS),
                "eight, two": commands.score(*MASKS, names=SUBMISSIONS, jobs=2),
                "all": commands.score(),
                "all, two": commands.score(jobs=2),
            }
            for key, value in spent.items() if counted else ():
                found.setdefault(key, []).append(value)
        masks, whole = "J and F of a DAVIS-2016 submission", "J, F and T of a DAVIS-2016 submission"
        eight = "J and F of eight submissions"
        yield beyond(found, f"{masks}, the first time", "first", 3)
        yield beyond(found, f"{masks}, the second time", "second", 1.5)
        yield beyond(found, f"{eight} in one command", "eight", 10)
        yield on_the_wall(found, f"{eight} in one command, two processes", "eight, two", 6)
        yield beyond(found, whole, "all", 7.5)
        yield on_the_wall(found, f"{whole}, two processes", "all, two", 4.5)
        yield memory(commands, data)


def beyond(found: Mapping[str, list[Spent]], task: str, key: str, most: float) -> Row:
    """Processor seconds beyond start-up."""
    seconds = statistics.median(
        one.processor - start.processor for one, start in zip(found[key], found["start"], strict=True)
    )
    amount = Amount(value=seconds, unit="s")
    return Row(task=task, ours=amount, measured=amount, target=Target(bound="≤", value=most))


def on_the_wall(found: Mapping[str, list[Spent]], task: str, key: str, most: float) -> Row:
    """Wall seconds."""
    amount = Amount(value=statistics.median(one.wall for one in found[key]), unit="s", note="wall")
    return Row(task=task, ours=amount, measured=amount, target=Target(bound="≤", value=most))


def memory(commands: Commands, data: Path) -> Row:
    """Peak memory of J and F, whose annotations are grey files; nothing is kept before."""
    for file in commands.cache.rglob("*.masks"):
        file.unlink()
    places = f"'{data / 'davis16_results' / 'ags.zip'}', dataset='davis16', root='{data / 'DAVIS'}'"
    bare, peak = (
        commands.peak(code) for code in ("", f"import vosbench; vosbench.score({places}, measures=['J', 'F'], jobs=1)")
    )
    return Row(
        task="peak memory of J and F of a DAVIS-2016 submission",
        ours=Amount(value=peak, unit="MB"),
        peer="bare interpreter",
        theirs=Amount(value=bare, unit="MB"),
        measured=Amount(value=peak - bare, unit="MB above"),
        target=Target(bound="≤", value=60),
    )
