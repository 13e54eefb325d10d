"""Every variant on whole videos with few and narrow layers, and at its full size on a few real frames."""

import importlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from vosbench.dataset import Video
from vosbench.datasets.sample import dataset, generate
from vosbench.images.files import read_levels
from vosbench.method import Method, Setup
from vosbench.method.nn.deeplab import ADNET_TINY, F2NET_TINY, AdnetDeepLab, F2netDeepLab
from vosbench.method.nn.views import AlignedView, SquashedView
from vosbench.method.predict import check_map, write_maps
from vosbench.methods.adnet import network as adnet
from vosbench.methods.adnet import predictor as adnet_predictor
from vosbench.methods.deeplabv3 import predictor as deeplab_predictor
from vosbench.methods.f2net import network as f2net

NAMES = ["deeplabv3", "adnet", "f2net"]
VIDEOS = ("dog", "parkour")


def method_of(name: str) -> Method:
    return importlib.import_module(f"vosbench.methods.{name}").method


FULL = [
    (name, variant)
    for name in NAMES
    for variant in method_of(name).variants
    if not variant.startswith(("tiny", "lite"))  # see test_lite.py
]


def real_video(real_data: Path, name: str, frames: int) -> Video:
    paths = sorted((real_data / "DAVIS" / "JPEGImages" / "480p" / name).glob("*.jpg"))
    assert len(paths) >= frames
    return Video(name=name, frames=tuple(paths[:frames]))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), FULL)
def test_every_variant_runs_on_real_videos(name: str, variant: str, real_data: Path) -> None:
    """With random weights at that depth, maps may be constant, so the encoded frames are checked instead."""
    predictor = method_of(name).load(Setup(variant=variant, seed=3))
    (deepest,) = (layer for each, layer in predictor.network.named_modules() if each.split(".")[-1] == "layer4")
    encoded: list[float] = []
    deepest.register_forward_hook(lambda _net, _inputs, output: encoded.append(float(output.abs().mean())))
    for video in (real_video(real_data, each, 2) for each in VIDEOS):
        maps = list(predictor.predict(video))
        assert len(maps) == 2
        for saliency in maps:
            check_map(saliency, (480, 854), video.name)
    assert np.isfinite(encoded).all()
    frames = 4 if name == "deeplabv3" or variant in {"base", "intra"} else 6  # with the anchor of each video
    assert len(encoded) == frames
    assert len(set(encoded)) == 4  # the first frame is its own anchor


@pytest.mark.slow
def test_six_views_run_on_a_real_frame(real_data: Path) -> None:
    predictor = method_of("adnet").load(Setup(seed=3, options={"scales": "multi"}))
    (saliency,) = predictor.predict(real_video(real_data, VIDEOS[0], 1))
    check_map(saliency, (480, 854), "six views")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Video:
    """The shortest of the sample dataset."""
    root = tmp_path_factory.mktemp("sample")
    generate(root, videos=["polygon-dash"])
    (video,) = dataset.videos(root, "val")
    return video


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every variant the layers of the tiny one."""
    for variant, config in f2net.VARIANTS.items():
        tiny = replace(config, encoder=f2net.VARIANTS["tiny"].encoder, side=97)
        monkeypatch.setitem(f2net.VARIANTS, variant, tiny)
    view = AlignedView(height=65, width=97)
    for variant in ("base", *adnet.STREAMS):
        monkeypatch.setitem(adnet_predictor.PRESETS, variant, (partial(adnet.build, variant, adnet.TINY), view))
    monkeypatch.setitem(deeplab_predictor.PRESETS, "adnet", (partial(AdnetDeepLab, ADNET_TINY), view))
    monkeypatch.setitem(deeplab_predictor.PRESETS, "f2net", (partial(F2netDeepLab, F2NET_TINY), SquashedView(side=97)))


@pytest.mark.parametrize(("name", "variant"), FULL)
def test_the_tiny_form_of_every_variant_runs_a_whole_video(
    name: str, variant: str, film: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    maps = 0
    for saliency in method_of(name).load(Setup(variant=variant, seed=3)).predict(film.unannotated()):
        check_map(saliency, (112, 192), variant)
        maps += 1
    assert maps == len(film) == 20


@pytest.mark.parametrize("name", NAMES)
def test_the_tiny_variant_writes_a_whole_video(name: str, film: Video, tmp_path: Path) -> None:
    predictor = method_of(name).load(Setup(variant="tiny", seed=3))
    done: list[int] = []
    write_maps(predictor, film, tmp_path, done.append)
    assert done == list(range(21))
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == [f"{t:05d}.png" for t in range(20)]
    for path, saliency in zip(files, predictor.predict(film.unannotated()), strict=True):
        assert np.array_equal(read_levels(path, "map"), np.rint(saliency.astype(np.float64) * 255))
