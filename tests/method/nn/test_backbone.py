"""ResNets with other conventions, of which names and shapes say nothing: adapted or refused, never loaded silently."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vosbench.dataset.roots import find_root
from vosbench.errors import UsageError
from vosbench.images import read_frame
from vosbench.method.nn.backbone import Inputs, adapted, fill_backbone, is_standardised
from vosbench.method.nn.checkpoint import read
from vosbench.method.nn.deeplab import F2NET_TINY, F2netEncoder, as_trained, strided
from vosbench.method.nn.layers import pool
from vosbench.method.nn.views import centred
from vosbench.method.nn.weights import write
from vosbench.methods.adnet.network import TINY, build
from vosbench.registry import load_dataset, load_method

SAMPLE = load_dataset("sample")
FRAMES = [read_frame(video.frames[0]) for video in SAMPLE.videos(find_root(SAMPLE), "train")][:6]
CENTRED = centred(torch.from_numpy(FRAMES[0]))


def standardised(frame: np.ndarray) -> Tensor:
    """As torchvision documents it: RGB in 0…1, minus the mean, over the standard deviation."""
    rgb = (frame / 255 - np.array((0.485, 0.456, 0.406))) / np.array((0.229, 0.224, 0.225))
    return torch.from_numpy(rgb.transpose(2, 0, 1).astype(np.float32))


def seen(net: nn.Module, inputs: list[Tensor]) -> nn.Module:
    """The network with statistics of these inputs."""
    net.train()
    with torch.no_grad():
        for _ in range(30):
            net(torch.stack(inputs))
    return net.eval()


def resnet(*, foreign: bool) -> dict[str, Tensor]:
    torch.manual_seed(3)
    net = F2netEncoder(strided(F2NET_TINY, "conv2" if foreign else "conv1"))
    nn.init.normal_(net.conv1.weight, 0, 0.1)
    return seen(net, [standardised(x) if foreign else centred(torch.from_numpy(x)) for x in FRAMES]).state_dict()


def stem(state: dict[str, Tensor], x: Tensor) -> Tensor:
    net = F2netEncoder(F2NET_TINY)
    net.load_state_dict(state)
    with torch.no_grad():
        return pool(torch.relu(net.eval().bn1(net.conv1(x[None]))))[..., 4:-4, 4:-4]


def test_the_adapted_first_layer_gives_the_same_features() -> None:
    foreign = resnet(foreign=True)
    expected = stem(foreign, standardised(FRAMES[0]))
    torch.testing.assert_close(stem(adapted(foreign, standardised=True), CENTRED), expected, rtol=1e-3, atol=1e-4)
    rgb = CENTRED.flip(0)
    torch.testing.assert_close(
        stem(adapted(foreign, standardised=False), CENTRED), stem(foreign, rgb), rtol=1e-3, atol=1e-4
    )
    assert not torch.allclose(stem(foreign, CENTRED), expected, atol=0.1)


def test_inputs_are_recognised_by_the_statistics() -> None:
    assert is_standardised(resnet(foreign=True))
    assert not is_standardised(resnet(foreign=False))
    assert not is_standardised(F2netEncoder(F2NET_TINY).state_dict())
    for name in ("adnet", "deeplabv3", "f2net"):
        shipped = read(load_method(name)[0].weights["tiny"])
        names = {n.removeprefix("features.").removeprefix("encoder."): n for n in shipped.tensors}
        assert not is_standardised(shipped.load(names)), name


@pytest.mark.parametrize(
    ("inputs", "stride_on", "said"),
    [
        (
            "auto",
            "conv1",
            "takes RGB in standard deviations, .* this network BGR in 0…255; pass --backbone-inputs torch",
        ),
        ("auto", "conv2", "pass --backbone-inputs torchvision to adapt it"),
        (
            "torchvision",
            "conv1",
            "has its strides on 3×3 convolutions, .* on 1×1 convolutions; add --set stride_on=conv2",
        ),
        ("torchvision", "conv2", ""),
        ("bgr255", "conv1", ""),
        ("rgb255", "conv1", ""),
    ],
)
def test_other_conventions_are_adapted_or_refused(inputs: Inputs, stride_on: str, said: str, tmp_path: Path) -> None:
    foreign = resnet(foreign=True)
    torch.save(foreign, tmp_path / "resnet.pth")
    net = F2netEncoder(strided(F2NET_TINY, stride_on))
    before = net.conv1.weight.clone()
    if said:
        with pytest.raises(UsageError, match=said):
            fill_backbone(net, tmp_path / "resnet.pth", inputs)
        assert torch.equal(net.conv1.weight, before)
        return
    line = fill_backbone(net, tmp_path / "resnet.pth", inputs)
    expected = foreign if inputs == "bgr255" else adapted(foreign, standardised=inputs == "torchvision")
    assert torch.equal(net.conv1.weight, expected["conv1.weight"])
    assert torch.equal(net.layer3[0].conv2.weight, foreign["layer3.0.conv2.weight"])
    assert line.endswith(", adapted to BGR in 0…255") == (inputs != "bgr255")


def test_weights_say_where_their_strides_are(tmp_path: Path) -> None:
    write(tmp_path / "a.safetensors", {"a": torch.ones(1)}, {"plan stride_on": "conv2"})
    write(tmp_path / "b.safetensors", {"a": torch.ones(1)}, {})
    assert not as_trained(F2NET_TINY, tmp_path / "a.safetensors").stride_on_first
    assert as_trained(F2NET_TINY, tmp_path / "b.safetensors").stride_on_first
    assert as_trained(F2NET_TINY, None).stride_on_first


def test_the_resnet_of_a_released_snapshot_is_rewritten(tmp_path: Path) -> None:
    state = {name: x for name, x in build("ad", TINY).state_dict().items() if not name.endswith("tracked")}
    state["features.bn1.weight"] = -state["features.bn1.weight"]
    torch.save(state, tmp_path / "ad.pth")
    net = build("base", TINY)
    fill_backbone(net, tmp_path / "ad.pth")
    assert torch.equal(net.bn1.weight, state["features.bn1.weight"].abs() + 1e-5)
