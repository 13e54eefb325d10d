"""Proposals of DAVIS-2017, from files to a record."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import DatasetProtocol
from vosbench.dataset.selection import Choice, select
from vosbench.evaluate.score import all_rows, score
from vosbench.images import read_mask, write_png
from vosbench.metrics.proposals import Proposals, dataset_proposals
from vosbench.registry import load_dataset

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"

Cli = Callable[..., subprocess.CompletedProcess[str]]


def write_davis17(root: Path, *, shift: int = 0) -> tuple[Path, Path]:
    """All of DAVIS-2017 val in 8×6 pixels; every video has two objects and a void pixel."""
    labels = np.zeros((6, 8), np.uint8)
    labels[1:4, 1:4], labels[2:5, 5:7], labels[0, 0] = 1, 2, 255
    proposals = np.select([labels == 1, labels == 2], [5, 3], 0).astype(np.uint8)
    for name, array in (("labels", labels), ("proposals", np.roll(proposals, shift, axis=1))):
        image = Image.fromarray(array)
        image.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
        image.save(root / f"{name}.png")
    rooms = {
        "DAVIS/JPEGImages/480p": ("labels", "jpg"),
        "DAVIS/Annotations_unsupervised/480p": ("labels", "png"),
        "masks": ("proposals", "png"),
    }
    for name, listed in load_dataset("davis17").listing("val").items():
        for room, (source, suffix) in rooms.items():
            folder = root / room / name
            folder.mkdir(parents=True)
            for index in range(listed.frames):
                (folder / f"{index:05d}.{suffix}").hardlink_to(root / f"{source}.png")
    return root / "DAVIS", root / "masks"


def test_davis17_proposals_are_matched(cli: Cli, tmp_path: Path) -> None:
    root, masks = write_davis17(tmp_path)
    done = cli("score", masks, "--dataset", "davis17", "--root", root, "--format", "json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["scores"]["JF_mean"] == 1.0
    assert record["signature"].startswith("davis17-objects@1|J:all|F:0.008|unit:objects|avg:object|")
    (masks / "dog" / "00003.png").unlink()
    incomplete = cli("score", masks, "--dataset", "davis17", "--root", root)
    assert incomplete.returncode == 3
    assert "dog/00003" in incomplete.stderr


def test_proposals_on_disk_are_matched_over_the_video(toy_root: Path, tmp_path: Path) -> None:
    """The right half of the disk is another proposal; the numbers are those of the arrays that were written."""
    dataset = load_dataset("toy", [TOY])
    protocol = DatasetProtocol(name="objects", unit="objects", average="object")
    selection = select(replace(dataset, protocols=(protocol,)), Choice(root=toy_root))
    expected = {}
    for video in selection.videos:
        proposals = Proposals()
        for index, path in video.annotations.items():
            labels = read_mask(path, video.codec).astype(np.uint8)
            write_png(path, labels)  # as labels, which objects are
            proposal = labels * np.uint8(2)
            proposal[:, 14:] //= 2
            write_png(tmp_path / "masks" / video.name / f"{video.frames[index].stem}.png", proposal)
            proposals.add(labels, proposal)
        expected[video.name] = proposals.result()
    record, scored, _ = score(tmp_path / "masks", selection)
    for name, scores in expected.items():
        assert record.videos[name] == pytest.approx(scores.scores)
    rows = {(row.video, row.measure, row.frame): row.value for row in all_rows(scored)}
    (disk,) = expected["v0"].objects
    assert tuple(rows["v0", "J.1", frame] for frame in range(5)) == disk.J
    assert tuple(rows["v0", "F.1", frame] for frame in range(5)) == disk.F
    assert len(rows) == 2 * 2 * 5
    assert record.scores["JF_mean"] == pytest.approx(dataset_proposals(list(expected.values()))["JF_mean"])


def test_too_many_proposals_are_named_with_file_and_video(cli: Cli, tmp_path: Path) -> None:
    root, masks = write_davis17(tmp_path)
    (masks / "dog" / "00003.png").unlink()
    write_png(masks / "dog" / "00003.png", np.full((6, 8), 21, np.uint8))
    done = cli("score", masks, "--dataset", "davis17", "--root", root, "--codec", "ids", "--jobs", "2")
    assert done.returncode == 3
    label = f"{masks}:dog/00003.png"
    said = f'error: "{label}" (frame 3 of "dog"): the prediction has the label 21; the highest allowed is 20'
    assert done.stderr.splitlines() == [said]


def test_listing_of_davis17() -> None:
    listing = load_dataset("davis17").listing("val")
    assert len(listing) == 30
    assert sum(listed.frames for listed in listing.values()) == 1999
