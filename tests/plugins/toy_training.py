"""A method that trains in a moment: two convolutions around batch normalisation, on 8×8 crops."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import read_frame, read_mask
from vosbench.method import Example, FloatMap, Material, Method, Plan, Setup

SIDE = 8


class LeakyNorm(nn.BatchNorm2d):
    """Batch normalisation with an activation in the same module, as in AD-Net."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return functional.leaky_relu(super().forward(input), 0.01)


class Net(nn.Module):
    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = LeakyNorm(6)
        self.body = nn.Conv2d(6, 6, 3, padding=1)
        self.plain = nn.BatchNorm2d(6, momentum=None)
        self.drop = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(6, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.drop(self.plain(self.body(self.norm(self.stem(x))))))


class ToyPlan(Plan):
    dropout: float = 0.0
    broken: int = -1
    """The step whose third example is NaN."""
    hungry: bool = False
    deadly: bool = False


class Toy:
    def __init__(self, changes: Mapping[str, str]) -> None:
        start: dict[str, Any] = {"steps": 12, "batch": 4, "lr": 0.1, "horizon": 20}
        self.plan = ToyPlan.model_validate({**start, **changes})

    def build(self) -> nn.Module:
        return Net(self.plan.dropout)

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        head = list(net.head.parameters())
        rest = [each for name, each in net.named_parameters() if not name.startswith("head.")]
        return [{"params": rest}, {"params": head, "scale": 10.0}]

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
        if self.plan.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        if not material.videos:
            raise DataError("the toy needs videos")
        video = material.videos[rng.integers(len(material.videos))]
        index = int(rng.integers(len(video)))
        frame, mask = read_frame(video.frames[index]), read_mask(video.annotations[index], video.codec)
        y, x = rng.integers(mask.shape[0] - SIDE), rng.integers(mask.shape[1] - SIDE)
        pixels = frame[y : y + SIDE, x : x + SIDE].transpose(2, 0, 1).astype(np.float32) / 255
        pixels += rng.normal(0, 0.1, pixels.shape).astype(np.float32)
        if step == self.plan.broken and rng.bit_generator.seed_seq.entropy[1] % self.plan.batch == 2:
            pixels[0, 0, 0] = np.nan
        return {"pixels": pixels, "mask": mask[None, y : y + SIDE, x : x + SIDE].astype(np.float32)}

    def losses(self, net: nn.Module, batch: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:
        if self.plan.hungry:
            torch.empty(2**50)
        logits = net(batch["pixels"])
        terms = {"bce": functional.binary_cross_entropy_with_logits(logits, batch["mask"])}
        if step % 2:
            terms["size"] = 0.1 * (logits.sigmoid().mean((1, 2, 3)) - batch["mask"].mean((1, 2, 3))).square().mean()
        return terms


class Predictor:
    def __init__(self, setup: Setup) -> None:
        from vosbench.method.nn.weights import fill

        self.net = Net().eval()
        if setup.weights:
            fill(self.net, setup.weights)

    @torch.inference_mode()
    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames:
            x = torch.from_numpy(read_frame(path).transpose(2, 0, 1).astype(np.float32) / 255)
            yield self.net(x[None])[0, 0].sigmoid().numpy()


toynet = Method(
    name="toynet",
    title="Toy",
    paper="none",
    licence="MIT",
    load=Predictor,
    recipe=lambda _variant, changes: Toy(changes),
)
