"""Pieces of long videos, so that one video does not keep a cluster waiting.

A method whose maps depend on no others may begin anywhere. Workers then write the maps of several pieces of a video at
once; afterwards the video is a unit like any other, whose maps are there. So pieces change what is waited for, and no
byte: if one fails, what later ones have written is removed, and the unit fails where it would have failed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from vosbench.engine.engine import Engine, Outcome
from vosbench.engine.threads import computing
from vosbench.method.predict import Stateless, write_part
from vosbench.runner.units import Segmented, Unit, ready, segment

LEAST = 64
"""Frames of a piece, at least, so that it takes a second or more."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The frames of a unit from ``start`` to before ``stop``."""

    unit: Unit
    start: int
    stop: int

    @property
    def frames(self) -> str:
        """Which frames, in words."""
        return f"frames {self.start} to {self.stop - 1}"

    @property
    def length(self) -> int:
        """Its frames."""
        return self.stop - self.start


def split(units: Sequence[Unit], workers: int) -> list[Piece]:
    """The pieces of videos that take longer than a worker's share of all of them; none of methods with a memory."""
    pieces: list[Piece] = []
    share = sum(len(unit.video) for unit in units) / workers
    for unit in units:
        length, batch = len(unit.video), unit.setup.batch
        if {"previous", "whole-video"} & {*unit.method.needs} or length <= share or length < 2 * LEAST:
            continue
        size = batch * ceil(max(share / 2, LEAST) / batch)  # batches begin at the same frames as in one go
        pieces += [Piece(unit, start, min(start + size, length)) for start in range(0, length, size)]
    return pieces


def write(piece: Piece) -> None:
    """Write the missing maps of a piece; nothing if the predictor does not say that it keeps nothing.

    Raises:
        VideoError: if the method fails.
    """
    predictor = ready(piece.unit).predictor
    if isinstance(predictor, Stateless) and type(predictor).state is Stateless.state:
        folder = piece.unit.folder / piece.unit.video.name
        with computing(piece.unit.setup.threads):
            write_part(predictor, piece.unit.video, folder, piece.start, piece.stop)


def outcomes(
    units: Sequence[Unit],
    engine: Engine,
    *,
    name: Callable[[Unit], str] = lambda unit: unit.name,
    cost: Callable[[Unit], float] | None = None,
) -> Iterator[tuple[Unit, Outcome[Segmented]]]:
    """Segment units on an engine, long ones in pieces first.

    Args:
        units: the units.
        engine: where; it is cut as its ``size`` says, its number of workers.
        name: what to call a unit; names are unique.
        cost: those that cost most are begun first; by their frames if None.

    Yields:
        one outcome per unit, as soon as it is known.
    """
    pieces = split(units, getattr(engine, "size", 1))
    names = {name(piece.unit) for piece in pieces}
    cut = [unit for unit in units if name(unit) in names]
    first: list[Piece | Unit] = [*pieces, *(unit for unit in units if name(unit) not in names)]
    good: dict[str, int] = {}

    def called(item: Piece | Unit) -> str:
        return f"{name(item.unit)}, {item.frames}" if isinstance(item, Piece) else name(item)

    def costs(item: Piece | Unit) -> float:
        if cost is None:
            return float(item.length)
        return cost(item.unit if isinstance(item, Piece) else item)

    for outcome in engine.run(_work, first, name=called, cost=costs):
        item = first[outcome.index]
        if isinstance(item, Piece):
            if outcome.failure is not None:  # the unit tells it again
                good[name(item.unit)] = min(item.stop, good.get(name(item.unit), item.stop))
        else:
            yield item, outcome  # type: ignore[misc]
    for unit in cut:
        for frame in unit.video.frames[good.get(name(unit), len(unit.video)) :]:
            (unit.folder / unit.video.name / f"{frame.stem}.png").unlink(missing_ok=True)
    for whole in engine.run(segment, cut, name=name, cost=costs) if cut else ():
        yield cut[whole.index], whole


def _work(item: Piece | Unit) -> Segmented | None:
    if isinstance(item, Unit):
        return segment(item)
    write(item)
    return None
