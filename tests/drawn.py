"""What figures are drawn of in tests: records with values of frames, curves and speed; heat maps; predictions."""

import csv
import math
from pathlib import Path

import numpy as np

from factories import make_record
from vosbench.images import write_png
from vosbench.metrics.statistics import decay, mean, recall
from vosbench.records import record as records
from vosbench.records.record import Record, Row, Speed
from vosbench.registry import load_dataset

METHODS = ("alpha", "beta", "gamma")
SIGNATURE = "davis16@1|J:inner|F:0.008|avg:video|vosbench 0.1.0"
SALIENCY = "vsod-davsod@1|MAE,maxF,meanF:davsod,annotated-inner|vosbench 0.1.0"


def value(method: int, video: int, frame: int, measure: str) -> float:
    """A J or F that differs between methods, videos and frames, and falls over time."""
    wave = math.sin(0.9 * frame + 2.3 * video + (1.1 if measure == "F" else 0)) * 0.06
    level = 0.86 - 0.09 * method - 0.022 * video - 0.004 * frame * (1 + method)
    return min(max(level + wave, 0.02), 0.99)


def rows_of(method: int) -> list[Row]:
    """Values of frames of all videos of DAVIS-2016."""
    videos = list(load_dataset("davis16").listing("val"))
    frames = range(1, 25)
    return [
        Row(name, frame, measure, value(method, at, frame, measure))
        for at, name in enumerate(videos)
        for frame in frames
        for measure in ("J", "F")
    ]


def scores_of(rows: list[Row]) -> dict[str, float | None]:
    """The scores of a video."""
    scores: dict[str, float | None] = {}
    for measure in ("J", "F"):
        values = [row.value for row in rows if row.measure == measure]
        named = {"mean": mean(values), "recall": recall(values), "decay": decay(values)}
        scores |= {f"{measure}_{name}": found for name, found in named.items()}
    assert scores["J_mean"] is not None
    assert scores["F_mean"] is not None
    return {**scores, "JF_mean": (scores["J_mean"] + scores["F_mean"]) / 2}


def mask_record(method: int, **changes: object) -> tuple[Record, list[Row]]:
    """A record of masks, with its rows."""
    rows = rows_of(method)
    videos = {
        name: scores_of([row for row in rows if row.video == name]) for name in dict.fromkeys(r.video for r in rows)
    }
    keys = next(iter(videos.values()))
    scores = {key: sum(of[key] or 0 for of in videos.values()) / len(videos) for key in keys}
    speed = Speed(
        frames=20,
        warmup=5,
        fps=40 / (method * 3 + 1),
        latency=0.02,
        stages={},
        peak_memory=1,
        parameters=None,
        gmacs=None,
        size="854x480",
        device_name="some processor",
        threads=1,
    )
    usual = {"dataset": "davis16", "protocol": "davis16@1", "signature": SIGNATURE, "speed": speed}
    return make_record(METHODS[method], scores, videos, **{**usual, **changes}), rows


def map_record(method: int, dataset: str = "davis16") -> Record:
    """A record of soft maps, with curves."""
    threshold = np.arange(256) / 255
    hard = 1.5 + method + (dataset == "fbms")
    precision = 1 - 0.9 * (1 - threshold) ** (2 * hard)
    recall_ = 1 - threshold**hard * 0.85
    f = 1.3 * precision * recall_ / (0.3 * precision + recall_)
    curves = {"precision": precision.tolist(), "recall": recall_.tolist(), "f_measure": f.tolist()}
    scores = {"maxF": float(f.max()), "meanF": float(f.mean()), "MAE": 0.1}
    protocol = {"protocol": "vsod-davsod@1", "signature": SALIENCY, "apart": "@vsod-davsod"}
    return make_record(METHODS[method], scores, {"cows": scores}, dataset=dataset, curves=curves, **protocol)


def write_results(folder: Path) -> Path:
    """Write a results folder: three records of masks on DAVIS-2016, and three of soft maps on two datasets."""
    for method in range(3):
        record, rows = mask_record(method)
        records.write(folder / "davis16" / f"{record.name}.json", record, rows)
        for dataset in ("davis16", "fbms"):
            soft = map_record(method, dataset)
            records.write(folder / dataset / f"{soft.name}.json", soft, [])
    return folder


def write_heatmaps(folder: Path, video: str = "v0", frames: int = 5, size: tuple[int, int] = (24, 32)) -> Path:
    """Write heat maps of the toy dataset, as F2Net keeps them."""
    height, width = size
    lines = [("frame", "x", "y", "score", "chosen")]
    for frame in range(frames):
        x, y = np.meshgrid((np.arange(width // 2) + 0.5) * 2, (np.arange(height // 2) + 0.5) * 2)
        heat = np.exp(-((x - 8 - 3 * frame) ** 2 + (y - 12) ** 2) / 30)
        write_png(folder / video / f"{frame:05d}.png", np.rint(heat * 255).astype(np.uint8))
        lines += [(f"{frame:05d}", f"{8 + 3 * frame}", "12", "0.9", "1"), (f"{frame:05d}", "28", "4", "0.3", "0")]
    with (folder / video / "centres.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    return folder
