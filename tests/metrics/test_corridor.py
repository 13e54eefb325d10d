"""Contours are aligned in a corridor: every result equals that of the plain alignment, bit for bit."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vosbench
from vosbench.face.options import Listener
from vosbench.metrics import warm
from vosbench.metrics.stability import describe
from vosbench.metrics.stability.alignment import accumulate, align, walk_back
from vosbench.metrics.stability.corridor import align_contours, find_corridor, walk_exactly
from vosbench.metrics.stability.shape_context import (
    BINS,
    Floats,
    compare,
    compare_pair,
    find_limits,
    find_ring,
    normalise,
)
from vosbench.metrics.stability.single import ERROR, UNIT, accumulate_single, compare_single
from vosbench.metrics.stability.ties import BLOCK, search

Cli = Callable[..., subprocess.CompletedProcess[str]]

pytest.importorskip("numba", reason="without Numba, these loops take minutes")


def blob(rng: np.random.Generator, size: int, roughness: float) -> Floats:
    """The histograms of a round shape with noise on its outline."""
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    radius = size / 3 * (1 + 0.2 * np.cos(rng.integers(1, 5) * angles)) + roughness * rng.standard_normal(360)
    y, x = np.mgrid[:size, :size] - size / 2
    mask = np.hypot(y, x) < radius[(np.degrees(np.arctan2(y, x)) % 360).astype(int)]
    shape = describe(mask)
    assert shape is not None
    return shape.histograms


def counted(rng: np.random.Generator, points: int, filled: int, most: int) -> Floats:
    """Histograms of nothing in particular: few bins, and many that are equal."""
    counts = np.zeros((points, BINS), np.int32)
    counts[:, :filled] = rng.integers(0, most, (points, filled))
    counts[:, 0] += 1
    return normalise(counts)


def pair(seed: int, kind: str) -> tuple[Floats, Floats]:
    """Two contours."""
    rng = np.random.default_rng(seed)
    if kind == "rough":
        return blob(rng, 60, 2.0), blob(rng, 70, 2.0)
    if kind == "same but for noise":
        again = np.random.default_rng(seed)
        first = blob(rng, 60, 0.3)
        return first, blob(again, 60, 0.3) if seed % 3 else first
    if kind == "few bins":
        return counted(rng, int(rng.integers(1, 40)), 3, 3), counted(rng, int(rng.integers(1, 40)), 3, 3)
    if kind == "many bins":
        return counted(rng, int(rng.integers(1, 90)), BINS, 9), counted(rng, int(rng.integers(1, 90)), BINS, 9)
    return np.repeat(counted(rng, 1, 5, 4), int(rng.integers(1, 30)), 1), counted(rng, int(rng.integers(1, 30)), 2, 2)


KINDS = ["rough", "same but for noise", "few bins", "many bins", "all points alike"]


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
def test_the_alignment_is_that_of_all_costs(kind: str, seed: int) -> None:
    first, second = pair(seed, kind)
    assert align_contours(first, second) == align(compare(first, second))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
def test_costs(kind: str, seed: int) -> None:
    first, second = pair(seed, kind)
    cost = compare(first, second)
    single = compare_single(np.ascontiguousarray(first.T), second)
    assert single.dtype == np.float32
    assert np.abs(single - cost).max() <= 40 * UNIT + 1e-11  # as derived; `ERROR` is three times as large
    ours, theirs = np.ascontiguousarray(first.T), np.ascontiguousarray(second.T)
    rng, terms = np.random.default_rng(seed), np.empty(BINS)
    for row, column in zip(rng.integers(0, len(cost), 20), rng.integers(0, cost.shape[1], 20), strict=True):
        assert compare_pair(ours[row], theirs[column], terms) == cost[row, column]


@given(mean=st.floats(0.5, 1e4), edge=st.sampled_from([2.0, 1.0, 0.5, 0.25, 0.125]), steps=st.integers(-4, 4))
def test_squares_decide_as_distances_do(mean: float, edge: float, steps: int) -> None:
    square = (edge * mean) ** 2
    for _ in range(abs(steps)):
        square = math.nextafter(square, math.inf if steps > 0 else 0.0)
    ring = int((square < find_limits(mean)).sum())
    assert ring == find_ring(math.sqrt(square) / mean)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32), above=st.integers(0, 99), left=st.integers(0, 99))
def test_the_corridor_contains_the_path_however_costs_round(kind: str, seed: int, above: int, left: int) -> None:
    first, second = pair(seed, kind)
    cost = compare(first, second)
    above, left = above % len(cost), left % cost.shape[1]
    noise = np.random.default_rng(seed).choice([-1.0, 1.0], cost.shape) * ERROR * 0.99
    rounded = np.clip(cost + noise, 0, 1).astype(np.float32)
    corridor = set(map(tuple, find_corridor(accumulate_single(rounded, above, left)).tolist()))
    path, _ = walk_back(accumulate(cost, (above, left)))
    assert set(map(tuple, path.tolist())) <= corridor


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32), above=st.integers(0, 99), left=st.integers(0, 99))
def test_paths_and_ties_in_the_corridor(kind: str, seed: int, above: int, left: int) -> None:
    first, second = pair(seed, kind)
    cost = compare(first, second)
    start = (above % len(cost), left % cost.shape[1])
    histograms = np.ascontiguousarray(first.T), np.ascontiguousarray(second.T)
    corridor = find_corridor(accumulate_single(compare_single(histograms[0], second), *start))
    found, known = np.empty(cost.shape), np.zeros(cost.shape, np.bool_)
    path, tie = walk_exactly(histograms, (found, known), corridor, start)
    plain, first_tie = walk_back(accumulate(cost, start))
    assert (path.tolist(), tie) == (plain.tolist(), first_tie)
    assert np.array_equal(found[known], cost[known])


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
def test_the_search_computes_what_it_needs(kind: str, seed: int) -> None:
    first, second = pair(seed, kind)
    cost = compare(first, second)
    target = (len(cost) - 1, cost.shape[1] - 1)
    start = (seed % len(cost), seed % cost.shape[1])
    blocks = (len(cost), -(-cost.shape[1] // BLOCK))
    shares = np.ascontiguousarray(first.T), second
    found = np.full(cost.shape, np.nan)
    steps = search(found, (*shares, np.zeros(blocks, np.bool_)), start, target)
    assert np.array_equal(steps, search(cost, (*shares, np.ones(blocks, np.bool_)), start, target))
    assert np.array_equal(found[found >= 0], cost[found >= 0])


@given(
    rows=st.integers(1, 13),
    columns=st.integers(1, 13),
    seed=st.integers(0, 2**32),
    place=st.tuples(*[st.integers(0, 99)] * 2),
)
def test_totals_in_single_precision(rows: int, columns: int, seed: int, place: tuple[int, int]) -> None:
    cost = np.random.default_rng(seed).integers(0, 64, (rows, columns)) / 64  # sums are exact
    start = (place[0] % rows, place[1] % columns)
    assert np.array_equal(accumulate_single(cost.astype(np.float32), *start), accumulate(cost, start))


@pytest.mark.slow
def test_what_is_compiled_ahead_is_not_compiled_again(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "compiled"
    check = "from vosbench.metrics.warm import is_needed; print(is_needed())"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    call = [sys.executable, "-c", check]
    assert subprocess.run(call, env=environment, capture_output=True, text=True, check=True).stdout == "True\n"
    assert cli("data", "warm", NUMBA_CACHE_DIR=str(folder)).returncode == 0
    assert subprocess.run(call, env=environment, capture_output=True, text=True, check=True).stdout == "False\n"
    files = sorted(folder.rglob("*.nbc"))
    assert cli("data", "warm", NUMBA_CACHE_DIR=str(folder)).returncode == 0
    assert sorted(folder.rglob("*.nbc")) == files


def test_whoever_waits_is_told_why(toy_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(warm, "is_needed", lambda: True)
    listener = Listener(note=said.append)
    for measures in (("J",), ("J", "T")):
        vosbench.score(toy_root / "masks", toy_root / "masks", measures=measures, listener=listener)
    assert [line[:19] for line in said].count("T is compiled first") == 1
