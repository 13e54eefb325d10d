"""What every verb shares: results on stdout, the rest on stderr, one line for a mistake, progress."""

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import typer

from vosbench.errors import VosbenchError

P = ParamSpec("P")
R = TypeVar("R")
INTERRUPTED = 130


def command(verb: Callable[P, R]) -> Callable[P, R]:
    """Turn what goes wrong in a verb into one line on stderr and the exit code that belongs to it."""

    @functools.wraps(verb)
    def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except VosbenchError as error:
            say(f"error: {error}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            say("interrupted: what is complete is kept; the same command goes on from there")
            raise typer.Exit(INTERRUPTED) from None

    return spoken


def say(line: str) -> None:
    """Write a line to stderr."""
    typer.echo(line, err=True)


def result(text: str) -> None:
    """Write a result to stdout."""
    typer.echo(text, nl=False)


@contextmanager
def progress(total: int, unit: str, *, quiet: bool) -> Iterator[Callable[..., None]]:
    """Show on stderr how far work has come and what time is left; nothing where quiet or no terminal.

    Yields:
        a function that takes what is worked on, how much is done, and a total where it differs from the first.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    counted = (DownloadColumn(),) if unit == "bytes" else (MofNCompleteColumn(), TextColumn(unit))
    columns = (TextColumn("{task.description}"), BarColumn(), *counted, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def advance(what: str, done: int, of: int = total) -> None:
            bar.update(task, description=what, completed=done, total=of or None)

        yield advance
