"""Do one side's tasks of `peer_masks`, in this environment or a peer's.

The peers' sides import nothing from vosbench, and the bare interpreter imports nothing at all.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

Scores = dict[str, list[float]]
Task = dict[str, Any]


def names(folder: Path) -> list[str]:
    """The videos."""
    return sorted(path.name for path in (folder / "annotations").iterdir())


@cache
def arrays(folder: Path) -> dict[str, list[tuple[Any, Any]]]:
    """Each video's pairs of annotation and result, (H, W) uint8 of 0 and 1."""
    import numpy as np
    from PIL import Image

    def pixels(path: Path) -> Any:
        return np.array(Image.open(path))

    return {
        video: [
            (pixels(path), pixels(folder / "results" / video / path.name))
            for path in sorted((folder / "annotations" / video).iterdir())
        ]
        for video in names(folder)
    }


@cache
def run_lengths(folder: Path) -> dict[str, list[tuple[Any, Any]]]:
    """The same in run lengths, as TrackEval has masks."""
    import numpy as np
    from pycocotools import mask as coco

    return {
        video: [(coco.encode(np.asfortranarray(one)), coco.encode(np.asfortranarray(other))) for one, other in pairs]
        for video, pairs in arrays(folder).items()
    }


def ours_on_arrays(task: Task) -> Scores:
    """Per frame."""
    import numpy as np

    from vosbench.metrics.packed_scores import frame_scores, pack

    scores = {}
    for video, pairs in arrays(Path(task["folder"])).items():
        found = [frame_scores(pack(one.view(np.bool_)), pack(other.view(np.bool_))) for one, other in pairs]
        scores[f"{video} J"] = [frame.region for frame in found]
        scores[f"{video} F"] = [frame.contour for frame in found]
    return scores


def our_regions(task: Task) -> Scores:
    """J alone, per frame."""
    import numpy as np

    from vosbench.metrics.packed_scores import pack, region_similarity

    return {
        video: [region_similarity(pack(one.view(np.bool_)), pack(other.view(np.bool_))) for one, other in pairs]
        for video, pairs in arrays(Path(task["folder"])).items()
    }


def vos_benchmark_on_arrays(task: Task) -> Scores:
    """Per frame."""
    from vos_benchmark.evaluator import Evaluator

    scores = {}
    for video, pairs in arrays(Path(task["folder"])).items():
        evaluator = Evaluator(name=video)
        for annotation, result in pairs:
            evaluator.feed_frame(result, annotation)
        scores[f"{video} J"] = [float(value) for value in evaluator.object_iou[1]]
        scores[f"{video} F"] = [float(value) for value in evaluator.boundary_f[1]]
    return scores


def davis2017_on_arrays(task: Task) -> Scores:
    """Per frame; a stack of frames, as its evaluation holds them, takes longer."""
    from davis2017.metrics import db_eval_boundary, db_eval_iou

    scores = {}
    for video, pairs in arrays(Path(task["folder"])).items():
        scores[f"{video} J"] = [float(db_eval_iou(one, other)) for one, other in pairs]
        scores[f"{video} F"] = [float(db_eval_boundary(one, other)) for one, other in pairs]
    return scores


def trackeval_on_arrays(task: Task) -> Scores:
    """Means of videos: all that it returns."""
    from trackeval.metrics import JAndF

    scores = {}
    for video, pairs in run_lengths(Path(task["folder"])).items():
        ids = [[0] for _ in pairs]
        found = JAndF().eval_sequence(
            {
                "num_timesteps": len(pairs),
                "num_gt_ids": 1,
                "num_tracker_ids": 1,
                "gt_ids": ids,
                "tracker_ids": ids,
                "gt_dets": [[one] for one, _ in pairs],
                "tracker_dets": [[other] for _, other in pairs],
            }
        )
        scores[f"{video} J"], scores[f"{video} F"] = [float(found["J-Mean"])], [float(found["F-Mean"])]
    return scores


def sklearn_regions(task: Task) -> Scores:
    """J alone, per frame."""
    from sklearn.metrics import jaccard_score

    return {
        video: [float(jaccard_score(one.ravel(), other.ravel())) for one, other in pairs]
        for video, pairs in arrays(Path(task["folder"])).items()
    }


