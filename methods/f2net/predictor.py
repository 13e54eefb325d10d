"""F2Net's predictor: each frame is encoded once, and annotations are never used."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from vosbench.dataset import Video
from vosbench.engine.stages import is_rehearsal, stage
from vosbench.errors import DataError, UsageError
from vosbench.method import FloatMap, Setup, State
from vosbench.method.nn.deeplab import EncoderConfig, Features, as_trained
from vosbench.method.nn.layers import resize
from vosbench.method.nn.precision import device
from vosbench.method.nn.predictor import NetworkPredictor, choose, ready, vectors
from vosbench.method.nn.refined import finished
from vosbench.method.nn.tta import Outputs, Views, map_predictor
from vosbench.method.nn.views import LiteView, Resized, SquashedView
from vosbench.method.options import changed, resolve
from vosbench.method.predict import batches
from vosbench.methods.f2net import OPTIONS
from vosbench.methods.f2net.attention import Guidance
from vosbench.methods.f2net.centre import Map, Points, Track, select, to_pixels
from vosbench.methods.f2net.heads import Config
from vosbench.methods.f2net.heatmaps import Heatmaps, Sighting, folder_of
from vosbench.methods.f2net.network import VARIANTS, F2Net, LiteF2Net, build


class GuidedPredictor(NetworkPredictor):
    """A predictor that follows the object's centre from frame to frame.

    Frames are encoded in batches. For each, in order: score the centres, given the previous frame's Gauss map; choose
    one; attend around it to the anchor and to the frame itself; segment; make this frame's Gauss map from the mask.

    Args:
        net: a network with guidance, on its device.
        views: of each frame. They share one centre, chosen on the grid of the first from the mean of their heat maps.
        device: the network's.
        batch: frames that are encoded together; see `vosbench.method.predict.batches`.
        heatmaps: a folder for heat maps and centres, as ``<video>/…``; see `heatmaps`.
    """

    def __init__(
        self, net: F2Net | LiteF2Net, views: Views, device: torch.device, batch: int = 1, heatmaps: Path | None = None
    ) -> None:
        super().__init__(net, [view.input for view in views.sizes])
        self._net = net
        self._views = views
        self._device = device
        self._batch = batch
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
        anchors = self._encode([self._views.read(video.frames[0])]) if start else None
        with closing(batches(video, start, self._batch, self._views.read)) as read:
            for frames, done in read:
                if anchors is None:  # the video begins, with the anchor
                    anchors = self._encode(frames[:1])
                    encoded = anchors if len(frames) == 1 else self._encode(frames)
                else:
                    encoded = self._encode(frames)
                for index, frame in enumerate(frames[done:], done):
                    features = [_of_frame(each, index, len(frames)) for each in encoded]
                    sighting, track = self._step(anchors, features, frame, track)
                    self._track = track
                    yield sighting

    def embeddings(self, video: Video) -> Iterator[FloatMap]:
        """See `vosbench.method.method.Embedder`; of several views of a frame, the first."""
        with closing(batches(video, 0, 1, self._views.read)) as read:
            for frames, _ in read:
                yield vectors(self._encode(frames)[0])

    # Inference mode must not span a yield: it would leak into the caller.
    @torch.inference_mode()
    @stage("encoder")
    def _encode(self, frames: list[Resized]) -> list[Features]:
        """What the network knows of F frames, F or 2 F per tensor, in each size."""
        sizes = range(len(self._views.sizes))
        return [self._net.encode(self._views.inputs(index, frames, self._device)) for index in sizes]

    @torch.inference_mode()
    def _step(
        self, anchors: list[Features], features: list[Features], frame: Resized, track: Track | None
    ) -> tuple[Sighting, Track]:
        image = (self._net.config.side, self._net.config.side)
        with stage("matching"):
            level = features[0].pyramid[-1]
            track = track or Track.begin((level.shape[2], level.shape[3]))
            heat = self._heat([each.pyramid for each in features], track)
            centre = select(heat, track.centres, image, self._guide)
            centres = torch.tensor(self._mirrored(centre, image[1]), dtype=torch.float32, device=self._device)
            passes = []
            for anchor, each in zip(anchors, features, strict=True):
                size = (each.embedding.shape[2], each.embedding.shape[3])
                passes.append(self._net.follow(anchor, each, self._net.prior(centres, image, size)))
        with stage("post"):
            probability = Outputs(self._views, passes, 0, frame.size).mean()
            sighting = Sighting(probability, heat, to_pixels(centre, image, probability.shape))
            return sighting, track.after(centre, probability > 0.5, image, self._guide)

    def _heat(self, pyramids: list[Any], track: Track) -> Map:
        """The mean of the heat maps of all views, on the grid of the first."""
        gauss = torch.from_numpy(track.gauss)[None, None].to(self._device)
        gauss = torch.cat([gauss, gauss.flip(3)]) if self._views.mirror else gauss
        found = []
        for pyramid in pyramids:
            size = (pyramid[-1].shape[2], pyramid[-1].shape[3])
            previous = gauss if size == track.gauss.shape else resize(gauss, size)
            heat = torch.sigmoid(self._net.locate(pyramid, previous))
            found.append(heat if size == track.gauss.shape else resize(heat, track.gauss.shape))
        heats = torch.cat([heat[:1] for heat in found] + [heat[1:].flip(3) for heat in found])
        mean: Map = heats.mean(dim=0)[0].float().cpu().numpy()
        return mean

    def _mirrored(self, centre: Points, width: int) -> Points:
        """A centre (2,) → (1, 2), or (2, 2) with that of the mirrored frame."""
        mirrored = np.array([width - 1 - centre[0], centre[1]])
        return np.stack([centre, mirrored] if self._views.mirror else [centre])


def _of_frame(features: Features, index: int, frames: int) -> Features:
    """One frame's part, with that of its mirrored view, of what is known of several."""
    if frames == 1:
        return features
    pyramid = cast("Any", tuple(level[index::frames] for level in features.pyramid))
    return Features(features.embedding[index::frames], pyramid)


def _restore(state: State) -> Track:
    """The inverse of `GuidedPredictor.state`."""
    try:
        centres, gauss, reach = (np.asarray(state[name], dtype=np.float64) for name in ("centres", "gauss", "reach"))
    except KeyError as error:
        raise DataError(f"F2Net cannot resume in mid-video: {error} is missing from the saved state") from error
    return Track(centres.reshape(-1, 2), gauss.astype(np.float32), int(reach[0]))


def load(setup: Setup) -> NetworkPredictor:
    """Make the predictor of a variant; it reads only frames, never annotations.

    Variants without guidance use only a frame and the anchor, in batches; the others encode in batches, and follow
    the object one frame at a time.

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
    views = Views.asked(view, options)
    net = ready(partial(build, config), setup)
    if not net.guided:
        return finished(map_predictor(net, views, target, setup.batch), options)
    return finished(GuidedPredictor(net, views, target, setup.batch, heatmaps), options)


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
