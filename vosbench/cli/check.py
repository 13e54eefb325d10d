"""``vosbench check``: a record, or a method that is run first, checked against a baseline."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, listening, result, say
from vosbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from vosbench.face import CheckResult

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
    face.tolerances(**allowed)  # a wrong one, or a damaged baseline, is found before a long run
    _refuse_muddle(context, taken, baseline)
    held = face.read_record(baseline) if baseline.exists() else None
    if taken is not None:
        run = face.read_record(taken)
    else:
        with listening("frames", quiet=quiet) as listener:
            run = face.run(
                method or "",
                dataset or "",
                out=out,
                profile=speed_gate or speed_tolerance is not None,
                plugins=plugin or (),
                listener=listener,
                **options.run_options(selecting, setting_up),
            ).record
    if update_baseline:
        if held is not None:
            try:
                _show(face.check(run, held, plugins=plugin or (), **allowed), shown, junit)
            except DataError as error:  # of another protocol or dataset, it may be replaced too
                say(f"note: {error}")
        update(baseline, run)
        say(f'note: the baseline "{baseline}" is {"updated" if held else "made"}')
        return
    done = face.check(run, held or baseline, plugins=plugin or (), **allowed)
    _show(done, shown, junit)
    if held is None:
        say(f'note: there is no "{baseline}"; --update-baseline makes it from this run')
    if not done.passed:
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


def _show(done: "CheckResult", shown: Kind, junit: Path | None) -> None:
    from vosbench.files import write_whole

    if junit is not None:
        try:
            write_whole(junit, done.render("junit").encode())
        except OSError as error:
            raise UsageError(f'the report "{junit}" cannot be written: {error.strerror}') from None
    result(done.render(shown))
