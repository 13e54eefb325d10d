"""What follows a network: motion, and edges that are drawn to those of the frame."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import cast

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.method.method import Embedder, FloatMap, State
from vosbench.method.nn.motion import Maps, with_motion
from vosbench.method.nn.predictor import NetworkPredictor
from vosbench.method.predict import read_ahead
from vosbench.method.refine import refined


class Refined(NetworkPredictor):
    """A network whose maps are refined by their frames; see `vosbench.method.refine`.

    Args:
        network: makes the maps; what it keeps from frame to frame does not change.
    """

    def __init__(self, network: NetworkPredictor) -> None:
        super().__init__(network.network, network.inputs)
        self.unrefined = network
        if isinstance(network, Embedder):
            self.embeddings = network.embeddings

    def state(self) -> State:
        """The network's."""
        return self.unrefined.state()

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """See `NetworkPredictor`."""
        maps = cast("Maps", self.unrefined.resume(video, start, state))
        with closing(maps), closing(read_ahead(video.frames[start:])) as frames:
            for values, frame in zip(maps, frames, strict=True):
                with stage("post"):
                    drawn = refined(values, frame)
                yield drawn


def finished(predictor: NetworkPredictor, options: Mapping[str, str]) -> NetworkPredictor:
    """Add the stages that follow the network, as `vosbench.method.options.stage_options` say.

    Raises:
        UsageError: if a weight of motion is set, but the stage is not.
    """
    moved = with_motion(predictor, options)
    return Refined(moved) if options.get("refine") == "on" else moved
