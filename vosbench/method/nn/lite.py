"""The small network for real video: EfficientNet-Lite, an atrous pyramid at stride 16, and a decoder to stride 4.

`LiteDeepLab` segments single frames, and is the baseline of the ``lite`` variants of all methods. A method adds its
head in a subclass that replaces `LiteDeepLab.refined`: it changes the embedding, *V* in the papers, before it is
decoded. Such a change is made by `Residual`, which starts as none, so that every variant starts from the same
single-frame network.

Frames are (B, 3, H, W) float32, RGB, (x − 127) / 128 (`vosbench.method.nn.views.LiteView`).
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.method.nn.deeplab import Features
from vosbench.method.nn.efficientnet import LITE0, EfficientNetLite, Lite
from vosbench.method.nn.layers import broadcast, resize


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteConfig:
    """The sizes of the network.

    Attributes:
        size: of the encoder.
        embedding: channels of a pixel's embedding, *C*.
        aspp: channels of each of the five branches of the atrous pyramid.
        rates: dilations of its three 3×3 branches.
        fine: channels of the decoder at strides 8 and 4.
    """

    size: Lite = LITE0
    embedding: int = 128
    aspp: int = 64
    rates: tuple[int, int, int] = (2, 4, 8)
    fine: tuple[int, int] = (48, 32)

    @property
    def levels(self) -> tuple[int, ...]:
        """Channels of the levels of `Features`, from the deepest to the shallowest."""
        return self.size.levels


LITE = LiteConfig()


def _pointwise(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def _separable(channels: int, out: int, rate: int = 1) -> nn.Sequential:
    """A depthwise 3×3 convolution and a 1×1 one, each with its normalisation."""
    depthwise = nn.Conv2d(channels, channels, 3, padding=rate, dilation=rate, groups=channels, bias=False)
    return nn.Sequential(depthwise, nn.BatchNorm2d(channels), nn.ReLU(inplace=True), *_pointwise(channels, out))


class Context(nn.Module):
    """Atrous spatial pyramid pooling of the encoder's two levels at stride 16 (Chen et al., arXiv:1706.05587)."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        deepest, coarse, *_ = config.levels
        channels, width = config.embedding, config.aspp
        self.squeeze = _pointwise(deepest + coarse, channels)
        self.point = _pointwise(channels, width)
        self.atrous = nn.ModuleList(_separable(channels, width, rate) for rate in config.rates)
        # One value per channel and image: too few for a normalisation.
        self.pooled = nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU(inplace=True))
        self.fuse = _pointwise(5 * width, channels)

    def forward(self, deepest: Tensor, coarse: Tensor) -> Tensor:
        """Two levels at stride 16 → the embedding, (B, C, h, w)."""
        x = self.squeeze(torch.cat([coarse, deepest], dim=1))
        pooled = broadcast(self.pooled(functional.adaptive_avg_pool2d(x, 1)), x)
        embedding: Tensor = self.fuse(torch.cat([self.point(x), *(branch(x) for branch in self.atrous), pooled], dim=1))
        return embedding


class Decoder(nn.Module):
    """From the embedding to a logit at stride 4, with the encoder's levels at strides 8 and 4."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        *_, c8, c4 = config.levels
        middle, fine = config.fine
        self.skip8 = _pointwise(c8, 24)
        self.mix8 = nn.Sequential(*_separable(config.embedding + 24, 64), *_separable(64, middle))
        self.skip4 = _pointwise(c4, 16)
        self.mix4 = nn.Sequential(*_separable(middle + 16, fine), *_separable(fine, fine))
        self.classifier = nn.Conv2d(fine, 1, 1)
        self.auxiliary = nn.Conv2d(config.embedding, 1, 1)

    def forward(self, embedding: Tensor, c8: Tensor, c4: Tensor) -> Tensor:
        """(B, C, h, w) and the encoder's levels → logits, (B, 1, 4 h, 4 w)."""
        x = resize(embedding, (c8.shape[2], c8.shape[3]))
        x = self.mix8(torch.cat([x, self.skip8(c8)], dim=1))
        x = resize(x, (c4.shape[2], c4.shape[3]))
        logits: Tensor = self.classifier(self.mix4(torch.cat([x, self.skip4(c4)], dim=1)))
        return logits


class Residual(nn.Module):
    """A change of the embedding by a method's head, zero before training.

    Args:
        channels: of what the head found.
        embedding: channels of the embedding.
    """

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.mix = _pointwise(channels, embedding)
        self.project = nn.Conv2d(embedding, embedding, 1, bias=False)
        nn.init.zeros_(self.project.weight)

    def forward(self, found: Tensor, embedding: Tensor) -> Tensor:
        """(B, channels, h, w) and (B, C, h, w) → (B, C, h, w)."""
        changed: Tensor = embedding + self.project(self.mix(found))
        return changed


class LiteDeepLab(nn.Module):
    """Encoder, atrous pyramid and decoder: single frames.

    Args:
        config: sizes.
    """

    anchored: bool = False

    def __init__(self, config: LiteConfig = LITE) -> None:
        super().__init__()
        self.encoder = EfficientNetLite(config.size)
        self.context = Context(config)
        self.decoder = Decoder(config)

    def embed(self, frames: Tensor) -> Features:
        """(B, 3, H, W) → the embedding at stride 16 and the levels below it, at strides 16, 16, 8 and 4."""
        levels = self.encoder(frames)
        return Features(self.context(levels[0], levels[1]), levels)

    def segment(self, anchor: Features | None, current: Features) -> Tensor:
        """Segment frames.

        Args:
            anchor: of the video's first frame, or of one for each current frame; None uses each as its own.
            current: of B frames.

        Returns:
            logits, (B, 1, H / 4, W / 4), rounded up.
        """
        first = current.embedding if anchor is None else anchor.embedding.expand_as(current.embedding)
        return self.decode(self.refined(first, current.embedding), current)

    def refined(self, anchor: Tensor, current: Tensor) -> Tensor:  # noqa: ARG002 - for subclasses
        """Two embeddings, (B, C, h, w) → the one to decode; without a head the current one."""
        return current

    def decode(self, embedding: Tensor, current: Features) -> Tensor:
        """An embedding and the fine levels of the frames → logits, as of `segment`."""
        logits: Tensor = self.decoder(embedding, *current.pyramid[-2:])
        return logits

    def auxiliary(self, current: Features) -> Tensor:
        """The logits of the embedding alone, (B, 1, h, w), for their loss."""
        logits: Tensor = self.decoder.auxiliary(current.embedding)
        return logits


def halves(features: Features) -> tuple[Features, Features]:
    """Divide the features of a batch into those of its first and of its second half."""
    embeddings = features.embedding.chunk(2)
    levels = [level.chunk(2) for level in features.pyramid]
    first, second = (
        Features(embeddings[half], cast("tuple[Tensor, Tensor, Tensor, Tensor]", tuple(x[half] for x in levels)))
        for half in (0, 1)
    )
    return first, second
