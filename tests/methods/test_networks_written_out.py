"""The networks against a second implementation: functions of a state dict, layer by layer, matrices written out."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.methods.adnet import network as adnet
from vosbench.methods.f2net import network as f2net

State = dict[str, Tensor]
Shake = Callable[..., nn.Module]


def conv(s: State, name: str, x: Tensor, stride: int = 1, rate: int = 1) -> Tensor:
    weight = s[f"{name}.weight"]
    reach = (weight.shape[2] - 1) // 2 * rate
    return functional.conv2d(x, weight, s.get(f"{name}.bias"), stride, reach, rate)


def norm(s: State, name: str, x: Tensor, slope: float = 1.0) -> Tensor:
    weight, bias, mean, var = (
        s[f"{name}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
    )
    y = (x - mean) / torch.sqrt(var + 1e-5) * weight + bias
    return torch.where(y > 0, y, slope * y)


def bottleneck(s: State, name: str, x: Tensor, strides: tuple[int, int], rate: int) -> Tensor:
    y = norm(s, f"{name}.bn1", conv(s, f"{name}.conv1", x, strides[0]), 0)
    y = norm(s, f"{name}.bn2", conv(s, f"{name}.conv2", y, strides[1], rate), 0)
    y = norm(s, f"{name}.bn3", conv(s, f"{name}.conv3", y))
    if f"{name}.downsample.0.weight" in s:
        x = norm(s, f"{name}.downsample.1", conv(s, f"{name}.downsample.0", x, strides[0] * strides[1]))
    return functional.relu(x + y)


def stages(s: State, x: Tensor, strides: tuple[int, int], grid: tuple[int, ...]) -> list[Tensor]:
    x = functional.max_pool2d(x, 3, stride=2, padding=1, ceil_mode=True)
    levels = []
    for layer, rate in ((1, 1), (2, 1), (3, 2), (4, 4)):
        i = 0
        while f"layer{layer}.{i}.conv1.weight" in s:
            multiple = grid[i % len(grid)] if layer == 4 else 1
            name = f"layer{layer}.{i}"
            x = bottleneck(s, name, x, strides if (layer, i) == (2, 0) else (1, 1), rate * multiple)
            i += 1
        levels.append(x)
    return levels


def adnet_encoder(s: State, x: Tensor) -> Tensor:
    for i, stride in ((1, 2), (2, 1), (3, 1)):
        x = norm(s, f"bn{i}", conv(s, f"conv{i}", x, stride), 0)
    x = stages(s, x, (1, 2), (1, 2, 4))[-1]
    branches = [
        norm(s, f"head.0.conv{i}.1", conv(s, f"head.0.conv{i}.0", x, rate=rate), 0.01)
        for i, rate in ((1, 1), (2, 3), (3, 6), (4, 9))
    ]
    image = conv(s, "head.0.image_pooling.1", x.mean(dim=(2, 3), keepdim=True))
    image = norm(s, "head.0.image_pooling.2", image, 0.01)
    branches.append(functional.interpolate(image, x.shape[2:], mode="bilinear", align_corners=True))
    x = conv(s, "head.0.conv_bn_dropout.0", torch.cat(branches, dim=1))
    return conv(s, "head.1", norm(s, "head.0.conv_bn_dropout.1", x, 0.01))


def f2net_encoder(s: State, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    levels = stages(s, norm(s, "bn1", conv(s, "conv1", x, 2), 0), (2, 1), (1,))
    x = levels[-1]
    image = norm(s, "layer5.bn_x", conv(s, "layer5.conv", x.mean(dim=(2, 3), keepdim=True)), 0)
    branches = [functional.interpolate(image, x.shape[2:], mode="bilinear", align_corners=True)]
    for i, rate in enumerate((1, 2, 4, 6)):
        branches.append(norm(s, f"layer5.bn_{i}", conv(s, f"layer5.conv2d_{i}", x, rate=rate), 0))
    x = norm(s, "layer5.bn", conv(s, "layer5.bottleneck", torch.cat(branches, dim=1)))
    return torch.where(x > 0, x, x * s["layer5.prelu.weight"]), levels


def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    q, k, v = (x.flatten(2) for x in (query, key, value))
    weights = torch.softmax(q.transpose(1, 2) @ k / q.shape[1] ** 0.5, dim=-1)
    return (weights @ v.transpose(1, 2)).transpose(1, 2).reshape(query.shape)


def below(s: State, prefix: str) -> State:
    return {name.removeprefix(prefix): value for name, value in s.items() if name.startswith(prefix)}


def adnet_forward(variant: str, s: State, reference: Tensor, current: Tensor) -> Tensor:
    if variant == "base":
        return adnet_encoder(s, current)
    x0, xt = (adnet_encoder(below(s, "features."), x) for x in (reference, current))
    inter, intra = attention(x0, xt, xt), attention(xt, xt, xt)
    streams = {"intra": [intra, xt], "concat": [x0, xt], "inter": [inter, xt], "ad": [inter, intra, xt]}
    hidden = norm(s, "cls.1", conv(s, "cls.0", torch.cat(streams[variant], dim=1)), 0.01)
    return conv(s, "cls.3", hidden)


def heat(s: State, levels: list[Tensor], previous: Tensor) -> Tensor:
    x = None
    for i, level in enumerate(levels[::-1], 1):
        unit = f"upsample.up{i}"
        y = norm(s, f"{unit}.bn1", conv(s, f"{unit}.u_skip", level))
        if x is not None:
            x = functional.interpolate(x, level.shape[2:], mode="bilinear", align_corners=False)
            y = y + norm(s, f"{unit}.bn2", conv(s, f"{unit}.up_conv", x))
        x = functional.relu(y)
    u = norm(s, "upsample.up4.bn5", conv(s, "upsample.up4.cross_conv", x), 0)
    both = torch.cat([u, previous], dim=1)
    scale, shift = (torch.sigmoid(conv(s, f"motion_conv_{name}", both)) for name in "wb")
    return scale * previous + shift + conv(s, "fc.2", functional.relu(conv(s, "fc.0", u)))


def f2net_forward(config: f2net.Config, s: State, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    current, reference, _, centres = inputs
    encoder = below(s, "encoder.")
    (v0, _), (vt, _) = (f2net_encoder(encoder, x) for x in (reference, current))
    auxiliary = conv(encoder, "main_classifier", vt)
    if not config.attention:
        return auxiliary, auxiliary
    y, x = torch.meshgrid(torch.arange(current.shape[2]), torch.arange(current.shape[3]), indexing="ij")
    away = (x - centres[:, 0, None, None]) ** 2 + (y - centres[:, 1, None, None]) ** 2
    prior = torch.exp(-away / 2 / config.guide.sigma**2)[:, None]
    prior = functional.interpolate(prior, vt.shape[2:], mode="bilinear", align_corners=False)
    key = vt if config.guidance == "none" else vt * prior
    parts = [attention(v0, key, vt), attention(vt, key, vt), vt]
    for step in config.fusion:
        total = sum(parts)
        if step == "channel":
            hidden = conv(s, "channel_attention_conv1", total.mean(dim=(2, 3), keepdim=True))
            weights = conv(s, "channel_attention_conv2", norm(s, "channel_attention_bn", hidden, 0))
            weights = torch.softmax(weights.view(len(vt), 3, -1, 1, 1), dim=1)
        else:
            weights = torch.softmax(conv(s, "spatial_attention_conv", total), dim=1)[:, :, None]
        parts = [part * weights[:, i] for i, part in enumerate(parts)]
    fused = sum(parts) if config.fusion else torch.cat(parts, dim=1)
    return conv(s, "cls.3", norm(s, "cls.1", conv(s, "cls.0", fused), 0)), auxiliary


@pytest.mark.parametrize("variant", ["base", *adnet.STREAMS])
def test_adnet_written_out(variant: str, shake: Shake) -> None:
    noise = torch.Generator().manual_seed(8)
    pair = [torch.randn(2, 3, 57, 82, generator=noise) * 60 for _ in range(2)]
    net = shake(adnet.build(variant, adnet.TINY), *pair)
    with torch.inference_mode():
        assert torch.allclose(net(*pair), adnet_forward(variant, net.state_dict(), *pair), rtol=0, atol=1e-4)


@pytest.mark.parametrize("variant", [name for name in f2net.VARIANTS if not name.startswith("tiny-")])
def test_f2net_written_out(variant: str, shake: Shake) -> None:
    tiny = f2net.VARIANTS["tiny"]
    config = replace(f2net.VARIANTS[variant], encoder=tiny.encoder, guide=tiny.guide)
    noise = torch.Generator().manual_seed(9)
    current, reference = (torch.randn(2, 3, 90, 97, generator=noise) * 60 for _ in range(2))
    centres = torch.tensor([[20.0, 30.0], [70.0, 64.5]])
    inputs = current, reference, torch.rand(2, 1, 23, 25, generator=noise), centres
    net = shake(f2net.F2Net(config), *inputs)
    with torch.inference_mode():
        output = net(*inputs)
        mask, auxiliary = f2net_forward(config, net.state_dict(), inputs)
        assert torch.allclose(output.mask, mask, rtol=0, atol=1e-4)
        assert torch.allclose(output.auxiliary, auxiliary, rtol=0, atol=1e-4)
        if output.heat is not None:
            levels = f2net_encoder(below(net.state_dict(), "encoder."), current)[1]
            assert torch.allclose(output.heat, heat(net.state_dict(), levels, inputs[2]), rtol=0, atol=1e-4)
