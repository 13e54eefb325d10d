"""The function `vosbench.segment`."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Unpack, overload

from vosbench import runner, segmentation
from vosbench.dataset import Video
from vosbench.errors import counted
from vosbench.face.options import SILENT, AnyPath, Listener, SetupOptions, paths_of, refuse_unknown, setup_of
from vosbench.method import Method, flow
from vosbench.records import provenance
from vosbench.segmentation import Segmented

__all__ = ["SegmentResult", "default_method", "segment"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SegmentResult(Sequence[Segmented]):
    """The masks of videos; a sequence of one entry for each, and prints as a line for each.

    Attributes:
        videos: name, folder, number of masks and overlay of each video.
        notes: notes for the reader, one line each.
    """

    videos: tuple[Segmented, ...]
    notes: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Segmented: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Segmented]: ...

    def __getitem__(self, index: int | slice) -> Segmented | Sequence[Segmented]:
        """A video, or several."""
        return self.videos[index]

    def __len__(self) -> int:
        """Number of videos."""
        return len(self.videos)

    def __repr__(self) -> str:
        """A line for each video."""
        return "\n".join(
            f"{each.name}: {counted(each.frames, 'mask')} in {each.folder}"
            + (f", overlay in {each.overlay}" if each.overlay else "")
            for each in self.videos
        )


def default_method() -> str:
    """The best on videos of DAVIS-2016 that needs no further files: a network, or motion without the extra torch.

    See `results/README.md`.
    """
    return "f2net.lite" if find_spec("torch") else "motion"


def segment(  # noqa: PLR0913 - the options of the command line
    videos: AnyPath | Iterable[AnyPath],
    method: str | Method | tuple[Method, str] | None = None,
    *,
    out: AnyPath = "masks",
    overlay: AnyPath | None = None,
    threshold: float = 0.5,
    soft: bool = False,
    overwrite: bool = False,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **options: Unpack[SetupOptions],
) -> SegmentResult:
    """Segment videos: write a mask for each frame, white where the main moving object is.

    Args:
        videos: a video file or a folder of images, or several of them.
        method: ``"method"`` or ``"method.variant"``, a `Method`, or the result of `load_method`;
            by default that of `default_method`.
        out: folder of the masks, which are ``<out>/<name of the video>/<frame>.png``.
        overlay: a video file to write, in which the object is tinted; for several videos a folder.
        threshold: probability from which on a pixel belongs to the object.
        soft: write probabilities, as levels from 0 to 255, instead of masks of 0 and 255.
        overwrite: replace masks of other videos or methods, and overlays, instead of refusing.
        plugins: Python files with methods.
        listener: callbacks for progress and notes.
        options: see `SetupOptions`.

    Raises:
        UsageError: if a name or option is unknown, or there are other masks or overlays.
        DataError: if a video does not exist or is damaged.
        VideoError: if the method failed on a video; the others are finished first.
    """
    refuse_unknown(options, SetupOptions.__optional_keys__, "segment")
    found, setup = runner.resolve_method(
        (method, "") if isinstance(method, Method) else method or default_method(),
        setup_of(options, listener.note),
        plugins=paths_of(plugins),
        untrained=options.get("untrained", False),
    )
    name, notes = found.called(setup.variant), []
    if options.get("untrained"):
        notes.append(f"{name} runs with random weights (seed {setup.seed}); its masks mean nothing")
    training = provenance.weights_card(setup.weights).get("training") if setup.weights else None
    notes += (
        [f"the weights of {name} were trained on {training}; other videos may be harder for it"] if training else []
    )
    for line in notes:
        listener.note(line)
    paths = (Path(videos),) if isinstance(videos, str | os.PathLike) else paths_of(videos)
    flow.check(found, setup, [Video(name=path.stem, frames=()) for path in paths])
    jobs = segmentation.plan(paths, Path(out), None if overlay is None else Path(overlay), listener.advance)
    for line in (f'"{job.path}" ends after {job.film.short}; it may be cut off' for job in jobs if job.film.short):
        listener.note(line)
        notes.append(line)
    done = segmentation.segment(
        found,
        setup,
        jobs,
        threshold=threshold,
        soft=soft,
        overwrite=overwrite,
        advance=listener.advance,
    )
    return SegmentResult(tuple(done), tuple(notes))
