"""The toy dataset of ``plugins/toy.py``, selected, and predictions of it."""

import shutil
from dataclasses import replace
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.registry import load_dataset

TOY = Path(__file__).parent / "plugins" / "toy.py"


def toy(**changes: object) -> Dataset:
    return replace(load_dataset("toy", [TOY]), **changes)


def selected(root: Path, protocol: DatasetProtocol | None = None, protocol_name: str | None = None) -> Selection:
    dataset = toy(protocols=(protocol,)) if protocol else toy()
    return select(dataset, Choice(root=root, protocol=protocol_name))


def copy_masks(root: Path) -> Path:
    return Path(shutil.copytree(root / "masks", root / "predictions"))
