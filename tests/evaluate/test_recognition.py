"""What notes and errors say of masks that are unusual, and real masks in unusual forms."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vosbench
from toys import copy_masks, selected
from vosbench.errors import DataError
from vosbench.evaluate.score import score
from vosbench.images import read_mask, write_png
from vosbench.images.files import read_pixels

Change = Callable[[np.ndarray], np.ndarray]
VIDEOS = ("v0", "v1")


def rewritten(root: Path, change: Callable[[np.ndarray, str, int], np.ndarray]) -> Path:
    """The annotations as predictions, each changed: mask, video and frame → pixels."""
    masks = copy_masks(root)
    for path in sorted(masks.rglob("*.png")):
        mask = read_mask(path, "binary255")
        Image.fromarray(change(mask, path.parent.name, int(path.stem))).save(path)
    return masks


def notes(root: Path, masks: Path) -> list[str]:
    return score(masks, selected(root))[2]


def bright(mask: np.ndarray, level: int = 255) -> np.ndarray:
    return mask.astype(np.uint8) * np.uint8(level)


def slope(mask: np.ndarray, top: int) -> np.ndarray:
    """A soft map with many values up to the top, above half of it on the object."""
    ramp = np.linspace(0, top / 2 - 1, mask.size).reshape(mask.shape)
    return (ramp + mask * (top / 2 + 1)).astype(np.uint8)


def test_a_codec_for_each_video_if_videos_differ(toy_root: Path) -> None:
    masks = rewritten(toy_root, lambda mask, video, _: bright(mask, 2 if video == "v1" else 255))
    record, _, said = score(masks, selected(toy_root))
    assert record.scores["J_mean"] == record.scores["F_mean"] == 1
    assert record.provenance.codec == "binary255 binary:0,2"
    assert said[:2] == [
        'masks are read as "binary255" (0 as background and 255 as object); otherwise pass --codec',
        'but those of "v1" as "binary:0,2" (0 as background and 2 as object)',
    ]


def test_a_faint_first_frame_decides_nothing(toy_root: Path) -> None:
    masks = rewritten(toy_root, lambda mask, _, t: slope(mask, 255) if t else bright(mask, 1))
    record, _, said = score(masks, selected(toy_root))
    assert record.provenance.codec == "map"
    assert record.videos["v0"]["J_mean"] == 0.8  # of five frames, one of which is faint
    assert 'warning: 2 soft maps with values above 0, but none in the upper half of the range, such as "' in said[1]
    assert "v0/00000.png" in said[1]


def test_a_video_of_small_numbers_among_soft_maps_is_refused(toy_root: Path) -> None:
    masks = rewritten(toy_root, lambda mask, video, _: slope(mask, 255) if video == "v0" else bright(mask, 1))
    with pytest.raises(
        DataError, match=r'"v1" alone would be read as "binary01", .* choose --codec map or --codec bin'
    ):
        notes(toy_root, masks)
    assert score(masks, selected(toy_root), codec="map")[0].videos["v1"]["J_mean"] == 0


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (lambda mask: bright(mask, 0), "warning: all masks are empty"),
        (lambda mask: bright(mask | True), "warning: all masks are full: they cover every pixel"),
        (
            lambda mask: bright(~mask),
            (
                'warning: inverted, the masks would score far better on 2 of 2 videos ("v0", "v1"); are object and '
                "background swapped?"
            ),
        ),
    ],
)
def test_unlikely_masks_are_scored_with_a_warning(toy_root: Path, pixels: Change, said: str) -> None:
    assert said in notes(toy_root, rewritten(toy_root, lambda mask, *_: pixels(mask)))


def test_inverted_maps_are_told_by_saliency_alone(toy_root: Path) -> None:
    masks = rewritten(toy_root, lambda mask, *_: 255 - slope(mask, 255))
    said = score(masks, selected(toy_root, protocol_name="toy-saliency"))[2]
    assert any(line.startswith("warning: inverted") for line in said)


def test_good_masks_have_no_warning(toy_root: Path) -> None:
    assert not any("warning" in line for line in notes(toy_root, copy_masks(toy_root)))


def test_what_contradicts_itself_names_file_values_and_codecs(toy_root: Path) -> None:
    masks = rewritten(toy_root, lambda mask, *_: np.where(mask, 255, 1).astype(np.uint8))
    first = next(iter(sorted(masks.rglob("*.png"))))
    pixels, _ = read_pixels(first, "first")
    pixels[0, 0] = 0
    write_png(first, pixels)
    with pytest.raises(DataError) as caught:
        notes(toy_root, masks)
    said = str(caught.value)
    assert "grey levels 0, 1, 255" in said
    assert "v0/00000.png" in said
    assert said.endswith("choose --codec map or --codec nonzero or --codec ids")


def test_the_codec_of_soft_maps_is_a_guess_that_is_corrected(toy_root: Path) -> None:
    """The first masks have two values, which all others do not confirm."""
    masks = rewritten(toy_root, lambda mask, _, t: slope(mask, 255) if t == 4 else bright(mask))
    record, _, said = score(masks, selected(toy_root), jobs=2)
    assert record.scores["J_mean"] == 1
    assert said[0].startswith('masks are read as "map"')


@pytest.fixture(scope="module")
def blackswan(real_data: Path) -> dict[str, np.ndarray]:
    paths = sorted((real_data / "DAVIS" / "Annotations" / "480p" / "blackswan").glob("*.png"))
    return {path.stem: read_mask(path, "binary255") for path in paths}


def save_all(folder: Path, masks: dict[str, np.ndarray], encode: Callable[[np.ndarray], Image.Image]) -> Path:
    folder.mkdir(parents=True)
    for stem, mask in masks.items():
        encode(mask).save(folder / f"{stem}.png")
    return folder.parent


def on_blackswan(masks: Path, real_data: Path, **options: object) -> vosbench.Result:
    root = real_data / "DAVIS"
    return vosbench.score(masks, dataset="davis16", root=root, videos="blackswan", measures="J,F", **options)


def thirds(mask: np.ndarray) -> np.ndarray:
    """Two objects, numbered 1 and 2."""
    return (mask * (1 + (np.arange(mask.shape[1]) > 400))).astype(np.uint8)


@pytest.mark.parametrize(
    ("encode", "codec"),
    [
        (lambda mask: Image.fromarray(bright(mask, 38)), "binary:0,38"),
        (lambda mask: Image.fromarray(mask[..., None] * np.array([128, 0, 0], np.uint8)), "colours"),
        (lambda mask: Image.fromarray(thirds(mask)), "nonzero"),
        (lambda mask: Image.fromarray(bright(mask)).convert("RGB").quantize(2), "colours"),
    ],
)
def test_real_masks_in_unusual_encodings(
    blackswan: dict[str, np.ndarray],
    real_data: Path,
    tmp_path: Path,
    encode: Callable[[np.ndarray], Image.Image],
    codec: str,
) -> None:
    few = {stem: mask for stem, mask in blackswan.items() if stem <= "00004"}
    result = on_blackswan(save_all(tmp_path / "masks" / "blackswan", few, encode), real_data, limit=5)
    assert result.scores["J_mean"] == result.scores["F_mean"] == 1
    assert result.record.provenance.codec == codec


@pytest.mark.parametrize(("first", "last", "way"), [(1, 50, "numbered from 1"), (0, 49, ""), (1, 49, "would also fit")])
def test_real_masks_numbered_from_one(
    blackswan: dict[str, np.ndarray], real_data: Path, tmp_path: Path, first: int, last: int, way: str
) -> None:
    """Fifty masks from 1 on are those of all frames; 49 of them lack frame 0, which is not scored."""
    shift = 1 if last == 50 else 0
    named = {f"{t + shift:05d}": mask for t, mask in enumerate(blackswan.values()) if first <= t + shift <= last}
    masks = save_all(tmp_path / "masks" / "blackswan", named, Image.fromarray)
    result = on_blackswan(masks, real_data)
    assert result.scores["J_mean"] == result.scores["F_mean"] == 1
    assert any(way in note for note in result.notes)


def test_a_real_submission_numbered_from_one(real_data: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(real_data / "davis16_results" / "osvos.zip", tmp_path / "osvos")
    (tmp_path / "masks" / "dog").mkdir(parents=True)
    for path in (tmp_path / "osvos" / "dog").iterdir():
        path.rename(tmp_path / "masks" / "dog" / f"{int(path.stem) + 1:05d}.png")
    result = vosbench.score(tmp_path / "masks", dataset="davis16", root=real_data / "DAVIS", videos="dog", measures="J")
    assert result.scores["J_mean"] == pytest.approx(0.907, abs=5e-4)
