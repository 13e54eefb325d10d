"""Started by ``torchrun``: train the toy with this process's share of each step."""

import sys
import warnings
from pathlib import Path

from vosbench.method import Material
from vosbench.registry import load_dataset, load_method
from vosbench.train import Settings, train

PLUGINS = Path(__file__).parents[1] / "plugins"


def main(root: str, out: str, accumulate: str, *changes: str) -> None:
    warnings.simplefilter("error")
    method, _ = load_method("toynet", [PLUGINS / "toy_training.py"])
    videos = load_dataset("toy", [PLUGINS / "toy.py"]).videos(Path(root), "val")
    recipe = method.recipe("", dict(change.split("=") for change in changes))
    train(recipe, Material(videos=tuple(videos)), Path(out), Settings(accumulate=int(accumulate), save_every=4))


if __name__ == "__main__":
    main(*sys.argv[1:])
