"""The contract of a protocol: every choice that affects a score, named and versioned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from vosbench.dataset.video import Video
from vosbench.errors import UsageError, suggest
from vosbench.metrics.measures import MAPS, Family
from vosbench.metrics.measures import SALIENCY as SALIENCY_MEASURES

HALF = 127
"""The usual level above which a pixel of a soft map is the object."""
PARTS = {
    "annotated-inner": slice(1, -1),
    "after-first": slice(1, None),
    "before-last": slice(None, -1),
    "before-last-two": slice(None, -2),
    "all": slice(None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetProtocol:
    """How the masks of a dataset are scored.

    Attributes:
        name: the name to type, printed with every score.
        version: raised whenever a score could change.
        measures: names of `MASKS`, `REGIONS`, `BOXES` and `MAPS` in `vosbench.metrics.measures`, and of `families`.
        unit: ``"foreground"`` scores one mask per frame; ``"objects"`` matches numbered proposals to numbered
            objects (DAVIS-2017 unsupervised; J and F); ``"regions"`` matches clusters to all regions of a video,
            including the background (Ochs–Brox; OB only).
        frames: which annotated frames count: ``"inner"`` those of frames 1…N−2 of N (DAVIS-2016), ``"annotated-inner"``
            all but the first and the last annotated one (DAVSOD), ``"after-first"`` all annotated ones but the first,
            ``"before-last"`` all but the last, ``"before-last-two"`` all but the last two, ``"all"``.
        empty: whether to ``"score"`` or to ``"skip"`` frames whose annotation has no foreground; ``"skip-both"`` leaves
            out only those whose prediction has none either.
        resize: ``"refuse"`` predictions of another size, or resize the ``"prediction"`` to the annotation.
        annotations_above: the grey level above which a pixel of an annotation is the object, in place of the one of
            the dataset's codec; only for annotations of grey levels.
        maps_above: the level of a soft map above which a pixel is the object, 0…254; another than 127 also has maps
            resized before they are compared to it, linearly, instead of the mask.
        tolerance: tolerance of contour accuracy, as a fraction of the image diagonal.
        t_first: whether temporal stability starts with the pair of frame 0's annotation and the first scored mask
            (``"gt"``, the leaderboard), or with the first two scored masks (``"skip"``).
        junctions: the order in which crossing contours are split; see `vosbench.metrics.stability`.
        saliency: the convention of saliency measures; see `vosbench.metrics.saliency`.
        average: ``"video"`` is frame → video → dataset, ``"category"`` frame → video → category → dataset,
            ``"object"`` frame → object → dataset, ``"frame"`` frame → dataset.
        split: the split that it is reported on, if that is not the dataset's first.
        more: measures that are taken only if they are named, with ``--measures``.
        families: third-party measures among `measures`; only for foreground.
        about: what it is, in a line for ``vosbench list datasets --long``; it has no effect on scores.
    """

    name: str
    version: int = 1
    measures: tuple[str, ...] = ("J", "F")
    unit: Literal["foreground", "objects", "regions"] = "foreground"
    frames: Literal["inner", "annotated-inner", "after-first", "before-last", "before-last-two", "all"] = "all"
    empty: Literal["score", "skip", "skip-both"] = "score"
    resize: Literal["refuse", "prediction"] = "refuse"
    annotations_above: int | None = None
    maps_above: int = HALF
    tolerance: float = 0.008
    t_first: Literal["gt", "skip"] = "gt"
    junctions: Literal["gcc4", "gcc5"] = "gcc4"
    saliency: str | None = None
    average: Literal["video", "category", "object", "frame"] = "video"
    split: str | None = None
    more: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()
    about: str = ""

    @property
    def soft(self) -> bool:
        """Whether soft maps are scored as such, by saliency measures."""
        return any(name in MAPS for name in self.measures)

    def scored(self, video: Video) -> Sequence[int]:
        """The scored frames of a video, as sorted 0-based indices.

        >>> from pathlib import Path
        >>> video = Video(name="v", frames=(Path("a"),) * 4, annotations=dict.fromkeys(range(4), Path("m")))
        >>> DatasetProtocol(name="davis16", frames="inner").scored(video)
        [1, 2]
        """
        annotated = sorted(video.annotations)
        if self.frames == "inner":
            last = len(video) - 1
            return [t for t in annotated if 0 < t < last]
        return annotated[PARTS[self.frames]]

    def only(self, measures: Sequence[str], families: Mapping[str, Family] = MappingProxyType({})) -> "DatasetProtocol":
        """The protocol with only some of its measures, or with third-party measures added.

        Args:
            measures: names, in any order.
            families: name → family of the measures that may be added.

        Raises:
            UsageError: if a name is unknown, or a family is added to a protocol that does not score foreground.
        """
        offered = (*self.measures, *self.more)
        own = tuple(name for name in offered if name in measures)
        added = tuple(name for name in families if name in measures and name not in own)
        for name in measures:
            if name not in (*own, *added):
                known = list(dict.fromkeys((*offered, *families)))
                raise UsageError(f'protocol "{self.name}" has no measure "{name}"; {suggest(name, known)}')
        if added and self.unit != "foreground":
            raise UsageError(f'protocol "{self.name}" scores {self.unit}; "{added[0]}" measures only foreground')
        kept = tuple(family for family in self.families if family.name in own)
        return replace(self, measures=own + added, families=kept + tuple(families[name] for name in added))

    def signature(self, version: str) -> str:
        """The line that is printed with every score; it ends in the version of vosbench.

        >>> DatasetProtocol(name="davis16", measures=("J", "F", "T"), frames="inner").signature("0.1.0")
        'davis16@1|J:inner|F:0.008|T:gt-first|avg:video|vosbench 0.1.0'
        >>> DatasetProtocol(name="vsod", measures=("MAE", "maxF"), saliency="davsod").signature("0.1.0")
        'vsod@1|MAE,maxF:davsod,all|vosbench 0.1.0'
        """
        order = "" if self.junctions == "gcc4" else f",{self.junctions}"
        detail = {
            "J": f"J:{self.frames}",
            "F": f"F:{self.tolerance}",
            "T": f"T:{self.t_first}-first{order}",
            "OB": f"OB:{self.frames}",
            "box": f"box:{self.frames}",
            **{family.name: family.signature() for family in self.families},
        }
        parts = [f"{self.name}@{self.version}", *(detail[name] for name in self.measures if name in detail)]
        saliency = [name for name in self.measures if name in MAPS]
        if saliency:
            parts.append(f"{','.join(saliency)}:{self.saliency},{self.frames}")
        if self.unit != "foreground":
            parts.append(f"unit:{self.unit}")
        if self.empty != "score":
            parts.append(f"empty:{self.empty}")
        if self.resize == "prediction":
            parts.append("resize:prediction")
        if self.annotations_above is not None:
            parts.append(f"annotations:>{self.annotations_above}")
        if self.maps_above != HALF:
            parts.append(f"maps:>{self.maps_above}")
        if len(saliency) < len(self.measures):
            parts.append(f"avg:{self.average}")
        return "|".join([*parts, f"vosbench {version}"])


_POOLED, _RATES = ("MAE", "maxF", "meanF"), ("MAE", "maxF", "meanF", "adpF", "S", "adpE")

SALIENCY = tuple(
    DatasetProtocol(
        name=name, measures=measures, frames="annotated-inner", resize="prediction", saliency=convention, about=about
    )
    for name, convention, measures, about in (
        ("vsod-davsod", "davsod", SALIENCY_MEASURES, "saliency as in DAVSOD's toolbox, at exact thresholds k / 255"),
        ("vsod-pysod", "pysod", SALIENCY_MEASURES, "saliency as in PySODMetrics, all frames with equal weight"),
        ("vsod-f-of-mean-pr", "f-of-mean-pr", _RATES, "saliency with F of the mean precision and recall, as AMC-Net"),
        ("adnet-saliency", "adnet", _POOLED, "saliency over the pooled pixels of all videos, β² = 1, as AD-Net"),
    )
)

# Still images are videos of one frame, so all frames count.
IMAGES = DatasetProtocol(
    name="image-saliency",
    measures=("J", *SALIENCY_MEASURES),
    saliency="davsod",
    about="J and saliency as in DAVSOD's toolbox, of still images",
)

GENERIC = DatasetProtocol(
    name="generic",
    more=("T", *SALIENCY_MEASURES),
    t_first="skip",
    saliency="davsod",
    about="J and F of all annotated frames; on request T, and saliency as in DAVSOD's toolbox",
)
"""The protocol of masks and folders that belong to no known dataset."""
