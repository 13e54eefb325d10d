"""Run networks in ONNX files with ONNX Runtime; torch is not needed.

Conventions:
    A file is data: ONNX Runtime runs its operators and loads no code with it. It is read once, as a whole; tensors in
    other files are refused, since they could be any file, and since the hash in a record would not cover them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import onnx
from vosbench.errors import DataError, UsageError, one_line
from vosbench.method import Setup
from vosbench.method.exported import ExportedPredictor, chosen, described, file_of
from vosbench.method.interface import ENTRY, LARGEST_SIDE, Array, settle
from vosbench.method.options import resolve
from vosbench.methods.onnx import method

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
}
KEEPING = {"Identity", "Cast", "Resize", "Upsample", "Squeeze", "Unsqueeze", "Reshape", "Transpose", "Slice", "Clip"}
"""Operators after which probabilities are still probabilities."""
FATAL = 4
"""The level of ONNX Runtime's messages at which it prints next to nothing; errors are raised as well."""


def load(setup: Setup) -> ExportedPredictor:
    """Make the predictor of a file.

    Raises:
        UsageError: if something about the network must be set, or is set otherwise than it is; or if the device is not
            available.
        DataError: if the file cannot be run.
    """
    options = resolve("onnx", method.options, setup.options)
    path = file_of(setup, "onnx")
    providers = _providers(setup.device)
    data = path.read_bytes()
    model = _parsed(data, path)
    session = _session(data, path, providers, setup.threads)
    said = described(session.get_modelmeta().custom_metadata_map.get(ENTRY, ""), path)
    anchor = options["anchor"] or said.get("anchor", "")
    frames = _frames_input(session, anchor, path)
    fixed, batch = _fixed(frames, options["layout"] or said.get("layout", ""), path)
    names = [each.name for each in session.get_outputs()]
    output = names[chosen(options["which"] or said.get("which", ""), names, path)]
    interface = settle(str(path), options, said, {**fixed, "output": _ending(model, output)}, _dtype(frames, path))
    if batch and setup.batch not in {1, batch}:
        raise UsageError(f'"{path}" takes {batch} frames at a time; omit --batch {setup.batch}')

    def run(inputs: Array, first: Array | None) -> Array:
        named = {frames.name: inputs} | ({anchor: first} if first is not None else {})
        (found,) = session.run([output], named)
        return np.asarray(found)

    return ExportedPredictor(run, interface, batch or setup.batch, anchored=bool(anchor), whole=batch > 1)


def _parsed(data: bytes, path: Path) -> Any:  # noqa: ANN401 - protobuf's
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # of protobuf, which has no public name
        raise DataError(f'"{path}" is not an ONNX file, or is damaged') from error
    if not model.graph.node:
        raise DataError(f'"{path}" is not an ONNX file, or is damaged')
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise DataError(
                f'"{path}" keeps tensors in other files, such as "{tensor.name}"; export it as a single file'
            )
    return model


def _tensors(message: Any) -> Iterator[Any]:  # noqa: ANN401 - protobuf's
    """All tensors in a message, wherever they are."""
    waiting = [message]
    while waiting:
        current = waiting.pop()
        if isinstance(current, onnx.TensorProto):
            yield current
            continue
        for field, value in current.ListFields():
            if field.message_type is not None:
                waiting += value if hasattr(value, "__len__") else [value]


def _session(data: bytes, path: Path, providers: Sequence[Any], threads: int) -> Any:  # noqa: ANN401 - it has no types
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = FATAL
    settings.use_deterministic_compute = True
    settings.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(data, settings, providers=providers)
    except Exception as error:  # of its own kinds, RuntimeError, MemoryError, …
        raise DataError(f'"{path}" cannot be run: {one_line(error)}') from error


def _providers(device: str) -> list[Any]:
    kind, _, number = device.partition(":")
    if kind == "cpu":
        return ["CPUExecutionProvider"]
    name = f"{kind.upper()}ExecutionProvider"
    available = onnxruntime.get_available_providers()
    if kind != "cuda" or name not in available or not (number or "0").isdecimal():
        raise UsageError(f'device "{device}" cannot be used by this ONNX Runtime ({", ".join(available)}); try "cpu"')
    return [(name, {"device_id": int(number or 0)})]


def _frames_input(session: Any, anchor: str, path: Path) -> Any:  # noqa: ANN401 - it has no types
    """The input for frames: the only one, but for that of the first frame.

    Raises:
        UsageError: if there are several, or no input of that name for the first frame.
    """
    inputs = session.get_inputs()
    names = [each.name for each in inputs]
    others = [each for each in inputs if each.name != anchor]
    if anchor and anchor not in names:
        raise UsageError(f'"{path}" has no input "{anchor}"; available: {", ".join(names)}')
    if len(others) != 1:
        raise UsageError(
            f'"{path}" has the inputs {", ".join(names) or "none"}; one is for a frame, and another may be for the '
            "video's first frame, which --set anchor=NAME names"
        )
    return others[0]


def _fixed(frames: Any, layout: str, path: Path) -> tuple[dict[str, str], int]:  # noqa: ANN401 - it has no types
    """What an input's shape says: size and layout; and how many frames it takes, 0 for any number."""
    shape = [side if isinstance(side, int) and side > 0 else 0 for side in frames.shape or ()]
    wants = f'"{path}" wants an input of shape {list(frames.shape or ())}'
    if len(shape) != 4:
        raise DataError(f"{wants}; frames have four axes")
    if not layout:
        layout = "nhwc" if shape[3] == 3 and shape[1] != 3 else "nchw"
    channels, height, width = (shape[3], *shape[1:3]) if layout == "nhwc" else shape[1:]
    if channels not in {0, 3}:
        raise DataError(f"{wants}, in layout {layout} {channels} channels; frames have 3")
    if max(height, width, shape[0]) > LARGEST_SIDE:
        raise DataError(f"{wants}; sides of more than {LARGEST_SIDE} pixels are not made")
    fixed = {"layout": layout} if channels else {}
    return fixed | ({"size": f"{width}x{height}"} if height and width else {}), shape[0]


def _dtype(frames: Any, path: Path) -> np.dtype[Any]:  # noqa: ANN401 - it has no types
    if frames.type not in DTYPES:
        raise DataError(f'"{path}" wants {frames.type}; frames can be {", ".join(DTYPES)}')
    return np.dtype(DTYPES[frames.type])


def _ending(model: Any, output: str) -> str:  # noqa: ANN401 - protobuf's
    """What an output probably is, by the operator that computes it."""
    makers = {name: node for node in model.graph.node for name in node.output}
    for _ in range(len(makers)):
        node = makers.get(output)
        if node is None or node.op_type not in KEEPING or not node.input:
            return "sigmoid" if node is not None and node.op_type in {"Sigmoid", "HardSigmoid", "Softmax"} else "logits"
        output = node.input[0]
    return "logits"
