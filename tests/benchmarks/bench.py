"""Run the small benchmarks and compare them with the stored ones, as ratios to a calibration loop.

``python tests/benchmarks/bench.py`` compares with ``results/benchmarks.json``, prints a line for each benchmark that is
slower, and exits with 1 if there is any; ``--write`` stores what is measured, ``--against COMMIT`` measures that commit
here and compares with it. Other arguments are pytest's, such as ``-k png``.

A round of a benchmark is divided by the calibration loop next to it, so that slow machines, and what else runs on them,
do not count; the median of the rounds is compared. What is slower is measured again, and its lowest ratio counts.
"""

import argparse
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import calibration
import series
from measured import Calibrated, Small

SMALL = Path(__file__).with_name("bench_small.py")
TOPIC = "small"
SLOWER = 1.125
"""A benchmark that takes this many times the stored ratio is slow: between noise, of 5 %, and 20 %."""
AGAIN = 2
"""How often what is slower is measured again."""
STORED_OF = 3
"""How often what is stored is measured; the medians count."""


class Rounds(NamedTuple):
    """The rounds of a benchmark: its processor seconds, and those of the calibration loop before each."""

    seconds: Sequence[float]
    calibration: Sequence[float]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(one / loop for one, loop in zip(self.seconds, self.calibration, strict=True))


def compare(before: Mapping[str, float], measured: Mapping[str, float], *, all_of_them: bool = True) -> list[str]:
    """Compare ratios to the calibration loop.

    Args:
        before: by benchmark, what is stored or that of another commit.
        measured: by benchmark.
        all_of_them: whether those that were not measured count.

    Returns:
        a line for each benchmark that is slower than before, or has no counterpart.
    """
    lines = []
    for name, ratio in measured.items():
        if name not in before:
            lines.append(f"{name}: no stored ratio; store one with --write")
        elif ratio > SLOWER * before[name]:
            change = ratio / before[name] - 1
            lines.append(
                f"{name}: {change:.0%} slower, {ratio:.3f} of the calibration loop; before: {before[name]:.3f}"
            )
    lines += [f"{name}: not measured" for name in before if all_of_them and name not in measured]
    return lines


def measure(more: Sequence[str] = (), names: Sequence[str] = (), source: Path | None = None) -> dict[str, Rounds]:
    """Run the benchmarks.

    Args:
        more: arguments of pytest.
        names: those to run; all if there are none.
        source: a checkout of vosbench to measure; what is installed if None.

    Raises:
        SystemExit: if one of them fails.
    """
    tests = [f"{SMALL}::test_{name}" for name in names] or [str(SMALL)]
    options = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--benchmark-timer=time.process_time"]
    environment = {**os.environ, **({"PYTHONPATH": str(source)} if source else {})}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "small.json"
        command = [sys.executable, "-P", "-m", "pytest", *options, f"--benchmark-json={out}", *tests, *more]
        done = subprocess.run(
            command, cwd=series.REPOSITORY, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stdout or done.stderr)
        found = json.loads(out.read_text("utf-8"))["benchmarks"]
    return {
        each["name"].removeprefix("test_"): Rounds(each["stats"]["data"], each["extra_info"]["calibration"])
        for each in found
    }


def confirmed(stored: Mapping[str, float], more: Sequence[str] = (), source: Path | None = None) -> dict[str, float]:
    """Measure ratios; those that are slower again, and their lowest one counts."""
    ratios = {name: each.ratio for name, each in measure(more, (), source).items()}
    for _ in range(AGAIN):
        slower = [name for name, ratio in ratios.items() if name in stored and ratio > SLOWER * stored[name]]
        if slower:
            again = measure(more, slower, source)
            ratios |= {name: min(ratios[name], again[name].ratio) for name in slower}
    return ratios


def of_commit(commit: str, more: Sequence[str]) -> dict[str, float]:
    """The ratios of the same benchmarks with another commit's vosbench, on this machine.

    Raises:
        SystemExit: if there is no such commit.
    """
    command = ["git", "-C", str(series.REPOSITORY), "archive", commit]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        return {name: each.ratio for name, each in measure(more, (), Path(folder)).items()}


def section(runs: Sequence[Mapping[str, Rounds]]) -> Calibrated:
    """What is stored: medians over runs of the same benchmarks."""
    return Calibrated(
        kind="small",
        title="Small benchmarks",
        script="tests/benchmarks/bench.py",
        loop=calibration.VERSION,
        date=series.today(),
        machine=series.machine(),
        python=platform.python_version(),
        versions=series.versions(),
        calibration=statistics.median(loop for run in runs for each in run.values() for loop in each.calibration),
        benchmarks={
            name: Small(
                seconds=statistics.median(statistics.median(run[name].seconds) for run in runs),
                ratio=statistics.median(run[name].ratio for run in runs),
            )
            for name in runs[0]
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store what is measured")
    parser.add_argument(
        "--against", metavar="COMMIT", help="compare with a commit, measured here, not with what is stored"
    )
    parser.add_argument("--results", type=Path, default=series.DATA)
    args, more = parser.parse_known_args()
    if args.write:
        series.replace(TOPIC, section([measure(more) for _ in range(STORED_OF)]), args.results)
        return
    if args.against:
        before, source = of_commit(args.against, more), series.REPOSITORY
    else:
        known = series.read(args.results).sections.get(TOPIC)
        if not isinstance(known, Calibrated) or known.loop != calibration.VERSION:
            raise SystemExit("nothing is stored for this calibration loop; store something with --write")
        before, source = {name: each.ratio for name, each in known.benchmarks.items()}, None
    ratios = confirmed(before, more, source)
    for name, ratio in ratios.items():
        sys.stdout.write(f"{name}: {ratio:.3f}; before: {before.get(name, float('nan')):.3f}\n")
    if lines := compare(before, ratios, all_of_them=not more):
        raise SystemExit("\n".join(["", *lines]))


if __name__ == "__main__":
    main()
