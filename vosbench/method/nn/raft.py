"""RAFT as an estimator of optical flow, through torchvision, where that is installed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vosbench.errors import DataError, UsageError, one_line
from vosbench.method.nn.precision import device as device_of
from vosbench.method.nn.weights import fill

STRIDE = 8
SMALLEST = 128
"""RAFT's coarsest correlations need features of 16 positions a side."""


def load(weights: Path | None, device: str) -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]:
    """Make an estimator with RAFT's large network (Teed and Deng, ECCV 2020).

    Args:
        weights: a file of its weights; None for torchvision's own, which it downloads once.
        device: a torch device.

    Raises:
        UsageError: if torchvision is not installed, or the device is not available.
        DataError: if the weights do not fit, or cannot be downloaded.
    """
    try:
        from torchvision.models import optical_flow
    except (ImportError, RuntimeError) as error:  # a RuntimeError, if it was built for another torch
        raise UsageError(f"raft needs the torchvision that fits torch {torch.__version__}: {one_line(error)}") from None
    target = device_of(device)
    try:
        net = optical_flow.raft_large(weights=None if weights else optical_flow.Raft_Large_Weights.DEFAULT)
    except OSError as error:
        raise DataError(f"RAFT's weights cannot be downloaded ({one_line(error)}); pass raft:weights=FILE") from None
    if weights is not None:
        fill(net, weights)
    net = net.eval().to(target)

    @torch.inference_mode()
    def estimate(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        height, width = first.shape[:2]
        frames = [_padded(frame).to(target) for frame in (first, second)]
        flow: Tensor = net(*frames)[-1][0, :, :height, :width]
        return flow.permute(1, 2, 0).float().cpu().numpy()

    return estimate


def _padded(frame: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 → (1, 3, h, w) in [−1, 1], the last rows and columns repeated up to whole strides."""
    pixels = torch.from_numpy(np.array(frame)).permute(2, 0, 1)[None].float() / 127.5 - 1
    height, width = frame.shape[:2]
    right, below = (max(-side % STRIDE, SMALLEST - side) for side in (width, height))
    return functional.pad(pixels, (0, right, 0, below), mode="replicate")
