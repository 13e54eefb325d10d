"""Check a record against a baseline: what became worse, and by more than it may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vosbench.errors import DataError, UsageError
from vosbench.files import write_whole
from vosbench.metrics.measures import measure_of
from vosbench.records.compare import unlike
from vosbench.records.record import Record, Speed
from vosbench.records.tolerance import Tolerances

Status = Literal["held", "failed", "reported"]
EQUAL = 1e-12
"""Room for the rounding of a difference, so that a loss of exactly what is allowed passes."""
SETUP = ("weights", "untrained", "seed", "device", "batch", "precision", "compile", "files", "inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One number checked against the baseline's.

    Attributes:
        video: the video; None for a mean over the split, and for the whole.
        measure: as records name it; ``"latency"`` is the median time of a frame in seconds, ``"baseline"`` the
            baseline itself.
        baseline: the baseline's value.
        value: the run's value; None if it is missing.
        allowed: how much worse it may be.
        status: ``"held"``; ``"failed"``; or ``"reported"``: worse, but not a failure.
        message: what is wrong, in one line; empty if held.
    """

    video: str | None = None
    measure: str
    baseline: float | None = None
    value: float | None = None
    allowed: float | None = None
    status: Status = "held"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check has found; the run passes if nothing failed.

    Attributes:
        run: the record that was checked.
        findings: the means, then the videos, then the speed.
        notes: what a reader should know, a line each.
    """

    run: Record
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failed()

    def failed(self) -> list[Finding]:
        """What failed."""
        return [each for each in self.findings if each.status == "failed"]

    def by_video(self) -> Mapping[str, list[Finding]]:
        """The findings of each video."""
        found: dict[str, list[Finding]] = {}
        for each in self.findings:
            if each.video is not None:
                found.setdefault(each.video, []).append(each)
        return found


def check(run: Record, baseline: Record | None, tolerances: Tolerances) -> Verdict:
    """Check a record against a baseline.

    A score missing from the run fails the check; a score missing from the baseline is only reported. Improvements never
    fail. If there is nothing to compare, the check fails.

    Args:
        run: the record to check.
        baseline: what it is checked against; None if there is none.
        tolerances: how much worse it may be.

    Returns:
        the verdict.

    Raises:
        DataError: if the two are not comparable: of another dataset, protocol, limit or other annotations.
        UsageError: if a tolerance names what is not in the baseline.
    """
    if baseline is None:
        return _nothing(run, "there is no baseline, so there is nothing to compare")
    apart = unlike(run, baseline)
    if apart:
        raise DataError(f"run and baseline are not comparable: {'; '.join([*apart, *_changes(run, baseline)])}")
    tolerances.refuse_unknown(baseline.scores, baseline.videos)
    means = [
        _hold(None, measure, value, run.scores.get(measure), tolerances.of_mean(measure, value))
        for measure, value in baseline.scores.items()
        if value is not None
    ]
    videos = [found for name in baseline.videos for found in _hold_video(name, run, baseline, tolerances)]
    if not any(each.value is not None for each in (*means, *videos)):
        return _nothing(run, "run and baseline have no number in common, so there is nothing to compare")
    speed, spoken = _hold_speed(run, baseline, tolerances)
    return Verdict(run=run, findings=(*means, *videos, *speed), notes=(*_notes(run, baseline), *spoken))


def update(path: Path, run: Record) -> None:
    """Make a record the baseline; the file is written whole or not at all.

    Raises:
        DataError: if the record holds no number to check later runs against.
        UsageError: if the file cannot be written.
    """
    if not any(value is not None for scores in (run.scores, *run.videos.values()) for value in scores.values()):
        raise DataError(f'the record of "{run.method}" holds no number; it cannot be a baseline')
    try:
        write_whole(path, run.to_json().encode(), durable=True)
    except OSError as error:
        raise UsageError(f'the baseline "{path}" cannot be written: {error.strerror}') from None


def _nothing(run: Record, message: str) -> Verdict:
    return Verdict(run=run, findings=(Finding(measure="baseline", status="failed", message=message),))


def _hold_video(name: str, run: Record, baseline: Record, tolerances: Tolerances) -> list[Finding]:
    found = []
    for measure, value in baseline.videos[name].items():
        allowed = tolerances.of_video(name, measure)
        if value is not None and allowed is not None:
            found.append(_hold(name, measure, value, run.videos.get(name, {}).get(measure), allowed))
    return found


def _hold(video: str | None, measure: str, baseline: float, value: float | None, allowed: float) -> Finding:
    worse = None if value is None else -measure_of(measure).gain(value - baseline)
    held = worse is not None and worse <= allowed + EQUAL
    message = ""
    how = "worse" if measure_of(measure).better else "changed"
    if value is None or worse is None:
        message = f"{measure} is missing; the baseline has {baseline:.4f}"
    elif not held:
        message = f"{measure} was {baseline:.4f} and is {value:.4f}: {how} by {worse:.4f}; {allowed:.4g} is allowed"
    return Finding(
        video=video,
        measure=measure,
        baseline=baseline,
        value=value,
        allowed=allowed,
        status="held" if held else "failed",
        message=message,
    )


def _hold_speed(run: Record, baseline: Record, tolerances: Tolerances) -> tuple[list[Finding], list[str]]:
    """The check of speed, the median time of a frame, and a note if it cannot be compared."""
    was, now = baseline.speed, run.speed
    reason = _untimed(was, now)
    if was is None or now is None or reason:
        if tolerances.gate_speed:
            return [Finding(measure="latency", status="failed", message=f"speed cannot be compared: {reason}")], []
        return [], [f"speed is not compared: {reason}"] if was or now else []
    slower = now.latency / was.latency - 1
    held = slower <= tolerances.latency + EQUAL
    message = (
        f"the median frame took {was.latency:.4g} s and takes {now.latency:.4g} s: {slower:.0%} longer; "
        f"{tolerances.latency:.0%} is allowed"
    )
    missed: Status = "failed" if tolerances.gate_speed else "reported"
    finding = Finding(
        measure="latency",
        baseline=was.latency,
        value=now.latency,
        allowed=tolerances.latency * was.latency,
        status="held" if held else missed,
        message="" if held else message,
    )
    return [finding], []


def _untimed(was: Speed | None, now: Speed | None) -> str:
    """Why two speeds cannot be compared; empty if they can."""
    lacking = [name for name, speed in (("the baseline", was), ("the run", now)) if speed is None]
    if lacking:
        return f"{' and '.join(lacking)} {'has' if len(lacking) == 1 else 'have'} none; see: vosbench run --profile"
    if was is not None and not was.latency > 0:
        return f"the baseline's latency is {was.latency}"
    for key in ("device_name", "threads", "size"):
        one, other = getattr(was, key), getattr(now, key)
        if one != other:
            return f"{key.replace('_', ' ')} was {one} and is {other}"
    return ""


def _notes(run: Record, baseline: Record) -> list[str]:
    found = []
    if run.method != baseline.method:
        found.append(f'the baseline is of "{baseline.method}", the run of "{run.method}"')
    more = [name for name in run.videos if name not in baseline.videos]
    more += [name for name in run.scores if name not in baseline.scores]
    if more:
        found.append(f"not in the baseline, so not checked: {', '.join(more)}")
    if list(run.videos) != list(baseline.videos):
        found.append("the annotations are not compared, since the videos differ")
    unknown = [name for name in baseline.scores if not measure_of(name).better]
    if unknown:
        found.append(
            f"nobody here knows which way is better, so any change counts, of: {', '.join(unknown)}; see --plugin"
        )
    return [*found, *_changes(run, baseline)]


def _changes(run: Record, baseline: Record) -> Sequence[str]:
    """What is set up differently, which may be why numbers changed."""
    was, now = baseline.provenance, run.provenance
    pairs = {key: (getattr(was, key), getattr(now, key)) for key in SETUP}
    # An option that only one of them has is newer than the other, and has its default.
    pairs |= {name: (was.options[name], now.options[name]) for name in was.options if name in now.options}
    pairs |= {name: (was.packages.get(name), now.packages.get(name)) for name in {**was.packages, **now.packages}}
    pairs["vosbench"] = (was.vosbench, now.vosbench)
    changed = [f"{key} {_short(one)} → {_short(other)}" for key, (one, other) in pairs.items() if one != other]
    return [f"changed since the baseline: {', '.join(changed)}"] if changed else []


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) > 40 else text
