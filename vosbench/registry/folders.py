"""Datasets that are folders, by their path: their names and protocols are told apart from those that are registered."""

import os
from collections.abc import Callable, Container, Mapping
from pathlib import Path

from vosbench.dataset import Dataset
from vosbench.dataset.folder_dataset import BUILT_IN, FolderDataset, folder_dataset
from vosbench.errors import UsageError
from vosbench.records.naming import check_name

RESERVED = ("train", "published")
"""Folders of results that hold other things than a dataset's records."""


def dataset_path(name: str, known: Container[str]) -> Path | None:
    """The path of a dataset that is a folder; None if the name is known, or that of nothing.

    Args:
        name: a name or path.
        known: names of registered datasets, which come first.

    >>> dataset_path("sample", ["sample"]), dataset_path("smaple", ["sample"])
    (None, None)
    >>> dataset_path("./sample", ["sample"]) == Path("sample")
    True
    """
    signs = {"/", os.sep}
    is_path = any(sign in name for sign in signs) or name in {".", ".."} or (name not in known and Path(name).is_dir())
    return Path(name) if is_path else None


def open_folder(
    path: Path, others: Mapping[str, Callable[[], Dataset]], *, masks: bool = False, codec: str | None = None
) -> FolderDataset:
    """Make a dataset of a folder; see `vosbench.dataset.folder_dataset`.

    Args:
        path: the folder.
        others: name → dataset, of those that are registered.
        masks: whether masks alone are enough, to score predictions against.
        codec: of its annotations, if it does not declare one; recognised from all of them by default.

    Raises:
        UsageError: if its name, or that of a protocol, is that of another one, or cannot name a file.
        DataError: if it is not a folder, or its description is wrong.
    """
    dataset = folder_dataset(path, masks=masks, codec=codec)
    advice = 'give it another with "name: …" in its dataset.yaml'
    taken = next((name for name in (*others, *RESERVED) if name.casefold() == dataset.name.casefold()), None)
    if taken in others:
        raise UsageError(
            f'the folder "{path}" has the name of the dataset "{taken}", whose records would be mixed with its own; '
            f"{advice}, or read it as {taken} with --dataset {taken} --root"
        )
    if taken is not None:
        raise UsageError(f'the folder "{path}" has a name under which other results are kept; {advice}')
    try:
        check_name(dataset.name, "dataset")
    except UsageError as error:
        raise UsageError(f"{error}; {advice}") from None
    own = dataset.description.protocols
    known = {protocol.name for load in others.values() if own for protocol in load().protocols}
    known |= {protocol.name for protocol in BUILT_IN}
    same = next((name for name in own if name in known), None)
    if same is not None:
        raise UsageError(
            f'"{path}" has a protocol "{same}" of its own, but there is one of that name; rename it in its dataset.yaml'
        )
    return dataset
