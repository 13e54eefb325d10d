"""Weights in files: one way to read them, to check that they fit, to put them into a network, and to write them.

Whatever a file holds, nothing in it is run. Checkpoints of other makers are read too, for `vosbench convert` and for
starting an encoder from a ResNet. A whole network takes safetensors only: a checkpoint may mean something else by the
same names and shapes (see `vosbench.method.nn.convert`).

Names within a ResNet are those of torchvision: ``conv1``, ``bn1``, ``layer1.0.conv1``, … ``fc``. A *deep stem* has
three 3×3 convolutions in place of one of 7×7: ``conv1`` … ``conv3`` and ``bn1`` … ``bn3``, as in MIT-CSAIL's
``resnet101-imagenet``; other makers call them ``conv1.0`` … ``conv1.6``, or ``stem.0`` … ``stem.7``.
"""

import json
import pickle
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError
from vosbench.files import write_whole
from vosbench.records.provenance import STAMP

Tensors = Mapping[str, Tensor]

WRAPPERS = ("state_dict", "model", "net", "network", "weights")
"""What training scripts keep the tensors under."""
COUNTER = "num_batches_tracked"
"""Counts the batches of a normalisation, which changes nothing at inference; AD-Net's own files have none."""


def read(path: Path) -> dict[str, Tensor]:
    """Read a checkpoint's tensors by name.

    Args:
        path: safetensors, or torch's own file, of any version; what it holds apart from tensors is left out. The
            tensors may lie under one of `WRAPPERS`, and their names may begin with ``module.``, which is dropped.

    Raises:
        DataError: if it cannot be read, would run code, or holds no tensors.
    """
    try:
        tensors = load_file(path) if is_safetensors(path) else _unwrapped(_load(path))
    except pickle.UnpicklingError as error:
        named = next((line.strip() for line in str(error).splitlines() if "GLOBAL" in line), "unknown objects")
        reason = f"it is damaged, or holds more than tensors, which was not run: {named}"
    except Exception as error:  # noqa: BLE001 - there is hardly an error that a damaged file does not cause
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = (said.splitlines() or [type(error).__name__])[0]
    else:
        if tensors:
            return {name.removeprefix("module."): x for name, x in tensors.items()}
        reason = "it holds no mapping of names to tensors"
    raise DataError(f'weights "{path}" cannot be read: {reason}')


def is_safetensors(path: Path) -> bool:
    """Whether a file is safetensors, by its name or its first bytes: the length of a head, then JSON."""
    with path.open("rb") as file:
        return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"


