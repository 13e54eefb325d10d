"""Render a comparison of two records: tables for readers, JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from vosbench.metrics.measures import measure_of
from vosbench.metrics.significance import FEWEST
from vosbench.metrics.statistics import mean
from vosbench.records.compare import Delta, Effect
from vosbench.records.naming import labels
from vosbench.records.record import Record
from vosbench.report.escape import visible
from vosbench.report.table import Cell, Number, Table

By = Literal["measure", "attribute", "video"]
SHOWN = 5
"""How many of the worst and of the best videos to show."""


def tables(
    first: Record, second: Record, effects: Sequence[Effect], by: By | None = None, warnings: Sequence[str] = ()
) -> list[Table]:
    """Make the tables of a comparison.

    Args:
        first: the record called A.
        second: the record called B.
        effects: the result of `vosbench.records.compare.compare`.
        by: show only the measures, the attributes or all videos. If None: the measures, then the attributes and the
            worst and best videos by the first measure.
        warnings: how the records differ in what was scored; shown below the table of measures.

    Returns:
        the tables; the first names the protocol.
    """
    lead = effects[0]
    make = {
        "measure": lambda: [_by_measure(first, second, effects, warnings)],
        "attribute": lambda: [_by_attribute(effect) for effect in effects if effect.attributes],
        "video": lambda: [_by_video(effects)],
    }
    if by is not None:
        return make[by]()
    attributes = [_by_attribute(lead)] if lead.attributes else []
    return [*make["measure"](), *attributes, _worst_and_best(lead)]


def to_json(first: Record, second: Record, effects: Sequence[Effect], warnings: Sequence[str]) -> str:
    """The comparison as JSON with unrounded numbers, ending in a newline.

    ``measures`` → ``J_mean`` → ``difference``, ``interval``, ``p``, ``attributes``, and ``videos`` with the two values
    and the difference of each.
    """
    measures = {
        effect.measure: {
            **asdict(effect.compared),
            "attributes": {found.attribute: _without(asdict(found), "attribute") for found in effect.attributes},
            "videos": {
                delta.video: {**_without(asdict(delta), "video"), "difference": delta.difference}
                for delta in effect.deltas
            },
        }
        for effect in effects
    }
    named = {
        key: {"method": record.method, "signature": record.signature, "scores": record.scores}
        for key, record in (("first", first), ("second", second))
    }
    about = {"dataset": first.dataset, "split": first.split, **named, "warnings": list(warnings)}
    return visible(json.dumps({**about, "measures": measures}, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _by_measure(first: Record, second: Record, effects: Sequence[Effect], warnings: Sequence[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for effect in effects:
        found = effect.compared
        values = [delta.first for delta in effect.deltas], [delta.second for delta in effect.deltas]
        interval = (_signed(found.interval.low), _signed(found.interval.high))
        count = str(len(effect.deltas))
        row = (
            count,
            mean(values[0]),
            mean(values[1]),
            _signed(found.difference),
            *interval,
            Number(found.p, 4),
            _better(effect),
        )
        rows.append((measure_of(effect.measure).heading, *row))
    compared = effects[0].compared
    called = labels([first, second])
    notes = [
        f"A is {called[0]}, B is {called[1]}; means over videos, also of the differences A − B",
        f"{first.place}, {first.signature}",
        f"interval: BCa bootstrap over videos, {compared.interval.resamples} resamples, seed {compared.seed}",
        f"p: two-sided paired permutation, all swaps of videos, or {compared.interval.resamples} if there are more",
        "better: the interval excludes 0",
        *(f"warning: {warning}" for warning in warnings),
    ]
    unknown = [effect.measure for effect in effects if not measure_of(effect.measure).better]
    if unknown:
        notes.append(f"nobody here knows which way is better of: {', '.join(unknown)}; see --plugin")
    if len(effects[0].deltas) < FEWEST:
        notes.append(f"no interval for fewer than {FEWEST} videos")
    columns = ("measure", "videos", "A", "B", "A − B", "95% low", "95% high", "p", "better")
    return Table(columns=columns, rows=rows, notes=tuple(notes))


def _better(effect: Effect) -> str:
    """The method that is significantly better, if any."""
    low, high = effect.compared.interval.low, effect.compared.interval.high
    measure = measure_of(effect.measure)
    if low is None or high is None or low <= 0 <= high or not measure.better:
        return "–"
    return "A" if measure.gain(effect.compared.difference) > 0 else "B"


def _by_attribute(effect: Effect) -> Table:
    name = measure_of(effect.measure).heading
    rows: list[tuple[Cell, ...]] = [
        (
            found.attribute,
            str(found.videos),
            *map(_signed, (found.difference, found.interval.low, found.interval.high, found.others)),
        )
        for found in effect.attributes
    ]
    columns = ("attribute", "videos", f"{name}: A − B", "95% low", "95% high", "A − B of the others")
    notes = (f"the {len(rows)} intervals are not corrected for multiple comparisons",)
    return Table(columns=columns, rows=rows, notes=notes)


def _worst_and_best(effect: Effect) -> Table:
    """The videos on which A is worst and best compared with B."""
    ranked = sorted(effect.deltas, key=lambda delta: (measure_of(effect.measure).gain(delta.difference), delta.video))
    few = len(ranked) <= 2 * SHOWN
    chosen = ranked if few else [*ranked[:SHOWN], *ranked[-SHOWN:]]
    name = measure_of(effect.measure).heading
    notes = () if few else (f"the {SHOWN} videos on which A is worst and best compared with B; all: --by video",)
    rows = [_row(delta) for delta in chosen]
    return Table(columns=("video", f"{name}: A", "B", "A − B"), rows=rows, notes=notes)


def _by_video(effects: Sequence[Effect]) -> Table:
    names = list(dict.fromkeys(delta.video for effect in effects for delta in effect.deltas))
    differences = [{delta.video: delta.difference for delta in effect.deltas} for effect in effects]
    rows: list[tuple[Cell, ...]] = [(name, *(_signed(found.get(name)) for found in differences)) for name in names]
    headings = (f"{measure_of(effect.measure).heading}: A − B" for effect in effects)
    return Table(columns=("video", *headings), rows=rows)


def _row(delta: Delta) -> tuple[Cell, ...]:
    return (delta.video, delta.first, delta.second, _signed(delta.difference))


def _signed(value: float | None) -> Number | None:
    return None if value is None else Number(value, 3, signed=True)


def _without(named: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in named.items() if name != key}
