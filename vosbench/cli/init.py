"""``vosbench init``: begin a package with a method or dataset of one's own."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, result, say


@command
def init(
    kind: Annotated[Literal["method", "dataset"], typer.Argument(help="What to begin.")],
    name: Annotated[str, typer.Argument(help="Its name, in small letters; also that of the new folder.")],
    to: Annotated[Path, typer.Option("--to", help="Folder in which to make the new one.")] = Path(),
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Write a package with a method or dataset to begin with: entry point, code, card, and a test that passes."""
    from vosbench.registry import DATASETS, METHODS, find
    from vosbench.registry.skeleton import write_skeleton

    taken = find(METHODS if kind == "method" else DATASETS, plugin or ())
    for path in write_skeleton(kind, name, to, taken):
        result(f"{path}\n")
    if not quiet:
        say(f"note: run its test with: cd {to / name} && python -m pytest; see its README.md")
