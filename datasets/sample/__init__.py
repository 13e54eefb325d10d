"""The sample dataset: small generated videos, for trying and testing vosbench without a download."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.dataset.protocol import SALIENCY
from vosbench.datasets.sample.layout import LAYOUT, find, generate
from vosbench.datasets.sample.sequences import SPLITS, VERSION, scripts

SPARSE = 5
__all__ = ["dataset", "generate", "listing"]


def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of a split.

    Raises:
        UsageError: if the split is unknown.
    """
    return {
        script.name: Listed(
            frames=script.frames,
            annotated=tuple(range(0, script.frames, SPARSE)) if split == "val-sparse" else None,
            stable="OCC" not in script.attributes,
            attributes=script.attributes,
            category=script.category,
        )
        for script in scripts(split.removesuffix("-sparse"))
    }


def videos(root: Path, split: str, layout: str | None = None) -> Sequence[Video]:
    """Find the videos of a split; ``"val-sparse"`` is ``"val"`` with every fifth frame annotated."""
    found = find(root, split.removesuffix("-sparse"), layout)
    if split != "val-sparse":
        return found
    return [
        replace(video, annotations={t: path for t, path in video.annotations.items() if t % SPARSE == 0})
        for video in found
    ]


dataset = Dataset(
    name="sample",
    title="Sample",
    paper="none: drawn by vosbench",
    licence="MIT",
    splits=(*SPLITS, "val-sparse"),
    layouts=(LAYOUT,),
    protocols=(DatasetProtocol(name="sample", measures=("J", "F", "T"), about="J, F and T of all frames"), *SALIENCY),
    listing=listing,
    videos=videos,
    generate=generate,
    version=VERSION,
)
