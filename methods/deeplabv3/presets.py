"""The variants that can be typed: a network and the way it looks at frames."""

from collections.abc import Callable
from functools import partial

from vosbench.method import Setup
from vosbench.method.nn import weights
from vosbench.method.nn.deeplab import ADNET, ADNET_TINY, F2NET, AdnetDeepLab, F2netDeepLab
from vosbench.method.nn.predictor import FramePredictor
from vosbench.method.nn.views import AlignedView, SquashedView, View

FULL_VIEW = AlignedView(height=481, width=857)
TINY_VIEW = AlignedView(height=137, width=241)

PRESETS: dict[str, tuple[Callable[[], AdnetDeepLab | F2netDeepLab], View]] = {
    "adnet": (partial(AdnetDeepLab, ADNET), FULL_VIEW),
    "f2net": (partial(F2netDeepLab, F2NET), SquashedView(side=473)),
    "tiny": (partial(AdnetDeepLab, ADNET_TINY), TINY_VIEW),
}


def load(setup: Setup) -> FramePredictor:
    """Make the predictor of a variant.

    Raises:
        UsageError: where the variant, the batch or the device is not to be had.
        DataError: where the weights do not fit.
    """
    build, view = weights.choose(setup, "deeplabv3", PRESETS, default="adnet")
    net = weights.ready(build, setup)
    return FramePredictor(net, view, weights.device(setup.device), setup.batch)
