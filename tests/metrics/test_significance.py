import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, permutation_test

from factories import examples
from vosbench.errors import MeasureError
from vosbench.metrics.significance import Interval, compare, mean_interval, mean_intervals

METHOD = {f"v{index}": value for index, value in enumerate([0.9, 0.7, 0.4, 0.8, 0.65, 0.55, 0.95, 0.3])}
BETTER = {video: value + 0.01 * index for index, (video, value) in enumerate(METHOD.items())}
NUMBERS = st.floats(0, 1).map(lambda value: round(value, 6))


def test_interval_equals_scipy() -> None:
    values = sorted(METHOD.values())
    expected = bootstrap(
        (values,), np.mean, confidence_level=0.9, n_resamples=500, method="BCa", random_state=np.random.default_rng(3)
    ).confidence_interval
    assert mean_interval(values, level=0.9, resamples=500, seed=3) == Interval(
        float(expected.low), float(expected.high), 0.9, 500, 3
    )


def test_interval_depends_on_seed_but_not_on_order() -> None:
    values = list(METHOD.values())
    assert mean_interval(values) == mean_interval(values[::-1])
    assert mean_interval(values).low != mean_interval(values, seed=1).low


def test_interval_of_known_spread() -> None:
    """About ± 1.96 σ / √n for many evenly spaced values, and wider at a higher level."""
    values = np.linspace(0, 1, 400).tolist()
    interval, wide = mean_interval(values), mean_interval(values, level=0.99)
    assert (interval.low, interval.high) == pytest.approx((0.5 - 0.0283, 0.5 + 0.0283), abs=0.002)
    assert wide.low < interval.low < interval.high < wide.high


@settings(max_examples=examples(60))
@given(st.lists(NUMBERS, max_size=12))
def test_interval_is_within_the_values(values: list[float]) -> None:
    interval = mean_interval(values, resamples=200)
    if len(values) < 3:
        assert (interval.low, interval.high) == (None, None)
    else:
        assert type(interval.low) is type(interval.high) is float
        assert min(values) - 1e-12 <= interval.low <= interval.high <= max(values) + 1e-12


@pytest.mark.parametrize("count", [3, 20])
def test_equal_values_have_an_interval_of_width_0(count: int) -> None:
    interval = mean_interval([0.7] * count)
    assert (interval.low, interval.high) == (0.7, 0.7)
    noisy = mean_interval([0.3 - 0.2, 0.5 - 0.4, 0.1])
    assert (noisy.low, noisy.high) == pytest.approx((0.1, 0.1), abs=1e-12)


def test_comparison_equals_scipy() -> None:
    names = sorted(METHOD)
    differences = [BETTER[name] - METHOD[name] for name in names]
    comparison = compare(BETTER, METHOD, resamples=200, seed=5)
    signs = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=200, random_state=np.random.default_rng(5)
    )
    swaps = permutation_test(
        ([BETTER[name] for name in names], [METHOD[name] for name in names]),
        lambda first, second, axis: np.mean(first - second, axis=axis),
        permutation_type="samples",
        vectorized=True,
    )
    assert comparison.difference == pytest.approx(0.035)
    assert comparison.interval == mean_interval(differences, resamples=200, seed=5)
    assert (comparison.exact, comparison.resamples, comparison.seed) == (False, 200, 5)
    assert comparison.p == signs.pvalue
    whole = compare(BETTER, METHOD)
    assert (whole.exact, whole.resamples) == (True, 256)
    assert whole.p == swaps.pvalue == 2 / 128  # seven videos differ, all in one direction; the eighth is equal


@settings(max_examples=examples(60))
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=7))
def test_exact_p_counts_all_swaps(pairs: list[tuple[float, float]]) -> None:
    first = {f"v{index}": pair[0] for index, pair in enumerate(pairs)}
    second = {f"v{index}": pair[1] for index, pair in enumerate(pairs)}
    comparison = compare(first, second, resamples=200)
    differences = [one - other for one, other in pairs]
    far = abs(math.fsum(differences)) - 1e-12
    sums = [
        abs(math.fsum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(pairs))
    ]
    assert comparison.exact
    assert comparison.resamples == len(sums)
    assert comparison.p == pytest.approx(sum(value >= far for value in sums) / len(sums))
    other = compare(second, first, resamples=200)
    assert (other.difference, other.p) == pytest.approx((-comparison.difference, comparison.p))


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_identical_values(count: int) -> None:
    same = {f"v{index}": index / 30 for index in range(count)}
    comparison = compare(same, dict(reversed(same.items())))
    interval = comparison.interval
    assert (comparison.difference, interval.low, interval.high, comparison.p) == (0.0, 0.0, 0.0, 1.0)


def test_one_or_two_videos_are_not_enough() -> None:
    one = compare({"a": 1.0}, {"a": 0.0})
    assert (one.difference, one.interval.low, one.p, one.exact, one.resamples) == (1.0, None, 1.0, True, 2)
    assert compare({"a": 1.0, "b": 1.0}, {"a": 0.0, "b": 0.0}).p == 0.5


def test_a_clear_difference_over_many_videos() -> None:
    rng = np.random.default_rng(0)
    first = {f"v{index}": float(value) for index, value in enumerate(rng.random(50))}
    second = {video: value - 0.05 - 0.01 * (len(video) % 2) for video, value in first.items()}
    comparison = compare(first, second, resamples=999)
    assert comparison.p == 2 / 1000
    assert comparison.interval.low is not None
    assert comparison.interval.low > 0.04


@pytest.mark.parametrize(
    ("first", "second"),
    [({}, {}), ({"a": 1.0}, {"b": 1.0}), ({"a": 1.0, "b": 1.0}, {"a": 1.0}), ({"a": math.nan}, {"a": 1.0})],
)
def test_invalid_comparisons(first: dict[str, float], second: dict[str, float]) -> None:
    with pytest.raises(MeasureError):
        compare(first, second)


@pytest.mark.parametrize(
    "options", [{"level": 0.0}, {"level": 1.0}, {"level": math.nan}, {"resamples": 99}, {"seed": -1}]
)
def test_options_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(MeasureError):
        mean_interval([0.1, 0.2, 0.3], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [[0.1, math.inf, 0.2], [0.1, math.nan], [[0.1, 0.2]], [0.1, None, 0.3]])
def test_invalid_values(values: list[float]) -> None:
    with pytest.raises(MeasureError):
        mean_interval(values)


@pytest.mark.parametrize("count", [2, 3, 11, 12, 20, 126])
def test_intervals_of_many_means_are_those_of_each(count: int) -> None:
    columns = np.random.default_rng(count).random((count, 4))
    columns[:, 1] **= 8
    columns[:, 2] = 0.25
    for column, ends in zip(columns.T, mean_intervals(columns, resamples=999, seed=3), strict=True):
        alone = mean_interval(column.tolist(), resamples=999, seed=3)
        assert (ends or (None, None)) == pytest.approx((alone.low, alone.high), abs=1e-12)


def test_intervals_of_many_means_refuse_what_is_not_finite() -> None:
    with pytest.raises(MeasureError):
        mean_intervals(np.full((20, 1), math.inf))
