"""F2Net as a predictor: one encoding and one pass per frame, from frames alone."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import numpy as np
import torch
from torch import Tensor

from vosbench.errors import DataError
from vosbench.images import read_frame
from vosbench.method import FloatMap, Setup, State
from vosbench.methods.deeplabv3 import weights
from vosbench.methods.deeplabv3.frames import Frame, SquashedView
from vosbench.methods.deeplabv3.predictor import FramePredictor
from vosbench.methods.f2net.centre import Map, Track, select
from vosbench.methods.f2net.network import VARIANTS, F2Net
from vosbench.read_ahead import read_ahead
from vosbench.video import Video


class GuidedPredictor:
    """A predictor that follows the object's centre from frame to frame.

    For each frame: encode it; score the centres, given the previous frame's Gauss map; choose one; attend around it
    to the anchor and to the frame itself; segment; make this frame's Gauss map of the mask.

    Args:
        net: a network with guidance, on its device.
        view: how it looks at frames.
        device: where to put the frames.
    """

    def __init__(self, net: F2Net, view: SquashedView, device: torch.device) -> None:
        self._net = net
        self._view = view
        self._device = device
        self._guide = net.config.guide
        self._track: Track | None = None

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Segment a video; see `vosbench.method.Predictor`."""
        return self.resume(video, 0, {})

    def state(self) -> State:
        """The latest centres, the last frame's Gauss map and its radius: see `centre.Track`."""
        track = self._track
        if track is None:
            return {}
        return {
            "centres": track.centres.copy(),
            "gauss": track.gauss.astype(np.float64),
            "reach": np.array([track.reach], dtype=np.float64),
        }

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """Yield the maps of frames ``start``, ``start + 1``, …; see `vosbench.method.Resumable`.

        Raises:
            DataError: where a later start comes without the state to go on from.
        """
        track = _restore(state) if start else None
        if start >= len(video):
            return
        anchor = self._anchor(video)
        with closing(read_ahead(video.frames[start:])) as frames:
            for frame in frames:
                probability, track = self._step(anchor, frame, track)
                self._track = track
                yield probability

    # Inference mode is entered inside these two and never around a yield, where it would leak into the caller.
    @torch.inference_mode()
    def _anchor(self, video: Video) -> Tensor:
        return self._net.embed(self._input(read_frame(video.frames[0])))

    @torch.inference_mode()
    def _step(self, anchor: Tensor, frame: Frame, track: Track | None) -> tuple[FloatMap, Track]:
        image = (self._view.side, self._view.side)
        features = self._net.encode(self._input(frame))
        size = (features.embedding.shape[2], features.embedding.shape[3])
        level = features.pyramid[-1]
        track = track or Track.begin((level.shape[2], level.shape[3]))
        previous = torch.from_numpy(track.gauss)[None, None].to(self._device)
        heat: Map = torch.sigmoid(self._net.locate(features.pyramid, previous))[0, 0].float().cpu().numpy()
        centre = select(heat, track.centres, image, self._guide)
        prior = self._net.prior(torch.tensor(centre[None], dtype=torch.float32, device=self._device), image, size)
        logits = self._net.segment(anchor, features.embedding, prior)
        probability = self._view.restore(logits[0], (frame.shape[0], frame.shape[1]))
        return probability, track.after(centre, probability > 0.5, image, self._guide)

    def _input(self, frame: Frame) -> Tensor:
        return self._view.prepare(frame)[None].to(self._device, memory_format=torch.channels_last)


def _restore(state: State) -> Track:
    """The track that `GuidedPredictor.state` wrote down."""
    try:
        centres, gauss, reach = (np.asarray(state[name], dtype=np.float64) for name in ("centres", "gauss", "reach"))
    except KeyError as error:
        raise DataError(f"F2Net cannot go on in the middle of a video: the saved state lacks {error}") from error
    return Track(centres.reshape(-1, 2), gauss.astype(np.float32), int(reach[0]))


def load(setup: Setup) -> FramePredictor | GuidedPredictor:
    """Make the predictor of a variant.

    Variants without guidance look at a frame and the anchor alone, and take batches; the others work in order,
    one frame at a time, whatever ``setup.batch`` says.

    Raises:
        UsageError: where the variant, the batch or the device is not to be had.
        DataError: where the weights do not fit.
    """
    config = weights.choose(setup, "f2net", VARIANTS, default="cgad-csa")
    view = SquashedView(side=config.side)
    net = weights.ready(partial(F2Net, config), setup)
    device = weights.device(setup.device)
    if not net.guided:
        return FramePredictor(net, view, device, setup.batch)
    return GuidedPredictor(net, view, device)
