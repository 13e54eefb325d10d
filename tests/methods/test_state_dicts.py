"""Names, shapes and numbers of weights: what released checkpoints need to find."""

import pytest
import torch
from torch import nn

from vosbench.method.nn.deeplab import AdnetDeepLab, F2netDeepLab
from vosbench.methods.adnet import network as adnet
from vosbench.methods.f2net import network as f2net

BN = ("weight", "bias", "running_mean", "running_var")
BLOCKS = (3, 4, 23, 3)


def norms(*names: str) -> set[str]:
    return {f"{name}.{part}" for name in names for part in BN}


def backbone() -> set[str]:
    keys = set()
    for layer, blocks in enumerate(BLOCKS, 1):
        keys |= {f"layer{layer}.0.downsample.0.weight"} | norms(f"layer{layer}.0.downsample.1")
        for i in range(blocks):
            block = f"layer{layer}.{i}"
            keys |= {f"{block}.conv{k}.weight" for k in (1, 2, 3)} | norms(*(f"{block}.bn{k}" for k in (1, 2, 3)))
    return keys


def adnet_keys(prefix: str) -> set[str]:
    pyramid = [f"head.0.conv{k}" for k in (1, 2, 3, 4)] + ["head.0.conv_bn_dropout"]
    keys = backbone() | {f"conv{k}.weight" for k in (1, 2, 3)} | norms("bn1", "bn2", "bn3")
    keys |= {f"{name}.0.weight" for name in pyramid} | norms(*(f"{name}.1" for name in pyramid))
    keys |= {"head.0.image_pooling.1.weight"} | norms("head.0.image_pooling.2") | {"head.1.weight", "head.1.bias"}
    keys |= {"dsn.0.weight", "dsn.3.weight", "dsn.3.bias"} | norms("dsn.1")
    return {prefix + key for key in keys}


def f2net_encoder_keys(prefix: str) -> set[str]:
    pyramid = ["conv", "conv2d_0", "conv2d_1", "conv2d_2", "conv2d_3", "bottleneck"]
    keys = backbone() | {"conv1.weight", "layer5.prelu.weight"} | norms("bn1")
    keys |= {f"layer5.{name}.{part}" for name in pyramid for part in ("weight", "bias")}
    keys |= norms(*(f"layer5.{name}" for name in ("bn_x", "bn_0", "bn_1", "bn_2", "bn_3", "bn")))
    keys |= {"main_classifier.weight", "main_classifier.bias"}
    return {prefix + key for key in keys}


CENTRE = {f"upsample.up{k}.u_skip.weight" for k in (1, 2, 3, 4)} | norms(*(f"upsample.up{k}.bn1" for k in (1, 2, 3, 4)))
CENTRE |= {f"upsample.up{k}.up_conv.weight" for k in (2, 3, 4)} | norms(*(f"upsample.up{k}.bn2" for k in (2, 3, 4)))
CENTRE |= {"upsample.up4.cross_conv.weight"} | norms("upsample.up4.bn5")
CENTRE |= {f"{name}.{part}" for name in ("fc.0", "fc.2", "motion_conv_w", "motion_conv_b") for part in BN[:2]}
CHANNEL = {"channel_attention_conv1.weight", "channel_attention_conv2.weight"} | norms("channel_attention_bn")
SPATIAL = {"spatial_attention_conv.weight"}
CLS = {"cls.0.weight", "cls.0.bias", "cls.3.weight", "cls.3.bias"} | norms("cls.1")


def keys_of(net: nn.Module) -> set[str]:
    return {key for key in net.state_dict() if not key.endswith("num_batches_tracked")}


def count(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


@pytest.mark.parametrize(
    ("variant", "number", "parameters", "inputs"),
    [
        ("base", 569, 79_070_146, 0),
        ("concat", 577, 79_233_729, 256),
        ("intra", 577, 79_233_729, 256),
        ("inter", 577, 79_233_729, 256),
        ("ad", 577, 79_250_113, 384),
    ],
)
def test_adnet_is_the_released_network(variant: str, number: int, parameters: int, inputs: int) -> None:
    with torch.device("meta"):
        net = adnet.build(variant)
    wanted = adnet_keys("features.") | CLS if inputs else adnet_keys("")
    assert keys_of(net) == wanted
    assert len(wanted) == number
    assert count(net) == parameters
    if inputs:
        assert net.state_dict()["cls.0.weight"].shape == (128, inputs, 1, 1)


@pytest.mark.parametrize(
    ("variant", "parameters", "modules"),
    [
        ("base", 78_815_810, set()),
        ("ad", 79_013_443, CLS),
        ("cgad", 80_361_288, CLS | CENTRE),
        ("cgad-sa", 80_230_984, CLS | CENTRE | SPATIAL),
        ("cgad-ca", 80_246_632, CLS | CENTRE | CHANNEL),
        ("cgad-sca", 80_247_400, CLS | CENTRE | CHANNEL | SPATIAL),
        ("cgad-csa", 80_247_400, CLS | CENTRE | CHANNEL | SPATIAL),
        ("cgad-csa-max", 80_247_400, CLS | CENTRE | CHANNEL | SPATIAL),
        ("released", 80_247_400, CLS | CENTRE | CHANNEL | SPATIAL),
    ],
)
def test_f2net_variants_have_only_the_modules_they_use(variant: str, parameters: int, modules: set[str]) -> None:
    with torch.device("meta"):
        net = f2net.F2Net(f2net.VARIANTS[variant])
    assert keys_of(net) == f2net_encoder_keys("encoder.") | modules
    assert count(net) == parameters
    if variant == "released":
        assert len(net.state_dict()) == 742


def test_deeplabv3_presets_are_the_two_encoders() -> None:
    with torch.device("meta"):
        ours, theirs = AdnetDeepLab(), F2netDeepLab()
    assert keys_of(ours) == adnet_keys("")
    assert count(ours) == 79_070_146
    assert keys_of(theirs) == f2net_encoder_keys("")
    assert count(theirs) == 78_815_810


def test_tiny_networks_are_tiny() -> None:
    with torch.device("meta"):
        nets = [adnet.build("ad", adnet.TINY), f2net.F2Net(f2net.VARIANTS["tiny"]), adnet.build("base", adnet.TINY)]
    assert all(count(net) <= 3_000_000 for net in nets)


def test_heat_starts_improbable() -> None:
    bias = f2net.F2Net(f2net.VARIANTS["tiny"]).state_dict()["fc.2.bias"]
    assert bias.item() == pytest.approx(-2.19)


def test_strides_and_dilations() -> None:
    with torch.device("meta"):
        ours, theirs = adnet.build("ad").features, f2net.F2Net(f2net.VARIANTS["base"]).encoder
    assert [block.conv2.dilation[0] for block in ours.layer4] == [4, 8, 16]
    assert [block.conv2.dilation[0] for block in theirs.layer4] == [4, 4, 4]
    assert {block.conv2.dilation[0] for net in (ours, theirs) for block in net.layer3} == {2}
    assert (ours.layer2[0].conv1.stride, ours.layer2[0].conv2.stride) == ((1, 1), (2, 2))
    assert (theirs.layer2[0].conv1.stride, theirs.layer2[0].conv2.stride) == ((2, 2), (1, 1))
    assert [getattr(ours.head[0], f"conv{k}")[0].dilation[0] for k in (2, 3, 4)] == [12, 24, 36]
    assert [getattr(theirs.layer5, f"conv2d_{k}").dilation[0] for k in (1, 2, 3)] == [6, 12, 18]
