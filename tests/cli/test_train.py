"""``vosbench train``: interrupted in any way, it resumes to the same weights; mistakes are one line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import Result
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from factories import half_a_jpeg
from vosbench.cli import app
from vosbench.records.provenance import weights_card
from vosbench.train.log import read

PLUGINS = Path(__file__).parents[1] / "plugins"
PLUGGED = ("--plugin", PLUGINS / "toy.py", "--plugin", PLUGINS / "toy_training.py")


def words(root: Path, out: Path, *more: str | Path) -> list[str]:
    return [str(word) for word in ("train", "toynet", "--data", f"toy:val={root}", "--out", out, *PLUGGED, *more)]


def start(*given: str, seconds: float = 0.05) -> subprocess.Popen[str]:
    """Begin a slow training and wait for its first checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vosbench", *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TOY_SECONDS": str(seconds)},
    )
    checkpoint = Path(given[given.index("--out") + 1]) / "last.pt"
    while not checkpoint.is_file():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    return process


def call(*given: str | Path) -> Result:
    """The command line in this process, which has loaded torch already."""
    return CliRunner().invoke(app, [str(word) for word in given])


def curve(folder: Path) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in read(folder / "log.csv")]


def fails(done: Result, code: int, said: str) -> None:
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert (done.exit_code, len(lines)) == (code, 1), done.stderr
    assert lines[0].startswith("error: ")
    assert said in lines[0]


def test_help_names_it_and_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['vosbench', 'train', '--help']\n"
        "from vosbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert not {'torch', 'scipy.stats', 'pandas'} & sys.modules.keys()\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for option in ("--data", "--set", "--accumulate", "--validate-on", "--backbone-weights", "--half"):
        assert option in shown


def test_held_out_videos_are_not_trained_on(toy_root: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in (toy_root / "frames").iterdir())
    done = call(*words(toy_root, tmp_path / "out", "--set", "steps=1", "--hold-out", names[0]))
    assert done.exit_code == 0, done.stderr
    card = weights_card(tmp_path / "out" / "last.safetensors")
    assert card["training"] == f"toy val without {names[0]}, from random weights"
    whole = call(*words(toy_root, tmp_path / "whole", "--set", "steps=1"))
    assert whole.exit_code == 0
    assert card["data"] != weights_card(tmp_path / "whole" / "last.safetensors")["data"]
    fails(call(*words(toy_root, tmp_path / "none", "--hold-out", "*")), 3, "no annotated videos or images were found")
    fails(call(*words(toy_root, tmp_path / "none", "--hold-out", "zebra*")), 2, 'there is no video "zebra*"')


def test_train_validate_and_run(toy_root: Path, tmp_path: Path) -> None:
    more = ("--set", "steps=8", "--validate-on", f"toy={toy_root}", "--validate-every", "4", "--half")
    done = call(*words(toy_root, tmp_path / "out", *more))
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'out' / 'best.safetensors'}\n"
    assert "step 4: J_mean 0." in done.stderr
    assert f"run: vosbench run --method toynet --weights {done.stdout.strip()} --dataset" in done.stderr
    rows = read(tmp_path / "out" / "log.csv")
    assert list(rows[0]) == ["step", "seconds", "lr", "loss", "bce"]
    best = max(float(row["val J_mean"]) for row in rows if "val J_mean" in row)
    run = ("run", "--method", "toynet", "--weights", done.stdout.strip(), "--dataset", "toy", "--root", toy_root)
    shown = json.loads(call(*run, "--out", tmp_path, *PLUGGED, "--format", "json", "--quiet").stdout)
    assert shown["scores"]["J_mean"] == best
    assert shown["provenance"]["training"] == "toy val, from random weights"


