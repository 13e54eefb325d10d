"""A network's device, precision (torch.autocast) and compilation (torch.compile)."""

import functools
import os
import warnings
from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from vosbench.errors import UsageError
from vosbench.files import cache_folder
from vosbench.method.method import Setup

DTYPES = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
STEPS = ("encode", "embed", "locate", "segment")
"""The methods of a network that precision applies to, if it has them."""

T = TypeVar("T")


def device(name: str) -> torch.device:
    """Find a device by its torch name, such as ``"cpu"`` or ``"cuda:0"``.

    Raises:
        UsageError: if torch does not know it or cannot compute on it.
    """
    try:
        target = torch.device(name)
        torch.zeros(1, device=target).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f'device "{name}" cannot be used ({_first_line(error)}); try "cpu"') from error
    return target


def lower_dtype(precision: str) -> torch.dtype | None:
    """The dtype of convolutions and products; None for ``"fp32"``, which needs no autocast.

    Raises:
        UsageError: for an unknown precision.
    """
    if precision not in DTYPES:
        raise UsageError(f'unknown precision "{precision}"; choose one of {", ".join(DTYPES)}')
    return DTYPES[precision]


def hasten(net: nn.Module, setup: Setup, device: torch.device) -> None:
    """Apply ``setup.precision`` and ``setup.compile`` to a network; the defaults change nothing.

    The network's `STEPS` take and return float32 in any precision, so that callers need not know it. Of them, the one
    that encodes frames is compiled. A processor without bfloat16 instructions (AVX512-BF16, AMX) computes in it
    correctly, but about ten times as slowly as in float32.

    Args:
        net: on its device, ready for inference.
        setup: the precision and the compilation.
        device: the network's.

    Raises:
        UsageError: if torch does not support the precision or the compiler on this device.
    """
    dtype = lower_dtype(setup.precision)
    if setup.compile:
        # Compiled code is kept for the next process; torch's own default is a folder of temporary files.
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "compiled"))
        _try_compiler(device)
        step = "encode" if hasattr(net, "encode") else "embed"
        setattr(net, step, torch.compile(getattr(net, step)))
    if dtype is not None:
        _try_precision(setup.precision, dtype, device)
        for step in STEPS:
            if hasattr(net, step):
                setattr(net, step, _autocast(getattr(net, step), dtype, device))


def _autocast(step: Callable[..., T], dtype: torch.dtype, device: torch.device) -> Callable[..., T]:
    """Run a step in another precision, with a float32 result."""

    @functools.wraps(step)
    def lower(*inputs: object) -> T:
        with torch.autocast(device.type, dtype):
            return full(step(*inputs))

    return lower


def full(result: T) -> T:
    """Convert tensors to float32, also in (named) tuples.

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
    """Try a small convolution: torch may refuse, or warn and continue in float32."""
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("error")
            with torch.autocast(device.type, dtype):
                used = nn.Conv2d(1, 1, 1, device=device)(torch.zeros(1, 1, 2, 2, device=device)).dtype
        reason = "" if used == dtype else f"it computes in {used}"
    except (RuntimeError, Warning) as error:
        reason = _first_line(error)
    if reason:
        raise UsageError(f'torch cannot compute in {name} on "{device}" ({reason}); try fp32')


def _try_compiler(device: torch.device) -> None:
    """Try a small compilation: a failure would come later with a worse message."""
    try:
        torch.compile(_increment)(torch.zeros(2, device=device))
    except Exception as error:
        raise UsageError(
            f'torch cannot compile for "{device}" ({_first_line(error)}); install a compiler or omit --compile'
        ) from error


def _increment(x: Tensor) -> Tensor:
    return x + 1


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
