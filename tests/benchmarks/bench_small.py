"""Small benchmarks of what users wait for; run and compared by `bench`.

Each round is preceded by the calibration loop, so that both meet the same machine. What is measured is drawn, so that
no data are needed. Each test has one benchmark, and checks that what it measures does what it should.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import calibration
import cv2
import numpy as np
import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

from factories import davis16_record
from vosbench.dataset import Video
from vosbench.evaluate import predictions
from vosbench.images.files import read_packed
from vosbench.images.levels import read_levels
from vosbench.metrics import saliency, stability
from vosbench.metrics.compiled import COMPILING
from vosbench.metrics.packed import unpack
from vosbench.metrics.packed_scores import contour_accuracy, pack, region_similarity
from vosbench.records.store import save
from vosbench.report.named import TableRequest, make_table
from vosbench.report.table import render

ROUNDS, WARM_UP = 25, 2
HEIGHT, WIDTH = 480, 854
RECORDS = 500


def blob(seed: int) -> np.ndarray:
    """An (H, W) mask with a wavy contour."""
    draw = np.random.default_rng(seed // 2)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    down, right = y - 240, x - 400 - 14 * (seed % 2)
    angle, radius = np.arctan2(down, right), np.hypot(down, right)
    bound = np.full_like(radius, 140.0)
    for wave in range(2, 24):
        bound += draw.normal(0, 60 / wave) * np.cos(wave * angle + draw.uniform(0, 2 * np.pi) + 0.05 * (seed % 2))
    return radius < bound


MASKS = [blob(seed) for seed in range(8)]
PACKED = [pack(mask) for mask in MASKS]
MAPS = [np.rint(cv2.GaussianBlur(mask * np.float32(255), (0, 0), 6)).astype(np.uint8) for mask in MASKS]


def stored(image: np.ndarray, palette: list[int] | None = None) -> bytes:
    """A PNG by Pillow."""
    drawn = Image.fromarray(image)
    if palette:
        drawn.putpalette(palette)
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


def by_turns(benchmark: BenchmarkFixture, work: Callable[[], object]) -> None:
    """Measure work, alternating with the calibration loop."""
    times: list[float] = []
    benchmark.pedantic(
        work, setup=lambda: times.append(calibration.loop()), rounds=ROUNDS, warmup_rounds=WARM_UP, iterations=1
    )
    benchmark.extra_info["calibration"] = times[-ROUNDS:]


def test_region(benchmark: BenchmarkFixture) -> None:
    """J of 800 pairs."""
    pairs = [(one, other) for one in PACKED for other in PACKED][:50] * 16
    assert 0.5 < region_similarity(PACKED[0], PACKED[1]) < 1
    by_turns(benchmark, lambda: [region_similarity(one, other) for one, other in pairs])


def test_contour(benchmark: BenchmarkFixture) -> None:
    """F of 56 pairs."""
    pairs = [(one, other) for one in PACKED for other in PACKED if one is not other]
    assert 0 < contour_accuracy(PACKED[0], PACKED[1]) < 1
    by_turns(benchmark, lambda: [contour_accuracy(one, other) for one, other in pairs])


def test_stability(benchmark: BenchmarkFixture) -> None:
    """T of 4 pairs."""
    if not COMPILING:
        pytest.skip("T is compiled by the extra fast")
    pairs = list(zip(MASKS[::2], MASKS[1::2], strict=True))
    assert (stability.temporal_stability(*pairs[0]) or 0) > 0
    by_turns(benchmark, lambda: [stability.temporal_stability(one, other) for one, other in pairs])


@pytest.mark.parametrize("encoding", ["1-bit", "grey", "grey by OpenCV", "palette"])
def test_png(benchmark: BenchmarkFixture, encoding: str) -> None:
    """Masks of 32 files; of 96, palette."""
    write: dict[str, Callable[[np.ndarray], bytes]] = {
        "1-bit": stored,
        "grey": lambda mask: stored(mask * np.uint8(255)),
        "grey by OpenCV": lambda mask: cv2.imencode(".png", mask * np.uint8(255))[1].tobytes(),
        "palette": lambda mask: stored(mask.view(np.uint8), [0, 0, 0, 128, 0, 0] + [64] * 762),
    }
    codec = "palette" if encoding == "palette" else "binary255"
    files = [write[encoding](mask) for mask in MASKS] * (12 if encoding == "palette" else 4)
    for data, mask in zip(files, MASKS, strict=False):
        assert np.array_equal(unpack(read_packed(data, codec)), mask)
    by_turns(benchmark, lambda: [read_packed(data, codec) for data in files])


def test_saliency(benchmark: BenchmarkFixture) -> None:
    """MAE, PR and F of 8 maps in files."""
    convention, names = saliency.convention("pysod"), ("MAE", "adpF", "maxF")
    files = [stored(levels) for levels in MAPS]

    def work() -> dict[str, float | None]:
        sums = saliency.Accumulator(convention, names)
        for data, mask in zip(files, MASKS, strict=True):
            sums.add("all", saliency.measure_frame(read_levels(data, "map"), mask, convention, names))
        return sums.result()

    assert (work()["maxF"] or 0) > 0.9
    by_turns(benchmark, work)


def test_archive(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Finding 400 masks of 10 videos in a zip file, and reading those of one."""
    data = stored(MASKS[0])
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        for video in range(10):
            for frame in range(40):
                archive.writestr(f"v{video}/{frame:05d}.png", data)
    frames = tuple(tmp_path / f"{frame:05d}.jpg" for frame in range(40))
    videos = [Video(name=f"v{video}", frames=frames) for video in range(10)]

    def work() -> int:
        found = predictions.find(tmp_path / "masks.zip", videos, "binary255")
        return sum(mask.any() for mask in found.read("v3", range(40), read_packed))

    assert work() == 40
    by_turns(benchmark, work)


def test_table(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """The table of 500 records in files."""
    draw = np.random.default_rng(0)
    keys = ("J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay", "JF_mean")
    for number in range(RECORDS):
        videos = {f"v{video}": dict(zip(keys, draw.random(7).tolist(), strict=True)) for video in range(20)}
        scores = dict(zip(keys, draw.random(7).tolist(), strict=True))
        save(tmp_path, davis16_record(f"m{number}", scores, videos=videos), [])
    request = TableRequest(name="davis16", results=tmp_path, warn=pytest.fail)

    def work() -> str:
        return render(make_table(request)[0], "md", None)

    assert work().count("| m") >= RECORDS
    by_turns(benchmark, work)
