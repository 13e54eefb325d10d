"""Render a comparison of records: tables for readers, JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal

from vosbench.metrics.measures import measure_of
from vosbench.metrics.significance import FEWEST, holm
from vosbench.metrics.statistics import mean
from vosbench.records.compare import Delta, Effect
from vosbench.records.naming import labels
from vosbench.records.record import Record
from vosbench.report.escape import visible
from vosbench.report.table import UNKNOWN, Cell, Number, Table

By = Literal["measure", "attribute", "video"]
SHOWN = 5
"""How many of the worst and of the best videos to show."""


def tables(
    records: Sequence[Record], effects: Sequence[Sequence[Effect]], by: By | None = None, warnings: Sequence[str] = ()
) -> list[Table]:
    """Make the tables of a comparison.

    Args:
        records: the reference, then the records that are compared with it.
        effects: the results of `vosbench.records.compare.compare`, of each of the others.
        by: show only the measures, the attributes or all videos. If None: the measures, then the attributes and, of two
            records, the worst and best videos by the first measure.
        warnings: how the records differ in what was scored; shown below the table of measures.

    Returns:
        the tables; the first names the protocol.
    """
    names = called(records)
    lead = [own[0] for own in effects]
    make = {
        "measure": lambda: [_by_measure(records, names, effects, warnings)],
        "attribute": lambda: [
            table
            for measure in _measures(effects)
            if (table := _by_attribute(names, [_of(own, measure) for own in effects])) is not None
        ],
        "video": lambda: [_by_video(names, effects)],
    }
    if by is not None:
        return make[by]()
    attributes = _by_attribute(names, lead)
    more = [_worst_and_best(names, lead[0])] if len(lead) == 1 else []
    return [*make["measure"](), *([attributes] if attributes else []), *more]


def called(records: Sequence[Record]) -> list[str]:
    """What to call the records: by their labels, with numbers if several have one."""
    found: list[str] = []
    for label in labels(records):
        number = 1 + sum(name.partition(" (")[0] == label for name in found)
        found.append(label if number == 1 else f"{label} ({number})")
    return found


def corrected(effects: Sequence[Sequence[Effect]]) -> list[dict[str, float]]:
    """Of each comparison, measure → p corrected for the number of comparisons of that measure."""
    found: list[dict[str, float]] = [{} for _ in effects]
    for measure in _measures(effects):
        having = [(at, effect) for at, own in enumerate(effects) if (effect := _of(own, measure)) is not None]
        for (at, _), p in zip(having, holm([effect.compared.p for _, effect in having]), strict=True):
            found[at][measure] = p
    return found


def to_json(records: Sequence[Record], effects: Sequence[Sequence[Effect]], warnings: Sequence[str]) -> str:
    """The comparison as JSON with unrounded numbers, ending in a newline.

    Of two records, ``measures`` → ``J_mean`` → ``difference``, ``interval``, ``p``, ``attributes``, and ``videos`` with
    the two values and the difference of each. Of more, ``comparisons`` is a list of these, with ``p_holm``.
    """

    def about(record: Record) -> dict[str, object]:
        return {"method": record.method, "signature": record.signature, "scores": record.scores}

    first, *others = records
    whole: dict[str, object] = {"dataset": first.dataset, "split": first.split, "first": about(first)}
    if len(others) == 1:
        whole |= {"second": about(others[0]), "warnings": list(warnings), "measures": _plain(effects[0], {})}
    else:
        pairs = zip(called(records)[1:], others, effects, corrected(effects), strict=True)
        whole["comparisons"] = [
            {"name": name, **about(other), "measures": _plain(own, holms)} for name, other, own, holms in pairs
        ]
        whole["warnings"] = list(warnings)
    return visible(json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _plain(effects: Sequence[Effect], holms: Mapping[str, float]) -> dict[str, object]:
    return {
        effect.measure: {
            **asdict(effect.compared),
            **({"p_holm": holms[effect.measure]} if holms else {}),
            "attributes": {found.attribute: _without(asdict(found), "attribute") for found in effect.attributes},
            "videos": {
                delta.video: {**_without(asdict(delta), "video"), "difference": delta.difference}
                for delta in effect.deltas
            },
        }
        for effect in effects
    }


def _by_measure(
    records: Sequence[Record], names: Sequence[str], effects: Sequence[Sequence[Effect]], warnings: Sequence[str]
) -> Table:
    reference, others = names[0], names[1:]
    several = len(others) > 1
    holms = corrected(effects)
    rows: list[tuple[Cell, ...]] = []
    for measure in _measures(effects):
        heading = measure_of(measure).heading
        having = [(at, effect) for at, own in enumerate(effects) if (effect := _of(own, measure)) is not None]
        if several:
            lead = having[0][1].deltas
            mean_of_first = mean([delta.first for delta in lead])
            rows.append((heading, reference, str(len(lead)), mean_of_first, *[None] * 5, UNKNOWN))
        for at, effect in having:
            found, count = effect.compared, str(len(effect.deltas))
            means = mean([delta.first for delta in effect.deltas]), mean([delta.second for delta in effect.deltas])
            ends = map(_signed, (found.difference, found.interval.low, found.interval.high))
            winner = _better(effect, reference, others[at])
            p = Number(found.p, 4)
            if several:
                corrected_p = Number(holms[at][measure], 4)
                rows.append((heading, others[at], count, means[1], *ends, p, corrected_p, winner))
            else:
                rows.append((heading, count, *means, *ends, p, winner))
    difference = f"{reference} − {'method' if several else others[0]}"
    named = ("measure", "method", "videos", "mean") if several else ("measure", "videos", reference, others[0])
    tail = (difference, "95% low", "95% high", "p", *(["p, Holm"] if several else []), "better")
    notes = _notes(records, reference, effects, warnings)
    return Table(columns=(*named, *tail), rows=rows, notes=tuple(notes), labels=3 if several else 2)


def _notes(
    records: Sequence[Record], reference: str, effects: Sequence[Sequence[Effect]], warnings: Sequence[str]
) -> list[str]:
    compared = effects[0][0].compared
    notes = [
        f"reference: {reference}; means over videos, also of the differences",
        f"{records[0].place}, {records[0].signature}",
        f"interval: BCa bootstrap over videos, {compared.interval.resamples} resamples, seed {compared.seed}",
        f"p: two-sided paired permutation, all swaps of videos, or {compared.interval.resamples} if there are more",
    ]
    if len(effects) > 1:
        notes.append(f"p, Holm: corrected for the {len(effects)} comparisons of each measure")
    notes += ["better: the interval excludes 0", *(f"warning: {warning}" for warning in warnings)]
    unknown = [measure for measure in _measures(effects) if not measure_of(measure).better]
    if unknown:
        notes.append(f"nobody here knows which way is better of: {', '.join(unknown)}; see --plugin")
    if any(len(own[0].deltas) < FEWEST for own in effects):
        notes.append(f"no interval for fewer than {FEWEST} videos")
    return notes


def _measures(effects: Sequence[Sequence[Effect]]) -> list[str]:
    return list(dict.fromkeys(effect.measure for own in effects for effect in own))


def _of(effects: Sequence[Effect], measure: str) -> Effect | None:
    return next((effect for effect in effects if effect.measure == measure), None)


def _better(effect: Effect, first: str, second: str) -> str:
    """The method that is significantly better, if any."""
    low, high = effect.compared.interval.low, effect.compared.interval.high
    measure = measure_of(effect.measure)
    if low is None or high is None or low <= 0 <= high or not measure.better:
        return UNKNOWN
    return first if measure.gain(effect.compared.difference) > 0 else second


def _by_attribute(names: Sequence[str], effects: Sequence[Effect | None]) -> Table | None:
    """Differences by attribute, with intervals; None if there are no attributes."""
    known = [(name, effect) for name, effect in zip(names[1:], effects, strict=True) if effect and effect.attributes]
    if not known:
        return None
    heading = measure_of(known[0][1].measure).heading
    columns = ["attribute", "videos"]
    cells: dict[str, list[Cell]] = {}
    for name, _ in known:
        difference = f"{names[0]} − {name}"
        more = (difference, f"{difference} of the others") if len(known) > 1 else (difference, "of the others")
        ends = [f"{name}: 95% low", f"{name}: 95% high"] if len(known) > 1 else ["95% low", "95% high"]
        columns += [f"{heading}: {more[0]}", *ends, more[1]]
    for at, (_, effect) in enumerate(known):
        for found in effect.attributes:
            line = cells.setdefault(found.attribute, [found.attribute, str(found.videos)])
            line += [None] * (2 + 4 * at - len(line))
            line += map(_signed, (found.difference, found.interval.low, found.interval.high, found.others))
    rows = [(*line, *[None] * (len(columns) - len(line))) for line in cells.values()]
    notes = (f"the {len(rows) * len(known)} intervals are not corrected for multiple comparisons",)
    return Table(columns=tuple(columns), rows=rows, notes=notes, labels=2)


def _worst_and_best(names: Sequence[str], effect: Effect) -> Table:
    """The videos on which the reference is worst and best compared with the other."""
    ranked = sorted(effect.deltas, key=lambda delta: (measure_of(effect.measure).gain(delta.difference), delta.video))
    few = len(ranked) <= 2 * SHOWN
    chosen = ranked if few else [*ranked[:SHOWN], *ranked[-SHOWN:]]
    name = measure_of(effect.measure).heading
    first, second = names
    notes = () if few else (f"the {SHOWN} videos on which {first} is worst and best, of all; see --by video",)
    rows = [_row(delta) for delta in chosen]
    return Table(columns=("video", f"{name}: {first}", second, f"{first} − {second}"), rows=rows, notes=notes)


def _by_video(names: Sequence[str], effects: Sequence[Sequence[Effect]]) -> Table:
    shown = [(name, effect) for name, own in zip(names[1:], effects, strict=True) for effect in own]
    videos = list(dict.fromkeys(delta.video for _, effect in shown for delta in effect.deltas))
    differences = [{delta.video: delta.difference for delta in effect.deltas} for _, effect in shown]
    rows: list[tuple[Cell, ...]] = [(video, *(_signed(found.get(video)) for found in differences)) for video in videos]
    headings = (f"{measure_of(effect.measure).heading}: {names[0]} − {name}" for name, effect in shown)
    return Table(columns=("video", *headings), rows=rows)


def _row(delta: Delta) -> tuple[Cell, ...]:
    return (delta.video, delta.first, delta.second, _signed(delta.difference))


def _signed(value: float | None) -> Number | None:
    return None if value is None else Number(value, 3, signed=True)


def _without(named: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in named.items() if name != key}
