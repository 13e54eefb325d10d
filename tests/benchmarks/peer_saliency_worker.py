"""Run the tasks of `peer_saliency` with vosbench or a peer, depending on the environment.

``--worker ours`` and ``--worker PEER`` answer ``{"task": …, "folder": …}`` line by line; all hold the same maps.
"""

import argparse
import contextlib
import functools
import io
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

FRAMES = 72
POOLED = 144
MEASURES = {"MAE, PR, F": ("MAE", "adpF", "maxF"), "S": ("S",), "E": ("adpE", "maxE"), "weighted F": ("wF",)}
POOL, FILES, EVERY = "pooled PR", "MAE, PR, F from files", "pooled PR of every file"

Scores = dict[str, list[float]]
Pair = tuple[Any, Any]


def ours(task: str) -> Callable[[list[Pair]], Scores]:
    """A task, by vosbench."""
    from vosbench.images.kept import Annotations
    from vosbench.images.levels import read_levels
    from vosbench.metrics import saliency
    from vosbench.metrics.packed import unpack

    pooled = task in {POOL, EVERY}
    convention = saliency.convention("adnet" if pooled else "pysod")
    names = ("maxF",) if pooled else MEASURES[task.removesuffix(" from files")]

    def step(data: list[Pair]) -> Scores:
        averages = saliency.Accumulator(convention, names)
        annotations = Annotations("all", {index: pair[1] for index, pair in enumerate(data)}, "binary255")
        for index, (levels, annotation) in enumerate(data):
            if isinstance(levels, Path):
                pixels, mask = read_levels(levels, "map"), unpack(annotations.read(index)[0])
            else:
                pixels, mask = levels, annotation > 128
            averages.add("all", saliency.measure_frame(pixels, mask, convention, names))
        annotations.save()
        return {name: [value] for name, value in averages.result().items() if value is not None}

    return step


def peer(task: str) -> Callable[[list[Pair]], Scores]:
    """A task, by PySODMetrics or scikit-learn."""
    warnings.simplefilter("ignore")
    if task == POOL:
        return pooled
    import py_sod_metrics

    tools = {
        "MAE, PR, F": (py_sod_metrics.MAE, py_sod_metrics.Fmeasure),
        "S": (py_sod_metrics.Smeasure,),
        "E": (py_sod_metrics.Emeasure,),
        "weighted F": (py_sod_metrics.WeightedFmeasure,),
    }

    def step(data: list[Pair]) -> Scores:
        measures = [tool() for tool in tools[task.removesuffix(" from files")]]
        for pair in data:
            levels, annotation = (grey(each) if isinstance(each, Path) else each for each in pair)
            for measure in measures:
                measure.step(levels, annotation)
        results = {name: value for measure in measures for name, value in measure.get_results().items()}
        scores = {name: results[key] for name, key in (("MAE", "mae"), ("S", "sm"), ("wF", "wfm")) if key in results}
        for letter, key in (("F", "fm"), ("E", "em")):
            if key in results:
                scores |= {f"adp{letter}": results[key]["adp"], f"max{letter}": results[key]["curve"].max()}
        return {name: [float(value)] for name, value in scores.items()}

    return step


def pooled(data: list[Pair]) -> Scores:
    """The largest F over the pixels of all frames, by scikit-learn."""
    from sklearn.metrics import precision_recall_curve

    levels = np.concatenate([each.ravel() for each, _ in data])
    truth = np.concatenate([each.ravel() > 128 for _, each in data])
    precision, recall, _ = precision_recall_curve(truth, levels)
    return {"maxF": [float((2 * precision * recall / np.maximum(precision + recall, 1e-300)).max())]}


def grey(path: Path) -> Any:
    """An 8-bit grey image, as peers read it."""
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)


def files(folder: Path) -> list[Pair]:
    """Map and annotation files."""
    return [(path, folder / "annotations" / path.name) for path in sorted((folder / "maps").iterdir())]


@functools.cache
def held(folder: Path) -> list[Pair]:
    """The arrays of evenly chosen files."""
    return [(grey(levels), grey(annotation)) for levels, annotation in evenly(files(folder), POOLED)]


def chosen(folder: Path) -> list[Pair]:
    """The files of the task `FILES`."""
    return evenly(files(folder), FRAMES)


def evenly(pairs: list[Pair], count: int) -> list[Pair]:
    """``count`` evenly spaced pairs."""
    return pairs[:: max(1, len(pairs) // count)][:count]


def answer(side: str, task: str, folder: Path, *, kept: bool) -> dict[str, Any]:
    """Do a task: processor seconds, scores, the number of frames, and peak memory in MB.

    ``kept``: read annotations as a second run does, from those that the first one kept.
    """
    os.environ["VOSBENCH_NO_CACHE"] = "" if kept else "1"
    if task == EVERY:
        data = files(folder)
    elif task == FILES:
        data = chosen(folder)
    else:
        data = evenly(held(folder), POOLED if task == POOL else FRAMES)
    step = (ours if side == "ours" else peer)(task)
    start = time.process_time()
    scores = step(data)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "scores": scores, "frames": len(data), "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", required=True)
    side = parser.parse_args().worker
    cv2.setNumThreads(1)
    answers = sys.stdout
    for line in sys.stdin:
        request = json.loads(line)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                found = answer(side, request["task"], Path(request["folder"]), kept=request.get("kept", False))
        except Exception as error:  # noqa: BLE001 -- reported to the parent process
            found = {"error": repr(error)}
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main()
