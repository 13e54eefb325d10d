"""A pytest plugin: check a method against a baseline record in a test suite of your own.

In a test::

    def test_checkpoint(vosbench_check):
        vosbench_check("f2net.tiny", "sample", baseline="tests/f2net.tiny.json", weights="f2net.safetensors")

The same by a marker, which ``pytest --vosbench-per-video`` splits into a test per video; the method runs once,
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
    from vosbench.records import Record
    from vosbench.records.check import Verdict

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
    """Make a test per video of the baseline, and one of the means over all, if asked to."""
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is None or "vosbench_video" not in metafunc.fixturenames or not metafunc.config.getoption(OPTION):
        return
    from vosbench.errors import VosbenchError
    from vosbench.records.record import read
    from vosbench.report.verdict import WHOLE

    try:
        videos = [*read(_baseline(metafunc.config, marker.kwargs.get("baseline"))).videos]
    except VosbenchError:
        videos = []  # the test itself says what is wrong
    metafunc.parametrize("vosbench_video", [WHOLE, *videos], indirect=True)


@pytest.fixture
def vosbench_video(request: pytest.FixtureRequest) -> str | None:
    """The video of a test per video; None if all are checked at once."""
    return getattr(request, "param", None)


@pytest.fixture
def vosbench_check(request: pytest.FixtureRequest, vosbench_video: str | None) -> "Gate":
    """A function that fails the test if a method became worse than its baseline; see `Gate`."""
    return Gate(request, vosbench_video)


@dataclass(frozen=True, slots=True)
class Gate:
    """What the fixture ``vosbench_check`` is: call it."""

    request: pytest.FixtureRequest
    video: str | None

    def __call__(self, *names: str, **options: Any) -> "Record":  # noqa: ANN401 - see the table below
        """Run a method on a dataset and check its record against a baseline.

        Args:
            names: the method and the dataset; by default those of the marker ``vosbench``.
            options: ``baseline``, the record's path; keyword arguments of `vosbench.run`, such as ``weights``,
                ``root``, ``videos`` or ``plugins``; and of `vosbench.check`, which say how much worse it may be. They
                are added to those of the marker. Relative paths begin at pytest's root folder.

        Returns:
            the record of the run.

        Raises:
            pytest.fail.Exception: if it became worse, there is nothing to compare, or vosbench refuses.
        """
        from vosbench import face
        from vosbench.errors import VosbenchError

        config = self.request.config
        marker = self.request.node.get_closest_marker(MARKER)
        given = {**(marker.kwargs if marker else {}), **options}
        try:
            baseline = _baseline(config, given.pop("baseline", None))
            allowed = {name: given.pop(name) for name in face.ToleranceOptions.__optional_keys__ & given.keys()}
            face.tolerances(**allowed)  # a wrong one is found before a long run
            given["profile"] = bool(allowed.get("speed_gate"))
            run = _take(config, names or (marker.args if marker else ()), given)
            verdict = face.check(run, baseline, **allowed).verdict
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
    """The fixture of subtests; None if this pytest has none."""
    try:
        return request.getfixturevalue("subtests")
    except pytest.FixtureLookupError:
        return None


def _baseline(config: pytest.Config, given: str | Path | None) -> Path:
    from vosbench.errors import UsageError

    if given is None:
        raise UsageError("vosbench_check takes a baseline; give the path of a record")
    return config.rootpath / given


def _take(config: pytest.Config, names: Sequence[str], given: Mapping[str, Any]) -> "Record":
    """The record of a run; the same run of another test is not repeated."""
    from vosbench import face
    from vosbench.errors import UsageError

    if len(names) != 2:
        raise UsageError(f"vosbench_check takes a method and a dataset, not {len(names)} names")
    unknown = given.keys() - face.RunOptions.__optional_keys__ - {"plugins", "out", "overwrite", "profile"}
    if unknown:
        raise UsageError(f'vosbench_check takes no "{min(unknown)}"; see its docstring for what it takes')
    options = {name: config.rootpath / value if name in PATHS else value for name, value in given.items()}
    options["plugins"] = [config.rootpath / each for each in options.get("plugins", ())]
    taken = config.stash[TAKEN]
    key = repr((names, sorted(options.items())))
    if key not in taken:
        taken[key] = face.run(*names, **options).record
    return taken[key]
