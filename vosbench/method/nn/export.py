"""Write a network to a file that methods ``onnx`` and ``torchscript`` run, with all that they need to know about it.

A file holds one network that sees a frame, and the first frame of the video if it needs an anchor. Methods that carry
something else from frame to frame cannot be written so.
"""

import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError, one_line
from vosbench.files import being_written
from vosbench.images import read_frame
from vosbench.method.interface import ENTRY, OPTIONS
from vosbench.method.method import Predictor
from vosbench.method.nn.layers import resize
from vosbench.method.nn.predictor import FramePredictor, Network
from vosbench.method.nn.refined import Refined
from vosbench.method.nn.views import MEAN_BGR, AlignedView, LiteView, SquashedView, View

Format = Literal["onnx", "torchscript"]
OPSET = 18
FRAME, ANCHOR, MAP = "frame", "anchor", "map"
TOLERANCE = 1e-3
"""How much logits may differ between the two forms, as a part of the largest."""
EXAMPLES = 2
"""Frames in the example; with one, the number of frames would become part of the network."""


class Exported(nn.Module):
    """A network as written: frames in, logits or probabilities out."""

    def __init__(self, net: Network[Any], view: View) -> None:
        super().__init__()
        self.net = net
        self._square = (view.side, view.side) if isinstance(view, SquashedView) else None

    def forward(self, frame: Tensor, anchor: Tensor | None = None) -> Tensor:
        """(B, 3, H, W) and (1, 3, H, W) → (B, 1, h, w)."""
        first = None if anchor is None else self.net.embed(anchor)
        logits = self.net.segment(first, self.net.embed(frame))
        return logits if self._square is None else torch.sigmoid(resize(logits, self._square))


def export(
    predictor: Predictor,
    name: str,
    path: Path,
    form: Format,
    card: Mapping[str, str],
    *,
    calibration: Sequence[Sequence[Path]] = (),
) -> float:
    """Write a predictor's network.

    Args:
        predictor: as its method made it, on the CPU and in float32.
        name: of the method, for messages.
        path: the target.
        form: of the file.
        card: where the network is from, as text; written into the file.
        calibration: for 8-bit integers (`vosbench.method.nn.quantise`), frames of videos, the first of each of which is
            its anchor; empty for the network as it is.

    Returns:
        the largest difference between outputs of the file and of the network on an example; of 8-bit integers, the part
        of positions that change sides.

    Raises:
        UsageError: if the method cannot be written to a file, or 8-bit integers to one of this form.
        DataError: if the file does not give what the network gives.
    """
    stages: dict[str, str] = {}
    if isinstance(predictor, Refined):
        predictor, stages = predictor.unrefined, {"refine": "on"}
    if not isinstance(predictor, FramePredictor):
        raise UsageError(
            f'"{name}" cannot be exported: it does more than run a network on a frame and the first one, such as carry '
            "a state from frame to frame or average views, and a file holds a network alone"
        )
    if calibration and form != "onnx":
        raise UsageError("8-bit integers are for ONNX files; omit --int8, or pass --format onnx")
    described = {**interface_of(predictor.view, name), **stages, **card}
    net = Exported(predictor.net, predictor.view).eval()
    width, height = predictor.view.input
    noise = torch.Generator().manual_seed(0)
    inputs = [torch.randn(count, 3, height, width, generator=noise) * 60 for count in (EXAMPLES, 1)]
    if predictor.net.anchored:
        described["anchor"] = ANCHOR
    else:
        inputs.pop()
    with being_written(path) as part:
        with _quiet():
            (_write_onnx if form == "onnx" else _write_script)(net, inputs, part, described)
        difference = _compare(net, inputs, part, form)
        if not calibration:
            return difference
        from vosbench.method.nn.quantise import quantise

        return quantise(part, list(_prepared(predictor.view, calibration, anchored=predictor.net.anchored)))


def _prepared(view: View, videos: Sequence[Sequence[Path]], *, anchored: bool) -> Iterator[dict[str, NDArray[Any]]]:
    """The inputs for each frame of videos."""
    for frames in videos:
        prepared = [view.prepare(read_frame(path))[None].numpy() for path in frames]
        for frame in prepared:
            yield {FRAME: frame, ANCHOR: prepared[0]} if anchored else {FRAME: frame}


def interface_of(view: View, name: str) -> dict[str, str]:
    """A view in the words of `vosbench.method.interface.OPTIONS`.

    Raises:
        UsageError: if they do not suffice.
    """
    width, height = view.input
    said = {
        "size": f"{width}x{height}",
        "channels": "bgr",
        "scale": "1",
        "mean": ",".join(f"{value:.9g}" for value in MEAN_BGR),
        "std": "1,1,1",
        "layout": "nchw",
    }
    if isinstance(view, AlignedView):
        return said | {"filter": "linear", "output": "logits", "corners": "aligned"}
    if isinstance(view, LiteView):
        said |= {"channels": "rgb", "mean": "127,127,127", "std": "128,128,128"}
    if isinstance(view, SquashedView):
        return said | {"filter": "antialias", "output": "sigmoid", "corners": "centres"}
    raise UsageError(f'"{name}" prepares frames in a way of its own, which no option describes ({", ".join(OPTIONS)})')


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch says about its own future, and exporters about their progress."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _write_onnx(net: Exported, inputs: list[Tensor], path: Path, described: Mapping[str, str]) -> None:
    import onnx
    import onnxscript  # noqa: F401 - without it, torch's message does not name the extra

    shapes = ({0: torch.export.Dim("batch", min=1)}, {})[: len(inputs)]
    torch.onnx.export(
        net,
        tuple(inputs),
        str(path),
        input_names=[FRAME, ANCHOR][: len(inputs)],
        output_names=[MAP],
        opset_version=OPSET,
        dynamo=True,
        dynamic_shapes=shapes,
        external_data=False,
        verbose=False,
    )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {ENTRY: json.dumps(described)})
    onnx.save(model, str(path))


def _write_script(net: Exported, inputs: list[Tensor], path: Path, described: Mapping[str, str]) -> None:
    jit: Any = torch.jit  # without types
    traced = jit.trace(net, tuple(inputs), check_trace=False)
    jit.save(traced, str(path), _extra_files={f"{ENTRY}.json": json.dumps(described)})


def _compare(net: Exported, inputs: list[Tensor], path: Path, form: Format) -> float:
    """Run a file on the example.

    Raises:
        DataError: if it cannot be run, or its output is another.
    """
    with torch.inference_mode():
        expected = net(*inputs).numpy()
    try:
        found = (_of_onnx if form == "onnx" else _of_script)(inputs, path)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # whatever the exporter made of the network
        raise DataError(f"the exported file cannot be run, and is not written: {one_line(error)}") from error
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise DataError(f"the exported file is not written: its output differs by {difference:.2g} from the network's")
    return difference


def _of_onnx(inputs: list[Tensor], path: Path) -> NDArray[np.float32]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {name: x.numpy() for name, x in zip((FRAME, ANCHOR), inputs, strict=False)})
    return np.asarray(found)


def _of_script(inputs: list[Tensor], path: Path) -> NDArray[np.float32]:
    jit: Any = torch.jit
    with _quiet():
        return np.asarray(jit.load(str(path))(*inputs))
