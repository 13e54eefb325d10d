"""Which numbers of a line are the best and the second best, as a reader sees them."""

from collections.abc import Sequence
from typing import Literal

Better = Literal["higher", "lower", ""]
Mark = Literal["best", "second", ""]
ARROWS = {"higher": "↑", "lower": "↓", "": ""}


def mark(shown: Sequence[float | None], better: Better, groups: Sequence[str] = ()) -> list[Mark]:
    """Mark the best and the second best of numbers that compete.

    Equal numbers are marked alike, and the second best is the next other number. A number that competes with none is
    not marked.

    Args:
        shown: the numbers, rounded as they are shown, so that what looks equal is equal; None does not compete.
        better: which are better; nothing is marked where it is empty.
        groups: the group of each, within which it competes; one group where empty.

    >>> mark([0.7, 0.9, None, 0.9, 0.8], "higher")
    ['', 'best', '', 'best', 'second']
    >>> mark([0.2, 0.1, 0.3], "lower", ["a", "b", "b"])
    ['', 'best', 'second']
    """
    marks: list[Mark] = [""] * len(shown)
    for group in dict.fromkeys(groups or ("",)):
        members = [index for index in range(len(shown)) if not groups or groups[index] == group]
        known = [value for index in members if (value := shown[index]) is not None]
        if not better or len(known) < 2:
            continue
        ranked = sorted(set(known), reverse=better == "higher")
        for index in members:
            if shown[index] == ranked[0]:
                marks[index] = "best"
            elif len(ranked) > 1 and shown[index] == ranked[1]:
                marks[index] = "second"
    return marks
