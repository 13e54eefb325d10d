"""Read weights, check that they fit, load them into a network, and write them.

Files are read without running code. Checkpoints from elsewhere are read for `vosbench convert` and to initialise an
encoder from a ResNet. A whole network is loaded from safetensors only, since a checkpoint may mean something else by
the same names and shapes (see `vosbench.method.nn.convert`).

Names within a ResNet are those of torchvision: ``conv1``, ``bn1``, ``layer1.0.conv1``, … ``fc``. A *deep stem* has
three 3×3 convolutions instead of one of 7×7: ``conv1`` … ``conv3`` and ``bn1`` … ``bn3``, as in MIT-CSAIL's
``resnet101-imagenet``; others name them ``conv1.0`` … ``conv1.6``, or ``stem.0`` … ``stem.7``.
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
"""Keys under which training scripts save the tensors."""
COUNTER = "num_batches_tracked"
"""The batch counter of a normalisation: without effect at inference, and missing from AD-Net's own files."""


def read(path: Path) -> dict[str, Tensor]:
    """Read a checkpoint's tensors by name.

    Args:
        path: safetensors, or a file of any version of torch; anything but tensors is ignored. The tensors may be
            under one of `WRAPPERS`, and their names may begin with ``module.``, which is dropped.

    Raises:
        DataError: if it cannot be read, would run code, or holds no tensors.
    """
    try:
        tensors = load_file(path) if is_safetensors(path) else _unwrapped(_load(path))
    except pickle.UnpicklingError as error:
        named = next((line.strip() for line in str(error).splitlines() if "GLOBAL" in line), "unknown objects")
        reason = f"it is damaged, or holds more than tensors, which was not run: {named}"
    except Exception as error:  # noqa: BLE001 - a damaged file may cause almost any error
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = (said.splitlines() or [type(error).__name__])[0]
    else:
        if tensors:
            return {name.removeprefix("module."): x for name, x in tensors.items()}
        reason = "it holds no mapping of names to tensors"
    raise DataError(f'weights "{path}" cannot be read: {reason}')


def is_safetensors(path: Path) -> bool:
    """Whether a file is safetensors, by its name or its first bytes: the length of the header, then JSON."""
    with path.open("rb") as file:
        return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"


def _load(path: Path) -> object:
    with _numpy_scalars(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about pickle protocols: an unreadable file is an error anyway
        return torch.load(path, map_location="cpu", weights_only=True)


@contextmanager
def _numpy_scalars() -> Iterator[None]:
    """Let torch read NumPy scalars, such as the best score, which old training scripts save next to the weights."""
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
    """Stand in for ``scalar`` in a pickle; old and new files name different modules of NumPy."""

    def scalar(kind: object, data: object) -> object:  # noqa: ARG001 - only tensors are kept
        return None

    scalar.__module__, scalar.__qualname__ = module, "scalar"
    return scalar


def _unwrapped(content: object) -> dict[str, Tensor]:
    while isinstance(content, Mapping):
        inner = next((content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            return {str(name): x for name, x in content.items() if isinstance(x, Tensor)}
        content = inner
    return {}


def check_fit(tensors: Tensors, wanted: Tensors, path: Path, what: str) -> None:
    """Check that tensors have the names and shapes of a network; batch counters may be missing.

    Args:
        tensors: the file's.
        wanted: the network's.
        path: the file, for the message.
        what: what the tensors are for, for the message.

    Raises:
        DataError: if names or shapes differ.
    """
    problems = {
        "missing": sorted(name for name in wanted.keys() - tensors.keys() if not name.endswith(COUNTER)),
        "unknown": sorted(tensors.keys() - wanted.keys()),
        "of another shape": [
            f"{name} {tuple(tensors[name].shape)} for {tuple(wanted[name].shape)}"
            for name in sorted(wanted.keys() & tensors.keys())
            if tensors[name].shape != wanted[name].shape
        ],
    }
    texts = [f"{problem}: {_some(names)}" for problem, names in problems.items() if names]
    if texts:
        raise DataError(f'weights "{path}" do not fit {what}; {"; ".join(texts)}')


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def fill(net: nn.Module, path: Path) -> None:
    """Load a safetensors file into a network, all weights or none; batch counters may be missing.

    Raises:
        DataError: if the file cannot be read, or names or shapes differ.
    """
    tensors = read(path)
    if not is_safetensors(path):
        raise DataError(f'weights "{path}" are not safetensors; use vosbench convert first')
    check_fit(tensors, net.state_dict(), path, "this network")
    net.load_state_dict(tensors, strict=True)


def write(path: Path, weights: Tensors, about: Mapping[str, Any]) -> None:
    """Write weights as safetensors, whole or not at all; equal weights give equal bytes.

    Args:
        path: the file.
        weights: name → tensor, on any device.
        about: their origin, as plain values; see `vosbench.records.provenance.weights_card`.
    """
    # Copies, since safetensors refuses tensors that share memory; one metadata entry, since their order is not fixed.
    tensors = {name: x.detach().to("cpu", copy=True).contiguous() for name, x in weights.items()}
    write_whole(path, save(tensors, {STAMP: json.dumps(dict(about), sort_keys=True)}))


MARK = "layer1.0.conv1.weight"
"""The parameter that locates a ResNet within a network."""
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
    """Find the one ResNet in weights, without its classifier: torchvision's names → the names in the weights.

    Empty if there are none or several.
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
    """Convert a name within a ResNet to torchvision's, or to MIT-CSAIL's in a deep stem."""
    stem = next((theirs for theirs in OTHER_STEMS if name.startswith(theirs)), None)
    if stem is not None:
        return OTHER_STEMS[stem] + name.removeprefix(stem)
    return name.replace("bn1.", "bn3.", 1) if nested and name.startswith("bn1.") else name


def fill_backbone(net: nn.Module, path: Path) -> str:
    """Load the ResNet of a file, such as an ImageNet classifier, into the ResNet of a network; all of it or nothing.

    Shapes do not tell whether a ResNet's strides are on the 1×1 or the 3×3 convolutions, nor how its input is scaled:
    the recipe must match the file.

    Args:
        net: a network that contains a ResNet.
        path: weights that contain the same ResNet; see `read`.

    Returns:
        a summary line.

    Raises:
        UsageError: if the network has no ResNet.
        DataError: if the file cannot be read, or holds no ResNet or a different one.
    """
    state = net.state_dict()
    wanted = {usual: state[name] for usual, name in find_resnet(state).items()}
    if not wanted:
        raise UsageError("--backbone-weights needs a network with a ResNet, but this one has none")
    tensors = read(path)
    resnet = {usual: tensors[name] for usual, name in find_resnet(tensors).items()}
    if not resnet:
        raise DataError(f'weights "{path}" do not hold one ResNet under the usual names, such as {MARK}')
    needed, stem = _stem(wanted), _stem(resnet)
    if stem != needed:
        raise DataError(f'weights "{path}" have a different stem from the network: {stem}, not {needed}')
    check_fit(resnet, wanted, path, "the ResNet of this network")
    with torch.no_grad():
        for name, values in resnet.items():
            wanted[name].copy_(values)
    return f'loaded the whole backbone from {len(resnet)} of {len(tensors)} tensors in "{path}"'


def _stem(weights: Tensors) -> str:
    names = [name for name in ("conv1.weight", "conv2.weight", "conv3.weight") if name in weights]
    if not names:
        return "none"
    kind, side = "deep" if len(names) > 1 else "plain", weights[names[0]].shape[-1]
    return f"the {kind} stem of {side}×{side}: {'/'.join(str(len(weights[name])) for name in names)}"
