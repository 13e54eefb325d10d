"""Weights: reading, fitting and writing, and encoders initialised from ResNets under several names."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError
from vosbench.method.nn import backbone
from vosbench.method.nn.backbone import fill_backbone
from vosbench.method.nn.checkpoint import read
from vosbench.method.nn.deeplab import F2NET_TINY, F2netEncoder
from vosbench.method.nn.weights import fill, write
from vosbench.methods.adnet.network import TINY, build
from vosbench.records.provenance import weights_card

DEEP = ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3")


class Pair(nn.Module):
    """An encoder under a prefix."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = F2netEncoder(F2NET_TINY)


def networks() -> list[tuple[Callable[[], nn.Module], str]]:
    return [
        (lambda: build("ad", TINY), "features."),
        (lambda: build("base", TINY), ""),
        (Pair, "encoder."),
    ]


def classifier(net: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Random weights of an ImageNet classifier with this backbone, with its own ``fc``."""
    torch.manual_seed(1)
    names = [name.removeprefix(prefix) for name in net.state_dict() if name.startswith(prefix)]
    kept = [name for name in names if name.split(".")[0] in {*DEEP, "layer1", "layer2", "layer3", "layer4"}]
    held = {name: net.state_dict()[prefix + name] for name in kept}
    tensors = {
        name: torch.randn(value.shape) if value.is_floating_point() else torch.tensor(7) for name, value in held.items()
    }
    return {**tensors, "fc.weight": torch.randn(10, 4), "fc.bias": torch.randn(10)}


@pytest.mark.parametrize(("make", "prefix"), networks(), ids=["pair", "base", "encoder"])
def test_all_of_the_backbone_and_nothing_else(make: Callable[[], nn.Module], prefix: str, tmp_path: Path) -> None:
    net = make()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    tensors = classifier(net, prefix)
    path = tmp_path / "resnet.pth"
    torch.save(tensors, path)
    assert (
        fill_backbone(net, path)
        == f'loaded the whole backbone from {len(tensors) - 2} of {len(tensors)} tensors in "{path}"'
    )
    for name, value in net.state_dict().items():
        inner = name.removeprefix(prefix) if name.startswith(prefix) else ""
        assert torch.equal(value, tensors.get(inner, before[name])), name


def resnet101(stem: tuple[tuple[int, int, int], ...]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a ResNet-101 as in torchvision and MIT-CSAIL, from the paper's table."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(conv: str, norm: str, out: int, channels: int, side: int) -> None:
        shapes[f"{conv}.weight"] = (out, channels, side, side)
        shapes.update({f"{norm}.{name}": (out,) for name in ("weight", "bias", "running_mean", "running_var")})
        shapes[f"{norm}.num_batches_tracked"] = ()

    for number, (out, channels, side) in enumerate(stem, start=1):
        layer(f"conv{number}", f"bn{number}", out, channels, side)
    channels = stem[-1][0]
    for stage, (blocks, planes) in enumerate(((3, 64), (4, 128), (23, 256), (3, 512)), start=1):
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            layer(f"{name}.conv1", f"{name}.bn1", planes, channels, 1)
            layer(f"{name}.conv2", f"{name}.bn2", planes, planes, 3)
            layer(f"{name}.conv3", f"{name}.bn3", 4 * planes, planes, 1)
            if block == 0:
                layer(f"{name}.downsample.0", f"{name}.downsample.1", 4 * planes, channels, 1)
            channels = 4 * planes
    return {**shapes, "fc.weight": (1000, 2048), "fc.bias": (1000,)}


@pytest.mark.parametrize(
    ("make", "stem", "tensors"),
    [
        (lambda: build("ad"), ((64, 3, 3), (64, 64, 3), (128, 64, 3)), 638),
        (lambda: build("base"), ((64, 3, 3), (64, 64, 3), (128, 64, 3)), 638),
        (F2netEncoder, ((64, 3, 7),), 626),
    ],
    ids=["adnet", "deeplabv3", "f2net"],
)
def test_the_full_networks_accept_a_whole_resnet101(
    make: Callable[[], nn.Module],
    stem: tuple[tuple[int, int, int], ...],
    tensors: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with torch.device("meta"):
        net = make()
        file = {name: torch.empty(shape) for name, shape in resnet101(stem).items()}
    monkeypatch.setattr(
        backbone,
        "read_resnet",
        lambda _path: backbone.Loaded(
            {usual: file[name] for usual, name in backbone.find_resnet(file).items()}, ("fc.weight", "fc.bias")
        ),
    )
    monkeypatch.setattr(backbone, "_holds", lambda _path, _wanted: False)
    assert f"from {tensors - 2} of {tensors} tensors" in fill_backbone(net, tmp_path, "bgr255")


def dressed(tensors: Mapping[str, Tensor], stem: tuple[str, ...]) -> dict[str, Tensor]:
    """The same weights with other names for the stem."""
    names = dict(zip(DEEP, stem, strict=True))
    return {
        ".".join([names.get(head := name.split(".")[0], head), *name.split(".")[1:]]): value
        for name, value in tensors.items()
    }


@pytest.mark.parametrize(
    "stem",
    [
        DEEP,
        ("conv1.0", "conv1.1", "conv1.3", "conv1.4", "conv1.6", "bn1"),
        ("stem.0", "stem.1", "stem.3", "stem.4", "stem.6", "stem.7"),
    ],
    ids=["mit", "nested", "stem"],
)
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_resnets_are_found_under_other_names(stem: tuple[str, ...], wrapper: str | None, tmp_path: Path) -> None:
    net = build("base", TINY)
    tensors = classifier(net, "")
    content: dict[str, object] = {f"module.{name}": value for name, value in dressed(tensors, stem).items()}
    path = tmp_path / "resnet.pth"
    torch.save({wrapper: content, "epoch": 3} if wrapper else content, path)
    fill_backbone(net, path)
    for name, value in net.state_dict().items():
        if name in tensors:
            assert torch.equal(value, tensors[name]), name


def test_the_backbone_of_another_network_fits(tmp_path: Path) -> None:
    pair, base = build("ad", TINY), build("base", TINY)
    save_file(pair.state_dict(), tmp_path / "pair.safetensors")
    fill_backbone(base, tmp_path / "pair.safetensors")
    assert torch.equal(base.layer1[0].conv1.weight, pair.features.layer1[0].conv1.weight)
    assert not torch.equal(base.dsn[0].weight, pair.features.dsn[0].weight)


def test_safetensors_and_files_without_counters(tmp_path: Path) -> None:
    net = build("base", TINY)
    tensors = {name: value for name, value in classifier(net, "").items() if not name.endswith("num_batches_tracked")}
    save_file(tensors, tmp_path / "resnet.safetensors")
    fill_backbone(net, tmp_path / "resnet.safetensors")
    assert torch.equal(net.layer4[2].bn3.running_var, tensors["layer4.2.bn3.running_var"])


def test_a_different_backbone_is_refused(tmp_path: Path) -> None:
    deep, plain = build("base", TINY), Pair()
    for name, net, prefix in (("deep.pth", deep, ""), ("plain.pth", plain, "encoder.")):
        torch.save(classifier(net, prefix), tmp_path / name)
    held = {name: value.clone() for name, value in deep.state_dict().items()}
    with pytest.raises(DataError, match=r"the plain stem of 7×7: 8, not the deep stem of 3×3: 8/8/16$"):
        fill_backbone(deep, tmp_path / "plain.pth")
    with pytest.raises(DataError, match=r"the deep stem of 3×3: 8/8/16, not the plain stem of 7×7: 8$"):
        fill_backbone(plain, tmp_path / "deep.pth")
    longer = {**classifier(deep, ""), "layer3.2.conv1.weight": torch.zeros(1)}
    torch.save(longer, tmp_path / "longer.pth")
    with pytest.raises(DataError, match=r"do not fit the ResNet of this network; unknown: layer3.2.conv1.weight$"):
        fill_backbone(deep, tmp_path / "longer.pth")
    shorter = {name: value for name, value in classifier(deep, "").items() if not name.startswith("layer4.2.")}
    torch.save(shorter, tmp_path / "shorter.pth")
    with pytest.raises(DataError, match=r"do not fit the ResNet of .*; missing: layer4.2.bn1.bias, .* and 12 more$"):
        fill_backbone(deep, tmp_path / "shorter.pth")
    for name, value in deep.state_dict().items():
        assert torch.equal(value, held[name])
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "fc.pth")
    with pytest.raises(DataError, match="do not hold one ResNet under the usual names"):
        fill_backbone(deep, tmp_path / "fc.pth")
    with pytest.raises(UsageError, match="needs a network with a ResNet"):
        fill_backbone(nn.Conv2d(1, 1, 1), tmp_path / "deep.pth")


def test_files_that_are_not_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("nothing of the kind")
    torch.save({"model": 3}, tmp_path / "number.pth")
    (tmp_path / "text.safetensors").write_text("nothing of the kind")
    for name in ("text.pth", "number.pth", "text.safetensors", "absent.pth"):
        with pytest.raises(DataError, match=f'weights ".*{name}" cannot be read: '):
            read(tmp_path / name)


def test_files_carry_their_origin(tmp_path: Path) -> None:
    about = {"method": "adnet.tiny", "seed": 3, "plan lr": 0.1, "weights": None}
    write(tmp_path / "a.safetensors", {"x": torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last)}, about)
    write(tmp_path / "b.safetensors", {"x": torch.ones(2, 3, 4, 4)}, dict(reversed(about.items())))
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert json.loads(file.metadata()["vosbench"]) == about
    assert weights_card(tmp_path / "a.safetensors") == about
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 64, b"\x02" + bytes(7) + b"{}", b"\x02" + bytes(7) + b"[]", b"\x09" + bytes(7) + b"{}"]
)
def test_files_without_an_origin(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(data)
    assert weights_card(tmp_path / "w.safetensors") == {}


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "w.safetensors", nn.Conv2d(1, 2, 3).state_dict(), {})
    shape = r"weights .* do not fit this network; of another shape: weight \(2, 1, 3, 3\) for \(2, 2, 3, 3\)$"
    with pytest.raises(DataError, match=shape):
        fill(nn.Conv2d(2, 2, 3), tmp_path / "w.safetensors")
    with pytest.raises(DataError, match=r"do not fit this network; unknown: bias$"):
        fill(nn.Conv2d(1, 2, 3, bias=False), tmp_path / "w.safetensors")
    write(tmp_path / "x.safetensors", {"weight": torch.ones(2), "bias": torch.ones(2), "x": torch.ones(1)}, {})
    with pytest.raises(DataError, match=r"do not fit this network; missing: running_mean, running_var; unknown: x$"):
        fill(nn.BatchNorm2d(2), tmp_path / "x.safetensors")


def test_a_file_of_two_resnets_is_refused(tmp_path: Path) -> None:
    net = build("base", TINY)
    tensors = classifier(net, "")
    torch.save({f"{side}.{name}": x for name, x in tensors.items() for side in ("left", "right")}, tmp_path / "two.pth")
    with pytest.raises(DataError, match="do not hold one ResNet"):
        fill_backbone(net, tmp_path / "two.pth")
