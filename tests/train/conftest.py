from collections.abc import Callable
from pathlib import Path

import pytest

from vosbench.method import Material, Recipe
from vosbench.registry import load_dataset, load_method

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def toy() -> Callable[..., Recipe]:
    """Makes the toy's recipe, with hyper-parameters changed."""
    method, _ = load_method("toynet", [PLUGINS / "toy_training.py"])

    def make(**changes: object) -> Recipe:
        return method.recipe("", {name: str(value) for name, value in changes.items()})

    return make


@pytest.fixture
def material(toy_root: Path) -> Material:
    dataset = load_dataset("toy", [PLUGINS / "toy.py"])
    return Material(videos=tuple(dataset.videos(toy_root, "val")))
