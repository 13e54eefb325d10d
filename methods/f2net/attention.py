"""Centre-guided attention: a Gauss map tells where to look (Liu et al., AAAI 2021, eq. 5 to 8)."""

from typing import Literal

import torch
from torch import Tensor

from vosbench.method.nn.layers import attend, resize

Guidance = Literal["none", "pre", "post"]


def gauss(centres: Tensor, image: tuple[int, int], size: tuple[int, int], sigma: float) -> Tensor:
    """Gauss maps around centres, drawn on the input and brought to the features by bilinear interpolation.

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
    drawn = torch.exp(-(x**2 + y**2) / (2 * sigma**2))
    return resize(drawn[:, None], size)


def guided(query: Tensor, current: Tensor, prior: Tensor | None, guidance: Guidance = "pre") -> Tensor:
    """Mix the current frame's embeddings by their similarity to a query's, near the centre above all.

    ``"pre"`` is the paper's: position *i* is Σⱼ softmaxⱼ(Gⱼ qᵢ · vⱼ / √C) vⱼ. A position far from the centre gets the
    logit 0, not −∞: it goes on taking part. ``"post"`` multiplies position *i* of the output by Gᵢ, as the authors'
    code would if it were not commented out; ``"none"`` leaves the prior out, as that code does.

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
