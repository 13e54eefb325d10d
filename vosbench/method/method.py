"""The contract of a method: its description, and how to make its predictor."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.errors import UsageError
from vosbench.method.options import Option
from vosbench.method.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

FloatMap = NDArray[np.float32]
State = Mapping[str, NDArray[Any]]
HEEDED = ("device", "batch", "precision", "compile")
"""The fields of a `Setup` that a method may act on or not."""
NEEDS = {
    "flow": "reads optical flow, Video.flow",
    "previous": "a map depends on frames or maps before it, other than the first frame",
    "whole-video": "a map depends on any frames, and the first map may come after the last frame was read",
}
"""What a method may need besides a frame and the first one."""


class Predictor(Protocol):
    """A method that is ready to segment videos."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Segment a video.

        Args:
            video: the frames, without annotations.

        Yields:
            one (H, W) float32 map per frame, in frame order and of the frame's size: the probability, in [0, 1],
            that a pixel belongs to the foreground. Maps are computed lazily, so that memory does not grow with the
            video; a method that needs the whole video reads none before its first map is requested.
        """
        ...


@runtime_checkable
class Resumable(Protocol):
    """A predictor that can resume in the middle of a video.

    ``predict(video)`` equals ``resume(video, 0, {})``, and so do the maps from any later frame, given the state after
    the previous map: bit for bit, or within the method's `Method.tolerance`.
    """

    def state(self) -> State:
        """What the next map needs besides frames: small named arrays of numbers, or none."""
        ...

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """Yield the maps of frames ``start``, ``start + 1``, … ."""
        ...


@runtime_checkable
class Measurable(Protocol):
    """A predictor that tells a record about its network.

    Its stages are timed by marks in its code; see `vosbench.engine.stages`.
    """

    @property
    def network(self) -> "nn.Module":
        """The module with the parameters."""
        ...

    @property
    def inputs(self) -> Sequence[tuple[int, int]]:
        """The sizes (W, H), in pixels, of the network's inputs."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """A predictor that tells how its network sees each place of a frame, for ``vosbench figure similarity`` and drift.

    Vectors of two frames of a video can be compared by their cosine. The cells of a grid cover the frame evenly,
    whatever the network does at the edges: cell (i, j) of (h, w) is in the middle of the rows from i H / h to
    (i + 1) H / h, and columns likewise.
    """

    def embeddings(self, video: Video) -> Iterator[FloatMap]:
        """Yield the vectors of each frame, in frame order.

        Args:
            video: the frames, without annotations.

        Yields:
            one (h, w, C) float32 array per frame, of one size, computed lazily.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything a method needs to become a predictor.

    Attributes:
        variant: one of the method's variants; ``""`` for the default.
        weights: a checkpoint, or what else `vosbench.method.sources.sources` understands; None for an untrained
            network.
        seed: seed of the random weights of an untrained network.
        device: a torch device, such as ``"cpu"`` or ``"cuda"``.
        batch: frames per forward pass, if the method is not sequential.
        precision: of the computation, ``"fp32"``, ``"bf16"`` or ``"fp16"``.
        compile: whether to compile the network first.
        threads: that torch, OpenCV and ONNX Runtime compute with on a CPU; see `vosbench.engine.threads.computing`.
        flow: where a method that needs optical flow gets it: a folder, or a flow method such as ``"dis"``; None for
            the flow that the dataset contains. See `vosbench.method.flow`.
        options: the method's options that are set; the others have their defaults.
    """

    variant: str = ""
    weights: Path | None = None
    seed: int = 0
    device: str = "cpu"
    batch: int = 1
    precision: str = "fp32"
    compile: bool = False
    threads: int = 1
    flow: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method as registered; creating one imports nothing heavy.

    Attributes:
        name: as typed, in lower case.
        title: the name in the paper.
        paper: the citation.
        licence: of the code and weights.
        load: makes the predictor; torch is imported here and not before.
        variants: variant, as typed behind the dot (``name.variant``) → a line of description.
        weights: variant → weights shipped with the package: a file, or part of the network → file.
        options: by name.
        heeds: which of ``device``, ``batch``, ``precision`` and ``compile`` of a `Setup` it acts on. The others are
            refused if they are set, and recorded as unused.
        sequential: variants that process frames one at a time, for which a batch is refused.
        needs: names of `NEEDS` that some variant needs; all that is not declared is checked to be unused by
            `vosbench.method.testing.check_predictor`.
        tolerance: the largest difference of maps in two runs, or in a resumed one, such as that of a GPU's sums.
        needs_weights: False for a method without trained weights.
        recipe: makes the recipe of a variant, given hyper-parameters to change by name (as text); torch is imported
            here. None if the method cannot be trained.
    """

    name: str
    title: str
    paper: str
    licence: str
    load: Callable[[Setup], Predictor]
    variants: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, Path | Mapping[str, Path]] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    heeds: tuple[str, ...] = ()
    sequential: tuple[str, ...] = ()
    needs: Collection[str] = frozenset()
    tolerance: float = 0.0
    needs_weights: bool = True
    recipe: Callable[[str, Mapping[str, str]], Recipe] | None = None

    def __post_init__(self) -> None:
        """Check the names in `heeds` and `needs`, and the tolerance."""
        for what, names, known in (("heed", self.heeds, HEEDED), ("need", self.needs, NEEDS)):
            unknown = [name for name in names if name not in known]
            if unknown:
                raise ValueError(f'a method cannot {what} "{unknown[0]}", only {", ".join(known)}')
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"the tolerance of a method's maps is in [0, 1), not {self.tolerance}")

    def called(self, variant: str) -> str:
        """The method and a variant, as typed."""
        return f"{self.name}.{variant}" if variant else self.name


def refuse_unheeded(method: Method, setup: Setup) -> None:
    """Refuse what is set, but would change nothing.

    Raises:
        UsageError: if the method does not act on it.
    """
    name, plain = method.called(setup.variant), Setup()
    for setting in HEEDED:
        value = getattr(setup, setting)
        if value == getattr(plain, setting):
            continue
        said = f"--{setting}" if value is True else f"--{setting} {value}"
        if setting not in method.heeds:
            raise UsageError(f'"{name}" does not act on {said}; omit it (a method declares what it heeds)')
        if setting == "batch" and setup.variant in method.sequential:
            raise UsageError(f'"{name}" processes frames one at a time; omit {said}')
    if setup.weights is not None and not method.needs_weights:
        raise UsageError(f'"{name}" has no weights; omit --weights')
