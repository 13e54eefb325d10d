"""Saliency measures against other tools (`tests/reference/saliency_peers.py`), golden values and slow forms."""

import json
import math
import os
import pickle
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from factories import examples
from vosbench.errors import MeasureError, UsageError
from vosbench.images import read_mask
from vosbench.metrics import saliency
from vosbench.metrics.measures import SALIENCY
from vosbench.metrics.saliency.histogram import Scale
from vosbench.metrics.saliency.structure import centroid

REFERENCE = Path(__file__).parents[1] / "reference"
PEERS = json.loads((REFERENCE / "saliency_peers.json").read_text("utf-8"))
FIXTURES = runpy.run_path(str(REFERENCE / "saliency_fixtures.py"))
VIDEOS, CASES = FIXTURES["videos"](), FIXTURES["cases"]()
LEVELS = PEERS["sampled levels"]
CURVES = ("precision", "recall", "f_measure", "e_measure")
PYSOD = saliency.convention("pysod")

FRAMES = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(arrays(np.uint8, shape), arrays(np.bool_, shape))
)
NAMES = st.sampled_from(sorted(saliency.CONVENTIONS))


def accumulated(name: str, videos: dict[str, list[Any]]) -> saliency.Accumulator:
    convention = saliency.convention(name)
    averages = saliency.Accumulator(convention)
    for video, frames in videos.items():
        for levels, annotation in frames:
            averages.add(video, saliency.measure_frame(levels, annotation, convention))
    return averages


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_frame_equals_the_peer(case: str) -> None:
    frame, peer = saliency.measure_frame(*CASES[case], PYSOD), PEERS["cases"][case]
    for name, value in frame.values.items():
        assert value == pytest.approx(peer[name], abs=1e-12), name
    for name in CURVES:
        assert getattr(frame, name)[LEVELS].tolist() == pytest.approx(peer[name], abs=1e-12), name
    assert frame.f_measure is not None
    assert frame.e_measure is not None
    for letter, curve in (("F", frame.f_measure), ("E", frame.e_measure)):
        assert curve.max() == pytest.approx(peer[f"max{letter}"], abs=1e-12)
        assert curve.mean() == pytest.approx(peer[f"mean{letter}"], abs=1e-12)


@pytest.mark.parametrize("name", sorted(PEERS["datasets"]))
def test_a_dataset_equals_the_peer(name: str) -> None:
    averages, peer = accumulated(name, VIDEOS), PEERS["datasets"][name]
    result = averages.result()
    shared = result.keys() & peer.keys()
    assert shared >= ({"MAE", "maxF"} if name != "f-of-mean-pr" else {"adpF", "maxF", "meanF"})
    for measure in shared:
        assert result[measure] == pytest.approx(peer[measure], abs=1e-12), measure
    thresholds, precision, recall = averages.pr()
    assert thresholds[[0, 51, 255]].tolist() == [0.0, 0.2, 1.0]
    assert precision[LEVELS].tolist() == pytest.approx(peer["precision"], abs=1e-12)
    assert recall[LEVELS].tolist() == pytest.approx(peer["recall"], abs=1e-12)


def test_dice_and_overlap_at_every_threshold() -> None:
    """As sums over pixels; the maximum and the mean are those of the curve of all frames of a video, then of videos."""
    result, curves = accumulated("slt-net", VIDEOS).result(), {"Dice": [], "IoU": []}
    for frames in VIDEOS.values():
        of_video = {"Dice": np.zeros(256), "IoU": np.zeros(256)}
        for levels, annotation in frames:
            stretched = levels.astype(np.int64)
            low, high = int(stretched.min()), int(stretched.max())
            top = high - low if high > low else np.iinfo(levels.dtype).max
            stretched -= low if high > low else 0
            for k in range(256):
                mask = 255 * stretched >= k * top
                both = np.count_nonzero(mask & annotation)
                of_video["Dice"][k] += 2 * both / max(np.count_nonzero(mask) + np.count_nonzero(annotation), 1)
                of_video["IoU"][k] += both / max(np.count_nonzero(mask | annotation), 1)
        for name, curve in of_video.items():
            curves[name].append(curve / len(frames))
    for name, means in curves.items():
        curve = np.mean(means, axis=0)
        assert result[f"max{name}"] == pytest.approx(curve.max(), abs=1e-12)
        assert result[f"mean{name}"] == pytest.approx(curve.mean(), abs=1e-12)
        assert 0 < curve.mean() < curve.max() < 1


