"""A pytest plugin: check a method against a baseline record in your own test suite.

In a test::

    def test_checkpoint(vosbench_check):
        vosbench_check("f2net.tiny", "sample", baseline="tests/f2net.tiny.json", weights="f2net.safetensors")

The same with a marker, which ``pytest --vosbench-per-video`` splits into a test per video; the method runs once,
or once per process of pytest-xdist::

    @pytest.mark.vosbench("f2net.tiny", "sample", baseline="tests/f2net.tiny.json")
    def test_checkpoint(vosbench_check):
        vosbench_check()

pytest loads this module at startup, so it imports nothing else until a test uses it.
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
RECORDS = pytest.StashKey[dict[str, "Record"]]()
"""Records of this session, so that tests per video run the method once."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("vosbench").addoption(
        OPTION, action="store_true", help="split tests marked vosbench into a test per video; other tests have subtests"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", f"{MARKER}(method, dataset, *, baseline, ...): arguments of vosbench_check() in this test"
    )
    config.stash[RECORDS] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """If requested, make a test per video of the baseline, and one for the means over all videos."""
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is None or "vosbench_video" not in metafunc.fixturenames or not metafunc.config.getoption(OPTION):
        return
    from vosbench.errors import VosbenchError
    from vosbench.records.record import read
    from vosbench.report.verdict import WHOLE

    try:
        videos = [*read(_baseline(metafunc.config, marker.kwargs.get("baseline"))).videos]
    except VosbenchError:
        videos = []  # the test itself reports the error
    metafunc.parametrize("vosbench_video", [WHOLE, *videos], indirect=True)


@pytest.fixture
def vosbench_video(request: pytest.FixtureRequest) -> str | None:
    """The video to check; None for all at once."""
    return getattr(request, "param", None)


@pytest.fixture
def vosbench_check(request: pytest.FixtureRequest, vosbench_video: str | None) -> "Gate":
    """A function that fails the test if a method is worse than its baseline; see `Gate`."""
    return Gate(request, vosbench_video)


@dataclass(frozen=True, slots=True)
class Gate:
    """The value of the fixture ``vosbench_check``, to be called."""

    request: pytest.FixtureRequest
    video: str | None

    def __call__(self, *names: str, **options: Any) -> "Record":  # noqa: ANN401 - see the docstring
        """Run a method on a dataset and check its record against a baseline.

        Args:
            names: the method and the dataset; by default those of the marker ``vosbench``.
            options: ``baseline``, the record's path; keyword arguments of `vosbench.run`, such as ``weights``,
                ``root``, ``videos`` or ``plugins``; and the tolerances of `vosbench.check`. They override those of the
                marker. Relative paths start from pytest's root folder.

        Returns:
            the record of the run.

        Raises:
            pytest.fail.Exception: if it is worse, there is nothing to compare, or vosbench raises an error.
        """
        from vosbench import face
        from vosbench.errors import VosbenchError

        config = self.request.config
        marker = self.request.node.get_closest_marker(MARKER)
        options = {**(marker.kwargs if marker else {}), **options}
        try:
            baseline = _baseline(config, options.pop("baseline", None))
            allowed = {name: options.pop(name) for name in face.ToleranceOptions.__optional_keys__ & options.keys()}
            face.tolerances(**allowed)  # report a wrong one before a long run
            options["profile"] = bool(allowed.get("speed_gate"))
            run = _run(config, names or (marker.args if marker else ()), options)
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


def _subtests(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - since pytest 9
    """The fixture ``subtests``; None if this pytest does not have it."""
    try:
        return request.getfixturevalue("subtests")
    except pytest.FixtureLookupError:
        return None


def _baseline(config: pytest.Config, path: str | Path | None) -> Path:
    from vosbench.errors import UsageError

    if path is None:
        raise UsageError("vosbench_check needs a baseline; pass the path of a record")
    return config.rootpath / path


def _dataset(config: pytest.Config, name: str, plugins: Sequence[Path]) -> str:
    """The name of a dataset, or the path of its folder, which starts from pytest's root folder."""
    from vosbench.registry import DATASETS, find

    folder = config.rootpath / name
    return str(folder) if folder.is_dir() and name not in find(DATASETS, plugins) else name


def _run(config: pytest.Config, names: Sequence[str], options: Mapping[str, Any]) -> "Record":
    """The record of a run; runs of earlier tests are not repeated."""
    from vosbench import face
    from vosbench.errors import UsageError

    if len(names) != 2:
        raise UsageError(f"vosbench_check takes a method and a dataset, not {len(names)} names")
    unknown = options.keys() - face.RunOptions.__optional_keys__ - {"plugins", "out", "overwrite", "profile"}
    if unknown:
        raise UsageError(f'vosbench_check has no option "{min(unknown)}"; see its docstring')
    options = {name: config.rootpath / value if name in PATHS else value for name, value in options.items()}
    options["plugins"] = [config.rootpath / path for path in options.get("plugins", ())]
    names = [names[0], _dataset(config, names[1], options["plugins"])]
    records = config.stash[RECORDS]
    key = repr((names, sorted(options.items())))
    if key not in records:
        records[key] = face.run(*names, **options).record
    return records[key]
