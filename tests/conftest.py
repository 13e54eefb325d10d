import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import is_hypothesis_test, settings

from factories import examples, write_toy
from injected import Lab
from vosbench.dataset import Video

REPOSITORY = Path(__file__).parents[1]
TOY = REPOSITORY / "tests" / "plugins" / "toy.py"
TESTS = REPOSITORY / "tests"
TORCH, FAST = (find_spec(name) is not None for name in ("torch", "numba"))
NEED_TORCH = (
    *(TESTS / folder for folder in ("examples", "method/nn", "methods", "train")),
    *(TESTS / "cli" / f"test_{verb}.py" for verb in ("convert", "gates", "profile", "train")),
    TESTS / "method" / "test_profile.py",
    TESTS / "test_pytest_plugin.py",
)
"""What needs the extra torch as a whole; single tests have the marker torch."""
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; the test is skipped if there is none."""
    named = os.environ.get("VOSBENCH_TEST_DATA")
    if not named:
        pytest.skip("needs real data: set VOSBENCH_TEST_DATA to its folder")
    folder = Path(named)
    if not (folder / "DAVIS").is_dir():
        pytest.skip(f"needs real data, but VOSBENCH_TEST_DATA={folder} has no folder DAVIS")
    return folder


@pytest.fixture(scope="session")
def reference(real_data: Path) -> Path:
    """The folder of golden values, next to the real data."""
    folder = real_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"needs golden values in {folder}")
    return folder


@pytest.hookimpl(tryfirst=True)  # before hypothesis, which reads the options that are set here
def pytest_configure(config: pytest.Config) -> None:
    """Tests know nothing of the user's own datasets and settings, and small networks gain nothing from threads."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["VOSBENCH_NO_CACHE"] = "1"  # tests of the cache turn it on
    if FAST and not hasattr(config, "workerinput"):  # otherwise the first tests have a note about it, and take longer
        from vosbench.metrics.warm import is_needed, warm

        if is_needed():
            warm()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so do their own
    os.environ.pop("VOSBENCH_DATA", None)
    os.environ["VOSBENCH_CONFIG"] = str(REPOSITORY / "tests" / "no-settings.json")
    choose_examples(config)


def selects_slow(config: pytest.Config) -> bool:
    """Whether slow tests were asked for, by ``-m slow`` or ``-m "slow or …"``."""
    return re.search(r"(?<!not )\bslow\b", config.option.markexpr or "") is not None


def choose_examples(config: pytest.Config) -> None:
    """Set the profile of property tests.

    Usually they use the same examples everywhere, so that a failure is one of the change at hand. The profile
    "random" samples new ones: with HYPOTHESIS_PROFILE=random, --hypothesis-profile=random, or if slow tests are
    selected. No database: failures of one environment are not replayed in another.
    """
    common = settings(deadline=None, database=None, max_examples=examples(100), print_blob=True)
    settings.register_profile("fixed", common, derandomize=True)
    settings.register_profile("random", common, derandomize=False)
    option = config.option
    usual = "random" if selects_slow(config) else "fixed"
    option.hypothesis_profile = option.hypothesis_profile or os.environ.get("HYPOTHESIS_PROFILE") or usual
    if option.hypothesis_profile == "random" and option.hypothesis_seed is None:
        option.hypothesis_seed = str(secrets.randbelow(2**32))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say how a random run is repeated, and what is left out without torch."""
    option, lines = config.option, []
    if option.hypothesis_profile == "random":
        repeat = f"--hypothesis-profile=random --hypothesis-seed={option.hypothesis_seed}"
        lines.append(f"property tests: {repeat} repeats them")
    if not TORCH:
        left_out = ", ".join(str(path.relative_to(TESTS)) for path in NEED_TORCH)
        lines.append(f"torch is not installed: {left_out} and tests marked torch are left out")
    return lines


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out tests that cannot even be imported without torch."""
    return True if not TORCH and collection_path in NEED_TORCH else None


@pytest.hookimpl(tryfirst=True)  # before tests are selected by their marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """``-m "not real"`` and ``-m "not torch"`` leave out all that needs them; ``-m slow`` includes properties."""
    slow = selects_slow(config)
    for item in items:
        for extra, installed in (("torch", TORCH), ("fast", FAST)):
            if not installed and item.get_closest_marker(extra):
                item.add_marker(pytest.mark.skip(reason=f"the extra {extra} is not installed"))
        if any(path == item.path or path in item.path.parents for path in NEED_TORCH):
            item.add_marker("torch")
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real")
        if slow and is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("slow")


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
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A folder in which something is broken; see `injected`."""
    return Lab(tmp_path, monkeypatch)


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
