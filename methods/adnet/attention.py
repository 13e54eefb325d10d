"""Anchor diffusion: the current frame seen through another frame's eyes (Yang et al., ICCV 2019, eq. 1 and 2)."""

from typing import Literal

from torch import Tensor

from vosbench.method.nn.layers import attend

Align = Literal["anchor", "current"]


def diffuse(anchor: Tensor, current: Tensor, align: Align = "anchor") -> Tensor:
    """Mix the embeddings of one frame by their similarity to those of another.

    With ``align="anchor"``, as in the paper and as released, position *i* of the output is
    Σⱼ softmaxⱼ(x⁰ᵢ · xᵗⱼ / √C) xᵗⱼ: it belongs to the *anchor's* position *i*, although the network puts it beside
    the current frame's. With ``align="current"`` the frames change roles, Σⱼ softmaxⱼ(xᵗᵢ · x⁰ⱼ / √C) x⁰ⱼ, and the
    output lies on the current frame's positions. Where both frames are the same the two agree: intra-frame attention.

    Args:
        anchor: (B, C, h, w), the first frame's embedding, x⁰.
        current: (B, C, h, w), xᵗ.
        align: whose positions the output lies on.

    Returns:
        (B, C, h, w).
    """
    if align == "anchor":
        return attend(anchor, current, current)
    return attend(current, anchor, anchor)
