"""Match clusters to all regions of a video (Ochs–Brox)."""

import hashlib

import cv2
import numpy as np

from vosbench.evaluate.task import Task
from vosbench.images import files as images
from vosbench.metrics.ochs_brox import ObjectScores, Overlap


def region_scores(task: Task) -> tuple[ObjectScores | None, str]:
    """Score the clusters of a video.

    Returns:
        the scores, None where a frame is missing; and the SHA-256 of the scored annotations.

    Raises:
        DataError: where a file is corrupt or of another encoding, or sizes differ and the protocol refuses to resize.
    """
    name = task.video.name
    digest = hashlib.sha256(name.encode())
    overlap = Overlap()
    clusters = task.predictions.read(name, task.present, images.read_regions)
    for index in task.scored:
        regions = images.read_regions(task.video.annotations[index], task.video.codec)
        digest.update(f"{index} {regions.shape}".encode() + regions.astype("<i4").tobytes())
        if task.missing:
            continue
        found = next(clusters)
        height, width = regions.shape
        if task.differs(index, (found.shape[0], found.shape[1]), (height, width)):
            found = cv2.resize(found, dsize=(width, height), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.int32)
        overlap.add(regions, found)
    scores = overlap.result() if task.scored and not task.missing else None
    return scores, digest.hexdigest()
