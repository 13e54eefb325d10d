"""The contract of a protocol: every choice that moves a number, named and versioned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vosbench.video import Video


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetProtocol:
    """How masks of a dataset are scored.

    Attributes:
        name: as typed and as printed beside every number.
        version: raised whenever a number could change.
        measures: the measures that are taken, of ``"J"`` and ``"F"``.
        frames: ``"inner"`` scores frames 1…N−2 of N (DAVIS-2016), ``"all"`` every annotated frame.
        empty: what an annotation without foreground counts as: ``"score"`` it, or ``"skip"`` the frame.
        resize: ``"refuse"`` predictions of another size, or resize the ``"prediction"`` to the annotation.
        tolerance: of contour accuracy, as a fraction of the image diagonal.
        average: ``"video"`` is frame → video → dataset.
    """

    name: str
    version: int = 1
    measures: tuple[str, ...] = ("J", "F")
    frames: Literal["inner", "all"] = "all"
    empty: Literal["score", "skip"] = "score"
    resize: Literal["refuse", "prediction"] = "refuse"
    tolerance: float = 0.008
    average: Literal["video"] = "video"

    def scored(self, video: Video) -> Sequence[int]:
        """The frames of a video that count, as sorted 0-based indices.

        >>> from pathlib import Path
        >>> video = Video(name="v", frames=(Path("a"),) * 4, annotations=dict.fromkeys(range(4), Path("m")))
        >>> DatasetProtocol(name="davis16", frames="inner").scored(video)
        [1, 2]
        """
        inner = self.frames == "inner"
        return [t for t in sorted(video.annotations) if not inner or 0 < t < len(video) - 1]

    def signature(self, version: str) -> str:
        """The line that travels with every number, ending in the version of vosbench.

        >>> DatasetProtocol(name="davis16", frames="inner").signature("0.1.0")
        'davis16@1|J:inner|F:0.008|avg:video|vosbench 0.1.0'
        """
        detail = {"J": f"J:{self.frames}", "F": f"F:{self.tolerance}"}
        parts = [f"{self.name}@{self.version}", *(detail[measure] for measure in self.measures)]
        if self.empty == "skip":
            parts.append("empty:skip")
        if self.resize == "prediction":
            parts.append("resize:prediction")
        return "|".join([*parts, f"avg:{self.average}", f"vosbench {version}"])
