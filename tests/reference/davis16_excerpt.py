"""Write `davis16_excerpt/`: three sequences of DAVIS-2016, eight methods' masks of them, and their official numbers.

Run where the whole data is: ``VOSBENCH_TEST_DATA=… python tests/reference/davis16_excerpt.py``. The files hold what
they are made from, byte for byte of content; only T per sequence, which the leaderboard does not publish, is ours.
"""

import io
import json
import lzma
import os
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vosbench.dataset.selection import Choice, select
from vosbench.evaluate.score import score
from vosbench.registry import load_dataset

SEQUENCES = ("car-shadow", "drift-chicane", "libby")
METHODS = ("ags", "andiff", "epo+", "fseg", "osvos", "pdb", "sfls", "tis")


def stack(masks: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pack masks, eight pixels in a byte: (N, H, W) to (N, H, W / 8 rounded up)."""
    return np.packbits(np.stack(masks) > 0, axis=2)


def submission(path: Path) -> tuple[dict[str, NDArray[np.uint8]], dict[str, Any]]:
    """Take the sequences from a submission: masks, and how its files are named and encoded."""
    masks, about = {}, {"files": "", "mode": "", "foreground": 0, "frames": {}}
    with zipfile.ZipFile(path) as archive:
        for sequence in SEQUENCES:
            names = [name for name in sorted(archive.namelist()) if PurePosixPath(name).parent.name == sequence]
            pictures = [Image.open(io.BytesIO(archive.read(name))) for name in names]
            about["frames"][sequence] = len(pictures)
            about["files"] = str(PurePosixPath(names[0]).parents[1] / "{sequence}/{frame:05d}.png")
            (about["mode"],) = {picture.mode for picture in pictures}
            masks[sequence] = stack([np.array(picture, np.uint8) for picture in pictures])
            about["foreground"] = max(int(np.array(picture).max()) for picture in pictures)
    return masks, about


def main() -> None:
    """Write the excerpt from the whole data."""
    data, target = Path(os.environ["VOSBENCH_TEST_DATA"]), Path(__file__).with_suffix("")
    davis16 = load_dataset("davis16")
    annotations = data / "DAVIS" / "Annotations" / "480p"
    packed = {
        f"annotations/{sequence}": stack(
            [np.array(Image.open(path)) for path in sorted((annotations / sequence).glob("*.png"))]
        )
        for sequence in SEQUENCES
    }
    stability = json.loads((data.parent / "reference" / "metrics_reference.json").read_text("utf-8"))["T"]
    of_annotations = {name: stability["official_gt_sequence_T_times5_val"][name] for name in SEQUENCES}
    found: dict[str, Any] = {"size": [480, 854], "annotations": {"T": of_annotations}, "methods": {}}
    for method in METHODS:
        path = data / "davis16_results" / f"{method}.zip"
        masks, about = submission(path)
        packed |= {f"{method}/{sequence}": mask for sequence, mask in masks.items()}
        official = json.loads(path.with_suffix(".official_per_frame.json").read_text("utf-8"))
        selection = select(davis16, Choice(root=data / "DAVIS", videos=SEQUENCES, measures=("T",)))
        record, _, _ = score(path, selection)
        found["methods"][method] = about | {
            "official": {
                sequence: {measure: official[sequence][measure] for measure in ("J", "F")} for sequence in SEQUENCES
            },
            "T": {sequence: record.videos[sequence]["T_mean"] for sequence in SEQUENCES},
        }
    file = io.BytesIO()
    np.savez(file, **packed)
    (target / "masks.npz.xz").write_bytes(lzma.compress(file.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    text = json.dumps(found, indent=1)
    lists = re.sub(r"\[[^]]*\]", lambda match: json.dumps(json.loads(match[0])), text)  # one line each
    (target / "official.json").write_text(lists + "\n", "utf-8")


if __name__ == "__main__":
    main()
