"""Peak memory of run and score by the number of frames and their size.

Each number is the peak of a process of its own, of one video, whose frames are links to a few files:
``python tests/benchmarks/memory.py --frames 100,1000,10000 --sizes 854x480 --sizes 3840x2160``.
The method is `Red` below, which needs no network: what is measured is what vosbench itself holds.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.method import FloatMap, Method, Setup

DISTINCT = 4
"""Frames that differ."""


class Red:
    """Red is foreground."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames:
            yield read_frame(path)[..., 0].astype(np.float32) / 255


def load(_setup: Setup) -> Red:
    return Red()


method = Method(name="red", title="Red", paper="none", licence="MIT", load=load, needs_weights=False)


def make(root: Path, width: int, height: int, frames: int) -> None:
    """A folder of frames and masks of one video: a disc that moves, on noise."""
    rng = np.random.default_rng(0)
    for folder in ("images/clip", "masks/clip"):
        (root / folder).mkdir(parents=True)
    for index in range(frames):
        pair = [root / f"images/clip/{index:05d}.jpg", root / f"masks/clip/{index:05d}.png"]
        if index >= DISTINCT:
            for path in pair:
                os.link(path.with_stem(f"{index % DISTINCT:05d}"), path)
            continue
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (width // 3 + 8 * index, height // 2), height // 4, 255, -1)
        frame = rng.integers(0, 60, (height, width, 3), np.uint8)
        frame[..., 2] += (mask // 2) * (rng.random((height, width)) < 0.99)
        cv2.imwrite(str(pair[0]), frame)
        cv2.imwrite(str(pair[1]), mask)


def peak(*words: str) -> float:
    """The peak memory of a command, in MB."""
    command = [sys.executable, "-m", "vosbench", *words, "--quiet"]
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, command, os.environ, file_actions=nowhere)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} failed")
    return usage.ru_maxrss / 1024


def main() -> None:
    """Print a line for each size and number of frames."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", default="100,1000")
    parser.add_argument("--sizes", action="append")
    chosen = parser.parse_args()
    sys.stdout.write("| size | frames | run | score J, F | score T |\n|---|---|---|---|---|\n")
    for size in chosen.sizes or ["854x480"]:
        width, height = map(int, size.split("x"))
        for frames in map(int, chosen.frames.split(",")):
            with tempfile.TemporaryDirectory() as place:
                root, out = Path(place, "long"), Path(place, "out")
                make(root, width, height, frames)
                data = ["--dataset", str(root)]
                run = peak("run", "--plugin", __file__, "--method", "red", *data, "--out", str(out), "--measures", "J")
                (maps,) = (each for each in out.glob("*/*") if each.is_dir())
                found = [
                    peak("score", str(maps), *data, "--jobs", "1", "--no-cache", "--measures", measures)
                    for measures in ("J,F", "T")
                ]
                cells = [size, f"{frames:,}", *(f"{value:.0f} MB" for value in (run, *found))]
                sys.stdout.write(f"| {' | '.join(cells)} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
