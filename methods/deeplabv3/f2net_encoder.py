"""The DeepLabv3 of F2Net (and of COSNet), layer for layer as released by its authors (liudaizong/F2Net)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.methods.deeplabv3.config import F2NET, EncoderConfig
from vosbench.methods.deeplabv3.layers import broadcast, draw_weights, pool, stage


class Features(NamedTuple):
    """What the encoder sees in frames.

    Attributes:
        embedding: (B, C, h, w) at output stride 8, *V* in the paper.
        pyramid: outputs of the four stages, from the deepest (stride 8) to the shallowest (stride 4).
    """

    embedding: Tensor
    pyramid: tuple[Tensor, Tensor, Tensor, Tensor]


class AtrousPyramid(nn.Module):
    """Atrous spatial pyramid pooling: five views of every position, put together by a 3×3 convolution."""

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


class F2netEncoder(nn.Module):
    """ResNet with a 7×7 stem at output stride 8, under an atrous pyramid.

    ``main_classifier`` turns an embedding into a segmentation's logit: the baseline, and an auxiliary output.

    Args:
        config: depths and widths.
    """

    def __init__(self, config: EncoderConfig = F2NET) -> None:
        super().__init__()
        width, blocks = config.width, config.blocks
        strides = (2, 1) if config.stride_on_first else (1, 2)
        grid = [config.grid[i % len(config.grid)] for i in range(blocks[3])]
        self.conv1 = nn.Conv2d(3, width, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = stage(width, width, [1] * blocks[0])
        self.layer2 = stage(4 * width, 2 * width, [1] * blocks[1], strides)
        self.layer3 = stage(8 * width, 4 * width, [2] * blocks[2])
        self.layer4 = stage(16 * width, 8 * width, [4 * g for g in grid])
        self.layer5 = AtrousPyramid(32 * width, config)
        self.main_classifier = nn.Conv2d(config.embedding, 1, 1)
        draw_weights(self)

    def forward(self, frames: Tensor) -> Features:
        """Encode frames.

        Args:
            frames: (B, 3, H, W), BGR in 0…255 less its mean.

        Returns:
            the embedding, (60 × 60 for 473 × 473 pixels), and the pyramid below it.
        """
        x = pool(functional.relu(self.bn1(self.conv1(frames)), inplace=True))
        res2 = self.layer1(x)
        res3 = self.layer2(res2)
        res4 = self.layer3(res3)
        res5 = self.layer4(res4)
        return Features(self.layer5(res5), (res5, res4, res3, res2))
