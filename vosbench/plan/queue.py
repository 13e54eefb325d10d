"""The order in which the videos of a plan are begun.

Conventions:
    Entries with the same predictor stand together, so that a worker loads a network once; of these groups, that with
    the longest video comes first, and in a group the longest video. So no long video is begun last, and at the end of
    the queue are the shortest videos of the group whose longest one is the shortest.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple


class Length(NamedTuple):
    """What the order depends on.

    Attributes:
        group: equal for items that share a predictor.
        frames: how long the item is.
    """

    group: Hashable
    frames: int


def order(lengths: Sequence[Length]) -> list[int]:
    """The order of items: their indices, in n log n steps.

    >>> order([Length("a", 3), Length("b", 9), Length("a", 5), Length("b", 1)])
    [1, 3, 2, 0]
    """
    longest: dict[Hashable, int] = {}
    first: dict[Hashable, int] = {}
    for index, (group, frames) in enumerate(lengths):
        longest[group] = max(frames, longest.get(group, 0))
        first.setdefault(group, index)

    def place(index: int) -> tuple[int, int, int, int]:
        group, frames = lengths[index]
        return -longest[group], first[group], -frames, index

    return sorted(range(len(lengths)), key=place)
