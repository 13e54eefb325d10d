"""Shared by all commands: results on stdout, everything else on stderr, one line per error, progress."""

import functools
import inspect
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer
from typer.core import TyperCommand

from vosbench.errors import DataError, VosbenchError, extras_needed, one_line, place, printable

if TYPE_CHECKING:
    from vosbench.face import Listener, SuiteResult
    from vosbench.report.table import Format

R = TypeVar("R")
EVERY = 30.0
RETRY, RETRIES = 0.02, 250
"""Seconds until a signal that arrived during an import is tried again, and how often."""
INTERRUPTED, TERMINATED = 130, 143
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
            with extras_needed(), _terminable():
                return verb(**values)
        except (typer.Exit, typer.Abort):
            raise
        except BaseException as error:  # noqa: BLE001 - no library decides the exit code
            code, line = _ending(error)
            if debug and isinstance(error, Exception):
                typer.echo(traceback.format_exc(), err=True, nl=False)
        say(line)
        raise typer.Exit(code)

    spread.append(inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug))
    wrapper.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
    return wrapper


class Command(TyperCommand):
    """A command that refuses an option with one value that is given twice, of which the parser would take the last."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's context
        """Parse, after looking for options that are given twice."""
        if args or not self.no_args_is_help:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            for parameter, times in Counter(order).items():
                single = parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False)
                single = single and not parameter.multiple
                if single and times > 1:
                    ctx.fail(f"{parameter.opts[0]} is given {times} times, but has one value")
        return super().parse_args(ctx, args)


class _Terminated(BaseException):
    """SIGTERM was received."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Make SIGTERM and SIGINT exceptions, so that temporary files are removed and workers end.

    A command may handle them otherwise, and SIGINT stays ignored if it was. During an import they wait for a while:
    extension modules print exceptions that interrupt them, and raise others instead.
    """
    tries = 0

    def terminate(number: int, frame: FrameType | None) -> None:
        nonlocal tries
        tries += 1
        if tries <= RETRIES and _importing(frame):
            later = threading.Timer(RETRY, signal.raise_signal, (number,))
            later.daemon = True
            later.start()
            return
        raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        numbers.append(signal.SIGINT)
    before = {number: signal.signal(number, terminate) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported at a frame of the stack."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _ending(error: BaseException) -> tuple[int, str]:
    """The exit code and the line for an error."""
    if isinstance(error, _Terminated):
        return TERMINATED, "terminated; finished work is kept. Run the same command again to resume."
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted; finished work is kept. Run the same command again to resume."
    if isinstance(error, VosbenchError):
        return error.exit_code, f"error: {error}"
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more
        return DataError.exit_code, "error: the output was closed before everything was written"
    if isinstance(error, OSError):
        named = f'"{error.filename}"' if error.filename else "the output"
        return DataError.exit_code, f"error: {named}: {error.strerror or one_line(error)}"
    where = place(error, "")
    return UNEXPECTED, f"error: {one_line(error)} (unexpected, at {where}; --debug shows the traceback)"


def say(line: str) -> None:
    """Write a line to stderr, without control characters, which names in it may contain."""
    typer.echo(printable(line), err=True)


def result(text: str) -> None:
    """Write a result to stdout, without control characters other than the ends of its lines."""
    typer.echo("\n".join(map(printable, text.split("\n"))), nl=False)


def terminal_width(*, wide: bool) -> int | None:
    """The columns of the terminal that results are written to; None if it is a file or a pipe, or nothing is cut."""
    if wide or not sys.stdout.isatty():
        return None
    from rich.console import Console

    return Console().width


def finish_suite(done: "SuiteResult", shown: "Format", width: int | None = None) -> None:
    """Print the result of a suite.

    Raises:
        VosbenchError: if a dataset has failed, once the others are printed.
    """
    if done.results:
        result(done.render(shown, width))
    if done.problem is not None:
        raise done.problem


class _Lines:
    """Progress as plain lines, at most one in `EVERY` seconds, for the logs of batch jobs."""

    def __init__(self, unit: str, total: int) -> None:
        self._unit, self._total = unit, total
        self._started = self._last = time.monotonic()
        self._first: int | None = None

    def advance(self, what: str, done: int, of: int | None = None) -> None:
        """Say how much is done and about how long the rest takes, unless that was said recently."""
        now, total = time.monotonic(), self._total if of is None else of
        self._first = done if self._first is None else self._first  # what an earlier run had done took no time
        if now - self._last < EVERY:
            return
        self._last = now
        left = ""
        if total and done > self._first:
            minutes = (now - self._started) / (done - self._first) * (total - done) / 60
            left = f", about {minutes:.0f} min left" if minutes >= 1 else ", less than a minute left"
        say(f"progress: {done} of {total or '?'} {self._unit}{left} ({what})")


@contextmanager
def progress(total: int, unit: str, *, quiet: bool) -> Iterator[Callable[..., None]]:
    """Show progress and remaining time on stderr; nothing if quiet or without a terminal.

    Yields:
        a function that takes a description, the progress, and the total if it has changed.
    """
    if quiet:
        yield lambda *_: None
        return
    if not sys.stderr.isatty():
        yield _Lines(unit, total).advance
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
