"""Exported weights."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from vosbench.method.nn.weights import fill
from vosbench.methods.adnet.network import TINY, build
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
