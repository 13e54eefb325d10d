import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import make_record
from vosbench.errors import DataError, UsageError
from vosbench.metrics.measures import measure_of
from vosbench.records import record as records
from vosbench.records.check import Verdict, check, update
from vosbench.records.record import Record, Speed
from vosbench.records.tolerance import EVERY, Tolerances, parse
from vosbench.report.verdict import failures_by_case, render_verdict, summary, to_junit

SCORES = {"J_mean": 0.8, "J_recall": 0.9, "J_decay": 0.1, "T_mean": 0.3, "MAE": 0.05}
EXACT = Tolerances(absolute={EVERY: 0.01}, videos={EVERY: 0.01})


def record(
    scores: Mapping[str, float | None] = SCORES,
    videos: Mapping[str, Mapping[str, float | None]] | None = None,
    **changes: object,
) -> Record:
    return make_record(scores=scores, videos=videos or {"cows": SCORES, "dog": SCORES}, **changes)


def speed(latency: float, **changes: object) -> Speed:
    known = {
        "frames": 10,
        "fps": 1 / latency,
        "latency": latency,
        "stages": {},
        "peak_memory": 1,
        "parameters": 1,
        "warmup": 2,
    }
    machine = {"gmacs": 1.0, "size": "64x48", "device_name": "some", "threads": 1}
    return Speed.model_validate({**known, **machine, **changes})


def failing(verdict: Verdict) -> list[tuple[str | None, str]]:
    return [(each.video, each.measure) for each in verdict.failed()]


@pytest.mark.parametrize("measure", SCORES)
@pytest.mark.parametrize("video", [None, "cows"])
def test_the_edge_of_what_is_allowed(measure: str, video: str | None) -> None:
    """A loss of exactly the tolerance passes, a little more fails, whichever way the measure is better."""
    tolerances = Tolerances(absolute={EVERY: 0.01}, videos={EVERY: 0.01, measure: 0.01})
    for loss, passes in ((0.01, True), (0.0101, False), (-0.5, True)):
        changed = {**SCORES, measure: SCORES[measure] - measure_of(measure).gain(loss)}
        run = record(videos={"cows": changed, "dog": SCORES}) if video else record(changed)
        assert failing(check(run, record(), tolerances)) == ([] if passes else [(video, measure)])


@given(st.dictionaries(st.sampled_from(sorted(SCORES)), st.floats(0, 1), min_size=1))
def test_a_record_holds_against_itself_and_improvements_never_fail(scores: dict[str, float]) -> None:
    baseline = record(scores, {"cows": scores})
    strict = Tolerances(absolute={EVERY: 0.0}, videos={EVERY: 0.0})
    assert check(baseline, baseline, strict).passed
    improved = {key: value + measure_of(key).gain(0.1) for key, value in scores.items()}
    assert check(record(improved, {"cows": improved}), baseline, strict).passed
    worse = {key: value - measure_of(key).gain(0.1) for key, value in scores.items()}
    assert {each.measure for each in check(record(worse, {"cows": worse}), baseline, strict).failed()} == scores.keys()


def test_what_means_may_lose() -> None:
    assert Tolerances().of_mean("J_mean", 0.8) == 0.002
    assert Tolerances().of_mean("T_mean", 0.8) == 0.02
    assert Tolerances(absolute={EVERY: 0.1, "F_mean": 0.2}).of_mean("J_mean", 0.8) == 0.1
    assert Tolerances(absolute={EVERY: 0.1, "F_mean": 0.2}).of_mean("F_mean", 0.8) == 0.2
    assert Tolerances(relative={"J_mean": 0.1}).of_mean("J_mean", -0.8) == pytest.approx(0.08)
    both = Tolerances(absolute={"J_mean": 0.05}, relative={"J_mean": 0.1})
    assert both.of_mean("J_mean", 0.8) == pytest.approx(0.08), "the larger"
    assert both.of_mean("J_mean", 0.1) == 0.05
    capped = Tolerances(absolute={"J_mean": 0.05}, max_drop=0.01)
    assert capped.of_mean("J_mean", 0.8) == 0.01
    assert capped.of_mean("F_mean", 0.8) == 0.01, "what is not named may lose as much"


