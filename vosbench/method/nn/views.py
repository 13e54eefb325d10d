"""Views: from a frame to a network's input, and from its logits to a map of the frame's size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Protocol, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import AfterValidator, Field
from torch import Tensor
from torch.nn import functional

from vosbench.engine.stages import stage
from vosbench.images import read_frame
from vosbench.method.method import FloatMap
from vosbench.method.nn.layers import resize

Frame = NDArray[np.uint8]
"""(H, W, 3) uint8, RGB, as read by `vosbench.images.read_frame`."""

MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)


def _aligned(side: int) -> int:
    if side % 8 != 1:
        raise ValueError(f"a side must be 8 n + 1 pixels, such as {max(side // 8, 2) * 8 + 1}")
    return side


Side = Annotated[int, Field(ge=17), AfterValidator(_aligned)]
"""A side of 8 n + 1 pixels, so that the n + 1 positions of a feature map lie on pixels."""


class View(Protocol):
    """The conversion of frames to a network's input and of its logits to maps; views are subclasses."""

    @property
    def input(self) -> tuple[int, int]:
        """Size (W, H) of the network's input."""
        ...

    def resize(self, frame: Frame) -> Frame:
        """(H, W, 3) uint8 RGB → (h, w, 3), of the input's size."""
        ...

    def normalise(self, pixels: Tensor) -> Tensor:
        """(F, h, w, 3) uint8 RGB → the input, (F, 3, h, w) float32, channels last in memory."""
        ...

    def prepare(self, frame: Frame) -> Tensor:
        """(H, W, 3) uint8 RGB → the input, (3, h, w) float32: what `resize` and `normalise` make of it."""
        return self.normalise(torch.from_numpy(np.array(self.resize(frame)))).contiguous()

    def probabilities(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """(1, h, w) logits → what `finish` takes, float32, for a frame of size (H, W)."""
        ...

    def finish(self, probabilities: FloatMap, size: tuple[int, int]) -> FloatMap:
        """What `probabilities` returns, in the processor's memory → (H, W) probabilities."""
        ...

    def restore(self, logits: Tensor, size: tuple[int, int]) -> FloatMap:
        """(1, h, w) logits → (H, W) probabilities, for a frame of size (H, W): `probabilities`, then `finish`."""
        return self.finish(self.probabilities(logits, size).cpu().numpy(), size)

    def enlarged(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, 1, h, w) logits → (B, 1, H, W)."""
        ...

    def rescaled(self, scale: float) -> Self:
        """The view with other sides of the input."""
        ...


def centred(pixels: Tensor) -> Tensor:
    """(…, H, W, 3) uint8 RGB → (…, 3, H, W) float32, BGR in 0…255 minus the mean of ImageNet; no division."""
    bgr = pixels.flip(-1).float()
    bgr -= _mean(pixels.device)
    return bgr.movedim(-1, -3)


@cache
def _mean(device: torch.device) -> Tensor:
    """`MEAN_BGR` on a device, made once: a GPU finishes what it does before it takes numbers that are not pinned."""
    with torch.inference_mode(mode=False):  # for training, too
        return torch.tensor(MEAN_BGR, device=device)


def scaled(pixels: Tensor) -> Tensor:
    """(…, H, W, 3) uint8 RGB → (…, 3, H, W) float32, RGB, (x − 127) / 128, as the inputs of EfficientNet-Lite."""
    rgb = pixels.float()
    rgb -= 127
    rgb /= 128
    return rgb.movedim(-1, -3)


def squash(frame: Frame, side: int) -> Frame:
    """(H, W, 3) → (side, side, 3), by Pillow's antialiased bilinear interpolation of bytes."""
    return np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR))


@dataclass(frozen=True, slots=True)
class Resized:
    """A frame in the sizes of some views.

    Attributes:
        size: (H, W) of the frame.
        pictures: (h, w, 3) uint8 RGB, one per view.
    """

    size: tuple[int, int]
    pictures: tuple[Frame, ...]

    @classmethod
    def of(cls, frame: Frame, views: Iterable[View]) -> Self:
        """Resize a frame for each of the views."""
        return cls((frame.shape[0], frame.shape[1]), tuple(view.resize(frame) for view in views))

    @classmethod
    def read(cls, path: Path, views: Iterable[View]) -> Self:
        """Read a frame and resize it; see `vosbench.images.read_frame`."""
        frame = read_frame(path)
        with stage("encoder"):
            return cls.of(frame, views)


