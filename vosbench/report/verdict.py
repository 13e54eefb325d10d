"""Render the verdict of a check as text, JSON, JUnit XML or GitHub annotations."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from vosbench.errors import counted
from vosbench.metrics.measures import measure_of
from vosbench.records.check import Finding, Verdict
from vosbench.report.escape import github, github_property, terminal, visible
from vosbench.report.table import Cell, Number, Table, render

Kind = Literal["table", "json", "junit", "github"]
WHOLE = "all videos"
"""The case of the means in a user's test suite, also if they are over some videos of the split only."""


def render_verdict(verdict: Verdict, kind: Kind) -> str:
    """Render a verdict.

    Args:
        verdict: the verdict.
        kind: ``"table"`` for a terminal, ``"json"``, ``"junit"`` for continuous integration, or ``"github"`` for
            workflow commands, which GitHub shows next to the change.

    Returns:
        text that ends in a newline.
    """
    make = {"table": _to_text, "json": _to_json, "junit": to_junit, "github": _to_github}
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


def to_junit(verdict: Verdict) -> str:
    """The verdict as JUnit XML: one suite, with a case per measure of all videos and a case per video."""
    cases = [(finding.measure, [finding]) for finding in _of_all_videos(verdict)]
    cases += [(f"video {name}", found) for name, found in verdict.by_video().items()]
    run = verdict.run
    failures = str(sum(bool(_failures(found)) for _, found in cases))
    counts = {"tests": str(len(cases)), "failures": failures, "errors": "0", "skipped": "0", "time": "0"}
    root = ET.Element("testsuites", {"name": "vosbench check", **counts})
    name = visible(f"{run.method} on {run.place}")
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts})
    properties = ET.SubElement(suite, "properties")
    for key in ("method", "dataset", "split", "signature"):
        ET.SubElement(properties, "property", {"name": key, "value": visible(getattr(run, key))})
    if verdict.notes:
        ET.SubElement(properties, "property", {"name": "notes", "value": visible("; ".join(verdict.notes))})
    for title, found in cases:
        about = {"classname": visible(f"vosbench.{run.dataset}.{run.method}"), "name": visible(title), "time": "0"}
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
    """One annotation for the verdict, then one per measure of all videos and per video that is worse."""
    run = verdict.run
    title = f"vosbench check: {run.method} on {run.dataset}"
    lines = [_annotation("notice" if verdict.passed else "error", title, summary(verdict))]
    for name, found in (("", _of_all_videos(verdict)), *verdict.by_video().items()):
        failed = _failures(found)
        if name and failed:
            lines.append(_annotation("error", f"{title}: {name}", "\n".join(finding.message for finding in failed)))
        elif not name:
            lines += [_annotation("error", f"{title}: {finding.measure}", finding.message) for finding in failed]
        reported = [finding.message for finding in found if finding.status == "reported"]
        lines += [_annotation("warning", title, message) for message in reported]
    return "".join(f"{line}\n" for line in lines)


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
