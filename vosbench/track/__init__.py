"""Trackers of experiments: rows, scores, losses and figures to TensorBoard, MLflow or Weights & Biases.

`tracking` opens those that were asked for; each has one file. All of them write to disk, and none connects to anything
unless its place is an address or its own settings say so.
"""

from vosbench.track.tracking import KINDS, About, Tracker, Tracking, check_kinds, tracking

__all__ = ["KINDS", "About", "Tracker", "Tracking", "check_kinds", "tracking"]
