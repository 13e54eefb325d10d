"""Networks in a file: how frames become their input, and their output maps.

Conventions:
    Files rarely say how their network was trained, so everything can be set. What is not set is read from the file's
    metadata if it has some (`ENTRY`, as written by `vosbench export`), then from its shapes, and is `USUAL` otherwise.
    Metadata are read like options, so a wrong word in them is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError, UsageError, VideoError
from vosbench.method.method import FloatMap
from vosbench.method.options import Option, resolve, sized

Array = NDArray[Any]
Frame = NDArray[np.uint8]

ENTRY = "vosbench"
"""The entry of a file's metadata, JSON, with the options that it was exported for."""
LARGEST_SIDE = 2**13
EDGE = 1e-3
"""How far beyond [0, 1] rounding takes probabilities."""


def _size(text: str) -> str:
    wanted = f"it must be WIDTHxHEIGHT in pixels, at most {LARGEST_SIDE} each, such as 1024x1024"
    return sized(text, lambda side: 1 <= side <= LARGEST_SIDE, wanted)


def _three(text: str) -> str:
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = []
    values = values * 3 if len(values) == 1 else values
    if len(values) != 3 or not np.isfinite(values).all():
        raise ValueError("it must be three numbers, one for each channel, such as 0.485,0.456,0.406; or one for all")
    return ",".join(f"{value:.9g}" for value in values)


def _divisors(text: str) -> str:
    values = _three(text)
    if any(float(word) == 0 for word in values.split(",")):
        raise ValueError("it must not be 0")
    return values


def _scale(text: str) -> str:
    if text == "max":
        return text
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < np.inf:
        raise ValueError('it must be a positive number, or "max"')
    return f"{value:.9g}"


def _number(text: str) -> str:
    if not text.isdecimal():
        raise ValueError("it must be a number, counted from 0")
    return str(int(text))


