"""Reproduce official numbers of DAVIS-2016 from three sequences stored in the repository."""

import io
import json
import lzma
import zipfile
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vosbench.dataset.selection import Choice, select
from vosbench.evaluate.score import all_rows, score
from vosbench.images import write_png
from vosbench.metrics import decay, mean, recall
from vosbench.metrics.stability import FACTOR, describe, instability
from vosbench.registry import load_dataset

EXCERPT = Path(__file__).parents[1] / "reference" / "davis16_excerpt"
GOLDEN = json.loads((EXCERPT / "official.json").read_text("utf-8"))
METHODS: dict[str, dict[str, Any]] = GOLDEN["methods"]
FRAMES = {"car-shadow": 40, "drift-chicane": 52, "libby": 49}
HALF = Decimal("0.0005")
Masks = dict[str, NDArray[np.bool_]]


@pytest.fixture(scope="module")
def masks() -> Masks:
    """Masks of every frame, (N, H, W), by ``<method or "annotations">/<sequence>``."""
    packed = np.load(io.BytesIO(lzma.decompress((EXCERPT / "masks.npz.xz").read_bytes())))
    return {name: np.unpackbits(packed[name], axis=2, count=GOLDEN["size"][1]).view(np.bool_) for name in packed}


@pytest.fixture(scope="module")
def davis(masks: Masks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sequences in the layout of DAVIS; frames are empty files, as measures of masks do not read them."""
    root = tmp_path_factory.mktemp("DAVIS")
    (root / "ImageSets" / "480p").mkdir(parents=True)
    for sequence in FRAMES:
        frames = root / "JPEGImages" / "480p" / sequence
        frames.mkdir(parents=True)
        for frame, mask in enumerate(masks[f"annotations/{sequence}"]):
            (frames / f"{frame:05d}.jpg").touch()
            write_png(root / "Annotations" / "480p" / sequence / f"{frame:05d}.png", mask * np.uint8(255))
    return root


@pytest.fixture
def submission(request: pytest.FixtureRequest, masks: Masks, tmp_path: Path) -> Path:
    """A method's masks as a zip file, named and encoded as they were submitted."""
    about = METHODS[request.param]
    path = tmp_path / f"{request.param}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for sequence in FRAMES:
            for frame, mask in enumerate(masks[f"{request.param}/{sequence}"]):
                picture = Image.fromarray(mask if about["mode"] == "1" else mask * np.uint8(about["foreground"]))
                assert picture.mode == about["mode"]
                file = io.BytesIO()
                picture.save(file, "PNG", compress_level=1)
                archive.writestr(about["files"].format(sequence=sequence, frame=frame), file.getvalue())
    return path


def test_the_excerpt_is_complete(masks: Masks) -> None:
    assert {name: len(masks[f"annotations/{name}"]) for name in FRAMES} == FRAMES
    assert len(METHODS) == 8
    kinds = {(about["mode"], about["foreground"], about["files"]) for about in METHODS.values()}
    assert {kind[:2] for kind in kinds} == {("1", 1), ("L", 1), ("L", 255)}
    assert any("/" in files.removesuffix("{sequence}/{frame:05d}.png") for _, _, files in kinds)
    assert METHODS["epo+"]["frames"] == {name: count - 1 for name, count in FRAMES.items()}
    for name, about in METHODS.items():
        assert about["frames"] == {sequence: len(masks[f"{name}/{sequence}"]) for sequence in FRAMES}
        for sequence, count in FRAMES.items():
            assert len(about["official"][sequence]["J"]) == len(about["official"][sequence]["F"]) == count - 2


@pytest.mark.fast
@pytest.mark.parametrize("sequence", FRAMES)
def test_official_stability_of_annotations(masks: Masks, sequence: str) -> None:
    """The leaderboard measured all annotations but the last, in the junction order of its compiler."""
    shapes = [describe(mask, "gcc4") for mask in masks[f"annotations/{sequence}"][:-1]]
    costs = [instability(one, other) for one, other in pairwise(shapes) if one and other]
    assert len(costs) > 0.9 * len(shapes)
    assert FACTOR * np.mean(costs) == pytest.approx(GOLDEN["annotations"]["T"][sequence], rel=1e-4)


@pytest.mark.fast
@pytest.mark.parametrize("submission", METHODS, indirect=True)
def test_official_numbers(davis: Path, submission: Path) -> None:
    about = METHODS[submission.stem]
    record, scored, _ = score(submission, select(load_dataset("davis16"), Choice(root=davis, videos=tuple(FRAMES))))
    rows = [row for row in all_rows(scored) if row.measure != "T"]
    official = {
        (video, measure, frame): Decimal(value)
        for video, measures in about["official"].items()
        for measure, values in measures.items()
        for frame, value in enumerate(values, start=1)
    }
    measured = {(row.video, row.measure, row.frame): Decimal(row.value) for row in rows}
    assert len(rows) == len(measured) == 2 * sum(count - 2 for count in FRAMES.values())
    assert measured.keys() == official.keys()
    assert not {key: (measured[key], value) for key, value in official.items() if abs(measured[key] - value) > HALF}
    for video in FRAMES:
        for measure in ("J", "F"):
            values = [float(value) for value in about["official"][video][measure]]
            for statistic in (mean, decay):  # official values are rounded
                expected = pytest.approx(statistic(values), abs=0.001)
                assert record.videos[video][f"{measure}_{statistic.__name__}"] == expected
            if 0.5 not in values:
                assert record.videos[video][f"{measure}_recall"] == recall(values)
        assert record.videos[video]["T_mean"] == pytest.approx(about["T"][video], rel=1e-6)
    means = [record.videos[video]["J_mean"] for video in FRAMES]
    assert record.scores["J_mean"] == pytest.approx(mean(means))
    assert record.signature.startswith(f"videos:{len(FRAMES)}of20|davis16@1|")
