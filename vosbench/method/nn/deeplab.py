"""The two DeepLabv3 networks that AD-Net and F2Net start from, as encoders and as baselines.

Both are a ResNet at output stride 8 with atrous spatial pyramid pooling (Chen et al., arXiv:1706.05587), but weights of
one do not fit the other. Layers, their order and their names are those of the released networks, yz93/anchor-diff-VOS
and liudaizong/F2Net:

    ==================  ====================================  ===================================
    .                   `AdnetEncoder`                        `F2netEncoder`
    ==================  ====================================  ===================================
    stem                three 3×3 convolutions                one of 7×7
    stride of a stage   on its 3×3 convolution                on its first 1×1 convolution
    last stage          multi-grid: dilations 4, 8, 16        dilation 4
    pyramid             rates 12, 24, 36; pooled last         rates 6, 12, 18; pooled first
    embedding           128 channels                          256 channels
    ==================  ====================================  ===================================

Frames are (B, 3, H, W) float32, BGR in 0…255 minus the mean (`vosbench.method.nn.views.centred`). Features lie on a
grid of an eighth of that size, (h, w); a side of 8 n + 1 pixels gives n + 1 positions.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.method.nn.layers import BNAct, broadcast, init_weights, pool, stage
from vosbench.records.provenance import weights_card

StrideOn = Literal["conv1", "conv2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """The depth and width of an encoder.

    Attributes:
        blocks: bottlenecks of the four stages; ResNet-101 is (3, 4, 23, 3).
        width: planes of the first stage; a stage of ``p`` planes gives ``4 p`` channels.
        aspp: channels of each of the five branches of the spatial pyramid.
        rates: dilations of its three 3×3 branches.
        grid: factors of the dilations of the last stage, block by block (multi-grid).
        embedding: channels of a pixel's embedding, *C*.
        stride_on_first: whether a stage's stride is on its first 1×1 convolution, as in Caffe, or on its 3×3
            convolution, as in torchvision.
    """

    blocks: tuple[int, int, int, int] = (3, 4, 23, 3)
    width: int = 64
    aspp: int = 512
    rates: tuple[int, int, int] = (12, 24, 36)
    grid: tuple[int, ...] = (1, 2, 4)
    embedding: int = 128
    stride_on_first: bool = False

    @property
    def levels(self) -> tuple[int, ...]:
        """Channels of the four stages' outputs, from the deepest to the shallowest."""
        return 32 * self.width, 16 * self.width, 8 * self.width, 4 * self.width


ADNET = EncoderConfig()
F2NET = EncoderConfig(rates=(6, 12, 18), grid=(1,), embedding=256, stride_on_first=True)
ADNET_TINY = EncoderConfig(blocks=(1, 2, 2, 3), width=8, aspp=32, rates=(3, 6, 9), embedding=64)
F2NET_TINY = EncoderConfig(
    blocks=(1, 2, 2, 3), width=8, aspp=32, rates=(2, 4, 6), grid=(1,), embedding=64, stride_on_first=True
)


def strided(config: EncoderConfig, stride_on: StrideOn) -> EncoderConfig:
    """The same encoder with its strides on the first 1×1 (``"conv1"``) or the 3×3 (``"conv2"``) convolutions."""
    return replace(config, stride_on_first=stride_on == "conv1")


def as_trained(config: EncoderConfig, weights: Path | None) -> EncoderConfig:
    """The same encoder with its strides where they were when weights were trained, if these say so."""
    stride_on = weights_card(weights).get("plan stride_on") if weights else None
    return strided(config, stride_on) if stride_on in {"conv1", "conv2"} else config


class ResNet(nn.Module):
    """The four stages of a ResNet at output stride 8. Subclasses add a stem and a pyramid."""

    def _build_stages(self, channels: int, config: EncoderConfig) -> None:
        """Make ``layer1`` … ``layer4`` after a stem of ``channels``; they output 4, 8, 16 and 32 times the width."""
        width, blocks = config.width, config.blocks
        strides = (2, 1) if config.stride_on_first else (1, 2)
        grid = [config.grid[i % len(config.grid)] for i in range(blocks[3])]
        self.layer1 = stage(channels, width, [1] * blocks[0])
        self.layer2 = stage(4 * width, 2 * width, [1] * blocks[1], strides)
        self.layer3 = stage(8 * width, 4 * width, [2] * blocks[2])
        self.layer4 = stage(16 * width, 8 * width, [4 * g for g in grid])


# AD-Net


def _conv_bn(channels: int, out: int, rate: int = 0) -> nn.Sequential:
    """A 1×1 convolution, or a dilated 3×3 one, with its normalisation."""
    conv = nn.Conv2d(channels, out, 3 if rate else 1, padding=rate, dilation=max(rate, 1), bias=False)
    return nn.Sequential(conv, BNAct(out))


