"""Proposals of DAVIS-2017, from files to a record."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from vosbench.registry import load_dataset

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


def test_listing_of_davis17() -> None:
    listing = load_dataset("davis17").listing("val")
    assert len(listing) == 30
    assert sum(listed.frames for listed in listing.values()) == 1999
