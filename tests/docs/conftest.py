"""Stand-ins for what the documentation's commands speak of: short datasets, and masks of them."""

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from documented import REPOSITORY
from factories import disk_mask
from vosbench.dataset import Dataset, Listed, Video
from vosbench.images import write_png

SHORT = {
    "sample": (("animal-walk", "film-horse"), 6),
    "davis16": (("blackswan", "breakdance", "dog", "goat"), 8),
}
"""Dataset → the videos that it has in these tests, and their number of frames."""
SIZE = (48, 64)
SUBMISSIONS = {"osvos": 0, "andiff": 1, "ags": 2, "masks": 3}
"""Name of an archive of masks → by how many pixels they are off."""


def shortened(dataset: Dataset, names: tuple[str, ...], frames: int) -> Dataset:
    """A dataset whose first split has some videos only, and of these the first frames."""
    first = dataset.splits[0]

    def listing(split: str) -> Mapping[str, Listed]:
        listed = dataset.listing(split)
        return listed if split != first else {name: replace(listed[name], frames=frames) for name in names}

    def videos(root: Path, split: str, layout: str | None = None) -> Sequence[Video]:
        found = dataset.videos(root, split, layout)
        return found if split != first else [video.first(frames) for video in found if video.name in names]

    return replace(dataset, listing=listing, videos=videos)


def disk(number: int, t: int, off: int = 0) -> NDArray[np.bool_]:
    """The object of a video, which moves to the right; a submission's is some pixels off."""
    return disk_mask(*SIZE, 24, 12 + 4 * t + off, 9 + number)


def write_davis(root: Path) -> None:
    """The tree of the package of 2016."""
    (root / "ImageSets" / "480p").mkdir(parents=True)
    names, frames = SHORT["davis16"]
    for number, name in enumerate(names):
        for t in range(frames):
            picture = np.full((*SIZE, 3), 60, np.uint8)
            picture[disk(number, t)] = (200, 160, 40)
            # images are read by content, whatever their suffix
            write_png(root / "JPEGImages" / "480p" / name / f"{t:05}.jpg", picture)
            write_png(root / "Annotations" / "480p" / name / f"{t:05}.png", disk(number, t) * np.uint8(255))


def write_masks(archive: Path, off: int) -> None:
    """A submission to it."""
    names, frames = SHORT["davis16"]
    with zipfile.ZipFile(archive, "w") as file:
        for number, name in enumerate(names):
            for t in range(frames):
                data = BytesIO()
                Image.fromarray(disk(number, t, off) * np.uint8(255)).save(data, "PNG")
                file.writestr(f"{name}/{t:05}.png", data.getvalue())


def write_zoo(root: Path) -> None:
    """A folder of one's own, with its masks as an archive, and one of stills."""
    for name in ("cow", "dog"):
        for t in range(6):
            mask = disk_mask(*SIZE, 24, 16 + 4 * t, 10)
            picture = np.full((*SIZE, 3), 70, np.uint8)
            picture[mask] = 180
            write_png(root / "zoo" / "JPEGImages" / name / f"{t:05}.png", picture)
            write_png(root / "zoo" / "Annotations" / name / f"{t:05}.png", mask * np.uint8(255))
            write_png(root / "stills" / "images" / f"{name}{t}.png", picture)
            write_png(root / "stills" / "masks" / f"{name}{t}.png", mask * np.uint8(255))


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with DAVIS, data, GT and masks."""
    folder = tmp_path_factory.mktemp("documented")
    write_davis(folder / "DAVIS")
    for name, off in SUBMISSIONS.items():
        write_masks(folder / f"{name}.zip", off)
    write_zoo(folder / "data")
    (folder / "data" / "DAVIS").symlink_to(folder / "DAVIS")
    shutil.copytree(folder / "data" / "zoo" / "Annotations", folder / "GT")
    shutil.make_archive(str(folder / "zoo"), "zip", folder / "GT")
    return folder


@pytest.fixture
def place(stand_ins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with the stand-ins, in which datasets are short."""
    for path in stand_ins.iterdir():
        if path.is_dir():
            (tmp_path / path.name).symlink_to(path)
        else:  # commands may write another archive of this name
            shutil.copyfile(path, tmp_path / path.name)
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    for name, (videos, frames) in SHORT.items():
        module = import_module(f"vosbench.datasets.{name}")
        monkeypatch.setattr(module, "dataset", shortened(module.dataset, videos, frames))
    monkeypatch.setenv("VOSBENCH_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.chdir(tmp_path)
    return tmp_path
