"""Render the verdict of a check as text, JSON, JUnit XML or GitHub annotations."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal

from vosbench.errors import counted
from vosbench.metrics.measures import measure_of
from vosbench.records.check import Finding, Verdict
from vosbench.report.escape import github, github_property, markdown, terminal, visible
from vosbench.report.table import Cell, Number, Table, render

Kind = Literal["table", "json", "junit", "github", "markdown"]
WHOLE = "all videos"
"""The case of the means in a user's test suite, also if they are over some videos of the split only."""


ANNOTATIONS = 10
"""How many annotations GitHub shows of a step."""


def render_verdict(verdict: Verdict, kind: Kind, seconds: Mapping[str, float] | None = None) -> str:
    """Render a verdict.

    Args:
        verdict: the verdict.
        kind: ``"table"`` for a terminal, ``"json"``, ``"junit"`` for continuous integration, ``"github"`` for workflow
            commands, which GitHub shows next to the change, or ``"markdown"`` for the summary of a step.
        seconds: for JUnit, how long things took: each video by its name, and `WHOLE` for everything.

    Returns:
        text that ends in a newline.
    """
    if kind == "junit":
        return to_junit(verdict, seconds)
    make = {"table": _to_text, "json": _to_json, "github": _to_github, "markdown": _to_markdown}
    return make[kind](verdict)


def summary(verdict: Verdict) -> str:
    """The verdict in one line, with the names of the videos that failed."""
    means = _of_all_videos(verdict)
    failed = _failures(means)
    videos = verdict.by_video()
    bad = [name for name, found in videos.items() if _failures(found)]
    if verdict.passed:
        return f"PASSED: {len(means)} measures of {verdict.run.whole}, and {counted(len(videos), 'video')}"
    if not any(finding.baseline is not None for finding in verdict.findings):
        return f"FAILED: {_joined(failed)}"
    parts = []
    if failed:
        names = ", ".join(finding.measure for finding in failed)
        parts.append(f"{len(failed)} of {len(means)} measures of {verdict.run.whole} ({names})")
    if bad:
        parts.append(f"{len(bad)} of {len(videos)} videos ({', '.join(bad)})")
    return f"FAILED: {'; '.join(parts)}"


def to_junit(verdict: Verdict, seconds: Mapping[str, float] | None = None) -> str:
    """The verdict as JUnit XML: one suite, with a case per measure of all videos and a case per video.

    Args:
        verdict: the verdict.
        seconds: as in `render_verdict`; what is not there took no time here.
    """
    seconds = seconds or {}
    times = {f"video {name}": value for name, value in seconds.items()}
    total = max(seconds.get(WHOLE, 0.0), sum(value for name, value in seconds.items() if name != WHOLE))
    cases = [(finding.measure, [finding]) for finding in _of_all_videos(verdict)]
    cases += [(f"video {name}", found) for name, found in verdict.by_video().items()]
    run = verdict.run
    failures = str(sum(bool(_failures(found)) for _, found in cases))
    counts = {"tests": str(len(cases)), "failures": failures, "errors": "0", "skipped": "0", "time": f"{total:.3f}"}
    root = ET.Element("testsuites", {"name": "vosbench check", **counts})
    name = visible(f"{run.method} on {run.place}")
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts})
    properties = ET.SubElement(suite, "properties")
    for key in ("method", "dataset", "split", "signature"):
        ET.SubElement(properties, "property", {"name": key, "value": visible(getattr(run, key))})
    if verdict.notes:
        ET.SubElement(properties, "property", {"name": "notes", "value": visible("; ".join(verdict.notes))})
    for title, found in cases:
        about = {"classname": visible(f"vosbench.{run.dataset}.{run.method}"), "name": visible(title)}
        about["time"] = f"{times.get(title, 0.0):.3f}"
        case = ET.SubElement(suite, "testcase", about)
        failed = _failures(found)
        if failed:
            failure = ET.SubElement(case, "failure", {"message": visible(_joined(failed)), "type": "worse"})
            failure.text = visible("\n".join(finding.message for finding in failed))
        reported = [finding.message for finding in found if finding.status == "reported"]
        if reported:
            ET.SubElement(case, "system-out").text = visible("\n".join(reported))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def failures_by_case(verdict: Verdict) -> dict[str, str]:
    """Failure messages by case, joined by semicolons: `WHOLE` for all videos, and each video by its name."""
    cases = {WHOLE: _of_all_videos(verdict), **verdict.by_video()}
    return {name: _joined(_failures(found)) for name, found in cases.items() if _failures(found)}


