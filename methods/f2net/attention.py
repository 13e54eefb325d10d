"""Centre-guided attention and the fusion of its streams (Liu et al., AAAI 2021, eq. 5 to 11).

A Gauss map around the centre guides the attention. The streams to fuse are (B, 3, C, h, w), in the order of the
released weights: inter, intra, current.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from vosbench.method.nn.layers import attend, resize

Guidance = Literal["none", "pre", "post"]
Layer = Callable[[Tensor], Tensor]


def gauss(centres: Tensor, image: tuple[int, int], size: tuple[int, int], sigma: float) -> Tensor:
    """Gauss maps around centres, at the input's size and then interpolated bilinearly to the features'.

    Args:
        centres: (B, 2), as (x, y) in pixels of the input.
        image: size (H, W) of the input.
        size: size (h, w) of the features.
        sigma: in pixels of the input.

    Returns:
        (B, 1, h, w), in [0, 1]; the peak is 1 before interpolation.
    """
    x = torch.arange(image[1], dtype=torch.float32, device=centres.device) - centres[:, 0, None, None]
    y = torch.arange(image[0], dtype=torch.float32, device=centres.device)[:, None] - centres[:, 1, None, None]
    maps = torch.exp(-(x**2 + y**2) / (2 * sigma**2))
    return resize(maps[:, None], size)


def guided(query: Tensor, current: Tensor, prior: Tensor | None, guidance: Guidance = "pre") -> Tensor:
    """Average the current frame's embeddings by similarity to a query's, mainly near the centre (eq. 5 to 8).

    ``"pre"`` is the paper's: position *i* is Σⱼ softmaxⱼ(Gⱼ qᵢ · vⱼ / √C) vⱼ. A position far from the centre gets the
    logit 0, not −∞, so it still contributes. ``"post"`` multiplies position *i* of the output by Gᵢ, which the authors'
    code has commented out; ``"none"`` omits the prior, as that code does.

    Args:
        query: (B, C, h, w): the anchor's embeddings (*inter*) or the current ones (*intra*).
        current: (B, C, h, w), v.
        prior: (B, 1, h, w), G; None with ``"none"``.
        guidance: where the prior acts.

    Returns:
        (B, C, h, w), on the positions of the query.
    """
    if prior is None or guidance == "none":
        return attend(query, current, current)
    if guidance == "pre":
        return attend(query, current * prior, current)
    return attend(query, current, current) * prior


def channel_weights(streams: Tensor, squeeze: Layer, excite: Layer) -> Tensor:
    """Weigh the streams channel by channel (eq. 9 to 11).

    Args:
        streams: (B, 3, C, h, w).
        squeeze: (B, C, 1, 1) → (B, C / 16, 1, 1).
        excite: (B, C / 16, 1, 1) → (B, 3 C, 1, 1).

    Returns:
        (B, 3, C, 1, 1); the three weights of a channel sum to 1.
    """
    pooled = streams.sum(dim=1).mean(dim=(2, 3), keepdim=True)
    logits = excite(squeeze(pooled))
    return logits.reshape(len(streams), 3, -1, 1, 1).softmax(dim=1)


def spatial_weights(streams: Tensor, score: Layer) -> Tensor:
    """Weigh the streams position by position.

    Args:
        streams: (B, 3, C, h, w).
        score: (B, C, h, w) → (B, 3, h, w).

    Returns:
        (B, 3, 1, h, w); the three weights of a position sum to 1.
    """
    return score(streams.sum(dim=1)).softmax(dim=1).unsqueeze(2)
