"""Write `saliency_peers.json`: what PySODMetrics and scikit-learn say of `saliency_fixtures.py`.

Run in an environment that has both, never in the project's: ``python tests/reference/saliency_peers.py``.
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import py_sod_metrics
from saliency_fixtures import Frame, cases, videos
from sklearn.metrics import precision_recall_curve

SAMPLED = range(0, 256, 15)


def by_pysod(frames: list[Frame]) -> dict[str, Any]:
    """PySODMetrics' means over frames; curves are given by level, lowest first."""
    measures = {
        "MAE": py_sod_metrics.MAE(),
        "F": py_sod_metrics.Fmeasure(),
        "S": py_sod_metrics.Smeasure(),
        "E": py_sod_metrics.Emeasure(),
        "wF": py_sod_metrics.WeightedFmeasure(),
    }
    for levels, annotation in frames:
        for measure in measures.values():
            measure.step(levels, annotation * np.uint8(255))
    of_f, of_e = measures["F"].get_results(), measures["E"].get_results()
    return {
        "MAE": measures["MAE"].get_results()["mae"],
        "adpF": of_f["fm"]["adp"],
        "S": measures["S"].get_results()["sm"],
        "adpE": of_e["em"]["adp"],
        "wF": measures["wF"].get_results()["wfm"],
        "f_measure": of_f["fm"]["curve"][::-1],
        "precision": of_f["pr"]["p"][::-1],
        "recall": of_f["pr"]["r"][::-1],
        "e_measure": of_e["em"]["curve"][::-1],
    }


def stricter(frame: Frame, curve: np.ndarray) -> np.ndarray:
    """The E curve under ``>`` of a map that spans all levels: one level on, and nothing taken at the last."""
    levels, annotation = frame
    nothing = py_sod_metrics.Emeasure()
    nothing.gt_fg_numel, nothing.gt_size = int(annotation.sum()), annotation.size
    return np.append(curve[1:], nothing.cal_em_with_threshold(levels / 255, annotation, 2.0))


def stretched(frame: Frame) -> Frame:
    """Min-max to integer levels, which is exact for the ranges that the fixtures use."""
    levels, annotation = frame
    span = int(levels.max()) - int(levels.min())
    grown = (levels.astype(np.int64) - levels.min()) * 255
    if (grown % span).any():
        raise ValueError(span)
    return (grown // span).astype(np.uint8), annotation


def sampled(results: dict[str, Any]) -> dict[str, Any]:
    """Numbers, maxima and means of curves, and curves at every 15th level."""
    plain: dict[str, Any] = {}
    for name, value in results.items():
        if np.ndim(value) == 0:
            plain[name] = float(value)
        else:
            plain[name] = [float(value[level]) for level in SAMPLED]
    for letter, name in (("F", "f_measure"), ("E", "e_measure")):
        if name in results:
            plain[f"max{letter}"], plain[f"mean{letter}"] = float(results[name].max()), float(results[name].mean())
    return plain


def davsod(every: dict[str, list[Frame]]) -> dict[str, Any]:
    """Frame → video → dataset, of PySODMetrics' curves, E under ``>``."""
    means = []
    for frames in every.values():
        whole = [stretched(frame) for frame in frames]
        mean = by_pysod(whole)
        curves = [stricter(frame, by_pysod([frame])["e_measure"]) for frame in whole]
        means.append(mean | {"e_measure": np.mean(curves, axis=0)})
    return {name: np.mean([mean[name] for mean in means], axis=0) for name in means[0]}


def adnet(frames: list[Frame]) -> dict[str, Any]:
    """All pixels in one pool, by scikit-learn."""
    scores = np.concatenate([levels.ravel() for levels, _ in frames])
    truth = np.concatenate([annotation.ravel() for _, annotation in frames])
    precision, recall, thresholds = precision_recall_curve(truth, scores)
    f_measure = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    at = np.searchsorted(thresholds, np.arange(256))
    return {
        "MAE": np.abs(scores / 255 - truth).mean(),
        "maxF": f_measure.max(),
        "precision": precision[at],
        "recall": recall[at],
    }


def f_of_mean_pr(frames: list[Frame]) -> dict[str, Any]:
    """F of PySODMetrics' mean precision and recall, of maps as they are."""
    measure = py_sod_metrics.Fmeasure()
    for levels, annotation in frames:
        measure.step(levels / 255, annotation, normalize=False)
    result = measure.get_results()
    precision, recall = result["pr"]["p"][::-1], result["pr"]["r"][::-1]
    f_measure = 1.3 * precision * recall / np.maximum(0.3 * precision + recall, 1e-300)
    return {"adpF": result["fm"]["adp"], "precision": precision, "recall": recall, "f_measure": f_measure}


def main() -> None:
    warnings.simplefilter("ignore")
    every = videos()
    frames = [frame for each in every.values() for frame in each]
    found = {
        "versions": {name: version(name) for name in ("pysodmetrics", "scikit-learn", "numpy")},
        "sampled levels": list(SAMPLED),
        "cases": {name: sampled(by_pysod([frame])) for name, frame in cases().items()},
        "datasets": {
            "davsod": sampled(davsod(every)),
            "pysod": sampled(by_pysod(frames)),
            "adnet": sampled(adnet(frames)),
            "f-of-mean-pr": sampled(f_of_mean_pr(frames)),
        },
    }
    target = Path(__file__).with_name("saliency_peers.json")
    target.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
