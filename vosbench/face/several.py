"""Several submissions to a dataset, scored together."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Unpack

from vosbench import registry
from vosbench.dataset import Dataset
from vosbench.dataset.selection import select
from vosbench.errors import VosbenchError
from vosbench.evaluate import score as scoring
from vosbench.evaluate.notes import waiting
from vosbench.evaluate.numbering import Numbering
from vosbench.evaluate.together import Submission, score_together
from vosbench.face.functions import dataset_of
from vosbench.face.options import SILENT, AnyPath, Listener, SelectOptions, choice_of, paths_of
from vosbench.face.result import Result


def score_several(  # noqa: PLR0913 - the options of the command line
    masks: Sequence[AnyPath],
    *,
    dataset: AnyPath | Dataset,
    codec: str | None = None,
    numbering: Numbering = "auto",
    jobs: int = 1,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **selecting: Unpack[SelectOptions],
) -> list[Result | VosbenchError]:
    """Score several submissions to a dataset together, so that its videos are found, and annotations read, once.

    Args:
        masks: folders or archives of masks; other arguments are those of `vosbench.score`.
        dataset: as in `score`, like the others.
        codec: of all submissions; recognised for each if None.
        numbering: of all submissions.
        jobs: number of processes, a video of all submissions each.
        plugins: as in `score`.
        listener: callbacks; the videos that it is told of are those of all submissions.
        selecting: as in `score`.

    Returns:
        what `score` returns for each, or the error of a submission, which is not the others'.

    Raises:
        UsageError: as `score`.
        DataError: if the dataset has no annotations, or is incomplete.
    """
    data = dataset_of(dataset, paths_of(plugins))
    selection = select(data, choice_of(selecting), registry.load_families(paths_of(plugins)))
    listener.selected(selection)
    for line in waiting(selection.protocol):
        listener.note(line)
    submissions = [
        Submission(Path(each), scoring.default_name(Path(each)), selection, codec, numbering) for each in masks
    ]
    found = score_together(
        submissions,
        jobs=jobs or os.cpu_count() or 1,
        advance=lambda done: listener.advance(data.title, done, len(selection.videos)),
    )
    results: list[Result | VosbenchError] = []
    for each, tried in zip(submissions, found, strict=True):
        if isinstance(tried, VosbenchError):
            results.append(tried)
            continue
        record, scored, notes = tried
        for line in notes:
            listener.note(f"{each.method}: {line}")
        results.append(Result(record=record, notes=tuple(notes), selection=selection, scored=scored))
    return results
