"""Find the ResNet in weights, and start an encoder from it, whatever its input was.

Names within a ResNet are those of torchvision: ``conv1``, ``bn1``, ``layer1.0.conv1``, … ``fc``. A *deep stem* has
three 3×3 convolutions instead of one of 7×7: ``conv1`` … ``conv3`` and ``bn1`` … ``bn3``, as in MIT-CSAIL's
``resnet101-imagenet``; others name them ``conv1.0`` … ``conv1.6``, or ``stem.0`` … ``stem.7``.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError, VosbenchError
from vosbench.method.nn.checkpoint import read
from vosbench.method.nn.views import MEAN_BGR
from vosbench.method.nn.weights import PROFILED, Loaded, Scales, Tensors, check_fit, find, is_inplace_abn, plain_scales
from vosbench.method.sources import sources

Inputs = Literal["auto", "bgr255", "rgb255", "torchvision"]
"""What a ResNet takes: BGR or RGB in 0…255 minus the mean, or RGB in units of ImageNet's standard deviations."""

MEAN_RGB = (123.675, 116.28, 103.53)
STD_RGB = (58.395, 57.12, 57.375)
"""Of ImageNet in 0…255, as torchvision normalises with."""
SMALL = 7.0
"""Between the inputs' spread in units of standard deviations (about 1) and in grey levels (about 50)."""

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


def find_resnet(names: Iterable[str], entry: str = "") -> dict[str, str]:
    """Find the one ResNet among the names of weights, without its classifier: torchvision's names → these.

    Empty if there are none or several.

    Args:
        names: of the weights.
        entry: the beginning of the names to look at, if there are several.
    """
    names = [name for name in names if not entry or name.startswith(f"{entry}.")]
    prefixes = [name.removesuffix(MARK) for name in names if name.endswith(MARK)]
    if len(prefixes) != 1:
        return {}
    (prefix,) = prefixes
    inner = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    nested = "conv1.0.weight" in inner
    found = {_usual(name, nested=nested): prefix + name for name in inner}
    return {usual: name for usual, name in found.items() if PART.match(usual)}


def _usual(name: str, *, nested: bool) -> str:
    """Convert a name within a ResNet to torchvision's, or to MIT-CSAIL's in a deep stem."""
    stem = next((theirs for theirs in OTHER_STEMS if name.startswith(theirs)), None)
    if stem is not None:
        return OTHER_STEMS[stem] + name.removeprefix(stem)
    return name.replace("bn1.", "bn3.", 1) if nested and name.startswith("bn1.") else name


def read_resnet(path: Path, scales: Scales = "auto") -> Loaded:
    """Read the ResNet of a file, by torchvision's names.

    Args:
        path: a file, or one of several networks in it; see `vosbench.method.sources.sources`.
        scales: see `vosbench.method.nn.weights.load`.

    Raises:
        UsageError: if the file does not exist, or is said to be for a part of a network.
        DataError: if it cannot be read, or holds no ResNet or several.
    """
    (source, *more) = sources(path)
    if more or source.part:
        raise UsageError(f'"{path}": a ResNet is one file, without the name of a part')
    checkpoint = read(source.path)
    found = find_resnet(checkpoint.tensors, source.entry)
    names = {usual: name for usual, name in found.items() if usual.rpartition(".")[2] not in PROFILED}
    if not names:
        raise DataError(f'weights "{path}" do not hold one ResNet under the usual names, such as {MARK}')
    resnet = checkpoint.load(names)
    rewrite = scales == "inplace-abn" or (scales == "auto" and not checkpoint.card and is_inplace_abn(checkpoint))
    dropped = tuple(sorted(checkpoint.tensors.keys() - set(names.values())))
    return Loaded(plain_scales(resnet) if rewrite else resnet, dropped, "inplace-abn" if rewrite else "plain")


