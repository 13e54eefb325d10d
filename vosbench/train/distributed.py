"""Processes that share every step, started by ``torchrun``, and their communication.

Batch normalisation over the examples of all processes is implemented here, since torch's needs a GPU.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn

from vosbench.method.nn import precision

PATIENCE = timedelta(hours=6)
"""How long the others wait while the leading process validates."""


@dataclass(frozen=True, slots=True)
class Group:
    """This process among those that train.

    Attributes:
        rank: its number, from 0.
        world: the number of processes.
        device: its device.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and messages."""
        return self.rank == 0


def join(device: str) -> Group:
    """Join the processes of ``torchrun``, by its environment variables; without them, this process is alone.

    Raises:
        UsageError: if the device cannot be used.
    """
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    target = precision.device(device)
    if target.type == "cuda":
        target = torch.device("cuda", target.index or 0)  # torch sets no device without an index
        torch.cuda.set_device(target)
    if world > 1:
        distributed.init_process_group("nccl" if target.type == "cuda" else "gloo", timeout=PATIENCE)
    return Group(rank, world, target)


def leave(group: Group) -> None:
    """Undo `join`."""
    if group.world > 1:
        distributed.destroy_process_group()


def wait(group: Group) -> None:
    """Wait for all processes."""
    if group.world > 1:
        distributed.barrier()


def total(values: Tensor, group: Group) -> Tensor:
    """Sum values over all processes."""
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
    """Let every 2-d batch normalisation use the statistics of all processes; call it once per network."""
    if group.world == 1:
        return
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            kind = type(layer)
            # Below a subclass in the order of bases, so that what it adds to batch normalisation is kept.
            bases = (SyncedBatchNorm,) if kind is nn.BatchNorm2d else (kind, SyncedBatchNorm)
            layer.__class__ = type(f"Synced{kind.__name__}", bases, {})


class SyncedBatchNorm(nn.BatchNorm2d):
    """`torch.nn.BatchNorm2d` with statistics over the examples of all processes."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Normalise (B, C, h, w); as in torch outside training."""
        if not self.training:
            return super().forward(input)
        normalised, mean, variance, count = _Normalise.apply(input, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        self._follow(mean, variance * (count / (count - 1).clamp(min=1)))
        return normalised  # type: ignore[no-any-return]

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics; the variance is unbiased, as in torch."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


class _Normalise(torch.autograd.Function):
    """y = (x − mean) / √(variance + eps) · weight + bias; statistics over all processes, in at least fp32.

    The gradient with respect to x, with x̂ = (x − mean) / √(variance + eps) and g = weight · ∂y, is
    (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + eps) (Ioffe & Szegedy, 2015), with means over all processes.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> tuple[Tensor, ...]:  # noqa: ANN401
        wide = _wide(x)
        sums = torch.cat([wide.sum((0, 2, 3)), wide.new_full((1,), x.numel() / x.shape[1])])
        distributed.all_reduce(sums)
        count = sums[-1]
        mean = sums[:-1] / count
        # A second exchange, since E[x²] − E[x]² would lose precision.
        squares = (wide - _spread(mean)).square().sum((0, 2, 3))
        distributed.all_reduce(squares)
        variance = squares / count
        inverse = torch.rsqrt(variance + eps)
        y = (wide - _spread(mean)) * _spread(inverse)
        if weight is not None and bias is not None:
            y = y * _spread(weight) + _spread(bias)
        ctx.save_for_backward(x, weight, mean, inverse, count)
        ctx.mark_non_differentiable(mean, variance, count)
        return y.to(x.dtype), mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, weight, mean, inverse, count = ctx.saved_tensors
        gradient = _wide(gradients[0])
        normal = (_wide(x) - _spread(mean)) * _spread(inverse)
        own = torch.stack([gradient.sum((0, 2, 3)), (gradient * normal).sum((0, 2, 3))])
        sums = own.clone()
        distributed.all_reduce(sums)
        offset, slope = sums / count
        scale = inverse if weight is None else inverse * weight
        of_x = (gradient - _spread(offset) - normal * _spread(slope)) * _spread(scale)
        if weight is None:
            return of_x.to(x.dtype), None, None, None
        # Gradients of parameters are not summed here: they are averaged after the last part of the step.
        return of_x.to(x.dtype), own[1].to(weight.dtype), own[0].to(weight.dtype), None


def _wide(x: Tensor) -> Tensor:
    """Convert to at least fp32."""
    return x if x.dtype == torch.float64 else x.float()


def _spread(values: Tensor) -> Tensor:
    """(C,) → (1, C, 1, 1)."""
    return values.view(1, -1, 1, 1)
