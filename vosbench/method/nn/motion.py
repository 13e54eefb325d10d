"""Motion as a stage of networks: their maps, and what moves."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from typing import cast

import numpy as np

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.errors import UsageError
from vosbench.method.method import FloatMap, State
from vosbench.method.motion.predictor import Motion
from vosbench.method.motion.saliency import logistic, odds
from vosbench.method.nn.predictor import NetworkPredictor
from vosbench.method.options import MOTION

SUREST = np.float32(1e-6)
"""A network's probability is kept so far from 0 and 1, so that its log odds are finite."""
PIXELS = 51360
"""Size at which motion is estimated: half of that of the method `motion`, at no loss; see its card."""
Maps = Generator[FloatMap, None, None]


class WithMotion(NetworkPredictor):
    """A network and motion: the weighted sum of the log odds of their maps.

    Args:
        network: makes the maps; what it keeps from frame to frame does not change.
        weight: of the log odds of motion.
    """

    def __init__(self, network: NetworkPredictor, weight: float) -> None:
        super().__init__(network.network, network.inputs)
        self._network = network
        self._motion = Motion(PIXELS, "medium")
        self._weight = np.float32(weight)

    def state(self) -> State:
        """The network's; motion has none, and repeats its first pass."""
        return self._network.state()

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """See `NetworkPredictor`."""
        moving = cast("Maps", self._motion.resume(video, start, {}))
        maps = cast("Maps", self._network.resume(video, start, state))
        with closing(moving), closing(maps):
            for values, moves in zip(maps, moving, strict=True):
                yield self._sum(values, moves)

    @stage("post")
    def _sum(self, values: FloatMap, moves: FloatMap) -> FloatMap:
        kept = np.clip(values, SUREST, 1 - SUREST)
        return logistic(np.log(kept / (1 - kept)) + self._weight * odds(moves))


def with_motion(predictor: NetworkPredictor, options: Mapping[str, str]) -> NetworkPredictor:
    """Add the stage to a predictor if `vosbench.method.options.stage_options` say so.

    Raises:
        UsageError: if a weight is set, but the stage is not.
    """
    weight = options.get("motion_weight", MOTION)
    if options.get("motion") == "on":
        return WithMotion(predictor, float(weight))
    if weight != MOTION:
        raise UsageError(f"motion_weight={weight} needs motion=on")
    return predictor
