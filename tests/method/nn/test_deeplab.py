"""Encoders: sizes, and the batch normalisation of the released weights."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from vosbench.method.nn.deeplab import ADNET_TINY, F2NET_TINY, AdnetDeepLab, F2netDeepLab
from vosbench.method.nn.layers import BNAct
from vosbench.method.nn.weights import plain_scales
from vosbench.methods.adnet import network as adnet

Shake = Callable[..., nn.Module]
SIZES = {353: 45, 473: 60, 480: 61, 481: 61, 641: 81, 721: 91, 854: 107, 857: 108, 1281: 161}


def predicted(length: int) -> int:
    stem = (length - 1) // 2 + 1
    pooled = -((1 - stem) // 2) + 1
    if (pooled - 1) * 2 >= stem + 1:
        pooled -= 1
    return (pooled - 1) // 2 + 1


@pytest.mark.parametrize("length", [*SIZES, *range(120, 136)])
def test_feature_sizes_follow_the_formula(length: int) -> None:
    with torch.device("meta"):
        nets = AdnetDeepLab(ADNET_TINY).eval(), F2netDeepLab(F2NET_TINY).eval()
        frames = torch.empty(1, 3, length, 129)
    expected = (SIZES.get(length, predicted(length)), 17)
    assert predicted(length) == expected[0]
    for net in nets:
        assert net.embed(frames).shape[2:] == expected


def test_pyramid_of_f2net_has_the_sizes_of_the_paper() -> None:
    with torch.device("meta"):
        features = F2netDeepLab().eval()(torch.empty(1, 3, 473, 473))
    assert features.embedding.shape == (1, 256, 60, 60)
    assert [tuple(level.shape[1:]) for level in features.pyramid] == [
        (2048, 60, 60),
        (1024, 60, 60),
        (512, 60, 60),
        (256, 119, 119),
    ]


def test_full_size_adnet_has_the_sizes_of_the_paper() -> None:
    with torch.device("meta"):
        net = adnet.build("ad").eval()
        frames = torch.empty(1, 3, 481, 857)
    assert net.embed(frames).shape == (1, 128, 61, 108)
    assert net(frames, frames).shape == (1, 1, 61, 108)


class InPlaceABN(nn.BatchNorm2d):
    """The formula of the layer that AD-Net was trained with, written out."""

    slope = 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        column = [value[:, None, None] for value in (self.running_mean, self.running_var, self.weight, self.bias)]
        mean, var, weight, bias = column
        y = (x - mean) * torch.rsqrt(var + self.eps) * (weight.abs() + self.eps) + bias
        return torch.where(y >= 0, y, y * self.slope)


def as_trained(net: nn.Module) -> None:
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                layer = InPlaceABN(child.num_features)
                layer.slope = 0.01 if isinstance(child, BNAct) else 1.0
                layer.load_state_dict(child.state_dict())
                setattr(module, name, layer)


def test_released_scales_become_plain_ones(shake: Shake) -> None:
    frames = torch.randn(2, 3, 65, 81, generator=torch.Generator().manual_seed(1)) * 60
    plain = shake(adnet.build("ad", adnet.TINY), frames, frames.flip(0))
    released = {name: value.clone() for name, value in plain.state_dict().items()}
    trained = adnet.build("ad", adnet.TINY).eval()
    trained.load_state_dict(released)
    as_trained(trained)
    with torch.inference_mode():
        expected = trained.eval()(frames, frames.flip(0))
        naive = plain(frames, frames.flip(0))
        plain.load_state_dict(plain_scales(released))
        actual = plain(frames, frames.flip(0))
    scales = [value for name, value in released.items() if name.endswith("bn1.weight")]
    assert any(bool((scale < 0).any()) for scale in scales)
    assert torch.allclose(actual, expected, atol=1e-4)
    assert not torch.allclose(naive, expected, atol=0.1)


def test_only_scales_of_norms_are_rewritten() -> None:
    weights = {"a.weight": torch.tensor([-2.0]), "b.weight": torch.tensor([-2.0]), "b.running_mean": torch.zeros(1)}
    rewritten = plain_scales(weights)
    assert rewritten["a.weight"].item() == -2
    assert rewritten["b.weight"].item() == pytest.approx(2.00001)


def test_normalisation_activates_in_one_module() -> None:
    layer = BNAct(3).eval()
    x = torch.randn(2, 3, 4, 5)
    plain = functional.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias)
    assert torch.equal(layer(x), functional.leaky_relu(plain, 0.01))


def test_pooled_branches_are_concatenated_last_and_first(shake: Shake) -> None:
    frames = torch.randn(2, 3, 65, 65) * 60
    ours = shake(AdnetDeepLab(ADNET_TINY), frames)
    theirs = shake(F2netDeepLab(F2NET_TINY), frames)
    seen: list[torch.Tensor] = []
    ours.head[0].conv_bn_dropout.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    theirs.layer5.bottleneck.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        ours.embed(frames)
        theirs.embed(frames)
    flat = [x.flatten(2).var(dim=2).unflatten(1, (5, -1)).amax(dim=(0, 2)) < 1e-9 for x in seen]
    assert [branches.tolist() for branches in flat] == [[False] * 4 + [True], [True] + [False] * 4]
