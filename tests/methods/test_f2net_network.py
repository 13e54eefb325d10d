"""Centre-guided attention and fusion: the properties that distinguish the variants."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from vosbench.methods.f2net.attention import channel_weights, gauss, guided, spatial_weights
from vosbench.methods.f2net.network import VARIANTS, F2Net

Shake = Callable[..., F2Net]
TINY = VARIANTS["tiny"]
SIDE = 97


@pytest.fixture(scope="module")
def inputs() -> tuple[torch.Tensor, ...]:
    noise = torch.Generator().manual_seed(2)
    current, reference = (torch.randn(2, 3, SIDE, SIDE, generator=noise) * 60 for _ in range(2))
    return current, reference, torch.rand(2, 1, 25, 25, generator=noise), torch.tensor([[20.0, 30.0], [70.0, 64.0]])


def tiny(variant: str, **changes: Any) -> F2Net:
    config = VARIANTS[variant]
    return F2Net(replace(config, encoder=TINY.encoder, guide=TINY.guide, **changes))


def naive(query: torch.Tensor, current: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
    """Eq. (5) to (8) with the matrix written out, in float64."""
    q, v, g = (x.double().flatten(2) for x in (query, current, prior))
    similarity = torch.softmax(q.transpose(1, 2) @ (v * g) / q.shape[1] ** 0.5, dim=-1)
    return (similarity @ v.transpose(1, 2)).transpose(1, 2).reshape(current.shape)


def embeddings() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    noise = torch.Generator().manual_seed(4)
    query, current = (torch.randn(2, 16, 6, 5, generator=noise) for _ in range(2))
    return query, current, torch.rand(2, 1, 6, 5, generator=noise)


def test_the_prior_acts_before_the_softmax() -> None:
    query, current, prior = embeddings()
    assert torch.allclose(guided(query, current, prior).double(), naive(query, current, prior), atol=1e-5)


def test_a_prior_of_one_guides_nothing() -> None:
    query, current, prior = embeddings()
    assert torch.equal(guided(query, current, torch.ones_like(prior)), guided(query, current, None))


def test_a_prior_of_zero_gives_the_mean() -> None:
    query, current, prior = embeddings()
    mean = current.mean(dim=(2, 3), keepdim=True).expand_as(current)
    assert torch.allclose(guided(query, current, torch.zeros_like(prior)), mean, atol=1e-6)


def test_guidance_after_the_softmax_scales_the_output() -> None:
    query, current, prior = embeddings()
    assert torch.equal(guided(query, current, prior, "post"), guided(query, current, None) * prior)
    assert torch.equal(guided(query, current, prior, "none"), guided(query, current, None))


def test_gauss_maps_have_their_peak_on_the_centre() -> None:
    maps = gauss(torch.tensor([[236.0, 100.0], [0.0, 472.0]]), (473, 473), (60, 60), 15)
    assert maps.shape == (2, 1, 60, 60)
    assert divmod(int(maps[0].argmax()), 60) in {(12, 29), (12, 30)}
    assert divmod(int(maps[1].argmax()), 60) == (59, 0)
    assert 0.9 < maps[0].max() <= 1
    assert 45 <= int((maps[0] > 0.1).sum()) <= 55


@pytest.mark.parametrize(
    "variant", [name for name in VARIANTS if name != "cgad-csa-max" and not name.startswith(("tiny", "lite"))]
)
def test_inputs_that_each_variant_uses(variant: str, shake: Shake, inputs: tuple[torch.Tensor, ...]) -> None:
    current, reference, previous, centres = inputs
    net = shake(tiny(variant), *inputs)
    with torch.inference_mode():
        out = net(*inputs)
        moved = net(current, reference, previous, centres.flip(0))
        other = net(current, current, previous, centres)
        blind = net(current, reference, torch.zeros_like(previous), centres)
    assert out.mask.shape == out.auxiliary.shape == (2, 1, 13, 13)
    assert torch.equal(out.mask, moved.mask) == (not variant.startswith("cgad"))
    assert torch.equal(out.mask, other.mask) == (variant == "base")
    assert torch.equal(out.mask, blind.mask)
    assert (out.heat is None) == (variant in {"base", "ad"})
    if out.heat is not None:
        assert out.heat.shape == (2, 1, 25, 25)
        assert not torch.equal(out.heat, blind.heat)
        assert torch.equal(out.heat, moved.heat)
    if variant == "base":
        assert torch.equal(out.mask, out.auxiliary)


def test_guidance_by_ones_is_no_guidance(shake: Shake, inputs: tuple[torch.Tensor, ...]) -> None:
    guided_net = shake(tiny("cgad"), *inputs)
    plain = tiny("ad").eval()
    plain.load_state_dict({k: v for k, v in guided_net.state_dict().items() if k in plain.state_dict()})
    with torch.inference_mode():
        anchor, current = guided_net.embed(inputs[1]), guided_net.embed(inputs[0])
        ones = torch.ones(2, 1, *current.shape[2:])
        assert torch.equal(guided_net.segment(anchor, current, ones), plain.segment(anchor, current))


def test_weights_of_streams_sum_to_one() -> None:
    streams = torch.randn(2, 3, 32, 4, 5)
    squeeze, excite = torch.nn.Conv2d(32, 2, 1), torch.nn.Conv2d(2, 96, 1)
    by_channel = channel_weights(streams, squeeze, excite)
    by_position = spatial_weights(streams, torch.nn.Conv2d(32, 3, 1))
    assert by_channel.shape == (2, 3, 32, 1, 1)
    assert by_position.shape == (2, 3, 1, 4, 5)
    for weights in (by_channel, by_position):
        assert torch.allclose(weights.sum(dim=1), torch.ones(()), atol=1e-6)


@pytest.mark.parametrize("order", [("channel", "spatial"), ("spatial", "channel"), ("channel",), ("spatial",)])
def test_fusion_written_out(order: tuple[str, ...], shake: Shake, inputs: tuple[torch.Tensor, ...]) -> None:
    net = shake(tiny("cgad-csa", fusion=order, spare=True), *inputs)
    inter, intra, current = torch.randn(3, 2, 64, 4, 5)
    with torch.inference_mode():
        fused = net.fuse(torch.stack([inter, intra, current], dim=1))
        parts = [inter, intra, current]
        for step in order:
            total = parts[0] + parts[1] + parts[2]
            if step == "channel":
                hidden = net.channel_attention_bn(net.channel_attention_conv1(total.mean(dim=(2, 3), keepdim=True)))
                weights = net.channel_attention_conv2(hidden.relu()).view(2, 3, 64, 1, 1).softmax(dim=1)
            else:
                weights = net.spatial_attention_conv(total).softmax(dim=1).view(2, 3, 1, 4, 5)
            parts = [part * weights[:, k] for k, part in enumerate(parts)]
    assert torch.allclose(fused, parts[0] + parts[1] + parts[2], atol=1e-5)


def test_concatenation_keeps_the_order_of_the_streams() -> None:
    streams = torch.randn(2, 3, 64, 4, 5)
    assert torch.equal(tiny("cgad").fuse(streams), torch.cat([streams[:, k] for k in range(3)], dim=1))


def test_heat_is_the_paper_s_sum(shake: Shake, inputs: tuple[torch.Tensor, ...]) -> None:
    net = shake(tiny("cgad"), *inputs)
    previous = inputs[2]
    with torch.inference_mode():
        pyramid = net.encode(inputs[0]).pyramid
        decoded = net.upsample(pyramid)
        both = torch.cat([decoded, previous], dim=1)
        gated = torch.sigmoid(net.motion_conv_w(both)) * previous + torch.sigmoid(net.motion_conv_b(both))
        assert decoded.shape == (2, 16, 25, 25)
        assert torch.equal(net.locate(pyramid, previous), gated + net.fc(decoded))


def test_training_reaches_every_weight() -> None:
    net = F2Net(VARIANTS["tiny"]).train()
    frames = torch.randn(2, 3, 65, 65)
    out = net(frames, frames.flip(0), torch.rand(2, 1, 17, 17), torch.tensor([[9.0, 9.0], [30.0, 40.0]]))
    (out.mask.sum() + out.auxiliary.sum() + out.heat.sum()).backward()
    assert not [name for name, weight in net.named_parameters() if weight.grad is None]
