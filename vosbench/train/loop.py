"""The training loop, to be read from top to bottom."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn

from vosbench.engine.locks import locked
from vosbench.errors import DataError, UsageError
from vosbench.files import sweep
from vosbench.method import Material, Plan, Recipe
from vosbench.method.nn.backbone import fill_backbone
from vosbench.method.nn.precision import lower_dtype
from vosbench.method.nn.weights import COUNTER, Loaded, fill
from vosbench.records.provenance import weights_card
from vosbench.track import About, Tracking
from vosbench.train import checkpoint, distributed
from vosbench.train.checkpoint import Keeper
from vosbench.train.data import feed, shares
from vosbench.train.distributed import Group
from vosbench.train.settings import Listener, Outcome, Settings, Validate
from vosbench.train.step import Run, take_step

SILENT = Listener()


def train(
    recipe: Recipe,
    material: Material,
    out: Path,
    settings: Settings,
    validate: Validate | None = None,
    listener: Listener = SILENT,
) -> Outcome:
    """Train a recipe, or resume an earlier run of the same training.

    The folder then holds ``last.pt`` (everything needed to resume), ``last.safetensors`` and ``best.safetensors``
    (weights) and ``log.csv``. On a CPU, equal settings give weights equal to the bit, however often training was
    interrupted.

    Args:
        recipe: what to train, and how.
        material: the training data.
        out: the folder.
        settings: everything else.
        validate: scores weights, to keep the best; None for no validation.
        listener: receives the progress.

    Raises:
        UsageError: if settings and plan contradict each other, the folder holds another training, or a step does not
            fit into memory.
        DataError: if there is no data, an example cannot be sampled, a loss is not finite, or another process uses
            the folder.
        KeyboardInterrupt: on SIGINT or SIGTERM, after the current step is saved.
    """
    if not material.videos and not material.images:
        raise DataError("nothing to train on: no annotated videos or images were found")
    group = distributed.join(settings.device)
    held = ExitStack()
    try:
        shared = shares(recipe.plan.batch, settings, group)
        card = checkpoint.card(recipe.plan, material, settings)
        if group.leads:
            held.enter_context(locked(out))
            sweep(out)
        saved = checkpoint.load(out, card, overwrite=settings.overwrite)
        run = begin(recipe, settings, group, saved, listener.note if group.leads else SILENT.note)
        keeper = Keeper(
            out=out,
            plan=recipe.plan,
            settings=settings,
            card=card,
            validate=validate,
            listener=listener,
            trackers=_trackers(out, settings, card, run.step, listener.note) if group.leads else Tracking(),
        )
        distributed.wait(group)  # until every process has read the checkpoint
        if group.leads:
            keeper.open(run, restart=saved is None)
        del saved  # as large as the network and its optimiser
        with (
            _living_workers(),
            closing(keeper),
            closing(feed(recipe, material, shared, settings, run.step)) as steps,
            _stop_requests() as requested,
        ):
            started = time.monotonic() - run.seconds
            for parts in steps:
                losses = take_step(recipe, run, parts, shared, group)
                run.seconds = time.monotonic() - started
                stop = _anywhere(requested.is_set(), group)
                if group.leads:
                    keeper.note_step(run, losses, stop=stop)
                if stop:
                    raise KeyboardInterrupt
    finally:
        held.close()
        distributed.leave(group)
    best = out / checkpoint.BEST
    return Outcome(
        steps=run.step,
        last=out / checkpoint.LAST,
        best=best if best.is_file() else None,
        score=run.best,
        leads=group.leads,
    )


def _trackers(out: Path, settings: Settings, card: checkpoint.Card, step: int, note: Callable[[str], None]) -> Tracking:
    """The trackers that were asked for, each in a folder of the training's if it has no other place."""
    known = {name: str(value) for name, value in card.items() if value is not None}
    about = About(name=settings.name or out.name, group="trainings", settings=known, step=step)
    return Tracking(settings.track, out, about, note)


