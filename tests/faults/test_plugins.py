"""Plugins that fail on import, measures that fail, and a dataset of a suite that fails."""

from pathlib import Path

from factories import write_toy
from injected import Lab, fault
from vosbench.metrics import measures

SUITE = Path(__file__).parents[1] / "plugins" / "suite.py"
MEASURE = """
from vosbench.metrics.measures import Family, Measure


class Accumulation:
    def add(self, annotation, prediction):
        {add}


odd = Family(name="odd", measures=(Measure(name="odd_mean", symbol="odd", heading="odd mean"),), start=Accumulation)
"""


def measured(lab: Lab, add: str) -> None:
    """Score with a measure that fails; the table of measures forgets it."""
    lab.patch(measures, "_TABLE", dict(measures._TABLE))
    path = lab.plugin(MEASURE.format(add=add))
    lab.inject(*lab.score("--jobs", "1", "--measures", "J,odd", "--out", "results", "--plugin", path))


@fault("a measure raises")
def test_measure(lab: Lab) -> None:
    measured(lab, "raise KeyError('cow')")


@fault("a measure ends the process (`sys.exit`)")
def test_measure_exits(lab: Lab) -> None:
    measured(lab, "raise SystemExit(0)")


@fault("a plugin file fails on import")
def test_import(lab: Lab) -> None:
    lab.inject("list", "methods", "--plugin", lab.plugin("import sys\nsys.exit(0)"))


@fault("a dataset of a suite fails: a frame is cut off")
def test_suite(lab: Lab) -> None:
    data = write_toy(lab.root / "data" / "toy").parent
    write_toy(data / "Others", size=(30, 40))
    lab.setenv("VOSBENCH_DATA", str(data))
    frame = data / "toy" / "frames" / "v1" / "00002.png"
    frame.write_bytes(frame.read_bytes()[:60])
    lab.inject("run", "--method", "brightness", "--suite", "toys", "--plugin", SUITE, "--quiet")
