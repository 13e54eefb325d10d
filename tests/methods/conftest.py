from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from vosbench.video import Video

Shake = Callable[..., nn.Module]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads, and lose much where cores are shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def clip(tmp_path: Path) -> Video:
    """Five noisy frames of a bright disk that moves; there is no annotation anywhere near."""
    rng = np.random.default_rng(0)
    paths = []
    for t in range(5):
        picture = rng.integers(0, 90, (70, 110, 3), dtype=np.uint8)
        cv2.circle(picture, (20 + 12 * t, 30 + 3 * t), 14, (40, 220, 120), -1)
        paths.append(tmp_path / "frames" / f"{t:05d}.png")
        paths[-1].parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(paths[-1]), picture)
    return Video(name="disk", frames=tuple(paths))


@pytest.fixture(scope="session")
def shake() -> Shake:
    """Give a network random weights under which signals neither die nor explode, with many negative scales."""

    def draw(net: nn.Module, *inputs: torch.Tensor, seed: int = 0) -> nn.Module:
        noise = torch.Generator().manual_seed(seed)
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.data.normal_(0, layer.weight[0].numel() ** -0.5, generator=noise)
            elif isinstance(layer, nn.BatchNorm2d):
                layer.weight.data.uniform_(-0.5, 1, generator=noise)
                layer.bias.data.normal_(0, 0.3, generator=noise)
                layer.momentum = None
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(seed)  # of dropout
            net.train()(*inputs)
        return net.eval()

    return draw