def test_slt_net_compares_e_with_equality() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    annotation = levels > 99
    one, other = (
        saliency.measure_frame(levels, annotation, saliency.convention(name), ["maxE"]).e_measure
        for name in ("slt-net", "davsod")
    )
    assert one is not None
    assert other is not None
    assert one[1:].tolist() == other[:-1].tolist()
    assert (int(one.argmax()), int(other.argmax())) == (100, 99)


def test_conventions_disagree_on_the_same_maps() -> None:
    best = {name: accumulated(name, VIDEOS).result()["maxF"] for name in saliency.CONVENTIONS}
    assert len({round(value or 0.0, 6) for value in best.values()}) == 4


def test_golden_rates(reference: Path) -> None:
    """Counts reconstructed from the golden rates at five levels give the same rates and F."""
    golden = json.loads((reference / "metrics_reference.json").read_text())["saliency"]["sequences"]
    size = 120 * 214
    for sequence in golden.values():
        known = sequence["first_frame"]
        annotated = round(known["P_at_level"]["0"] * size)
        levels, annotation = np.zeros(size, np.uint8), np.arange(size) < annotated
        for level in ("64", "128", "192", "255"):
            true = round(known["R_at_level"][level] * annotated)
            selected = round(true / known["P_at_level"][level]) if true else 1
            levels[:true] = int(level)
            levels[annotated : annotated + selected - true] = int(level)
        frame = saliency.measure_frame(levels.reshape(120, 214), annotation.reshape(120, 214), PYSOD, ["maxF"])
        for letter, curve in (("P", frame.precision), ("R", frame.recall), ("F", frame.f_measure)):
            assert curve is not None
            for level, value in known[f"{letter}_at_level"].items():
                assert curve[int(level)] == pytest.approx(value, abs=1e-12), (letter, level)


@pytest.mark.parametrize(
    ("name", "tool", "mean_f", "error"),
    [
        ("davsod", "matlab", ("davsod_seqmean_matlab", "meanF"), "MAE_seqmean"),
        ("davsod", "pysod", ("seqmean_pysod", "meanF"), "MAE_seqmean"),
        ("pysod", "pysod", ("framemean_pysod", "meanF"), "MAE_framemean"),
    ],
)
def test_golden_averages(reference: Path, name: str, tool: str, mean_f: tuple[str, str], error: str) -> None:
    """Means per sequence are averaged over videos or over frames."""
    golden = json.loads((reference / "metrics_reference.json").read_text())["saliency"]
    averages = saliency.Accumulator(saliency.convention(name), ["MAE", "meanF"])
    for video, sequence in golden["sequences"].items():
        values, curve = sequence[tool], np.full(256, sequence[tool]["meanF"])
        frame = saliency.SaliencyFrame(values={"MAE": values["MAE"]}, pixels=25680, annotated=1, f_measure=curve)
        for _ in range(sequence["n"]):
            averages.add(video, frame)
    result = averages.result()
    assert result["meanF"] == pytest.approx(golden["dataset"][mean_f[0]][mean_f[1]], abs=1e-12)
    assert result["MAE"] == pytest.approx(golden["dataset"][error], abs=1e-12)


@given(FRAMES, NAMES)
def test_ranges(frame: tuple[np.ndarray, np.ndarray], name: str) -> None:
    """Also excludes NaN, which is in no range."""
    convention = saliency.convention(name)
    measured = saliency.measure_frame(*frame, convention)
    pixels = frame[0].size
    for measure, value in measured.values.items():
        assert type(value) is float
        assert 0 <= value <= (pixels / max(pixels - 1, 1) if measure == "adpE" else 1) + 1e-12, measure
    for curve in (measured.precision, measured.recall, measured.f_measure):
        assert curve is not None
        assert (curve >= 0).all()
        assert (curve <= 1).all()
    if measured.e_measure is not None:
        assert (measured.e_measure >= 0).all()
        assert (measured.e_measure <= pixels / max(pixels - 1, 1) + 1e-12).all()
    averages = saliency.Accumulator(convention)
    averages.add("v", measured)
    assert list(averages.result()) == list(convention.measures)
    assert all(type(value) is float and math.isfinite(value) for value in averages.result().values())


