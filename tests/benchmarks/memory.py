"""Peak memory of run and score by the number of frames and their size, as a section of `results/benchmarks.md`.

``python tests/benchmarks/memory.py --write`` takes an hour; ``--case 854x480:100`` measures a case; it is repeatable.
Each number is the peak of a process of its own, of one video, whose frames are links to a few files. The method is
`Red` below, which needs no network: what is measured is what vosbench itself holds.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import series
from measured import Section

from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.method import FloatMap, Method, Setup

CASES = ("854x480:100", "854x480:1000", "854x480:10000", "3840x2160:10", "3840x2160:100", "3840x2160:300")
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


def measured(size: str, frames: int) -> list[float | str]:
    """A row."""
    width, height = map(int, size.split("x"))
    with tempfile.TemporaryDirectory() as place:
        root, out = Path(place, "long"), Path(place, "out")
        make(root, width, height, frames)
        data = ["--dataset", str(root)]
        run = peak("run", "--plugin", __file__, "--method", "red", *data, "--out", str(out), "--measures", "J")
        (maps,) = (each for each in out.glob("*/*") if each.is_dir())
        score = ["score", str(maps), *data, "--jobs", "1", "--no-cache", "--measures"]
        return [size, f"{frames:,}", run, peak(*score, "J,F"), peak(*score, "T")]


def section(rows: list[list[float | str]]) -> Section:
    """The section of these rows."""
    columns = {"size": "", "frames": "", "run": "MB", "score of J and F": "MB", "score of T": "MB"}
    return series.figures(
        "Memory by frames and size",
        "tests/benchmarks/memory.py",
        columns,
        rows,
        "peak of the process, of one video; a method without a network, which heeds nothing but the frame",
    )


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", help="size and number of frames, as 854x480:100")
    parser.add_argument("--write", action="store_true", help="replace the section")
    args = parser.parse_args()
    rows = []
    for case in args.case or CASES:
        size, _, frames = case.partition(":")
        rows.append(measured(size, int(frames)))
        sys.stdout.write(" | ".join(map(str, rows[-1])) + "\n")
        sys.stdout.flush()
    if args.write:
        series.replace("memory", section(rows))


if __name__ == "__main__":
    main()