def inputs(view: View, pictures: Sequence[Frame], device: torch.device) -> Tensor:
    """F pictures of a view's size → its input, (F, 3, h, w), on a device, which normalises: bytes travel faster."""
    pixels = torch.from_numpy(np.stack(pictures))
    if device.type == "cuda":  # this thread goes on while the copy is under way
        return view.normalise(pixels.pin_memory().to(device, non_blocking=True))
    return view.normalise(pixels.to(device))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedView(View):
    """AD-Net's view: frames and logits are resized by bilinear interpolation, the logits with corners aligned.

    As released by the authors, yz93/anchor-diff-VOS. Sides of 8 n + 1 pixels keep positions on pixels; see `Side`.
    """

    height: int
    width: int

    @property
    def input(self) -> tuple[int, int]:
        """See `View`."""
        return self.width, self.height

    def normalise(self, pixels: Tensor) -> Tensor:
        """See `View`."""
        return centred(pixels)

    def resize(self, frame: Frame) -> Frame:
        """See `View`; bytes are interpolated, hence rounded."""
        small = cv2.resize(frame, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        return small.astype(np.uint8, copy=False)

    def probabilities(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """See `View`; (H, W), the logistic function is applied after interpolation."""
        return torch.sigmoid(self.enlarged(logits[None], size))[0, 0].float()

    def finish(self, probabilities: FloatMap, size: tuple[int, int]) -> FloatMap:  # noqa: ARG002 - has it already
        """See `View`; nothing is left to do."""
        return probabilities

    def enlarged(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """See `View`; corners are aligned."""
        return functional.interpolate(logits, size=size, mode="bilinear", align_corners=True)

    def rescaled(self, scale: float) -> Self:
        """See `View`; sides are rounded down to 8 n + 1 pixels (`eval.py` of yz93/anchor-diff-VOS).

        >>> FULL_VIEW.rescaled(0.75).input
        (641, 353)
        """
        height, width = (int((side * scale - 1) // 8) * 8 + 1 for side in (self.height, self.width))
        return replace(self, height=height, width=width)


def view_of(size: str) -> AlignedView:
    """The view of a size, as `vosbench.method.options.aligned_size` writes it.

    >>> view_of("857x481") == FULL_VIEW
    True
    """
    width, height = map(int, size.split("x"))
    return AlignedView(height=height, width=width)


FULL_VIEW = AlignedView(height=481, width=857)
TINY_VIEW = AlignedView(height=137, width=241)
"""AD-Net's views of frames of 480×854 (full) and 112×192 (tiny), with sides of 8 n + 1 pixels that fit them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SquashedView(View):
    """F2Net's view: a square, whatever the shape of the frame.

    As released by the authors, liudaizong/F2Net: frames are resized by Pillow's antialiased bilinear interpolation of
    bytes; logits are interpolated to the square (corners not aligned), and probabilities from there to the frame.
    """

    side: int

    @property
    def input(self) -> tuple[int, int]:
        """See `View`."""
        return self.side, self.side

    def normalise(self, pixels: Tensor) -> Tensor:
        """See `View`."""
        return centred(pixels)

    def resize(self, frame: Frame) -> Frame:
        """See `View`."""
        return squash(frame, self.side)

    def probabilities(self, logits: Tensor, size: tuple[int, int]) -> Tensor:  # noqa: ARG002 - `finish` needs it
        """See `View`; those of the square."""
        return torch.sigmoid(resize(logits[None], (self.side, self.side)))[0, 0].float()

    def finish(self, probabilities: FloatMap, size: tuple[int, int]) -> FloatMap:
        """See `View`."""
        height, width = size
        large = cv2.resize(probabilities, (width, height), interpolation=cv2.INTER_LINEAR)
        # In float32 the weights of an interpolation may sum to slightly more than 1.
        whole: FloatMap = np.clip(large, 0, 1).astype(np.float32, copy=False)
        return whole

    def enlarged(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """See `View`; by way of the square, like `restore`."""
        return resize(resize(logits, (self.side, self.side)), size)

    def rescaled(self, scale: float) -> Self:
        """See `View`; the side is rounded to a multiple of 16 pixels."""
        return replace(self, side=max(1, round(self.side * scale / 16)) * 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteView(SquashedView):
    """The view of the lite networks: squashed, with the inputs of EfficientNet-Lite."""

    def normalise(self, pixels: Tensor) -> Tensor:
        """See `View`."""
        return scaled(pixels)


LITE_VIEW = LiteView(side=320)
