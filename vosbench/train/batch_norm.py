"""Batch normalisation over the batches of all processes, on any device; torch's own needs a GPU."""

from typing import Any

import torch
from torch import Tensor, distributed, nn


class SyncedBatchNorm(nn.BatchNorm2d):
    """`torch.nn.BatchNorm2d` whose statistics are those of the examples of all processes."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - named so by torch
        """Normalise (B, C, h, w); outside training as torch does."""
        if not self.training:
            return super().forward(input)
        normalised, mean, variance, count = _Normalise.apply(input, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        self._follow(mean, variance * (count / (count - 1).clamp(min=1)))
        return normalised  # type: ignore[no-any-return]

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Let the running statistics follow; the variance is the unbiased one, as in torch."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


class _Normalise(torch.autograd.Function):
    """y = (x − mean) / √(variance + eps) · weight + bias; statistics are over all processes, in fp32 or better.

    The gradient with regard to x, of x̂ = (x − mean) / √(variance + eps) and g = weight · ∂y, is
    (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + eps) (Ioffe & Szegedy, 2015), means over all processes.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> tuple[Tensor, ...]:  # noqa: ANN401
        wide = _wide(x)
        sums = torch.cat([wide.sum((0, 2, 3)), wide.new_full((1,), x.numel() / x.shape[1])])
        distributed.all_reduce(sums)
        count = sums[-1]
        mean = sums[:-1] / count
        # A second exchange, since E[x²] − E[x]² would lose digits.
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
        # Of the parameters each process keeps its own share: gradients are averaged after the step's last part.
        return of_x.to(x.dtype), own[1].to(weight.dtype), own[0].to(weight.dtype), None


def _wide(x: Tensor) -> Tensor:
    """At least fp32."""
    return x if x.dtype == torch.float64 else x.float()


def _spread(values: Tensor) -> Tensor:
    """(C,) → (1, C, 1, 1)."""
    return values.view(1, -1, 1, 1)
