"""ImageNet initialisation: the weights of a ResNet classifier, put into the encoder of a network.

The classifier may as well be another network around such a ResNet, such as a baseline that `vosbench train` has made.

Names are those of torchvision: ``conv1``, ``bn1``, ``layer1.0.conv1``, … ``fc``. A *deep stem* has three 3×3
convolutions in place of one of 7×7: ``conv1`` … ``conv3`` and ``bn1`` … ``bn3``, as in MIT-CSAIL's
``resnet101-imagenet``; other makers call them ``conv1.0`` … ``conv1.6``, or ``stem.0`` … ``stem.7``.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError
from vosbench.method.nn.state_dicts import COUNTER, read

MARK = "layer1.0.conv1.weight"
"""The parameter that tells where in a network a ResNet lies."""
PART = re.compile(r"(conv|bn)[123]\.|layer[1-4]\.")
DEEP = "conv3.weight"
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


def fill(net: nn.Module, path: Path) -> str:
    """Fill a network's encoder with a classifier's weights, all of them or none.

    Whether a ResNet has its strides on the 1×1 or the 3×3 convolution, and what its input is scaled to, shows in no
    shape: the recipe has to go with the file.

    Args:
        net: a network with a ResNet somewhere in it.
        path: a safetensors or torch file, of a network with the same ResNet somewhere in it.

    Returns:
        a line that says how much was filled.

    Raises:
        UsageError: where the network has no ResNet.
        DataError: where the file cannot be read or is of another ResNet.
    """
    held = net.state_dict()
    inner = _within(held)
    if inner is None:
        raise UsageError("--backbone-weights needs a network with a ResNet in it, which this one has not")
    every = read(path)
    classifier = _within(every)
    if classifier is None:
        raise DataError(f'"{path}" holds no ResNet under the usual names: there is no {MARK}')
    found = {name: values for name, values in renamed(classifier).items() if PART.match(name)}
    wanted = {name: values for name, values in inner.items() if PART.match(name)}
    _check(found, wanted, path)
    with torch.no_grad():
        for name, values in wanted.items():
            if name in found:
                values.copy_(found[name])
    return f'{len(found)} of {len(every)} tensors of "{path}" fill all of the backbone'


def _within(weights: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """What lies beside the first layer of a ResNet, without the prefix that all of it has."""
    prefix = next((name.removesuffix(MARK) for name in weights if name.endswith(MARK)), None)
    if prefix is None:
        return None
    return {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}


def renamed(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under torchvision's names, a deep stem's as MIT-CSAIL calls them."""
    nested = "conv1.0.weight" in found
    names = {}
    for name in found:
        stem = next((ours for theirs, ours in OTHER_STEMS.items() if name.startswith(theirs)), None)
        if stem is not None:
            names[name] = stem + name.split(".", 2)[2]
        elif nested and name.startswith("bn1."):
            names[name] = name.replace("bn1.", "bn3.", 1)
        else:
            names[name] = name
    return {ours: found[theirs] for theirs, ours in names.items()}


def _check(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    stems = [_stem(each) for each in (wanted, found)]
    if stems[0] != stems[1]:
        raise DataError(f'"{path}" has another stem than the network needs: {stems[1]}, where it needs {stems[0]}')
    problems = [
        name
        for name in {**wanted, **found}
        if not name.endswith(COUNTER)
        and (name not in wanted or name not in found or wanted[name].shape != found[name].shape)
    ]
    if problems:
        name = problems[0]
        has, needs = (tuple(each[name].shape) if name in each else "none" for each in (found, wanted))
        raise DataError(
            f'"{path}" is another ResNet than the network needs; tensors that differ: {len(problems)}, '
            f"the first is {name}, {has} where the network has {needs}"
        )


def _stem(weights: Mapping[str, Tensor]) -> str:
    deep = DEEP in weights
    layers = [
        weights[f"conv{number}.weight"] for number in ((1, 2, 3) if deep else (1,)) if f"conv{number}.weight" in weights
    ]
    if not layers:
        return "none"
    side = layers[0].shape[-1]
    return f"the {'deep' if deep else 'plain'} stem of {side}×{side}: {'/'.join(str(len(layer)) for layer in layers)}"
