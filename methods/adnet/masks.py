"""Masks of a video, pruned and gated in order."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import nn

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.errors import DataError
from vosbench.method import FloatMap, State
from vosbench.methods.adnet import rle as runs
from vosbench.methods.adnet.contour import boxed
from vosbench.methods.adnet.detections import Source
from vosbench.methods.adnet.gating import gated
from vosbench.methods.adnet.maps import MapPredictor
from vosbench.methods.adnet.morphology import Mask
from vosbench.methods.adnet.pruning import keep_masks


class MaskPredictor:
    """Masks after instance pruning and gating, which take the mask before.

    Args:
        maps: gives the masks to start from.
        gating: whether masks are gated.
        source: of detections; None prunes nothing.
    """

    def __init__(self, maps: MapPredictor, source: Source | None, *, gating: bool) -> None:
        self._maps = maps
        self._source = source
        self._gating = gating
        self._last: Mask | None = None

    @property
    def network(self) -> nn.Module:
        """See `vosbench.method.method.Measurable`."""
        return self._maps.network

    @property
    def inputs(self) -> list[tuple[int, int]]:
        """See `vosbench.method.method.Measurable`."""
        return self._maps.inputs

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Segment a video; see `vosbench.method.method.Predictor`."""
        return self.resume(video, 0, {})

    def state(self) -> State:
        """The last mask after pruning and before gating, as `runs` and its (H, W); nothing where none is needed."""
        if self._last is None or not self._sequential:
            return {}
        return {"runs": runs.encode(self._last).astype(np.float64), "size": np.array(self._last.shape, np.float64)}

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """Yield the masks of frames ``start``, ``start + 1``, … as 0 and 1; see `vosbench.method.method.Resumable`."""
        if start >= len(video):
            return
        last = _unpack(state) if start > 0 and self._sequential else None
        found = self._source(video) if self._source else None
        keeps: list[Mask] | None = None
        for index, heat in enumerate(self._maps.heats(video, start), start):
            mask = heat.mask
            with stage("post"):
                if self._source:
                    keeps = keep_masks(found or [], mask.shape) if keeps is None else keeps
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
        return runs.decode(counts, (height, width))
    except (KeyError, ValueError) as error:
        raise DataError("the saved state lacks the last mask (runs, size); begin this video anew") from error
