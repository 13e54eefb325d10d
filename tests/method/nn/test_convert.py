"""Conversion of checkpoints from elsewhere: reading, renaming and rewriting; no file is converted twice."""

import collections
import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError
from vosbench.files import sha256
from vosbench.method import Setup
from vosbench.method.nn.checkpoint import read
from vosbench.method.nn.convert import BACKBONE, convert
from vosbench.method.nn.weights import is_inplace_abn, plain_scales
from vosbench.methods.adnet import predictor
from vosbench.methods.adnet.network import TINY, build
from vosbench.registry import load_method

State = Mapping[str, Tensor]


def adnet_tiny() -> nn.Module:
    torch.manual_seed(1)
    return build("ad", TINY)


def released() -> dict[str, Tensor]:
    """As AD-Net's authors released theirs: no counters, and scales that may be negative."""
    noise = torch.Generator().manual_seed(2)
    state = {name: x for name, x in adnet_tiny().state_dict().items() if not name.endswith("num_batches_tracked")}
    for name in state:
        if name.endswith("running_mean"):
            scale = name.replace("running_mean", "weight")
            state[scale] = torch.randn(state[scale].shape, generator=noise)
    return state


def wanted() -> State:
    return adnet_tiny().state_dict()


def stamp(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        content: dict[str, str] = json.loads(file.metadata()["vosbench"])
        return content


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {f"module.{name}": x for name, x in state.items()},
        lambda state: {"epoch": 3, "model": {f"module.{name}": x for name, x in state.items()}},
        lambda state: collections.OrderedDict(state_dict=collections.OrderedDict(state), optimizer={"lr": 0.1}),
    ],
)
def test_official_snapshots_become_plain_weights(wrap: Callable[[State], object], tmp_path: Path) -> None:
    state = released()
    torch.save(wrap(state), tmp_path / "ad.pth", _use_new_zipfile_serialization=False)
    done = convert(tmp_path / "ad.pth", tmp_path / "ad.safetensors", "adnet.tiny", wanted)
    content = load_file(tmp_path / "ad.safetensors")
    assert content.keys() == state.keys()
    assert torch.equal(content["features.bn1.weight"], state["features.bn1.weight"].abs() + 1e-5)
    assert torch.equal(content["features.conv1.weight"], state["features.conv1.weight"])
    assert torch.equal(content["cls.1.bias"], state["cls.1.bias"])
    assert (done.scales, done.tensors) == ("inplace-abn", len(state))
    about = stamp(tmp_path / "ad.safetensors")
    assert about["method"] == "adnet.tiny"
    assert about["source"] == sha256(tmp_path / "ad.pth")
    predictor.load(Setup(variant="tiny", weights=tmp_path / "ad.safetensors"))


def test_weights_of_ordinary_normalisation_keep_their_scales(tmp_path: Path) -> None:
    state = dict(wanted())
    state["features.bn1.weight"] = -state["features.bn1.weight"]
    torch.save(state, tmp_path / "ours.pth")
    assert convert(tmp_path / "ours.pth", tmp_path / "a.safetensors", "adnet.tiny", wanted).scales == "plain"
    assert torch.equal(load_file(tmp_path / "a.safetensors")["features.bn1.weight"], state["features.bn1.weight"])
    convert(tmp_path / "ours.pth", tmp_path / "b.safetensors", "adnet.tiny", wanted, "inplace-abn")
    rewritten = load_file(tmp_path / "b.safetensors")["features.bn1.weight"]
    assert torch.equal(rewritten, state["features.bn1.weight"].abs() + 1e-5)


def test_scales_are_kept_on_request(tmp_path: Path) -> None:
    torch.save(released(), tmp_path / "ad.pth")
    convert(tmp_path / "ad.pth", tmp_path / "ad.safetensors", "adnet.tiny", wanted, "plain")
    assert torch.equal(load_file(tmp_path / "ad.safetensors")["cls.1.weight"], released()["cls.1.weight"])


