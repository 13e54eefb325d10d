"""Methods made of a network in a file: read it, run it on frames, resume anywhere."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from vosbench.dataset import Video
from vosbench.engine.stages import stage
from vosbench.errors import DataError, UsageError, VideoError
from vosbench.images import read_frame
from vosbench.images.opening import check_file
from vosbench.method.interface import Array, Frame, Interface
from vosbench.method.method import FloatMap, Setup, State
from vosbench.method.predict import Stateless, batches
from vosbench.method.sources import sources

LARGEST_FILE = 2**31
Engine = Callable[[Array, Array | None], Array]
"""(B, …) frames and the first frame, (1, …), or None → (B, …) outputs."""


class ExportedPredictor(Stateless):
    """A predictor whose map of a frame depends on that frame alone, and on the first one if the network takes it.

    Args:
        engine: runs the network.
        interface: what it takes and gives.
        batch: frames per pass.
        anchored: whether it takes the first frame too.
        whole: whether it takes no fewer frames than a batch; the last ones are then repeated.
    """

    def __init__(
        self, engine: Engine, interface: Interface, batch: int = 1, *, anchored: bool = False, whole: bool = False
    ) -> None:
        self._engine, self._interface, self._batch = engine, interface, batch
        self._anchored, self._whole = anchored, whole

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:  # noqa: ARG002 - has no state
        """See `vosbench.method.method.Resumable`."""
        if start >= len(video):
            return
        anchor = self._interface.prepare(read_frame(video.frames[0]))[None] if self._anchored else None
        with closing(batches(video, start, self._batch, read_frame)) as read:
            for frames, done in read:
                yield from self._maps(frames, anchor)[done:]

    def _maps(self, frames: Sequence[Frame], anchor: Array | None) -> list[FloatMap]:
        with stage("encoder"):
            inputs = [self._interface.prepare(frame) for frame in frames]
            inputs += [inputs[-1]] * (self._batch - len(inputs) if self._whole else 0)
            outputs = self._engine(np.stack(inputs), anchor)
        if outputs.ndim == 2 and len(frames) == 1:
            outputs = outputs[None]
        if len(outputs) != len(inputs):
            raise VideoError(f"the network's output is of shape {outputs.shape} for {len(inputs)} frames")
        with stage("post"):
            return [self._interface.restore(output, frame) for output, frame in zip(outputs, frames, strict=False)]


def file_of(setup: Setup, method: str) -> Path:
    """The file that ``--weights`` names.

    Raises:
        UsageError: if it names none, or parts of several.
        DataError: if it is not a file that can be read.
    """
    if setup.weights is None:
        raise UsageError(f'"{method}" has no networks of its own; pass a file with --weights')
    found = sources(setup.weights)
    if len(found) != 1 or found[0].part or found[0].entry:
        raise UsageError(f'"{method}" takes a single file, not "{setup.weights}"')
    check_file(found[0].path, str(found[0].path), LARGEST_FILE)
    return found[0].path


def described(text: str | bytes, file: Path) -> Mapping[str, str]:
    """Metadata, as `vosbench export` writes them; none of an empty text.

    Raises:
        DataError: if they are of another form.
    """
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise DataError(f'the metadata of "{file}" are not valid: a mapping of names to text is expected')
    return found


def chosen(wanted: str, names: Sequence[str], file: Path) -> int:
    """The position of an output, by its name or number; the first one if none is wanted.

    Raises:
        UsageError: if there is no such output.
    """
    if wanted in names:
        return names.index(wanted)
    if not wanted or (wanted.isdecimal() and int(wanted) < len(names)):
        return int(wanted or 0)
    raise UsageError(f'"{file}" has no output "{wanted}"; available: {", ".join(names)}, or their numbers from 0')
