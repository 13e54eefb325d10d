"""The beginning of a run: the network and its optimiser, new or as a checkpoint has them."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from vosbench.errors import UsageError
from vosbench.recipe import Plan, Recipe
from vosbench.train import backbone, parallel, weights
from vosbench.train.parallel import Group
from vosbench.train.settings import Settings
from vosbench.train.step import DTYPES, Run


def begin(
    recipe: Recipe, settings: Settings, group: Group, saved: Mapping[str, Any] | None, note: Callable[[str], None]
) -> Run:
    """Make the network and its optimiser.

    Args:
        recipe: what is trained.
        settings: seed, precision, and weights to start from.
        group: the processes.
        saved: a checkpoint to go on from, or None.
        note: told what was started from.

    Raises:
        UsageError: where there are two kinds of weights to start from, or no such precision.
        DataError: where weights to start from do not fit.
    """
    if settings.precision not in DTYPES:
        raise UsageError(f'there is no precision "{settings.precision}"; choose one of {", ".join(DTYPES)}')
    torch.manual_seed(settings.seed)
    net = recipe.build()
    if saved is not None:
        net.load_state_dict(saved["weights"])
        done, steps = saved["step"], recipe.plan.steps
        note(f"goes on from step {done} of {steps}" if done < steps else f"all {steps} steps were taken before")
    else:
        _first_weights(net, settings, note)
    net = net.train().to(device=group.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    parallel.synchronise(net, group)
    groups = [{"scale": 1.0, **each} for each in recipe.groups(net)]
    optimiser = _optimiser(recipe.plan, groups)
    scaler = torch.amp.GradScaler(group.device.type, enabled=settings.precision == "fp16")
    run = Run(net, optimiser, scaler, settings.seed, DTYPES[settings.precision])
    if saved is not None:
        optimiser.load_state_dict(saved["optimiser"])
        scaler.load_state_dict(saved["scaler"])
        run.step, run.best, run.seconds = saved["step"], saved["best"], saved["seconds"]
    return run


def content(run: Run) -> dict[str, Any]:
    """What a checkpoint holds of a run; `begin` takes it up again."""
    return {
        "weights": run.net.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "scaler": run.scaler.state_dict(),
        "step": run.step,
        "best": run.best,
        "seconds": run.seconds,
    }


def _optimiser(plan: Plan, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    if plan.optimiser == "adamw":
        betas = (plan.momentum, 0.999)
        return torch.optim.AdamW(groups, lr=plan.lr, betas=betas, weight_decay=plan.weight_decay)
    return torch.optim.SGD(groups, lr=plan.lr, momentum=plan.momentum, weight_decay=plan.weight_decay)


def _first_weights(net: nn.Module, settings: Settings, note: Callable[[str], None]) -> None:
    if settings.weights and settings.backbone:
        raise UsageError("--weights and --backbone-weights contradict each other; give one")
    if settings.weights:
        weights.fill(net, settings.weights)
        note(f'starts from all weights of "{settings.weights}"')
    if settings.backbone:
        note(backbone.fill(net, settings.backbone))
