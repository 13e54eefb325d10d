"""The sample dataset: small drawn videos that the program makes itself, for trying and testing without a download."""

from collections.abc import Mapping

from vosbench.dataset import Dataset, Listed
from vosbench.datasets.sample.layout import LAYOUT, find, generate
from vosbench.datasets.sample.sequences import SPLITS, scripts
from vosbench.protocol import DatasetProtocol

__all__ = ["dataset", "generate", "listing"]


def listing(split: str) -> Mapping[str, Listed]:
    """What the list says of each sequence of a split.

    Raises:
        UsageError: for an unknown split.
    """
    return {
        script.name: Listed(
            frames=script.frames,
            stable="OCC" not in script.attributes,
            attributes=script.attributes,
            category=script.category,
        )
        for script in scripts(split)
    }


dataset = Dataset(
    name="sample",
    title="Sample",
    paper="none: drawn by vosbench",
    licence="MIT",
    splits=SPLITS,
    layouts=(LAYOUT,),
    protocols=(DatasetProtocol(name="sample", frames="all"),),
    listing=listing,
    videos=find,
    generate=generate,
)
