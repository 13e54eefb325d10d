"""F2Net and its ablations (Liu et al., AAAI 2021, Tables 1 and 2).

Layers, their order and their names are as released by the authors (liudaizong/F2Net); guidance and fusion follow the
paper, since the release applies neither the prior nor spatial attention. Each variant has only the modules it uses.
`F2Net` is the paper's network, and `LiteF2Net` has the same heads on the small network for real video.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.method.nn.deeplab import F2NET, F2NET_TINY, EncoderConfig, F2netEncoder, Features
from vosbench.method.nn.layers import init_weights, resize
from vosbench.method.nn.lite import LITE, LiteConfig, LiteDeepLab, Residual
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


_FULL = {
    "base": Config(attention=False, guidance="none"),
    "ad": Config(guidance="none"),
    "cgad": Config(),
    "cgad-sa": Config(fusion=("spatial",)),
    "cgad-ca": Config(fusion=("channel",)),
    "cgad-sca": Config(fusion=("spatial", "channel")),
    "cgad-csa": Config(fusion=("channel", "spatial")),
    "cgad-csa-max": Config(fusion=("channel", "spatial"), guide=Guide(select="max")),
    "released": Config(guidance="none", fusion=("channel",), spare=True),
}


def _tiny(config: Config) -> Config:
    """The same variant with few and narrow layers; the prior keeps about its width relative to the input."""
    return replace(config, encoder=F2NET_TINY, guide=replace(config.guide, sigma=6.0), side=177)


def _lite(config: Config) -> Config:
    """The same variant on the small network; the prior keeps its width in positions, which are twice as coarse."""
    return replace(config, encoder=LITE, guide=replace(config.guide, sigma=30.0), side=320)


_ROWS = {name: config for name, config in _FULL.items() if name not in {"cgad-csa", "released"}}
VARIANTS = {
    **_FULL,
    "tiny": _tiny(_FULL["cgad-csa"]),
    **{f"tiny-{name}": _tiny(config) for name, config in _ROWS.items()},
    "lite": _lite(_FULL["cgad-csa"]),
    **{f"lite-{name}": _lite(config) for name, config in _ROWS.items()},
}


class Output(NamedTuple):
    """The output of a forward pass, before any logistic function.

    Attributes:
        mask: logits of the segmentation, (B, 1, h, w), at stride 8.
        auxiliary: logits of the encoder's own classifier, (B, 1, h, w), at stride 8.
        heat: logits of the centre, (B, 1, h', w'), at stride 4; None without a centre branch.
    """

    mask: Tensor
    auxiliary: Tensor
    heat: Tensor | None


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


class F2Net(Heads):
    """Encoder, centre branch, centre-guided attention, fusion and classifier."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.anchored = config.attention
        assert isinstance(config.encoder, EncoderConfig)
        self.encoder = F2netEncoder(config.encoder)
        channels = config.encoder.embedding
        self._add_heads(config)
        if config.attention:
            self.cls = nn.Sequential(
                nn.Conv2d(channels if config.fusion else 3 * channels, channels, 1),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
                nn.Conv2d(channels, 1, 1),
            )
        init_weights(self)
        self._begin_rare()

    def encode(self, frames: Tensor) -> Features:
        """(B, 3, H, W), BGR in 0…255 minus the mean → embedding and pyramid."""
        features: Features = self.encoder(frames)
        return features

    def embed(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → the embedding alone, (B, C, h, w)."""
        return self.encode(frames).embedding

    def segment(self, anchor: Tensor | None, current: Tensor, prior: Tensor | None = None) -> Tensor:
        """Segment frames from embeddings.

        Args:
            anchor: (1, C, h, w) or (B, C, h, w); None uses the current frame as its own anchor.
            current: (B, C, h, w).
            prior: (B, 1, h, w), the Gauss map around the centre; None for no guidance.

        Returns:
            logits, (B, 1, h, w).
        """
        if not self.config.attention:
            auxiliary: Tensor = self.encoder.main_classifier(current)
            return auxiliary
        first = current if anchor is None else anchor.expand_as(current)
        logits: Tensor = self.cls(self.attended(first, current, prior))
        return logits

    def follow(self, anchor: Tensor, features: Features, prior: Tensor) -> Tensor:
        """Segment a frame of a video, as `segment` does."""
        return self.segment(anchor, features.embedding, prior)

    def forward(self, current: Tensor, reference: Tensor, previous: Tensor, centres: Tensor) -> Output:
        """Segment a batch of frames whose centres are known, as in training.

        Args:
            current: (B, 3, H, W).
            reference: the anchors, (B, 3, H, W); ignored without attention.
            previous: Gauss maps of the previous frames, (B, 1, h', w'); ignored without a centre branch.
            centres: (B, 2), (x, y) in pixels of the input; ignored without guidance.

        Returns:
            the logits of mask, encoder and centre.
        """
        features = self.encode(current)
        embedding = features.embedding
        image, size = (current.shape[2], current.shape[3]), (embedding.shape[2], embedding.shape[3])
        anchor = self.embed(reference) if self.anchored else None
        prior = self.prior(centres, image, size) if self.guided else None
        heat = self.locate(features.pyramid, previous) if self.guided or self.config.spare else None
        return Output(self.segment(anchor, embedding, prior), self.encoder.main_classifier(embedding), heat)


class LiteF2Net(Heads, LiteDeepLab):
    """F2Net's heads on the small network; what they find changes the embedding to decode."""

    def __init__(self, config: Config) -> None:
        assert isinstance(config.encoder, LiteConfig)
        LiteDeepLab.__init__(self, config.encoder)
        self.anchored = config.attention
        self._add_heads(config)
        if config.attention:
            channels = config.encoder.embedding
            self.diffusion = Residual(channels if config.fusion else 3 * channels, channels)
        self._begin_rare()

    def encode(self, frames: Tensor) -> Features:
        """The same as `embed`."""
        return self.embed(frames)

    def segment(self, anchor: Features | None, current: Features, prior: Tensor | None = None) -> Tensor:
        """Segment frames.

        Args:
            anchor: see `LiteDeepLab`.
            current: likewise.
            prior: (B, 1, h, w), the Gauss map around the centre; None for no guidance.

        Returns:
            logits at stride 4.
        """
        if not self.config.attention:
            return self.decode(current.embedding, current)
        first = current.embedding if anchor is None else anchor.embedding.expand_as(current.embedding)
        found = self.attended(first, current.embedding, prior)
        return self.decode(self.diffusion(found, current.embedding), current)

    def follow(self, anchor: Features, features: Features, prior: Tensor) -> Tensor:
        """The same as `segment`."""
        return self.segment(anchor, features, prior)


def build(config: Config) -> F2Net | LiteF2Net:
    """Make the network of a variant."""
    return LiteF2Net(config) if config.is_lite else F2Net(config)
