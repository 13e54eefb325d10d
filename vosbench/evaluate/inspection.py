"""Look at the masks of a video before they are scored, as scoring reads them.

Conventions:
    Coverage is the share of a frame's pixels that belong to the object. Overlap is the Jaccard index of consecutive
    masks. How suspicious a mask is, from 0 to 1, only orders masks for a look at them; it says nothing about how good
    they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from vosbench.errors import DataError
from vosbench.evaluate.predictions import Reading
from vosbench.evaluate.task import Task
from vosbench.images import read_annotation, read_packed
from vosbench.images.recognition import Looks
from vosbench.metrics.packed import Packed
from vosbench.metrics.packed_scores import region_similarity

NEIGHBOURS = 2
"""Masks before and after, whose coverage is compared."""
JUMP = 2.0
"""Factor by which coverage may differ from the neighbours' before it is suspicious."""
APART = 0.3
"""Overlap with both neighbours below which a mask is suspicious."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A mask.

    Attributes:
        index: its frame.
        file: its name.
        size: (H, W).
        coverage: share of object pixels.
        overlap: with the mask of the frame before; None if there is none, or one of another size.
        problem: why scoring would refuse it; empty if it would not.
        scored: whether the protocol scores this frame.
    """

    index: int
    file: str
    size: tuple[int, int] = (0, 0)
    coverage: float = 0.0
    overlap: float | None = None
    problem: str = ""
    scored: bool = True


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a mask deserves a look.

    Attributes:
        video: its video.
        index: its frame.
        level: from 0 to 1.
        reason: for the reader.
    """

    video: str
    index: int
    level: float
    reason: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """The masks of a video.

    Attributes:
        video: its name.
        frames: number of frames.
        masks: what was seen, by frame.
        missing: scored frames without a mask.
        looks: what the scored masks contain, if codecs are being recognised.
        others: what masks contain that are not scored.
    """

    video: str
    frames: int
    masks: tuple[Seen, ...]
    missing: tuple[int, ...]
    looks: Looks = field(default_factory=dict)
    others: Looks = field(default_factory=dict)

    @property
    def empty(self) -> list[int]:
        """Frames of masks without object."""
        return [seen.index for seen in self.masks if not seen.problem and seen.coverage == 0]

    @property
    def full(self) -> list[int]:
        """Frames of masks that cover every pixel."""
        return [seen.index for seen in self.masks if seen.coverage == 1]

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """The (H, W) of the masks, the most frequent first."""
        sizes = [seen.size for seen in self.masks if not seen.problem]
        return sorted(set(sizes), key=lambda size: -sizes.count(size))


def inspect_video(task: Task) -> Inspected:
    """Look at all masks of a video; those that cannot be read are noted, as scoring would refuse them.

    Without annotations, all frames count as scored.
    """
    files = task.predictions.files[task.video.name]
    scored = set(task.scored) if task.video.annotations else set(range(len(task.video)))
    seen: dict[int, Seen] = {}
    last: tuple[int, Packed] | None = None
    # Masks of other frames tell nothing about the codec, as in scoring.
    with task.predictions.opened(task.video.name) as masks, task.predictions.opened(task.video.name) as others:
        for index in sorted(files):
            one, mask = _look(task, masks if index in scored else others, index, last, scored=index in scored)
            seen[index] = one
            last = None if mask is None else (index, mask)
    return Inspected(
        video=task.video.name,
        frames=len(task.video),
        masks=tuple(seen.values()),
        missing=tuple(sorted(scored - set(files))),
        looks=masks.looks,
        others=others.looks,
    )


def _look(
    task: Task, masks: Reading, index: int, last: tuple[int, Packed] | None, *, scored: bool
) -> tuple[Seen, Packed | None]:
    file = task.predictions.files[task.video.name][index]
    try:
        check = None
        if scored and index in task.video.annotations:
            shape = read_annotation(task.video.annotations[index], task.video.codec).shape
            check = task.checks(index, shape)
        mask = masks.read(index, read_packed, check)
    except DataError as error:
        return Seen(index, file, problem=str(error), scored=scored), None
    overlap = None
    if last is not None and last[0] == index - 1 and last[1].shape == mask.shape:
        overlap = region_similarity(last[1], mask)
    coverage = mask.count() / (mask.height * mask.width)
    return Seen(index, file, mask.shape, coverage, overlap, scored=scored), mask


def suspicions(videos: Sequence[Inspected], number: int = 10) -> list[Suspicion]:
    """The masks that most deserve a look, the most suspicious first."""
    found = [suspicion for video in videos for suspicion in _suspicions(video)]
    return sorted(found, key=lambda each: -each.level)[:number]


def _suspicions(video: Inspected) -> Iterator[Suspicion]:
    usual = video.sizes[0] if video.sizes else (0, 0)
    readable = {seen.index: seen for seen in video.masks if not seen.problem}
    for seen in video.masks:
        around = [
            readable[at].coverage
            for at in range(seen.index - NEIGHBOURS, seen.index + NEIGHBOURS + 1)
            if at != seen.index and at in readable
        ]
        level, reason = _suspicion(seen, usual, median(around) if around else None, readable)
        if level:
            yield Suspicion(video.video, seen.index, level, reason)


def _suspicion(
    seen: Seen, usual: tuple[int, int], around: float | None, readable: dict[int, Seen]
) -> tuple[float, str]:
    if seen.problem:
        return 1.0, seen.problem if seen.scored else f"{seen.problem} (the protocol does not score this frame)"
    if seen.size != usual:
        return 0.95, f"{seen.size[1]}×{seen.size[0]}, but other masks of the video are {usual[1]}×{usual[0]}"
    if seen.coverage == 1:
        return 0.9, "covers every pixel"
    if seen.coverage == 0:
        return (0.9, "empty, but its neighbours are not") if around else (0.5, "empty, like its neighbours")
    if around is None:
        return 0.0, ""
    factor = max(seen.coverage, around) / max(min(seen.coverage, around), 1e-6)
    jump = (min(0.8, 0.3 + 0.1 * factor), f"covers {seen.coverage:.1%}, its neighbours {around:.1%}")
    after = readable.get(seen.index + 1)
    sides = [each for each in (seen.overlap, after.overlap if after else None) if each is not None]
    apart = (0.7 * (1 - max(sides)), f"overlaps its neighbours by {max(sides):.2f}") if sides else (0.0, "")
    candidates = [jump] * (factor > JUMP) + [apart] * (bool(sides) and max(sides) < APART)
    return max(candidates, default=(0.0, ""))
