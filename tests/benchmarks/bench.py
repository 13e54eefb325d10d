"""Run the small benchmarks and compare them with the stored ones, as ratios to a calibration loop.

``python tests/benchmarks/bench.py`` compares with ``results/benchmarks.json``, prints a line for each benchmark that is
slower, and exits with 1 if there is any; ``--write`` stores what is measured. Other arguments are pytest's, such as
``-k png``.

A round of a benchmark is divided by the calibration loop next to it, so that slow machines, and what else runs on them,
do not count; the median of the rounds is compared. What is slower is measured again, and its lowest ratio counts.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import calibration
import series

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


def compare(stored: Mapping[str, float], measured: Mapping[str, float], *, all_of_them: bool = True) -> list[str]:
    """Compare ratios to the calibration loop.

    Args:
        stored: by benchmark.
        measured: by benchmark.
        all_of_them: whether those that were not measured count.

    Returns:
        a line for each benchmark that is slower than the stored one, or has no counterpart.
    """
    lines = []
    for name, ratio in measured.items():
        if name not in stored:
            lines.append(f"{name}: no stored ratio; store one with --write")
        elif ratio > SLOWER * stored[name]:
            change = ratio / stored[name] - 1
            lines.append(
                f"{name}: {change:.0%} slower, {ratio:.3f} of the calibration loop; stored: {stored[name]:.3f}"
            )
    lines += [f"{name}: not measured" for name in stored if all_of_them and name not in measured]
    return lines


def measure(more: Sequence[str] = ()) -> dict[str, Rounds]:
    """Run the benchmarks with further arguments of pytest.

    Raises:
        SystemExit: if one of them fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "small.json"
        options = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--benchmark-timer=time.process_time"]
        command = [sys.executable, "-P", "-m", "pytest", *options, f"--benchmark-json={out}", str(SMALL), *more]
        done = subprocess.run(command, cwd=series.REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        found = json.loads(out.read_text("utf-8"))["benchmarks"]
    return {
        each["name"].removeprefix("test_"): Rounds(each["stats"]["data"], each["extra_info"]["calibration"])
        for each in found
    }


def confirmed(stored: Mapping[str, float], rounds: dict[str, Rounds]) -> dict[str, float]:
    """Ratios, the lowest one of those that were measured again because they were slower."""
    ratios = {name: each.ratio for name, each in rounds.items()}
    for _ in range(AGAIN):
        slower = [name for name, ratio in ratios.items() if name in stored and ratio > SLOWER * stored[name]]
        if slower:
            again = measure([f"{SMALL}::test_{name}" for name in slower])
            ratios |= {name: min(ratios[name], again[name].ratio) for name in slower}
    return ratios


def section(runs: Sequence[Mapping[str, Rounds]]) -> series.Calibrated:
    """What is stored: medians over runs of the same benchmarks."""
    return series.Calibrated(
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
            name: series.Small(
                seconds=statistics.median(statistics.median(run[name].seconds) for run in runs),
                ratio=statistics.median(run[name].ratio for run in runs),
            )
            for name in runs[0]
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store what is measured")
    parser.add_argument("--results", type=Path, default=series.DATA)
    args, more = parser.parse_known_args()
    if args.write:
        series.replace(TOPIC, section([measure(more) for _ in range(STORED_OF)]), args.results)
        return
    rounds = measure(more)
    known = series.read(args.results).sections.get(TOPIC)
    if not isinstance(known, series.Calibrated) or known.loop != calibration.VERSION:
        raise SystemExit("nothing is stored for this calibration loop; store something with --write")
    stored = {name: each.ratio for name, each in known.benchmarks.items()}
    ratios = confirmed(stored, rounds)
    for name, ratio in ratios.items():
        sys.stdout.write(f"{name}: {ratio:.3f}; stored: {stored.get(name, float('nan')):.3f}\n")
    if lines := compare(stored, ratios, all_of_them=not more):
        raise SystemExit("\n".join(["", *lines]))


if __name__ == "__main__":
    main()
