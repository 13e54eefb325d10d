"""Sample the examples of every step ahead; they depend only on the seed and the step."""

import gc
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
"""A step, and the index of an example among those of all steps."""


def sample(recipe: Recipe, material: Material, seed: int, place: Place) -> Example:
    """Sample a single example, such as one named in an error message.

    Example *i* of step *s* has the index ``s · batch + i``; its generator is seeded with ``(seed, index)``.
    """
    step, index = place
    return recipe.example(material, step, np.random.default_rng([seed, index]))


@dataclass(frozen=True, slots=True)
class Shares:
    """The division of a step's examples.

    They are split into ``accumulate`` parts, and each part among the processes, so that a part has the same examples
    for any number of processes.

    >>> [list(share) for share in Shares(batch=8, accumulate=2, rank=1, world=2).of(3)]
    [[26, 27], [30, 31]]
    """

    batch: int
    accumulate: int
    rank: int
    world: int

    def of(self, step: int) -> list[range]:
        """Indices of this process's examples, by part."""
        return [self.share(step, part, self.rank) for part in range(self.accumulate)]

    def share(self, step: int, part: int, rank: int) -> range:
        """Indices of the examples of one part in one process."""
        size = self.batch // (self.accumulate * self.world)
        start = step * self.batch + (part * self.world + rank) * size
        return range(start, start + size)


def shares(batch: int, settings: Settings, group: Group) -> Shares:
    """Divide the examples of steps.

    Raises:
        UsageError: if they cannot be divided evenly.
    """
    parts = settings.accumulate * group.world
    if settings.accumulate < 1 or batch % parts:
        raise UsageError(
            f"a batch of {batch} examples cannot be divided evenly into --accumulate {settings.accumulate} × "
            f"{group.world} processes; make it a multiple of {parts} with --set batch="
        )
    return Shares(batch, settings.accumulate, group.rank, group.world)


def feed(
    recipe: Recipe, material: Material, shared: Shares, settings: Settings, start: int
) -> Generator[tuple[Batch, ...], None, None]:
    """Yield this process's batches of each step, one per part, on the CPU.

    Args:
        recipe: samples examples.
        material: the training data.
        shared: the division of examples.
        settings: give the seed and the number of workers.
        start: the first step; the plan gives the last.

    Raises:
        DataError: if an example cannot be sampled, or examples differ in names or shapes.
    """
    places = [
        [(step, index) for index in share] for step in range(start, recipe.plan.steps) for share in shared.of(step)
    ]
    loader = DataLoader(
        _Samples(recipe, material, settings.seed),
        batch_sampler=places,
        num_workers=settings.workers,
        collate_fn=_stack,
        worker_init_fn=_begin_worker,
        pin_memory=torch.device(settings.device).type == "cuda",
        generator=torch.Generator(),  # otherwise the loader advances the default one
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
    """Start the workers while OpenCV has no threads, which a fork would not copy.

    Nothing from before the fork is collected in a worker: what waits for threads as it ends, such as a decoder's
    frames, would wait forever.
    """
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(0)
    gc.freeze()
    try:
        return iter(loader)
    finally:
        gc.unfreeze()
        cv2.setNumThreads(threads)


class _Samples(Dataset[Example | VosbenchError]):
    def __init__(self, recipe: Recipe, material: Material, seed: int) -> None:
        self._prepared = Prepared()
        self._sampled_from = recipe, material, seed

    def __getitem__(self, place: Place) -> Example | VosbenchError:
        # If it were raised in a worker, torch would wrap it in an error of many lines.
        try:
            return sample(*self._sampled_from, place)
        except VosbenchError as error:
            return error


def _stack(examples: Sequence[Example | VosbenchError]) -> Batch | VosbenchError:
    samples: list[Example] = []
    for example in examples:
        if isinstance(example, VosbenchError):
            return example
        samples.append(example)
    shapes = [{name: np.shape(array) for name, array in example.items()} for example in samples]
    odd = next((shape for shape in shapes if shape != shapes[0]), None)
    if odd is not None:
        return DataError(f"the recipe samples different examples for one batch: {shapes[0]} and {odd}")
    return {name: torch.from_numpy(np.stack([example[name] for example in samples])) for name in samples[0]}


def _begin_worker(_worker: int) -> None:
    """Leave SIGINT to the training process, and end on SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
