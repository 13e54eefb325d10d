"""What every verb shares: results on stdout, the rest on stderr, one line for a mistake, progress."""

import errno
import functools
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from vosbench.errors import VosbenchError, extras_needed, one_line, place

if TYPE_CHECKING:
    from vosbench.face import Listener

R = TypeVar("R")
INTERRUPTED = 130
UNEXPECTED = 70  # as sysexits.h calls an internal error; 1 is a gate that failed
Debug = Annotated[bool, typer.Option("--debug", envvar="VOSBENCH_DEBUG", help="Show the traceback of an error.")]


def command(verb: Callable[..., R]) -> Callable[..., R]:
    """Turn a function into a verb of the command line.

    A parameter whose type is a dataclass, such as `vosbench.cli.options.Selecting`, stands for its fields: each becomes
    an option, and the function gets them back as one value. Every verb has the option --debug. Errors become one line
    on stderr and their exit code.
    """
    groups: dict[str, Any] = {}
    spread: list[inspect.Parameter] = []
    for each in inspect.signature(verb).parameters.values():
        if not is_dataclass(each.annotation):
            spread.append(each.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[each.name] = each.annotation
        hints = get_type_hints(each.annotation, include_extras=True)
        spread += [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
            )
            for field in fields(each.annotation)
        ]

    @functools.wraps(verb)
    def spoken(**given: Any) -> R:  # noqa: ANN401 - what typer has parsed by the signature below
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        debug = given.pop("debug")
        try:
            with extras_needed():
                return verb(**given)
        except KeyboardInterrupt:
            code, line = INTERRUPTED, "interrupted; finished work is kept. Run the same command again to resume."
        except VosbenchError as error:
            code, line = error.exit_code, f"error: {error}"
            trace(debug=debug)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # a reader such as head has seen enough; typer ends in silence
            where = place(error, "")
            code, line = UNEXPECTED, f"error: {one_line(error)} (unexpected, at {where}; --debug shows the traceback)"
            trace(debug=debug)
        say(line)
        raise typer.Exit(code)

    spread.append(inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug))
    spoken.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    spoken.__annotations__ = {each.name: each.annotation for each in spread}
    return spoken


def trace(*, debug: bool) -> None:
    """Write the traceback of the error that is handled to stderr."""
    if debug:
        typer.echo(traceback.format_exc(), err=True, nl=False)


def say(line: str) -> None:
    """Write a line to stderr."""
    typer.echo(line, err=True)


def result(text: str) -> None:
    """Write a result to stdout."""
    typer.echo(text, nl=False)


@contextmanager
def progress(total: int, unit: str, *, quiet: bool) -> Iterator[Callable[..., None]]:
    """Show on stderr how far work has come and what time is left; nothing if quiet or without a terminal.

    Yields:
        a function that takes what is worked on, how much is done, and a total if it differs from the first.
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


@contextmanager
def listening(unit: str, *, quiet: bool) -> Iterator["Listener"]:
    """Show progress, counted in ``unit``, and notes of a function of the Python face; neither if quiet."""
    from vosbench.face import Listener

    with progress(0, unit, quiet=quiet) as advance:
        yield Listener(advance=advance, note=lambda line: None if quiet else say(f"note: {line}"))
