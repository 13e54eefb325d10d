"""Checkpoints of other makers as safetensors that our networks take.

Known are the snapshots that AD-Net's authors released, those of F2Net's code and of the DeepLabv3 that it starts from,
and torchvision's ResNet and DeepLabv3, of which the ResNet is taken.
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
    """What was done.

    Attributes:
        method: as typed.
        source: SHA-256 of the file.
        tensors: how many were written.
        scales: how scales of batch normalisation were taken: ``"plain"`` or ``"inplace-abn"``.
        dropped: names of what was left out.
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
        method: what the weights are for, as recorded: ``method.variant``, or `BACKBONE`.
        wanted: makes the state of that network, whose names and shapes the file is checked against; None for
            `BACKBONE`.
        scales: ``"inplace-abn"`` rewrites scales s of batch normalisation as |s| + 1e-5, which is what InPlaceABN
            computes with (mapillary/inplace_abn); ``"plain"`` leaves them; ``"auto"`` rewrites if no layer counts
            batches, as ordinary batch normalisation does since torch 0.4.1, and the names are AD-Net's.

    Returns:
        what was done.

    Raises:
        UsageError: if the file was converted before, or would be written over itself.
        DataError: if it cannot be read, holds no tensors, or does not fit.
    """
    if out.suffix != ".safetensors":
        raise UsageError(f'"{out}" must end in .safetensors, which is what is written')
    if out.resolve() == source.resolve():
        raise UsageError(f'"{out}" is the file to convert; give --out another name')
    if weights_card(source):
        raise UsageError(f'"{source}" was written by vosbench already; use it as it is')
    found = read(source)
    if method == BACKBONE:
        named, dropped = _backbone(found, source)
    else:
        named, dropped = _fitted(found, wanted() if wanted else {}, source, method), ()
    rewrite = scales == "inplace-abn" or (scales == "auto" and is_inplace_abn(named))
    if rewrite:
        named = plain_scales(named)
    done = Conversion(
        method=method,
        source=sha256(source),
        tensors=len(named),
        scales="inplace-abn" if rewrite else "plain",
        dropped=dropped,
    )
    about = {"method": done.method, "source": done.source, "scales": done.scales, "version": __version__}
    write(out, named, about)
    return done


def is_inplace_abn(weights: Tensors) -> bool:
    """Whether names are those of AD-Net's released files: its own layers, and none that counts batches."""
    return any("head.0.conv_bn_dropout." in name for name in weights) and not any(
        name.endswith(COUNTER) for name in weights
    )


def plain_scales(weights: Tensors) -> dict[str, Tensor]:
    """Rewrite scales that InPlaceABN was trained with for ordinary batch normalisation: s becomes |s| + 1e-5."""
    norms = {name.removesuffix("running_mean") + "weight" for name in weights if name.endswith(".running_mean")}
    return {name: x.abs() + EPSILON if name in norms else x for name, x in weights.items()}


def _fitted(found: Tensors, wanted: Tensors, source: Path, method: str) -> Tensors:
    """Names as a network has them: as they are, or without a first part that all of them share (COSNet's encoder).

    Raises:
        DataError: if neither fits.
    """
    shorter = {name.partition(".")[2]: x for name, x in found.items()}
    firsts = {name.partition(".")[0] for name in found}
    known = [found, shorter] if len(firsts) == 1 and "" not in shorter else [found]
    named = min(known, key=lambda names: len(names.keys() ^ wanted.keys()))
    check_fit(named, wanted, source, f'"{method}"')
    return named


def _backbone(found: Tensors, source: Path) -> tuple[Tensors, tuple[str, ...]]:
    """The ResNet of a classifier or of torchvision's DeepLabv3; and the names that are left out.

    Raises:
        DataError: if there is none.
    """
    names = find_resnet(found)
    if not names:
        raise DataError(f'weights "{source}" do not hold one ResNet under the usual names, such as {MARK}')
    return {usual: found[name] for usual, name in names.items()}, tuple(sorted(found.keys() - set(names.values())))
