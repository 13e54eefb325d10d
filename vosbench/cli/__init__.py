"""The command line: parse, call one function, print. The only place that prints or exits."""

import typer

from vosbench.cli import datasets, methods, tables

app = typer.Typer(
    name="vosbench",
    help="Benchmark and evaluation suite for unsupervised video object segmentation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(methods.run)
app.command("score")(methods.score)
app.command("table")(tables.table)
app.command("verify")(datasets.verify)
app.command("list")(datasets.list_)


def main() -> None:
    """Entry point of the ``vosbench`` command."""
    app()
