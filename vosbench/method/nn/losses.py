"""Losses of masks. Each is a mean over examples, whatever the number of processes."""

import torch
from torch import Tensor
from torch.nn import functional

MOST = 50.0
"""The highest factor of `official_loss`, which would be infinite for an empty mask."""


def enlarge(logits: Tensor, size: tuple[int, int], *, aligned: bool) -> Tensor:
    """(B, 1, h, w) logits → (B, 1, H, W), bilinear; AD-Net aligns the corners and F2Net does not."""
    return functional.interpolate(logits, size=size, mode="bilinear", align_corners=aligned)


def mask_loss(logits: Tensor, mask: Tensor, weight: Tensor | None = None) -> Tensor:
    """Binary cross-entropy, averaged over the pixels that count, then over examples.

    Args:
        logits: (B, 1, H, W).
        mask: (B, 1, H, W), 0 or 1.
        weight: (B, 1, H, W), 0 on pixels to ignore; None to use all.
    """
    losses = functional.binary_cross_entropy_with_logits(logits, mask, reduction="none").flatten(1)
    if weight is None:
        return losses.mean()
    counted = weight.flatten(1)
    return ((losses * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)).mean()


def overlap_loss(logits: Tensor, mask: Tensor, weight: Tensor | None = None) -> Tensor:
    """One minus the soft Jaccard index, ``Σ p m / Σ (p + m − p m)``, averaged over examples.

    Unlike cross-entropy, it weighs small and large objects equally. One pixel is added to both sums, so that an empty
    mask has a loss too.

    Args:
        logits: (B, 1, H, W); ``p`` is their sigmoid.
        mask: (B, 1, H, W), 0 or 1.
        weight: (B, 1, H, W), 0 on pixels to ignore; None to use all.
    """
    predicted, true = torch.sigmoid(logits).flatten(1), mask.flatten(1)
    if weight is not None:
        predicted, true = predicted * weight.flatten(1), true * weight.flatten(1)
    both = (predicted * true).sum(dim=1)
    either = predicted.sum(dim=1) + true.sum(dim=1) - both
    return (1 - (both + 1) / (either + 1)).mean()


def official_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """The loss of F2Net's released code: cross-entropy times the inverse share of the foreground, plus 0.8 times L1.

    The inverse share is at most `MOST`.

    Args:
        logits: (B, 1, H, W).
        mask: (B, 1, H, W), 0 or 1.
    """
    losses = functional.binary_cross_entropy_with_logits(logits, mask, reduction="none").flatten(1).mean(dim=1)
    factor = (1 / mask.flatten(1).mean(dim=1).clamp(min=1 / MOST)).clamp(max=MOST)
    distance = (torch.sigmoid(logits) - mask).abs().flatten(1).mean(dim=1)
    return (factor * losses + 0.8 * distance).mean()
