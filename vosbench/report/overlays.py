"""Masks over their frames: of one or several methods next to each other, with the annotation.

Conventions:
    Masks are those that scoring reads, with the same codecs and numbers (`vosbench.evaluate.score.measured`), and the
    numbers in the corners are its rows. Pictures are (H, W, 3) uint8, RGB; frames are counted from 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.dataset.selection import Selection, with_frames
from vosbench.errors import UsageError
from vosbench.evaluate import score as scoring
from vosbench.evaluate.foreground import read_prediction, score_video
from vosbench.evaluate.notes import notes
from vosbench.evaluate.numbering import Numbering
from vosbench.evaluate.predictions import Predictions, Reading
from vosbench.evaluate.task import Scored, Task
from vosbench.images import overlay, read_annotation, read_frame, read_objects
from vosbench.images.files import read_regions
from vosbench.images.overlay import Colour, Frame
from vosbench.images.sheets import grid, inscribed, to_height
from vosbench.metrics.arrays import Mask
from vosbench.metrics.packed import unpack
from vosbench.metrics.statistics import mean

Colours = Literal["palette", "errors"]
ANNOTATION = "annotation"
CORNER = ("J", "F")
"""The measures in the corner of a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How masks are drawn.

    Attributes:
        colours: ``"palette"``, a colour for each object; or ``"errors"``, what is right, too much, and missed.
        opacity: of the colours, from 0, outlines alone, to 1.
        contour: width of outlines, in pixels; 0 for none, None by the size of the frame.
        annotation: whether the annotation is shown first.
        labels: whether pictures are inscribed with the method's name.
        numbers: whether they are inscribed with J and F.
        columns: pictures in a row; None for about as many as rows.
        height: of each picture, in pixels; None for that of the frame.
    """

    colours: Colours = "palette"
    opacity: float = 0.5
    contour: int | None = None
    annotation: bool = True
    labels: bool = True
    numbers: bool = True
    columns: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if not 0 <= self.opacity <= 1:
            raise UsageError(f"the opacity must be from 0 to 1, not {self.opacity:g}")
        for name, value, least in (
            ("contour", self.contour, 0),
            ("columns", self.columns, 1),
            ("height", self.height, 16),
        ):
            if value is not None and value < least:
                raise UsageError(f"{name} must be at least {least}, not {value}")


@dataclass(frozen=True, slots=True)
class Layer:
    """The masks of a method, and what was measured of them.

    Attributes:
        name: of the method.
        masks: where they are, and how they are read.
        values: (video, frame) → measure → value; of several objects, their mean.
    """

    name: str
    masks: Predictions
    values: Mapping[tuple[str, int], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Overlays:
    """The masks of methods over the frames of a selection.

    Attributes:
        selection: the videos and the protocol.
        layers: the methods, in order.
        style: how masks are drawn.
        notes: how masks were read, a line each.
    """

    selection: Selection
    layers: Sequence[Layer]
    style: Style = field(default_factory=Style)
    notes: Sequence[str] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the pictures of a frame: the annotation, if it is shown, and the methods."""
        return (*((ANNOTATION,) if self.style.annotation else ()), *(layer.name for layer in self.layers))

    def video(self, name: str) -> Video:
        """A video of the selection.

        Raises:
            UsageError: if it has none of that name.
        """
        for video in self.selection.videos:
            if video.name == name:
                return video
        raise UsageError(f'there is no video "{name}" in the selection')

    def tiles(self, name: str, frames: Sequence[int]) -> Iterator[list[Frame]]:
        """Draw frames of a video.

        Yields:
            for each frame, a picture for each of `names`, without text.

        Raises:
            DataError: if a file is missing or damaged.
        """
        video = self.video(name)
        with ExitStack() as stack:
            readings = [stack.enter_context(layer.masks.opened(name)) for layer in self.layers]
            palettes: list[dict[int, int]] = [{} for _ in readings]
            for index in frames:
                yield self._tiles(video, index, readings, palettes)

    def pictures(self, name: str, frames: Sequence[int]) -> Iterator[Frame]:
        """Draw frames of a video, all methods in one picture with their names and numbers; errors as `tiles`."""
        for index, tiles in zip(frames, self.tiles(name, frames), strict=True):
            inscribed_tiles = [self._inscribed(tile, at, name, index) for at, tile in enumerate(tiles)]
            yield grid(inscribed_tiles, self.style.columns or round(len(tiles) ** 0.5 + 0.49))

    def _inscribed(self, tile: Frame, at: int, name: str, index: int) -> Frame:
        own = at - (len(self.names) - len(self.layers))
        if self.style.height is not None:
            tile = to_height(tile, self.style.height)
        if self.style.labels:
            tile = inscribed(tile, self.names[at])
        if self.style.numbers:
            said = [f"{name} {index}"] if at == 0 else []
            said += [self.numbers(own, name, index)] if own >= 0 else []
            tile = inscribed(tile, "  ".join(filter(None, said)), "bottom")
        return tile

    def numbers(self, layer: int, name: str, index: int) -> str:
        """What was measured of a frame, such as ``"J 0.812  F 0.774"``; ``"no mask"`` if there is none."""
        if index not in self.layers[layer].masks.files[name]:
            return "no mask"
        values = self.layers[layer].values.get((name, index), {})
        shown = [measure for measure in values if measure in CORNER] or list(values)[:2]
        return "  ".join(f"{measure} {values[measure]:.3f}" for measure in shown)

    def _tiles(
        self, video: Video, index: int, readings: Sequence[Reading], palettes: Sequence[dict[int, int]]
    ) -> list[Frame]:
        frame = read_frame(video.frames[index])
        size = (frame.shape[0], frame.shape[1])
        numbered = self.selection.protocol.unit != "foreground"
        annotation = None
        if index in video.annotations:
            of = video.annotations[index]
            annotation = read_objects(of, video.codec) if numbered else unpack(read_annotation(of, video.codec))
        shape = size if annotation is None else (annotation.shape[0], annotation.shape[1])
        truth = None if annotation is None else _at(np.asarray(annotation, np.int32), size)
        tiles = [self._drawn(frame, truth, None, {})] if self.style.annotation else []
        for layer, masks, palette in zip(self.layers, readings, palettes, strict=True):
            found = None
            if index in layer.masks.files[video.name]:
                task = Task(video, layer.masks, self.selection.protocol)
                if numbered:
                    found = masks.read(index, read_regions, task.checks(index, shape)).astype(np.int32)
                else:
                    found = unpack(read_prediction(task, masks, index, shape)).astype(np.int32)
            tiles.append(self._drawn(frame, None if found is None else _at(found, size), truth, palette))
        return tiles

    def _drawn(
        self, frame: Frame, labels: NDArray[np.int32] | None, truth: NDArray[np.int32] | None, palette: dict[int, int]
    ) -> Frame:
        """A frame with labels over it; without a mask, the frame alone."""
        if labels is None:
            return frame
        if self.style.colours == "errors" and truth is not None:
            regions = overlay.errors_of(labels != 0, truth != 0)
            drawn = overlay.filled(frame, regions, self.style.opacity)
            return overlay.outlined(drawn, [(labels != 0, overlay.OUTLINE)], self.style.contour)
        regions = list(_coloured(labels, palette))
        drawn = overlay.filled(frame, regions, self.style.opacity)
        return overlay.outlined(drawn, regions, self.style.contour)


