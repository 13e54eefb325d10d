"""``vosbench check``: check a record, or run a method and check it, against a baseline."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result, say
from vosbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from vosbench.face import CheckResult, Listener

Kind = Literal["table", "json", "junit", "github", "markdown"]
RUNNING = {"method", "dataset", "out"} | {
    field.name for group in (options.Selecting, options.SettingUp) for field in fields(group)
}
"""Options of a run, which contradict a record to check."""


@command
def check(
    context: typer.Context,
    baseline: Annotated[Path, typer.Option("--baseline", help="Record to check against.")],
    record: Annotated[Path | None, typer.Argument(metavar="RUN", help="Record to check, a .json file.")] = None,
    tolerance: Annotated[
        list[str] | None,
        typer.Option("--tolerance", help="Allowed loss of a mean: J_mean=0.005, or 0.005 for all."),
    ] = None,
    relative: Annotated[
        list[str] | None, typer.Option("--relative", help="The same as a fraction of the baseline; the larger applies.")
    ] = None,
    video_tolerance: Annotated[
        list[str] | None,
        typer.Option("--video-tolerance", help="Allowed loss of a video: 0.02, J_mean=…, cows=…, or cows/J_mean=…."),
    ] = None,
    max_drop: Annotated[float | None, typer.Option("--max-drop", help="Largest allowed loss of any mean.")] = None,
    speed_tolerance: Annotated[
        float | None,
        typer.Option("--speed-tolerance", help="Report a median frame slower by this fraction; 0.2 by default."),
    ] = None,
    speed_gate: Annotated[bool, typer.Option("--speed-gate", help="Fail if it is slower.")] = False,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Make the record the baseline, after printing the changes.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="Also write JUnit XML to this file.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="Run this method first, instead of RUN.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help=f"{options.DATASET} To run it on.")] = None,
    selecting: options.Selecting = options.Selecting(),
    setting_up: options.SettingUp = options.SettingUp(),
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep maps and record in this folder, and resume from it.")
    ] = None,
    plugin: options.Plugins = None,
    shown: Annotated[Kind, typer.Option("--format", help="Output format; markdown is for a step's summary.")] = "table",
    no_cache: options.NoCache = False,  # noqa: ARG001 - it acts when it is parsed
    quiet: options.Quiet = False,
) -> None:
    """Check a record, or run a method and check it, against a baseline; exit 1 if it is worse."""
    from vosbench import face
    from vosbench.records.check import update
    from vosbench.records.tolerance import parse

    allowed: face.ToleranceOptions = {
        "tolerance": parse(tolerance or ()),
        "relative": parse(relative or ()),
        "video_tolerance": parse(video_tolerance or ()),
        "max_drop": max_drop,
        "speed_tolerance": speed_tolerance,
        "speed_gate": speed_gate,
    }
    face.tolerances(**allowed)  # report a wrong one, or a damaged baseline, before a long run
    _refuse_contradictions(context, record, baseline, plugin or ())
    known = face.read_record(baseline) if baseline.exists() else None
    clock = _Clock()
    if record is not None:
        run = face.read_record(record)
    else:
        with listening("frames", quiet=quiet) as listener:
            run = face.run(
                method or "",
                dataset or "",
                out=out,
                profile=speed_gate or speed_tolerance is not None,
                plugins=plugin or (),
                listener=clock.watching(listener),
                **options.run_options(selecting, setting_up),
            ).record
    if update_baseline:
        if known is not None:
            try:
                _show(face.check(run, known, plugins=plugin or (), **allowed), shown, junit, clock)
            except DataError as error:  # a baseline of another protocol or dataset may be replaced too
                say(f"note: {error}")
        update(baseline, run)
        say(f'note: the baseline "{baseline}" was {"updated" if known else "created"}')
        return
    checked = face.check(run, known or baseline, plugins=plugin or (), **allowed)
    _show(checked, shown, junit, clock)
    if known is None:
        say(f'note: "{baseline}" does not exist; --update-baseline creates it from this run')
    if not checked.passed:
        raise typer.Exit(1)


def _refuse_contradictions(
    context: typer.Context, record: Path | None, baseline: Path, plugins: Sequence[Path]
) -> None:
    """Refuse both a record and a run, and a run that would overwrite the baseline."""
    passed = {
        name: str(value)
        for name, value in context.params.items()
        if name in RUNNING and (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }
    if record is not None and passed:
        option = next(parameter.opts[0] for parameter in context.command.params if parameter.name in passed)
        raise UsageError(f'"{record}" is a record, so nothing is run; leave out {option}')
    if record is None and not {"method", "dataset"} <= passed.keys():
        raise UsageError("pass a record to check, or --method and --dataset to run first")
    itself = record is not None and record.resolve() == baseline.resolve()
    if "out" in passed and baseline.resolve().parent == _place(passed, plugins).resolve():
        itself = re.fullmatch(rf"{re.escape(passed['method'])}([@+].*)?\.json", baseline.name) is not None
    if itself:
        raise UsageError(f'"{baseline}" is the run itself; keep the baseline in another folder')


def _place(passed: Mapping[str, str], plugins: Sequence[Path]) -> Path:
    """Where records of the run are."""
    from vosbench.registry import DATASETS, find, load_folder
    from vosbench.registry.folders import dataset_path

    path = dataset_path(passed["dataset"], find(DATASETS, plugins))
    return Path(passed["out"], passed["dataset"] if path is None else load_folder(path, plugins).name)


class _Clock:
    """Measures how long the command takes, and the time until the progress of each video of a run ends."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._videos: dict[str, float] = {}

    def watching(self, listener: "Listener") -> "Listener":
        """A listener that also measures."""

        def advance(what: str, done: int, total: int) -> None:
            now = time.perf_counter()
            self._videos[what] = self._videos.get(what, 0.0) + now - self._last
            self._last = now
            listener.advance(what, done, total)

        return replace(listener, advance=advance)

    def seconds(self) -> dict[str, float]:
        """The time of each video, and of everything so far, as JUnit has it."""
        from vosbench.report.verdict import WHOLE

        return {**self._videos, WHOLE: time.perf_counter() - self._started}


def _show(checked: "CheckResult", shown: Kind, junit: Path | None, clock: _Clock) -> None:
    from vosbench.files import write_whole

    seconds = clock.seconds()
    if junit is not None:
        try:
            write_whole(junit, checked.render("junit", seconds).encode())
        except OSError as error:
            raise UsageError(f'the report "{junit}" cannot be written: {error.strerror}') from None
    result(checked.render(shown, seconds))
