import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from factories import examples
from vosbench.errors import MeasureError
from vosbench.metrics import contour_accuracy, region_similarity
from vosbench.metrics.boundary import boundary_map, match_boundaries, radius

MASKS = st.tuples(st.integers(1, 24), st.integers(1, 24)).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)


def slow_boundary(mask: np.ndarray) -> np.ndarray:
    """Pixel by pixel, as in the definition."""
    height, width = mask.shape
    boundary = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            right = x + 1 < width and mask[y, x] != mask[y, x + 1]
            down = y + 1 < height and mask[y, x] != mask[y + 1, x]
            both = x + 1 < width and y + 1 < height and mask[y, x] != mask[y + 1, x + 1]
            boundary[y, x] = right or down or both
    return boundary


def slow_contour_accuracy(annotation: np.ndarray, prediction: np.ndarray, reach: int) -> float:
    """By distance transforms on the whole frame."""
    bounds = [slow_boundary(annotation), slow_boundary(prediction)]
    counts = [int(bound.sum()) for bound in bounds]
    if not all(counts):
        return float(counts[0] == counts[1])
    recall = int((bounds[0] & (distance_transform_edt(~bounds[1]) <= reach)).sum()) / counts[0]
    precision = int((bounds[1] & (distance_transform_edt(~bounds[0]) <= reach)).sum()) / counts[1]
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@given(MASKS, st.sampled_from([0.008, 0.05, 1, 3]))
def test_contour_accuracy_equals_the_slow_form(masks: tuple[np.ndarray, np.ndarray], tolerance: float) -> None:
    annotation, prediction = masks
    expected = slow_contour_accuracy(annotation, prediction, radius(annotation.shape, tolerance))
    assert contour_accuracy(annotation, prediction, tolerance) == expected


@given(MASKS)
def test_range_and_symmetry(masks: tuple[np.ndarray, np.ndarray]) -> None:
    for measure in (region_similarity, contour_accuracy):
        value = measure(*masks)
        assert 0 <= value <= 1
        assert value == measure(*masks[::-1])
        assert measure(masks[0], masks[0]) == 1.0


def test_golden_edge_cases(reference: Path) -> None:
    golden = json.loads((reference / "metrics_reference.json").read_text())["edge_cases_12x16"]["cases"]
    empty = np.zeros((12, 16), bool)
    square, corner, pixel = empty.copy(), empty.copy(), empty.copy()
    square[3:7, 4:9] = True
    corner[-3:, -4:] = True
    pixel[5, 5] = True
    pairs = {
        "empty_empty": (empty, empty),
        "empty_gt": (empty, square),
        "empty_pred": (square, empty),
        "full_full": (~empty, ~empty),
        "full_gt_vs_q": (~empty, square),
        "q_vs_full": (square, ~empty),
        "q_q": (square, square),
        "corner": (corner, square),
        "pixel_vs_empty": (pixel, empty),
        "empty_vs_full": (empty, ~empty),
    }
    assert set(pairs) == set(golden)
    for name, (annotation, prediction) in pairs.items():
        assert region_similarity(annotation, prediction) == pytest.approx(golden[name]["J"], abs=1e-12), name
        assert contour_accuracy(annotation, prediction) == pytest.approx(golden[name]["F"], abs=1e-12), name


def test_the_image_border_is_not_a_boundary() -> None:
    full = np.ones((12, 16), bool)
    assert not boundary_map(full).any()
    assert contour_accuracy(np.zeros((12, 16), bool), full) == 1.0


def test_one_pixel_has_four_boundary_pixels() -> None:
    mask = np.zeros((5, 5), bool)
    mask[2, 2] = True
    assert boundary_map(mask).sum() == 4


def test_radius() -> None:
    assert [radius(shape) for shape in ((480, 854), (360, 480), (720, 1280), (1080, 1920), (12, 16))] == [
        8,
        5,
        12,
        18,
        1,
    ]


@pytest.mark.parametrize("measure", [region_similarity, contour_accuracy])
@pytest.mark.parametrize(
    ("annotation", "prediction"),
    [
        (np.zeros((2, 3), bool), np.zeros((3, 2), bool)),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), bool)),
        (np.zeros((2, 3), bool), np.full((2, 3), math.nan)),
        (np.zeros((1, 2, 3), bool), np.zeros((1, 2, 3), bool)),
        (np.zeros((0, 3), bool), np.zeros((0, 3), bool)),
    ],
)
def test_invalid_masks(measure: object, annotation: np.ndarray, prediction: np.ndarray) -> None:
    with pytest.raises(MeasureError):
        measure(annotation, prediction)  # type: ignore[operator]


def test_views_and_read_only_arrays() -> None:
    rng = np.random.default_rng(0)
    large = rng.random((60, 80)) > 0.5
    view = large[::2, ::-2]
    view.flags.writeable = False
    plain = np.ascontiguousarray(view)
    other = np.asfortranarray(rng.random(plain.shape) > 0.5)
    assert contour_accuracy(view, other) == contour_accuracy(plain, np.ascontiguousarray(other))
    assert region_similarity(view, other) == region_similarity(plain, other)


@settings(max_examples=examples(20))
@given(MASKS, st.integers(0, 70), st.integers(0, 70))
def test_translation(masks: tuple[np.ndarray, np.ndarray], rows: int, columns: int) -> None:
    placed = [np.zeros((120, 130), bool) for _ in range(4)]
    height, width = masks[0].shape
    for target, mask in zip(placed[:2], masks, strict=True):
        target[1 : height + 1, 1 : width + 1] = mask
    for target, mask in zip(placed[2:], masks, strict=True):
        target[1 + rows : height + rows + 1, 1 + columns : width + columns + 1] = mask
    assert contour_accuracy(*placed[:2]) == contour_accuracy(*placed[2:])


def test_whole_frame_form_is_equal(real_data: Path) -> None:
    """Every tenth real pair; the slow test compares all."""
    compare_whole_frames(real_data, step=10)


@pytest.mark.slow
def test_whole_frame_form_is_equal_on_every_real_pair(real_data: Path) -> None:
    compare_whole_frames(real_data, step=1)


def compare_whole_frames(real_data: Path, step: int) -> None:
    from vosbench.evaluate import predictions
    from vosbench.images import files as images
    from vosbench.registry import load_dataset

    videos = load_dataset("davis16").videos(real_data / "DAVIS", "val")
    submission = predictions.find(real_data / "davis16_results" / "pdb.zip", videos)
    for video in videos:
        indices = list(range(0, len(video), step))
        for index, prediction in zip(indices, submission.read(video.name, indices, images.read_mask), strict=True):
            annotation = images.read_mask(video.annotations[index], video.codec)
            whole = match_boundaries(boundary_map(annotation), boundary_map(prediction), radius(annotation.shape))
            assert contour_accuracy(annotation, prediction) == whole
