"""How sure a mean over videos is, and whether two methods differ on the same videos.

Conventions:
    Videos are the units: values are one per video, its mean over frames. The interval of a mean is the
    bias-corrected and accelerated bootstrap's, the videos drawn with replacement. Two methods are compared by
    their differences video by video: the mean difference, its bootstrap interval, and the p-value of the two-sided
    permutation test that swaps the methods within videos, exact where all 2ⁿ swaps are no more than may be tried.
    The seed is part of the result. The order of videos does not matter.
    Source: Efron, "Better Bootstrap Confidence Intervals", JASA 1987; Phipson and Smyth, "Permutation P-values
    Should Never Be Zero", 2010, whose rule the tried, inexact p-values follow.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import MeasureError

FEWEST = 3
FEWEST_RESAMPLES = 100
EQUAL = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a mean.

    Attributes:
        low: its lower end; None where fewer than three values cannot tell.
        high: its upper end, likewise.
        level: of confidence, in (0, 1).
        resamples: bootstrap samples.
        seed: of the generator.
    """

    low: float | None
    high: float | None
    level: float
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two methods on the same videos.

    Attributes:
        difference: the mean of first minus second.
        interval: of that mean; (0, 0) where both are equal on every video.
        p: of a mean difference at least as far from 0, were the methods interchangeable.
        resamples: swaps that were tried; 2ⁿ where exact.
        exact: whether these were all.
        seed: of the generator.
    """

    difference: float
    interval: Interval
    p: float
    resamples: int
    exact: bool
    seed: int


def mean_interval(values: Sequence[float], level: float = 0.95, resamples: int = 9999, seed: int = 0) -> Interval:
    """Find the bootstrap interval of a mean over videos.

    Args:
        values: one per video.
        level: of confidence, in (0, 1).
        resamples: bootstrap samples, at least 100.
        seed: of the generator, 0 or more.

    Returns:
        The interval. Values that are all equal have one without width; fewer than three have none.

    Raises:
        MeasureError: where a value is not finite, or level, resamples or seed are out of range.

    >>> mean_interval([0.5, 0.5, 0.5])
    Interval(low=0.5, high=0.5, level=0.95, resamples=9999, seed=0)
    """
    _check(level, resamples, seed)
    ordered = np.sort(_finite(values))
    if ordered.size < FEWEST:
        return Interval(None, None, level, resamples, seed)
    if ordered[-1] - ordered[0] <= EQUAL:
        return Interval(float(ordered[0]), float(ordered[-1]), level, resamples, seed)
    from scipy.stats import bootstrap

    found = bootstrap(
        (ordered,),
        np.mean,
        confidence_level=level,
        n_resamples=resamples,
        method="BCa",
        random_state=np.random.default_rng(seed),  # called rng from scipy 1.15 on, which takes both
    ).confidence_interval
    return Interval(float(found.low), float(found.high), level, resamples, seed)


def compare(
    first: Mapping[str, float],
    second: Mapping[str, float],
    level: float = 0.95,
    resamples: int = 9999,
    seed: int = 0,
) -> Comparison:
    """Compare two methods on the same videos.

    Args:
        first: video → value of one method.
        second: video → value of the other.
        level: of the interval's confidence, in (0, 1).
        resamples: bootstrap samples, and the most swaps that are tried; at least 100.
        seed: of the generators, 0 or more.

    Raises:
        MeasureError: where the videos differ or there are none, a value is not finite, or level, resamples or seed
            are out of range.

    >>> same = {"a": 0.5, "b": 0.7}
    >>> found = compare(same, same)
    >>> found.difference, found.interval.low, found.interval.high, found.p
    (0.0, 0.0, 0.0, 1.0)
    """
    _check(level, resamples, seed)
    if first.keys() != second.keys() or not first:
        apart = ", ".join(sorted(first.keys() ^ second.keys())[:4]) or "no videos"
        raise MeasureError(f"a comparison takes two methods on the same videos; only one has: {apart}")
    names = sorted(first)
    differences = _finite([first[name] for name in names]) - _finite([second[name] for name in names])
    swaps = 2 ** len(names)
    exact = swaps <= resamples
    tried = swaps if exact else resamples
    if not differences.any():
        return Comparison(0.0, Interval(0.0, 0.0, level, resamples, seed), 1.0, tried, exact, seed)
    return Comparison(
        difference=math.fsum(differences) / len(names),
        interval=mean_interval(differences.tolist(), level, resamples, seed),
        p=_p_value(differences, resamples, seed),
        resamples=tried,
        exact=exact,
        seed=seed,
    )


def _p_value(differences: NDArray[np.float64], resamples: int, seed: int) -> float:
    """Swapping two methods on a video turns its difference's sign."""
    if differences.size == 1:
        return 1.0  # both swaps are equally far from 0; scipy asks for two values
    from scipy.stats import permutation_test

    tested = permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=resamples,
        alternative="two-sided",
        random_state=np.random.default_rng(seed),
    )
    return float(tested.pvalue)


def _finite(values: Sequence[float]) -> NDArray[np.float64]:
    found = np.array(values, np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise MeasureError("values over videos are finite numbers, one per video; leave out incomplete methods")
    return found


def _check(level: float, resamples: int, seed: int) -> None:
    if not 0 < level < 1:
        raise MeasureError(f"a level of confidence is between 0 and 1, not {level}")
    if resamples < FEWEST_RESAMPLES:
        raise MeasureError(f"{resamples} resamples are too few; take {FEWEST_RESAMPLES} or more")
    if seed < 0:
        raise MeasureError(f"a seed is 0 or more, not {seed}")
