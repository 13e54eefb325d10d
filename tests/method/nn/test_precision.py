"""Precision and compilation."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vosbench.dataset import Video
from vosbench.errors import UsageError
from vosbench.method import Method, Setup
from vosbench.method.nn import precision
from vosbench.method.nn.views import TINY_VIEW
from vosbench.method.predict import read_ahead
from vosbench.methods.adnet import network as adnet

NAMES = ["deeplabv3", "adnet", "f2net"]


def method_of(name: str) -> Method:
    return importlib.import_module(f"vosbench.methods.{name}").method


@pytest.mark.parametrize("name", NAMES)
def test_lower_precision_changes_maps_a_little(name: str, clip: Video) -> None:
    exact, lower = (
        list(method_of(name).load(Setup(variant="tiny", precision=precision)).predict(clip.first(2)))
        for precision in ("fp32", "bf16")
    )
    for one, other in zip(exact, lower, strict=True):
        assert other.dtype == np.float32
        assert np.allclose(one, other, atol=0.05)
    assert not all(np.array_equal(one, other) for one, other in zip(exact, lower, strict=True))
    assert not torch.is_autocast_enabled("cpu")


def test_lower_precision_of_a_network_with_varied_output(shake: object, clip: Video, tmp_path: Path) -> None:
    seen = torch.stack([TINY_VIEW.prepare(frame) for frame in read_ahead(clip.frames)])
    torch.manual_seed(0)  # of biases, which shake does not change
    net = shake(adnet.build("ad", adnet.TINY), seen[[0, 0]], seen[[0, 3]])  # type: ignore[operator]
    path = tmp_path / "w.safetensors"
    save_file(net.state_dict(), path)
    exact, lower = (
        next(method_of("adnet").load(Setup(variant="tiny", weights=path, precision=precision)).predict(clip))
        for precision in ("fp32", "bf16")
    )
    assert exact.std() > 0.01
    assert np.abs(exact - lower).mean() < 0.04


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_works_or_is_refused(name: str, clip: Video) -> None:
    try:
        predictor = method_of(name).load(Setup(variant="tiny", precision="fp16"))
    except UsageError as error:
        assert "cannot compute in fp16" in str(error)  # noqa: PT017
    else:
        saliency = next(predictor.predict(clip))
        assert saliency.dtype == np.float32
        assert np.isfinite(saliency).all()


@pytest.mark.parametrize("name", NAMES)
def test_unavailable_precisions_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match='unknown precision "fp8"; choose one of fp32, bf16, fp16'):
        method_of(name).load(Setup(variant="tiny", precision="fp8"))

    def refuse(*_: object) -> None:
        raise RuntimeError("no such number\nhere")

    monkeypatch.setattr(nn.Conv2d, "forward", refuse)
    with pytest.raises(UsageError, match=r'in fp16 on "cpu" \(no such number\); try fp32'):
        method_of(name).load(Setup(variant="tiny", precision="fp16"))


@pytest.mark.parametrize("name", NAMES)
def test_the_encoding_step_is_compiled_on_request(name: str, clip: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []

    def note(step: object) -> object:
        compiled.append(step.__name__)  # type: ignore[attr-defined]
        return step

    monkeypatch.setattr(torch, "compile", note)
    plain = next(method_of(name).load(Setup(variant="tiny")).predict(clip))
    assert not compiled
    saliency = next(method_of(name).load(Setup(variant="tiny", compile=True)).predict(clip))
    assert compiled == ["_increment", "encode" if name == "f2net" else "embed"]
    assert np.array_equal(plain, saliency)


def test_a_missing_compiler_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("No working C++ compiler found.\nSet CXX")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(UsageError, match=r"\(No working C\+\+ compiler found\); install a compiler") as caught:
        method_of("adnet").load(Setup(variant="tiny", compile=True))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_compiled_networks_give_the_same_maps(name: str, clip: Video) -> None:
    try:
        predictor = method_of(name).load(Setup(variant="tiny", compile=True))
    except UsageError as error:
        pytest.skip(str(error))
    plain = method_of(name).load(Setup(variant="tiny")).predict(clip.first(2))
    for one, other in zip(plain, predictor.predict(clip.first(2)), strict=True):
        assert np.allclose(one, other, atol=1e-4)


def test_results_are_float32_in_any_structure() -> None:
    low = torch.zeros(2, dtype=torch.float16)
    assert precision.full((low, (low, None)))[1][0].dtype == torch.float32
