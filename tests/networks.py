"""Networks in ONNX files, as third parties export them; made without torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]
GREY = np.full((1, 3, 1, 1), 1 / 3, np.float32)


def save(  # a graph and what surrounds it
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape],
    weights: Mapping[str, np.ndarray],
    *,
    kind: int = TensorProto.FLOAT,
) -> Path:
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def node(kind: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def saliency(path: Path, height: int = 64, width: int = 96) -> Path:
    """One frame of a fixed size, three outputs of which the first counts, as of U²-Net and IS-Net: any range."""
    nodes = [
        node("Conv", "img grey", "d0"),
        node("Neg", "d0", "d1"),
        node("AveragePool", "d0", "d2", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    ]
    shape = [1, 1, height, width]
    return save(path, nodes, {"img": [1, 3, height, width]}, dict.fromkeys(("d0", "d1", "d2"), shape), {"grey": GREY})


def plain(path: Path, end: str = "", batch: int | str = "batch", sides: Sequence[int | str] = (48, 64)) -> Path:
    """Any number of frames; the mean of the channels, then an operator."""
    nodes = [node("Conv", "x grey", "sum"), node(end or "Identity", "sum", "last"), node("Identity", "last", "y")]
    return save(path, nodes, {"x": [batch, 3, *sides]}, {"y": [batch, 1, *sides]}, {"grey": GREY})


def channels_last(path: Path) -> Path:
    """(N, H, W, 3) in, (N, H, W, 2) out: logits of background and object."""
    nodes = [
        node("Transpose", "pictures", "turned", perm=[0, 3, 1, 2]),
        node("Conv", "turned two", "both"),
        node("Transpose", "both", "classes", perm=[0, 2, 3, 1]),
    ]
    two = np.concatenate([-GREY, GREY])
    return save(path, nodes, {"pictures": ["n", 48, 64, 3]}, {"classes": ["n", 48, 64, 2]}, {"two": two})


def of_type(path: Path, kind: int) -> Path:
    """An input of another type, which is cast to floats; probabilities out, if pixels are as they are."""
    nodes = [
        node("Cast", "x", "floats", to=TensorProto.FLOAT),
        node("Conv", "floats grey", "sum"),
        node("Div", "sum many", "y"),
    ]
    weights = {"grey": GREY, "many": np.array(255, np.float32)}
    return save(path, nodes, {"x": [1, 3, 48, 64]}, {"y": [1, 1, 48, 64]}, weights, kind=kind)


def with_anchor(path: Path) -> Path:
    """A frame and another one: the difference."""
    nodes = [node("Sub", "x first", "difference"), node("Conv", "difference grey", "y")]
    shape = [1, 3, 48, 64]
    return save(path, nodes, {"x": shape, "first": shape}, {"y": [1, 1, 48, 64]}, {"grey": GREY})


def absolute(path: Path, shape: Shape) -> Path:
    """One operator, on an input of any shape."""
    return save(path, [node("Abs", "x", "y")], {"x": shape}, {"y": shape}, {})
