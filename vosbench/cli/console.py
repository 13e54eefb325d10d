"""Shared by all commands: results on stdout, everything else on stderr, one line per error, progress."""

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
UNEXPECTED = 70  # internal error in sysexits.h; 1 is a failed check
Debug = Annotated[bool, typer.Option("--debug", envvar="VOSBENCH_DEBUG", help="Show tracebacks of errors.")]


def command(verb: Callable[..., R]) -> Callable[..., R]:
    """Turn a function into a command.

    A parameter whose type is a dataclass, such as `vosbench.cli.options.Selecting`, becomes an option per field; the
    function gets them back as one value. All commands have --debug. Errors become one line on stderr and an exit code.
    """
    groups: dict[str, Any] = {}
    spread: list[inspect.Parameter] = []
    for parameter in inspect.signature(verb).parameters.values():
        if not is_dataclass(parameter.annotation):
            spread.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[parameter.name] = parameter.annotation
        hints = get_type_hints(parameter.annotation, include_extras=True)
        spread += [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
            )
            for field in fields(parameter.annotation)
        ]

    @functools.wraps(verb)
    def wrapper(**values: Any) -> R:  # noqa: ANN401 - typer parses them by the signature below
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        debug = values.pop("debug")
        try:
            with extras_needed():
                return verb(**values)
        except KeyboardInterrupt:
            code, line = INTERRUPTED, "interrupted; finished work is kept. Run the same command again to resume."
        except VosbenchError as error:
            code, line = error.exit_code, f"error: {error}"
            trace(debug=debug)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # a reader such as head has closed the pipe; typer exits silently
            where = place(error, "")
            code, line = UNEXPECTED, f"error: {one_line(error)} (unexpected, at {where}; --debug shows the traceback)"
            trace(debug=debug)
        say(line)
        raise typer.Exit(code)

    spread.append(inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug))
    wrapper.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
    return wrapper


def trace(*, debug: bool) -> None:
    """Write the traceback of the current error to stderr."""
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
    """Show progress and remaining time on stderr; nothing if quiet or without a terminal.

    Yields:
        a function that takes a description, the progress, and the total if it has changed.
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
    """Show progress, in ``unit``, and notes of a function of the Python face; neither if quiet."""
    from vosbench.face import Listener

    with progress(0, unit, quiet=quiet) as advance:
        yield Listener(advance=advance, note=lambda line: None if quiet else say(f"note: {line}"))
