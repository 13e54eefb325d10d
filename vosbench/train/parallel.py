"""Data parallel training: processes that ``torchrun`` has started take steps together, as one process would.

Gradients are averaged once per step, and batch normalisation takes its statistics over all processes. What a network
computes is then what one process computes from the same examples, but for rounding and dropout.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from vosbench.errors import UsageError
from vosbench.train.batch_norm import SyncedBatchNorm

PATIENCE = timedelta(hours=6)
"""How long the others wait while one process validates."""


@dataclass(frozen=True, slots=True)
class Group:
    """This process among those that train.

    Attributes:
        rank: its number.
        world: how many there are.
        device: where it computes.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0


def join(device: str) -> Group:
    """Join the processes of ``torchrun``, by what it says in the environment; alone where it says nothing.

    Raises:
        UsageError: where the device cannot be used.
    """
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f'device "{device}" cannot be used ({reason}); try "cpu"') from error
    if found.type == "cuda":
        torch.cuda.set_device(found)
    if world > 1:
        distributed.init_process_group("nccl" if found.type == "cuda" else "gloo", timeout=PATIENCE)
    return Group(rank, world, found)


def leave(group: Group) -> None:
    """End what `join` began."""
    if group.world > 1:
        distributed.destroy_process_group()


def wait(group: Group) -> None:
    """Wait until every process is here."""
    if group.world > 1:
        distributed.barrier()


def total(values: Tensor, group: Group) -> Tensor:
    """The sum of every process's values."""
    if group.world > 1:
        distributed.all_reduce(values)
    return values


def average_gradients(parameters: Iterable[nn.Parameter], group: Group) -> None:
    """Replace every gradient by its mean over the processes, in one exchange."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if group.world == 1 or not gradients:
        return
    flat = total(torch.cat([gradient.flatten() for gradient in gradients]), group) / group.world
    means = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view(gradient.shape))


def synchronise(net: nn.Module, group: Group) -> None:
    """Make every 2-d batch normalisation of a network take its statistics over all processes; once per network."""
    if group.world == 1:
        return
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            kind = type(layer)
            # Beneath a subclass, so that what it adds to batch normalisation stays.
            bases = (SyncedBatchNorm,) if kind is nn.BatchNorm2d else (kind, SyncedBatchNorm)
            layer.__class__ = type(f"Synced{kind.__name__}", bases, {})