def _load(path: Path) -> object:
    with _numpy_scalars(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other pickle protocols: what cannot be read is an error
        return torch.load(path, map_location="cpu", weights_only=True)


@contextmanager
def _numpy_scalars() -> Iterator[None]:
    """Let torch read numpy's scalars, which old training scripts keep next to the weights, such as the best score."""
    import _codecs

    kinds = [type(np.dtype(name)) for name in ("float64", "float32", "int64", "int32", "bool")]
    scalars = [_scalar_of(f"numpy.{core}.multiarray") for core in ("core", "_core")]
    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals([*scalars, np.dtype, _codecs.encode, *kinds])
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def _scalar_of(module: str) -> Callable[..., object]:
    """What a pickle calls ``scalar`` of a module of numpy; old and new files name different ones."""

    def scalar(kind: object, data: object) -> object:  # noqa: ARG001 - nothing but tensors is kept
        return None

    scalar.__module__, scalar.__qualname__ = module, "scalar"
    return scalar


def _unwrapped(found: object) -> dict[str, Tensor]:
    while isinstance(found, Mapping):
        inner = next((found[key] for key in WRAPPERS if isinstance(found.get(key), Mapping)), None)
        if inner is None:
            return {str(name): x for name, x in found.items() if isinstance(x, Tensor)}
        found = inner
    return {}


def check_fit(found: Tensors, wanted: Tensors, path: Path, what: str) -> None:
    """Check that tensors have the names and shapes of a network; counters of batches may be missing.

    Args:
        found: those of a file.
        wanted: the network's.
        path: the file, for the message.
        what: what they are for, likewise.

    Raises:
        DataError: if names or shapes differ.
    """
    problems = {
        "missing": sorted(name for name in wanted.keys() - found.keys() if not name.endswith(COUNTER)),
        "unknown": sorted(found.keys() - wanted.keys()),
        "of another shape": [
            f"{name} {tuple(found[name].shape)} for {tuple(wanted[name].shape)}"
            for name in sorted(wanted.keys() & found.keys())
            if found[name].shape != wanted[name].shape
        ],
    }
    texts = [f"{problem}: {_some(names)}" for problem, names in problems.items() if names]
    if texts:
        raise DataError(f'weights "{path}" do not fit {what}; {"; ".join(texts)}')


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def fill(net: nn.Module, path: Path) -> None:
    """Load a safetensors file into a network, every weight or none; counters of batches may be missing.

    Raises:
        DataError: if the file cannot be read, or names or shapes differ.
    """
    found = read(path)
    if not is_safetensors(path):
        raise DataError(f'weights "{path}" are not safetensors; vosbench convert makes safetensors of them')
    check_fit(found, net.state_dict(), path, "this network")
    net.load_state_dict(found, strict=True)


def write(path: Path, weights: Tensors, about: Mapping[str, Any]) -> None:
    """Write weights as safetensors, whole or not at all; equal weights give equal bytes.

    Args:
        path: the file.
        weights: name → tensor, on any device.
        about: how they came about, as plain values; see `vosbench.records.provenance.weights_card`.
    """
    # Copies, since safetensors refuses tensors that share memory; one entry, since it writes several in any order.
    tensors = {name: x.detach().to("cpu", copy=True).contiguous() for name, x in weights.items()}
    write_whole(path, save(tensors, {STAMP: json.dumps(dict(about), sort_keys=True)}))


MARK = "layer1.0.conv1.weight"
"""The parameter that tells where in a network a ResNet lies."""
PART = re.compile(r"(conv|bn)[123]\.|layer[1-4]\.")
OTHER_STEMS = {
    "conv1.0.": "conv1.",
    "conv1.1.": "bn1.",
    "conv1.3.": "conv2.",
    "conv1.4.": "bn2.",
    "conv1.6.": "conv3.",
    "stem.0.": "conv1.",
    "stem.1.": "bn1.",
    "stem.3.": "conv2.",
    "stem.4.": "bn2.",
    "stem.6.": "conv3.",
    "stem.7.": "bn3.",
}


def find_resnet(weights: Tensors) -> dict[str, str]:
    """Find the one ResNet in weights, without its classifier: its names → the names that they have there.

    Empty if there is none, or more than one.
    """
    prefixes = [name.removesuffix(MARK) for name in weights if name.endswith(MARK)]
    if len(prefixes) != 1:
        return {}
    (prefix,) = prefixes
    inner = [name.removeprefix(prefix) for name in weights if name.startswith(prefix)]
    nested = "conv1.0.weight" in inner
    names = {_usual(name, nested=nested): prefix + name for name in inner}
    return {usual: name for usual, name in names.items() if PART.match(usual)}


def _usual(name: str, *, nested: bool) -> str:
    """A name within a ResNet as torchvision has it, a deep stem's as MIT-CSAIL has it."""
    stem = next((theirs for theirs in OTHER_STEMS if name.startswith(theirs)), None)
    if stem is not None:
        return OTHER_STEMS[stem] + name.removeprefix(stem)
    return name.replace("bn1.", "bn3.", 1) if nested and name.startswith("bn1.") else name


def fill_backbone(net: nn.Module, path: Path) -> str:
    """Fill the ResNet in a network with that of a file, such as a classifier of ImageNet; all of it or nothing.

    Whether a ResNet has its strides on the 1×1 or the 3×3 convolution, and what its input is scaled to, shows in no
    shape: the recipe has to go with the file.

    Args:
        net: a network with a ResNet somewhere in it.
        path: of a network with the same ResNet somewhere in it; see `read`.

    Returns:
        a line that says how much was filled.

    Raises:
        UsageError: if the network has no ResNet.
        DataError: if the file cannot be read, or holds no ResNet or another one.
    """
    held = net.state_dict()
    wanted = {usual: held[name] for usual, name in find_resnet(held).items()}
    if not wanted:
        raise UsageError("--backbone-weights needs a network with a ResNet")
    every = read(path)
    found = {usual: every[name] for usual, name in find_resnet(every).items()}
    if not found:
        raise DataError(f'weights "{path}" do not hold one ResNet under the usual names, such as {MARK}')
    stems = [_stem(each) for each in (wanted, found)]
    if stems[0] != stems[1]:
        raise DataError(f'weights "{path}" have another stem than the network needs: {stems[1]}, not {stems[0]}')
    check_fit(found, wanted, path, "the ResNet of this network")
    with torch.no_grad():
        for name, values in found.items():
            wanted[name].copy_(values)
    return f'{len(found)} of {len(every)} tensors of "{path}" fill all of the backbone'


def _stem(weights: Tensors) -> str:
    names = [name for name in ("conv1.weight", "conv2.weight", "conv3.weight") if name in weights]
    if not names:
        return "none"
    kind, side = "deep" if len(names) > 1 else "plain", weights[names[0]].shape[-1]
    return f"the {kind} stem of {side}×{side}: {'/'.join(str(len(weights[name])) for name in names)}"
