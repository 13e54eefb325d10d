"""What many tests are made of: records, a small dataset on disk, and how many examples a property is tested on."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vosbench.images import read_frame, write_png
from vosbench.records.published import Published
from vosbench.records.record import Provenance, Record


def examples(usual: int) -> int:
    """How many examples a property is tested on; ``VOSBENCH_EXAMPLES`` overrides every usual number."""
    return int(os.environ.get("VOSBENCH_EXAMPLES", usual))


def make_provenance(**changes: object) -> Provenance:
    """Say where the numbers of a record come from: a valid answer, with some fields changed."""
    known = {"date": "2026-01-01", "vosbench": "0.1.0", "packages": {}, "annotations": "a" * 64, "codec": "map"}
    return Provenance.model_validate({**known, **changes})


def make_record(
    method: str = "toy",
    scores: Mapping[str, float | None] | None = None,
    videos: Mapping[str, Mapping[str, float | None]] | None = None,
    **changes: Any,
) -> Record:
    """Make a record of one method on the toy dataset.

    Args:
        method: its name.
        scores: of the dataset.
        videos: the scores of each video.
        changes: other fields; of ``provenance`` those that differ from `make_provenance`'s will do.
    """
    protocol = changes.get("protocol", "toy@1")
    known = {
        "method": method,
        "dataset": "toy",
        "split": "val",
        "protocol": protocol,
        "signature": f"{protocol}|J:all|F:0.008|avg:video|vosbench 0.1.0",
        "scores": scores or {},
        "videos": videos or {},
    }
    provenance = changes.pop("provenance", {})
    if not isinstance(provenance, Provenance):
        provenance = make_provenance(**provenance)
    return Record.model_validate({**known, **changes, "provenance": provenance})


def davis16_record(method: str, scores: Mapping[str, float | None], **changes: Any) -> Record:
    """Make a record of DAVIS-2016; as `make_record`."""
    signature = "davis16@1|J:inner|F:0.008|T:gt-first|avg:video|vosbench 0.1.0"
    usual = {"dataset": "davis16", "protocol": "davis16@1", "signature": signature}
    return make_record(method, scores, **{**usual, **changes})


def disk_mask(height: int, width: int, row: float, column: float, radius: float) -> NDArray[np.bool_]:
    """Draw a filled disk as an (H, W) mask."""
    y, x = np.mgrid[:height, :width]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def write_toy(root: Path, videos: int = 2, frames: int = 5, size: tuple[int, int] = (24, 32)) -> Path:
    """Write a dataset in the layout of ``plugins/toy.py``: a disk moves to the right, brighter than its background."""
    for video in range(videos):
        for frame in range(frames):
            mask = disk_mask(*size, 12, 8 + 3 * frame, 5 + video)
            picture = np.full((*size, 3), 60, np.uint8)
            picture[mask] = 200
            write_png(root / "frames" / f"v{video}" / f"{frame:05d}.png", picture)
            write_png(root / "masks" / f"v{video}" / f"{frame:05d}.png", mask * np.uint8(255))
    return root


def number(**changes: str) -> Published:
    """J of FSEG on DAVIS-2016 as F2Net prints it, or with other columns."""
    text = dict.fromkeys(Published.model_fields, "") | {
        "dataset": "davis16",
        "split": "val",
        "protocol": "davis16@1",
        "method": "FSEG",
        "measure": "J_mean",
        "value": "70.7",
        "unit": "%",
        "source": "F2Net Table 3",
    }
    return Published.model_validate(text | changes)


def half_a_jpeg(path: Path) -> Path:
    """Replace a frame by the start of a JPEG file of it."""
    file = io.BytesIO()
    Image.fromarray(read_frame(path)).save(file, "JPEG")
    path.write_bytes(file.getvalue()[:-40])
    return path
