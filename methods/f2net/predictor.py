"""F2Net's predictor: each frame is encoded once, and annotations are never used."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from vosbench.dataset import Video
from vosbench.engine.stages import is_rehearsal, stage
from vosbench.errors import DataError, UsageError
from vosbench.images import read_frame
from vosbench.method import FloatMap, Setup, State
from vosbench.method.nn.deeplab import EncoderConfig, as_trained
from vosbench.method.nn.precision import device
from vosbench.method.nn.predictor import FramePredictor, NetworkPredictor, choose, ready
from vosbench.method.nn.views import Frame, LiteView, SquashedView
from vosbench.method.options import changed, resolve
from vosbench.method.predict import read_ahead
from vosbench.methods.f2net import OPTIONS
from vosbench.methods.f2net.attention import Guidance
from vosbench.methods.f2net.centre import Map, Track, select, to_pixels
from vosbench.methods.f2net.heads import Config
from vosbench.methods.f2net.heatmaps import Heatmaps, Sighting, folder_of
from vosbench.methods.f2net.network import VARIANTS, F2Net, LiteF2Net, build
from vosbench.methods.motion.stage import with_motion


class GuidedPredictor(NetworkPredictor):
    """A predictor that follows the object's centre from frame to frame.

    For each frame: encode it; score the centres, given the previous frame's Gauss map; choose one; attend around it
    to the anchor and to the frame itself; segment; make this frame's Gauss map from the mask.

    Args:
        net: a network with guidance, on its device.
        view: converts frames to inputs, and logits to maps.
        device: the network's.
        heatmaps: a folder for heat maps and centres, as ``<video>/…``; see `heatmaps`.
    """

    def __init__(
        self, net: F2Net | LiteF2Net, view: SquashedView, device: torch.device, heatmaps: Path | None = None
    ) -> None:
        super().__init__(net, [view.input])
        self._net = net
        self._view = view
        self._device = device
        self._heatmaps = heatmaps
        self._guide = net.config.guide
        self._track: Track | None = None

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
        """See `NetworkPredictor`.

        The heat map of a frame is written before its map is yielded, so a frame with a map always has a heat map.

        Raises:
            DataError: if ``start`` is positive and the state is incomplete.
            UsageError: if heat maps would overwrite the maps of a run.
        """
        with closing(self.follow(video, start, state)) as sightings:
            folder: Heatmaps | None = None
            for sighting in sightings:
                if self._heatmaps is not None and not is_rehearsal():
                    folder = folder or Heatmaps(self._heatmaps / video.name, video, start, self._guide.peaks)
                    folder.write(sighting)
                yield sighting.probability

    def follow(self, video: Video, start: int = 0, state: State | None = None) -> Generator[Sighting, None, None]:
        """Yield map, heat map and centre of frames ``start``, ``start + 1``, …, as `resume` yields maps.

        Raises:
            DataError: if ``start`` is positive and the state is incomplete.
        """
        track = _restore(state or {}) if start else None
        if start >= len(video):
            return
        anchor = self._anchor(video)
        with closing(read_ahead(video.frames[start:])) as frames:
            for frame in frames:
                sighting, track = self._step(anchor, frame, track)
                self._track = track
                yield sighting

    # Inference mode must not span a yield: it would leak into the caller.
    @torch.inference_mode()
    def _anchor(self, video: Video) -> Any:  # noqa: ANN401 - as the network has it
        first = read_frame(video.frames[0])
        with stage("encoder"):
            return self._net.embed(self._input(first))

    @torch.inference_mode()
    def _step(self, anchor: Any, frame: Frame, track: Track | None) -> tuple[Sighting, Track]:  # noqa: ANN401 - likewise
        image = (self._view.side, self._view.side)
        with stage("encoder"):
            features = self._net.encode(self._input(frame))
        with stage("matching"):
            size = (features.embedding.shape[2], features.embedding.shape[3])
            level = features.pyramid[-1]
            track = track or Track.begin((level.shape[2], level.shape[3]))
            previous = torch.from_numpy(track.gauss)[None, None].to(self._device)
            heat: Map = torch.sigmoid(self._net.locate(features.pyramid, previous))[0, 0].float().cpu().numpy()
            centre = select(heat, track.centres, image, self._guide)
            prior = self._net.prior(torch.tensor(centre[None], dtype=torch.float32, device=self._device), image, size)
            logits = self._net.follow(anchor, features, prior)
        with stage("post"):
            probability = self._view.restore(logits[0], (frame.shape[0], frame.shape[1]))
            sighting = Sighting(probability, heat, to_pixels(centre, image, probability.shape))
            return sighting, track.after(centre, probability > 0.5, image, self._guide)

    def _input(self, frame: Frame) -> Tensor:
        return self._view.prepare(frame)[None].to(self._device, memory_format=torch.channels_last)


def _restore(state: State) -> Track:
    """The inverse of `GuidedPredictor.state`."""
    try:
        centres, gauss, reach = (np.asarray(state[name], dtype=np.float64) for name in ("centres", "gauss", "reach"))
    except KeyError as error:
        raise DataError(f"F2Net cannot resume in mid-video: {error} is missing from the saved state") from error
    return Track(centres.reshape(-1, 2), gauss.astype(np.float32), int(reach[0]))


def load(setup: Setup) -> NetworkPredictor:
    """Make the predictor of a variant; it reads only frames, never annotations.

    Variants without guidance use only a frame and the anchor, in batches; the others process frames one at a time
    and ignore ``setup.batch``.

    Raises:
        UsageError: if the variant, the device, the batch or an option is not available, or the variant has no heat
            maps.
        DataError: if the weights do not fit the network.
    """
    config = choose(setup.variant, "f2net", VARIANTS, default="cgad-csa")
    if isinstance(config.encoder, EncoderConfig):
        config = replace(config, encoder=as_trained(config.encoder, setup.weights))
    options = resolve("f2net", OPTIONS, setup.options, setup.variant)
    heatmaps = folder_of(options["heatmaps"])
    if heatmaps and config.guidance == "none":
        raise UsageError(f'"f2net.{setup.variant}" follows no centre and has no heat maps; choose a variant with cgad')
    config = configured(config, changed(OPTIONS, options, setup.variant))
    view, target = (LiteView if config.is_lite else SquashedView)(side=config.side), device(setup.device)
    net = ready(partial(build, config), setup)
    if not net.guided:
        return with_motion(FramePredictor(net, view, target, setup.batch), options)
    return with_motion(GuidedPredictor(net, view, target, heatmaps), options)


def configured(config: Config, given: Mapping[str, str]) -> Config:
    """A variant with some of its options changed."""
    numbers: dict[str, Any] = {name: int(given[name]) for name in ("peaks", "history") if name in given}
    numbers |= {"sigma": float(given["sigma"])} if "sigma" in given else {}
    words: dict[str, Any] = {name: given[name] for name in ("distance", "previous") if name in given}
    return replace(
        config,
        side=int(given.get("side", config.side)),
        guidance=cast("Guidance", given.get("guidance", config.guidance)),
        guide=replace(config.guide, **numbers, **words),
    )