def slow(levels: np.ndarray, annotation: np.ndarray, threshold: int) -> dict[str, float]:
    """Precision, recall, F and E of a map that spans 0…255 at a level, pixel by pixel as defined in the papers."""
    selected = levels >= threshold
    true = int((selected & annotation).sum())
    precision = true / int(selected.sum()) if true else 0.0
    recall = true / int(annotation.sum()) if true else 0.0
    f_measure = 1.3 * precision * recall / (0.3 * precision + recall) if true else 0.0
    enhanced = np.where(annotation.any(), selected, ~selected).astype(float)
    if annotation.any() and not annotation.all():
        truth, prediction = annotation - annotation.mean(), selected - selected.mean()
        enhanced = (1 + 2 * truth * prediction / (truth**2 + prediction**2 + np.spacing(1))) ** 2 / 4
    e_measure = float(enhanced.sum()) / max(annotation.size - 1, 1)
    return {"precision": precision, "recall": recall, "f_measure": f_measure, "e_measure": e_measure}


@given(FRAMES, st.integers(0, 255))
def test_curves_equal_the_slow_form(frame: tuple[np.ndarray, np.ndarray], threshold: int) -> None:
    raw = saliency.Convention(name="raw", normalise="none")
    measured = saliency.measure_frame(*frame, raw, ["maxF", "maxE", "MAE"])
    for name, value in slow(*frame, threshold).items():
        assert getattr(measured, name)[threshold] == pytest.approx(value, abs=1e-12), name
    assert measured.values["MAE"] == pytest.approx(np.abs(frame[0] / 255 - frame[1]).mean(), abs=1e-12)


@given(FRAMES)
def test_strict_comparison_is_one_level_higher(frame: tuple[np.ndarray, np.ndarray]) -> None:
    loose, strict = (
        saliency.measure_frame(*frame, saliency.Convention(name="raw", normalise="none", alignment=sign), ["maxE"])
        for sign in (">=", ">")
    )
    assert loose.e_measure is not None
    assert strict.e_measure is not None
    assert strict.e_measure[:-1].tolist() == loose.e_measure[1:].tolist()


@given(arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30))), NAMES)
def test_a_perfect_map(annotation: np.ndarray, name: str) -> None:
    convention = saliency.convention(name)
    measured = saliency.measure_frame(annotation * np.uint8(255), annotation, convention)
    assert measured.values["MAE"] == 0.0
    empty = not annotation.any()
    perfect = {"adpF": float(not empty), "wF": float(not empty), "S": 1.0}
    for measure in perfect.keys() & measured.values.keys():
        assert measured.values[measure] == pytest.approx(perfect[measure], abs=1e-6), measure
    averages = saliency.Accumulator(convention)
    averages.add("v", measured)
    result = averages.result()
    assert result["maxF"] == float(not empty)
    if "maxE" in result:
        assert result["maxE"] == pytest.approx(annotation.size / max(annotation.size - 1, 1))


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("share", [0, 6, 12])
def test_constant_maps_are_not_stretched(level: int, share: int) -> None:
    annotation = (np.arange(12) < share).reshape(3, 4)
    values = saliency.measure_frame(np.full((3, 4), level, np.uint8), annotation, PYSOD).values
    value = level / 255
    assert values["MAE"] == pytest.approx((share * (1 - value) + (12 - share) * value) / 12)
    if share in {0, 12}:
        assert values["S"] == pytest.approx(value if share else 1 - value)


