"""Views: from a frame to a network's input, and from its logits to a map of the frame's size."""

from dataclasses import dataclass, replace
from typing import Annotated, Protocol, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import AfterValidator, Field
from torch import Tensor
from torch.nn import functional

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
    """The conversion of frames to a network's input and of its logits to maps."""

    @property
    def input(self) -> tuple[int, int]:
        """Size (W, H) of the network's input."""
        ...

    def prepare(self, frame: Frame) -> Tensor:
        """(H, W, 3) uint8 RGB → the input, (3, h, w) float32."""
        ...

    def restore(self, logits: Tensor, size: tuple[int, int]) -> FloatMap:
        """(1, h, w) logits → (H, W) probabilities, for a frame of size (H, W)."""
        ...

    def enlarged(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, 1, h, w) logits → (B, 1, H, W)."""
        ...

    def rescaled(self, scale: float) -> Self:
        """The view with other sides of the input."""
        ...


def centred(frame: Frame) -> Tensor:
    """(H, W, 3) uint8 RGB → (3, H, W) float32, BGR in 0…255 minus the mean of ImageNet; no division."""
    made = np.empty((3, *frame.shape[:2]), dtype=np.float32)
    # Plane by plane, which takes a fifth of the time.
    for plane, mean, out in zip(cv2.split(frame)[::-1], np.array(MEAN_BGR, np.float32), made, strict=True):
        np.subtract(plane, mean, out=out, dtype=np.float32)
    return torch.from_numpy(made)


def scaled(frame: Frame) -> Tensor:
    """(H, W, 3) uint8 RGB → (3, H, W) float32, RGB, (x − 127) / 128, as the inputs of EfficientNet-Lite."""
    rgb = frame.astype(np.float32)
    rgb -= 127
    rgb /= 128
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))


def squash(frame: Frame, side: int) -> Frame:
    """(H, W, 3) → (side, side, 3), by Pillow's antialiased bilinear interpolation of bytes."""
    return np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedView:
    """AD-Net's view: frames and logits are resized by bilinear interpolation, the logits with corners aligned.

    As released by the authors, yz93/anchor-diff-VOS. Sides of 8 n + 1 pixels keep positions on pixels; see `Side`.
    """

    height: int
    width: int

    @property
    def input(self) -> tuple[int, int]:
        """See `View`."""
        return self.width, self.height

    def prepare(self, frame: Frame) -> Tensor:
        """See `View`; bytes are interpolated, hence rounded."""
        small = cv2.resize(frame, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        return centred(small.astype(np.uint8, copy=False))

    def restore(self, logits: Tensor, size: tuple[int, int]) -> FloatMap:
        """See `View`; the logistic function is applied after interpolation."""
        return torch.sigmoid(self.enlarged(logits[None], size))[0, 0].float().cpu().numpy()

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
class SquashedView:
    """F2Net's view: a square, whatever the shape of the frame.

    As released by the authors, liudaizong/F2Net: frames are resized by Pillow's antialiased bilinear interpolation of
    bytes; logits are interpolated to the square (corners not aligned), and probabilities from there to the frame.
    """

    side: int

    @property
    def input(self) -> tuple[int, int]:
        """See `View`."""
        return self.side, self.side

    def prepare(self, frame: Frame) -> Tensor:
        """See `View`."""
        return centred(squash(frame, self.side))

    def restore(self, logits: Tensor, size: tuple[int, int]) -> FloatMap:
        """See `View`."""
        square = torch.sigmoid(resize(logits[None], (self.side, self.side)))[0, 0].float().cpu().numpy()
        height, width = size
        large = cv2.resize(square, (width, height), interpolation=cv2.INTER_LINEAR)
        # In float32 the weights of an interpolation may sum to slightly more than 1.
        probabilities: FloatMap = np.clip(large, 0, 1).astype(np.float32, copy=False)
        return probabilities

    def enlarged(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """See `View`; by way of the square, like `restore`."""
        return resize(resize(logits, (self.side, self.side)), size)

    def rescaled(self, scale: float) -> Self:
        """See `View`; the side is rounded to a multiple of 16 pixels."""
        return replace(self, side=max(1, round(self.side * scale / 16)) * 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteView(SquashedView):
    """The view of the lite networks: squashed, with the inputs of EfficientNet-Lite."""

    def prepare(self, frame: Frame) -> Tensor:
        """See `View`."""
        return scaled(squash(frame, self.side))


LITE_VIEW = LiteView(side=320)
