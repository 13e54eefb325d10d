"""The contract of an engine, which applies a function to items wherever it likes, and the engine of this process.

Conventions:
    An item is a unit of work that takes a second or more, such as a video. What becomes of it is data, an `Outcome`, so
    that one item's failure is not another's. Functions, items and results can be pickled; `Serial` pickles nothing.
"""

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

from vosbench import errors
from vosbench.errors import VosbenchError, WorkerError, one_line

Item = TypeVar("Item")
Result = TypeVar("Result")
Kind = Literal["error", "killed", "timeout", "lost"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item has no result.

    Attributes:
        kind: ``"error"``: the function raised; ``"killed"``: its process died of it; ``"timeout"``: it took too long;
            ``"lost"``: the engine broke down, and the item is not to blame.
        type: name of the exception's type, or ``""``.
        message: in one line.
        traceback: as Python prints it, or ``""``.
        exit_code: of the command line; see `vosbench.errors`.
        error: the exception itself, if it was raised in this process.
    """

    kind: Kind
    type: str
    message: str
    traceback: str = ""
    exit_code: int = 70
    error: BaseException | None = field(default=None, compare=False)

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Describe an exception that the function raised."""
        ours = isinstance(error, VosbenchError)
        return cls(
            kind="error",
            type=type(error).__name__,
            message=str(error) if ours else one_line(error),
            traceback="".join(traceback.format_exception(error)),
            exit_code=error.exit_code if isinstance(error, VosbenchError) else 70,
            error=error,
        )

    def exception(self) -> BaseException:
        """The exception to raise: the one that was raised, or one of vosbench's own that says the same."""
        if self.error is not None:
            return self.error
        if self.kind != "error":
            return WorkerError(self.message)
        found = getattr(errors, self.type, None)
        kind = found if isinstance(found, type) and issubclass(found, VosbenchError) else RuntimeError
        error = kind(self.message)
        error.add_note(self.traceback)  # for --debug
        return error


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What became of an item: a value or a failure.

    Attributes:
        index: of the item.
        value: the function's result; None if it failed.
        failure: why there is none.
        seconds: how long the last attempt took, as far as it is known.
        attempts: how often the item was begun.
    """

    index: int
    value: Result | None = None
    failure: Failure | None = None
    seconds: float = 0.0
    attempts: int = 1

    def result(self) -> Result:
        """The value.

        Raises:
            BaseException: see `Failure.exception`.
        """
        if self.failure is not None:
            raise self.failure.exception()
        return cast("Result", self.value)  # a function may well return None


class Engine(Protocol):
    """Applies a function to items."""

    def run(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        *,
        name: Callable[[Item], str],
        cost: Callable[[Item], float],
    ) -> Iterator[Outcome[Result]]:
        """Apply a function to every item.

        Args:
            work: the function.
            items: the items.
            name: what to call an item in messages; names are unique.
            cost: about how long an item takes, in any unit: the longest are begun first.

        Yields:
            one outcome per item, as soon as it is known.
        """
        ...


class Serial:
    """Works in this process, in the order of the items; interruptions end it."""

    def run(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        *,
        name: Callable[[Item], str],
        cost: Callable[[Item], float],
    ) -> Iterator[Outcome[Result]]:
        """See `Engine.run`.

        >>> found = Serial().run(lambda x: 6 // x, [3, 0], name=str, cost=float)
        >>> [outcome.value if outcome.failure is None else outcome.failure.type for outcome in found]
        [2, 'ZeroDivisionError']
        """
        del name, cost
        for index, item in enumerate(items):
            yield attempted(work, item, index)


def attempted(work: Callable[[Item], Result], item: Item, index: int) -> Outcome[Result]:
    """Apply a function to an item in this process."""
    started = time.monotonic()
    value: Any = None
    failure = None
    try:
        value = work(item)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a failure is data
        failure = Failure.of(error)
    return Outcome(index, value, failure, time.monotonic() - started)


def gathered(
    engine: Engine,
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    name: Callable[[Item], str],
    cost: Callable[[Item], float],
    advance: Callable[[int], None] = lambda _done: None,
) -> list[Result]:
    """Apply a function to every item and return the results in the order of the items.

    Args:
        engine: where.
        work: the function.
        items: the items.
        name: as in `Engine.run`.
        cost: likewise.
        advance: called with the number of finished items.

    Raises:
        BaseException: the first failure that becomes known; see `Failure.exception`.
    """
    found: dict[int, Result] = {}
    for outcome in engine.run(work, items, name=name, cost=cost):
        found[outcome.index] = outcome.result()
        advance(len(found))
    return [found[index] for index in range(len(items))]
