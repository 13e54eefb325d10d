"""Run networks in TorchScript files, and in those of torch.export.

Conventions:
    ``torch.jit.load`` reads a program in TorchScript, which consists of torch's operators, and runs it: no Python of
    the file is run. ``torch.export.load`` unpickles parts of its file and evaluates expressions in it, so that a file
    can run any code; it is only called if the user says that the file is trusted.
    Source: documentation of `torch.jit.load` and `torch.export.load`, PyTorch 2.13.
"""

import io
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError, VideoError, one_line
from vosbench.method import Setup
from vosbench.method.exported import ExportedPredictor, chosen, described, file_of
from vosbench.method.interface import ENTRY, Array, settle
from vosbench.method.nn.precision import device
from vosbench.method.options import resolve
from vosbench.methods.torchscript import method

ENTRY_FILE = f"{ENTRY}.json"
CODE = "constants.pkl"
"""What each TorchScript archive contains, and no other one."""
EXPORT = "archive_format"
jit: Any = torch.jit  # without types
DTYPES = {torch.float16: np.float16, torch.float64: np.float64, torch.uint8: np.uint8}


def load(setup: Setup) -> ExportedPredictor:
    """Make the predictor of a file.

    Raises:
        UsageError: if the size is not known, the device is not available, or the file is not trusted.
        DataError: if the file cannot be run.
    """
    options = resolve("torchscript", method.options, setup.options)
    path, target = file_of(setup, "torchscript"), device(setup.device)
    module, said = _read(path, target, trusted=options["trust"] == "yes")
    anchored = bool(options["anchor"] or said.get("anchor", ""))
    which = options["which"] or said.get("which", "")
    weight = next((each for each in module.parameters() if each.is_floating_point()), torch.zeros(0))
    dtype = np.dtype(DTYPES.get(weight.dtype, np.float32))
    interface = settle(str(path), {key: value for key, value in options.items() if key != "trust"}, said, {}, dtype)

    @torch.inference_mode()
    def run(inputs: Array, first: Array | None) -> Array:
        tensors = [torch.from_numpy(each).to(target) for each in (inputs, first) if each is not None]
        # Optimised while it runs, a program rounds otherwise in later runs than in the first ones.
        with jit.optimized_execution(False):  # noqa: FBT003 - torch's
            return _output(module(*tensors), which, path)

    return ExportedPredictor(run, interface, setup.batch, anchored=anchored)


def _read(path: Path, target: torch.device, *, trusted: bool) -> tuple[nn.Module, Mapping[str, str]]:
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DataError(f'"{path}" is not a TorchScript file, or is damaged') from error
    extra: dict[str, Any] = {ENTRY_FILE: ""}
    if CODE in names:
        read: Callable[[], Any] = lambda: jit.load(io.BytesIO(data), target, _extra_files=extra)  # noqa: E731
    elif EXPORT in names:
        if not trusted:
            raise UsageError(
                f'"{path}" is a file of torch.export, which can run any code when it is loaded; if you trust it, pass '
                "--set trust=yes"
            )
        read = lambda: torch.export.load(io.BytesIO(data), extra_files=extra).module()  # noqa: E731
    else:
        raise DataError(f'"{path}" contains weights but no network; pass it to a method, or export its network')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TorchScript is no longer developed
            module = read()
            if CODE in names:
                module.eval()
            module.to(target)
    except Exception as error:  # RuntimeError of many kinds
        raise DataError(f'"{path}" cannot be loaded: {one_line(error)}') from error
    return module, described(extra[ENTRY_FILE] or "", path)


def _output(found: Any, which: str, path: Path) -> Array:  # noqa: ANN401 - whatever the network gives
    if isinstance(found, Mapping):
        names: Sequence[str] = [str(name) for name in found]
        values = list(found.values())
    else:
        values = list(found) if isinstance(found, (tuple, list)) else [found]
        names = [str(place) for place in range(len(values))]
    value = values[chosen(which, names, path)] if values else None
    if not isinstance(value, Tensor):
        raise VideoError(f'the chosen output of "{path}" is a {type(value).__name__}, not a tensor')
    return value.float().cpu().numpy()