@pytest.mark.parametrize("name", sorted(saliency.CONVENTIONS))
@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("inside", [True, False])
def test_one_pixel(name: str, level: int, inside: bool) -> None:  # noqa: FBT001
    averages = accumulated(name, {"v": [(np.array([[level]], np.uint8), np.array([[inside]]))]})
    result = averages.result()
    assert result["MAE"] == pytest.approx(abs(level / 255 - inside))
    assert result["maxF"] == float(inside)
    assert all(value is not None and 0 <= value <= 1 for value in result.values())


def test_half_a_pixel() -> None:
    """Columns 20 and 21, rows 10…13: the centroid is at 11.5, 20.5."""
    annotation = CASES["centroid on half pixels"][1]
    assert centroid(annotation, "half-up") == (12, 21)
    assert centroid(annotation, "half-even") == (12, 20)


def test_views_read_only_arrays_and_floats() -> None:
    levels, annotation = CASES["texture"]
    plain = saliency.measure_frame(levels, annotation, PYSOD)
    wide = np.zeros((60, 88), np.uint8)
    view = wide[::-2, ::2]
    view[:] = levels
    view.flags.writeable = False
    for other in (view, np.asfortranarray(levels), levels / 255, (levels / 255).astype(np.float32)):
        original = other.copy()
        measured = saliency.measure_frame(other, np.asfortranarray(annotation), PYSOD)
        assert measured.values == plain.values
        assert (other == original).all()
        assert np.array_equal(measured.f_measure, plain.f_measure)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(saliency.CONVENTIONS))
def test_sixteen_bits_equal_eight(name: str) -> None:
    """Level l of 255 is level 257·l of 65535."""
    sixteen = {
        video: [(levels.astype(np.uint16) * np.uint16(257), annotation) for levels, annotation in frames]
        for video, frames in VIDEOS.items()
    }
    assert accumulated(name, sixteen).result() == pytest.approx(accumulated(name, VIDEOS).result(), abs=1e-12)
    exact = saliency.convention("davsod")
    for (wide, annotation), (levels, _) in zip(sixteen["faint"], VIDEOS["faint"], strict=True):
        ours, theirs = (saliency.measure_frame(array, annotation, exact) for array in (wide, levels))
        assert ours.values == pytest.approx(theirs.values, abs=1e-12)
        assert np.array_equal(ours.f_measure, theirs.f_measure)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("levels", "annotation"),
    [
        (np.zeros((2, 3), np.uint8), np.zeros((3, 2), bool)),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8)),
        (np.zeros((2, 3), bool), np.zeros((2, 3), bool)),
        (np.zeros((2, 3), np.int64), np.zeros((2, 3), bool)),
        (np.zeros((1, 2, 3), np.uint8), np.zeros((1, 2, 3), bool)),
        (np.zeros((0, 3), np.uint8), np.zeros((0, 3), bool)),
        (np.full((2, 3), math.nan), np.zeros((2, 3), bool)),
        (np.full((2, 3), 1.5), np.zeros((2, 3), bool)),
        (np.full((2, 3), -0.1), np.zeros((2, 3), bool)),
    ],
)
def test_invalid_maps(levels: np.ndarray, annotation: np.ndarray) -> None:
    with pytest.raises(MeasureError):
        saliency.measure_frame(levels, annotation, PYSOD)


def test_only_requested_measures_are_computed() -> None:
    frame = saliency.measure_frame(*CASES["plain"], PYSOD, ["adpF", "MAE"])
    assert list(frame.values) == ["MAE", "adpF"]
    assert frame.f_measure is None
    assert frame.e_measure is None
    whole = saliency.measure_frame(*CASES["plain"], PYSOD)
    for name in SALIENCY:
        alone = saliency.measure_frame(*CASES["plain"], PYSOD, [name])
        assert all(alone.values[key] == whole.values[key] for key in alone.values)


