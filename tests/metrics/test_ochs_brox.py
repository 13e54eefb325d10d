import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vosbench.errors import MeasureError
from vosbench.images.files import read_pixels
from vosbench.metrics.ochs_brox import ObjectScores, Overlap, dataset_objects

FRAMES = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: st.lists(
        st.tuples(
            arrays(np.uint8, shape, elements=st.integers(0, 4)), arrays(np.int16, shape, elements=st.integers(-1, 4))
        ),
        min_size=1,
        max_size=3,
    )
)
Frames = list[tuple[np.ndarray, np.ndarray]]


def score(frames: Frames, threshold: float = 0.75) -> ObjectScores:
    overlap = Overlap()
    for regions, clusters in frames:
        overlap.add(regions, clusters)
    return overlap.result(threshold)


def every_sum(frames: Frames) -> list[float]:
    """The sum of F for every way to pair regions with clusters."""
    regions = np.concatenate([region.ravel() for region, _ in frames])
    clusters = np.concatenate([cluster.ravel() for _, cluster in frames])
    f = {}
    for g, c in itertools.product(set(regions.tolist()), {c for c in clusters.tolist() if c >= 0}):
        shared = ((regions == g) & (clusters == c)).sum()
        f[g, c] = 2 * shared / ((clusters == c).sum() + ((regions == g) & (clusters >= 0)).sum())
    ours, theirs = sorted({g for g, _ in f}), sorted({c for _, c in f})
    if len(ours) <= len(theirs):
        ways = [list(zip(ours, order, strict=True)) for order in itertools.permutations(theirs, len(ours))]
    else:
        ways = [list(zip(order, theirs, strict=True)) for order in itertools.permutations(ours, len(theirs))]
    return [float(sum(f[pair] for pair in way)) for way in ways]


def test_by_hand() -> None:
    """The background has 6 pixels, the objects 4 and 2; one cluster covers object 1 and a background pixel."""
    regions = np.array([[0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 2, 2]])
    clusters = np.array([[5, 5, 5, 5, 5, 9], [9, 9, 9, 9, 5, 5]])
    scores = score([(regions, clusters)])
    background, first, second = scores.regions
    assert (background.region, background.cluster, first.region, first.cluster) == (0, 5, 1, 9)
    assert (background.precision, background.recall) == pytest.approx((5 / 7, 5 / 6))
    assert (first.precision, first.recall) == (4 / 5, 1.0)
    assert (second.cluster, second.precision, second.recall, second.f) == (None, 1.0, 0.0, 0.0)
    precision, recall = (5 / 7 + 4 / 5 + 1) / 3, (5 / 6 + 1) / 3
    assert (scores.precision, scores.recall) == pytest.approx((precision, recall))
    assert scores.f == pytest.approx(2 * precision * recall / (precision + recall))
    assert (scores.extracted, scores.visible, scores.density) == (1, 2, 1.0)
    assert score([(regions, clusters)], threshold=8 / 9).extracted == 0


def test_all_frames_of_a_shot_count_together() -> None:
    """Objects whose clusters are swapped between frames cannot be separated."""
    halves = np.array([[1, 1, 2, 2]])
    assert score([(halves, halves)]).f == 1.0
    swapped = score([(halves, halves), (halves, 3 - halves)])
    assert (swapped.precision, swapped.recall, swapped.f) == (0.5, 0.5, 0.5)


def test_a_region_without_overlap_has_no_precision() -> None:
    """A cluster that covers most pixels leaves the other region a cluster without overlap."""
    scores = score([(np.array([[0, 0, 0, 1]]), np.array([[0, 7, 7, 7]]))])
    assert [(region.precision, region.recall) for region in scores.regions] == [(1.0, 1 / 3), (1 / 3, 1.0)]
    scores = score([(np.array([[0, 0, 0, 1]]), np.array([[3, 3, 7, -1]]))])
    assert [(region.cluster, region.precision, region.recall) for region in scores.regions] == [
        (3, 1.0, 2 / 3),
        (7, 0.0, 0.0),
    ]


def test_pixels_without_a_cluster_only_lower_density() -> None:
    scores = score([(np.array([[0, 0, 1, 1]]), np.array([[0, -1, 1, -7]]))])
    assert (scores.precision, scores.recall, scores.f, scores.density) == (1.0, 1.0, 1.0, 0.5)


def test_no_clusters() -> None:
    scores = score([(np.array([[0, 1]]), np.array([[-1, -1]]))])
    assert (scores.precision, scores.recall, scores.f, scores.extracted, scores.density) == (1.0, 0.0, 0.0, 0, 0.0)
    assert [region.cluster for region in scores.regions] == [None, None]


