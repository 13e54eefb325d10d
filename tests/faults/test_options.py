"""Options that contradict, and what they ask for that cannot be had: told before anything is computed."""

from injected import Lab, fault


def before_the_work(lab: Lab, *more: str) -> None:
    """Score masks that cannot be read, so that the error is another one only if it comes first."""
    for path in (lab.root / "masks").rglob("*.png"):
        path.write_bytes(b"scoring would fail here")
    lab.inject(*lab.score("--jobs", "1", "--out", "results", *more))


@fault("`--codec` that there is not")
def test_codec(lab: Lab) -> None:
    before_the_work(lab, "--codec", "nonsense")


@fault("`--per-frame x.xlsx`")
def test_per_frame(lab: Lab) -> None:
    before_the_work(lab, "--per-frame", "x.xlsx")


@fault("`--by category` of a dataset without categories")
def test_by(lab: Lab) -> None:
    before_the_work(lab, "--by", "category")


@fault("`table … --measured` without measurements")
def test_measured(lab: Lab) -> None:
    (lab.folder / "results").mkdir()
    lab.inject("table", "saliency", "--measured")


@fault("an option with one value is given twice")
def test_twice(lab: Lab) -> None:
    before_the_work(lab, "--protocol", "toy", "--protocol", "toy")


@fault("an option that the method does not act on")
def test_unheeded(lab: Lab) -> None:
    lab.inject(*lab.run("--device", "cuda:9"))


@fault("a value that an option does not take")
def test_value(lab: Lab) -> None:
    lab.inject(*lab.run("--set", "peaks=0", method="f2net.tiny"))


FLOW = """
from vosbench.method import Method, Option
from toy import load

options = {"flow": Option("", "a folder of flow", path=True)}
flowing = Method(
    name="flowing", title="Flowing", paper="none", licence="MIT", load=load, needs_weights=False, options=options
)
"""


@fault("a file that an option names has changed when a run is resumed")
def test_file(lab: Lab) -> None:
    flow = lab.root / "0.flo"
    flow.write_bytes(b"first")
    words = lab.run("--plugin", lab.plugin(FLOW), "--set", f"flow={flow}", method="flowing")
    lab.done(*words)
    flow.write_bytes(b"other")
    lab.inject(*words)
