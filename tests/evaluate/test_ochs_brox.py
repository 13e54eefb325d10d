from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import DatasetProtocol
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError
from vosbench.evaluate.score import score
from vosbench.images import read_mask, write_png
from vosbench.images.codecs import BLACK, CODECS
from vosbench.images.files import read_regions
from vosbench.metrics.ochs_brox import Overlap
from vosbench.registry import load_dataset

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"

GREY = np.array([[0, 20, 255], [0, 77, 20]], np.uint8)
COLOURS = np.array([[[255, 255, 255], [0, 0, 0]], [[255, 255, 0], [1, 2, 3]]], np.uint8)


def save(path: Path, pixels: np.ndarray, *, palette: bool = False) -> Path:
    image = Image.fromarray(pixels)
    if palette:
        image.putpalette(list(range(256)) * 3)
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("codec", "pixels", "regions"),
    [
        ("nonzero", GREY, GREY),
        ("palette", GREY // 2, GREY // 2),
        ("ids", GREY, [[0, 20, 0], [0, 77, 20]]),
        ("binary255", (GREY > 0) * np.uint8(255), GREY > 0),
        ("inverted255", (GREY > 0) * np.uint8(255), GREY == 0),
        ("map", GREY, GREY > 127),
        ("luma127", GREY, GREY > 127),
        ("fbms_antonilo", GREY, GREY > 25),
        ("fbms_antonilo_marple7", GREY, GREY > 12),
        ("fbms_antonilo_marple2", GREY, GREY > 102),
        ("fbms_antonilo", COLOURS, [[0, 0], [1, 0]]),
        ("ppm_nonwhite", COLOURS, [[0, BLACK], [0xFFFF00, 0x010203]]),
    ],
)
def test_regions_of_every_codec(tmp_path: Path, codec: str, pixels: np.ndarray, regions: np.ndarray) -> None:
    path = save(tmp_path / "a.png", pixels)
    image = read_regions(path, codec)
    assert image.dtype == np.int32
    assert image.tolist() == np.asarray(regions, int).tolist()
    assert (read_mask(path, codec) == (image > 0)).all()
    assert (read_regions(path.read_bytes(), codec, "bytes") == image).all()


def test_codecs_with_regions() -> None:
    assert [name for name, codec in CODECS.items() if codec.labels] == [
        "nonzero",
        "palette",
        "colours",
        "ids",
        "ppm_nonwhite",
    ]


def test_indices_of_a_palette_are_regions(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", GREY // 2, palette=True)
    assert (read_regions(path, "palette") == GREY // 2).all()
    assert (read_regions(path, "nonzero") == GREY // 2).all()


def test_wrong_encodings_are_errors(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", GREY)
    with pytest.raises(DataError, match=r'a\.png" contains the values 255; codec "palette"'):
        read_regions(path, "palette")
    with pytest.raises(DataError, match='is stored as "L"; codec "ppm_nonwhite" reads RGB'):
        read_regions(path, "ppm_nonwhite")


@pytest.fixture
def regions(toy_root: Path) -> Selection:
    dataset = load_dataset("toy", [TOY])
    protocol = DatasetProtocol(name="regions", measures=("OB",), unit="regions")
    return select(replace(dataset, protocols=(protocol,)), Choice(root=toy_root))


def test_clusters_on_disk_are_matched_over_the_video(regions: Selection, tmp_path: Path) -> None:
    """The disk falls into two clusters; the numbers are those of the arrays that were written."""
    expected = {}
    for video in regions.videos:
        overlap = Overlap()
        for index, path in video.annotations.items():
            mask = read_mask(path, video.codec)
            clusters = mask.astype(np.uint8)
            clusters[:, 14:] *= 2
            write_png(tmp_path / "clusters" / video.name / f"{video.frames[index].stem}.png", clusters)
            overlap.add(mask.astype(np.int32), clusters.astype(np.int32))
        expected[video.name] = overlap.result()
    record, _, _ = score(tmp_path / "clusters", regions, codec="nonzero")
    assert {name: scores["OB_F"] for name, scores in record.videos.items()} == {
        name: scores.f for name, scores in expected.items()
    }
    assert all(0 < (scores["OB_F"] or 0) < 1 for scores in record.videos.values())
    assert record.scores["OB_F"] is not None
    (tmp_path / "clusters" / "v1" / "00003.png").unlink()
    record, _, _ = score(tmp_path / "clusters", regions, codec="nonzero")
    assert record.missing == ["v1/00003"]
    assert record.videos["v1"]["OB_F"] is None
    assert record.scores["OB_F"] is None
