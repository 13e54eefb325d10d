"""The contract of a method: what it is called, and how it becomes a predictor."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.method.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

FloatMap = NDArray[np.float32]
State = Mapping[str, NDArray[np.float64]]


class Predictor(Protocol):
    """A method that is ready to work."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Segment a video.

        Args:
            video: the frames to read; a method never sees annotations.

        Yields:
            one (H, W) float32 map per frame, in frame order, at the frame's own size: the probability, in
            [0, 1], that a pixel belongs to the foreground. Maps are made lazily, so that memory does not
            grow with the video.
        """
        ...


@runtime_checkable
class Resumable(Protocol):
    """A predictor that can resume in the middle of a video.

    ``predict(video)`` equals ``resume(video, 0, {})``, bit for bit, and so does any later start given the
    state that was taken after the map before it.
    """

    def state(self) -> State:
        """What the next map needs besides frames: small named arrays, empty if it needs nothing."""
        ...

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        """Yield the maps of frames ``start``, ``start + 1``, … ."""
        ...


@runtime_checkable
class Measurable(Protocol):
    """A predictor that says what it computes with, so that a record can.

    Where its time goes is said by marks in its code: see `vosbench.engine.stages`.
    """

    @property
    def network(self) -> "nn.Module":
        """What holds the parameters."""
        ...

    @property
    def inputs(self) -> Sequence[tuple[int, int]]:
        """The sizes (W, H), in pixels, in which the network looks at a frame."""
        ...


@dataclass(frozen=True, slots=True)
class Option:
    """A choice that a method offers beyond its variants, typed as ``--set name=value``.

    Attributes:
        default: what holds if it is not set.
        meaning: one line.
        choices: allowed values; any if empty.
    """

    default: str
    meaning: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything a method needs to become a predictor.

    Attributes:
        variant: one of the method's variants; ``""`` is the method as it is named.
        weights: a safetensors file, or None for an untrained network.
        seed: seed of the random weights of an untrained network.
        device: a torch device, such as ``"cpu"`` or ``"cuda"``.
        batch: frames per forward pass, if the method is not sequential.
        precision: ``"fp32"``, ``"bf16"`` or ``"fp16"``: what networks compute in.
        compile: whether networks are compiled by torch first.
        options: of the method's options, those that are set; the others hold their defaults.
    """

    variant: str = ""
    weights: Path | None = None
    seed: int = 0
    device: str = "cpu"
    batch: int = 1
    precision: str = "fp32"
    compile: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method as the registry knows it; making one imports nothing heavy.

    Attributes:
        name: as typed, in lower case.
        title: as the paper calls it.
        paper: the citation.
        licence: of the code and weights.
        load: makes the predictor; torch is imported in here and nowhere earlier.
        variants: what can be typed behind the dot (``name.variant``) → one line on what it is.
        weights: variant → weights shipped with the package.
        options: what can be set, by name.
        needs_weights: False for a method that has nothing to train.
        recipe: makes the recipe of a variant, some of its hyper-parameters changed by name (as text); torch is
            imported in here. None if there is none.
    """

    name: str
    title: str
    paper: str
    licence: str
    load: Callable[[Setup], Predictor]
    variants: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, Path] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    needs_weights: bool = True
    recipe: Callable[[str, Mapping[str, str]], Recipe] | None = None
