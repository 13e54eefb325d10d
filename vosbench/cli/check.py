"""``vosbench check``: a record, or a method that is run first, checked against a baseline."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say
from vosbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from vosbench.records.check import Verdict
    from vosbench.records.record import Record
    from vosbench.records.tolerance import Tolerances
    from vosbench.runner import Trial

Kind = Literal["table", "json", "junit", "github"]
RUNNING = {"method", "dataset", "out"} | {
    field.name for group in (options.Selecting, options.SettingUp) for field in fields(group)
}
"""The options of a run, which a record that is checked has behind it."""


@command
def check(
    context: typer.Context,
    baseline: Annotated[Path, typer.Option("--baseline", help="Record to check against.")],
    taken: Annotated[Path | None, typer.Argument(metavar="RUN", help="Record to check, a .json file.")] = None,
    tolerance: Annotated[
        list[str] | None,
        typer.Option("--tolerance", help="What a mean may lose: J_mean=0.005, or 0.005 for all."),
    ] = None,
    relative: Annotated[
        list[str] | None, typer.Option("--relative", help="The same as a fraction of the baseline; the larger applies.")
    ] = None,
    video_tolerance: Annotated[
        list[str] | None,
        typer.Option("--video-tolerance", help="What a video may lose: 0.02, J_mean=…, cows=…, or cows/J_mean=…."),
    ] = None,
    max_drop: Annotated[float | None, typer.Option("--max-drop", help="The most that any mean may lose.")] = None,
    speed_tolerance: Annotated[
        float | None,
        typer.Option("--speed-tolerance", help="Report a median frame this much slower; 0.2 if not given."),
    ] = None,
    speed_gate: Annotated[bool, typer.Option("--speed-gate", help="Fail for it too.")] = False,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Make the record the baseline, after saying what changes.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML here too.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="Run this method first, in place of RUN.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Dataset to run it on.")] = None,
    selecting: options.Selecting = options.Selecting(),
    setting_up: options.SettingUp = options.SettingUp(),
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep maps and record here, and resume from those in it.")
    ] = None,
    plugin: options.Plugins = None,
    shown: Annotated[Kind, typer.Option("--format", help="How the verdict is shown.")] = "table",
    quiet: options.Quiet = False,
) -> None:
    """Check a record, or a method that is run first, against a baseline; exit 1 if it became worse."""
    from vosbench.records import check as checking
    from vosbench.records import record
    from vosbench.records.tolerance import LATENCY, Tolerances, parse
    from vosbench.registry import load_families
    from vosbench.runner import Trial

    tolerances = Tolerances(
        absolute=parse(tolerance or ()),
        relative=parse(relative or ()),
        videos=parse(video_tolerance or ()),
        max_drop=max_drop,
        latency=LATENCY if speed_tolerance is None else speed_tolerance,
        gate_speed=speed_gate,
    )
    _refuse_muddle(context, taken, baseline)
    load_families(plugin or ())
    held = record.read(baseline) if baseline.exists() else None  # a damaged one is found before a long run
    if taken is not None:
        run = record.read(taken)
    else:
        trial = Trial(
            method=method or "",
            dataset=dataset or "",
            setup=setting_up.setup(),
            choice=selecting.choice(),
            settings=setting_up.settings or (),
            plugins=plugin or (),
            untrained=setting_up.untrained,
            profile=speed_gate or speed_tolerance is not None,
            out=out,
        )
        run = _take(trial, quiet=quiet)
    if update_baseline:
        _show_changes(run, held, tolerances, shown, junit)
        checking.update(baseline, run)
        say(f'note: the baseline "{baseline}" is {"updated" if held else "made"}')
        return
    verdict = checking.check(run, held, tolerances)
    _show(verdict, shown, junit)
    if held is None:
        say(f'note: there is no "{baseline}"; --update-baseline makes it from this run')
    if not verdict.passed:
        raise typer.Exit(1)


def _refuse_muddle(context: typer.Context, taken: Path | None, baseline: Path) -> None:
    """Refuse a request that is two at once, or that would check a baseline against itself or overwrite it."""
    given = {
        name: str(value)
        for name, value in context.params.items()
        if name in RUNNING and (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }
    if taken is not None and given:
        option = next(each.opts[0] for each in context.command.params if each.name in given)
        raise UsageError(f'"{taken}" is a record, so nothing is run; leave out {option}')
    if taken is None and not {"method", "dataset"} <= given.keys():
        raise UsageError("give a record to check, or --method and --dataset to run first")
    written = Path(given["out"], given["dataset"], f"{given['method']}.json") if "out" in given else taken
    if written is not None and written.resolve() == baseline.resolve():
        raise UsageError(f'"{baseline}" is the run itself; keep the baseline elsewhere than what is checked against it')


def _take(trial: "Trial", *, quiet: bool) -> "Record":
    """Run what is to be checked, and say how far it is; frames are counted, for nobody knows yet how many there are."""
    from vosbench.runner import take

    before: dict[str, int] = {}
    with progress(0, "frames", quiet=quiet) as advance:

        def count(video: str, done: int) -> None:
            before[video] = done
            advance(video, sum(before.values()))

        return take(trial, count)


def _show(verdict: "Verdict", shown: Kind, junit: Path | None) -> None:
    from vosbench.files import write_whole
    from vosbench.report.verdict import render_verdict, to_junit

    if junit is not None:
        try:
            write_whole(junit, to_junit(verdict).encode())
        except OSError as error:
            raise UsageError(f'the report "{junit}" cannot be written: {error.strerror}') from None
    result(render_verdict(verdict, shown))


def _show_changes(
    run: "Record", held: "Record | None", tolerances: "Tolerances", shown: Kind, junit: Path | None
) -> None:
    """Say what a new baseline changes; one that was taken otherwise may be replaced too."""
    from vosbench.records.check import check as judge

    if held is None:
        return
    try:
        _show(judge(run, held, tolerances), shown, junit)
    except DataError as error:
        say(f"note: {error}")
