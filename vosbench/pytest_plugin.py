"""A pytest plugin: hold a method against a baseline record in a test suite of your own.

In a test::

    def test_checkpoint(vosbench_check):
        vosbench_check("f2net.tiny", "sample", baseline="tests/f2net.tiny.json", weights="f2net.safetensors")

The same by a marker, which ``pytest --vosbench-per-video`` takes apart into a test per video; the method runs once,
or once in every process of pytest-xdist::

    @pytest.mark.vosbench("f2net.tiny", "sample", baseline="tests/f2net.tiny.json")
    def test_checkpoint(vosbench_check):
        vosbench_check()

pytest loads this module at its start: nothing but pytest is imported until a test asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from vosbench.records.check import Verdict
    from vosbench.records.record import Record
    from vosbench.records.tolerance import Tolerances
    from vosbench.runner import Trial

OPTION = "--vosbench-per-video"
MARKER = "vosbench"
PATHS = {"weights", "root", "out"}
TAKEN = pytest.StashKey[dict[str, "Record"]]()
"""Records of this session, so that a test per video runs the method once."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("vosbench").addoption(
        OPTION, action="store_true", help="a test per video of each test that is marked vosbench; subtests of others"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", f"{MARKER}(method, dataset, *, baseline, ...): what vosbench_check() of this test checks"
    )
    config.stash[TAKEN] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test per video of the baseline, and one of the means over all, where asked to."""
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is None or "vosbench_video" not in metafunc.fixturenames or not metafunc.config.getoption(OPTION):
        return
    from vosbench.errors import VosbenchError
    from vosbench.report.verdict import WHOLE

    try:
        found = _read(metafunc.config, marker.kwargs.get("baseline"))
    except VosbenchError:
        found = None  # the test itself says what is wrong
    metafunc.parametrize("vosbench_video", [WHOLE, *(found.videos if found else ())], indirect=True)


@pytest.fixture
def vosbench_video(request: pytest.FixtureRequest) -> str | None:
    """The video of a test per video; None where all are checked at once."""
    return getattr(request, "param", None)


@pytest.fixture
def vosbench_check(request: pytest.FixtureRequest, vosbench_video: str | None) -> "Gate":
    """A function that fails the test where a method became worse than its baseline; see `Gate`."""
    return Gate(request, vosbench_video)


@dataclass(frozen=True, slots=True)
class Gate:
    """What the fixture ``vosbench_check`` is: call it."""

    request: pytest.FixtureRequest
    video: str | None

    def __call__(self, *names: str, **options: Any) -> "Record":  # noqa: ANN401 - see the table below
        """Run a method on a dataset and hold its record against a baseline.

        Args:
            names: the method and the dataset; those of the marker ``vosbench`` where left out.
            options: ``baseline``, the record's path. What the method is run with, as on the command line:
                ``weights``, ``seed``, ``device``, ``batch``, ``precision``, ``compile``, ``settings``, ``untrained``,
                ``plugins``, ``out``; of the dataset ``root``, ``split``, ``layout``, ``protocol``, ``videos``,
                ``limit``, ``measures``. How much worse it may be: ``tolerance``, ``relative`` and
                ``video_tolerance``, each a number or a mapping of names to numbers, ``max_drop``,
                ``speed_tolerance`` and ``speed_gate``. They are added to those of the marker. Relative paths begin
                at pytest's root folder.

        Returns:
            the record of the run.

        Raises:
            pytest.fail.Exception: where it became worse, there is nothing to compare, or vosbench refuses.
        """
        from vosbench.errors import VosbenchError
        from vosbench.records.check import check

        config = self.request.config
        marker = self.request.node.get_closest_marker(MARKER)
        given = {**(marker.kwargs if marker else {}), **options}
        try:
            baseline = _read(config, given.pop("baseline", None))
            tolerances = _tolerances(given)
            run = _take(config, _trial(config, names or (marker.args if marker else ()), given, tolerances))
            verdict = check(run, baseline, tolerances)
        except VosbenchError as error:
            pytest.fail(f"vosbench: {error}", pytrace=False)
        self._report(verdict)
        return run

    def _report(self, verdict: "Verdict") -> None:
        from vosbench.report.verdict import WHOLE, failures_by_case, render_verdict

        failures = failures_by_case(verdict)
        if self.video is not None:
            if self.video in failures:
                pytest.fail(failures[self.video], pytrace=False)
            return
        if self.request.config.getoption(OPTION):
            subtests = _subtests(self.request)
            for name in (WHOLE, *verdict.by_video()) if subtests else ():
                with subtests.test(video=name):
                    if name in failures:
                        pytest.fail(failures[name], pytrace=False)
        if not verdict.passed:
            pytest.fail(render_verdict(verdict, "table"), pytrace=False)


def _subtests(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - pytest has them from version 9 on
    """The fixture of subtests; None where this pytest has none."""
    try:
        return request.getfixturevalue("subtests")
    except pytest.FixtureLookupError:
        return None


def _read(config: pytest.Config, baseline: str | Path | None) -> "Record | None":
    from vosbench.errors import UsageError
    from vosbench.records import record

    if baseline is None:
        raise UsageError("vosbench_check takes a baseline; give the path of a record")
    path = config.rootpath / baseline
    return record.read(path) if path.exists() else None


def _take(config: pytest.Config, trial: "Trial") -> "Record":
    from vosbench.runner import take

    taken = config.stash[TAKEN]
    key = repr(trial)
    if key not in taken:
        taken[key] = take(trial)
    return taken[key]


def _tolerances(given: dict[str, Any]) -> "Tolerances":
    """Take the tolerances out of what is given."""
    from vosbench.records.tolerance import LATENCY, Tolerances

    return Tolerances(
        absolute=_named(given.pop("tolerance", {})),
        relative=_named(given.pop("relative", {})),
        videos=_named(given.pop("video_tolerance", {})),
        max_drop=given.pop("max_drop", None),
        latency=given.pop("speed_tolerance", LATENCY),
        gate_speed=given.pop("speed_gate", False),
    )


def _named(given: float | Mapping[str, float]) -> Mapping[str, float]:
    from vosbench.records.tolerance import EVERY

    return given if isinstance(given, Mapping) else {EVERY: given}


def _trial(config: pytest.Config, names: Sequence[str], given: dict[str, Any], tolerances: "Tolerances") -> "Trial":
    from dataclasses import fields

    from vosbench.dataset.selection import Choice
    from vosbench.errors import UsageError
    from vosbench.method import Setup
    from vosbench.runner import Trial

    if len(names) != 2:
        raise UsageError(f"vosbench_check takes a method and a dataset, not {len(names)} names")
    options = {name: config.rootpath / value if name in PATHS else value for name, value in given.items()}
    options["plugins"] = [config.rootpath / each for each in options.get("plugins", ())]
    options["profile"] = tolerances.gate_speed
    parts = {kind: {each.name for each in fields(kind)} & options.keys() for kind in (Setup, Choice, Trial)}
    unknown = options.keys() - set().union(*parts.values()) | options.keys() & {"setup", "choice", "variant", "options"}
    if unknown:
        raise UsageError(f'vosbench_check takes no "{min(unknown)}"; see its docstring for what it takes')
    setup, choice, rest = ({name: options[name] for name in part} for part in parts.values())
    choice |= {name: tuple(choice[name]) for name in ("videos", "measures") if name in choice}
    return Trial(method=names[0], dataset=names[1], setup=Setup(**setup), choice=Choice(**choice), **rest)