OPTIONS: Mapping[str, Option] = {
    "size": Option("", "size of the input, WIDTHxHEIGHT; that of the file by default", read=_size),
    "filter": Option(
        "",
        "how frames are resized: antialias, as by Pillow or torchvision (the default), or linear, as by OpenCV",
        ("antialias", "linear"),
    ),
    "channels": Option("", "order of the channels; rgb by default", ("rgb", "bgr")),
    "scale": Option(
        "", "what pixels, 0 to 255, are divided by first; max is each frame's highest; 255 by default", read=_scale
    ),
    "mean": Option(
        "", "then subtracted from each channel, in their order; by default ImageNet's, 0.485,0.456,0.406", read=_three
    ),
    "std": Option("", "then each channel is divided by it; by default ImageNet's, 0.229,0.224,0.225", read=_divisors),
    "layout": Option("", "nchw, or nhwc if channels are last; by the file's shape by default", ("nchw", "nhwc")),
    "which": Option("", "the output to use, by its name or number; the first by default"),
    "channel": Option("", "the channel of an output that has several", read=_number),
    "output": Option(
        "",
        "what the output is: sigmoid, probabilities as they are; logits; minmax, to be stretched to 0 to 1 in each "
        "frame; or softmax, logits of classes; sigmoid or logits by default, as the file ends",
        ("sigmoid", "logits", "minmax", "softmax"),
    ),
    "corners": Option(
        "",
        "how outputs are resized: with the centres or the corners of their pixels aligned; centres by default",
        ("centres", "aligned"),
    ),
    "anchor": Option("", "name of a second input, which gets the video's first frame"),
    "refine": Option("", "whether the edges of maps are drawn to those of the frame; off by default", ("on", "off")),
}
USUAL = {
    "filter": "antialias",
    "channels": "rgb",
    "scale": "255",
    "mean": _three("0.485,0.456,0.406"),
    "std": _three("0.229,0.224,0.225"),
    "layout": "nchw",
    "corners": "centres",
    "refine": "off",
}
RAW = {"scale": "1", "mean": _three("0"), "std": _three("1")}
"""What is usual for networks whose input is whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """How frames become a network's input, and its output maps.

    Attributes:
        size: (W, H) of the input.
        linear: whether frames are resized without antialiasing.
        bgr: whether channels are blue, green, red.
        scale: what pixels are divided by; None for each frame's highest.
        mean: of each channel, in the network's order.
        std: likewise.
        last: whether channels are last.
        channel: of the output; None if it has one.
        output: ``"sigmoid"``, ``"logits"``, ``"minmax"`` or ``"softmax"``.
        sure: whether `output` was set or read from the file, rather than guessed.
        aligned: whether outputs are resized with their corners aligned.
        refine: whether maps are refined by their frames; see `vosbench.method.refine`.
        dtype: of the input.
    """

    size: tuple[int, int]
    linear: bool
    bgr: bool
    scale: float | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    last: bool
    channel: int | None
    output: str
    sure: bool
    aligned: bool
    refine: bool
    dtype: np.dtype[Any]

    def prepare(self, frame: Frame) -> Array:
        """(H, W, 3) uint8 RGB → the input, (3, h, w) or (h, w, 3)."""
        small = _resized(frame, self.size, linear=self.linear)
        values: Array = (small[..., ::-1] if self.bgr else small).astype(np.float32)
        scale = max(float(values.max()), 1.0) if self.scale is None else self.scale
        values = (values / np.float32(scale) - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        if self.dtype.kind in "iu":
            known = np.iinfo(self.dtype)
            values = np.clip(np.rint(values), known.min, known.max)
        return np.ascontiguousarray(values if self.last else values.transpose(2, 0, 1), self.dtype)

    def restore(self, output: Array, frame: Frame) -> FloatMap:
        """The output for a frame → its map.

        Args:
            output: (h, w), (C, h, w), or (h, w, C) if channels are last.
            frame: (H, W, 3) uint8.

        Returns:
            (H, W) float32 in [0, 1].

        Raises:
            VideoError: if the output is not what it is said to be.
        """
        planes = self._planes(np.asarray(output, np.float32))
        if self.output == "softmax":
            planes = np.exp(planes - planes.max(axis=0, keepdims=True))
            planes = planes / planes.sum(axis=0, keepdims=True)
        plane = planes[self._chosen(len(planes))]
        low, high = float(plane.min()), float(plane.max())
        if self.output == "sigmoid" and not -EDGE <= low <= high <= 1 + EDGE:
            raise VideoError(
                f"the network's output ranges from {low:.3g} to {high:.3g}, so it is not probabilities; "
                "pass --set output=logits or --set output=minmax"
            )
        if self.output == "logits" and not self.sure and 0 <= low <= high <= 1:
            raise VideoError(
                f"the network's output ranges from {low:.3g} to {high:.3g}: probabilities, or logits of an unsure "
                "network? pass --set output=sigmoid or --set output=logits"
            )
        if self.output == "minmax":
            plane = (plane - low) / (high - low) if high > low else np.zeros_like(plane)
        large = _interpolated(plane, frame.shape[:2], aligned=self.aligned)
        if self.output == "logits":
            large = _logistic(large)
        values = np.clip(large, 0, 1).astype(np.float32, copy=False)  # weights of an interpolation sum to about 1
        if not self.refine:
            return values
        from vosbench.method.refine import refined

        return refined(values, frame)

    def _planes(self, output: Array) -> Array:
        """(C, h, w), from any of the shapes."""
        if output.ndim == 2:
            return output[None]
        if output.ndim != 3 or not output.size:
            raise VideoError(
                f"the network's output is of shape {output.shape} for a frame; a map has two or three axes"
            )
        return output.transpose(2, 0, 1) if self.last and output.shape[0] != 1 else output

    def _chosen(self, channels: int) -> int:
        chosen = self.channel if self.channel is not None else 0
        if channels > 1 and self.channel is None:
            raise VideoError(f"the network's output has {channels} channels; pass --set channel=0 to {channels - 1}")
        if chosen >= channels:
            raise VideoError(f"the network's output has {channels} channels, counted from 0; there is no {chosen}")
        return chosen


def settle(
    file: str,
    options: Mapping[str, str],
    described: Mapping[str, str],
    fixed: Mapping[str, str],
    dtype: np.dtype[Any],
) -> Interface:
    """Bring together what is known about a network.

    Args:
        file: its name in errors.
        options: the method's options; ``""`` is not set.
        described: the file's metadata, by the names of options.
        fixed: what follows from the file's shapes: ``size`` and ``layout`` cannot be set otherwise, ``output`` is a
            guess.
        dtype: of the input.

    Raises:
        UsageError: if the size is unknown, or an option contradicts the file.
        DataError: if the metadata are not valid.
    """
    given = {key: value for key, value in options.items() if value}
    try:
        said = resolve(file, OPTIONS, {key: value for key, value in described.items() if key in OPTIONS})
    except UsageError as error:
        raise DataError(f'the metadata of "{file}" are not valid: {error}') from None
    known = {key: value for key, value in said.items() if value} | given
    for key in ("size", "layout"):
        if known.get(key, fixed.get(key)) != fixed.get(key, known.get(key)):
            wants = f"images of {fixed[key]}" if key == "size" else f"the layout {fixed[key]}"
            raise UsageError(f'"{file}" wants {wants}, not {known[key]}; omit --set {key}')
    texts = {**USUAL, **(RAW if dtype.kind in "iu" else {}), **fixed, **known}
    if "size" not in texts:
        raise UsageError(f'"{file}" does not say how large its input is; pass --set size=WIDTHxHEIGHT')
    width, height = map(int, texts["size"].split("x"))
    return Interface(
        size=(width, height),
        linear=texts["filter"] == "linear",
        bgr=texts["channels"] == "bgr",
        scale=None if texts["scale"] == "max" else float(texts["scale"]),
        mean=tuple(map(float, texts["mean"].split(","))),
        std=tuple(map(float, texts["std"].split(","))),
        last=texts["layout"] == "nhwc",
        channel=int(texts["channel"]) if "channel" in texts else None,
        output=texts.get("output", "logits"),
        sure="output" in known,
        aligned=texts["corners"] == "aligned",
        refine=texts["refine"] == "on",
        dtype=dtype,
    )


def _resized(frame: Frame, size: tuple[int, int], *, linear: bool) -> Frame:
    if linear:
        import cv2

        return cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    from PIL import Image

    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))


def _interpolated(plane: FloatMap, size: tuple[int, int], *, aligned: bool) -> FloatMap:
    """(h, w) → (H, W) by bilinear interpolation."""
    height, width = size
    if not aligned:
        import cv2

        return cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
    rows, columns = (_weights(*sides) for sides in zip(plane.shape, size, strict=True))
    large: FloatMap = (rows @ plane @ columns.T).astype(np.float32, copy=False)
    return large


def _weights(few: int, many: int) -> FloatMap:
    """(many, few), the weights of bilinear interpolation between positions whose first and last agree."""
    positions = np.linspace(0, few - 1, many)
    weights: Array = np.maximum(0, 1 - np.abs(positions[:, None] - np.arange(few)))
    return weights.astype(np.float32)


def _logistic(values: FloatMap) -> FloatMap:
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + np.exp(-values))
