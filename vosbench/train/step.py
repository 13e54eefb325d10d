"""A step: forward and backward for each part, then one update; errors name the examples that failed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError
from vosbench.method import Recipe
from vosbench.train import distributed
from vosbench.train.data import Batch, Shares
from vosbench.train.distributed import Group

FULL = re.compile(r"out of memory|can't allocate|not enough memory|alloc_failed", re.IGNORECASE)


@dataclass(slots=True)
class Run:
    """The state of a training.

    Attributes:
        net: the network, on its device.
        optimiser: its groups have a ``scale`` of their learning rate.
        scaler: of the loss, against underflow in fp16; disabled otherwise.
        seed: of the whole training.
        dtype: of convolutions and products, or None for fp32.
        step: number of steps done.
        average: the moving average of the weights by name, if the plan has one.
        best: the best validation score, or None.
        seconds: of training so far.
    """

    net: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    seed: int
    dtype: torch.dtype | None
    average: dict[str, Tensor] | None = None
    step: int = 0
    best: float | None = None
    seconds: float = 0.0


def take_step(recipe: Recipe, run: Run, parts: Sequence[Batch], shared: Shares, group: Group) -> dict[str, float]:
    """Take a step.

    The seed, the step and the process determine the random numbers that `Recipe.losses` takes from torch's default
    generator, such as those of dropout; a checkpoint need not save its state.

    Args:
        recipe: computes the losses.
        run: the state, which is updated.
        parts: this process's share of the step's examples.
        shared: the division of examples.
        group: the processes.

    Returns:
        the terms of the loss, means over all examples of the step.

    Raises:
        DataError: if a loss is not finite; the weights are unchanged.
        UsageError: if the examples do not fit into memory, or are too few for batch normalisation.
    """
    try:
        return _step(recipe, run, parts, shared, group)
    except ValueError as error:
        if "more than 1 value per channel" in str(error):  # torch's batch normalisation
            raise UsageError(_too_few(shared)) from error
        raise
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or FULL.search(str(error)):
            raise UsageError(_does_not_fit(len(parts), shared, group)) from error
        raise


def _step(recipe: Recipe, run: Run, parts: Sequence[Batch], shared: Shares, group: Group) -> dict[str, float]:
    plan = recipe.plan
    torch.manual_seed(_seed(run.seed, run.step, group.rank))
    for settings in run.optimiser.param_groups:
        settings["lr"] = plan.lr * settings["scale"] * plan.rate(run.step)
    run.optimiser.zero_grad()
    terms = [_backward(recipe, run, part, len(parts), group) for part in parts]
    losses, flags = _finite_means(terms, group)
    if flags.any():
        raise DataError(_not_finite(run.step, losses, flags, parts, shared, group))
    parameters = _parameters(run.optimiser)
    distributed.average_gradients(parameters, group)
    if plan.clip:
        run.scaler.unscale_(run.optimiser)
        nn.utils.clip_grad_norm_(parameters, plan.clip)
    run.scaler.step(run.optimiser)
    run.scaler.update()
    if run.average is not None:
        follow(run.average, run.net, plan.ema, run.step)
    run.step += 1
    return losses


@torch.no_grad()
def follow(average: Mapping[str, Tensor], net: nn.Module, decay: float, step: int) -> None:
    """Move an average towards a network's weights: average ← d · average + (1 − d) · weights.

    d is ``decay``, but (1 + step) / (10 + step) in the first steps, so that random weights are soon forgotten. What is
    not a number with a fraction, such as a counter of batches, is copied.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    for name, values in net.state_dict().items():
        if values.is_floating_point():
            average[name].lerp_(values, share)
        else:
            average[name].copy_(values)


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _parameters(optimiser: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for settings in optimiser.param_groups for parameter in settings["params"]]


def _backward(recipe: Recipe, run: Run, part: Batch, parts: int, group: Group) -> Mapping[str, Tensor]:
    """Add a part's gradients and return the terms of its loss."""
    moved = {name: _moved(values, group.device) for name, values in part.items()}
    with torch.autocast(group.device.type, dtype=run.dtype, enabled=run.dtype is not None):
        terms = recipe.losses(run.net, moved, run.step)
        loss = torch.stack([term.float() for term in terms.values()]).sum()
    run.scaler.scale(loss / parts).backward()  # type: ignore[no-untyped-call]
    return {name: term.detach().float() for name, term in terms.items()}


def _moved(values: Tensor, device: torch.device) -> Tensor:
    form = torch.channels_last if values.dim() == 4 else torch.preserve_format
    return values.to(device=device, non_blocking=True, memory_format=form)


def _finite_means(terms: Sequence[Mapping[str, Tensor]], group: Group) -> tuple[dict[str, float], Tensor]:
    """Means over parts and processes, and (parts, processes) flags of those not finite, in one exchange."""
    values = torch.stack([torch.stack(list(losses.values())) for losses in terms])
    failed = values.new_zeros(len(terms), group.world)
    failed[:, group.rank] = (~values.isfinite().all(dim=1)).to(values.dtype)
    # Separate flags, since a sum that includes NaN does not tell which process it came from.
    exchanged = distributed.total(torch.cat([values.mean(dim=0), failed.flatten()]), group).cpu()
    means, flags = exchanged[: values.shape[1]] / group.world, exchanged[values.shape[1] :]
    return dict(zip(terms[0], means.tolist(), strict=True)), flags.view_as(failed)


def _not_finite(
    step: int, losses: Mapping[str, float], flags: Tensor, parts: Sequence[Batch], shared: Shares, group: Group
) -> str:
    """Name the examples of a loss that is not finite, and those not finite themselves; every process must call it."""
    broken = torch.zeros(shared.batch, device=group.device)
    for part, share in zip(parts, shared.of(step), strict=True):
        for values in part.values():
            finite = values.isfinite().flatten(1).all(dim=1)
            broken[[index % shared.batch for index, good in zip(share, finite.tolist(), strict=True) if not good]] = 1
    blamed = [step * shared.batch + place for place in distributed.total(broken, group).nonzero().flatten().tolist()]
    concerned = [index for part, rank in flags.nonzero().tolist() for index in shared.share(step, part, rank)]
    terms = ", ".join(f"{name} {value:g}" for name, value in losses.items())
    advice = (
        f"of these {_listed(blamed)} hold values that are not finite; see vosbench.train.sample"
        if blamed
        else "the examples themselves are finite; try a smaller --set lr="
    )
    return f"the loss is not finite at step {step} ({terms}), of examples {_listed(sorted(concerned))}; {advice}"


def _listed(indices: Sequence[int]) -> str:
    return ", ".join(str(index) for index in indices)


def _too_few(shared: Shares) -> str:
    parts = shared.accumulate * shared.world
    return (
        f"{shared.batch // parts} example per part is too few for this network's batch normalisation (a batch of "
        f"{shared.batch} in {parts} {'part' if parts == 1 else 'parts'}); use a smaller --accumulate, or --set "
        f"batch={2 * parts} or more"
    )


def _does_not_fit(parts: int, shared: Shares, group: Group) -> str:
    examples = shared.batch // (parts * group.world)
    what = f"{examples} examples at a time do not fit into the memory of {group.device}"
    more = next((n for n in range(parts + 1, shared.batch + 1) if shared.batch % (n * group.world) == 0), None)
    if more is None:
        return f"{what}, and they cannot be divided further; try --precision bf16 or another --device"
    return f"{what}; try --accumulate {more}"
