"""Where datasets are on this machine: given, in ``VOSBENCH_DATA``, in the user's settings, or made here."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vosbench import __version__
from vosbench.dataset.dataset import Dataset
from vosbench.errors import DataError, UsageError
from vosbench.files import write_whole


def find_root(dataset: Dataset, given: Path | None = None) -> Path:
    """Find a dataset's folder.

    In this order: the one given; one of the dataset's usual folder names below ``VOSBENCH_DATA``; the one set by
    `set_root`; for a dataset that the program makes itself, the cache.

    Raises:
        UsageError: where it is nowhere.
        DataError: where the settings cannot be read.
    """
    found = given or _below(dataset, os.environ.get("VOSBENCH_DATA")) or read_roots().get(dataset.name)
    if found is not None:
        return found
    if dataset.generate is not None:
        return generated_root(dataset)
    raise UsageError(
        f"{dataset.title} has to be given: say where it is with --root, below VOSBENCH_DATA, "
        f"or once with: vosbench data set-root {dataset.name} FOLDER"
    )


def known_root(dataset: Dataset) -> Path | None:
    """The dataset's folder where it is known and there; nothing is made."""
    found = _below(dataset, os.environ.get("VOSBENCH_DATA")) or read_roots().get(dataset.name)
    if found is None and dataset.generate is not None:
        found = _cached(dataset)
    return found if found is not None and found.is_dir() else None


def settings_file() -> Path:
    """The user's settings: ``VOSBENCH_CONFIG``, or the system's usual place."""
    given = os.environ.get("VOSBENCH_CONFIG")
    if given:
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_config_dir("vosbench", appauthor=False)) / "roots.json"


def read_roots() -> Mapping[str, Path]:
    """Dataset → folder, as set by the user.

    Raises:
        DataError: where the settings are damaged.
    """
    path = settings_file()
    if not path.is_file():
        return {}
    try:
        return {str(name): Path(folder) for name, folder in json.loads(path.read_text("utf-8")).items()}
    except (ValueError, AttributeError, TypeError):
        raise DataError(f'the settings "{path}" are damaged; mend or delete the file') from None


def set_root(dataset: Dataset, folder: Path) -> Path:
    """Remember a dataset's folder.

    Returns:
        the settings file.

    Raises:
        DataError: where the folder is not there.
    """
    if not folder.is_dir():
        raise DataError(f'"{folder}" is no folder; give the one that holds {dataset.title}')
    roots = {**read_roots(), dataset.name: folder.resolve()}
    path = settings_file()
    text = json.dumps({name: str(root) for name, root in sorted(roots.items())}, indent=2) + "\n"
    write_whole(path, text.encode())
    return path


def generated_root(dataset: Dataset) -> Path:
    """The folder of a dataset that the program makes itself, made on first use in the user's cache.

    The cache is ``VOSBENCH_CACHE``, or the system's usual place.

    Raises:
        UsageError: where the dataset is none of these.
    """
    if dataset.generate is None:
        raise UsageError(f"{dataset.title} is not made by vosbench; say where it is with --root")
    folder = _cached(dataset)
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            dataset.generate(part)
            if not folder.is_dir():  # another process may have been faster
                part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _cached(dataset: Dataset) -> Path:
    home = os.environ.get("VOSBENCH_CACHE")
    if home is None:
        import platformdirs

        home = platformdirs.user_cache_dir("vosbench", appauthor=False)
    return Path(home) / f"{dataset.name}-{__version__}"


def _below(dataset: Dataset, data: str | None) -> Path | None:
    if not data:
        return None
    for name in (*dataset.folders, dataset.name):
        if (Path(data) / name).is_dir():
            return Path(data) / name
    return None
