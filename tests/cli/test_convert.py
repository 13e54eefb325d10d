"""``vosbench convert`` as typed."""

import argparse
import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from typer.testing import CliRunner

from vosbench.cli import app
from vosbench.files import sha256
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


def test_an_encoder_takes_the_place_of_a_checkpoint(cli: Cli) -> None:
    both = cli("convert", "resnet.pth", "--encoder", "efficientnet-lite0", "--out", "x.safetensors")
    neither = cli("convert", "resnet.pth", "--out", "x.safetensors")
    assert (both.returncode, neither.returncode) == (2, 2)
    assert both.stderr == "error: --encoder names all that is converted; omit the checkpoint, --method and --scales\n"
    assert neither.stderr == "error: pass a checkpoint and --method, or --encoder\n"


def snapshot() -> dict[str, Tensor]:
    """As AD-Net's authors released theirs: no counters, and scales that may be negative."""
    torch.manual_seed(1)
    state = {name: x for name, x in build("ad", TINY).state_dict().items() if not name.endswith("num_batches_tracked")}
    norms = [name.replace("running_mean", "weight") for name in state if name.endswith("running_mean")]
    return state | {name: torch.randn(state[name].shape) for name in norms}


def test_a_snapshot_runs_as_it_is_and_as_converted(tmp_path: Path) -> None:
    """Whatever file they are in, the weights give the same maps, and the record names the file and what was loaded."""
    torch.save({"model_state_dict": snapshot(), "args": argparse.Namespace(lr=0.1)}, tmp_path / "ad.pth")
    save_file(snapshot(), tmp_path / "hand-made.safetensors")
    runner = CliRunner()
    convert = ["convert", "ad.pth", "--method", "adnet.tiny", "--out", "converted.safetensors"]
    given = ["run", "--method", "adnet.tiny", "--dataset", "sample", "--videos", "blob-post", "--limit", "2"]
    records, maps = {}, {}
    with contextlib.chdir(tmp_path):
        assert runner.invoke(app, convert).exit_code == 0
        for name in ("ad.pth", "converted.safetensors", "hand-made.safetensors"):
            done = runner.invoke(
                app, [*given, "--weights", name, "--out", f"out-{name}", "--format", "json", "--quiet"]
            )
            assert done.exit_code == 0, done.stderr
            records[name] = json.loads(done.stdout)
            maps[name] = [path.read_bytes() for path in sorted(Path(f"out-{name}").rglob("*.png"))]
        digests = {name: sha256(Path(name)) for name in records}
    assert len(maps["ad.pth"]) == 2
    assert maps["ad.pth"] == maps["converted.safetensors"] == maps["hand-made.safetensors"]
    said = {name: record["provenance"] for name, record in records.items()}
    assert {name: known["weights"] for name, known in said.items()} == digests
    assert len({known["weights_loaded"] for known in said.values()}) == 1
    assert said["converted.safetensors"]["weights_source"] == digests["ad.pth"]
    assert "weights_source" not in said["ad.pth"]  # empty fields are left out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\xff\xd8\xff\xe0", "it is a JPEG image"),
        (b"<!DOCTYPE html>", "it is an HTML page, such as that of a download that asks for a login or a confirmation"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "train", "backbone", "convert"])
def test_what_is_no_checkpoint_is_refused_by_every_verb(verb: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "ad.pth"
    path.write_bytes(content)
    out = ("--out", str(tmp_path / "out.safetensors"))
    given = {
        "run": ("run", "--method", "adnet.tiny", "--dataset", "sample", "--weights", str(path), *out),
        "train": ("train", "adnet.tiny", "--data", "sample", "--weights", str(path), *out),
        "backbone": ("train", "adnet.tiny", "--data", "sample", "--backbone-weights", str(path), *out),
        "convert": ("convert", str(path), "--method", "adnet.tiny", *out),
    }[verb]
    done = CliRunner().invoke(app, given)
    assert (done.exit_code, done.stderr) == (3, f'error: weights "{path}" cannot be read: {said}\n')
    assert [found.name for found in tmp_path.rglob("*") if found.is_file()] == ["ad.pth"]
