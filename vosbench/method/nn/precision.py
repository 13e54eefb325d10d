"""Where and how precisely a network computes: its device, lower precision by torch.autocast, compilation by torch."""

import functools
import warnings
from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from vosbench.errors import UsageError
from vosbench.method.method import Setup

DTYPES = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
STEPS = ("encode", "embed", "locate", "segment")
"""What networks are asked to compute, if they can."""

T = TypeVar("T")


def device(name: str) -> torch.device:
    """Find a device by its torch name, such as ``"cpu"`` or ``"cuda:0"``.

    Raises:
        UsageError: if torch does not know it or cannot compute on it.
    """
    try:
        found = torch.device(name)
        torch.zeros(1, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f'device "{name}" cannot be used ({_first_line(error)}); try "cpu"') from error
    return found


def lower_dtype(precision: str) -> torch.dtype | None:
    """What convolutions and products compute in; None for ``"fp32"``, which takes no autocast.

    Raises:
        UsageError: for an unknown precision.
    """
    if precision not in DTYPES:
        raise UsageError(f'there is no precision "{precision}"; choose one of {", ".join(DTYPES)}')
    return DTYPES[precision]


def hasten(net: nn.Module, setup: Setup, device: torch.device) -> None:
    """Let a network compute as ``setup.precision`` and ``setup.compile`` say; nothing changes if they are default.

    The network's steps (`STEPS`) take and give float32 whatever they compute in, so that whoever calls them need not
    know. Of these, what encodes frames is compiled. A processor without bfloat16 instructions (AVX512-BF16, AMX)
    computes in it correctly, but about ten times as slowly as in float32.

    Args:
        net: on its device, ready for inference.
        setup: as the user asked.
        device: the network's.

    Raises:
        UsageError: if torch does not offer the precision or the compiler on this device.
    """
    dtype = lower_dtype(setup.precision)
    if setup.compile:
        _try_compiler(device)
        step = "encode" if hasattr(net, "encode") else "embed"
        setattr(net, step, torch.compile(getattr(net, step)))
    if dtype is not None:
        _try_precision(setup.precision, dtype, device)
        for step in STEPS:
            if hasattr(net, step):
                setattr(net, step, _autocast(getattr(net, step), dtype, device))


def _autocast(step: Callable[..., T], dtype: torch.dtype, device: torch.device) -> Callable[..., T]:
    """The same computation in another precision; its result is float32."""

    @functools.wraps(step)
    def lower(*inputs: object) -> T:
        with torch.autocast(device.type, dtype):
            return full(step(*inputs))

    return lower


def full(result: T) -> T:
    """Make tensors float32, in (named) tuples too.

    >>> full((torch.zeros(1, dtype=torch.bfloat16), None))
    (tensor([0.]), None)
    """
    if isinstance(result, Tensor):
        return cast("T", result.float())
    if isinstance(result, tuple):
        values = [full(value) for value in result]
        return cast("T", type(result)(*values) if hasattr(result, "_fields") else tuple(values))
    return result


def _try_precision(name: str, dtype: torch.dtype, device: torch.device) -> None:
    """Convolve a little, since torch may refuse, or warn and continue in float32."""
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("error")
            with torch.autocast(device.type, dtype):
                found = nn.Conv2d(1, 1, 1, device=device)(torch.zeros(1, 1, 2, 2, device=device)).dtype
        reason = "" if found == dtype else f"it computes in {found}"
    except (RuntimeError, Warning) as error:
        reason = _first_line(error)
    if reason:
        raise UsageError(f'torch cannot compute in {name} on "{device}" ({reason}); try fp32')


def _try_compiler(device: torch.device) -> None:
    """Compile a little; whatever fails here would fail later with a worse message."""
    try:
        torch.compile(_increment)(torch.zeros(2, device=device))
    except Exception as error:
        raise UsageError(
            f'torch cannot compile for "{device}" ({_first_line(error)}); install a compiler or leave --compile out'
        ) from error


def _increment(x: Tensor) -> Tensor:
    return x + 1


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