def test_a_file_is_never_converted_twice(tmp_path: Path) -> None:
    torch.save(released(), tmp_path / "ad.pth")
    convert(tmp_path / "ad.pth", tmp_path / "once.safetensors", "adnet.tiny", wanted)
    with pytest.raises(UsageError, match="was written by vosbench already"):
        convert(tmp_path / "once.safetensors", tmp_path / "twice.safetensors", "adnet.tiny", wanted)
    assert not (tmp_path / "twice.safetensors").exists()


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    torch.save(released(), tmp_path / "ad.pth")
    for name in ("a", "b"):
        convert(tmp_path / "ad.pth", tmp_path / f"{name}.safetensors", "adnet.tiny", wanted)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_weights_of_another_variant_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(build("intra", TINY).state_dict(), tmp_path / "intra.pth")
    with pytest.raises(DataError, match=r'do not fit "adnet.tiny"; of another shape: cls.0.weight'):
        convert(tmp_path / "intra.pth", tmp_path / "out.safetensors", "adnet.tiny", wanted)
    torch.save(build("base", TINY).state_dict(), tmp_path / "base.pth")
    with pytest.raises(DataError, match="; missing: cls"):
        convert(tmp_path / "base.pth", tmp_path / "out.safetensors", "adnet.tiny", wanted)
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_numpy_scalars_next_to_the_weights_are_ignored(zipped: bool, tmp_path: Path) -> None:  # noqa: FBT001
    content = {
        "epoch": np.int64(3),
        "best": np.float32(0.5),
        "done": np.bool_(True),  # noqa: FBT003
        "model": {"a": torch.ones(2)},
    }
    torch.save(content, tmp_path / "new.pth", _use_new_zipfile_serialization=zipped)
    assert list(read(tmp_path / "new.pth").tensors) == ["model.a"]
    if not zipped:  # NumPy 1 had another name for the module
        data = (tmp_path / "new.pth").read_bytes()
        (tmp_path / "old.pth").write_bytes(data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
        assert torch.equal(read(tmp_path / "old.pth").load({"a": "model.a"})["a"], torch.ones(2))


@pytest.mark.parametrize("content", [b"", b"junk", pickle.dumps([1, 2])])
def test_files_that_are_not_checkpoints_are_reported_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(tmp_path / "x.pth")
    assert "\n" not in str(caught.value)
    assert "x.pth" in str(caught.value)


def test_missing_files_and_empty_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read(tmp_path / "none.pth")
    torch.save({"epoch": 3}, tmp_path / "bare.pth")
    with pytest.raises(DataError, match="holds no mapping of names to tensors"):
        read(tmp_path / "bare.pth")


def test_output_must_be_safetensors_and_not_the_input(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(UsageError, match="is the file to convert"):
        convert(tmp_path / "a.safetensors", tmp_path / "a.safetensors", BACKBONE)
    with pytest.raises(UsageError, match=r"must end in .safetensors"):
        convert(tmp_path / "a.safetensors", tmp_path / "a.pth", BACKBONE)


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_the_resnet_is_extracted_from_torchvisions_files(prefix: str, tmp_path: Path) -> None:
    kept = (
        "conv1.weight",
        "bn1.running_mean",
        "layer1.0.conv1.weight",
        "layer4.2.bn3.weight",
        "layer1.0.downsample.0.weight",
    )
    rest = {f"{prefix}fc.weight", "classifier.0.convs.0.0.weight", "aux_classifier.0.weight"}
    torch.save(
        {**{prefix + name: torch.ones(1) for name in kept}, **{name: torch.ones(1) for name in rest}},
        tmp_path / "r.pth",
    )
    done = convert(tmp_path / "r.pth", tmp_path / "r.safetensors", BACKBONE)
    assert load_file(tmp_path / "r.safetensors").keys() == set(kept)
    assert set(done.dropped) == rest
    assert done.scales == "plain"


def test_a_deep_stem_under_other_names_is_renamed(tmp_path: Path) -> None:
    torch.save({"stem.0.weight": torch.ones(1), "layer1.0.conv1.weight": torch.ones(1)}, tmp_path / "r.pth")
    assert convert(tmp_path / "r.pth", tmp_path / "r.safetensors", BACKBONE).dropped == ()
    assert load_file(tmp_path / "r.safetensors").keys() == {"conv1.weight", "layer1.0.conv1.weight"}


def test_a_file_without_a_resnet_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(1)}, tmp_path / "r.pth")
    with pytest.raises(DataError, match="do not hold one ResNet"):
        convert(tmp_path / "r.pth", tmp_path / "r.safetensors", BACKBONE)


def test_f2nets_encoder_of_cosnet_fits_the_baseline(tmp_path: Path) -> None:
    method, variant = load_method("deeplabv3.f2net")
    assert method.recipe is not None
    with torch.device("meta"):
        names = method.recipe(variant, {}).build().state_dict()
    torch.save({"model": {f"Resnet101.{name}": torch.zeros(1) for name in names}}, tmp_path / "deeplab.pth")
    done = convert(
        tmp_path / "deeplab.pth", tmp_path / "d.safetensors", "x", lambda: dict.fromkeys(names, torch.zeros(1))
    )
    assert done.tensors == len(names)


def test_adnets_names_without_counted_batches_mean_inplace_abn(tmp_path: Path) -> None:
    def means_it(state: State) -> bool:
        torch.save(state, tmp_path / "w.pth")
        return is_inplace_abn(read(tmp_path / "w.pth"))

    assert means_it(released())
    assert not means_it(wanted())
    passed_through = adnet_tiny()
    passed_through.load_state_dict({**released(), "features.bn1.running_mean": torch.ones(8)}, strict=False)
    assert means_it(passed_through.state_dict())  # the counters were filled in with 0
    assert not means_it({**passed_through.state_dict(), "features.bn1.num_batches_tracked": torch.tensor(5)})
    assert not means_it({"bn1.weight": torch.ones(1), "bn1.running_mean": torch.ones(1)})


def test_only_scales_with_a_running_mean_are_rewritten() -> None:
    rewritten = plain_scales(
        {"a.weight": torch.tensor([-2.0]), "a.running_mean": torch.zeros(1), "c.weight": -torch.ones(1)}
    )
    assert rewritten["a.weight"].item() == pytest.approx(2.00001, abs=1e-7)
    assert rewritten["c.weight"].item() == -1
