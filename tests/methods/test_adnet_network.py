"""Anchor diffusion against a naive reference, and the properties that define it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from vosbench.methods.adnet.network import STREAMS, TINY, AnchorDiffusion, build, diffuse

Shake = Callable[..., AnchorDiffusion]

VARIANTS = ["base", *STREAMS]


def pair(channels: int = 16, height: int = 5, width: int = 7, batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.Generator().manual_seed(3)
    return tuple(torch.randn(batch, channels, height, width, generator=noise) for _ in range(2))


def naive(anchor: torch.Tensor, current: torch.Tensor) -> torch.Tensor:
    """Position by position, in float64."""
    out = torch.empty_like(current, dtype=torch.float64)
    channels, width = current.shape[1], current.shape[3]
    for b in range(len(current)):
        x0, xt = (x[b].double().reshape(channels, -1) for x in (anchor, current))
        for i in range(xt.shape[1]):
            weights = torch.exp(x0[:, i] @ xt / channels**0.5)
            out[b, :, i // width, i % width] = (xt * (weights / weights.sum())).sum(dim=1)
    return out


def test_diffusion_equals_the_naive_reference() -> None:
    anchor, current = pair()
    assert torch.allclose(diffuse(anchor, current).double(), naive(anchor, current), atol=1e-5)
    assert torch.allclose(diffuse(anchor, current, "current").double(), naive(current, anchor), atol=1e-5)


def test_a_frame_that_is_its_own_anchor() -> None:
    _, current = pair()
    assert torch.equal(diffuse(current, current), diffuse(current, current, "current"))


def test_anchor_positions_move_the_output_and_current_ones_do_not() -> None:
    anchor, current = pair(batch=1)
    order = torch.randperm(35, generator=torch.Generator().manual_seed(0))

    def permute(x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2)[:, :, order].reshape(x.shape)

    out = diffuse(anchor, current)
    assert torch.allclose(diffuse(permute(anchor), current), permute(out), atol=1e-6)
    assert torch.allclose(diffuse(anchor, permute(current)), out, atol=1e-6)


def test_diffused_embeddings_are_averages() -> None:
    anchor, current = pair()
    out = diffuse(anchor, current)
    low, high = current.amin(dim=(2, 3), keepdim=True), current.amax(dim=(2, 3), keepdim=True)
    assert bool(((out >= low - 1e-6) & (out <= high + 1e-6)).all())


@pytest.fixture(scope="module")
def frames() -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.Generator().manual_seed(5)
    return tuple(torch.randn(2, 3, 65, 81, generator=noise) * 60 for _ in range(2))


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_variants_with_an_anchor_use_it(variant: str, shake: Shake, frames: tuple[torch.Tensor, ...]) -> None:
    reference, current = frames
    net = shake(build(variant, TINY), reference, current)
    with torch.inference_mode():
        same = torch.equal(net(reference, current), net(current, current))
    assert same == (variant in {"base", "intra"})
    assert net.anchored == (not same)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cached_anchor_changes_nothing(variant: str, shake: Shake, frames: tuple[torch.Tensor, ...]) -> None:
    reference, current = frames
    net = shake(build(variant, TINY), reference, current)
    with torch.inference_mode():
        anchor = net.embed(reference)
        assert torch.equal(net.segment(anchor, net.embed(current)), net(reference, current))


def test_streams_enter_in_the_released_order(shake: Shake, frames: tuple[torch.Tensor, ...]) -> None:
    reference, current = frames
    net = shake(build("ad", TINY), reference, current)
    seen: list[torch.Tensor] = []
    net.cls.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        x0, xt = net.embed(reference), net.embed(current)
        net(reference, current)
        net(current, current)
    streams = [diffuse(x0, xt), diffuse(xt, xt), xt]
    assert torch.equal(seen[0], torch.cat(streams, dim=1))
    inter, intra, _ = seen[1].chunk(3, dim=1)
    assert torch.equal(inter, intra)


def test_alignment_is_a_choice_of_the_configuration(shake: Shake, frames: tuple[torch.Tensor, ...]) -> None:
    net = shake(build("inter", TINY), *frames)
    other = build("inter", replace(TINY, anchor_align="current")).eval()
    other.load_state_dict(net.state_dict())
    with torch.inference_mode():
        assert not torch.allclose(net(*frames), other(*frames), atol=1e-3)
        assert torch.equal(net(frames[0], frames[0]), other(frames[0], frames[0]))


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_attention_never_builds_the_whole_matrix() -> None:
    code = (
        "import torch\n"
        "from vosbench.methods.adnet.network import diffuse\n"
        "def peak():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM')) / 1024\n"
        "torch.set_num_threads(1)\n"
        "diffuse(*torch.randn(2, 1, 128, 4, 4))\n"
        "pair = torch.randn(2, 1, 128, 61, 108)\n"
        "before = peak()\n"
        "diffuse(*pair)\n"
        "print(peak() - before)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert float(shown) < 100
