"""The DeepLabv3 of AD-Net, layer for layer as released by its authors (yz93/anchor-diff-VOS)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.methods.deeplabv3.config import ADNET, EncoderConfig
from vosbench.methods.deeplabv3.layers import BNAct, broadcast, pool, stage


def _conv_bn(channels: int, out: int, rate: int = 0) -> nn.Sequential:
    """A 1×1 convolution, or a 3×3 one of some rate, with its normalisation."""
    conv = nn.Conv2d(channels, out, 3 if rate else 1, padding=rate, dilation=max(rate, 1), bias=False)
    return nn.Sequential(conv, BNAct(out))


class AtrousPyramid(nn.Module):
    """Atrous spatial pyramid pooling: five views of every position, put together by a 1×1 convolution."""

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


class AdnetEncoder(nn.Module):
    """ResNet with a deep stem and multi-grid at output stride 8, under an atrous pyramid.

    The auxiliary head ``dsn`` is part of the weights, but nothing reads it at inference and it is not run.

    Args:
        outputs: channels of the output: an embedding's, or 1 for a segmentation.
        config: depths and widths.
    """

    def __init__(self, outputs: int, config: EncoderConfig = ADNET) -> None:
        super().__init__()
        width, blocks = config.width, config.blocks
        self.conv1 = nn.Conv2d(3, width, 3, 2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(2 * width)
        strides = (2, 1) if config.stride_on_first else (1, 2)
        grid = [config.grid[i % len(config.grid)] for i in range(blocks[3])]
        self.layer1 = stage(2 * width, width, [1] * blocks[0])
        self.layer2 = stage(4 * width, 2 * width, [1] * blocks[1], strides)
        self.layer3 = stage(8 * width, 4 * width, [2] * blocks[2])
        self.layer4 = stage(16 * width, 8 * width, [4 * g for g in grid])
        self.head = nn.Sequential(AtrousPyramid(32 * width, config), nn.Conv2d(config.aspp, outputs, 1))
        self.dsn = nn.Sequential(
            nn.Conv2d(16 * width, config.aspp, 3, padding=1, bias=False),
            BNAct(config.aspp),
            nn.Dropout2d(0.1),
            nn.Conv2d(config.aspp, outputs, 1),
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Encode frames.

        Args:
            frames: (B, 3, H, W), BGR in 0…255 less its mean.

        Returns:
            (B, outputs, h, w), where a side of 8 n + 1 pixels gives n + 1 positions.
        """
        encoded: Tensor = self.head(self.layer4(self._third(frames)))
        return encoded

    def both(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Encode frames and run the auxiliary head, as a loss on it needs: two outputs of `forward`'s shape."""
        third = self._third(frames)
        return self.head(self.layer4(third)), self.dsn(third)

    def _third(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → the third stage's output, (B, 16 · width, h, w)."""
        x = functional.relu(self.bn1(self.conv1(frames)), inplace=True)
        x = functional.relu(self.bn2(self.conv2(x)), inplace=True)
        x = pool(functional.relu(self.bn3(self.conv3(x)), inplace=True))
        third: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return third
