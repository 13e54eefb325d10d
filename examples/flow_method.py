"""A two-stream method in one file, in the manner of MATNet (Zhou et al., AAAI 2020): motion attends to appearance.

Try it: ``vosbench run --plugin examples/flow_method.py --method two-stream --untrained --flow dis --dataset davis16``
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.images.flow import read_colours
from vosbench.method import FloatMap, Method, Setup, State
from vosbench.method.nn.precision import device
from vosbench.method.nn.predictor import NetworkPredictor, ready
from vosbench.method.nn.views import SquashedView

VIEW = SquashedView(side=225)


class TwoStream(nn.Module):
    """Features of the frame and of its flow as colours; where the flow's are strong, the frame's count more."""

    def __init__(self) -> None:
        super().__init__()
        self.frame, self.flow = (nn.Sequential(nn.Conv2d(3, 16, 7, 4, 3), nn.ReLU()) for _ in range(2))
        self.attention = nn.Conv2d(16, 1, 1)
        self.head = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, frame: Tensor, flow: Tensor) -> Tensor:
        """(B, 3, H, W) twice → logits, (B, 1, H / 4, W / 4)."""
        appearance, motion = self.frame(frame), self.flow(flow)
        return self.head(torch.cat([appearance * torch.sigmoid(self.attention(motion)), motion], dim=1))


class Predictor(NetworkPredictor):
    """The last frame, which has no flow to a next one, takes that to the frame before."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(ready(TwoStream, setup), [VIEW.input])
        self._device = device(setup.device)

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:  # noqa: ARG002 - has no state
        """See `NetworkPredictor`."""
        for t in range(start, len(video)):
            frame = read_frame(video.frames[t])
            flow = read_colours(video.flow[1][t] if t in video.flow[1] else video.flow[-1][t])
            yield self._map(frame, flow)

    @torch.inference_mode()
    def _map(self, *pair: np.ndarray) -> FloatMap:
        logits = self.network(*(VIEW.prepare(picture)[None].to(self._device) for picture in pair))
        return VIEW.restore(logits[0], pair[0].shape[:2])


about = {"title": "Two streams", "paper": "none: an example", "licence": "MIT"}
method = Method(name="two-stream", **about, load=Predictor, heeds=("device",), needs={"flow"})
