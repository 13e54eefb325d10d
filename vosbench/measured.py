"""The measured counterpart of a printed number: which record is of the same method, and its value in the same unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vosbench.groups import CATEGORY_MEAN, SEQUENCE_MEAN, category_means
from vosbench.literature import canonical
from vosbench.record import Record
from vosbench.registry import load_dataset


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of a paper's table is about.

    Attributes:
        dataset: as vosbench calls it.
        split: its split.
        measure: a record's key, or ``"delta_…"`` of one; others have no counterpart.
        category: of objects, or `CATEGORY_MEAN` or `SEQUENCE_MEAN`; empty for the whole split.
        unit: ``"%"`` and ``"points"`` are a hundred times a record's value.
        digits: decimals as printed.
    """

    dataset: str
    split: str
    measure: str
    category: str
    unit: str
    digits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparts:
    """The records that may stand beside a paper's numbers.

    Attributes:
        records: dataset → method, by its one name → the record.
        unused: lines that say which records of these datasets do not, and why.
        reference: the method that differences within the table are taken from.
    """

    records: Mapping[str, Mapping[str, Record]]
    unused: Sequence[str] = ()
    reference: str = ""

    def value(self, method: str, line: Line) -> float | None:
        """The measured value in the unit of the line, unrounded; None where there is none."""
        known = self.records.get(line.dataset, {})
        if line.measure.startswith("delta_"):
            pair = [
                _score(known.get(name), line, line.measure.removeprefix("delta_")) for name in (method, self.reference)
            ]
            return None if pair[0] is None or pair[1] is None or method == self.reference else pair[0] - pair[1]
        return _score(known.get(method), line, line.measure)


def counterparts(
    records: Sequence[Record], protocols: Mapping[str, str], lines: Sequence[Line], reference: str = ""
) -> Counterparts:
    """Sort records by dataset and method.

    Args:
        records: any.
        protocols: dataset → name of the protocol that its numbers are compared under.
        lines: those of the table.
        reference: see `Counterparts`.
    """
    splits = {(line.dataset, line.split) for line in lines}
    found: dict[str, dict[str, Record]] = {name: {} for name in protocols}
    unused: dict[str, list[str]] = {}
    for each in records:
        if (each.dataset, each.split) not in splits:
            continue
        protocol = current(each.dataset, protocols[each.dataset])
        known = found[each.dataset]
        name = canonical(each.method, each.provenance.options)
        reason = ""
        if each.shortcomings:
            reason = ", ".join(each.shortcomings)
        elif each.protocol != protocol:
            reason = f"under {each.protocol}, not {protocol}"
        elif name in known:
            reason = f'"{known[name].method}" is {name}, too'
        if reason:
            unused.setdefault(f"on {each.dataset}, {reason}", []).append(f'"{each.method}"')
        else:
            known[name] = each
    left_out = [f"records left out, {reason}: {', '.join(names)}" for reason, names in unused.items()]
    return Counterparts(records=found, unused=left_out, reference=reference)


def current(dataset: str, protocol: str) -> str:
    """A protocol of a dataset with its version."""
    versions = {each.name: each.version for each in load_dataset(dataset).protocols}
    return f"{protocol}@{versions[protocol]}"


def _score(record: Record | None, line: Line, measure: str) -> float | None:
    if record is None:
        return None
    raw = record.scores.get(measure)
    if line.category:
        listing = load_dataset(line.dataset).listing(line.split)
        raw = category_means(record, listing, measure).get(line.category)
    if raw is None:
        return None
    return 100 * raw if line.unit in {"%", "points"} else raw


__all__ = ["CATEGORY_MEAN", "SEQUENCE_MEAN", "Counterparts", "Line", "counterparts", "current"]
