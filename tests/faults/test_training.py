"""Trainings that are in the way of each other."""

from pathlib import Path

import pytest

from in_process import call
from injected import Lab, fault
from toys import TOY
from vosbench.engine.locks import locked


@pytest.mark.torch
@fault("a second `train` on the same folder")
def test_second(lab: Lab) -> None:
    lab.begin()
    with locked(Path("training")):
        plugin = TOY.with_name("toy_training.py")
        done = call(
            "train", "toynet", "--data", f"toy:val={lab.root}", *lab.data[4:], "--plugin", plugin, "--out", "training"
        )
    lab.end(done.returncode, done.stderr)
