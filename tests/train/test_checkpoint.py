"""Exported weights."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from vosbench.errors import DataError
from vosbench.method import Material, Recipe
from vosbench.method.nn.weights import fill
from vosbench.methods.adnet.network import TINY, build
from vosbench.train import Settings, train
from vosbench.train.checkpoint import export


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
    fill(other, tmp_path / "half.safetensors")
    for name, value in other.state_dict().items():
        assert value.dtype == full[name].dtype
        torch.testing.assert_close(value, full[name], rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("count", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_a_damaged_checkpoint_is_reported_or_of_no_effect(
    toy: Callable[..., Recipe], material: Material, tmp_path: Path, count: int
) -> None:
    recipe = toy(steps=3, ema=0.5)
    whole = train(recipe, material, tmp_path, Settings()).last.read_bytes()
    path = tmp_path / "last.pt"
    data = path.read_bytes()
    reported = 0
    for seed in range(count):
        rng = random.Random(seed)
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 3, 10))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged[: rng.randrange(len(damaged))] if rng.random() < 0.2 else damaged)
        try:
            found = train(recipe, material, tmp_path, Settings()).last.read_bytes()
        except DataError as error:
            assert str(error) == f'the checkpoint "{path}" cannot be read; restart with --overwrite'  # noqa: PT017
            reported += 1
        else:
            assert found == whole, seed
    assert reported > count / 2