def test_weights_name_what_they_were_trained_on_before(toy_root: Path, tmp_path: Path) -> None:
    first = call(*words(toy_root, tmp_path / "first", "--set", "steps=2", "--quiet")).stdout.strip()
    foreign = tmp_path / "foreign.safetensors"
    save_file(load_file(first), foreign)
    for start, said in ((first, "weights of the same data, from random weights"), (foreign, "weights with SHA-256 ")):
        more = ("--set", "steps=2", "--weights", start, "--overwrite", "--quiet")
        second = call(*words(toy_root, tmp_path / "second", *more)).stdout.strip()
        assert weights_card(Path(second))["training"].startswith(f"toy val, from {said}")


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_killed_and_resumed_is_uninterrupted(toy_root: Path, tmp_path: Path, workers: str) -> None:
    more = ("--save-every", "3", "--set", "dropout=0.3", "--workers", workers, "--quiet")
    whole = call(*words(toy_root, tmp_path / "whole", *more))
    assert whole.stderr == ""
    given = words(toy_root, tmp_path / "parts", *more)
    for _ in range(2):
        process = start(*given)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    assert torch.load(tmp_path / "parts" / "last.pt", weights_only=True)["step"] in {3, 6, 9}
    assert call(*given).exit_code == 0
    found, expected = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("parts", "whole"))
    assert found == expected
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_stopped_training_finishes_the_step(toy_root: Path, tmp_path: Path, number: signal.Signals) -> None:
    more = ("--save-every", "2", "--set", "steps=40", "--set", "horizon=50")
    given = words(toy_root, tmp_path / "parts", *more)
    process = start(*given)
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors == "interrupted; finished work is kept. Run the same command again to resume.\n"
    done = torch.load(tmp_path / "parts" / "last.pt", weights_only=True)["step"]
    assert len(curve(tmp_path / "parts")) == done < 40
    resumed = call(*given)
    assert f"note: resumes from step {done} of 40" in resumed.stderr
    call(*words(toy_root, tmp_path / "whole", *more))
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")


def test_mistakes(toy_root: Path, tmp_path: Path) -> None:
    fails(call("train", "toynet", *PLUGGED), 2, "--data is missing; pass a dataset as NAME")
    given = words(toy_root, tmp_path / "out")
    fails(call(*given, "--validate-every", "2"), 2, "--validate-on is missing")
    fails(call(*given, "--set", "lr"), 2, '"lr" is not of the form name=value')
    fails(call(*given, "--backbone-weights", "none.pth"), 2, 'the weights "none.pth" do not exist')
    fails(call(*given, "--accumulate", "3"), 2, "cannot be divided evenly into --accumulate 3")
    fails(call(*given, "--device", "abacus"), 2, 'device "abacus" cannot be used')
    fails(call("train", "brightness", "--data", "sample", *PLUGGED), 2, "cannot be trained: it has no recipe")
    fails(call("train", "toynet", "--data", f"toy={toy_root}", *PLUGGED), 2, 'no split "train"; available: val')
    fails(call("train", "toynet", "--data", f"toy:val={tmp_path / 'x'}", *PLUGGED), 3, "is not a folder")
    assert not (tmp_path / "out").exists()
    (toy_root / "frames" / "v1" / "00002.png").write_bytes(b"none")
    fails(call(*given, "--workers", "1"), 3, "v1/00002.png")
    assert not (tmp_path / "out" / "last.pt").exists()


def test_a_shortened_training_says_that_the_rate_decays_as_before(toy_root: Path, tmp_path: Path) -> None:
    def notes(*more: str) -> list[str]:
        done = call(*words(toy_root, tmp_path / "out", "--overwrite", *more))
        assert done.exit_code == 0, done.stderr
        return [line for line in done.stderr.splitlines() if "horizon" in line]

    expected = "note: with steps=3 and horizon=20 the learning rate ends at 0.91 of its first value; --set horizon=5 "
    assert notes("--set", "steps=3") == [expected + "scales the decay too"]
    assert notes("--set", "steps=21") == [
        "note: with steps=21 and horizon=20 from step 20 the learning rate is 0; --set horizon=35 scales the decay too"
    ]
    assert notes("--set", "steps=3", "--set", "horizon=3") == notes() == notes("--set", "steps=3", "--quiet") == []