def begin(
    recipe: Recipe, settings: Settings, group: Group, saved: Mapping[str, Any] | None, note: Callable[[str], None]
) -> Run:
    """Make the network and its optimiser, new or from a checkpoint.

    Args:
        recipe: what to train.
        settings: give the seed, the precision and the initial weights.
        group: the processes.
        saved: a checkpoint to resume from, or None.
        note: called with a line on what training starts from.

    Raises:
        UsageError: if two kinds of initial weights are given, or the precision is unknown.
        DataError: if the initial weights do not fit.
    """
    dtype = lower_dtype(settings.precision)
    torch.manual_seed(settings.seed)
    net = recipe.build()
    if saved is not None:
        net.load_state_dict(saved["weights"])
        done, steps = saved["step"], recipe.plan.steps
        note(f"resumes from step {done} of {steps}" if done < steps else f"all {steps} steps are already done")
    else:
        _first_weights(net, recipe, settings, note)
    net = net.train().to(device=group.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    distributed.synchronise(net, group)
    optimiser = _optimiser(recipe.plan, [{"scale": 1.0, **parameters} for parameters in recipe.groups(net)])
    scaler = torch.amp.GradScaler(group.device.type, enabled=settings.precision == "fp16")
    average = {name: x.detach().clone() for name, x in net.state_dict().items()} if recipe.plan.ema else None
    run = Run(net, optimiser, scaler, settings.seed, dtype, average)
    if saved is not None:
        optimiser.load_state_dict(saved["optimiser"])
        scaler.load_state_dict(saved["scaler"])
        for name, values in (average or {}).items():
            values.copy_(saved["average"][name])
        run.step, run.best, run.seconds = saved["step"], saved["best"], saved["seconds"]
    return run


def _first_weights(net: nn.Module, recipe: Recipe, settings: Settings, note: Callable[[str], None]) -> None:
    if settings.weights and settings.backbone:
        raise UsageError("--weights and --backbone-weights contradict each other; use only one")
    if settings.weights:
        _check_stride(recipe.plan, settings.weights)
        loaded = fill(net, settings.weights, whole=False)
        missing = [name for name in net.state_dict() if name not in loaded.tensors and not name.endswith(COUNTER)]
        count = f"{len(loaded.tensors)} tensors" if missing else "all weights"
        note(f'starts from {count} of "{settings.weights}"{_rewritten(loaded)}')
    if settings.backbone:
        note(fill_backbone(net, settings.backbone, settings.backbone_inputs))


def _check_stride(plan: Plan, weights: Path) -> None:
    """Refuse weights whose strides, by their own account, are elsewhere than this training's: all else is the same."""
    card = weights_card(weights)
    before, now = card.get("plan stride_on", "conv1"), getattr(plan, "stride_on", "conv1")
    if "plan steps" in card and before != now:
        raise UsageError(f'weights "{weights}" were trained with stride_on={before}; add --set stride_on={before}')


def _rewritten(loaded: Loaded) -> str:
    return ", scales s of InPlaceABN rewritten as |s| + 1e-5" if loaded.scales == "inplace-abn" else ""


def _optimiser(plan: Plan, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    if plan.optimiser == "adamw":
        betas = (plan.momentum, 0.999)
        return torch.optim.AdamW(groups, lr=plan.lr, betas=betas, weight_decay=plan.weight_decay)
    return torch.optim.SGD(groups, lr=plan.lr, momentum=plan.momentum, weight_decay=plan.weight_decay)


def _anywhere(flag: bool, group: Group) -> bool:  # noqa: FBT001
    """Whether the flag is set in any process, so that all stop at the same step."""
    return flag if group.world == 1 else bool(distributed.total(torch.tensor(float(flag), device=group.device), group))


@contextmanager
def _living_workers() -> Iterator[None]:
    """Report the death of a worker, which torch may raise at any point, in one line."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise DataError(
            "a worker process died, usually for lack of memory or shared memory (/dev/shm); use fewer --workers"
        ) from error


@contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into a request to stop; a second SIGINT stops at once."""
    requested = threading.Event()

    def request(number: int, _frame: FrameType | None) -> None:
        if requested.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        requested.set()

    if threading.current_thread() is not threading.main_thread():
        yield requested
        return
    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
