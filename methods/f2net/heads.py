"""F2Net's heads (Liu et al., AAAI 2021): the centre branch, centre-guided attention, and fusion.

Layers, their order and their names are as released by the authors (liudaizong/F2Net); guidance and fusion follow the
paper, since the release applies neither the prior nor spatial attention. Each variant has only the modules it uses.
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.method.nn.deeplab import F2NET, EncoderConfig
from vosbench.method.nn.layers import resize
from vosbench.method.nn.lite import LiteConfig
from vosbench.methods.f2net.attention import Guidance, channel_weights, gauss, guided, spatial_weights
from vosbench.methods.f2net.centre import Guide

Step = Literal["channel", "spatial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The parts of a variant.

    Attributes:
        encoder: depths and widths of the encoder.
        attention: False for the encoder and its own classifier alone.
        guidance: where the prior around the centre is applied.
        fusion: the attention steps that fuse the three streams, in order; none concatenates them.
        spare: whether to keep unused modules, as in the released weights.
        guide: how to choose the centre, and the width of the prior around it.
        side: of the square input, in pixels; the layers accept any.
    """

    encoder: EncoderConfig | LiteConfig = F2NET
    attention: bool = True
    guidance: Guidance = "pre"
    fusion: tuple[Step, ...] = ()
    spare: bool = False
    guide: Guide = field(default_factory=Guide)
    side: int = 473

    @property
    def is_lite(self) -> bool:
        """Whether the network is a `LiteF2Net`."""
        return isinstance(self.encoder, LiteConfig)


class UpsampleUnit(nn.Module):
    """A unit of the centre branch's decoder: adds a level of the pyramid to the output of the deeper ones.

    Args:
        channels: of the level.
        width: of the output.
        deepest: whether this is the first unit.
        out: channels of a final projection, in the shallowest unit only.
    """

    def __init__(self, channels: int, width: int, *, deepest: bool = False, out: int = 0) -> None:
        super().__init__()
        self.u_skip = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        if not deepest:
            self.up_conv = nn.Conv2d(width, width, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
        if out:
            self.cross_conv = nn.Conv2d(width, out, 1, bias=False)
            self.bn5 = nn.BatchNorm2d(out)

    def forward(self, level: Tensor, deeper: Tensor | None) -> Tensor:
        """(B, channels, h, w) and the deeper units' (B, width, h', w') → (B, width or out, h, w)."""
        x: Tensor = self.bn1(self.u_skip(level))
        if deeper is not None:
            x = x + self.bn2(self.up_conv(resize(deeper, (level.shape[2], level.shape[3]))))
        x = functional.relu(x)
        return functional.relu(self.bn5(self.cross_conv(x))) if hasattr(self, "cross_conv") else x


class UpsampleModule(nn.Module):
    """The centre branch's decoder: four units, from the deepest level to the shallowest.

    Args:
        levels: channels of the levels, from the deepest to the shallowest.
        width: of the units.
        out: channels of the output, *D*.
    """

    def __init__(self, levels: tuple[int, ...], width: int, out: int) -> None:
        super().__init__()
        self.up1 = UpsampleUnit(levels[0], width, deepest=True)
        self.up2 = UpsampleUnit(levels[1], width)
        self.up3 = UpsampleUnit(levels[2], width)
        self.up4 = UpsampleUnit(levels[3], width, out=out)

    def forward(self, pyramid: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
        """The pyramid, deepest first → (B, out, h, w) at stride 4, *U* in the paper."""
        res5, res4, res3, res2 = pyramid
        x: Tensor = self.up4(res2, self.up3(res3, self.up2(res4, self.up1(res5, None))))
        return x


class Heads(nn.Module):
    """Centre branch, centre-guided attention and fusion; subclasses add an encoder before, and a classifier after."""

    config: Config

    def _add_heads(self, config: Config) -> None:
        """Make the centre branch and the layers of the fusion, as far as the variant uses them."""
        self.config = config
        self.guided = config.guidance != "none"
        channels = config.encoder.embedding
        if self.guided or config.spare:
            depth = channels // 4
            self.upsample = UpsampleModule(config.encoder.levels, channels, depth)
            self.fc = nn.Sequential(
                nn.Conv2d(depth, channels, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(channels, 1, 1)
            )
            self.motion_conv_w = nn.Conv2d(depth + 1, 1, 1)
            self.motion_conv_b = nn.Conv2d(depth + 1, 1, 1)
        if "channel" in config.fusion or config.spare:
            self.channel_attention_conv1 = nn.Conv2d(channels, channels // 16, 1, bias=False)
            self.channel_attention_bn = nn.BatchNorm2d(channels // 16)
            self.channel_attention_conv2 = nn.Conv2d(channels // 16, 3 * channels, 1, bias=False)
        if "spatial" in config.fusion or config.spare:
            self.spatial_attention_conv = nn.Conv2d(channels, 3, 1, bias=False)

    def _begin_rare(self) -> None:
        """Let the centre have a prior probability of 0.1, as in CenterNet."""
        if self.guided or self.config.spare:
            nn.init.constant_(self.fc.get_parameter("2.bias"), -2.19)

    def locate(self, pyramid: tuple[Tensor, Tensor, Tensor, Tensor], previous: Tensor) -> Tensor:
        """Score every cell as the object's centre (eq. 1 to 4, before the logistic function).

        Args:
            pyramid: of the current frame.
            previous: the previous frame's Gauss map, (B, 1, h', w'), on the grid of the shallowest level.

        Returns:
            logits, (B, 1, h', w').
        """
        decoded = self.upsample(pyramid)
        seen = torch.cat([decoded, previous], dim=1)
        moved = torch.sigmoid(self.motion_conv_w(seen)) * previous + torch.sigmoid(self.motion_conv_b(seen))
        heat: Tensor = moved + self.fc(decoded)
        return heat

    def prior(self, centres: Tensor, image: tuple[int, int], size: tuple[int, int]) -> Tensor:
        """Centres (B, 2), (x, y) pixels of an input of size ``image`` → Gauss maps (B, 1, h, w) of size ``size``."""
        return gauss(centres, image, size, self.config.guide.sigma)

    def attended(self, anchor: Tensor, current: Tensor, prior: Tensor | None) -> Tensor:
        """Attend from the anchor and the current frame to the current frame, and fuse: see `fuse` for the shape."""
        inter, intra = (guided(query, current, prior, self.config.guidance) for query in (anchor, current))
        return self.fuse(torch.stack([inter, intra, current], dim=1))

    def fuse(self, streams: Tensor) -> Tensor:
        """(B, 3, C, h, w) → (B, 3 C, h, w) by concatenation, or (B, C, h, w) by attention (eq. 9 to 11)."""
        if not self.config.fusion:
            return streams.flatten(1, 2)
        for step in self.config.fusion:
            if step == "channel":
                streams = streams * channel_weights(streams, self._squeeze, self.channel_attention_conv2)
            else:
                streams = streams * spatial_weights(streams, self.spatial_attention_conv)
        return streams.sum(dim=1)

    def _squeeze(self, pooled: Tensor) -> Tensor:
        return functional.relu(self.channel_attention_bn(self.channel_attention_conv1(pooled)))
