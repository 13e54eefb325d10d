"""Measure what choices of an evaluation are worth: the table of docs/differences.md.

    python examples/differences.py osvos.zip andiff.zip --root DAVIS
    python examples/differences.py --soft results/davis16/f2net.lite --root DAVIS

Each line scores the same masks of DAVIS-2016 with one choice changed. Numbers are means over the 20 videos of `val`,
over frames 1…N−2 unless the line says otherwise; differences are from the first line.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import vosbench
from vosbench.dataset.selection import Choice, select
from vosbench.evaluate import score as scoring
from vosbench.evaluate.foreground import score_video
from vosbench.images import read_annotation, read_packed
from vosbench.metrics import contour_accuracy, mean, region_similarity
from vosbench.metrics.packed import unpack

Mask = NDArray[np.bool_]
Pair = tuple[Mask, Mask]
SQUARE = (384, 384)
USUAL = "as DAVIS-2016 does"


def square(pair: Pair) -> Pair:
    """Both masks at the size of a network's output."""
    nearest = cv2.INTER_NEAREST
    annotation, prediction = (cv2.resize(mask.astype(np.uint8), SQUARE, interpolation=nearest) for mask in pair)
    return annotation > 0, prediction > 0


def jpeg(level: int) -> Callable[[Pair], Pair]:
    """The prediction as a JPEG image of the usual quality, read above a level."""

    def changed(pair: Pair) -> Pair:
        _, file = cv2.imencode(".jpg", pair[1].astype(np.uint8) * 255, [cv2.IMWRITE_JPEG_QUALITY, 95])
        return pair[0], cv2.imdecode(file, cv2.IMREAD_GRAYSCALE) > level

    return changed


def late(masks: Sequence[Mask]) -> list[Mask]:
    """The masks of the frames before: numbers from 1 read as if they were from 0."""
    return [masks[0], *masks[:-1]]


def videos(path: Path, root: Path) -> Iterator[list[Pair]]:
    """The annotations and the masks of each video."""
    selection = select(vosbench.load_dataset("davis16"), Choice(root=root))
    selection = replace(selection, protocol=selection.protocol.only(["J"]))
    with scoring.measured(score_video, path, selection, jobs=1) as (masks, _):
        for video in selection.videos:
            found = masks.files[video.name]
            read = [unpack(mask) for mask in masks.read(video.name, sorted(found), read_packed)]
            truth = [unpack(read_annotation(video.annotations[t], video.codec)) for t in sorted(found)]
            yield list(zip(truth, read, strict=True))


def both(pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    """J and F of frames."""
    return only_j(pairs)[0], [contour_accuracy(*pair) for pair in pairs]


def only_j(pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    """J of frames."""
    return [region_similarity(*pair) for pair in pairs], []


def lines(pairs: Sequence[Pair]) -> Iterator[tuple[str, tuple[list[float], list[float]]]]:
    """For each choice its name, and J and F of the frames of a video; what is not measured is empty."""
    inner = pairs[1:-1]
    yield USUAL, both(inner)
    yield "all frames", both(pairs)
    shifted = list(zip([a for a, _ in pairs], late([b for _, b in pairs]), strict=True))
    yield "masks one frame late", only_j(shifted[1:-1])
    yield "both at 384×384", both([square(pair) for pair in inner])
    for level in (0, 127):
        yield f"JPEG of quality 95, read above {level}", only_j([jpeg(level)(pair) for pair in inner])
    for tolerance in (3, 0.004, 0.016):
        said = f"F within {tolerance} pixels" if tolerance >= 1 else f"F within {tolerance} of the diagonal"
        yield said, ([], [contour_accuracy(*pair, tolerance) for pair in inner])


def soft(paths: Sequence[Path], root: Path) -> Iterator[str]:
    """J of soft maps at several levels, a line each."""
    usual = next(each for each in vosbench.load_dataset("davis16").protocols if each.name == "davis16")
    for path in paths:
        yield path.name
        for level in (0, 63, 127, 191):
            protocol = replace(usual, name=f"above-{level}", measures=("J",), maps_above=level)
            found = vosbench.score(path, dataset="davis16", root=root, protocol=protocol, codec="map")
            yield f"  maps above {level:3} of 255  J {found.scores['J_mean']:.4f}"


def choices(paths: Sequence[Path], root: Path) -> Iterator[str]:
    """J and F of masks under each choice, a line each."""
    for path in paths:
        found: dict[str, list[tuple[list[float], list[float]]]] = {}
        for pairs in videos(path, root):
            for name, values in lines(pairs):
                found.setdefault(name, []).append(values)
        alike = tuple(list(chain.from_iterable(of[at] for of in found[USUAL])) for at in (0, 1))
        found["mean over all frames alike"] = [alike]
        first: dict[int, float] = {}
        yield path.name
        for name, values in found.items():
            shown = []
            for at, measure in enumerate("JF"):
                of_videos = [value for of in values if (value := mean(of[at])) is not None]
                if of_videos:
                    value = sum(of_videos) / len(of_videos)
                    shown.append(f"{measure} {value:.4f} {value - first.setdefault(at, value):+.4f}")
            yield f"  {name:38} {'  '.join(shown)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("masks", nargs="+", type=Path)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--soft", action="store_true", help="The masks are soft maps; only the level matters.")
    words = parser.parse_args()
    for line in (soft if words.soft else choices)(words.masks, words.root):
        print(line, flush=True)  # noqa: T201 - a script