def test_one_example_per_part_is_refused_before_the_first_step(tmp_path: Path) -> None:
    given = ("train", "deeplabv3.tiny", "--data", "sample", "--out", tmp_path / "out")
    said = "1 example per part is too few for this network's batch normalisation (a batch of 1 in 1 part); "
    fails(call(*given, "--set", "batch=1"), 2, said + "use a smaller --accumulate, or --set batch=2 or more")
    fails(
        call(*given, "--accumulate", "4"), 2, "(a batch of 4 in 4 parts); use a smaller --accumulate, or --set batch=8"
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_one_pair_per_part_works(tmp_path: Path) -> None:
    given = (
        "train",
        "adnet.tiny",
        "--data",
        "sample",
        "--out",
        tmp_path / "out",
        "--set",
        "batch=1",
        "--set",
        "steps=1",
    )
    assert call(*given).exit_code == 0


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_training_can_start_from_any_checkpoint(toy_root: Path, tmp_path: Path, suffix: str) -> None:
    first = call(*words(toy_root, tmp_path / "first", "--set", "steps=2", "--quiet")).stdout.strip()
    path = tmp_path / f"w.{suffix}"
    state = {f"module.{name}": values for name, values in load_file(first).items()}
    torch.save({"model": state, "args": Path("x")}, path) if suffix == "pth" else save_file(state, path)
    done = call(*words(toy_root, tmp_path / "second", "--set", "steps=1", "--set", "lr=1e-9", "--weights", path))
    assert f'note: starts from all weights of "{path}"' in done.stderr
    second = load_file(done.stdout.strip())
    torch.testing.assert_close(second["head.weight"], load_file(first)["head.weight"])


def test_a_training_can_start_from_a_part(tmp_path: Path) -> None:
    base = call(
        "train", "f2net.tiny-base", "--data", "sample", "--out", tmp_path / "base", "--set", "steps=1", "--quiet"
    ).stdout.strip()
    deeplab = {f"Resnet101.{name.removeprefix('encoder.')}": x for name, x in load_file(base).items()}
    torch.save({"model": deeplab}, tmp_path / "deeplab.pth")
    weights = f"encoder={tmp_path / 'deeplab.pth'}"
    more = ("--set", "steps=1", "--set", "lr=1e-9", "--weights", weights)
    done = call("train", "f2net.tiny", "--data", "sample", "--out", tmp_path / "out", *more)
    assert f'note: starts from {len(deeplab)} tensors of "{weights}"' in done.stderr
    resnet = ("--set", "steps=1", "--backbone-weights", tmp_path / "deeplab.pth", "--overwrite")
    hint = f"; all layers of its encoder fit too, with --weights {weights}\n"
    assert hint in call("train", "f2net.tiny", "--data", "sample", "--out", tmp_path / "other", *resnet).stderr
    found = load_file(done.stdout.strip())
    for name in ("encoder.layer5.bottleneck.weight", "encoder.main_classifier.weight", "encoder.layer4.2.conv2.weight"):
        torch.testing.assert_close(found[name], load_file(base)[name])


def test_half_a_jpeg(toy_root: Path, tmp_path: Path) -> None:
    paths = [half_a_jpeg(path) for path in (toy_root / "frames").glob("*/*.png")]
    done = call(*words(toy_root, tmp_path / "out"))
    fails(done, 3, "is corrupt (")
    assert any(f'"{path}"' in done.stderr for path in paths)


def test_no_frames(toy_root: Path, tmp_path: Path) -> None:
    shutil.rmtree(toy_root / "frames")
    fails(call(*words(toy_root, tmp_path / "out")), 3, "Toy val has annotations but no frames")


def test_another_setup_in_the_folder(toy_root: Path, tmp_path: Path) -> None:
    given = words(toy_root, tmp_path / "out", "--set", "steps=2")
    assert call(*given).exit_code == 0
    fails(call(*given, "--seed", "1"), 2, "holds another training (seed was 0, now 1)")
    assert call(*given, "--seed", "1", "--overwrite").exit_code == 0


def test_videos_of_one_frame_are_images(toy_root: Path) -> None:
    from vosbench.cli.train import _material, _select

    selection = _select(f"toy:val={toy_root}", "train", [PLUGINS / "toy.py"])
    cut = _select(f"toy:val={toy_root}", "train", [PLUGINS / "toy.py"], limit=1)
    material = _material([selection, cut])
    assert (material.videos, material.images) == (selection.videos, cut.videos)