class AdnetPyramid(nn.Module):
    """Atrous spatial pyramid pooling: five branches, fused by a 1×1 convolution."""

    def __init__(self, channels: int, config: EncoderConfig) -> None:
        super().__init__()
        width = config.aspp
        self.conv1 = _conv_bn(channels, width)
        self.conv2, self.conv3, self.conv4 = (_conv_bn(channels, width, rate) for rate in config.rates)
        self.image_pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), *_conv_bn(channels, width))
        self.conv_bn_dropout = nn.Sequential(*_conv_bn(5 * width, width), nn.Dropout2d(0.1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) → (B, aspp, h, w)."""
        branches = [self.conv1(x), self.conv2(x), self.conv3(x), self.conv4(x), broadcast(self.image_pooling(x), x)]
        fused: Tensor = self.conv_bn_dropout(torch.cat(branches, dim=1))
        return fused


class AdnetEncoder(ResNet):
    """ResNet with a deep stem and multi-grid, followed by an atrous pyramid.

    The auxiliary head ``dsn`` is part of the weights, but it is not run at inference, since nothing uses it.

    Args:
        outputs: channels of the output: an embedding's, or 1 for a segmentation.
        config: depths and widths.
    """

    def __init__(self, outputs: int, config: EncoderConfig = ADNET) -> None:
        super().__init__()
        width = config.width
        self.conv1 = nn.Conv2d(3, width, 3, 2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(2 * width)
        self._build_stages(2 * width, config)
        self.head = nn.Sequential(AdnetPyramid(32 * width, config), nn.Conv2d(config.aspp, outputs, 1))
        self.dsn = nn.Sequential(
            nn.Conv2d(16 * width, config.aspp, 3, padding=1, bias=False),
            BNAct(config.aspp),
            nn.Dropout2d(0.1),
            nn.Conv2d(config.aspp, outputs, 1),
        )

    def forward(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, outputs, h, w)."""
        encoded: Tensor = self.head(self.layer4(self._third(frames)))
        return encoded

    def both(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Encode frames and run the auxiliary head for its loss: two outputs of `forward`'s shape."""
        third = self._third(frames)
        return self.head(self.layer4(third)), self.dsn(third)

    def _third(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → the third stage's output, (B, 16 · width, h, w)."""
        x = functional.relu(self.bn1(self.conv1(frames)), inplace=True)
        x = functional.relu(self.bn2(self.conv2(x)), inplace=True)
        x = pool(functional.relu(self.bn3(self.conv3(x)), inplace=True))
        third: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return third


class AdnetDeepLab(AdnetEncoder):
    """AD-Net's baseline: the encoder with one output channel, the logit."""

    anchored = False

    def __init__(self, config: EncoderConfig = ADNET) -> None:
        super().__init__(1, config)

    def embed(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, 1, h, w), the logits already."""
        return AdnetEncoder.forward(self, frames)

    def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:  # noqa: ARG002 - needs no anchor
        """Return the logits of `embed`, (B, 1, h, w)."""
        return current


# F2Net


class F2netPyramid(nn.Module):
    """Atrous spatial pyramid pooling: five branches, fused by a 3×3 convolution."""

    def __init__(self, channels: int, config: EncoderConfig) -> None:
        super().__init__()
        width = config.aspp
        first, second, third = config.rates
        self.conv = nn.Conv2d(channels, width, 1)
        self.bn_x = nn.BatchNorm2d(width)
        self.conv2d_0 = nn.Conv2d(channels, width, 1)
        self.bn_0 = nn.BatchNorm2d(width)
        self.conv2d_1 = nn.Conv2d(channels, width, 3, padding=first, dilation=first)
        self.bn_1 = nn.BatchNorm2d(width)
        self.conv2d_2 = nn.Conv2d(channels, width, 3, padding=second, dilation=second)
        self.bn_2 = nn.BatchNorm2d(width)
        self.conv2d_3 = nn.Conv2d(channels, width, 3, padding=third, dilation=third)
        self.bn_3 = nn.BatchNorm2d(width)
        self.bottleneck = nn.Conv2d(5 * width, config.embedding, 3, padding=1)
        self.bn = nn.BatchNorm2d(config.embedding)
        self.prelu = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) → (B, embedding, h, w); the pooled branch comes first."""
        image = functional.adaptive_avg_pool2d(x, 1)
        branches = [
            broadcast(self.bn_x(self.conv(image)), x),
            self.bn_0(self.conv2d_0(x)),
            self.bn_1(self.conv2d_1(x)),
            self.bn_2(self.conv2d_2(x)),
            self.bn_3(self.conv2d_3(x)),
        ]
        fused: Tensor = self.prelu(self.bn(self.bottleneck(functional.relu(torch.cat(branches, dim=1)))))
        return fused


class Features(NamedTuple):
    """The output of F2Net's encoder.

    Attributes:
        embedding: (B, C, h, w) at output stride 8, *V* in the paper.
        pyramid: outputs of the four stages, from the deepest (stride 8) to the shallowest (stride 4).
    """

    embedding: Tensor
    pyramid: tuple[Tensor, Tensor, Tensor, Tensor]


class F2netEncoder(ResNet):
    """ResNet with a 7×7 stem, followed by an atrous pyramid.

    ``main_classifier`` turns an embedding into a segmentation's logit: the baseline, and an auxiliary output.

    Args:
        config: depths and widths.
    """

    def __init__(self, config: EncoderConfig = F2NET) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, config.width, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(config.width)
        self._build_stages(config.width, config)
        self.layer5 = F2netPyramid(32 * config.width, config)
        self.main_classifier = nn.Conv2d(config.embedding, 1, 1)
        init_weights(self)

    def forward(self, frames: Tensor) -> Features:
        """(B, 3, H, W) → the embedding (60 × 60 positions for 473 × 473 pixels) and the pyramid below it."""
        x = pool(functional.relu(self.bn1(self.conv1(frames)), inplace=True))
        res2 = self.layer1(x)
        res3 = self.layer2(res2)
        res4 = self.layer3(res3)
        res5 = self.layer4(res4)
        return Features(self.layer5(res5), (res5, res4, res3, res2))


class F2netDeepLab(F2netEncoder):
    """F2Net's baseline: the encoder and its own classifier."""

    anchored = False

    def embed(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, C, h, w)."""
        return self(frames).embedding  # type: ignore[no-any-return]

    def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:  # noqa: ARG002 - needs no anchor
        """(B, C, h, w) → logits, (B, 1, h, w)."""
        logits: Tensor = self.main_classifier(current)
        return logits
