"""With none of the extras: as installed by ``pip install vosbench`` alone."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from factories import make_record
from vosbench.errors import EXTRAS

Cli = Callable[..., subprocess.CompletedProcess[str]]
TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
INSTALL = 'torch is not installed; run: pip install "vosbench[torch]"'


@pytest.fixture
def bare(cli: Cli, tmp_path: Path) -> Cli:
    """The command line in a process in which no package of an extra can be imported."""
    folder = tmp_path / "without-extras"
    folder.mkdir()
    hidden = f"import sys\nsys.modules.update(dict.fromkeys({[*EXTRAS]}))\n"
    (folder / "sitecustomize.py").write_text(hidden, "utf-8")
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return lambda *words, **environment: cli(*words, PYTHONPATH=path, **environment)


@pytest.fixture
def words(toy_root: Path) -> tuple[str | Path, ...]:
    return ("--dataset", "toy", "--root", toy_root, "--plugin", TOY)


def test_score_table_compare_check_and_verify(bare: Cli, toy_root: Path, words: tuple[str | Path, ...]) -> None:
    scored = bare("score", toy_root / "masks", *words, "--out", "results", "--name", "own")
    assert (scored.returncode, "fast" in scored.stderr) == (0, False), scored.stderr
    record = "results/toy/own.json"
    assert "1.000" in bare("table", "toy", "--plugin", TOY).stdout
    assert bare("compare", record, record, "--plugin", TOY).returncode == 0
    assert bare("check", record, "--baseline", record.replace("own", "other"), "--update-baseline").returncode == 0
    assert bare("check", record, "--baseline", record.replace("own", "other")).returncode == 0
    assert bare("verify", "toy", "--root", toy_root, "--plugin", TOY).returncode == 0
    assert bare("list", "methods").returncode == bare("list", "datasets").returncode == 0


@pytest.mark.parametrize("protocol", ["sample", "vsod-davsod"])
def test_numbers_are_the_same_and_slowness_is_said_once(cli: Cli, bare: Cli, tmp_path: Path, protocol: str) -> None:
    words = ("--dataset", "sample", "--protocol", protocol, "--limit", "4", "--videos", "polygon-dash")
    masks = tmp_path / "masks"
    run = ("run", "--plugin", TOY, "--method", "brightness", "--dataset", "sample", "--limit", "4", "--out", masks)
    assert cli(*run, "--measures", "J").returncode == 0
    score = ("score", masks / "sample" / "brightness+limit4", *words, "--format", "json")
    plain, fast = bare(*score), cli(*score)
    assert plain.returncode == fast.returncode == 0, plain.stderr
    one, other = (json.loads(each.stdout) for each in (plain, fast))
    assert one["videos"] == other["videos"]
    assert one["scores"] == other["scores"]
    assert plain.stderr.count("Numba") == 1


def test_what_needs_torch_says_how_to_get_it(bare: Cli, tmp_path: Path, words: tuple[str | Path, ...]) -> None:
    (tmp_path / "lazy.py").write_text(
        "from vosbench.method import Method\n"
        "def load(setup):\n"
        "    import torch.nn\n"
        "method = Method(name='lazy', title='', paper='', licence='', load=load, needs_weights=False)\n",
        "utf-8",
    )
    (tmp_path / "weights.pth").write_bytes(b"")
    for line in (
        ("run", "--method", "f2net.tiny", *words),
        ("run", "--method", "lazy", "--plugin", "lazy.py", *words),
        ("check", "--method", "f2net.tiny", *words, "--baseline", "none.json"),
        ("train", "f2net.tiny", "--data", "sample"),
        ("convert", "weights.pth", "--method", "backbone", "--out", "out.safetensors"),
        ("convert", "weights.pth", "--method", "f2net.tiny", "--out", "out.safetensors"),
    ):
        refused = bare(*line)
        assert (refused.returncode, refused.stderr.splitlines()) == (2, [f"error: {INSTALL}"]), line
    assert not (tmp_path / "results").exists()


def test_what_needs_onnx_says_how_to_get_it(bare: Cli, tmp_path: Path, words: tuple[str | Path, ...]) -> None:
    (tmp_path / "net.onnx").write_bytes(b"")
    refused = bare("run", "--method", "onnx", "--weights", "net.onnx", *words)
    hint = 'error: onnxruntime is not installed; run: pip install "vosbench[onnx]"\n'
    assert (refused.returncode, refused.stderr) == (2, hint)
    export = bare("export", "f2net.tiny-base", "--untrained", "--out", "net.pt")
    assert (export.returncode, export.stderr) == (2, f"error: {INSTALL}\n")


def test_a_site_needs_jinja_and_says_so_before_it_writes(bare: Cli, tmp_path: Path) -> None:
    (tmp_path / "results" / "toy").mkdir(parents=True)
    (tmp_path / "results" / "toy" / "a.json").write_text(make_record("a", {"J_mean": 0.5}).to_json(), "utf-8")
    refused = bare("report", "--no-published")
    hint = 'error: jinja2 is not installed; run: pip install "vosbench[site]"\n'
    assert (refused.returncode, refused.stderr) == (2, hint)
    assert not (tmp_path / "site").exists()


def test_a_plugin_file_that_imports_torch_gets_the_same_hint(
    bare: Cli, tmp_path: Path, words: tuple[str | Path, ...]
) -> None:
    (tmp_path / "eager.py").write_text("import torch\n", "utf-8")
    refused = bare("run", "--method", "eager", "--plugin", "eager.py", *words)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.endswith(f"line 1: fails on import: {INSTALL}\n")


def test_methods_without_torch_run(bare: Cli, words: tuple[str | Path, ...]) -> None:
    done = bare("run", "--method", "brightness", *words, "--measures", "J")
    assert (done.returncode, "Numba" in done.stderr) == (0, False), done.stderr
    slow = bare("run", "--method", "brightness", "--plugin", TOY, "--dataset", "sample", "--limit", "3")
    assert (slow.returncode, slow.stderr.count("Numba")) == (0, 1), slow.stderr


def test_clusters_say_what_they_need(bare: Cli, words: tuple[str | Path, ...]) -> None:
    refused = bare("run", "--method", "brightness", *words, "--workers", "2")
    said = 'error: dask is not installed; run: pip install "vosbench[dist]"'
    assert (refused.returncode, refused.stderr.splitlines()) == (2, [said])
