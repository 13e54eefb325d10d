"""``vosbench table``: print tables of records and published numbers."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, result, say, terminal_width
from vosbench.errors import UsageError

PAGE = "readme"
Format = Literal["table", "md", "csv", "json", "latex", "html", "parquet"]
WHOLE = ("csv", "json", "parquet")
"""Formats for programs, which keep lines without any number."""


@command
def table(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A dataset, or its path, for its leaderboard; a table of a paper, adnet-1 to adnet-3 or f2net-1 to "
            "f2net-5; davis-leaderboard; saliency or speed, over all datasets; or readme, the page of results."
        ),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option("--suite", help="Table of a suite, methods by datasets; see: vosbench list suites."),
    ] = None,
    results: Annotated[Path, typer.Option("--results", help="Folder of the records.")] = Path("results"),
    own: Annotated[
        list[Path] | None,
        typer.Option("--with", help="A record, a .json file, that joins the table; in a paper's, as its last line."),
    ] = None,
    protocol: options.ProtocolName = None,
    split: options.Split = None,
    by: Annotated[
        Literal["category", "attribute", "video"] | None,
        typer.Option("--by", help="Break the results down, a column for each method."),
    ] = None,
    measure: Annotated[
        str | None, typer.Option("--measure", help="What --by shows; by default J&F, or the first one.")
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Also published numbers; only these for a paper's table.")
    ] = False,
    measured: Annotated[
        bool, typer.Option("--measured", help="Require measured numbers; fail if there are none.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Also differences, measured − published.")] = False,
    sort: Annotated[str | None, typer.Option("--sort", help="Measure to sort by, best first.")] = None,
    task: Annotated[
        Literal["unsupervised", "semi-supervised", "image-saliency", "video-saliency"] | None,
        typer.Option("--task", help="Only methods of this task, and records of methods whose task nobody states."),
    ] = None,
    methods: Annotated[
        str, typer.Option("--methods", help="Only these methods, separated by commas, by any of their names.")
    ] = "",
    measures: Annotated[
        str, typer.Option("--measures", help="Only these measures, separated by commas, such as J_mean or J&F.")
    ] = "",
    percent: Annotated[
        bool, typer.Option("--percent", help="Scores in percent, with one decimal; MAE stays a fraction.")
    ] = False,
    digits: Annotated[
        int | None, typer.Option("--digits", min=0, max=9, help="Decimals; csv, json and parquet stay unrounded.")
    ] = None,
    mark: Annotated[
        Literal["best", "none", "±"],
        typer.Option(
            "--mark",
            help="best: the best number bold, the second underlined, where the format can. ±: also half the 95 % "
            "interval over videos behind measured numbers of a leaderboard. none: neither.",
        ),
    ] = "best",
    interval: Annotated[
        bool, typer.Option("--interval", help="The 95 % interval over videos of the measure that ranks a leaderboard.")
    ] = False,
    ranks: Annotated[bool, typer.Option("--ranks", help="Ranks in each column, and the mean rank.")] = False,
    caption: Annotated[
        str, typer.Option("--caption", help="Caption; for latex as LaTeX, in a table environment.")
    ] = "",
    label: Annotated[str, typer.Option("--label", help="Label of the table, for latex.")] = "",
    plugin: options.Plugins = None,
    shown: Annotated[Format, typer.Option("--format", help="Output format; parquet needs --out.")] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead.")] = None,
    wide: options.Wide = False,
    quiet: options.Quiet = False,
) -> None:
    """Print a table of results: a dataset's leaderboard, a suite, a paper's table, saliency, or speed.

    The best numbers are bold and the second underlined in md, html and latex; csv, json and parquet hold them
    unrounded.
    """
    from vosbench.records.record import read
    from vosbench.report.named import TableRequest, make_table
    from vosbench.report.style import Style, without_blanks

    def warn(line: str) -> None:
        say(f"warning: {line}")

    if (name is None) == (suite is None):
        raise UsageError("pass either the name of a table or --suite")
    if label and shown != "latex":
        raise UsageError("--label is for --format latex")
    if caption and shown in WHOLE:
        raise UsageError(f"--caption is for readers, not for --format {shown}")
    if shown == "parquet" and out is None:
        raise UsageError("--format parquet is not text; pass a file with --out")
    if name == PAGE:
        from vosbench.report.page import results_page

        if shown not in {"table", "md"}:
            raise UsageError(f"{PAGE} is a page in Markdown; --format {shown} is for single tables")
        _write(results_page(results, warn), out)
        return
    request = TableRequest(
        name=name or "",
        suite=suite,
        results=results,
        protocol=protocol,
        split=split,
        by=by,
        measure=measure,
        published=published,
        measured=measured,
        diff=diff,
        sort=sort,
        task=task,
        own=tuple(read(path) for path in own or ()),
        spread=mark == "±",
        interval=interval,
        style=Style(
            percent=percent,
            digits=digits,
            methods=_names(methods),
            measures=_names(measures),
            ranks=ranks,
            marked=mark != "none",
            caption=caption,
            label=label,
        ),
        warn=warn,
        plugins=tuple(plugin or ()),
    )
    made, left_out = make_table(request)
    for line in left_out if not quiet else ():
        say(f"note: {line}")
    if shown == "parquet":
        from vosbench.report.data import write_parquet

        assert out is not None
        write_parquet(out, made)
        return
    from vosbench.report.table import render

    made = made if shown in WHOLE else without_blanks(made)
    _write(render(made, shown, None if out else terminal_width(wide=wide)), out)


def _names(line: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in line.split(",") if name.strip())


def _write(text: str, out: Path | None) -> None:
    from vosbench.files import write_whole

    if out is None:
        result(text)
        return
    try:
        write_whole(out, text.encode())
    except OSError as error:
        raise UsageError(f'the table "{out}" cannot be written: {error.strerror}') from None
