"""Saliency measures against PySODMetrics and scikit-learn: arrays, files, and pooled pixels.

The maps are a method's masks, blurred; without real data they are moving disks. All are 854×480, 8 bits.
"""

import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import decode_limit
import numpy as np
from environments import Environment
from measured import Amount, Row, Scores, Target
from peer_saliency_worker import EVERY, FILES, MEASURES, POOL, chosen
from turns import Ask, Task, take_turns, worker, workers

WORKER = Path(__file__).with_name("peer_saliency_worker.py")
PEERS = ("PySODMetrics", "scikit-learn", "decode limit")
LIMIT = "decode limit"
KEPT = "annotations kept"
TARGETS = {"MAE, PR, F": 10, "S": 3, "E": 3, FILES: 6.5, KEPT: 8, POOL: 15}
MOST = 300  # MB
NOTES = [
    (
        f'"{KEPT}": annotations were decoded by an earlier run; the decode limit is that of the same files, read, '
        "inflated by zlib-ng and unfiltered in C; if annotations are kept, they are only read; values differ in the "
        "last digits by the order of summation"
    )
]

# Workers keep freed memory. Otherwise glibc may return it and fault it in again for every frame, which doubled
# PySODMetrics' time or not, depending on what its process had done before.
KEEP = {"MALLOC_TRIM_THRESHOLD_": "2000000000", "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20)}


def rows(peers: Mapping[str, Environment], data: Path, rounds: int) -> Iterator[Row]:
    """Measure each task.

    Args:
        peers: the environments of `PEERS`.
        data: the folder of VOSBENCH_TEST_DATA, which need not exist.
        rounds: number of counted rounds.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        prepare(folder, data)
        stack.enter_context(patch.dict(os.environ, {**KEEP, "VOSBENCH_CACHE": str(folder / "cache")}))
        asks = stack.enter_context(workers(WORKER, {name: peer for name, peer in peers.items() if name != LIMIT}))
        library = decode_limit.compiled(folder)
        limit = None
        if library is not None and not peers[LIMIT].missing:
            limit = stack.enter_context(worker(peers[LIMIT].python, Path(decode_limit.__file__), LIMIT))
        for task in (*MEASURES, POOL):
            peer = "scikit-learn" if task == POOL else "PySODMetrics"
            if peer in asks:
                request = {"task": task, "folder": name}
                sides: dict[str, tuple[Ask, Task]] = {side: (asks[side], request) for side in ("ours", peer)}
                yield from in_turns(task, peer, sides, rounds)
        if "PySODMetrics" in asks:
            yield from in_turns(FILES, "PySODMetrics", of_files(asks, limit, library, folder), rounds)
        with worker(Path(sys.executable), WORKER, "ours") as ours:
            yield pooled(ours, folder)


def of_files(
    asks: Mapping[str, Ask], limit: Ask | None, library: Path | None, folder: Path
) -> dict[str, tuple[Ask, Any]]:
    """The sides of the task of files."""
    request = {"task": FILES, "folder": str(folder)}
    sides: dict[str, tuple[Ask, Any]] = {
        "ours": (asks["ours"], request),
        KEPT: (asks["ours"], {**request, "kept": True}),
        "PySODMetrics": (asks["PySODMetrics"], request),
    }
    if limit is not None and library is not None:
        maps, annotations = zip(*chosen(folder), strict=True)
        sides[LIMIT] = (limit, decode_limit.task(library, [*maps, *annotations]))
        sides[f"{LIMIT} of {KEPT}"] = (limit, decode_limit.task(library, maps, annotations))
    return sides


def in_turns(task: str, peer: str, sides: Mapping[str, tuple[Ask, Any]], rounds: int) -> Iterator[Row]:
    """One task by both, and with annotations that are kept: milliseconds per frame, and their ratio."""
    turns = take_turns(sides, rounds)
    frames = turns.answers["ours"]["frames"]

    def each(seconds: float) -> Amount:
        return Amount(value=1000 * seconds / frames, unit="ms")

    for side in ("ours", KEPT):
        if side not in sides:
            continue
        limit = LIMIT if side == "ours" else f"{LIMIT} of {KEPT}"
        target = TARGETS.get(task if side == "ours" else KEPT)
        yield Row(
            task=f"{task}, {frames} frames{'' if side == 'ours' else f', {KEPT}'}",
            ours=each(turns.seconds(side)),
            peer=peer,
            theirs=each(turns.seconds(peer)),
            measured=Amount(value=turns.ratio(peer, side), unit="×"),
            target=Target(bound="≥", value=target) if target else None,
            scores=Scores(what=", ".join(turns.answers[side]["scores"]), apart=turns.apart(peer, side), allowed=1e-12),
            limit=each(turns.seconds(limit)) if limit in sides else None,
        )


def pooled(ours: Ask, folder: Path) -> Row:
    """All files at once, by vosbench only."""
    found = ours({"task": EVERY, "folder": str(folder), "kept": True})
    return Row(
        task=f"{POOL}, {found['frames']} frames from files",
        ours=Amount(value=found["seconds"], unit="s"),
        measured=Amount(value=found["peak"], unit="MB"),
        target=Target(bound="<", value=MOST),
        scores=Scores(what=f"maxF {found['scores']['maxF'][0]:.6f}"),
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
