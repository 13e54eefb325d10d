"""Processes that share a step take the step of one process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from vosbench.cli import app
from vosbench.errors import DataError
from vosbench.method import Material, Recipe
from vosbench.registry import load_method
from vosbench.train import Listener, Settings, train
from vosbench.train.data import Shares
from vosbench.train.distributed import join
from vosbench.train.log import read

Toy = Callable[..., Recipe]
HERE = Path(__file__).parent


def torchrun(*words: object) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    return subprocess.run(
        [*launcher, "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("accumulate", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_two_processes_train_as_one(
    toy: Toy, material: Material, toy_root: Path, tmp_path: Path, accumulate: int
) -> None:
    changes = {"batch": 8, "lr": 0.05}
    one = train(toy(**changes), material, tmp_path / "one", Settings(accumulate=accumulate))
    words = [f"{name}={value}" for name, value in changes.items()]
    done = torchrun(HERE / "torchrun_toy.py", toy_root, tmp_path / "two", accumulate, *words)
    assert done.returncode == 0, done.stderr
    curves = [[float(row["loss"]) for row in read(tmp_path / name / "log.csv")] for name in ("one", "two")]
    assert len(curves[0]) == 12
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    alone, shared = load_file(one.last), load_file(tmp_path / "two" / "last.safetensors")
    for name, value in alone.items():
        torch.testing.assert_close(shared[name], value, rtol=1e-3, atol=1e-5, msg=name)


def test_two_processes_train_f2net_as_one(tmp_path: Path) -> None:
    # From trained weights and for four steps, two of images and two of videos: the two ways differ only in the order of
    # sums, but AdamW amplifies that rounding at every step (1e-7 at first, 3e-5 at the fourth, over 1e-4 by the sixth).
    shipped = load_method("f2net.tiny")[0].weights["tiny"]
    words = ["train", "f2net.tiny", "--data", "sample", "--weights", shipped, "--quiet"]
    words += ["--set", "steps=4", "--set", "side=97", "--set", "lr=0.0001"]
    alone = CliRunner().invoke(app, [*map(str, words), "--out", str(tmp_path / "one")])
    assert alone.exit_code == 0, alone.stderr
    done = torchrun("-m", "vosbench", *words, "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    curves = [[float(row["loss"]) for row in read(tmp_path / name / "log.csv")] for name in ("one", "two")]
    assert len(curves[0]) == 4
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)


@pytest.mark.slow
def test_two_processes_name_the_broken_example_and_one_resumes_from_there(
    toy: Toy, material: Material, toy_root: Path, tmp_path: Path
) -> None:
    done = torchrun(HERE / "torchrun_toy.py", toy_root, tmp_path, 1, "broken=6", "lr=0.05")
    assert done.returncode != 0
    # Batch normalisation spreads NaN over the whole part.
    assert "not finite at step 6 (bce nan), of examples 24, 25, 26, 27; of these 26 hold" in done.stderr
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 4
    notes: list[str] = []
    with pytest.raises(DataError, match="of these 26 hold"):
        train(toy(broken=6, lr=0.05), material, tmp_path, Settings(save_every=4), listener=Listener(note=notes.append))
    assert notes == ["resumes from step 4 of 12"]


@pytest.mark.parametrize(("accumulate", "world"), [(1, 1), (2, 3), (4, 1), (1, 4)])
def test_shares_are_a_partition_and_parts_do_not_depend_on_processes(accumulate: int, world: int) -> None:
    shared = [Shares(24, accumulate, rank, world).of(5) for rank in range(world)]
    assert sorted(index for parts in shared for share in parts for index in share) == list(range(120, 144))
    for part, share in enumerate(Shares(24, accumulate, 0, 1).of(5)):
        assert [index for parts in shared for index in parts[part]] == list(share)


@pytest.mark.slow
def test_batch_normalisation_of_two_processes_is_that_of_one() -> None:
    done = torchrun(HERE / "batch_norm_of_two.py")
    assert done.stdout.count("equal\n") == 2, done.stderr


@pytest.mark.parametrize(("asked", "index"), [("cuda", 0), ("cuda:3", 3)])
def test_a_gpu_without_a_number_is_the_first(asked: str, index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[torch.device] = []
    monkeypatch.setattr("vosbench.method.nn.precision.device", torch.device)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert join(asked).device == torch.device("cuda", index)
    assert chosen == [torch.device("cuda", index)]
