"""Match clusters to all regions of a video (Ochs–Brox)."""

import hashlib

import cv2
import numpy as np

from vosbench.evaluate.task import Task
from vosbench.images import files as images
from vosbench.images import read_objects
from vosbench.metrics.ochs_brox import ObjectScores, Overlap


def region_scores(task: Task) -> tuple[ObjectScores | None, str, str]:
    """Score the clusters of a video.

    Returns:
        The scores, None if a frame is missing; and the hashes of the scored annotations and predictions.

    Raises:
        DataError: if a file is corrupt or has another encoding, or sizes differ and the protocol does not resize.
    """
    name = task.video.name
    digest = hashlib.sha256(name.encode())
    overlap = Overlap()
    with task.predictions.opened(name) as masks:
        for index in task.scored:
            regions = read_objects(task.video.annotations[index], task.video.codec)
            digest.update(f"{index} {regions.shape}".encode() + regions.astype("<i4").tobytes())
            if task.missing:
                continue
            height, width = regions.shape
            clusters = masks.read(index, images.read_regions, task.checks(index, (height, width)))
            if task.differs(index, (clusters.shape[0], clusters.shape[1]), (height, width)):
                clusters = cv2.resize(clusters, (width, height), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.int32)
            with task.naming(index):
                overlap.add(regions, clusters)
    scores = overlap.result() if task.scored and not task.missing else None
    return scores, digest.hexdigest(), masks.content.hexdigest()
