"""``vosbench compare`` and ``vosbench check``: two records side by side, and a record held against its baseline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say
from vosbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vosbench.dataset import Listed
    from vosbench.records.check import Verdict
    from vosbench.records.record import Record
    from vosbench.records.tolerance import Tolerances
    from vosbench.runner import Trial

Kind = Literal["table", "json", "junit", "github"]
JUDGING = {
    *("taken", "baseline", "tolerance", "relative", "video_tolerance", "max_drop", "speed_tolerance", "speed_gate"),
    *("update_baseline", "junit", "shown", "quiet"),
}
"""What ``check`` takes beside what a run takes."""


@command
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Record of one method, a .json file.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Record of the other.")],
    measure: Annotated[
        str, typer.Option("--measure", help="Scores to compare, with commas between; every mean where not given.")
    ] = "",
    by: Annotated[
        Literal["measure", "attribute", "video"] | None, typer.Option("--by", help="One table alone.")
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", min=100, help="Bootstrap samples, and most swaps.")] = 9999,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of interval and p.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Compare what was not taken alike.")] = False,
    plugin: options.Plugins = None,
    shown: Annotated[
        Literal["table", "md", "csv", "json", "latex"],
        typer.Option("--format", help="How the result is shown; json is the whole comparison."),
    ] = "table",
    quiet: options.Quiet = False,
) -> None:
    """Compare two records video by video: difference, interval, p, attributes, worst and best videos."""
    from vosbench.records import compare as comparing
    from vosbench.records import record
    from vosbench.report import comparison as contrasts
    from vosbench.report.table import render

    one, other = record.read(first), record.read(second)
    warnings = [*comparing.unlike(one, other), *comparing.frames_apart(one, other)]
    if warnings and not force:
        raise DataError(f"the records cannot be compared: {'; '.join(warnings)}; --force compares them all the same")
    for warning in warnings:
        say(f"warning: {warning}")
    listing = _listing(one, plugin or (), quiet=quiet)
    effects = comparing.compare(one, other, listing, options.names(measure), resamples, seed)
    if shown == "json":
        result(contrasts.to_json(one, other, effects, warnings))
        return
    if shown == "csv" and by is None:
        by = "measure"
    made = contrasts.tables(one, other, effects, by, warnings)
    if not made:
        raise DataError(f'nobody lists attributes of the videos of "{one.dataset}"')
    result("\n".join(render(table, shown) for table in made))


@command
def check(
    context: typer.Context,
    baseline: Annotated[Path, typer.Option("--baseline", help="Record that it is held against.")],
    taken: Annotated[Path | None, typer.Argument(metavar="RUN", help="Record to check, a .json file.")] = None,
    tolerance: Annotated[
        list[str] | None,
        typer.Option("--tolerance", help="What a mean may lose, as J_mean=0.005, or for all: 0.005."),
    ] = None,
    relative: Annotated[
        list[str] | None, typer.Option("--relative", help="The same as a fraction of the baseline; the larger holds.")
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
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    protocol: options.ProtocolName = None,
    videos: options.Videos = "",
    limit: options.Limit = None,
    measures: options.Measures = "",
    weights: options.Weights = None,
    untrained: options.Untrained = False,
    seed: options.Seed = 0,
    device: options.Device = "cpu",
    batch: options.Batch = 1,
    precision: options.Precision = "fp32",
    compiled: options.Compiled = False,
    settings: options.Settings = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep maps and record here, and go on with those in it.")
    ] = None,
    plugin: options.Plugins = None,
    shown: Annotated[Kind, typer.Option("--format", help="How the verdict is shown.")] = "table",
    quiet: options.Quiet = False,
) -> None:
    """Hold a record, or a method that is run first, against a baseline; exit 1 where it became worse."""
    from vosbench.dataset.selection import Choice
    from vosbench.method import Setup
    from vosbench.records import check as checking
    from vosbench.records import record
    from vosbench.records.tolerance import LATENCY, Tolerances, parse
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
    held = record.read(baseline) if baseline.exists() else None  # a damaged one is found before a long run
    if taken is not None:
        run = record.read(taken)
    else:
        choice = Choice(
            root=root,
            split=split,
            layout=layout,
            protocol=protocol,
            videos=options.names(videos),
            limit=limit,
            measures=options.names(measures),
        )
        trial = Trial(
            method=method or "",
            dataset=dataset or "",
            setup=Setup(weights=weights, seed=seed, device=device, batch=batch, precision=precision, compile=compiled),
            choice=choice,
            settings=settings or (),
            plugins=plugin or (),
            untrained=untrained,
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
    """Refuse a request that is two at once, or that would hold a baseline against itself or write over it."""
    given = {
        name: str(value)
        for name, value in context.params.items()
        if name not in JUDGING and (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }
    if taken is not None and given:
        raise UsageError(f'"{taken}" is a record, of which nothing is run; leave out --{next(iter(given))}')
    if taken is None and not {"method", "dataset"} <= given.keys():
        raise UsageError("give a record to check, or --method and --dataset to run first")
    written = Path(given["out"], given["dataset"], f"{given['method']}.json") if "out" in given else taken
    if written is not None and written.resolve() == baseline.resolve():
        raise UsageError(f'"{baseline}" is the run itself; keep the baseline elsewhere than what is held against it')


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


def _listing(record: "Record", plugins: "Sequence[Path]", *, quiet: bool) -> "Mapping[str, Listed]":
    """What the dataset's list says of the videos; nothing where the dataset is not known here."""
    from vosbench.registry import load_dataset

    try:
        return load_dataset(record.dataset, plugins).listing(record.split)
    except UsageError as error:
        if not quiet:
            say(f"note: without the dataset's list there are no attributes: {error}")
        return {}
