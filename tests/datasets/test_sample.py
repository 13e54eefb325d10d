import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.datasets.sample import dataset, generate, listing
from vosbench.datasets.sample.footage import compressed
from vosbench.datasets.sample.shapes import inside
from vosbench.errors import DataError, UsageError
from vosbench.images import read_frame, read_mask
from vosbench.images.files import read_pixels

SOME = ("animal-01", "blob-post", "film-car", "polygon-dash")
FILMED = ("film-horse", "film-car")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder)
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    generate(tmp_path, videos=["polygon-dash"])
    return tmp_path


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


DENSE = ("val", "train")


def every_video(root: Path) -> Iterator[tuple[str, Video]]:
    for split in DENSE:
        for video in dataset.videos(root, split):
            yield split, video


def masks(video: Video) -> NDArray[np.bool_]:
    return np.stack([read_mask(path, video.codec) for path in video.annotations.values()])


def box(mask: NDArray[np.bool_]) -> int:
    rows, columns = np.nonzero(mask)
    return int((np.ptp(rows) + 1) * (np.ptp(columns) + 1))


def region_similarity(prediction: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    return float((prediction & mask).sum() / (prediction | mask).sum())


def test_same_bytes_again_and_in_another_process(root: Path, tmp_path: Path) -> None:
    generate(tmp_path / "here", videos=SOME)
    script = "import sys, pathlib; from vosbench.datasets.sample import generate as g; g(pathlib.Path(sys.argv[1]), "
    command = [sys.executable, "-c", f"{script} videos={SOME})", str(tmp_path / "there")]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    here = digests(tmp_path / "here")
    assert here == digests(tmp_path / "there")
    everything = digests(root)
    assert all(everything[name] == digest for name, digest in here.items() if name != "sample.json")


def test_masks_are_the_same_on_every_machine(root: Path) -> None:
    """Whatever the versions of OpenCV and NumPy: baselines are checked against them."""
    found = hashlib.sha256()
    for video in dataset.videos(root, "val"):
        found.update(np.packbits(masks(video)).tobytes())
    assert found.hexdigest() == "508368bc85745190ebbc62f3a95d53c8750fa3bfd78db50d410b59a7068bf9bd"


def test_polygons_by_asking_every_point() -> None:
    """Crossings counted edge by edge; the polygons cross themselves and leave the frame."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        corners = rng.uniform(-4, 24, (int(rng.integers(3, 9)), 2))
        expected = np.zeros((18, 20), np.bool_)
        for y, x in np.ndindex(*expected.shape):
            for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
                if (y0 <= y + 0.5) != (y1 <= y + 0.5) and x0 + (y + 0.5 - y0) * (x1 - x0) / (y1 - y0) <= x + 0.5:
                    expected[y, x] ^= True
        np.testing.assert_array_equal(inside(corners, (18, 20)), expected)


def test_import_is_light() -> None:
    heavy = "{'cv2', 'scipy', 'skimage', 'torch', 'pandas', 'PIL'}"
    script = f"import sys, vosbench.datasets.sample as s; s.listing('val'); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_files_match_the_listing(root: Path) -> None:
    found = list(every_video(root))
    assert [video.name for _, video in found] == [name for split in DENSE for name in listing(split)]
    for split, video in found:
        listed = listing(split)[video.name]
        assert (len(video), video.category) == (listed.frames, listed.category)
        assert list(video.annotations) == list(range(listed.frames))
        assert listed.stable == ("OCC" not in listed.attributes)
    assert sum(path.stat().st_size for path in root.rglob("*.png")) < 12e6


def test_categories_and_names() -> None:
    for split in dataset.splits:
        more = set() if split == "train" else {"vehicle"}
        assert {listed.category for listed in listing(split).values()} == {"animal", "blob", "polygon"} | more
    assert not set(listing("val")) & set(listing("train"))


def test_files_are_rgb_and_grey_of_two_levels(root: Path) -> None:
    for _, video in every_video(root):
        frame, kind = read_pixels(video.frames[0], "frame")
        mask, encoding = read_pixels(video.annotations[0], "mask")
        assert (kind, encoding) == ("RGB", "L")
        assert frame.shape == (*mask.shape, 3)
        assert np.unique(mask).tolist() == [0, 255]


def test_no_mask_is_empty_and_the_attributes_hold(root: Path) -> None:
    for split, video in every_video(root):
        seen = masks(video)
        boxes = np.array([box(mask) for mask in seen])
        centres = np.array([np.argwhere(mask).mean(axis=0) for mask in seen])
        attributes = listing(split)[video.name].attributes
        assert seen.any(axis=(1, 2)).all()
        assert (boxes.mean() < 0.1 * seen[0].size) == ("LR" in attributes)
        if "OCC" not in attributes:
            speed = np.hypot(*np.diff(centres, axis=0).T).mean()
            assert (speed > 20 / 854 * seen.shape[2]) == ("FM" in attributes)
            assert "SV" not in attributes or boxes.min() < 0.5 * boxes.max()


def test_object_moves_and_so_does_the_ground(root: Path) -> None:
    for _, video in every_video(root):
        seen = masks(video)
        first, last = (np.argwhere(mask).mean(axis=0) for mask in (seen[0], seen[-1]))
        assert np.hypot(*(last - first)) > 0.1 * seen.shape[2]
        still = ~(seen[0] | seen[-1])
        change = read_frame(video.frames[-1]).astype(int) - read_frame(video.frames[0])
        assert np.abs(change[still]).mean() > 4


def test_posts_remove_pixels(root: Path) -> None:
    for split, video in every_video(root):
        areas = masks(video).sum(axis=(1, 2))
        if not listing(split)[video.name].stable:
            assert areas.min() < 0.75 * areas.max()


def test_brightness_does_not_find_the_object(root: Path) -> None:
    scores: dict[int, list[float]] = {1: [], -1: []}
    for video in dataset.videos(root, "val"):
        for index in range(0, len(video), 8):
            mask = read_mask(video.annotations[index], video.codec)
            light = read_frame(video.frames[index]).mean(axis=2)
            for sign, row in scores.items():
                row.append(region_similarity(sign * light >= np.quantile(sign * light, 1 - mask.mean()), mask))
    assert all(np.mean(row) < 0.4 for row in scores.values())


def test_drawn_sequences_are_those_of_version_2(root: Path) -> None:
    found = hashlib.sha256()
    for video in dataset.videos(root, "val"):
        if video.name not in FILMED:
            found.update(np.packbits(masks(video)).tobytes())
    assert found.hexdigest() == "dd4d579ba27f8a5d0cb4a0c108ad5eb294b0f0dc3e823ee9db1ee56951f54fc8"


def test_filmed_clips_have_the_noise_of_a_sensor_and_the_drawn_ones_none(root: Path) -> None:
    """What a filter that keeps edges removes, where there is neither object nor edge."""
    for video in dataset.videos(root, "val"):
        frame = read_frame(video.frames[4]).astype(np.float32)
        residue = np.abs(frame - cv2.medianBlur(frame, 3))
        quiet = np.median(residue[residue <= np.quantile(residue, 0.8)])
        assert (quiet >= 1) == (video.name in FILMED), video.name


def test_the_horse_walks_and_the_car_rolls(root: Path) -> None:
    """Outlines laid over each other: legs move on their own, a body of steel does not."""
    alike = {}
    for video in dataset.videos(root, "val"):
        if video.name in FILMED:
            first, *later = (np.argwhere(mask) for mask in masks(video))
            centred = [
                {tuple(p) for p in np.rint(points - points.mean(axis=0)).astype(int)} for points in (first, *later)
            ]
            alike[video.name] = min(len(centred[0] & other) / len(centred[0] | other) for other in centred[1:])
    assert alike["film-horse"] < 0.8
    assert alike["film-car"] > 0.93


def test_compression_is_that_of_jpeg() -> None:
    """What is lost is what OpenCV's JPEG files of the same quality lose; colours apart, which it smooths."""
    smooth = cv2.GaussianBlur(np.random.default_rng(0).random((64, 96), np.float32), (0, 0), 1.5)
    grey = np.repeat(((smooth - smooth.min()) / np.ptp(smooth))[..., None], 3, axis=2)
    _, packed = cv2.imencode(".jpg", np.rint(grey * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 45])
    peer = cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(float)
    ours = compressed(np.rint(grey * 255) / np.float32(255)).astype(float)
    assert np.abs(peer - grey * 255).mean() > 10 * np.abs(ours - peer).mean()
    plain = np.full((20, 30, 3), (0.2, 0.6, 0.4), np.float32)
    assert np.abs(compressed(plain) - plain * 255).max() <= 8


def test_sparse_annotation(tmp_path: Path) -> None:
    generate(tmp_path, annotate_every=5, videos=["polygon-dash"])
    (video,) = dataset.videos(tmp_path, "val")
    assert (len(video), list(video.annotations)) == (20, [0, 5, 10, 15])
    assert len(list((tmp_path / "annotations").rglob("*.png"))) == 4


def test_unknown_names_list_the_known_ones(small: Path) -> None:
    with pytest.raises(UsageError, match='no split "test"; available: val, train'):
        dataset.videos(small, "test")
    with pytest.raises(UsageError, match='no split "test"'):
        listing("test")
    with pytest.raises(UsageError, match='no layout "480p"; available: sample'):
        dataset.videos(small, "val", "480p")
    with pytest.raises(UsageError, match='"cow" is not a sequence'):
        generate(small, videos=["cow"])
    with pytest.raises(UsageError, match="at least 1, not 0"):
        generate(small, annotate_every=0)
    assert len(dataset.videos(small, "val", "sample")) == 1


def test_other_folders_are_refused(small: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(DataError, match=r"sample\.json is missing"):
        dataset.videos(tmp_path_factory.mktemp("empty"), "val")
    with pytest.raises(DataError, match='without the split "train"; delete the folder'):
        dataset.videos(small, "train")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"version": 1, "annotate_every": "?", "videos": []}'])
def test_damaged_marker_is_refused(small: Path, text: str) -> None:
    (small / "sample.json").write_text(text)
    with pytest.raises(DataError, match="is damaged; delete the folder"):
        dataset.videos(small, "val")


def test_another_version_is_refused(small: Path) -> None:
    marker = json.loads((small / "sample.json").read_text())
    (small / "sample.json").write_text(json.dumps(marker | {"version": 99}))
    with pytest.raises(DataError, match=r"version 99 .* version 3 is needed; delete the folder"):
        dataset.videos(small, "val")


def test_incomplete_tree_is_refused(small: Path) -> None:
    (small / "frames" / "polygon-dash" / "00003.png").unlink()
    with pytest.raises(
        DataError, match=r'1 files of "polygon-dash" are missing, the first is ".*00003\.png"; delete the folder'
    ):
        dataset.videos(small, "val")
    shutil.rmtree(small / "annotations")
    with pytest.raises(DataError, match="21 files of"):
        dataset.videos(small, "val")


def test_sparse_split_shows_every_fifth_annotation_of_val(root: Path) -> None:
    listed = listing("val-sparse")
    for dense, sparse in zip(dataset.videos(root, "val"), dataset.videos(root, "val-sparse"), strict=True):
        assert sparse.frames == dense.frames
        assert tuple(sparse.annotations) == listed[sparse.name].annotated == tuple(range(0, len(dense), 5))
        assert all(sparse.annotations[t] == dense.annotations[t] for t in sparse.annotations)
