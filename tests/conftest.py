import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.images import write_png

REPOSITORY = Path(__file__).parents[1]
TOY = REPOSITORY / "tests" / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("VOSBENCH_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "DAVIS").is_dir():
        pytest.skip(f"real data is absent: {folder} (VOSBENCH_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def reference(real_data: Path) -> Path:
    """The folder of golden values, beside the real data."""
    folder = real_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"golden values are absent: {folder}")
    return folder


def pytest_configure() -> None:
    """Tests know nothing of the user's own datasets and settings, and small networks gain nothing from threads."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.pop("VOSBENCH_DATA", None)
    os.environ["VOSBENCH_CONFIG"] = str(REPOSITORY / "tests" / "no-settings.json")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for real data can be left out by ``-m "not real"``."""
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real")


def disk_mask(height: int, width: int, row: float, column: float, radius: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:height, :width]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def write_toy(root: Path, videos: int = 2, frames: int = 5, size: tuple[int, int] = (24, 32)) -> Path:
    """A disk that moves to the right, brighter than its background."""
    for video in range(videos):
        for frame in range(frames):
            mask = disk_mask(*size, 12, 8 + 3 * frame, 5 + video)
            picture = np.full((*size, 3), 60, np.uint8)
            picture[mask] = 200
            write_png(root / "frames" / f"v{video}" / f"{frame:05d}.png", picture)
            write_png(root / "masks" / f"v{video}" / f"{frame:05d}.png", mask * np.uint8(255))
    return root


@pytest.fixture
def toy_root(tmp_path: Path) -> Path:
    return write_toy(tmp_path / "toy")


@pytest.fixture(scope="session")
def own_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the repository, without what its user has run there; all of them where git knows nothing."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "results"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listed.returncode or not listed.stdout:
        return REPOSITORY / "results"
    copy = tmp_path_factory.mktemp("repository")
    for name in filter(None, listed.stdout.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, copy / name)
    return copy / "results"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run the command line in a process of its own, in an empty folder."""

    def call(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vosbench", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, **environment},
        )

    return call


@pytest.fixture
def clip(tmp_path: Path) -> Video:
    """Five noisy frames of a bright disk that moves; there is no annotation anywhere near."""
    import cv2

    rng = np.random.default_rng(0)
    paths = []
    for t in range(5):
        picture = rng.integers(0, 90, (70, 110, 3), dtype=np.uint8)
        cv2.circle(picture, (20 + 12 * t, 30 + 3 * t), 14, (40, 220, 120), -1)
        paths.append(tmp_path / "frames" / f"{t:05d}.png")
        paths[-1].parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(paths[-1]), picture)
    return Video(name="disk", frames=tuple(paths))


@pytest.fixture(scope="session")
def shake() -> Callable[..., Any]:
    """Give a network random weights under which signals neither die nor explode, with many negative scales."""

    import torch
    from torch import nn

    def draw(net: nn.Module, *inputs: torch.Tensor, seed: int = 0) -> nn.Module:
        noise = torch.Generator().manual_seed(seed)
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.data.normal_(0, layer.weight[0].numel() ** -0.5, generator=noise)
            elif isinstance(layer, nn.BatchNorm2d):
                layer.weight.data.uniform_(-0.5, 1, generator=noise)
                layer.bias.data.normal_(0, 0.3, generator=noise)
                layer.momentum = None
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(seed)  # of dropout
            net.train()(*inputs)
        return net.eval()

    return draw