def score_video(folder: Path, codec: str, video: str) -> tuple[list[float], list[float]]:
    """J and F of a video's frames, from files; annotations as `vosbench score` reads them."""
    from vosbench.images import read_packed
    from vosbench.images.kept import Annotations
    from vosbench.metrics.packed_scores import frame_scores

    files = sorted((folder / "annotations" / video).iterdir())
    annotations = Annotations(video, dict(enumerate(files)), codec)
    regions, contours = [], []
    for index, path in enumerate(files):
        result = read_packed(folder / "results" / video / path.name, codec)
        frame = frame_scores(annotations.read(index)[0], result)
        regions.append(frame.region)
        contours.append(frame.contour)
    annotations.save()
    return regions, contours


def ours_on_files(task: Task) -> Scores:
    """Means of videos; annotations are kept from the first round on if the task says so."""
    os.environ["VOSBENCH_NO_CACHE"] = "" if task["cached"] else "1"
    scores = {}
    for video in names(Path(task["folder"])):
        regions, contours = score_video(Path(task["folder"]), task["codec"], video)
        scores[video] = [sum(regions) / len(regions), sum(contours) / len(contours)]
    return scores


def vos_benchmark_on_files(task: Task) -> Scores:
    """Means of videos; the peer returns percentages."""
    from vos_benchmark.benchmark import VideoEvaluator

    folder = Path(task["folder"])
    evaluate = VideoEvaluator(str(folder / "annotations"), str(folder / "results"), skip_first_and_last=False)
    scores = {}
    for video in names(folder):
        _, regions, contours = evaluate(video)
        (region,), (contour,) = regions.values(), contours.values()
        scores[video] = [float(region) / 100, float(contour) / 100]
    return scores


@cache
def pool(jobs: int) -> ProcessPoolExecutor:
    """Processes that stay."""
    return ProcessPoolExecutor(jobs)


def spin(_folder: Path, _codec: str, _video: str) -> tuple[list[float], list[float]]:
    """Count in a loop, to measure how much two processes can gain on this machine right now."""
    total = 0
    for number in range(400_000):
        total += number
    return [], [float(total)]


def in_processes(task: Task) -> Scores:
    """Per frame, one video per process."""
    score = spin if task.get("spin") else score_video
    videos = names(Path(task["folder"])) * task["repeat"]
    pending = [pool(task["jobs"]).submit(score, Path(task["folder"]), task["codec"], video) for video in videos]
    return {
        video: [value for part in each.result() for value in part] for video, each in zip(videos, pending, strict=True)
    }


def peak(task: Task) -> dict[str, float]:
    """Score the videos repeatedly; return the peak memory in MB."""
    frames = 0
    for _ in range(task["repeat"]):
        for video in names(Path(task["folder"])):
            frames += len(score_video(Path(task["folder"]), task["codec"], video)[0])
    status = Path("/proc/self/status").read_text()  # getrusage's peak includes that of the parent
    return {"peak": int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024, "frames": frames}


KINDS: dict[tuple[str, str], Callable[[Task], Scores]] = {
    ("ours", "arrays"): ours_on_arrays,
    ("ours", "regions"): our_regions,
    ("ours", "files"): ours_on_files,
    ("ours", "pool"): in_processes,
    ("vos-benchmark", "arrays"): vos_benchmark_on_arrays,
    ("vos-benchmark", "files"): vos_benchmark_on_files,
    ("davis2017-evaluation", "arrays"): davis2017_on_arrays,
    ("TrackEval", "arrays"): trackeval_on_arrays,
    ("scikit-learn", "regions"): sklearn_regions,
}


def answer(side: str, task: Task) -> dict[str, Any]:
    """Do one task and time it."""
    if task["task"] == "peak":
        return peak(task)
    import cv2

    cv2.setNumThreads(1)
    work = KINDS[side, task["task"]]
    if task["task"] in {"arrays", "regions"}:
        (run_lengths if side == "TrackEval" else arrays)(Path(task["folder"]))
    wall, start = time.perf_counter(), time.process_time()
    scores = work(task)
    return {"seconds": time.process_time() - start, "wall": time.perf_counter() - wall, "scores": scores}


def main() -> None:
    side = sys.argv[sys.argv.index("--worker") + 1]
    for line in sys.stdin:
        try:
            found = answer(side, json.loads(line))
        except Exception as error:  # noqa: BLE001 - the driver raises it
            found = {"error": repr(error)}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
