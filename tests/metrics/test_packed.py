import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vosbench.errors import MeasureError
from vosbench.images import read_mask, read_packed
from vosbench.metrics import boundary, region
from vosbench.metrics import packed_scores as packed
from vosbench.metrics.packed_scores import Packed, frame_scores, pack, unpack

SIDES = st.one_of(st.integers(1, 20), st.sampled_from([31, 63, 64, 65, 127, 128, 129]))
PAIRS = st.tuples(SIDES, SIDES).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape, fill=st.booleans()))
)


def readable(annotation: np.ndarray, prediction: np.ndarray, tolerance: float = 0.008) -> tuple[float, float]:
    return (
        region.region_similarity(annotation, prediction),
        boundary.contour_accuracy(annotation, prediction, tolerance),
    )


def blobs(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Rectangles and disks, sometimes cut off at the border, and some noise."""
    mask = np.zeros((height, width), bool)
    y, x = np.ogrid[:height, :width]
    for _ in range(random.integers(0, 4)):
        row, column, size = random.integers(0, height), random.integers(0, width), random.integers(1, 40)
        if random.random() < 0.5:
            mask |= (y - row) ** 2 + (x - column) ** 2 <= size**2
        else:
            mask[row : row + size, column : column + random.integers(1, 80)] ^= True
    if random.random() < 0.3:
        mask ^= random.random((height, width)) < 0.002
    return ~mask if random.random() < 0.1 else mask


@given(PAIRS, st.sampled_from([0.008, 0.05, 1, 2.5, 7, 70]))
def test_equals_the_readable_form(masks: tuple[np.ndarray, np.ndarray], tolerance: float) -> None:
    pair = pack(masks[0]), pack(masks[1])
    expected = readable(*masks, tolerance)
    assert frame_scores(*pair, tolerance) == expected
    assert packed.region_similarity(*pair) == expected[0]
    assert packed.contour_accuracy(*pair, tolerance) == expected[1]


@pytest.mark.parametrize("width", [1, 2, 63, 64, 65, 127, 128, 129, 200])
def test_equals_the_readable_form_on_blobs_at_any_radius(width: int) -> None:
    random = np.random.default_rng(width)
    for reach in [*range(1, 12), 31, 32, 33, 62, 63, 64, 65, 100, 110]:
        height = int(random.integers(1, 160))
        masks = blobs(random, height, width), blobs(random, height, width)
        assert frame_scores(pack(masks[0]), pack(masks[1]), reach) == readable(*masks, reach)


def test_equals_the_readable_form_on_empty_full_and_single_pixels() -> None:
    for shape in [(1, 1), (1, 64), (64, 1), (2, 65), (3, 128), (5, 63)]:
        masks = [np.zeros(shape, bool), np.ones(shape, bool)]
        for place in [(0, 0), (0, -1), (-1, 0), (-1, -1)]:
            single = np.zeros(shape, bool)
            single[place] = True
            masks += [single, ~single]
        for one in masks:
            for other in masks:
                assert frame_scores(pack(one), pack(other), 2) == readable(one, other, 2)


@pytest.mark.slow
def test_equals_the_readable_form_at_4k() -> None:
    random = np.random.default_rng(4)
    masks = [np.kron(blobs(random, 240, 426), np.ones((9, 9), bool))[:, :-1] for _ in range(2)]
    assert frame_scores(pack(masks[0]), pack(masks[1])) == readable(*masks)


@given(PAIRS)
def test_packs_and_unpacks(masks: tuple[np.ndarray, np.ndarray]) -> None:
    mask = masks[0]
    packed_mask = pack(mask)
    assert np.array_equal(unpack(packed_mask), mask)
    assert np.array_equal(unpack(pack(np.asfortranarray(mask))), mask)
    assert (packed_mask.shape, packed_mask.any(), packed_mask.count()) == (mask.shape, mask.any(), mask.sum())


def test_invalid_pairs() -> None:
    mask = pack(np.ones((3, 4), bool))
    for measure in (packed.region_similarity, packed.contour_accuracy, frame_scores):
        with pytest.raises(MeasureError, match="resize first"):
            measure(mask, pack(np.ones((4, 3), bool)))
    for wrong in (np.ones((3, 4)), np.ones((0, 4), bool), np.ones(3, bool)):
        with pytest.raises(MeasureError, match="cannot pack"):
            pack(wrong)


def real_pairs(real_data: Path, archive: str, step: int) -> list[tuple[Path, bytes, str]]:
    codec = {"andiff": "binary01"}.get(archive, "binary255")
    root = real_data / "DAVIS" / "Annotations" / "480p"
    with zipfile.ZipFile(real_data / "davis16_results" / f"{archive}.zip") as file:
        names = sorted(name for name in file.namelist() if name.endswith(".png"))
        paths = [(root.joinpath(*Path(name).parts[-2:]), name) for name in names]
        pairs = [pair for pair in paths if pair[0].is_file()]
        return [(path, file.read(name), codec) for path, name in pairs[::step]]


def check_real_pairs(pairs: list[tuple[Path, bytes, str]]) -> None:
    for path, data, codec in pairs:
        masks = read_mask(path, "binary255"), read_mask(data, codec, "prediction")
        pair: list[Packed] = [read_packed(path, "binary255"), read_packed(data, codec, "prediction")]
        assert all(np.array_equal(unpack(one), mask) for one, mask in zip(pair, masks, strict=True))
        assert frame_scores(*pair) == readable(*masks)


ARCHIVES = ["ags", "andiff", "epo+", "fseg", "osvos", "pdb", "sfls", "tis"]


@pytest.mark.parametrize("archive", ARCHIVES)
def test_equals_the_readable_form_on_real_masks(real_data: Path, archive: str) -> None:
    pairs = real_pairs(real_data, archive, 20)
    assert len(pairs) > 60
    check_real_pairs(pairs)


@pytest.mark.slow
@pytest.mark.parametrize("archive", ARCHIVES)
def test_equals_the_readable_form_on_all_real_masks(real_data: Path, archive: str) -> None:
    check_real_pairs(real_pairs(real_data, archive, 1))
