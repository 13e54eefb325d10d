"""Convert checkpoints from elsewhere to safetensors for the networks here.

Supported are the released snapshots of AD-Net, those of F2Net's code and of the DeepLabv3 that it starts from, and the
ResNet in torchvision's ResNet and DeepLabv3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vosbench import __version__
from vosbench.errors import UsageError
from vosbench.method.nn.backbone import read_resnet
from vosbench.method.nn.weights import Scales, Tensors, load, write
from vosbench.method.sources import digest, sources
from vosbench.records.provenance import weights_card

BACKBONE = "backbone"
"""Pseudo-method: convert only the ResNet backbone, to initialise an encoder."""


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
