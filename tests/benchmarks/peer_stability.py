"""Temporal stability against a plain NumPy form, alternating in this process; the peers' environment is not needed.

Both describe every mask once and compare neighbours. The plain form scores a sample of a submission, two pairs of each
sequence; the compiled one scores the same sample, for the ratio, and the whole submission, for the time per pair.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plain_stability as plain
from numpy.typing import NDArray
from turns import Row

from vosbench.evaluate import predictions
from vosbench.images import files as images
from vosbench.metrics import stability
from vosbench.registry import load_dataset

Masks = Sequence[NDArray[np.bool_]]
SUBMISSION = "pdb"
PAIRS = 2


def rows(_peer: Path, data: Path, rounds: int) -> Iterator[Row]:
    """Measure the time per pair over the whole submission, and the ratio over a sample.

    Args:
        data: the folder of VOSBENCH_TEST_DATA.
        rounds: number of counted rounds; at most three, since the plain form takes minutes.
    """
    videos = load_dataset("davis16").videos(data / "DAVIS", "val")
    found = predictions.find(data / "davis16_results" / f"{SUBMISSION}.zip", videos)
    whole = {v.name: list(found.read(v.name, range(1, len(v) - 1), images.read_mask)) for v in videos}
    sample = {name: masks[len(masks) // 2 :][: PAIRS + 1] for name, masks in whole.items()}
    compiled = {"describe": stability.describe, "compare": stability.instability}
    numpy = {"describe": plain.describe, "compare": lambda a, b: plain.instability(a, b, resolve_ties=False)}
    turn(compiled, sample)  # compile, or load the compiled code
    timings = [(turn(compiled, sample), turn(numpy, sample)) for _ in range(min(rounds, 3))]
    ratio = statistics.median(theirs[0] / ours[0] for ours, theirs in timings)
    ours, theirs = timings[-1]
    apart = max(abs(one - other) for one, other in zip(ours[1], theirs[1], strict=True))
    count = len(ours[1])
    yield Row(
        task=f"T, {count} pairs of all 20 sequences, 480p",
        ours=f"{1000 * ours[0] / count:.1f} ms per pair",
        peer=f"{1000 * theirs[0] / count:.0f} ms (plain NumPy)",
        measured=f"{ratio:.0f}×",
        target="≥ 25×",
        met=ratio >= 25,
        scores=f"within {apart:.0e}",
    )
    seconds, values = turn(compiled, whole)
    per_pair = 1000 * seconds / len(values)
    yield Row(
        task=f"T, a whole DAVIS-2016 val submission, {len(values)} pairs",
        ours=f"{seconds:.1f} s",
        peer="–",
        measured=f"{per_pair:.1f} ms per pair",
        target="≤ 20 ms",
        met=per_pair <= 20,
        scores="–",
    )


def turn(form: dict[str, Callable[..., Any]], videos: dict[str, Masks]) -> tuple[float, list[float]]:
    """Compute T of all pairs: processor seconds, and the values."""
    start = time.process_time()
    values = []
    for masks in videos.values():
        shapes = [form["describe"](mask) for mask in masks]
        pairs = itertools.pairwise(shapes)
        values += [form["compare"](one, other) for one, other in pairs if one is not None and other is not None]
    return time.process_time() - start, values
