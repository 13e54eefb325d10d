"""Weights from files of other makes: safetensors, and torch's own as far as they hold tensors alone."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vosbench.errors import DataError

WRAPPERS = ("state_dict", "model", "net", "weights")
COUNTER = "num_batches_tracked"


def read(path: Path) -> dict[str, Tensor]:
    """Read name → tensor; no code in the file is run.

    Torch's files may hold the tensors under ``"state_dict"``, ``"model"`` or the like; a leading ``module.`` of names
    is dropped.

    Raises:
        DataError: where the file cannot be read, or holds something else.
    """
    try:
        found = load_file(path) if path.suffix == ".safetensors" else _unwrapped(path)
    except pickle.UnpicklingError as error:
        raise DataError(
            f'weights "{path}" cannot be read: it holds other things than tensors, or is damaged'
        ) from error
    except (OSError, SafetensorError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f'weights "{path}" cannot be read: {reason}') from error
    return {name.removeprefix("module."): values for name, values in found.items()}


def _unwrapped(path: Path) -> Mapping[str, Tensor]:
    found = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(found, Mapping):
        found = next((found[key] for key in WRAPPERS if isinstance(found.get(key), Mapping)), found)
    if not isinstance(found, Mapping) or not found or not all(isinstance(value, Tensor) for value in found.values()):
        raise ValueError("it holds no mapping of names to tensors")
    return found


def fill(net: nn.Module, path: Path) -> None:
    """Put every weight of a file into a network; counters of batches may be missing.

    Raises:
        DataError: where names or shapes differ.
    """
    found, wanted = read(path), net.state_dict()
    differing = [name for name in wanted if not name.endswith(COUNTER) and not _fits(found.get(name), wanted[name])]
    differing += [name for name in found if name not in wanted]
    if differing:
        raise DataError(
            f'weights "{path}" do not fit; tensors that are missing, unknown or of another shape: {len(differing)}, '
            f"the first is {differing[0]} (for an ImageNet classifier there is --backbone-weights)"
        )
    net.load_state_dict(found, strict=False)


def _fits(found: Tensor | None, wanted: Tensor) -> bool:
    return found is not None and found.shape == wanted.shape
