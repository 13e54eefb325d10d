"""Temporal stability against a plain NumPy form, alternating in this process; the peers' environment is not needed.

Both describe every mask once and compare neighbours. The plain form scores a sample of a submission, two pairs of each
sequence; the compiled one scores the same sample, for the ratio, and the whole submission, for the time per pair.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plain_stability as plain
from environments import Environment
from measured import Amount, Row, Scores, Target
from numpy.typing import NDArray

from vosbench.evaluate import predictions
from vosbench.images import files as images
from vosbench.metrics import stability
from vosbench.registry import load_dataset

Masks = Sequence[NDArray[np.bool_]]
PEERS = ()
MOST_ROUNDS = 3
SUBMISSION = "pdb"
PAIRS = 2


def rows(_peers: Mapping[str, Environment], data: Path, rounds: int) -> Iterator[Row]:
    """Measure the time per pair over the whole submission, and the ratio over a sample.

    Args:
        data: the folder of VOSBENCH_TEST_DATA.
        rounds: number of counted rounds; at most `MOST_ROUNDS`, since the plain form takes minutes.
    """
    videos = load_dataset("davis16").videos(data / "DAVIS", "val")
    found = predictions.find(data / "davis16_results" / f"{SUBMISSION}.zip", videos)
    whole = {v.name: list(found.read(v.name, range(1, len(v) - 1), images.read_mask)) for v in videos}
    sample = {name: masks[len(masks) // 2 :][: PAIRS + 1] for name, masks in whole.items()}
    compiled = {"describe": stability.describe, "compare": stability.instability}
    numpy = {"describe": plain.describe, "compare": lambda a, b: plain.instability(a, b, resolve_ties=False)}
    turn(compiled, sample)  # compile, or load the compiled code
    timings = [(turn(compiled, sample), turn(numpy, sample)) for _ in range(min(rounds, MOST_ROUNDS))]
    ratio = statistics.median(theirs[0] / ours[0] for ours, theirs in timings)
    ours, theirs = timings[-1]
    apart = max(abs(one - other) for one, other in zip(ours[1], theirs[1], strict=True))
    count = len(ours[1])
    yield Row(
        task=f"T, {count} pairs of all 20 sequences, 480p",
        ours=Amount(value=1000 * ours[0] / count, unit="ms per pair"),
        peer="plain NumPy",
        theirs=Amount(value=1000 * theirs[0] / count, unit="ms per pair"),
        measured=Amount(value=ratio, unit="×"),
        target=Target(bound="≥", value=25),
        scores=Scores(what="T", apart=apart, note="the plain form takes the first of tied paths"),
    )
    seconds, values = turn(compiled, whole)
    yield Row(
        task=f"T, a whole DAVIS-2016 val submission, {len(values)} pairs",
        ours=Amount(value=seconds, unit="s"),
        measured=Amount(value=1000 * seconds / len(values), unit="ms per pair"),
        target=Target(bound="≤", value=20),
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
