"""Temporal stability against golden values, an independent form and the official leaderboard.

Golden values from Octave are those of the unmodified Matlab tool built with a current library ("gcc5"), stored with
nine decimals; the official ones are older ("gcc4") and come from Matlab, whose last digits differ.
"""

import csv
import importlib.util
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from factories import disk_mask, examples
from vosbench.dataset import Video
from vosbench.errors import MeasureError
from vosbench.evaluate import predictions
from vosbench.images import files as images
from vosbench.metrics.stability import FACTOR, Shape, describe, instability, polygons, temporal_stability
from vosbench.metrics.stability.curves import order_junctions
from vosbench.registry import load_dataset

ORDERS = st.sampled_from(["gcc4", "gcc5"])
MASKS = arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14)))
PAIRS = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)
SUBMISSIONS = ["ags", "andiff", "epo+", "fseg", "osvos", "pdb", "sfls", "tis"]


def load_plain() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "plain_stability.py"
    spec = importlib.util.spec_from_file_location("plain_stability", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plain = load_plain()


def rect(height: int, width: int, *sides: int) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[sides[0] : sides[1], sides[2] : sides[3]] = True
    return mask


def ell(height: int, width: int, row: float, column: float, *axes: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    turn = math.radians(axes[2])
    along = (x - column) * math.cos(turn) + (y - row) * math.sin(turn)
    across = (y - row) * math.cos(turn) - (x - column) * math.sin(turn)
    return (along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1


@pytest.fixture(scope="session")
def golden(reference: Path) -> dict[str, Any]:
    return json.loads((reference / "metrics_reference.json").read_text())["T"]


@pytest.fixture(scope="session")
def videos(real_data: Path) -> dict[str, Video]:
    return {video.name: video for video in load_dataset("davis16").videos(real_data / "DAVIS", "val")}


def annotations(video: Video) -> list[np.ndarray]:
    return [images.read_mask(video.annotations[index], video.codec) for index in range(len(video) - 1)]


def pair_costs(masks: list[np.ndarray], order: str) -> list[float]:
    shapes = [describe(mask, order) for mask in masks]
    return [instability(one, other) if one and other else math.nan for one, other in pairwise(shapes)]


@pytest.mark.parametrize("order", ["gcc4", "gcc5"])
def test_golden_synthetic_pairs(golden: dict[str, Any], order: str) -> None:
    shapes: dict[str, Callable[..., np.ndarray]] = {"disk": disk_mask, "rect": rect, "ell": ell}
    for name, case in golden["synthetic"].items():
        first, second = (eval(case[key], shapes) for key in "ab")
        value = temporal_stability(first, second, order)
        if case["T_matlab"] is None:
            assert value is None, name
            continue
        assert value == pytest.approx(5 * case["T_matlab"], abs=1e-11), name
        described = [describe(mask, order) for mask in (first, second)]
        assert [len(shape.points) for shape in described if shape] == case["n_points"], name


def test_stability_of_a_pair_is_five_times_its_instability() -> None:
    masks = disk_mask(60, 60, 30, 30, 12), ell(60, 60, 30, 30, 20, 10, 30)
    shapes = [describe(mask) for mask in masks]
    assert isinstance(shapes[0], Shape)
    assert isinstance(shapes[1], Shape)
    assert temporal_stability(*masks) == 5 * instability(shapes[0], shapes[1]) > 0


def test_golden_polygons(golden: dict[str, Any]) -> None:
    for name, case in golden["polygons"].items():
        mask = np.array([[pixel == "#" for pixel in row] for row in case["mask_rows"]])
        for key, tolerance in (("polygons_tol3", 1.5), ("polygons_tol0.1", 0.05)):
            outlines = polygons(mask, tolerance)
            assert [polygon.corners.tolist() for polygon in outlines] == case[key], name
        assert [polygon.is_hole for polygon in polygons(mask)] == case["is_hole_tol3"], name


@pytest.mark.fast
@pytest.mark.parametrize("name", ["blackswan", "bmx-trees"])
def test_golden_pairs_of_annotations(golden: dict[str, Any], videos: dict[str, Video], name: str) -> None:
    masks, stored = annotations(videos[name]), golden["gt_pairs"][name]
    assert pair_costs(masks, "gcc5") == pytest.approx(stored["octave"], abs=1e-9)
    assert pair_costs(masks, "gcc4") == pytest.approx(stored["official_matlab"], abs=4e-5)


def sequence_of_annotations(golden: dict[str, Any], video: Video) -> float:
    value = float(5 * np.nanmean(pair_costs(annotations(video), "gcc4")))
    assert value == pytest.approx(golden["official_gt_sequence_T_times5_val"][video.name], rel=1e-4), video.name
    return value


@pytest.mark.fast
def test_official_sequences_of_annotations(golden: dict[str, Any], videos: dict[str, Video]) -> None:
    for name in ("blackswan", "libby", "bmx-trees"):
        sequence_of_annotations(golden, videos[name])


@pytest.mark.fast
@pytest.mark.slow
def test_every_official_sequence_of_annotations(golden: dict[str, Any], videos: dict[str, Video]) -> None:
    values = {name: sequence_of_annotations(golden, video) for name, video in videos.items()}
    stable = [values[name] for name in golden["stable_val_sequences"]]
    assert len(values) == 20
    assert np.mean(stable) == pytest.approx(golden["official_gt_T_mean_stable10"], abs=1e-6)


def official_and_own(real_data: Path, reference: Path, videos: dict[str, Video], name: str) -> tuple[str, float]:
    with (reference / "official_davis16_val.csv").open() as file:
        official = next(row["T"] for row in csv.DictReader(file) if row["method"] == name)
    submission = predictions.find(real_data / "davis16_results" / f"{name}.zip", list(videos.values()))
    values = []
    for video_name, listed in load_dataset("davis16").listing("val").items():
        if listed.stable:
            video = videos[video_name]
            results = submission.read(video_name, range(1, len(video) - 1), images.read_mask)
            masks = [images.read_mask(video.annotations[0], video.codec), *results]
            values.append(5 * np.nanmean(pair_costs(masks, "gcc4")))
    assert len(values) == 10
    return official, float(np.mean(values))


@pytest.mark.fast
def test_official_leaderboard(real_data: Path, reference: Path, videos: dict[str, Video]) -> None:
    official, own = official_and_own(real_data, reference, videos, "sfls")
    assert f"{own:.3f}" == official


@pytest.mark.fast
@pytest.mark.slow
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_whole_official_leaderboard(real_data: Path, reference: Path, videos: dict[str, Video], name: str) -> None:
    official, own = official_and_own(real_data, reference, videos, name)
    assert f"{own:.3f}" == official


@settings(max_examples=examples(60))
@given(PAIRS, ORDERS)
def test_the_plain_form_is_equal(masks: tuple[np.ndarray, np.ndarray], order: str) -> None:
    for mask in masks:
        for tolerance in (1.5, 0.05):
            outlines = [
                ([tuple(corner) for corner in polygon.corners.tolist()], polygon.is_hole)
                for polygon in polygons(mask, tolerance, order)
            ]
            assert outlines == plain.polygons(mask, 2 * tolerance, order)
    value, expected = temporal_stability(*masks, order), plain.temporal_stability(*masks, order)
    assert value == (None if expected is None else pytest.approx(expected, abs=1e-12))


@pytest.mark.fast
def test_the_plain_form_is_equal_on_real_masks(videos: dict[str, Video]) -> None:
    masks = [images.read_mask(videos["kite-surf"].annotations[index], "binary255") for index in (20, 21)]
    assert temporal_stability(*masks) == pytest.approx(plain.temporal_stability(*masks), abs=1e-12)


@pytest.mark.fast
def test_ties_are_resolved_as_in_the_search(golden: dict[str, Any], videos: dict[str, Video]) -> None:
    """Pair 76 of bmx-trees has a tie at which the search does not take the diagonal step."""
    video = videos["bmx-trees"]
    masks = [images.read_mask(video.annotations[index], video.codec) for index in (76, 77)]
    stored = golden["gt_pairs"][video.name]["octave"][76]
    assert temporal_stability(*masks, "gcc5") == pytest.approx(FACTOR * stored, abs=5e-9)
    shapes = [plain.describe(mask, "gcc5") for mask in masks]
    assert plain.instability(*shapes) == pytest.approx(stored, abs=1e-9)
    assert abs(plain.instability(*shapes, resolve_ties=False) - stored) > 1e-6


@given(PAIRS, ORDERS)
def test_range_and_equal_masks(masks: tuple[np.ndarray, np.ndarray], order: str) -> None:
    value = temporal_stability(*masks, order)
    if value is None:
        assert None in [describe(mask, order) for mask in masks]
    else:
        assert isinstance(value, float)
        assert 0 <= value <= FACTOR
        assert temporal_stability(masks[0], masks[0], order) == 0


@given(MASKS, ORDERS, st.integers(0, 40), st.integers(0, 60))
def test_translated_contours(mask: np.ndarray, order: str, rows: int, columns: int) -> None:
    height, width = mask.shape
    moved = np.zeros((56, 76), bool)
    moved[rows : rows + height, columns : columns + width] = mask
    still = [np.add(polygon.corners, (rows, columns)).tolist() for polygon in polygons(mask, 0.05, order)]
    assert [polygon.corners.tolist() for polygon in polygons(moved, 0.05, order)] == still


@settings(max_examples=examples(30))
@given(st.floats(8, 20), st.floats(0.8, 2), st.floats(0, 180), st.integers(-20, 20), st.integers(-30, 30))
def test_translation(radius: float, stretch: float, turn: float, rows: int, columns: int) -> None:
    """Equal except for a few corners, since the tool's rounding decides between points equally far from a line."""
    still = ell(160, 200, 80, 100, radius * stretch, radius, turn), ell(160, 200, 80, 100, radius, radius, 0)
    moved = [np.roll(mask, (rows, columns), (0, 1)) for mask in still]
    assert temporal_stability(*moved) == pytest.approx(temporal_stability(*still), abs=0.2)
    assert temporal_stability(moved[0], still[0]) == pytest.approx(0, abs=0.2)


@given(MASKS, ORDERS)
def test_polygons_enclose_the_mask(mask: np.ndarray, order: str) -> None:
    """If only straight lines are simplified, the areas of contours minus those of holes are the number of pixels."""
    total = 0.0
    for polygon in polygons(mask, 0.05, order):
        (rows, columns), following = polygon.corners[:-1].T, polygon.corners[1:].T
        area = float((following[0] - rows) @ (following[1] + columns)) / 2
        assert (area < 0) == polygon.is_hole
        assert polygon.corners[0].tolist() == polygon.corners[-1].tolist()
        total += area
    assert total == np.count_nonzero(mask)


@pytest.mark.parametrize(
    "mask",
    [np.zeros((6, 7), bool), rect(9, 9, 4, 5, 4, 5), rect(9, 9, 4, 6, 4, 6), np.ones((1, 1), bool)],
    ids=["empty", "one pixel", "two by two", "a frame of one pixel"],
)
def test_masks_without_a_polygon(mask: np.ndarray) -> None:
    assert describe(mask) is None
    assert temporal_stability(mask, mask) is None


def test_full_masks_run_along_the_border() -> None:
    full = np.ones((30, 40), bool)
    (polygon,) = polygons(full)
    assert polygon.corners.tolist() == [[0, 0], [0, 40], [30, 40], [30, 0], [0, 0]]
    assert temporal_stability(full, full) == 0


def test_a_hole_can_be_the_contour() -> None:
    mask = rect(60, 60, 5, 55, 5, 55) & ~disk_mask(60, 60, 30, 30, 15)
    shape, hole = describe(mask), describe(disk_mask(60, 60, 30, 30, 15))
    assert isinstance(shape, Shape)
    assert isinstance(hole, Shape)
    assert len(shape.points) == len(hole.points)
    assert shape.histograms.sum(axis=0) == pytest.approx(1)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 11, 12])
def test_junction_orders(count: int) -> None:
    numbers = list(range(count))
    assert order_junctions(count, "gcc5").tolist() == numbers[::-1]
    prime = count in {2, 3, 11}
    assert order_junctions(count, "gcc4").tolist() == ([count - 1, *numbers[:-1]] if prime else numbers[::-1])


def test_views_and_read_only_arrays() -> None:
    large = np.random.default_rng(0).random((80, 90)) > 0.4
    view = large[::2, ::-2]
    view.flags.writeable = False
    other = np.asfortranarray(disk_mask(*view.shape, 20, 20, 12))
    value = temporal_stability(view, other)
    assert value is not None
    assert value == temporal_stability(np.ascontiguousarray(view), np.ascontiguousarray(other))


@pytest.mark.parametrize(
    ("previous", "current"),
    [
        (np.zeros((2, 3), bool), np.zeros((3, 2), bool)),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), bool)),
        (np.zeros((1, 2, 3), bool), np.zeros((1, 2, 3), bool)),
        (np.zeros((0, 3), bool), np.zeros((0, 3), bool)),
    ],
)
def test_invalid_masks(previous: np.ndarray, current: np.ndarray) -> None:
    with pytest.raises(MeasureError):
        temporal_stability(previous, current)


