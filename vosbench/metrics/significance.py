"""Confidence intervals of means over videos, and paired tests of two methods on the same videos.

Conventions:
    Videos are the units: there is one value per video, its mean over frames. The interval of a mean is that of the
    bias-corrected and accelerated bootstrap, which samples videos with replacement. Two methods are compared by
    their differences per video: the mean difference, its bootstrap interval, and the p-value of the two-sided
    permutation test that swaps the methods within videos. The test is exact if there are at most ``resamples``
    swaps, of 2ⁿ. The seed is part of the result. The order of the videos does not matter.
    Source: Efron, "Better Bootstrap Confidence Intervals", JASA 1987; Phipson and Smyth, "Permutation P-values
    Should Never Be Zero", 2010, whose rule is used for p-values of sampled swaps.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import MeasureError

FEWEST = 3
FEWEST_RESAMPLES = 100
FEW = 12
"""Below so many videos, samples often equal the mean, and rounding decides on which side of it they are counted."""
EQUAL = 1e-12  # values this close differ by rounding alone


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a mean.

    Attributes:
        low: its lower end; None for fewer than three values.
        high: its upper end, likewise.
        level: confidence level, in (0, 1).
        resamples: number of bootstrap samples.
        seed: seed of the random generator.
    """

    low: float | None
    high: float | None
    level: float
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of two methods on the same videos.

    Attributes:
        difference: the mean of first minus second.
        interval: of that mean; (0, 0) if both are equal on every video.
        p: probability of a mean difference at least as far from 0 if the methods were interchangeable.
        resamples: number of swaps in the test; 2ⁿ if exact.
        exact: whether the test used all swaps.
        seed: seed of the random generators.
    """

    difference: float
    interval: Interval
    p: float
    resamples: int
    exact: bool
    seed: int


def mean_interval(values: Sequence[float], level: float = 0.95, resamples: int = 9999, seed: int = 0) -> Interval:
    """Compute the bootstrap interval of a mean over videos.

    Args:
        values: one per video.
        level: confidence level, in (0, 1).
        resamples: number of bootstrap samples, at least 100.
        seed: seed of the random generator, 0 or more.

    Returns:
        The interval. Its width is 0 if all values are equal; its ends are None for fewer than three values.

    Raises:
        MeasureError: if a value is not finite, or level, resamples or seed are out of range.

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

    interval = bootstrap(
        (ordered,),
        np.mean,
        confidence_level=level,
        n_resamples=resamples,
        method="BCa",
        random_state=np.random.default_rng(seed),  # called rng since SciPy 1.15, which accepts both
    ).confidence_interval
    return Interval(float(interval.low), float(interval.high), level, resamples, seed)


def mean_intervals(
    columns: NDArray[np.float64], level: float = 0.95, resamples: int = 9999, seed: int = 0
) -> list[tuple[float, float] | None]:
    """The ends of `mean_interval` of many means over as many videos each, computed at once; equal but for rounding.

    Args:
        columns: (n, k) values, a column for each mean.
        level: confidence level, in (0, 1).
        resamples: number of bootstrap samples, at least 100.
        seed: seed of the random generator, 0 or more.

    Returns:
        the ends for each column; None for fewer than three values.

    Raises:
        MeasureError: if a value is not finite, or level, resamples or seed are out of range.

    >>> mean_intervals(np.array([[0.5], [0.5], [0.5]]))
    [(0.5, 0.5)]
    """
    _check(level, resamples, seed)
    count = len(columns)
    if count < FEW:
        each = (mean_interval(column, level, resamples, seed) for column in columns.T.tolist())
        return [None if one.low is None or one.high is None else (one.low, one.high) for one in each]
    if not np.isfinite(columns).all():
        raise MeasureError("every video needs one finite value; leave out incomplete methods")
    from scipy.special import ndtr, ndtri

    ordered = np.sort(columns.T)
    samples = ordered @ _sample_counts(count, resamples, seed).T / count
    found: list[tuple[float, float] | None] = []
    for column, of in zip(ordered, samples, strict=True):
        if column[-1] - column[0] <= EQUAL:
            found.append((float(column[0]), float(column[-1])))
            continue
        apart = column - column.mean()
        bias = ndtri(((of < column.mean()).mean() + (of <= column.mean()).mean()) / 2)
        acceleration = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)  # by the jackknife
        tails = bias + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
        low, high = np.quantile(of, ndtr(bias + tails / (1 - acceleration * tails)))
        found.append((float(low), float(high)))
    return found


@lru_cache(maxsize=4)
def _sample_counts(count: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """(resamples, count) how often each value is in each sample that `mean_interval` takes."""
    drawn = np.random.default_rng(seed).integers(0, count, (resamples, count))
    places = drawn + count * np.arange(resamples)[:, None]
    return np.bincount(places.ravel(), minlength=resamples * count).reshape(resamples, count).astype(np.float64)


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
        level: confidence level of the interval, in (0, 1).
        resamples: number of bootstrap samples, and the largest number of swaps; at least 100.
        seed: seed of the random generators, 0 or more.

    Raises:
        MeasureError: if the videos differ or there are none, a value is not finite, or level, resamples or seed are
            out of range.

    >>> same = {"a": 0.5, "b": 0.7}
    >>> comparison = compare(same, same)
    >>> comparison.difference, comparison.interval.low, comparison.interval.high, comparison.p
    (0.0, 0.0, 0.0, 1.0)
    """
    _check(level, resamples, seed)
    if first.keys() != second.keys() or not first:
        unpaired = ", ".join(sorted(first.keys() ^ second.keys())[:4])
        problem = f"only one has: {unpaired}" if unpaired else "there are none"
        raise MeasureError(f"methods can only be compared on the same videos; {problem}")
    names = sorted(first)
    differences = _finite([first[name] for name in names]) - _finite([second[name] for name in names])
    swaps = 2 ** len(names)
    exact = swaps <= resamples
    tested = swaps if exact else resamples
    if not differences.any():
        return Comparison(0.0, Interval(0.0, 0.0, level, resamples, seed), 1.0, tested, exact, seed)
    return Comparison(
        difference=math.fsum(differences) / len(names),
        interval=mean_interval(differences.tolist(), level, resamples, seed),
        p=_p_value(differences, resamples, seed),
        resamples=tested,
        exact=exact,
        seed=seed,
    )


def holm(values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, by Holm's step-down method.

    The probability of any false rejection stays below the level at which corrected values are rejected, whatever their
    dependence. Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, largest = [0.0] * len(values), 0.0
    for done, at in enumerate(sorted(range(len(values)), key=lambda index: values[index])):
        largest = max(largest, min(1.0, (len(values) - done) * values[at]))
        corrected[at] = largest
    return corrected


def _p_value(differences: NDArray[np.float64], resamples: int, seed: int) -> float:
    """The p-value of the permutation test; swapping the methods on a video flips the sign of its difference."""
    if differences.size == 1:
        return 1.0  # both swaps are equally far from 0; SciPy requires two values
    from scipy.stats import permutation_test

    test = permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=resamples,
        alternative="two-sided",
        random_state=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def _finite(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.array(values, np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise MeasureError("every video needs one finite value; leave out incomplete methods")
    return array


def _check(level: float, resamples: int, seed: int) -> None:
    if not 0 < level < 1:
        raise MeasureError(f"the confidence level must be between 0 and 1, not {level}")
    if resamples < FEWEST_RESAMPLES:
        raise MeasureError(f"resamples must be at least {FEWEST_RESAMPLES}, not {resamples}")
    if seed < 0:
        raise MeasureError(f"the seed must be 0 or more, not {seed}")
