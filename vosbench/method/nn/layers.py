"""Layers shared by both encoders and the networks on top of them."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class BNAct(nn.BatchNorm2d):
    """Batch normalisation and a leaky ReLU of slope 0.01 in one module.

    AD-Net's own layer (InPlaceABN) is one module: a separate activation would change the indices of the layers that
    follow, and with them the names of the weights.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Normalise, then activate; the shape is unchanged."""
        return functional.leaky_relu(super().forward(input), 0.01)


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolution around a shortcut (He et al., 2016).

    Args:
        channels: of the input.
        planes: of the two inner convolutions; the output has four times as many channels.
        strides: of the first 1×1 and of the 3×3 convolution.
        dilation: of the 3×3 convolution.
        project: whether the shortcut is a 1×1 convolution rather than the input itself.
    """

    def __init__(
        self, channels: int, planes: int, strides: tuple[int, int] = (1, 1), dilation: int = 1, *, project: bool = False
    ) -> None:
        super().__init__()
        outer = 4 * planes
        self.conv1 = nn.Conv2d(channels, planes, 1, strides[0], bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, strides[1], padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outer, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outer)
        self.downsample: nn.Sequential | None = None
        if project:
            shortcut = nn.Conv2d(channels, outer, 1, math.prod(strides), bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outer))

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) → (B, 4 · planes, h / stride, w / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = functional.relu(self.bn2(self.conv2(x)), inplace=True)
        return functional.relu(self.bn3(self.conv3(x)) + shortcut, inplace=True)


def stage(channels: int, planes: int, dilations: Sequence[int], strides: tuple[int, int] = (1, 1)) -> nn.Sequential:
    """A stage of a ResNet: one bottleneck per dilation, the first with the strides and a projected shortcut."""
    first = Bottleneck(channels, planes, strides, dilations[0], project=True)
    return nn.Sequential(first, *(Bottleneck(4 * planes, planes, dilation=d) for d in dilations[1:]))


def pool(x: Tensor) -> Tensor:
    """Max-pool 3×3 with stride 2, rounding up: 238 → 120."""
    return functional.max_pool2d(x, 3, 2, padding=1, ceil_mode=True)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Scaled dot-product attention between the positions of feature maps.

    Row *i* of the output is Σⱼ softmaxⱼ(qᵢ · kⱼ / √C) vⱼ, where *i* and *j* run over positions, row by row.

    Args:
        query: (B, C, h, w).
        key: (B, C, h', w').
        value: (B, C, h', w').

    Returns:
        (B, C, h, w), on the positions of the query.
    """
    # One head and a contiguous last axis; otherwise torch builds the N × N matrix on a CPU.
    q, k, v = (x.flatten(2).transpose(1, 2).unsqueeze(1).contiguous() for x in (query, key, value))
    out = functional.scaled_dot_product_attention(q, k, v)
    return out.squeeze(1).transpose(1, 2).reshape(query.shape)


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps to (h, w) by bilinear interpolation, corners not aligned."""
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def broadcast(x: Tensor, like: Tensor) -> Tensor:
    """Spread a (B, C, 1, 1) descriptor over the positions of another map."""
    return x.expand(-1, -1, *like.shape[2:])


@torch.no_grad()
def init_weights(net: nn.Module) -> None:
    """Initialise every convolution from N(0, 0.01²) and every batch normalisation as the identity.

    As released by the authors of F2Net (liudaizong/F2Net). Biases of convolutions keep torch's defaults.
    """
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.normal_(0, 0.01)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
