"""What protocols do otherwise: in words, as a table of one method under several, and what each choice is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vosbench.dataset import DatasetProtocol
from vosbench.metrics.measures import headings
from vosbench.records.record import Record
from vosbench.report.table import Cell, Number, Table

WORDS = {
    "inner": "frames 1…N−2",
    "annotated-inner": "the annotated frames but the first and the last",
    "after-first": "the annotated frames but the first",
    "before-last": "the annotated frames but the last",
    "before-last-two": "the annotated frames but the last two",
    "all": "all annotated frames",
    "score": "scored",
    "skip": "skipped",
    "skip-both": "skipped if the prediction is empty too",
    "refuse": "refused",
    "prediction": "resized",
    "gt": "the annotation of frame 0",
    "video": "frames, then videos",
    "category": "frames, videos, then categories",
    "object": "frames, then objects",
    "frame": "all frames alike",
    "foreground": "one mask per frame",
    "objects": "matched objects",
    "regions": "matched regions",
}
"""Values of a protocol's choices in words; ``t_first="skip"`` is the exception."""
CHOICES = {
    "unit": "scores",
    "frames": "counts",
    "empty": "frames without an object are",
    "resize": "masks of another size are",
    "annotations_above": "grey annotations are the object above level",
    "maps_above": "soft maps are the object above level",
    "tolerance": "F tolerates, as a fraction of the diagonal,",
    "t_first": "T starts with",
    "junctions": "T splits crossing contours in the order",
    "saliency": "saliency follows",
    "average": "means are over",
}
"""Choices of a protocol that move a number, and what is said of them."""
NEEDS = {"tolerance": ("F",), "t_first": ("T",), "junctions": ("T",)}
"""Measures that a choice concerns, if not all."""


def apart(one: DatasetProtocol, other: DatasetProtocol) -> list[str]:
    """The choices in which two protocols differ and that concern a measure of both.

    >>> apart(DatasetProtocol(name="a", frames="inner"), DatasetProtocol(name="b", t_first="skip"))
    ['frames']
    """
    shared = set(one.measures) & set(other.measures)
    return [
        name
        for name in CHOICES
        if getattr(one, name) != getattr(other, name) and (name not in NEEDS or shared & set(NEEDS[name]))
    ]


def in_words(name: str, protocol: DatasetProtocol) -> str:
    """The value of a choice in words."""
    value = getattr(protocol, name)
    if name == "t_first" and value == "skip":
        return "the first scored frame"
    if value is None:
        return "none" if name == "saliency" else "of the dataset"
    return WORDS.get(value, str(value)) if name not in {"junctions", "saliency"} else str(value)


def otherwise(protocol: DatasetProtocol, usual: DatasetProtocol) -> str:
    """What a protocol does otherwise than the usual one, in a sentence.

    >>> of = DatasetProtocol
    >>> otherwise(of(name="a", frames="all", average="frame"), of(name="b", frames="inner"))
    'counts all annotated frames, not frames 1…N−2; means are over all frames alike, not frames, then videos'
    """
    said = [
        f"{CHOICES[name]} {in_words(name, protocol)}, not {in_words(name, usual)}"
        for name in apart(protocol, usual)
        if name != "saliency" or usual.saliency is not None
    ]
    added = [name for name in protocol.measures if name not in usual.measures]
    absent = [name for name in usual.measures if name not in protocol.measures]
    said += [f"measures {', '.join(added)}" + (f", not {', '.join(absent)}" if absent else "")] if added else []
    said += [protocol.about] if protocol.saliency and usual.saliency is None and protocol.about else []
    said += [f"does not measure {', '.join(absent)}"] if absent and not added else []
    return "; ".join(said) or "does the same"


def protocols_table(records: Mapping[str, Record], sentences: Mapping[str, str], left_out: Mapping[str, str]) -> Table:
    """One method under several protocols, a line each, with differences from the first.

    Args:
        records: protocol → record, the usual one first.
        sentences: protocol → what it does otherwise; empty for the usual one.
        left_out: protocol → why it has no line.
    """
    keys = list(dict.fromkeys(key for record in records.values() for key in record.scores))
    usual = next(iter(records.values()))
    rows: list[tuple[Cell, ...]] = []
    for name, record in records.items():
        cells: list[Cell] = []
        for key in keys:
            value, base = record.scores.get(key), usual.scores.get(key)
            change = None if record is usual or value is None or base is None else value - base
            cells.append(None if value is None else Number(value, 3, change=change))
        rows.append((name, *cells))
    notes = [f"{usual.method}: {usual.place}; in parentheses, the difference from {next(iter(records))}"]
    notes += [
        f"{name}: {sentences[name]}" if sentences[name] else f"{name}: {records[name].signature}" for name in records
    ]
    notes += [f"{name}: left out: {reason}" for name, reason in left_out.items()]
    return Table(columns=("protocol", *headings(keys)), rows=rows, notes=tuple(notes), keys=("", *keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What one choice is worth.

    Attributes:
        choice: what it is about.
        first: the first record's choice.
        second: the second record's.
        scores: measure → what it becomes, with the second record's choice, more than with the first's; None if
            unknown.
        reason: why nothing is known, if so.
    """

    choice: str
    first: str
    second: str
    scores: Mapping[str, float | None]
    reason: str = ""


def worth_table(worths: Sequence[Worth], keys: Sequence[str], notes: Sequence[str]) -> Table:
    """What each choice is worth, a line each."""
    rows: list[tuple[Cell, ...]] = [
        (
            worth.choice,
            worth.first,
            worth.second,
            *(None if (value := worth.scores.get(key)) is None else Number(value, 4, signed=True) for key in keys),
        )
        for worth in worths
    ]
    reasons = [f"{worth.choice}: {worth.reason}" for worth in worths if worth.reason]
    return Table(
        columns=("choice", "first", "second", *headings(keys)),
        rows=rows,
        notes=(*notes, *reasons),
        keys=("", "", "", *keys),
        labels=3,
    )
