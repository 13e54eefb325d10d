"""The unit of a run, a video: its maps are written and scored in whatever process, and plain data come back."""

import socket
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from vosbench.dataset import DatasetProtocol, Video
from vosbench.engine.memory import out_of_memory, released
from vosbench.engine.threads import computing
from vosbench.errors import DataError, VideoError, WorkerError, extras_needed
from vosbench.evaluate.foreground import score_video
from vosbench.evaluate.predictions import located
from vosbench.evaluate.task import Scored, Task
from vosbench.method import Measurable, Method, Predictor, Setup
from vosbench.method.loading import loaded
from vosbench.method.predict import write_maps
from vosbench.records import provenance

KEPT = 4
"""Predictors that a process keeps."""
CODEC = "map"


@dataclass(frozen=True, slots=True)
class Unit:
    """A video to segment; it can be pickled if the method can.

    Attributes:
        method: the method.
        setup: its setup, with options and weights resolved.
        key: equal for units that have the same predictor.
        video: with the flow that the method needs.
        folder: of the run's maps, those of all videos.
        protocol: to score the maps under; None to score nothing.
        packages: versions of the packages that its maps may depend on; other processes must have the same.
    """

    method: Method
    setup: Setup
    key: str
    video: Video
    folder: Path
    protocol: DatasetProtocol | None
    packages: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.folder.parent.name}/{self.folder.name}/{self.video.name}"

    @property
    def length(self) -> int:
        """Its frames."""
        return len(self.video)


@dataclass(frozen=True, slots=True)
class Segmented:
    """What became of a unit.

    Attributes:
        video: its name.
        scored: its scores, of as many maps as there are; None if they were not scored.
        failure: why the method failed on it; None if it did not.
        about: what the record notes about the predictor: ``inputs`` and ``weights_loaded``.
    """

    video: str
    scored: Scored | None = None
    failure: str | None = None
    about: Mapping[str, object] = field(default_factory=dict)


class Ready:
    """A predictor that this process keeps."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    @cached_property
    def _weights(self) -> str | None:
        if not isinstance(self.predictor, Measurable) or not hasattr(self.predictor.network, "state_dict"):
            return None
        from vosbench.method.nn.weights import digest

        return digest(self.predictor.network.state_dict())

    def about(self, setup: Setup) -> dict[str, object]:
        """The sizes of the network's inputs, and a hash of what was loaded, if there are weights."""
        sizes = self.predictor.inputs if isinstance(self.predictor, Measurable) else []
        found: dict[str, object] = {"inputs": [f"{width}x{height}" for width, height in sizes]}
        return found if setup.weights is None else {**found, "weights_loaded": self._weights}


_ready: OrderedDict[str, Ready] = OrderedDict()


def keep(key: str, predictor: Predictor) -> None:
    """Keep a predictor for the units with its key; of too many, the one that was used longest ago is dropped."""
    _ready[key] = Ready(predictor)
    while len(_ready) > KEPT:
        _ready.popitem(last=False)


def forget(key: str) -> None:
    """Drop a predictor, if it is kept."""
    _ready.pop(key, None)


def ready(unit: Unit) -> Ready:
    """The predictor of a unit, which is loaded if this process does not keep it.

    Raises:
        UsageError: if a package is missing.
        PluginError: if it cannot be made.
        WorkerError: if this process has other packages than the one that started the run.
    """
    if unit.key not in _ready:
        _check(unit.packages)
        with extras_needed():
            keep(unit.key, loaded(unit.method, unit.setup))
    _ready.move_to_end(unit.key)
    return _ready[unit.key]


def _check(packages: Mapping[str, str]) -> None:
    for name, own in provenance.package_versions().items() if packages else ():
        if packages.get(name) != own:
            raise WorkerError(
                f"a process on {socket.gethostname()} has {name} {own}, but the run was started with "
                f"{packages.get(name, 'none')}; install equal versions everywhere"
            )


def segment(unit: Unit, advance: Callable[[str, int], None] = lambda _video, _done: None) -> Segmented:
    """Write the missing maps of a video, and score all that are there.

    Args:
        unit: the video.
        advance: called with its name and the number of finished frames.

    Returns:
        its scores; with the reason, if the method failed on it.

    Raises:
        UsageError: if a package is missing.
        PluginError: if the method cannot be loaded.
        DataError: if annotations are damaged.
    """
    failure, about = _written(unit, advance)
    return Segmented(unit.video.name, scored(unit), failure, about)


def _written(unit: Unit, advance: Callable[[str, int], None]) -> tuple[str | None, dict[str, object]]:
    """Write the missing maps of a video; if memory runs out, with half the batch, and so on.

    Returns:
        why the method failed; and what the record notes about the predictor.
    """
    trial = unit
    while True:
        failure, ran_out = None, False
        kept = ready(trial)
        try:
            with computing(unit.setup.threads):
                folder = unit.folder / unit.video.name
                write_maps(kept.predictor, unit.video, folder, lambda done: advance(unit.video.name, done))
        except (VideoError, DataError) as error:  # a frame that cannot be read is this video's fault alone
            failure, ran_out = str(error), out_of_memory(error)
        about = kept.about(unit.setup)
        if trial is not unit or ran_out:  # the next video starts with the whole batch again
            forget(trial.key)
        del kept
        if not ran_out:
            return failure, about
        released()
        batch = trial.setup.batch // 2
        if not batch:
            return f"{failure}; memory ran out{' with a batch of 1, too' if trial is not unit else ''}", about
        trial = replace(unit, key=f"{unit.key}/{batch}", setup=replace(unit.setup, batch=batch))


def scored(unit: Unit) -> Scored | None:
    """Score the maps of a unit that are there; None if it has no protocol.

    Raises:
        DataError: if annotations are damaged.
    """
    if unit.protocol is None:
        return None
    names = {index: f"{unit.video.name}/{frame.stem}.png" for index, frame in enumerate(unit.video.frames)}
    there = {index: name for index, name in names.items() if (unit.folder / name).is_file()}
    return score_video(Task(unit.video, located(unit.folder, {unit.video.name: there}, CODEC), unit.protocol))
