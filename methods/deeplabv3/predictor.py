"""The variants: a network and its view of frames."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from vosbench.method import Setup
from vosbench.method.nn.deeplab import ADNET, ADNET_TINY, F2NET, AdnetDeepLab, F2netDeepLab, as_trained
from vosbench.method.nn.lite import LiteDeepLab
from vosbench.method.nn.precision import device
from vosbench.method.nn.predictor import NetworkPredictor, choose, ready
from vosbench.method.nn.refined import finished
from vosbench.method.nn.tta import Views, map_predictor
from vosbench.method.nn.views import FULL_VIEW, LITE_VIEW, TINY_VIEW, SquashedView, View, view_of
from vosbench.method.options import changed, resolve
from vosbench.methods.deeplabv3 import OPTIONS

PRESETS: dict[str, tuple[Callable[[], AdnetDeepLab | F2netDeepLab | LiteDeepLab], View]] = {
    "adnet": (partial(AdnetDeepLab, ADNET), FULL_VIEW),
    "f2net": (partial(F2netDeepLab, F2NET), SquashedView(side=473)),
    "tiny": (partial(AdnetDeepLab, ADNET_TINY), TINY_VIEW),
    "lite": (LiteDeepLab, LITE_VIEW),
}


def load(setup: Setup) -> NetworkPredictor:
    """Make the predictor of a variant.

    Raises:
        UsageError: if the variant, the device or the batch is not available.
        DataError: if the weights do not fit the network.
    """
    make, view = choose(setup.variant, "deeplabv3", PRESETS, default="adnet")
    options = resolve("deeplabv3", OPTIONS, setup.options, setup.variant)
    given = changed(OPTIONS, options, setup.variant)
    view = view_of(given["size"]) if "size" in given else view
    view = replace(view, side=int(given["side"])) if isinstance(view, SquashedView) and "side" in given else view
    if setup.variant == "f2net":
        make = partial(F2netDeepLab, as_trained(F2NET, setup.weights))
    views = Views.asked(view, options)
    return finished(map_predictor(ready(make, setup), views, device(setup.device), setup.batch), options)
