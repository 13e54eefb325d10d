"""AD-Net as a predictor: maps at one scale as the other methods make them, and everything else by options."""

from functools import partial
from pathlib import Path

from vosbench.errors import UsageError
from vosbench.method import Setup
from vosbench.method.nn import weights
from vosbench.method.nn.predictor import FramePredictor
from vosbench.methods.adnet import OPTIONS
from vosbench.methods.adnet.detections import Detector, from_detector, from_path
from vosbench.methods.adnet.maps import MapPredictor
from vosbench.methods.adnet.masks import MaskPredictor
from vosbench.methods.adnet.network import STREAMS, TINY, build
from vosbench.methods.adnet.tta import PRESETS as AVERAGES
from vosbench.methods.adnet.tta import SCALES, Ensemble, rescaled
from vosbench.methods.deeplabv3.presets import FULL_VIEW, TINY_VIEW

PRESETS = {
    **{name: (partial(build, name), FULL_VIEW) for name in ("base", *STREAMS)},
    "tiny": (partial(build, "ad", TINY), TINY_VIEW),
    **{f"tiny-{name}": (partial(build, name, TINY), TINY_VIEW) for name in ("base", *STREAMS) if name != "ad"},
}


def load(setup: Setup, detector: Detector | None = None) -> FramePredictor | MapPredictor | MaskPredictor:
    """Make the predictor of a variant; the anchor is the first frame of the video.

    Args:
        setup: as the user asked.
        detector: finds the instances for pruning, in place of a file; for callers from Python.

    Raises:
        UsageError: where the variant, the batch or the device is not to be had, or options contradict.
        DataError: where the weights do not fit, or the detections cannot be read.
    """
    make, view = weights.choose(setup, "adnet", PRESETS, default="ad")
    chosen = {name: setup.options.get(name, option.default) for name, option in OPTIONS.items()}
    masks, multi, preset = chosen["output"] == "mask", chosen["scales"] == "multi", AVERAGES[chosen["preset"]]
    source = from_detector(detector) if detector else None
    if chosen["prune"]:
        if detector:
            raise UsageError('a detector and "prune" are two sources of detections; give one')
        source = from_path(Path(chosen["prune"]))
    if not masks and (source or chosen["gating"] == "on"):
        raise UsageError("pruning and gating act on masks; add --set output=mask")
    net, device = weights.ready(make, setup), weights.device(setup.device)
    if not masks and not multi:
        return FramePredictor(net, view, device, setup.batch)
    views = tuple(rescaled(view, scale) for scale in SCALES) if multi else (view,)
    maps = MapPredictor(Ensemble(net, views, device, mirror=multi), preset, setup.batch)
    gating = preset.gating if chosen["gating"] == "preset" else chosen["gating"] == "on"
    return MaskPredictor(maps, source, gating=gating) if masks else maps
