"""The datasets on samples of the real thing."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vosbench.dataset.selection import Choice, select
from vosbench.dataset.verify import verify
from vosbench.evaluate.score import score
from vosbench.images import files as images
from vosbench.images import size
from vosbench.registry import load_dataset

Cli = Callable[..., subprocess.CompletedProcess[str]]
SAMPLES = [
    ("davis16", "DAVIS", "val", "davis16-official", "binary255", ("car-shadow", "blackswan")),
    ("fbms", "FBMS", "test", "fbms-official", "nonzero", ("cars1", "cars10", "people1", "marple12")),
    ("fbms", "FBMS", "train", "fbms-official", "nonzero", ("cars2",)),
    ("fbms", "FBMS", "train", "fbms-official", "ppm_nonwhite", ("bear01",)),
    ("ytobj", "YouTube-Objects", "test", "yto-masks-full", "luma127", ("aeroplane_0001",)),
    ("visal", "ViSal", "test", "visal-official", "luma127", ("gokart", "horse", "snow_leopards")),
    ("duts", "DUTS-TR", "train", "duts-official", "luma127", ("ILSVRC2012_test_00000004", "ILSVRC2012_test_00000018")),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample[0]}-{sample[-1][0]}")
def test_perfect_maps(real_data: Path, tmp_path: Path, sample: tuple[str, str, str, str, str, tuple[str, ...]]) -> None:
    name, folder, split, layout, codec, videos = sample
    dataset = load_dataset(name)
    protocols = [each.name for each in dataset.protocols if "J" in each.measures]
    assert protocols
    for protocol in protocols:
        choice = Choice(root=real_data / folder, split=split, videos=videos, protocol=protocol, measures=("J",))
        selection = select(dataset, choice)
        for video in selection.videos if protocol == protocols[0] else ():
            assert (video.layout, video.codec) == (layout, codec)
            for index, path in video.annotations.items():
                mask = images.read_mask(path, video.codec)
                assert 0 < mask.mean() < 0.6
                assert mask.shape == size(video.frames[index])
                images.write_png(tmp_path / video.name / f"{video.frames[index].stem}.png", mask * np.uint8(255))
        record, _, _ = score(tmp_path, selection)
        assert {values["J_mean"] for values in record.videos.values()} == {1.0}, protocol
        assert record.scores["J_mean"] == 1.0
        assert record.split_size == (len(selection.listing) if len(selection.listing) > len(videos) else None)


@pytest.mark.parametrize(
    ("name", "folder", "split", "found"),
    [
        ("davis16", "DAVIS", "val", None),
        ("fbms", "FBMS", "test", {"cars1": (19, 3), "cars10": (30, 4), "marple12": (112, 8), "people1": (40, 5)}),
        ("fbms", "FBMS", "train", {"bear01": (100, 6), "cars2": (30, 4)}),
        ("ytobj", "YouTube-Objects", "test", {"aeroplane_0001": (61, 7)}),
        ("visal", "ViSal", "test", {"gokart": (44, 9), "horse": (50, 10), "snow_leopards": (30, 6)}),
        ("duts", "DUTS-TR", "train", None),
    ],
)
def test_counts(real_data: Path, name: str, folder: str, split: str, found: dict[str, tuple[int, int]] | None) -> None:
    videos = load_dataset(name).videos(real_data / folder, split)
    counts = {video.name: (len(video), len(video.annotations)) for video in videos}
    if found is not None:
        assert counts == found
    else:
        frames, annotations = (sum(column) for column in zip(*counts.values(), strict=True))
        assert frames == annotations == {"davis16": 1376, "duts": 499}[name]


def test_visal_and_youtube_objects_verify(real_data: Path) -> None:
    for name, folder, split, whole in (
        ("visal", "ViSal", "test", 3),
        ("ytobj", "YouTube-Objects", "test", 1),
        ("fbms", "FBMS", "test", 4),
    ):
        report = verify(load_dataset(name), real_data / folder, split)
        assert report.complete == whole
        assert {each.message for each in report.findings} == {"is missing"}


def test_codecs_agree_as_far_as_the_specification_says(real_data: Path) -> None:
    """Berkeley labels of at most 25 would be lost by antonilo's reading; these videos have none."""
    dataset = load_dataset("fbms")
    for split in dataset.splits:
        exact = dataset.videos(real_data / "FBMS", split)
        other = dataset.videos(real_data / "FBMS", split, "fbms-official-antonilo")
        for one, two in zip(exact, other, strict=True):
            for path in one.annotations.values():
                assert (images.read_mask(path, one.codec) == images.read_mask(path, two.codec)).all()
                assert ((images.read_regions(path, one.codec) > 0) == images.read_mask(path, one.codec)).all()


def test_regions_of_marple12(real_data: Path) -> None:
    video = next(each for each in load_dataset("fbms").videos(real_data / "FBMS", "test") if each.name == "marple12")
    labels = images.read_regions(video.annotations[0], video.codec)
    assert (labels.dtype, np.unique(labels).tolist()) == (np.int32, [0, 77, 179, 255])


def test_perfect_regions(real_data: Path, tmp_path: Path) -> None:
    choice = Choice(root=real_data / "FBMS", videos=("cars10", "marple12"), protocol="fbms-objects")
    selection = select(load_dataset("fbms"), choice)
    for video in selection.videos:
        for index, path in video.annotations.items():
            labels = images.read_regions(path, video.codec)
            images.write_png(tmp_path / video.name / f"{video.frames[index].stem}.png", labels.astype(np.uint8))
    record, _, _ = score(tmp_path, selection, codec="nonzero")
    assert [record.videos[name]["OB_F"] for name in ("cars10", "marple12")] == [1, 1]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("dataset", "folder", "video"),
    [("fbms", "FBMS", "cars10"), ("ytobj", "YouTube-Objects", "aeroplane_0001"), ("visal", "ViSal", "gokart")],
)
def test_a_method_runs_on_it(cli: Cli, real_data: Path, tmp_path: Path, dataset: str, folder: str, video: str) -> None:
    words = ("--dataset", dataset, "--root", real_data / folder, "--videos", video, "--limit", "2", "--untrained")
    done = cli("run", "--method", "adnet.tiny", *words)
    assert done.returncode == 0, done.stderr
    assert "not for a leaderboard: untrained, only 2 frames of each video" in done.stdout
    assert len(list((tmp_path / "results" / dataset / "adnet.tiny+limit2" / video).glob("*.png"))) == 2
