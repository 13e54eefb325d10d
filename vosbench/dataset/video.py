"""A video on disk: paths, nothing decoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video, its annotations, and how to read them.

    Attributes:
        name: its name in the dataset's list.
        frames: the frames in temporal order; frame *t* of the video is ``frames[t]``.
        annotations: frame index (0-based) → annotation file; may be sparse.
        codec: name of the codec of its annotation files (`vosbench.images.codecs`).
        category: the object category, if the dataset has categories.
        layout: name of the folder layout that it was found in.
        labelled_only: whether it has only the annotated frames, as in some copies of sparse datasets.
        frameless: whether it has annotations alone, which can be scored; its frames are paths of missing files.
    """

    name: str
    frames: tuple[Path, ...]
    annotations: Mapping[int, Path] = field(default_factory=dict)
    codec: str = "binary255"
    category: str | None = None
    layout: str = ""
    labelled_only: bool = False
    frameless: bool = False

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.frames)

    def first(self, frames: int) -> "Video":
        """The video cut after its first ``frames`` frames.

        >>> video = Video(name="cow", frames=(Path("0.png"), Path("1.png")), annotations={1: Path("m.png")})
        >>> short = video.first(1)
        >>> len(short), dict(short.annotations)
        (1, {})
        """
        kept = {index: path for index, path in self.annotations.items() if index < frames}
        return replace(self, frames=self.frames[:frames], annotations=kept)

    def unannotated(self) -> "Video":
        """The video without annotations, as methods see it."""
        return replace(self, annotations={})
