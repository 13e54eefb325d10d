"""Put weights into a network: random ones from a seed, or those of a file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from vosbench.errors import DataError, UsageError
from vosbench.method.method import Setup
from vosbench.method.nn.precision import hasten

T = TypeVar("T")
N = TypeVar("N", bound=nn.Module)


def choose(setup: Setup, method: str, variants: Mapping[str, T], default: str) -> T:
    """Find what a variant's name stands for.

    Args:
        setup: as the user asked.
        method: name of the method, for the message.
        variants: name → anything.
        default: what the method's bare name stands for.

    Raises:
        UsageError: where there is no such variant, or the batch is not positive.
    """
    variant = setup.variant or default
    if variant not in variants:
        names = ", ".join(f'"{method}.{name}"' for name in variants)
        raise UsageError(f'there is no "{method}.{variant}"; choose one of {names}')
    if setup.batch < 1:
        raise UsageError(f"a batch of {setup.batch} frames is none; give 1 or more")
    return variants[variant]


def device(name: str) -> torch.device:
    """Find a device by its torch name.

    Raises:
        UsageError: where torch does not know it or cannot compute on it.
    """
    try:
        found = torch.device(name)
        torch.zeros(1, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f'device "{name}" cannot be used ({reason}); try "cpu"') from error
    return found


def ready(build: Callable[[], N], setup: Setup) -> N:
    """Build a network and make it ready for inference.

    Without a file the weights are drawn from ``setup.seed``: the same at every run, and the caller's random numbers
    go on as if nothing had been drawn.

    Precision and compilation are seen to as well: see `speed.hasten`.

    Raises:
        UsageError: where the device, the precision or the compiler is not to be had.
        DataError: where the file does not fit the network.
    """
    target = device(setup.device)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(setup.seed)
        net = build()
    if setup.weights is not None:
        fill(net, setup.weights)
    net = net.eval().to(device=target, memory_format=torch.channels_last)  # type: ignore[call-overload]
    hasten(net, setup, target)
    return net


def fill(net: nn.Module, path: Path) -> None:
    """Load a safetensors file into a network, every weight or none.

    Counters of batches (``num_batches_tracked``), which AD-Net's own files lack, may be missing.

    Raises:
        DataError: where the file cannot be read, or names or shapes differ.
    """
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(f'weights "{path}" cannot be read as safetensors: {error}') from error
    wanted = net.state_dict()
    optional = {name for name in wanted if name.endswith(".num_batches_tracked")}
    missing = sorted(wanted.keys() - found.keys() - optional)
    surplus = sorted(found.keys() - wanted.keys())
    shapes = [
        f"{name} {tuple(found[name].shape)} for {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & found.keys())
        if found[name].shape != wanted[name].shape
    ]
    problems = [("lacks", missing), ("has unknown", surplus), ("has of another shape", shapes)]
    texts = [f"{verb} {_some(names)}" for verb, names in problems if names]
    if texts:
        raise DataError(f'weights "{path}" do not fit this variant: the file {"; it ".join(texts)}')
    net.load_state_dict(found, strict=True)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
