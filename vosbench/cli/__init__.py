"""The command line: parse, call one function, print. The only place that prints or exits."""

from typing import Annotated

import typer

from vosbench import __version__
from vosbench.cli import check as gates
from vosbench.cli import convert as conversion
from vosbench.cli import data as datasets
from vosbench.cli import run as methods
from vosbench.cli import table as tables
from vosbench.cli import train as training
from vosbench.cli.console import result

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


app.command("run")(methods.run)
app.command("score")(methods.score)
app.command("train")(training.train)
app.command("convert")(conversion.convert)
app.command("table")(tables.table)
app.command("compare")(gates.compare)
app.command("check")(gates.check)
app.command("verify")(datasets.verify)
app.command("list")(datasets.list_)
app.command("fetch")(datasets.fetch)

data = typer.Typer(help="Where datasets are on this machine.", no_args_is_help=True, rich_markup_mode=None)
data.command("set-root")(datasets.set_root)
data.command("roots")(datasets.roots)
app.add_typer(data, name="data")


def main() -> None:
    """Entry point of the ``vosbench`` command."""
    app()
