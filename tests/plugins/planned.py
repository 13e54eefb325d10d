"""For plans: a method with weights, options and seeds that notes what it does, and the toy dataset and others."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from toy import toy

from vosbench.dataset import Listed, Video
from vosbench.images import read_frame
from vosbench.method import FloatMap, Method, Option, Setup

__all__ = ["level", "other", "secret", "third", "toy"]

other = replace(toy, name="other", title="Other", folders=("Others",))
third = replace(toy, name="third", title="Third", folders=())
secret = replace(
    toy, name="secret", title="Secret", listing=lambda _split: {"v0": Listed(frames=5, annotated=())}, folders=()
)


class Level:
    """Brightness times the number in the weights, or one by the seed; the environment makes it slow, fail or die."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        text = None if setup.weights is None else setup.weights.read_text("utf-8")
        self.factor = np.random.default_rng(setup.seed).random() if text is None else float(text)
        self.log("load")

    def log(self, what: str) -> None:
        if place := os.environ.get("PLAN_LOG"):
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(f"{what}\n")

    def predict(self, video: Video) -> Iterator[FloatMap]:
        self.log(f"{video.frames[0].parents[2].name}/{video.name}")
        gain = self.factor * float(self.setup.options["gain"])
        for path in video.frames:
            time.sleep(float(os.environ.get("PLAN_SECONDS", "0")))
            if os.environ.get("PLAN_FAIL") == f"{video.frames[0].parents[2].name}/{video.name}/{path.stem}":
                raise RuntimeError("out of luck")
            if os.environ.get("PLAN_DIE") == f"{video.frames[0].parents[2].name}/{video.name}/{path.stem}":
                os.kill(os.getpid(), signal.SIGKILL)
            yield np.clip(read_frame(path).mean(axis=2) / 255 * gain, 0, 1).astype(np.float32)


level = Method(
    name="level",
    title="Level",
    paper="none",
    licence="MIT",
    load=Level,
    variants={"dim": "the same", "bright": "the same"},
    options={"gain": Option("1", "a factor")},
)
