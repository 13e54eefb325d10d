"""AD-Net as a predictor, at a single scale."""

from functools import partial

from vosbench.method import Setup
from vosbench.methods.adnet.network import STREAMS, TINY, build
from vosbench.methods.deeplabv3 import weights
from vosbench.methods.deeplabv3.predictor import FramePredictor
from vosbench.methods.deeplabv3.presets import FULL_VIEW, TINY_VIEW

PRESETS = {
    **{name: (partial(build, name), FULL_VIEW) for name in ("base", *STREAMS)},
    "tiny": (partial(build, "ad", TINY), TINY_VIEW),
}


def load(setup: Setup) -> FramePredictor:
    """Make the predictor of a variant; the anchor is the first frame of the video.

    Raises:
        UsageError: where the variant, the batch or the device is not to be had.
        DataError: where the weights do not fit.
    """
    make, view = weights.choose(setup, "adnet", PRESETS, default="ad")
    net = weights.ready(make, setup)
    return FramePredictor(net, view, weights.device(setup.device), setup.batch)