def test_what_videos_may_lose() -> None:
    tolerances = Tolerances(videos={EVERY: 0.1, "J_mean": 0.2, "cows": 0.3, "cows/J_mean": 0.4})
    assert tolerances.of_video("cows", "J_mean") == 0.4
    assert tolerances.of_video("cows", "F_mean") == 0.3
    assert tolerances.of_video("dog", "J_mean") == 0.2
    assert tolerances.of_video("dog", "F_mean") == 0.1
    assert tolerances.of_video("cows", "J_recall") is None
    assert Tolerances(videos={"J_recall": 0.1}).of_video("cows", "J_recall") == 0.1
    assert (Tolerances().of_video("cows", "J_mean"), Tolerances().of_video("cows", "T_mean")) == (0.01, 0.1)


@pytest.mark.parametrize("given", [["x"], ["J_mean="], ["J_mean=a"], ["0.1", "0.2"], ["J_mean=1", "J_mean=2"]])
def test_tolerances_that_cannot_be_read(given: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(given)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_tolerances_that_are_none(value: float) -> None:
    for wrong in ({"absolute": {"J_mean": value}}, {"videos": {EVERY: value}}, {"max_drop": value}, {"latency": value}):
        with pytest.raises(UsageError, match="0 or more"):
            Tolerances(**wrong)


@pytest.mark.parametrize("wrong", [{"absolute": {"J_men": 1.0}}, {"relative": {"cows": 1.0}}, {"videos": {"cow": 1.0}}])
def test_misspelt_names_are_refused(wrong: dict[str, dict[str, float]]) -> None:
    with pytest.raises(UsageError, match="which is not in the baseline"):
        check(record(), record(), Tolerances(**wrong))


def test_what_is_missing_fails_and_what_is_more_is_noted() -> None:
    lacking = record({**SCORES, "J_mean": None}, {"dog": {**SCORES, "T_mean": None}})
    found = failing(check(lacking, record(), EXACT))
    assert (None, "J_mean") in found
    assert ("dog", "T_mean") in found
    assert {measure for video, measure in found if video == "cows"} == {"J_mean", "T_mean", "MAE"}
    verdict = check(record({**SCORES, "F_mean": 0.1}, {"cows": SCORES, "dog": SCORES, "new": SCORES}), record(), EXACT)
    assert verdict.passed
    assert "not in the baseline, so not checked: new, F_mean" in verdict.notes
    missing = record({"J_mean": None}, {"cows": {"J_mean": 0.5}})
    assert check(missing, missing, EXACT).passed, "an incomplete split has no mean; its videos are held"


@pytest.mark.parametrize(
    ("run", "baseline"),
    [
        (record(), None),
        (record({"J_mean": None}, {"cows": {"J_mean": None}}), record({"J_mean": None}, {"cows": {"J_mean": None}})),
        (record({"J_mean": None}, {"cows": {"J_mean": None}}), record()),
        (record(), record({"F_mean": 0.5}, {"other": {"F_mean": 0.5}})),
    ],
)
def test_nothing_to_compare_fails(run: Record, baseline: Record | None) -> None:
    verdict = check(run, baseline, Tolerances())
    assert not verdict.passed
    assert summary(verdict).startswith("FAILED: ")
    assert summary(verdict).endswith("nothing to compare")
    assert "nothing to compare" in render_verdict(verdict, "table")


def test_what_is_not_comparable_has_no_verdict() -> None:
    other = record(protocol="toy@2")
    with pytest.raises(DataError, match=r"not comparable: protocols differ: toy@1.* and toy@2"):
        check(record(), other.model_copy(update={"signature": "toy@2|J:all|avg:video|vosbench 0.1.0"}), EXACT)
    elsewhere = record().provenance.model_copy(update={"annotations": "b" * 64, "packages": {"opencv-python": "5.0"}})
    with pytest.raises(DataError, match=r"annotations differ: .*; changed .*: opencv-python None → 5\.0"):
        check(record(provenance=elsewhere), record(), EXACT)


def test_changes_of_the_setup_are_named() -> None:
    changed = record().provenance.model_copy(update={"weights": "c" * 64, "packages": {"torch": "2.13.0"}})
    (note,) = check(record(provenance=changed), record(), EXACT).notes
    assert note == "changed since the baseline: weights None → cccccccccccc…, torch None → 2.13.0"


def test_the_tripwire_of_speed() -> None:
    baseline = record(speed=speed(0.1))
    for latency, gate, status in ((0.12, True, "held"), (0.125, False, "reported"), (0.125, True, "failed")):
        verdict = check(record(speed=speed(latency)), baseline, Tolerances(gate_speed=gate))
        (found,) = [each for each in verdict.findings if each.measure == "latency"]
        assert found.status == status
        assert verdict.passed == (status != "failed")
    assert "25% longer; 20% is allowed" in found.message
    assert check(record(speed=speed(0.05)), baseline, Tolerances(gate_speed=True)).passed


@pytest.mark.parametrize(
    ("run", "said"),
    [(None, "the run has none"), (speed(0.1, device_name="another"), "device name was some and is another")],
)
def test_speeds_that_cannot_be_compared(run: Speed | None, said: str) -> None:
    baseline = record(speed=speed(0.1))
    verdict = check(record(speed=run), baseline, Tolerances())
    assert verdict.passed
    assert said in verdict.notes[0]
    verdict = check(record(speed=run), baseline, Tolerances(gate_speed=True))
    assert failing(verdict) == [(None, "latency")]
    assert said in verdict.failed()[0].message


def test_a_baseline_is_the_record(tmp_path: Path) -> None:
    path = tmp_path / "new" / "baseline.json"
    update(path, record())
    assert records.read(path) == record()
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(DataError, match="cannot be a baseline"):
        update(path, record({"J_mean": None}, {"cows": {"J_mean": None}}))
    assert records.read(path) == record()


def test_a_damaged_number_is_no_record(tmp_path: Path) -> None:
    """A comparison with NaN is false: it would hold against everything."""
    path = tmp_path / "baseline.json"
    path.write_text(record().to_json().replace("0.8", "NaN"), "utf-8")
    with pytest.raises(DataError, match="not a vosbench record"):
        records.read(path)


WORSE = record({**SCORES, "J_mean": 0.7}, {"cows": {**SCORES, "J_mean": 0.3, "T_mean": 0.9}, "dog": SCORES})


def test_the_summary_names_measures_and_videos() -> None:
    verdict = check(WORSE, record(), EXACT)
    assert summary(verdict) == "FAILED: 1 of 5 measures of all videos (J_mean); 1 of 2 videos (cows)"
    assert summary(check(record(), record(), EXACT)) == "PASSED: 5 measures of all videos, and 2 videos"
    cows = "J_mean was 0.8000 and is 0.3000: worse by 0.5000; 0.01 is allowed"
    assert failures_by_case(verdict)["cows"].startswith(cows)


def test_text_shows_all_means_and_the_videos_that_failed() -> None:
    shown = render_verdict(check(WORSE, record(), EXACT), "table")
    rows = [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()]
    assert ["all videos", "J mean", "0.8000", "0.7000", "-0.1000", "0.0100", "FAILED"] in rows
    assert ["all videos", "MAE", "0.0500", "0.0500", "+0.0000", "0.0100", "held"] in rows
    assert ["cows", "T", "0.3000", "0.9000", "+0.6000", "0.0100", "FAILED"] in rows
    assert not [row for row in rows if row[0] == "dog"]
    assert "videos that held: 1 of 2" in shown


def test_json_holds_every_finding() -> None:
    found = json.loads(render_verdict(check(WORSE, record(), EXACT), "json"))
    assert found["passed"] is False
    assert found["signature"] == WORSE.signature
    assert len(found["findings"]) == 5 + 2 * 3
    assert [each["video"] for each in found["findings"] if each["status"] == "failed"] == [None, "cows", "cows"]


COUNTS = {"tests": int, "failures": int, "errors": int, "skipped": int, "time": float}
SCHEMA: dict[str, tuple[dict[str, type], set[str], str]] = {
    # element: attributes and their types, those that are required, children in order as a regular expression
    "testsuites": ({"name": str, **COUNTS}, set(), "(testsuite )*"),
    "testsuite": (
        {"name": str, **COUNTS, "timestamp": str, "hostname": str, "id": int, "package": str},
        {"name", "tests", "failures", "errors"},
        "(properties )?(testcase )*(system-out )?(system-err )?",
    ),
    "properties": ({}, set(), "(property )*"),
    "property": ({"name": str, "value": str}, {"name", "value"}, ""),
    "testcase": (
        {"name": str, "classname": str, "time": float},
        {"name", "classname"},
        "(skipped |error |failure )?(system-out )?(system-err )?",
    ),
    "failure": ({"message": str, "type": str}, {"type"}, ""),
    "system-out": ({}, set(), ""),
}
"""What Ant's and Jenkins's readers know of the format, as far as their descriptions agree."""


def validate(element: ET.Element) -> None:
    attributes, required, children = SCHEMA[element.tag]
    assert required <= element.attrib.keys() <= attributes.keys(), element.tag
    for name, value in element.attrib.items():
        attributes[name](value)
    assert re.fullmatch(children, "".join(f"{child.tag} " for child in element)), element.tag
    for child in element:
        validate(child)
    if element.tag == "testsuite":
        cases = element.findall("testcase")
        assert int(element.attrib["tests"]) == len(cases)
        assert int(element.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)


@pytest.mark.parametrize("run", [record(), WORSE, record(speed=speed(0.2)), None])
def test_junit_keeps_the_schema_and_an_independent_reader_agrees(run: Record | None, tmp_path: Path) -> None:
    baseline = record(speed=speed(0.1)) if run and run.speed else record()
    verdict = check(run or record(), baseline if run else None, EXACT)
    path = tmp_path / "junit.xml"
    path.write_text(to_junit(verdict), "utf-8")
    validate(ET.fromstring(path.read_bytes()))
    (suite,) = junitparser.JUnitXml.fromfile(str(path))
    assert suite.name == "toy on toy val"
    assert suite.tests == len(list(suite))
    assert {each.name: each.value for each in suite.properties()}["signature"] == baseline.signature
    failed = {case.name: case.result[0].message for case in suite if not case.is_passed}
    named = {f"video {each.video}" if each.video else each.measure for each in verdict.failed()}
    assert failed.keys() == named
    assert suite.failures == len(named)
    for each in verdict.failed():
        assert each.message in failed[f"video {each.video}" if each.video else each.measure]


def test_junit_takes_names_that_xml_cannot() -> None:
    odd = record(videos={'<&"\x00\x1b]]>é': {"J_mean": 0.8}}, method='a<b&"c')
    parsed = ET.fromstring(to_junit(check(odd, odd, EXACT)))
    validate(parsed)
    assert parsed.findall("testsuite/testcase")[-1].attrib["name"] == 'video <&"\\u0000\\u001b]]>é'


def test_github_annotations_are_escaped() -> None:
    odd = {"100%, or: so\nmore": {"J_mean": 0.8}}
    worse = record({"J_mean": 0.8}, {name: {"J_mean": 0.1} for name in odd})
    lines = render_verdict(check(worse, record({"J_mean": 0.8}, odd), EXACT), "github").splitlines()
    assert len(lines) == 2
    title = "title=vosbench check%3A toy on toy"
    assert lines[0] == f"::error {title}::FAILED: 1 of 1 videos (100%25, or: so%0Amore)"
    assert lines[1].startswith(f"::error {title}%3A 100%25%2C or%3A so%0Amore::J_mean was 0.8")
    (line,) = render_verdict(check(record(), record(), EXACT), "github").splitlines()
    assert line.startswith(f"::notice {title}::PASSED")
    slow = check(record(speed=speed(0.2)), record(speed=speed(0.1)), EXACT)
    assert "::warning title=" in render_verdict(slow, "github")


def test_github_gets_the_worst_ten_annotations() -> None:
    scores = {"J_mean": 0.9}
    videos = {f"v{number:02d}": {"J_mean": 0.9 - 0.02 * (number + 1)} for number in range(30)}
    verdict = check(record(scores, videos), record(scores, dict.fromkeys(videos, scores)), EXACT)
    lines = render_verdict(verdict, "github").splitlines()
    assert len(lines) == 10
    assert lines[0].endswith("; 21 more, see the summary of the step or the report")
    assert [line.partition("toy%3A ")[2][:3] for line in lines[1:]] == [f"v{number}" for number in range(29, 20, -1)]


def test_markdown_for_the_summary_of_a_step() -> None:
    text = render_verdict(check(WORSE, record(), EXACT), "markdown")
    assert text.startswith("### toy on toy\n\nFAILED: ")
    assert "| FAILED |" in text
    assert render_verdict(check(record(), record(), EXACT), "markdown").count("PASSED") == 1
    assert "there is no baseline" in render_verdict(check(record(), None, EXACT), "markdown")


def test_junit_has_the_times_it_is_given() -> None:
    root = ET.fromstring(to_junit(check(record(), record(), EXACT), {"cows": 1.5, "all videos": 2.25}))
    validate(root)
    assert root.attrib["time"] == "2.250"
    times = {case.attrib["name"]: case.attrib["time"] for case in root.iter("testcase")}
    assert (times["video cows"], times["video dog"], times["J_mean"]) == ("1.500", "0.000", "0.000")
