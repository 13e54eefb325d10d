import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import Listed
from vosbench.dataset.selection import Choice, select
from vosbench.dataset.verify import Report, verify
from vosbench.errors import DataError
from vosbench.evaluate.score import score
from vosbench.registry import load_dataset

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


def check(root: Path) -> Report:
    return verify(load_dataset("toy", [TOY]), root, "val")


def said(report: Report) -> list[tuple[str, str, str]]:
    return [(each.level, each.video, each.message) for each in report.findings]


def test_a_complete_dataset(toy_root: Path) -> None:
    report = check(toy_root)
    assert (said(report), report.complete, report.layout) == ([], 2, "toy")


def test_the_hash_is_that_of_records(toy_root: Path) -> None:
    record, _, _ = score(toy_root / "masks", select(load_dataset("toy", [TOY]), Choice(root=toy_root)))
    assert check(toy_root).annotations == record.provenance.annotations


def test_missing_and_extra_files(toy_root: Path) -> None:
    (toy_root / "frames" / "v0" / "00004.png").unlink()
    (toy_root / "masks" / "v0" / "00001.png").unlink()
    shutil.copytree(toy_root / "frames" / "v1", toy_root / "frames" / "elephant")
    assert said(check(toy_root)) == [
        ("error", "v0", "has 4 frames; the list says 5"),
        ("error", "v0", "is missing annotations of frames 1, 4"),
        ("note", "*", "1 sequences are not part of Toy: elephant"),
    ]
    shutil.rmtree(toy_root / "frames" / "v1")
    assert ("error", "v1", "is missing") in said(check(toy_root))


def test_sizes_values_and_empty_masks(toy_root: Path) -> None:
    masks = toy_root / "masks" / "v0"
    mask = np.array(Image.open(masks / "00000.png"))
    Image.fromarray(mask[:20]).save(masks / "00000.png")
    Image.fromarray(mask // 255).save(masks / "00001.png")
    Image.fromarray(mask * 0).save(masks / "00002.png")
    Image.fromarray(mask[::2, ::2]).save(masks / "00003.png")
    (masks / "00004.png").write_bytes(b"none")
    report = check(toy_root)
    messages = [message for _, video, message in said(report) if video == "v0"]
    assert report.complete == 1
    assert messages[0] == 'annotation "00000.png" is 32×20, its frame 32×24'
    assert "contains the values 1" in messages[1]
    assert messages[2] == 'annotation "00003.png" is 16×12, its frame 32×24'
    assert "is not an image" in messages[3]
    assert messages[4] == "1 annotations are empty"
    assert [each.level for each in report.findings] == ["error", "error", "note", "error", "note"]


def test_inverted_masks(toy_root: Path) -> None:
    for path in (toy_root / "masks" / "v0").iterdir():
        Image.fromarray(255 - np.array(Image.open(path)) // 8).point(lambda v: 255 if v > 200 else 0).save(path)
    assert any("the masks look inverted" in message for _, _, message in said(check(toy_root)))


def test_another_dataset_under_the_right_name(toy_root: Path) -> None:
    other = replace(load_dataset("toy", [TOY]), listing=lambda _: {"cow": Listed(frames=5)}, videos=lambda *_: [])
    with pytest.raises(DataError, match="contains none of the 1 sequences"):
        verify(other, toy_root, "val")


def test_by_command(cli: Cli, toy_root: Path) -> None:
    done = cli("verify", "toy", "--root", toy_root, "--plugin", TOY)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 sequences are complete" in done.stdout
    (toy_root / "masks" / "v0" / "00001.png").unlink()
    failed = cli("verify", "toy", "--root", toy_root, "--plugin", TOY, "--json")
    assert failed.returncode == 3
    assert failed.stderr.count("\n") == 1
    rows = json.loads(failed.stdout)["rows"]
    assert rows == [{"level": "error", "video": "v0", "finding": "is missing annotations of frames 1"}]
