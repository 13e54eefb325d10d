"""AD-Net and its four ablations (Yang et al., ICCV 2019, Table 1), as released by the authors, yz93/anchor-diff-VOS."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from vosbench.method.nn.deeplab import ADNET, ADNET_TINY, AdnetDeepLab, AdnetEncoder, EncoderConfig
from vosbench.method.nn.layers import BNAct, attend
from vosbench.method.nn.lite import LITE, LiteConfig, LiteDeepLab, Residual

Align = Literal["anchor", "current"]

STREAMS = {
    "intra": ("intra", "current"),
    "concat": ("anchor", "current"),
    "inter": ("inter", "current"),
    "ad": ("inter", "intra", "current"),
}
"""Variant → the embeddings that its classifier receives, in the order of its input channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The sizes of the network, and the alignment of its attention.

    Attributes:
        encoder: depths and widths of the encoder.
        anchor_align: whose positions the diffused embeddings have; see `diffuse`.
    """

    encoder: EncoderConfig = ADNET
    anchor_align: Align = "anchor"


FULL = Config()
TINY = Config(encoder=ADNET_TINY)


def diffuse(anchor: Tensor, current: Tensor, align: Align = "anchor") -> Tensor:
    """Anchor diffusion (eq. 1 and 2): average the embeddings of a frame by their similarity to those of another.

    With ``align="anchor"``, as in the paper and as released, position *i* of the output is
    Σⱼ softmaxⱼ(x⁰ᵢ · xᵗⱼ / √C) xᵗⱼ: it belongs to the *anchor's* position *i*, although the network concatenates it
    with the current frame's. With ``align="current"`` the frames swap roles, Σⱼ softmaxⱼ(xᵗᵢ · x⁰ⱼ / √C) x⁰ⱼ, and the
    output has the current frame's positions. If both frames are the same, the two agree: intra-frame attention.

    Args:
        anchor: (B, C, h, w), the first frame's embedding, x⁰.
        current: (B, C, h, w), xᵗ.
        align: whose positions the output has.

    Returns:
        (B, C, h, w).
    """
    if align == "anchor":
        return attend(anchor, current, current)
    return attend(current, anchor, anchor)


def gathered(streams: tuple[str, ...], anchor: Tensor, current: Tensor, align: Align = "anchor") -> Tensor:
    """Concatenate what a classifier receives.

    Args:
        streams: of ``"anchor"``, ``"inter"``, ``"intra"`` and ``"current"``.
        anchor: (B, C, h, w).
        current: (B, C, h, w).
        align: see `diffuse`.

    Returns:
        (B, streams · C, h, w).
    """
    made: dict[str, Callable[[], Tensor]] = {
        "anchor": lambda: anchor,
        "inter": lambda: diffuse(anchor, current, align),
        "intra": lambda: diffuse(current, current),
        "current": lambda: current,
    }
    return torch.cat([made[name]() for name in streams], dim=1)


def is_anchored(streams: tuple[str, ...]) -> bool:
    """Whether any of the streams needs the anchor."""
    return "anchor" in streams or "inter" in streams


class AnchorDiffusion(nn.Module):
    """A DeepLabv3 encoder, attention between and within frames, and a classifier per position.

    Args:
        streams: the classifier's inputs, of ``"anchor"``, ``"inter"``, ``"intra"`` and ``"current"``.
        config: sizes.
    """

    def __init__(self, streams: tuple[str, ...], config: Config = FULL) -> None:
        super().__init__()
        channels = config.encoder.embedding
        self.anchored = is_anchored(streams)
        self.features = AdnetEncoder(channels, config.encoder)
        self.cls = nn.Sequential(
            nn.Conv2d(len(streams) * channels, channels, 1),
            BNAct(channels),
            nn.Dropout2d(0.1),
            nn.Conv2d(channels, 1, 1),
        )
        self._streams = streams
        self._align = config.anchor_align

    def embed(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W), BGR in 0…255 minus the mean → (B, C, h, w)."""
        embedding: Tensor = self.features(frames)
        return embedding

    def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:
        """Segment frames from embeddings.

        Args:
            anchor: (1, C, h, w) or (B, C, h, w); None uses the current frame as its own anchor.
            current: (B, C, h, w).

        Returns:
            logits, (B, 1, h, w).
        """
        x0 = current if anchor is None else anchor.expand_as(current)
        logits: Tensor = self.cls(gathered(self._streams, x0, current, self._align))
        return logits

    def forward(self, reference: Tensor, current: Tensor) -> Tensor:
        """Segment a batch of pairs.

        Args:
            reference: the anchors, (B, 3, H, W); ignored if no stream needs them.
            current: (B, 3, H, W).

        Returns:
            logits, (B, 1, h, w), at output stride 8.
        """
        anchor = self.embed(reference) if self.anchored else None
        return self.segment(anchor, self.embed(current))


class Baseline(AdnetDeepLab):
    """The encoder alone, with the call of the other variants."""

    def forward(self, reference: Tensor, current: Tensor) -> Tensor:  # type: ignore[override]  # noqa: ARG002
        """(B, 3, H, W) twice, of which the first is ignored → logits, (B, 1, h, w)."""
        return self.embed(current)


class LiteAnchorDiffusion(LiteDeepLab):
    """AD-Net's attention on the small network for real video; what it finds changes the embedding to decode.

    Args:
        streams: see `gathered`.
        config: sizes.
        anchor_align: see `diffuse`.
    """

    def __init__(self, streams: tuple[str, ...], config: LiteConfig = LITE, anchor_align: Align = "anchor") -> None:
        super().__init__(config)
        self.anchored = is_anchored(streams)
        self.diffusion = Residual(len(streams) * config.embedding, config.embedding)
        self._streams = streams
        self._align = anchor_align

    def refined(self, anchor: Tensor, current: Tensor) -> Tensor:
        """See `LiteDeepLab`."""
        changed: Tensor = self.diffusion(gathered(self._streams, anchor, current, self._align), current)
        return changed


def build_lite(variant: str, config: LiteConfig = LITE, *, anchor_align: Align | None = None) -> LiteDeepLab:
    """Make the network of a row of Table 1 on the small network for real video; see `build`."""
    if variant == "base":
        return LiteDeepLab(config)
    return LiteAnchorDiffusion(STREAMS[variant], config, anchor_align or "anchor")


def build(variant: str, config: Config = FULL, *, anchor_align: Align | None = None) -> AnchorDiffusion | Baseline:
    """Make the network of a row of Table 1.

    Args:
        variant: ``"base"``, ``"intra"``, ``"concat"``, ``"inter"`` or ``"ad"``.
        config: sizes.
        anchor_align: replaces that of the sizes.

    Raises:
        KeyError: if the variant is unknown.
    """
    if variant == "base":
        return Baseline(config.encoder)
    return AnchorDiffusion(STREAMS[variant], replace(config, anchor_align=anchor_align or config.anchor_align))
