"""Whole methods at the sizes of the papers: attention, anchors, mirrored views, empty masks."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.method import Setup
from vosbench.method.nn.layers import attend
from vosbench.method.nn.tta import Ensemble, EnsemblePredictor, Views
from vosbench.method.nn.views import FULL_VIEW, AlignedView
from vosbench.methods import adnet as adnet_method
from vosbench.methods import f2net as f2net_method
from vosbench.methods.adnet import network as adnet
from vosbench.methods.adnet.tta import PRESETS, SCALES
from vosbench.methods.f2net import network as f2net
from vosbench.methods.f2net.attention import guided

Shake = Callable[..., Any]
SIDE = 97


@pytest.fixture(scope="module")
def guided_net(shake: Shake) -> nn.Module:
    noise = torch.Generator().manual_seed(6)
    pair = [torch.randn(2, 3, SIDE, SIDE, generator=noise) * 60 for _ in range(2)]
    net: nn.Module = shake(
        f2net.F2Net(f2net.VARIANTS["tiny"]), *pair, torch.rand(2, 1, 25, 25), torch.full((2, 2), 30.0)
    )
    return net


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the smallest F2Net even smaller inputs."""
    monkeypatch.setitem(f2net.VARIANTS, "tiny", replace(f2net.VARIANTS["tiny"], side=SIDE))


def saved(net: nn.Module, path: Path, **changes: Tensor) -> Path:
    weights = {name.replace("__", "."): value for name, value in changes.items()}
    save_file(net.state_dict() | weights, path)
    return path


# Attention


def rows_of(query: Tensor, key: Tensor, value: Tensor, rows: list[int]) -> Tensor:
    """Some rows of softmax(Q Kᵀ / √C) V, (1, C, rows), in float64."""
    q, k, v = (x[0].double().flatten(1) for x in (query, key, value))
    logits = q[:, rows].T @ k / q.shape[0] ** 0.5
    shares = torch.exp(logits - logits.amax(dim=1, keepdim=True))
    return (v @ (shares / shares.sum(dim=1, keepdim=True)).T)[None]


@pytest.mark.parametrize(("channels", "height", "width"), [(128, 61, 108), (256, 60, 60)])
@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_attention_at_full_size_equals_the_naive_one(channels: int, height: int, width: int, scale: float) -> None:
    noise = torch.Generator().manual_seed(1)
    query, current = (scale * torch.randn(1, channels, height, width, generator=noise) for _ in range(2))
    prior = torch.rand(1, 1, height, width, generator=noise)
    rows = [0, 1, width - 1, width, height * width // 2, height * width - 1]
    for actual, key in ((attend(query, current, current), current), (guided(query, current, prior), current * prior)):
        expected = rows_of(query, key, current, rows)
        assert (actual.flatten(2)[:, :, rows] - expected).abs().max() <= 1e-5


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_guided_attention_never_builds_the_whole_matrix() -> None:
    code = (
        "import torch\n"
        "from vosbench.methods.f2net.attention import guided\n"
        "def peak():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM')) / 1024\n"
        "torch.set_num_threads(1)\n"
        "guided(*torch.randn(2, 1, 256, 4, 4), torch.rand(1, 1, 4, 4))\n"
        "query, current, prior = *torch.randn(2, 1, 256, 61, 108), torch.rand(1, 1, 61, 108)\n"
        "before = peak()\n"
        "guided(query, current, prior)\n"
        "print(peak() - before)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert float(shown) < 100


# The anchor


@pytest.mark.parametrize("scales", ["single", "multi"])
def test_an_anchor_encoded_once_equals_one_encoded_per_frame(
    scales: str, shake: Shake, clip: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = torch.randn(2, 2, 3, 65, 65, generator=torch.Generator().manual_seed(6)) * 60
    path = saved(shake(adnet.build("ad", adnet.TINY), *frames), tmp_path / "w.safetensors")
    setup = Setup(variant="tiny", weights=path, options={"scales": scales})
    calls: list[int] = []
    embed = adnet.AnchorDiffusion.embed
    monkeypatch.setattr(adnet.AnchorDiffusion, "embed", lambda self, x: calls.append(len(x)) or embed(self, x))
    clip = clip.first(2)
    maps = list(adnet_method.load(setup).predict(clip))
    assert len(calls) == len(clip) * (1 if scales == "single" else 3)
    for t, actual in enumerate(maps):
        alone = replace(clip, frames=(clip.frames[0], clip.frames[t]))
        assert np.array_equal(list(adnet_method.load(setup).predict(alone))[1], actual)


@pytest.mark.usefixtures("small")
def test_f2net_encodes_every_frame_once(
    guided_net: nn.Module, clip: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    encode = f2net.F2Net.encode
    monkeypatch.setattr(f2net.F2Net, "encode", lambda self, x: calls.append(len(x)) or encode(self, x))
    setup = Setup(variant="tiny", weights=saved(guided_net, tmp_path / "w.safetensors"))
    assert len(list(f2net_method.load(setup).predict(clip))) == len(clip)
    assert calls == [1] * len(clip)


# Views


def test_the_three_scales_have_the_feature_sizes_of_the_paper() -> None:
    with torch.device("meta"):
        net = adnet.build("ad").eval()
    views = [FULL_VIEW.rescaled(scale) for scale in SCALES]
    actual = [net.embed(torch.empty(1, 3, view.height, view.width, device="meta")).shape[2:] for view in views]
    assert [tuple(size) for size in actual] == [(45, 81), (61, 108), (91, 161)]


def test_upright_and_mirrored_views_by_hand(shake: Shake, clip: Video) -> None:
    view = AlignedView(height=65, width=97)
    frames = torch.randn(2, 2, 3, 65, 65, generator=torch.Generator().manual_seed(6)) * 60
    net = shake(adnet.build("ad", adnet.TINY), *frames)
    anchor, current = (view.prepare(read_frame(clip.frames[t]))[None] for t in (0, 4))
    with torch.inference_mode():
        upright, mirrored = net(anchor, current), net(anchor.flip(3), current.flip(3))
        large = [functional.interpolate(x, (70, 110), mode="bilinear", align_corners=True) for x in (upright, mirrored)]
        expected = (torch.sigmoid(large[0]) + torch.sigmoid(large[1]).flip(3)) / 2
    maps = EnsemblePredictor(Ensemble(net, Views((view,), mirror=True), torch.device("cpu")), PRESETS["paper"].saliency)
    actual = list(maps.predict(clip))[4]
    assert np.allclose(actual, expected[0, 0].numpy(), rtol=0, atol=1e-5)
    unturned = (torch.sigmoid(large[0]) + torch.sigmoid(large[1])) / 2
    assert np.abs(actual - unturned[0, 0].numpy()).max() > 1e-3


# Empty masks


@pytest.mark.usefixtures("small")
def test_an_empty_mask_passes_no_target_to_the_next_frame(guided_net: nn.Module, clip: Video, tmp_path: Path) -> None:
    for bias, empty in ((-1e4, True), (1e4, False)):
        path = saved(guided_net, tmp_path / "w.safetensors", cls__3__bias=torch.tensor([bias]))
        predictor = f2net_method.load(Setup(variant="tiny", weights=path))
        for actual in predictor.predict(clip):
            assert (actual > 0.5).any() != empty
            state = predictor.state()
            assert state["gauss"].any() != empty
            assert state["gauss"][0, 0] == 0
            assert (state["reach"][0] == -1) == empty
