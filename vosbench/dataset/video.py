"""A video on disk: paths, nothing decoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vosbench.images.annotations import Annotation

FlowFiles = Mapping[int, Mapping[int, Path]]
"""Step → frame index → file of the flow from that frame to the one so many frames later, or earlier if negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video, its annotations, and how to read them.

    Attributes:
        name: its name in the dataset's list.
        frames: the frames in temporal order; frame *t* of the video is ``frames[t]``.
        annotations: frame index (0-based) → its annotation file, or one file per object, or a box; may be sparse.
        codec: name of the codec of its annotation files (`vosbench.images.codecs`).
        category: the object category, if the dataset has categories.
        layout: name of the folder layout that it was found in.
        labelled_only: whether it has only the annotated frames, as in some copies of sparse datasets.
        frameless: whether it has annotations alone, which can be scored; its frames are paths of missing files.
        flow: files of optical flow, if there are any: ``flow[1][t]`` is the flow from frame *t* to frame *t* + 1,
            ``flow[-1][t]`` that to frame *t* − 1, and other steps are gaps. Read them with `vosbench.images.flow`.
    """

    name: str
    frames: tuple[Path, ...]
    annotations: Mapping[int, Annotation] = field(default_factory=dict)
    codec: str = "binary255"
    category: str | None = None
    layout: str = ""
    labelled_only: bool = False
    frameless: bool = False
    flow: FlowFiles = field(default_factory=dict)

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
        if frames >= len(self):
            return self
        kept = {index: path for index, path in self.annotations.items() if index < frames}
        flow = {
            step: {index: path for index, path in files.items() if index < frames and index + step < frames}
            for step, files in self.flow.items()
        }
        return replace(self, frames=self.frames[:frames], annotations=kept, flow=flow)

    def unannotated(self) -> "Video":
        """The video without annotations, as methods see it."""
        return replace(self, annotations={})