def _at(labels: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.int32]:
    """Labels at the size of the frame."""
    if labels.shape == size:
        return labels
    import cv2

    return np.asarray(cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT), np.int32)


def _coloured(labels: NDArray[np.int32], palette: dict[int, int]) -> Iterator[tuple[Mask, Colour]]:
    """The regions of labels; numbers of more than 8 bits, such as colours, are counted as they appear."""
    for label in np.unique(labels[labels != 0]).tolist():
        number = label if label <= overlay.HIGHEST_LABEL else palette.setdefault(label, len(palette) + 1)
        yield labels == label, overlay.label_colour(number)


@contextmanager
def opened(
    methods: Mapping[str, Path],
    selection: Selection,
    *,
    style: Style | None = None,
    codec: str | None = None,
    numbering: Numbering = "auto",
    jobs: int = 1,
) -> Iterator[Overlays]:
    """Score the masks of methods, and show them inside the block.

    Args:
        methods: name → a folder, an archive or another file of masks, as `vosbench.evaluate.score.score` takes it.
        selection: the videos and the protocol; of a protocol with J and F, only these are measured.
        style: how masks are drawn.
        codec: as in `vosbench.evaluate.score.score`.
        numbering: likewise.
        jobs: likewise.

    Raises:
        DataError: if there are no frames or annotations, or masks are not read.
    """
    selection = with_frames(selection)
    few = [name for name in CORNER if name in selection.protocol.measures]
    if few:
        selection = replace(selection, protocol=selection.protocol.only(few))
    layers, lines = [], []
    with ExitStack() as stack:
        for name, origin in methods.items():
            masks, scored = stack.enter_context(
                scoring.measured(score_video, origin, selection, codec=codec, numbering=numbering, jobs=jobs)
            )
            layers.append(Layer(name, masks, _values(scored)))
            several = f"{name}: " if len(methods) > 1 else ""
            lines += [f"{several}{line}" for line in notes(scored, selection, masks)]
        yield Overlays(selection, layers, style or Style(), tuple(dict.fromkeys(lines)))


def _values(scored: Sequence[Scored]) -> dict[tuple[str, int], dict[str, float]]:
    """What was measured of each frame; of objects, which have measures such as J.1, the mean."""
    found: dict[tuple[str, int], dict[str, list[float]]] = {}
    for video in scored:
        for row in video.rows:
            measures = found.setdefault((row.video, row.frame), {})
            measures.setdefault(row.measure.split(".")[0], []).append(row.value)
    return {
        place: {measure: value for measure, values in of.items() if (value := mean(values)) is not None}
        for place, of in found.items()
    }


def names_of(origins: Sequence[Path], names: Sequence[str] = ()) -> dict[str, Path]:
    """Names of methods and their masks.

    Args:
        origins: the masks.
        names: a name for each; those that scoring gives them if empty.

    Raises:
        UsageError: if there are more or fewer names, or two methods have one name.
    """
    if names and len(names) != len(origins):
        raise UsageError(f"there are {len(names)} names for {len(origins)} methods")
    named: dict[str, Path] = {}
    for origin, name in zip(origins, names or [scoring.default_name(each) for each in origins], strict=True):
        if name in named:
            raise UsageError(f'"{named[name]}" and "{origin}" are both called "{name}"; pass --name for each')
        named[name] = origin
    return named
