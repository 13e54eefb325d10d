"""F2Net and its ablations (Liu et al., AAAI 2021, Tables 1 and 2).

`F2Net` is the paper's network, with the released names (liudaizong/F2Net); `LiteF2Net` has the same heads
(`vosbench.methods.f2net.heads`) on the small network for real video.
"""

from dataclasses import replace
from typing import NamedTuple

from torch import Tensor, nn

from vosbench.method.nn.deeplab import F2NET_TINY, EncoderConfig, F2netEncoder, Features
from vosbench.method.nn.layers import init_weights
from vosbench.method.nn.lite import LITE, LiteConfig, LiteDeepLab, Residual
from vosbench.methods.f2net.centre import Guide
from vosbench.methods.f2net.heads import Config, Heads

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

    def follow(self, anchor: Features, features: Features, prior: Tensor) -> Tensor:
        """Segment a frame of a video, as `segment` does."""
        return self.segment(anchor.embedding, features.embedding, prior)

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
