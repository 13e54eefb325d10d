"""Saliency measures against PySODMetrics and scikit-learn: arrays, files, and pooled pixels.

The maps are a method's masks, blurred; without real data they are moving disks. All are 854×480, 8 bits.
"""

import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from peer_saliency_worker import EVERY, FILES, MEASURES, POOL
from turns import Ask, Row, difference, take_turns, worker

WORKER = Path(__file__).with_name("peer_saliency_worker.py")
TARGETS = {"MAE, PR, F": 10, "S": 3, "E": 3, "weighted F": None, FILES: 3, POOL: 15}
LIMIT = 300  # MB

# Both workers keep freed memory. Otherwise glibc may return it and fault it in again for every frame, which doubled
# PySODMetrics' time or not, depending on what its process had done before.
KEEP = {"MALLOC_TRIM_THRESHOLD_": "2000000000", "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20)}


def rows(peer: Path, data: Path, rounds: int) -> Iterator[Row]:
    """Measure each task.

    Args:
        peer: an interpreter that has pysodmetrics and scikit-learn.
        data: the folder of VOSBENCH_TEST_DATA, which need not exist.
        rounds: number of counted rounds.
    """
    with tempfile.TemporaryDirectory() as name, patch.dict(os.environ, KEEP):
        folder = Path(name)
        prepare(folder, data)
        with worker(Path(sys.executable), WORKER, "ours") as ours, worker(peer, WORKER, "peer") as theirs:
            for task in (*MEASURES, FILES, POOL):
                yield in_turns(ours, theirs, {"task": task, "folder": name}, rounds)
        with worker(Path(sys.executable), WORKER, "ours") as ours:
            yield pooled(ours, folder)


def in_turns(ours: Ask, theirs: Ask, task: dict[str, str], rounds: int) -> Row:
    """One task by both: milliseconds per frame, and their ratio."""
    timing = take_turns(ours, theirs, (task, task), rounds)
    frames, target = timing.answers[0]["frames"], TARGETS[task["task"]]
    scores = [answer["scores"] for answer in timing.answers]
    return Row(
        task=f"{task['task']}, {frames} frames",
        ours=f"{timing.ours / frames * 1000:.2f} ms",
        peer=f"{timing.peer / frames * 1000:.2f} ms",
        measured=f"{timing.ratio:.1f}×",
        target="–" if target is None else f"≥ {target}×",
        met=target is None or timing.ratio >= target,
        scores=f"{', '.join(scores[0])} within {difference(*scores):.0e}",
    )


def pooled(ours: Ask, folder: Path) -> Row:
    """All files at once, by vosbench only."""
    found = ours({"task": EVERY, "folder": str(folder)})
    return Row(
        task=f"{POOL}, {found['frames']} frames from files",
        ours=f"{found['seconds']:.1f} s",
        peer="not run",
        measured=f"{found['peak']:.0f} MB",
        target=f"< {LIMIT} MB",
        met=found["peak"] < LIMIT,
        scores=f"maxF {found['scores']['maxF'][0]:.6f}",
    )


def prepare(folder: Path, data: Path) -> None:
    """Write ``maps/`` and ``annotations/``."""
    for name in ("maps", "annotations"):
        (folder / name).mkdir(parents=True)
    for name, mask, annotation in real(data) if (data / "DAVIS").is_dir() else disks():
        soft = cv2.GaussianBlur(mask * np.float32(255), (0, 0), 6)
        cv2.imwrite(str(folder / "maps" / name), np.rint(soft).astype(np.uint8))
        cv2.imwrite(str(folder / "annotations" / name), annotation * np.uint8(255))


def real(data: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Masks of a method and annotations of DAVIS-2016 val, without first and last frames."""
    with zipfile.ZipFile(data / "davis16_results" / "ags.zip") as archive:
        members = {"/".join(name.split("/")[-2:]): name for name in archive.namelist()}
        for video in sorted((data / "DAVIS" / "Annotations" / "480p").iterdir()):
            for path in sorted(video.iterdir())[1:-1]:
                stored = np.frombuffer(archive.read(members[f"{video.name}/{path.name}"]), np.uint8)
                mask = cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE) > 0
                yield f"{video.name}-{path.name}", mask, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 128


def disks(count: int = 1336) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Moving disks, slightly different from their annotations."""
    y, x = np.mgrid[:480, :854]
    for index in range(count):
        away = (y - 100 - index * 7 % 300) ** 2 + (x - 100 - index * 11 % 600) ** 2
        yield f"{index:05d}.png", away < (60 + index % 50) ** 2, away < (64 + index % 40) ** 2
