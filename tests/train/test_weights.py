"""ImageNet initialisation from files of several makers, and weights as they are handed out."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError
from vosbench.method.nn import backbone
from vosbench.method.nn.deeplab import F2NET_TINY, F2netEncoder
from vosbench.method.nn.state_dicts import fill, read
from vosbench.method.nn.weights import fill as fill_for_inference
from vosbench.methods.adnet.network import TINY, build
from vosbench.records.provenance import weights_card
from vosbench.train.checkpoint import export

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
    """What an ImageNet classifier with this backbone holds: random, with its own ``fc``."""
    torch.manual_seed(1)
    names = [name.removeprefix(prefix) for name in net.state_dict() if name.startswith(prefix)]
    kept = [name for name in names if name.split(".")[0] in {*DEEP, "layer1", "layer2", "layer3", "layer4"}]
    held = {name: net.state_dict()[prefix + name] for name in kept}
    found = {
        name: torch.randn(value.shape) if value.is_floating_point() else torch.tensor(7) for name, value in held.items()
    }
    return {**found, "fc.weight": torch.randn(10, 4), "fc.bias": torch.randn(10)}


@pytest.mark.parametrize(("make", "prefix"), networks(), ids=["pair", "base", "encoder"])
def test_all_of_the_backbone_and_nothing_else(make: Callable[[], nn.Module], prefix: str, tmp_path: Path) -> None:
    net = make()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = classifier(net, prefix)
    path = tmp_path / "resnet.pth"
    torch.save(found, path)
    assert backbone.fill(net, path) == f'{len(found) - 2} of {len(found)} tensors of "{path}" fill all of the backbone'
    for name, value in net.state_dict().items():
        inner = name.removeprefix(prefix) if name.startswith(prefix) else ""
        assert torch.equal(value, found.get(inner, before[name])), name


def resnet101(stem: tuple[tuple[int, int, int], ...]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a ResNet-101 as torchvision and MIT-CSAIL have them, from the paper's table."""
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
def test_the_full_networks_take_a_whole_resnet101(
    make: Callable[[], nn.Module],
    stem: tuple[tuple[int, int, int], ...],
    tensors: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with torch.device("meta"):
        net = make()
        file = {name: torch.empty(shape) for name, shape in resnet101(stem).items()}
    monkeypatch.setattr(backbone, "read", lambda _path: file)
    assert backbone.fill(net, tmp_path).startswith(f"{tensors - 2} of {tensors} tensors")


def dressed(found: Mapping[str, Tensor], stem: tuple[str, ...]) -> dict[str, Tensor]:
    """The same weights, the stem named otherwise."""
    names = dict(zip(DEEP, stem, strict=True))
    return {
        ".".join([names.get(head := name.split(".")[0], head), *name.split(".")[1:]]): value
        for name, value in found.items()
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
def test_names_of_several_makers(stem: tuple[str, ...], wrapper: str | None, tmp_path: Path) -> None:
    net = build("base", TINY)
    found = classifier(net, "")
    content: dict[str, object] = {f"module.{name}": value for name, value in dressed(found, stem).items()}
    path = tmp_path / "resnet.pth"
    torch.save({wrapper: content, "epoch": 3} if wrapper else content, path)
    backbone.fill(net, path)
    for name, value in net.state_dict().items():
        if name in found:
            assert torch.equal(value, found[name]), name


def test_the_backbone_of_another_network(tmp_path: Path) -> None:
    pair, base = build("ad", TINY), build("base", TINY)
    save_file(pair.state_dict(), tmp_path / "pair.safetensors")
    backbone.fill(base, tmp_path / "pair.safetensors")
    assert torch.equal(base.layer1[0].conv1.weight, pair.features.layer1[0].conv1.weight)
    assert not torch.equal(base.dsn[0].weight, pair.features.dsn[0].weight)


def test_safetensors_and_files_without_counters(tmp_path: Path) -> None:
    net = build("base", TINY)
    found = {name: value for name, value in classifier(net, "").items() if not name.endswith("num_batches_tracked")}
    save_file(found, tmp_path / "resnet.safetensors")
    backbone.fill(net, tmp_path / "resnet.safetensors")
    assert torch.equal(net.layer4[2].bn3.running_var, found["layer4.2.bn3.running_var"])


def test_another_backbone(tmp_path: Path) -> None:
    deep, plain = build("base", TINY), Pair()
    for name, net, prefix in (("deep.pth", deep, ""), ("plain.pth", plain, "encoder.")):
        torch.save(classifier(net, prefix), tmp_path / name)
    held = {name: value.clone() for name, value in deep.state_dict().items()}
    with pytest.raises(DataError, match=r"the plain stem of 7×7: 8, where it needs the deep stem of 3×3: 8/8/16$"):
        backbone.fill(deep, tmp_path / "plain.pth")
    with pytest.raises(DataError, match=r"the deep stem of 3×3: 8/8/16, where it needs the plain stem of 7×7: 8$"):
        backbone.fill(plain, tmp_path / "deep.pth")
    longer = {**classifier(deep, ""), "layer3.2.conv1.weight": torch.zeros(1)}
    torch.save(longer, tmp_path / "longer.pth")
    with pytest.raises(
        DataError, match=r"another ResNet .*; tensors that differ: 1, the first is layer3.2.conv1.weight"
    ):
        backbone.fill(deep, tmp_path / "longer.pth")
    shorter = {name: value for name, value in classifier(deep, "").items() if not name.startswith("layer4.2.")}
    torch.save(shorter, tmp_path / "shorter.pth")
    with pytest.raises(DataError, match=r"the first is layer4.2.conv1.weight, none where the network has \(64, 256, "):
        backbone.fill(deep, tmp_path / "shorter.pth")
    for name, value in deep.state_dict().items():
        assert torch.equal(value, held[name])
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "fc.pth")
    with pytest.raises(DataError, match="holds no ResNet under the usual names"):
        backbone.fill(deep, tmp_path / "fc.pth")
    with pytest.raises(UsageError, match="needs a network with a ResNet"):
        backbone.fill(nn.Conv2d(1, 1, 1), tmp_path / "deep.pth")


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("nothing of the kind")
    torch.save({"model": 3}, tmp_path / "number.pth")
    torch.save({"weights": Path("code")}, tmp_path / "code.pth")
    (tmp_path / "text.safetensors").write_text("nothing of the kind")
    for name in ("text.pth", "number.pth", "code.pth", "text.safetensors", "absent.pth"):
        with pytest.raises(DataError, match=f'weights ".*{name}" cannot be read: '):
            read(tmp_path / name)


def test_halved_weights_are_half_the_size_and_run(tmp_path: Path) -> None:
    torch.manual_seed(2)
    net = build("ad", TINY)
    net.features.bn1.running_var.fill_(1e6)  # beyond fp16, as variances of untouched pixels are
    net.features.conv2.weight.data[0, 0, 0, 0] = 1e6
    export(tmp_path / "full.safetensors", net.state_dict(), {"method": "adnet.tiny"})
    export(tmp_path / "half.safetensors", net.state_dict(), {"method": "adnet.tiny"}, half=True)
    full, half = (load_file(tmp_path / f"{name}.safetensors") for name in ("full", "half"))
    assert all(torch.equal(full[name], value) for name, value in net.state_dict().items())
    assert {value.dtype for value in half.values() if value.dim() == 1} == {torch.float32}
    wide = {name for name, value in half.items() if value.dim() > 1 and value.dtype == torch.float32}
    assert wide == {"features.conv2.weight"}
    ratio = (tmp_path / "half.safetensors").stat().st_size / (tmp_path / "full.safetensors").stat().st_size
    assert 0.5 < ratio < 0.55
    other = build("ad", TINY)
    fill_for_inference(other, tmp_path / "half.safetensors")
    for name, value in other.state_dict().items():
        assert value.dtype == full[name].dtype
        torch.testing.assert_close(value, full[name], rtol=1e-3, atol=1e-7)


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    about = {"method": "adnet.tiny", "seed": 3, "plan lr": 0.1, "weights": None}
    export(tmp_path / "a.safetensors", {"x": torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last)}, about)
    export(tmp_path / "b.safetensors", {"x": torch.ones(2, 3, 4, 4)}, dict(reversed(about.items())))
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert json.loads(file.metadata()["vosbench"]) == about
    assert weights_card(tmp_path / "a.safetensors") == about
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 64, b"\x02" + bytes(7) + b"{}", b"\x02" + bytes(7) + b"[]", b"\x09" + bytes(7) + b"{}"]
)
def test_a_file_that_says_nothing(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(data)
    assert weights_card(tmp_path / "w.safetensors") == {}


def test_weights_of_another_network(tmp_path: Path) -> None:
    export(tmp_path / "w.safetensors", nn.Conv2d(1, 2, 3).state_dict(), {})
    with pytest.raises(
        DataError, match=r"tensors that are missing, unknown or of another shape: 1, the first is weight"
    ):
        fill(nn.Conv2d(2, 2, 3), tmp_path / "w.safetensors")
    with pytest.raises(DataError, match=r"the first is bias"):
        fill(nn.Conv2d(1, 2, 3, bias=False), tmp_path / "w.safetensors")