def fill_backbone(net: nn.Module, path: Path, inputs: Inputs = "auto") -> str:
    """Load the ResNet of a file, such as an ImageNet classifier, into the ResNet of a network; all of it or nothing.

    The networks here take BGR in 0…255 minus the mean. A ResNet with other inputs has the same names and shapes; its
    first layer is rewritten so that it gives the same features from ours (except next to the border, by padding).

    Args:
        net: a network that contains a ResNet.
        path: weights that contain the same ResNet; see `read_resnet`.
        inputs: of the file's ResNet; ``"auto"`` takes them to be ours unless the statistics say otherwise.

    Returns:
        a summary line.

    Raises:
        UsageError: if the network has no ResNet, or the file's has other inputs or strides.
        DataError: if the file cannot be read, or holds no ResNet or a different one.
    """
    state = net.state_dict()
    places = find_resnet(state)
    wanted = {usual: state[name] for usual, name in places.items()}
    if not wanted:
        raise UsageError("--backbone-weights needs a network with a ResNet, but this one has none")
    loaded = read_resnet(path)
    resnet = loaded.tensors
    needed, stem = _stem(wanted), _stem(resnet)
    if stem != needed:
        raise DataError(f'weights "{path}" have a different stem from the network: {stem}, not {needed}')
    check_fit(resnet, wanted, path, "the ResNet of this network")
    if inputs == "auto" and is_standardised(resnet):
        raise UsageError(
            f'the ResNet in "{path}" takes RGB in standard deviations, as those of torchvision do, but this network '
            "BGR in 0…255; pass --backbone-inputs torchvision to adapt it"
        )
    if inputs == "torchvision" and _strides_first(net, places):
        raise UsageError(
            f'the ResNet in "{path}" has its strides on 3×3 convolutions, as those of torchvision do, but this network '
            "on 1×1 convolutions; add --set stride_on=conv2"
        )
    if inputs in {"rgb255", "torchvision"}:
        resnet = adapted(resnet, standardised=inputs == "torchvision")
    with torch.no_grad():
        for name, values in resnet.items():
            wanted[name].copy_(values)
    said = f'loaded the whole backbone from {len(resnet)} of {len(resnet) + len(loaded.dropped)} tensors in "{path}"'
    if inputs in {"rgb255", "torchvision"}:
        return f"{said}, adapted to BGR in 0…255"
    prefix = places[MARK].removesuffix(MARK)
    inner = {name.removeprefix(prefix): x for name, x in state.items() if name.startswith(prefix)}
    if not prefix or not _holds(path, inner):
        return said
    return f"{said}; all layers of its encoder fit too, with --weights {prefix.rstrip('.')}={path}"


def _holds(path: Path, wanted: Tensors) -> bool:
    """Whether a file holds a whole network."""
    (source,) = sources(path)
    try:
        find(read(source.path), wanted, "this network", source.entry)
    except VosbenchError:
        return False
    return True


def is_standardised(resnet: Mapping[str, Tensor]) -> bool:
    """Whether a ResNet's inputs were divided by their standard deviations, by what its first layer has seen.

    The variance of a convolution's output, over the sum of its squared weights, is of the order of the input's
    variance: about 1, or the square of about 50 grey levels. False if the statistics do not tell, as of new networks.
    """
    weight, variance, mean = (resnet.get(name) for name in ("conv1.weight", "bn1.running_var", "bn1.running_mean"))
    if weight is None or variance is None or mean is None or not (variance.isfinite() & (variance >= 0)).all():
        return False
    energy = weight.double().square().flatten(1).sum(1)
    used = (energy > 1e-4 * energy.max()) & (variance > 1e-4 * variance.max())
    if not used.any() or not mean.any():
        return False
    return float((variance.double() / energy)[used].sqrt().median()) < SMALL


def adapted(resnet: Mapping[str, Tensor], *, standardised: bool) -> dict[str, Tensor]:
    """Rewrite the first layer of a ResNet that takes RGB for BGR in 0…255 minus the mean, `views.centred`.

    Args:
        resnet: by torchvision's names.
        standardised: whether its inputs are RGB / 255, minus the mean, over the standard deviations of ImageNet;
            otherwise they are RGB in 0…255 minus the mean.
    """
    weight, shift = resnet["conv1.weight"].double(), torch.zeros(3, dtype=torch.float64)
    if standardised:
        weight = weight / torch.tensor(STD_RGB, dtype=torch.float64).view(1, 3, 1, 1)
        shift = torch.tensor(MEAN_BGR[::-1], dtype=torch.float64) - torch.tensor(MEAN_RGB, dtype=torch.float64)
    # The means differ by less than a grey level; what that adds to an output is subtracted by the normalisation.
    offset = (weight.sum((2, 3)) * shift).sum(1)
    mean = resnet["bn1.running_mean"].double() - offset
    return {**resnet, "conv1.weight": weight.flip(1).float(), "bn1.running_mean": mean.float()}


def _strides_first(net: nn.Module, places: Mapping[str, str]) -> bool:
    """Whether the second stage of a network's ResNet has its stride on the first 1×1 convolution."""
    name = places.get("layer2.0.conv1.weight", "").removesuffix(".weight")
    layer = net.get_submodule(name) if name else None
    return isinstance(layer, nn.Conv2d) and layer.stride[0] > 1


def _stem(weights: Tensors) -> str:
    names = [name for name in ("conv1.weight", "conv2.weight", "conv3.weight") if name in weights]
    if not names:
        return "none"
    kind, side = "deep" if len(names) > 1 else "plain", weights[names[0]].shape[-1]
    return f"the {kind} stem of {side}×{side}: {'/'.join(str(len(weights[name])) for name in names)}"
