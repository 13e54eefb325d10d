"""The examples of every step, sampled ahead: which they are depends on the seed and the step, and on nothing else."""

import signal
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vosbench.engine.pool import Prepared
from vosbench.errors import DataError, UsageError, VosbenchError
from vosbench.method import Example, Material, Recipe
from vosbench.train.distributed import Group
from vosbench.train.settings import Settings

Batch = Mapping[str, Tensor]
Place = tuple[int, int]
"""A step, and the index of an example among all that are ever sampled."""


def draw(recipe: Recipe, material: Material, seed: int, place: Place) -> Example:
    """Sample one example again, such as one that a message names.

    Example *i* of step *s* has the index ``s · batch + i``; its source of chance is seeded by ``(seed, index)``.
    """
    step, index = place
    return recipe.example(material, step, np.random.default_rng([seed, index]))


@dataclass(frozen=True, slots=True)
class Shares:
    """How the examples of a step are shared out.

    The step's examples are cut into ``accumulate`` parts, and every part among the processes: so a part holds the same
    examples however many processes there are.

    >>> [list(share) for share in Shares(batch=8, accumulate=2, rank=1, world=2).of(3)]
    [[26, 27], [30, 31]]
    """

    batch: int
    accumulate: int
    rank: int
    world: int

    def of(self, step: int) -> list[range]:
        """Indices of this process's examples, part by part."""
        return [self.share(step, part, self.rank) for part in range(self.accumulate)]

    def share(self, step: int, part: int, rank: int) -> range:
        """Indices of the examples of one part that one process has."""
        size = self.batch // (self.accumulate * self.world)
        start = step * self.batch + (part * self.world + rank) * size
        return range(start, start + size)


def shares(batch: int, settings: Settings, group: Group) -> Shares:
    """Share out the examples of steps.

    Raises:
        UsageError: if they do not divide evenly.
    """
    parts = settings.accumulate * group.world
    if settings.accumulate < 1 or batch % parts:
        raise UsageError(
            f"a batch of {batch} examples cannot be cut evenly into --accumulate {settings.accumulate} × "
            f"{group.world} processes; make it a multiple of {parts} with --set batch="
        )
    return Shares(batch, settings.accumulate, group.rank, group.world)


def feed(
    recipe: Recipe, material: Material, shared: Shares, settings: Settings, start: int
) -> Generator[tuple[Batch, ...], None, None]:
    """Yield the batches of one step after the other, on the CPU: this process's share of each part.

    Args:
        recipe: samples examples.
        material: what from.
        shared: who has which.
        settings: seed and worker processes.
        start: the first step; the last is the plan's.

    Raises:
        DataError: if an example cannot be sampled, or examples differ in names or shapes.
    """
    places = [
        [(step, index) for index in share] for step in range(start, recipe.plan.steps) for share in shared.of(step)
    ]
    loader = DataLoader(
        _Draws(recipe, material, settings.seed),
        batch_sampler=places,
        num_workers=settings.workers,
        collate_fn=_stack,
        worker_init_fn=_begin_worker,
        pin_memory=torch.device(settings.device).type == "cuda",
        generator=torch.Generator(),  # else the loader draws from the default one
    )
    parts: list[Batch] = []
    for batch in _begin(loader):
        if isinstance(batch, VosbenchError):
            raise batch
        parts.append(batch)
        if len(parts) == shared.accumulate:
            yield tuple(parts)
            parts = []


def _begin(loader: DataLoader[Any]) -> Iterator[Batch | VosbenchError]:
    """Start the worker processes while OpenCV has no threads: they would be missing in a forked process."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(0)
    try:
        return iter(loader)
    finally:
        cv2.setNumThreads(threads)


class _Draws(Dataset[Example | VosbenchError]):
    def __init__(self, recipe: Recipe, material: Material, seed: int) -> None:
        self._prepared = Prepared()
        self._drawn_from = recipe, material, seed

    def __getitem__(self, place: Place) -> Example | VosbenchError:
        # An error raised in a worker would come back as many lines of another one.
        try:
            return draw(*self._drawn_from, place)
        except VosbenchError as error:
            return error


def _stack(examples: Sequence[Example | VosbenchError]) -> Batch | VosbenchError:
    drawn: list[Example] = []
    for example in examples:
        if isinstance(example, VosbenchError):
            return example
        drawn.append(example)
    shapes = [{name: np.shape(array) for name, array in example.items()} for example in drawn]
    odd = next((shape for shape in shapes if shape != shapes[0]), None)
    if odd is not None:
        return DataError(f"the recipe samples unequal examples for one batch: {shapes[0]} and {odd}")
    return {name: torch.from_numpy(np.stack([example[name] for example in drawn])) for name in drawn[0]}


def _begin_worker(_worker: int) -> None:
    """Leave interrupts to the process that trains, and end when it says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