def test_unknown_names_and_missing_measures() -> None:
    adnet = saliency.convention("adnet")
    with pytest.raises(MeasureError, match='does not define "S"'):
        saliency.measure_frame(*CASES["plain"], adnet, ["S"])
    with pytest.raises(MeasureError, match='does not define "J"'):
        saliency.Accumulator(PYSOD, ["J"])
    with pytest.raises(UsageError, match="available: davsod, slt-net, pysod, adnet, f-of-mean-pr"):
        saliency.convention("sod")
    averages = saliency.Accumulator(PYSOD, ["MAE", "maxF"])
    with pytest.raises(MeasureError, match="without maxF"):
        averages.add("v", saliency.measure_frame(*CASES["plain"], PYSOD, ["MAE"]))
    with pytest.raises(MeasureError, match="measure maxF or meanF"):
        averages.pr()
    assert averages.result() == {"MAE": None, "maxF": None}
    assert averages.by_video() == {}


@pytest.mark.parametrize("name", sorted(saliency.CONVENTIONS))
def test_videos_and_merging(name: str) -> None:
    whole = accumulated(name, VIDEOS)
    merged = saliency.Accumulator(saliency.convention(name))
    for video, frames in VIDEOS.items():
        alone = accumulated(name, {video: frames})
        assert whole.by_video()[video] == alone.result()
        merged.merge(alone)
    assert merged.result() == whole.result()


@settings(max_examples=examples(20))
@given(st.lists(FRAMES, min_size=1, max_size=5), NAMES)
def test_streaming_equals_all_at_once(frames: list[tuple[np.ndarray, np.ndarray]], name: str) -> None:
    convention = saliency.convention(name)
    result = accumulated(name, {"v": frames}).result()
    measured = [saliency.measure_frame(*frame, convention) for frame in frames]
    pixels = np.array([frame.pixels for frame in measured])
    errors = np.array([frame.values["MAE"] for frame in measured])
    weights = pixels if name == "adnet" else np.ones_like(pixels)
    assert result["MAE"] == pytest.approx(np.average(errors, weights=weights), abs=1e-12)
    if name in {"davsod", "pysod"}:
        curve = np.mean([frame.f_measure for frame in measured], axis=0)
        assert result["maxF"] == pytest.approx(curve.max(), abs=1e-12)
    if name == "adnet":
        levels = np.concatenate([levels.ravel() for levels, _ in frames])[None]
        annotation = np.concatenate([annotation.ravel() for _, annotation in frames])[None]
        together = saliency.measure_frame(levels, annotation, convention)
        assert together.f_measure is not None
        assert result["maxF"] == together.f_measure.max()


def test_memory_does_not_grow_with_frames() -> None:
    frame = saliency.measure_frame(*CASES["plain"], PYSOD)
    averages = saliency.Accumulator(PYSOD)
    sizes = []
    for _ in range(2):
        for _ in range(500):
            averages.add("v", frame)
        sizes.append(len(pickle.dumps(averages)))
    assert sizes[0] == sizes[1] < 20_000


def test_a_scale_is_linear() -> None:
    assert Scale(3, 6).steps(np.zeros((2, 10), np.int64)).tolist() == list(range(-3, 7))


SCRIPT = """
import os, runpy, sys
if os.environ["NUMBA_DISABLE_JIT"] == "absent":
    sys.modules["numba"] = None
from vosbench.metrics import saliency
fixtures = runpy.run_path(sys.argv[1])
for name, (levels, annotation) in fixtures["cases"]().items():
    for bits in (levels, levels.astype("uint16")):
        frame = saliency.measure_frame(bits, annotation, saliency.convention("davsod"))
        print(name, frame.values, frame.f_measure.tolist(), frame.e_measure.tolist())
"""


def test_plain_python_gives_equal_numbers() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, REFERENCE / "saliency_fixtures.py"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled},
        ).stdout
        for disabled in ("0", "1", "absent")
    ]
    assert len(printed[0].splitlines()) == 2 * len(CASES)
    assert printed[0] == printed[1] == printed[2]


