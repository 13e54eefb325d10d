"""Checkpoints of other makers: read without running anything in them, renamed, and written as safetensors.

Known are the snapshots that AD-Net's authors released, those of F2Net's code and of the DeepLabv3 that it starts from,
and torchvision's ResNet and DeepLabv3, of which the ResNet is taken.
"""

import json
import pickle
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vosbench import __version__
from vosbench.errors import DataError, UsageError, VosbenchError
from vosbench.files import sha256, write_whole
from vosbench.records.provenance import STAMP

if TYPE_CHECKING:
    from torch import Tensor

Tensors = Mapping[str, "Tensor"]
Scales = Literal["auto", "plain", "inplace-abn"]

WRAPPERS = ("state_dict", "model", "net", "network")
COUNTER = ".num_batches_tracked"
BACKBONE = "backbone"
"""What to convert to where no network of ours is meant: a ResNet's names, for starting an encoder from."""
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
        source: a checkpoint of torch (any version's, also one that holds numpy scalars), or safetensors.
        out: the safetensors file to write, whole or not at all.
        method: what the weights are for, as recorded: ``method.variant``, or `BACKBONE`.
        wanted: makes the state of that network, whose names and shapes the file is held against; None for `BACKBONE`.
        scales: ``"inplace-abn"`` rewrites scales s of batch normalisation as |s| + 1e-5, which is what InPlaceABN
            computes with (mapillary/inplace_abn); ``"plain"`` leaves them; ``"auto"`` rewrites where no layer counts
            batches, as ordinary batch normalisation does since torch 0.4.1, and the names are AD-Net's.

    Returns:
        what was done.

    Raises:
        UsageError: where the file was converted before, or would be written over itself.
        DataError: where it cannot be read, holds no tensors, or does not fit.
    """
    if out.suffix != ".safetensors":
        raise UsageError(f'"{out}" must end in .safetensors, which is what is written')
    if out.resolve() == source.resolve():
        raise UsageError(f'"{out}" is the file to convert; give --out another name')
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
    write_whole(out, _stored(named, done))
    return done


def read(path: Path) -> dict[str, "Tensor"]:
    """Read a checkpoint's tensors by name; no code that it holds is run, and what is no tensor is left out.

    Raises:
        UsageError: where vosbench wrote the file.
        DataError: where it cannot be read or holds no tensors.
    """
    if not path.is_file():
        raise DataError(f'there is no file "{path}" to convert')
    try:
        found = _load(path)
    except VosbenchError:
        raise
    except pickle.UnpicklingError as error:
        refused = next((line.strip() for line in str(error).splitlines() if "GLOBAL" in line), "unknown objects")
        raise DataError(f'"{path}" holds more than tensors, and was not run: {refused}') from None
    except Exception as error:  # noqa: BLE001 - there is hardly an error that a damaged file does not cause
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f'"{path}" cannot be read as a checkpoint: {reason}') from None
    tensors = _tensors(found)
    if not tensors:
        raise DataError(f'"{path}" holds no mapping of names to tensors')
    return tensors


def _load(path: Path) -> object:
    import torch
    from safetensors import safe_open

    if path.suffix != ".safetensors":
        with _numpy_scalars(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other pickle protocols: what cannot be read is an error
            return torch.load(path, map_location="cpu", weights_only=True)
    with safe_open(path, framework="pt") as file:
        if STAMP in (file.metadata() or {}):
            raise UsageError(f'"{path}" was written by vosbench already; use it as it is')
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping


def is_inplace_abn(weights: Tensors) -> bool:
    """Whether names are those of AD-Net's released files: its own layers, and none that counts batches."""
    return any("head.0.conv_bn_dropout." in name for name in weights) and not any(
        name.endswith(COUNTER) for name in weights
    )


def plain_scales(weights: Tensors) -> dict[str, "Tensor"]:
    """Rewrite scales that InPlaceABN was trained with for ordinary batch normalisation: s becomes |s| + 1e-5."""
    norms = {name.removesuffix("running_mean") + "weight" for name in weights if name.endswith(".running_mean")}
    return {name: x.abs() + EPSILON if name in norms else x for name, x in weights.items()}


@contextmanager
def _numpy_scalars() -> Iterator[None]:
    """Let torch read numpy's scalars, which old training scripts keep beside the weights, such as the best score."""
    import _codecs

    import numpy as np
    import torch

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


def _tensors(found: object) -> dict[str, "Tensor"]:
    """The tensors of a checkpoint, out of the wrappers that training scripts put around them."""
    import torch

    while isinstance(found, Mapping):
        inner = next((found[key] for key in WRAPPERS if isinstance(found.get(key), Mapping)), None)
        if inner is None:
            return {str(name): x for name, x in found.items() if isinstance(x, torch.Tensor)}
        found = inner
    return {}


def _renamings(found: Tensors) -> list[Tensors]:
    """The file's names as they are, and without a first part that all of them share, such as ``module.``."""
    without = {name.partition(".")[2]: x for name, x in found.items()}
    firsts = {name.partition(".")[0] for name in found}
    return [found, without] if len(firsts) == 1 and "" not in without else [found]


def _fitted(found: Tensors, wanted: Tensors, source: Path, method: str) -> Tensors:
    """Names as a network has them.

    Raises:
        DataError: where there is no way to make them so, or shapes differ.
    """
    named = min(_renamings(found), key=lambda names: len(names.keys() ^ wanted.keys()))
    missing = sorted(name for name in wanted.keys() - named.keys() if not name.endswith(COUNTER))
    surplus = sorted(named.keys() - wanted.keys())
    shapes = [
        f"{name} {tuple(named[name].shape)} for {tuple(wanted[name].shape)}"
        for name in sorted(named.keys() & wanted.keys())
        if named[name].shape != wanted[name].shape
    ]
    texts = [
        f"{verb} {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}"
        for verb, names in (("lacks", missing), ("has unknown", surplus), ("has of another shape", shapes))
        if names
    ]
    if texts:
        raise DataError(f'"{source}" does not fit "{method}": it {"; it ".join(texts)}; is it of another variant?')
    return named


def _backbone(found: Tensors, source: Path) -> tuple[Tensors, tuple[str, ...]]:
    """The ResNet of a classifier or of torchvision's DeepLabv3; and the names that are left out.

    Raises:
        DataError: where there is none.
    """
    marks = [name.removesuffix("layer1.0.conv1.weight") for name in found if name.endswith("layer1.0.conv1.weight")]
    if len(marks) != 1:
        raise DataError(f'"{source}" holds no ResNet: {len(marks)} of its names end in layer1.0.conv1.weight')
    ours = re.compile(re.escape(marks[0]) + r"((conv|bn)[123]|layer[1-4])\.")
    kept = {name.removeprefix(marks[0]): x for name, x in found.items() if ours.match(name)}
    return kept, tuple(sorted(name for name in found if not ours.match(name)))


def _stored(weights: Tensors, done: Conversion) -> bytes:
    from safetensors.torch import save

    about = {"method": done.method, "source": done.source, "scales": done.scales, "version": __version__}
    # One entry, since safetensors writes several in any order; clones, since it refuses tensors that share memory.
    tensors = {name: x.detach().clone().contiguous() for name, x in weights.items()}
    return save(tensors, {STAMP: json.dumps(about, sort_keys=True)})