def _to_text(verdict: Verdict) -> str:
    run = verdict.run
    shown = [finding for finding in verdict.findings if finding.video is None or finding.status != "held"]
    rows: list[tuple[Cell, ...]] = [_row(finding, run.whole) for finding in shown if finding.baseline is not None]
    columns = ("video", "measure", "baseline", "run", "change", "allowed", "")
    held = sum(not _failures(found) for found in verdict.by_video().values())
    notes = [f"{run.method}: {run.place}, {run.signature}", *verdict.notes]
    if verdict.by_video():
        notes.append(f"videos that held: {held} of {len(verdict.by_video())}")
    messages = [finding.message for finding in shown if finding.baseline is None or finding.measure == "latency"]
    notes += filter(None, messages if rows else ())
    table = Table(columns=columns, rows=rows, notes=(*notes, summary(verdict)), digits=4)
    return render(table, "table") if rows else "".join(f"{terminal(note)}\n" for note in table.notes)


def _row(found: Finding, whole: str) -> tuple[Cell, ...]:
    change = (
        None if found.value is None or found.baseline is None else Number(found.value - found.baseline, 4, signed=True)
    )
    measure = measure_of(found.measure)
    name = f"{measure.heading}, {measure.unit}" if measure.unit else measure.heading
    status = {"held": "held", "failed": "FAILED", "reported": "slower"}[found.status]
    return (found.video or whole, name, found.baseline, found.value, change, found.allowed, status)


def _to_json(verdict: Verdict) -> str:
    run = verdict.run
    about = {key: getattr(run, key) for key in ("method", "dataset", "split", "signature")}
    findings = [asdict(finding) for finding in verdict.findings]
    whole = {"passed": verdict.passed, **about, "notes": list(verdict.notes), "findings": findings}
    return visible(json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _to_github(verdict: Verdict) -> str:
    """One annotation for the verdict, then the worst of those per measure of all videos and per video that is worse.

    GitHub shows ten of a step; how many are left out is said in the first.
    """
    run = verdict.run
    title = f"vosbench check: {run.method} on {run.dataset}"
    found: list[tuple[float, str]] = []
    for name, findings in (("", _of_all_videos(verdict)), *verdict.by_video().items()):
        failed = _failures(findings)
        if name and failed:
            text = "\n".join(finding.message for finding in failed)
            found.append((max(map(_excess, failed)), _annotation("error", f"{title}: {name}", text)))
        elif not name:
            found += [
                (_excess(each), _annotation("error", f"{title}: {each.measure}", each.message)) for each in failed
            ]
    found.sort(key=lambda each: -each[0])
    reported = [finding.message for finding in verdict.findings if finding.status == "reported"]
    warnings = [_annotation("warning", title, message) for message in reported]
    lines = [*(line for _, line in found), *warnings]
    left = len(lines) - (ANNOTATIONS - 1)
    more = f"; {left} more, see the summary of the step or the report" if left > 0 else ""
    head = _annotation("notice" if verdict.passed else "error", title, summary(verdict) + more)
    return "".join(f"{line}\n" for line in [head, *lines[: ANNOTATIONS - 1]])


def _excess(finding: Finding) -> float:
    """How much worse a number is than allowed; infinite if it is missing, and the worst of all."""
    if finding.value is None or finding.baseline is None:
        return float("inf")
    worse = -measure_of(finding.measure).gain(finding.value - finding.baseline)
    return worse - (finding.allowed or 0.0)


def _to_markdown(verdict: Verdict) -> str:
    """A heading with the verdict, the means, what failed of the videos, and notes."""
    run = verdict.run
    shown = [each for each in verdict.findings if each.video is None or each.status != "held"]
    rows: list[tuple[Cell, ...]] = [_row(each, run.whole) for each in shown if each.baseline is not None]
    table = Table(columns=("video", "measure", "baseline", "run", "change", "allowed", ""), rows=rows, digits=4)
    parts = [f"### {markdown(f'{run.method} on {run.dataset}')}\n", f"{markdown(summary(verdict))}\n"]
    parts += [render(table, "md")] if rows else []
    notes = [f"{run.place}, {run.signature}", *verdict.notes]
    notes += [each.message for each in shown if each.message and each.baseline is None]
    return "\n".join([*parts, "".join(f"* {markdown(note)}\n" for note in notes)])


def _annotation(level: str, title: str, message: str) -> str:
    r"""A workflow command.

    >>> _annotation("error", "a: b, c", "100%\nof it")
    '::error title=a%3A b%2C c::100%25%0Aof it'
    """
    return f"::{level} title={github_property(title)}::{github(message)}"


def _of_all_videos(verdict: Verdict) -> list[Finding]:
    return [finding for finding in verdict.findings if finding.video is None]


def _failures(found: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.status == "failed"]


def _joined(found: Sequence[Finding]) -> str:
    return "; ".join(finding.message for finding in found)