@pytest.mark.parametrize("size", [(4, 4), (10, 3), (20, 20)])
def test_perfect_masks_do_not_reach_a_mean_of_one(size: tuple[int, int]) -> None:
    """Every pixel passes the lowest threshold, and none passes the highest strictly, as the conventions say."""
    annotation = np.zeros((20, 30), np.bool_)
    annotation[: size[0], : size[1]] = True
    share, pixels = annotation.mean(), annotation.size
    for name, convention in saliency.CONVENTIONS.items():
        measured = accumulated(name, {"v": [(annotation * np.uint8(255), annotation)]}).result()
        lowest = (1 + convention.beta2) * share / (convention.beta2 * share + 1)
        assert measured["meanF"] == pytest.approx((255 + lowest) / 256, abs=1e-12)
        assert measured["maxF"] == pytest.approx(1, abs=1e-12)
        assert 0.9961 < (255 + lowest) / 256 < 1
        if "meanE" in convention.measures:
            assert measured["meanE"] == pytest.approx((255 + 1 / 4) / 256 * pixels / (pixels - 1), abs=1e-12)


def ladder(program: str) -> np.ndarray:
    """The thresholds ``1:-1/255:0`` in double precision, as Octave makes them, or Matlab according to its maker."""
    rungs = 1 - np.arange(256) * (1 / 255)
    if program == "matlab":  # the lower half is counted up from 0
        rungs[128:] = np.arange(127, -1, -1) * (1 / 255)
    return rungs


def curve_at(levels: np.ndarray, annotation: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """F with β² = 0.3 of a map of levels 0…255, at any thresholds."""
    counts = [np.bincount(levels[mask], minlength=256) for mask in (annotation, ~annotation)]
    passes = (np.arange(256) / 255 >= thresholds[:, None]).astype(np.int64)
    true, false = (passes @ count for count in counts)
    precision, recall = true / np.maximum(true + false, 1), true / annotation.sum()
    return np.asarray(1.3 * precision * recall / np.where(true == 0, 1.0, 0.3 * precision + recall))


@pytest.mark.parametrize(("program", "other", "above"), [("octave", 104, 66), ("matlab", 36, 14)])
def test_the_ladder_of_davsods_toolbox_is_inexact(program: str, other: int, above: int) -> None:
    rungs, exact = ladder(program), np.arange(255, -1, -1) / 255
    assert (np.count_nonzero(rungs != exact), np.count_nonzero(rungs > exact)) == (other, above)
    levels, annotation = CASES["plain"]
    assert (levels.min(), levels.max()) == (0, 255), "nothing is stretched"
    frame = saliency.measure_frame(levels, annotation, saliency.convention("davsod"))
    assert frame.f_measure is not None
    assert frame.f_measure[::-1] == pytest.approx(curve_at(levels, annotation, exact), abs=1e-12)
    assert not np.array_equal(curve_at(levels, annotation, rungs), curve_at(levels, annotation, exact))
    binary = annotation * np.uint8(255)
    assert np.array_equal(curve_at(binary, annotation, rungs), curve_at(binary, annotation, exact))


def test_mean_f_of_blackswan_under_three_ladders(real_data: Path) -> None:
    """The numbers that the conventions state."""
    folder = real_data / "DAVIS" / "Annotations" / "480p" / "blackswan"
    masks = [read_mask(path, "binary255") for path in sorted(folder.iterdir())]
    frames = []
    for mask in masks[1:-1]:
        blurred = np.rint(cv2.GaussianBlur(mask * 255.0, (0, 0), 5)).astype(np.uint8)
        assert (blurred.min(), blurred.max()) == (0, 255), "nothing is stretched"
        frames.append((blurred, mask))
    found = accumulated("davsod", {"blackswan": frames}).result()
    exact, *inexact = (
        np.mean([curve_at(*frame, rungs) for frame in frames], axis=0)
        for rungs in (np.arange(255, -1, -1) / 255, ladder("octave"), ladder("matlab"))
    )
    assert found["meanF"] == pytest.approx(exact.mean(), abs=1e-12)
    assert found["meanF"] == pytest.approx(0.92609, abs=5e-6)
    assert [curve.mean() - exact.mean() for curve in inexact] == pytest.approx([3.8e-4, -6.6e-5], abs=5e-6)
    assert [curve.max() for curve in inexact] == pytest.approx([exact.max()] * 2, abs=1e-12)
    perfect = accumulated("davsod", {"blackswan": [(mask * np.uint8(255), mask) for mask in masks[1:-1]]}).result()
    assert perfect["meanF"] == pytest.approx(0.9966, abs=5e-5)