def test_invalid_mask_or_order() -> None:
    with pytest.raises(MeasureError, match="array of float64"):
        describe(np.zeros((4, 4)))  # type: ignore[arg-type]
    with pytest.raises(MeasureError, match="available: gcc4, gcc5"):
        describe(np.zeros((4, 4), bool), "gcc3")  # type: ignore[arg-type]


def test_equal_without_compiler() -> None:
    code = (
        "import os, sys\n"
        "if os.environ['NUMBA_DISABLE_JIT'] == 'absent':\n"
        "    sys.modules['numba'] = None\n"
        "import numpy as np\n"
        "from vosbench.metrics.stability import polygons, temporal_stability\n"
        "rng = np.random.default_rng(0)\n"
        "masks = [rng.random((12, 12)) < share for share in (0.4, 0.5, 0.6, 0.7)]\n"
        "y, x = np.mgrid[:12, :12]\n"
        "masks += [(y - 6) ** 2 + (x - 5) ** 2 <= radius for radius in (12, 25, 25)]\n"
        "for order in ('gcc4', 'gcc5'):\n"
        "    print([polygon.corners.tolist() for mask in masks for polygon in polygons(mask, 0.05, order)])\n"
        "    print([temporal_stability(a, b, order) for a, b in zip(masks, masks[1:])])\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for disabled in ("0", "1", "absent")
    ]
    assert outputs[0] == outputs[1] == outputs[2]
    assert "0.0" in outputs[0]


@pytest.mark.slow
def test_a_submission_is_as_the_plain_form_has_it(real_data: Path, videos: dict[str, Video]) -> None:
    """Every 40th pair; how much sooner is measured in tests/benchmarks."""
    submission = predictions.find(real_data / "davis16_results" / "pdb.zip", list(videos.values()))
    compared = 0
    for video in videos.values():
        for index in range(1, len(video) - 2, 40):
            previous, current = submission.read(video.name, [index, index + 1], images.read_mask)
            shapes = describe(previous), describe(current)
            if shapes[0] is None or shapes[1] is None:
                continue
            others = plain.describe(previous), plain.describe(current)
            expected = plain.instability(*others, resolve_ties=False)
            assert instability(*shapes) == pytest.approx(expected, abs=1e-3)
            compared += 1
    assert compared > 20
