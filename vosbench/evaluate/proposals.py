"""Score numbered proposals against numbered objects (DAVIS-2017 unsupervised)."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vosbench.evaluate.task import Task
from vosbench.images import files as images
from vosbench.images import read_numbers
from vosbench.metrics.proposals import Proposals
from vosbench.records.record import Row


def object_rows(task: Task) -> tuple[list[Row], str, str]:
    """Measure J and F of every object with its proposal.

    Returns:
        Rows with measures ``J.1``, ``F.1``, ``J.2``, …, or none if a frame is missing; and the hashes of the scored
        annotations and predictions.

    Raises:
        DataError: if a file is corrupt or not a label map, or sizes differ.
        MeasureError: if there are more proposals than the protocol allows; the message names the file and the video.
    """
    name = task.video.name
    digest = hashlib.sha256(name.encode())
    proposals = Proposals(tolerance=task.protocol.tolerance)
    with task.predictions.opened(name) as masks:
        for index in task.scored:
            annotation = read_numbers(task.video.annotations[index], task.video.codec)
            digest.update(f"{index} {annotation.shape}".encode() + annotation.tobytes())
            if task.missing:
                continue
            shape = (annotation.shape[0], annotation.shape[1])
            prediction = masks.read(index, _labels, task.checks(index, shape))
            with task.naming(index):
                proposals.add(annotation, prediction)
    if task.missing or not task.scored:
        return [], digest.hexdigest(), masks.content.hexdigest()
    rows = [
        Row(name, index, f"{measure}.{score.label}", value)
        for score in proposals.result().objects
        for measure, values in (("J", score.J), ("F", score.F))
        if measure in task.protocol.measures
        for index, value in zip(task.scored, values, strict=True)
    ]
    return rows, digest.hexdigest(), masks.content.hexdigest()


def _labels(
    source: Path | bytes, codec: str, name: str, check: images.Check | None, look: images.Looker | None
) -> NDArray[np.uint8]:
    del codec, look  # labels are numbers
    return images.read_labels(source, name, check)
