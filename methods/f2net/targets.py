"""What the centre branch learns: heat targets, true centres, and the focal loss (Liu et al., AAAI 2021, eq. 12)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vosbench.methods.f2net.centre import Map, splat_mask, to_pixels


def heat_target(mask: NDArray[np.bool_], size: tuple[int, int]) -> Map:
    """The heat map to learn for a mask, (H, W), on a grid of size (h, w): zeros where the mask is empty."""
    made = splat_mask(mask, size)
    return np.zeros(size, dtype=np.float32) if made is None else made[0]


def centre_of(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The middle of a mask's bounding box, (2,), as (x, y) in whole pixels; the picture's middle if it is empty.

    The box ends behind its last pixel, as in `splat_mask`, so the middle of an even side is the pixel after it.

    >>> mask = np.zeros((300, 400), dtype=np.bool_)
    >>> mask[100:200, 100:250] = True
    >>> centre_of(mask).tolist()
    [175.0, 150.0]
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        rows, columns = (np.arange(side) for side in mask.shape)
    return np.array([(columns[0] + columns[-1] + 1) // 2, (rows[0] + rows[-1] + 1) // 2], dtype=np.float32)


def top_centres(heat: Tensor, image: tuple[int, int]) -> Tensor:
    """The highest cells of heat maps, (B, 1, h, w), as (B, 2) pixels (x, y) of an input of size (H, W)."""
    size = (heat.shape[2], heat.shape[3])
    best = heat.detach().flatten(1).argmax(dim=1).cpu().numpy()
    cells = np.stack([best % size[1], best // size[1]], axis=1).astype(np.float64)
    return torch.from_numpy(to_pixels(cells, size, image)).to(heat.device, torch.float32)


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Penalty-reduced focal loss of heat maps, as in CornerNet, with α = 2 and β = 4.

    Cells of target 1 are positive. An example's sum is divided by the number of its positives; without any, only the
    negatives count, undivided. (Eq. 12 as printed lacks the sign and the number.) The released code keeps probabilities
    1e-4 off 0 and 1, where the gradient ends: a branch that is certain and wrong would stay so. Here it does not end.

    Args:
        logits: (B, 1, h, w).
        target: (B, 1, h, w), in [0, 1].

    Returns:
        the mean over examples.
    """
    p, hits = torch.sigmoid(logits), target.eq(1)
    positive = (functional.logsigmoid(logits) * (1 - p) ** 2).where(hits, 0).flatten(1).sum(dim=1)
    negative = (functional.logsigmoid(-logits) * p**2 * (1 - target) ** 4).where(~hits, 0).flatten(1).sum(dim=1)
    count = hits.flatten(1).sum(dim=1).clamp(min=1)
    return (-(positive + negative) / count).mean()
