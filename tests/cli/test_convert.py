"""``vosbench convert`` as typed."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

from vosbench.methods.adnet.network import TINY, build

Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_a_snapshot_is_converted_once(cli: Cli, tmp_path: Path) -> None:
    state = {f"module.{name}": x for name, x in build("ad", TINY).state_dict().items() if "num_batches" not in name}
    torch.save(state, tmp_path / "ad.pth")
    done = cli("convert", "ad.pth", "--method", "adnet.tiny", "--out", "ad.safetensors")
    assert done.returncode == 0, done.stderr
    assert "rewritten as |s| + 1e-5" in done.stderr
    assert f'{len(state)} tensors for "adnet.tiny" are in ad.safetensors' in done.stderr
    assert len(load_file(tmp_path / "ad.safetensors")) == len(state)
    again = cli("convert", "ad.safetensors", "--method", "adnet.tiny", "--out", "twice.safetensors")
    assert again.returncode == 2
    assert again.stderr == 'error: "ad.safetensors" was written by vosbench already; use it as it is\n'


def test_mistakes_are_one_line(cli: Cli, tmp_path: Path) -> None:
    torch.save({"layer1.0.conv1.weight": torch.ones(1), "fc.weight": torch.ones(1)}, tmp_path / "resnet.pth")
    taken = cli("convert", "resnet.pth", "--method", "backbone", "--out", "r.safetensors")
    assert taken.returncode == 0, taken.stderr
    assert "1 tensors outside the ResNet were left out, the first is fc.weight" in taken.stderr
    unfit = cli("convert", "resnet.pth", "--method", "adnet.tiny", "--out", "x.safetensors")
    assert unfit.returncode == 3
    assert unfit.stderr.startswith('error: weights "resnet.pth" do not fit "adnet.tiny"; missing: cls.0.bias, ')
    assert unfit.stderr.count("\n") == 1
    unknown = cli("convert", "resnet.pth", "--method", "adnet.huge", "--out", "x.safetensors")
    assert unknown.returncode == 2
    assert 'adnet has no variant "huge"' in unknown.stderr
