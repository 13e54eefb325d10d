"""A network in an ONNX file whose convolutions multiply 8-bit integers, for CPUs that have instructions for it.

Ranges of activations are those seen on some frames (static quantisation; Jacob et al., CVPR 2018), weights have a scale
for each output channel. What is left of the network stays float32.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError, one_line

Inputs = dict[str, NDArray[np.float32]]
"""A network's inputs by name."""


def quantise(path: Path, seen: Sequence[Inputs]) -> float:
    """Replace a file's convolutions by those of 8-bit integers; its metadata are kept.

    Args:
        path: an ONNX file with one output.
        seen: inputs to learn ranges from; some tens of frames suffice.

    Returns:
        the part of positions on these frames whose output is on the other side of the middle, 0 for logits and 0.5 for
        probabilities: in [0, 1].

    Raises:
        DataError: if ONNX Runtime cannot quantise the network.
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    model = onnx.load(str(path))
    before = _outputs(path, seen)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        prepared, made = Path(folder, "prepared.onnx"), Path(folder, "made.onnx")
        try:
            quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
            quantization.quantize_static(
                str(prepared),
                str(made),
                _Reader(seen),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
            )
        except Exception as error:  # whatever it makes of the network
            raise DataError(f"the network cannot be written in 8-bit integers: {one_line(error)}") from error
        result = onnx.load(str(made))
    onnx.helper.set_model_props(result, {entry.key: entry.value for entry in model.metadata_props})
    onnx.save(result, str(path))
    after = _outputs(path, seen)
    middle = 0.5 if all(values.min() >= 0 and values.max() <= 1 for values in before) else 0.0
    return float(np.mean([np.mean((a > middle) != (b > middle)) for a, b in zip(before, after, strict=True)]))


class _Reader:
    """Hands out inputs, as ONNX Runtime asks for them."""

    def __init__(self, seen: Sequence[Inputs]) -> None:
        self._left = iter(seen)

    def get_next(self) -> Inputs | None:
        return next(self._left, None)

    def __iter__(self) -> Iterator[Inputs]:
        return self._left

    def __next__(self) -> Inputs:
        return next(self._left)


def _outputs(path: Path, seen: Sequence[Inputs]) -> list[NDArray[Any]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return [np.asarray(session.run(None, inputs)[0]) for inputs in seen]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without advice on what was already done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
