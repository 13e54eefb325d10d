"""The command line: parse, call one function, print. No other package prints or exits."""

from typing import Annotated

import typer

from vosbench import __version__
from vosbench.cli import (
    check,
    compare,
    convert,
    data,
    export,
    figure,
    flow,
    init,
    inspect,
    merge,
    overlay,
    plan,
    report,
    run,
    score,
    segment,
    serve,
    submit,
    table,
    train,
)
from vosbench.cli import list as listing
from vosbench.cli.console import Command, result

app = typer.Typer(
    name="vosbench",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def vosbench(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", is_eager=True)] = False,
) -> None:
    """Benchmark and evaluation suite for unsupervised video object segmentation."""
    if version:
        result(f"vosbench {__version__}\n")
        raise typer.Exit


app.command("segment", cls=Command)(segment.segment)
app.command("run", cls=Command)(run.run)
app.command("merge", cls=Command)(merge.merge)
app.command("score", cls=Command)(score.score)
app.command("inspect", cls=Command)(inspect.inspect)
app.command("overlay", cls=Command)(overlay.overlay)
app.command("train", cls=Command)(train.train)
app.command("convert", cls=Command)(convert.convert)
app.command("export", cls=Command)(export.export)
app.command("table", cls=Command)(table.table)
app.command("figure", cls=Command)(figure.figure)
app.command("report", cls=Command)(report.report)
app.command("serve", cls=Command)(serve.serve)
app.command("compare", cls=Command)(compare.compare)
app.command("check", cls=Command)(check.check)
app.command("verify", cls=Command)(data.verify)
app.command("list", cls=Command)(listing.list_)
app.command("fetch", cls=Command)(data.fetch)
app.command("submit", cls=Command)(submit.submit)
app.command("init", cls=Command)(init.init)
app.command("flow", cls=Command)(flow.flow)
app.command("status", cls=Command)(plan.status)
app.add_typer(plan.app, name="plan")
app.add_typer(data.app, name="data")


def main() -> None:
    """Entry point of the ``vosbench`` command."""
    app()