@given(FRAMES)
def test_pairing_is_the_best(frames: Frames) -> None:
    scores = score(frames)
    assert sum(region.f for region in scores.regions) == pytest.approx(max(every_sum(frames), default=0.0))
    assert len({region.cluster for region in scores.regions} - {None}) == sum(
        region.cluster is not None for region in scores.regions
    )
    for value in (scores.precision, scores.recall, scores.f, scores.density):
        assert type(value) is float
        assert 0 <= value <= 1
    assert 0 <= scores.extracted <= scores.visible


@given(FRAMES, st.permutations(range(5)))
def test_perfect_clusters_have_f_1_whatever_their_numbers(frames: Frames, numbers: list[int]) -> None:
    scores = score([(regions, np.array(numbers)[regions] * 1000) for regions, _ in frames])
    assert (scores.precision, scores.recall, scores.f) == (1.0, 1.0, 1.0)
    assert scores.extracted == scores.visible == len(np.unique([region for region, _ in frames])) - 1


@given(FRAMES, st.permutations(range(5)))
def test_cluster_numbers_do_not_matter(frames: Frames, numbers: list[int]) -> None:
    renamed = np.array([*numbers, -1])
    plain, other = score(frames), score([(renamed[regions], renamed[clusters]) for regions, clusters in frames])
    f, other_f = sorted(region.f for region in plain.regions), sorted(region.f for region in other.regions)
    assert sum(f) == pytest.approx(sum(other_f))
    assert plain.density == pytest.approx(other.density)


def test_the_f_of_a_dataset_is_not_the_mean_f() -> None:
    shots = [
        score([(np.array([[0, 1]]), np.array([[0, 1]]))]),
        score([(np.array([[0, 0, 1, 1]]), np.array([[4, 4, 4, 4]]))]),
    ]
    assert (shots[1].precision, shots[1].recall) == (0.75, 0.5)
    dataset = dataset_objects(shots)
    assert (dataset.precision, dataset.recall, dataset.visible, dataset.extracted) == (0.875, 0.75, 2, 1)
    assert dataset.f == 2 * 0.875 * 0.75 / 1.625
    assert dataset.f != (shots[0].f + shots[1].f) / 2


@pytest.mark.parametrize(
    ("regions", "clusters"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int)),
        (np.zeros((2, 3)), np.zeros((2, 3), int)),
        (np.zeros((2, 3), int), np.zeros((2, 3), bool)),
        (np.zeros((2, 3, 3), int), np.zeros((2, 3, 3), int)),
        (np.zeros((0, 3), int), np.zeros((0, 3), int)),
        (np.full((2, 3), -1), np.zeros((2, 3), int)),
        (np.zeros((2, 3), int), np.full((2, 3), 2**31)),
    ],
)
def test_invalid_label_maps(regions: np.ndarray, clusters: np.ndarray) -> None:
    with pytest.raises(MeasureError):
        Overlap().add(regions, clusters)


def test_no_frames_have_no_score() -> None:
    with pytest.raises(MeasureError, match="no labelled frame"):
        Overlap().result()
    with pytest.raises(MeasureError, match="no shot"):
        dataset_objects([])


def fbms_regions(folder: Path) -> list[np.ndarray]:
    """Label maps of one shot: grey values are kept, colours become one number."""
    paths = sorted(folder.glob("*_gt.ppm")) or sorted(folder.glob("*.pgm"))
    images = [read_pixels(path, path.name)[0].astype(np.int64) for path in paths]
    return [pixels if pixels.ndim == 2 else pixels @ np.array([65536, 256, 1]) for pixels in images]


def test_perfect_clusters_on_real_regions(real_data: Path) -> None:
    folders = sorted((real_data / "FBMS").glob("*/*/GroundTruth"))
    shots = []
    for folder in folders:
        regions = fbms_regions(folder)
        numbers = np.unique([number for frame in regions for number in np.unique(frame)])
        scores = score([(frame, numbers[-1] - frame) for frame in regions])
        assert scores.f == 1.0, folder
        assert scores.extracted == scores.visible == len(numbers) - 1
        merged = score([(frame, (frame != frame[0, 0]).astype(np.uint8)) for frame in regions])
        assert merged.f < 1 or len(numbers) == 2
        shots.append(scores)
    assert len(shots) == 6
    assert dataset_objects(shots).visible == 15
