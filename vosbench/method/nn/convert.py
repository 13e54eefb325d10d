"""Convert checkpoints from elsewhere to safetensors for the networks here.

Supported are the released snapshots of AD-Net, those of F2Net's code and of the DeepLabv3 that it starts from, and the
ResNet in torchvision's ResNet and DeepLabv3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from vosbench import __version__
from vosbench.errors import DataError, UsageError
from vosbench.files import sha256
from vosbench.method.nn.weights import COUNTER, MARK, Tensors, check_fit, find_resnet, read, write
from vosbench.records.provenance import weights_card

Scales = Literal["auto", "plain", "inplace-abn"]

BACKBONE = "backbone"
"""Pseudo-method: convert only the ResNet backbone, to initialise an encoder."""
EPSILON = 1e-5


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
        source: a checkpoint; see `vosbench.method.nn.weights.read`.
        out: the safetensors file to write, whole or not at all.
        method: what the weights are for: ``method.variant``, or `BACKBONE`.
        wanted: makes the state of that network, whose names and shapes the file is checked against; None for
            `BACKBONE`.
        scales: ``"inplace-abn"`` rewrites scales s of batch normalisation as |s| + 1e-5, which InPlaceABN computes
            with (mapillary/inplace_abn); ``"plain"`` keeps them; ``"auto"`` rewrites them if the names are AD-Net's
            and no layer counts batches, as ordinary batch normalisation does since torch 0.4.1.

    Returns:
        a summary.

    Raises:
        UsageError: if the file was converted before, or would overwrite itself.
        DataError: if it cannot be read, holds no tensors, or does not fit.
    """
    if out.suffix != ".safetensors":
        raise UsageError(f'"{out}" must end in .safetensors, the format written')
    if out.resolve() == source.resolve():
        raise UsageError(f'"{out}" is the file to convert; give --out another name')
    if weights_card(source):
        raise UsageError(f'"{source}" was written by vosbench already; use it as it is')
    tensors = read(source)
    if method == BACKBONE:
        named, dropped = _backbone(tensors, source)
    else:
        named, dropped = _fitted(tensors, wanted() if wanted else {}, source, method), ()
    rewrite = scales == "inplace-abn" or (scales == "auto" and is_inplace_abn(named))
    if rewrite:
        named = plain_scales(named)
    conversion = Conversion(
        method=method,
        source=sha256(source),
        tensors=len(named),
        scales="inplace-abn" if rewrite else "plain",
        dropped=dropped,
    )
    about = {"method": method, "source": conversion.source, "scales": conversion.scales, "version": __version__}
    write(out, named, about)
    return conversion


def is_inplace_abn(weights: Tensors) -> bool:
    """Whether the names are those of AD-Net's released files: its own layers, and none that counts batches."""
    return any("head.0.conv_bn_dropout." in name for name in weights) and not any(
        name.endswith(COUNTER) for name in weights
    )


def plain_scales(weights: Tensors) -> dict[str, Tensor]:
    """Rewrite scales trained with InPlaceABN for ordinary batch normalisation: s becomes |s| + 1e-5."""
    norms = {name.removesuffix("running_mean") + "weight" for name in weights if name.endswith(".running_mean")}
    return {name: x.abs() + EPSILON if name in norms else x for name, x in weights.items()}


def _fitted(tensors: Tensors, wanted: Tensors, source: Path, method: str) -> Tensors:
    """Name the tensors as in the network: unchanged, or without a first part that all share (COSNet's encoder).

    Raises:
        DataError: if neither fits.
    """
    shorter = {name.partition(".")[2]: x for name, x in tensors.items()}
    firsts = {name.partition(".")[0] for name in tensors}
    candidates = [tensors, shorter] if len(firsts) == 1 and "" not in shorter else [tensors]
    named = min(candidates, key=lambda names: len(names.keys() ^ wanted.keys()))
    check_fit(named, wanted, source, f'"{method}"')
    return named


def _backbone(tensors: Tensors, source: Path) -> tuple[Tensors, tuple[str, ...]]:
    """Extract the ResNet of a classifier or of torchvision's DeepLabv3; return it and the names left out.

    Raises:
        DataError: if it has none, or several.
    """
    names = find_resnet(tensors)
    if not names:
        raise DataError(f'weights "{source}" do not hold one ResNet under the usual names, such as {MARK}')
    return {usual: tensors[name] for usual, name in names.items()}, tuple(sorted(tensors.keys() - set(names.values())))
