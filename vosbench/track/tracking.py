"""What a tracker is, and how those that were asked for are opened and kept from doing harm."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from vosbench.errors import UsageError, extras_needed, one_line, suggest
from vosbench.records.record import Row

KINDS = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb"}
"""Tracker, as typed → the package that it needs."""
PROJECT = "vosbench"
"""The project, in trackers that have projects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is tracked.

    Attributes:
        name: of the method.
        group: what it is comparable with: the dataset and its split, or trainings.
        folder: of the run, below a tracker's place, for trackers that have a folder for each.
        settings: what the numbers depend on.
        step: the last step of an earlier part of the same training; 0 if there is none.
    """

    name: str
    group: str
    folder: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    step: int = 0


class Tracker(Protocol):
    """Where numbers go. Nothing is written before the first of them."""

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Take the values of a step; names have slashes between their parts."""
        ...

    def rows(self, rows: Sequence[Row]) -> None:
        """Take all measured values."""
        ...

    def text(self, name: str, text: str) -> None:
        """Take a file of text, such as a record."""
        ...

    def figure(self, name: str, path: Path) -> None:
        """Take a figure, a PNG file, which is removed afterwards."""
        ...

    def close(self) -> None:
        """Write what is waiting."""
        ...


class Wanted(NamedTuple):
    """A tracker that was asked for: its kind, and its place if one was named."""

    kind: str
    place: str


def check_kinds(wanted: Sequence[str]) -> list[Wanted]:
    """Parse what was asked for, and check that it is installed.

    Args:
        wanted: trackers, as ``kind`` or ``kind=place``.

    Raises:
        UsageError: if there is no such tracker, it is named twice, or its package is not installed.
    """
    found: list[Wanted] = []
    for each in wanted:
        kind, _, place = each.partition("=")
        if kind not in KINDS:
            raise UsageError(f'there is no tracker "{kind}"; {suggest(kind, list(KINDS))}')
        if kind in {one.kind for one in found}:
            raise UsageError(f'the tracker "{kind}" is named twice')
        with extras_needed():
            import_module(KINDS[kind])
        found.append(Wanted(kind, place))
    return found


@contextmanager
def tracking(
    wanted: Sequence[str], place: Path, about: About, note: Callable[[str], None] = lambda _: None
) -> Iterator["Tracking"]:
    """Open trackers.

    Args:
        wanted: as for `check_kinds`.
        place: a folder, in which each tracker that names no place has one of its own.
        about: what is tracked.
        note: called with a line if a tracker fails.

    Raises:
        UsageError: as `check_kinds`.
    """
    opened = Tracking(wanted, place, about, note)
    try:
        yield opened
    finally:
        opened.close()


class Tracking:
    """Trackers, of which one that fails is left out from then on: it must not take the work with it.

    Args:
        wanted: as for `tracking`, like the others.
        place: likewise.
        about: likewise.
        note: likewise.

    Raises:
        UsageError: as `check_kinds`.
    """

    def __init__(
        self,
        wanted: Sequence[str] = (),
        place: Path = Path(),
        about: About = About(name="", group=""),
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._note = note
        self._open = {
            each.kind: _tracker(each.kind, each.place or str(place / each.kind), about) for each in check_kinds(wanted)
        }

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """As `Tracker.scalars`, of all."""
        self._each(lambda tracker: tracker.scalars(values, step))

    def rows(self, rows: Sequence[Row]) -> None:
        """As `Tracker.rows`, of all."""
        self._each(lambda tracker: tracker.rows(rows))

    def text(self, name: str, text: str) -> None:
        """As `Tracker.text`, of all."""
        self._each(lambda tracker: tracker.text(name, text))

    def figure(self, name: str, path: Path) -> None:
        """As `Tracker.figure`, of all."""
        self._each(lambda tracker: tracker.figure(name, path))

    def close(self) -> None:
        """As `Tracker.close`, of all."""
        self._each(lambda tracker: tracker.close())

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for kind, tracker in [*self._open.items()]:
            try:
                act(tracker)
            except Exception as error:  # noqa: BLE001 - a full disk, a server that is gone, a bug of its package
                del self._open[kind]
                self._note(f"{kind} stopped, and gets no further numbers: {one_line(error)}")


def _tracker(kind: str, place: str, about: About) -> Tracker:
    if kind == "tensorboard":
        from vosbench.track.tensorboard import TensorBoard

        return TensorBoard(place, about)
    if kind == "mlflow":
        from vosbench.track.mlflow import MLflow

        return MLflow(place, about)
    from vosbench.track.wandb import WandB

    return WandB(place, about)
