"""AD-Net's predictors: maps at one scale by default; scales, mirroring, pruning and gating by options."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.errors import DataError, UsageError
from vosbench.method import FloatMap, Setup, State
from vosbench.method.nn.precision import device
from vosbench.method.nn.predictor import NetworkPredictor, choose, ready
from vosbench.method.nn.refined import finished
from vosbench.method.nn.tta import Ensemble, EnsemblePredictor, Views, map_predictor
from vosbench.method.nn.views import FULL_VIEW, LITE_VIEW, TINY_VIEW, LiteView, View, view_of
from vosbench.method.options import changed, resolve
from vosbench.methods.adnet import OPTIONS
from vosbench.methods.adnet.detections import Detector, Source, from_detector, from_path
from vosbench.methods.adnet.masks import Mask, boxed, decode, encode, gated
from vosbench.methods.adnet.network import STREAMS, TINY, Align, build, build_lite
from vosbench.methods.adnet.pruning import keep_masks
from vosbench.methods.adnet.tta import PRESETS as AVERAGES
from vosbench.methods.adnet.tta import SCALES, Preset

PRESETS: dict[str, tuple[Callable[..., Any], View]] = {
    **{name: (partial(build, name), FULL_VIEW) for name in ("base", *STREAMS)},
    "tiny": (partial(build, "ad", TINY), TINY_VIEW),
    **{f"tiny-{name}": (partial(build, name, TINY), TINY_VIEW) for name in ("base", *STREAMS) if name != "ad"},
    "lite": (partial(build_lite, "ad"), LITE_VIEW),
    **{f"lite-{name}": (partial(build_lite, name), LITE_VIEW) for name in ("base", *STREAMS) if name != "ad"},
}


class MaskPredictor(NetworkPredictor):
    """Masks after instance pruning and gating, which depend on the previous mask.

    Args:
        maps: drives the network.
        preset: how views become the mask before pruning and gating.
        source: of detections; None for no pruning.
        gating: whether masks are gated.
    """

    def __init__(self, maps: EnsemblePredictor, preset: Preset, source: Source | None, *, gating: bool) -> None:
        super().__init__(maps.network, maps.inputs)
        self._maps = maps
        self._preset = preset
        self._source = source
        self._gating = gating
        self._last: Mask | None = None

    def state(self) -> State:
        """The last mask after pruning and before gating, as run lengths and (H, W); empty if none is needed."""
        if self._last is None or not self._sequential:
            return {}
        return {"runs": encode(self._last).astype(np.float64), "size": np.array(self._last.shape, np.float64)}

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """See `NetworkPredictor`; the maps are masks of 0 and 1."""
        if start >= len(video):
            return
        last = _unpack(state) if start > 0 and self._sequential else None
        detections = self._source(video) if self._source else None
        keeps: list[Mask] | None = None
        with closing(self._maps.outputs(video, start)) as found:
            for index, outputs in enumerate(found, start):
                with stage("post"):
                    mask = self._preset.average(outputs).mask
                    if self._source:
                        keeps = keep_masks(detections or [], mask.shape) if keeps is None else keeps
                        mask = boxed(mask & keeps[index] if index < len(keeps) else mask, last)
                    shown = gated(mask, last) if self._gating else mask
                self._last = last = mask
                yield shown.astype(np.float32)

    @property
    def _sequential(self) -> bool:
        return self._gating or self._source is not None


def _unpack(state: State) -> Mask:
    try:
        height, width = (int(n) for n in state["size"])
        counts: NDArray[np.int64] = state["runs"].astype(np.int64)
        return decode(counts, (height, width))
    except (KeyError, ValueError) as error:
        raise DataError("the saved state is missing the last mask (runs, size); restart this video") from error


def load(setup: Setup, detector: Detector | None = None) -> NetworkPredictor:
    """Make the predictor of a variant.

    Args:
        setup: variant, weights, device, batch and options.
        detector: finds the instances for pruning, instead of a file; for callers from Python.

    Raises:
        UsageError: if the variant, the device or the batch is not available, or options contradict each other.
        DataError: if the weights do not fit the network, or the detections cannot be read.
    """
    make, view = choose(setup.variant, "adnet", PRESETS, default="ad")
    options = resolve("adnet", OPTIONS, setup.options, setup.variant)
    given = changed(OPTIONS, options, setup.variant)
    view = view_of(given["size"]) if "size" in given else view
    view = replace(view, side=int(given["side"])) if isinstance(view, LiteView) and "side" in given else view
    if "anchor_align" in given:
        make = partial(make, anchor_align=cast("Align", given["anchor_align"]))
    masks, preset = options["output"] == "mask", AVERAGES[options["preset"]]
    source = from_detector(detector) if detector else None
    if options["prune"]:
        if detector:
            raise UsageError('a detector and "prune" are two sources of detections; use only one')
        source = from_path(Path(options["prune"]))
    if not masks and (source or options["gating"] == "on"):
        raise UsageError("pruning and gating act on masks; add --set output=mask")
    for name, does in (("motion", "is added to"), ("refine", "changes")):
        if masks and options.get(name) == "on":
            raise UsageError(f"{name} {does} maps; omit --set {name}=on, or use output=map and no preset")
    net, target = ready(make, setup), device(setup.device)
    views = _views(view, options)
    if not masks:
        return finished(map_predictor(net, views, target, setup.batch, preset.saliency), options)
    maps = EnsemblePredictor(Ensemble(net, views, target), preset.saliency, setup.batch)
    gating = preset.gating if options["gating"] == "preset" else options["gating"] == "on"
    return MaskPredictor(maps, preset, source, gating=gating)


def _views(view: View, options: Mapping[str, str]) -> Views:
    """The views that the options ask for; the three of ``multi`` are mirrored unless `flip` says otherwise."""
    if options["scales"] == "multi":
        options = {"flip": "yes", **options, "scales": ",".join(map(str, SCALES))}
    elif options["scales"] == "single":
        options = {**options, "scales": "1"}
    return Views.asked(view, options)
