"""Results to trackers of experiments."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.errors import VosbenchError, missing_package
from vosbench.records import record as records
from vosbench.records.record import Record
from vosbench.track import About, Tracking, tracking

if TYPE_CHECKING:
    from vosbench.face.result import Result

PLACE = Path("results") / "tracking"
FIGURES = ("videos", "pr")
"""The figures of one record that are tracked, of those that it has the numbers for."""


def track(result: "Result", wanted: Sequence[str], place: Path, note: Callable[[str], None]) -> None:
    """Give a result to trackers; arguments are those of `vosbench.face.result.Result.track`."""
    record = result.record
    about = About(
        name=record.name,
        group=f"{record.dataset} {record.split}",
        folder=f"{record.dataset}/{record.name}",
        settings=_settings(record),
    )
    with tracking(wanted, place, about, note) as trackers:
        scores = {name: value for name, value in record.scores.items() if value is not None}
        of_videos = {
            f"videos/{video}/{name}": value
            for video, values in record.videos.items()
            for name, value in values.items()
            if value is not None
        }
        trackers.scalars(scores | of_videos, 0)
        trackers.rows(result.rows)
        trackers.text("record.json", record.to_json())
        _figures(result, trackers, note)


def _settings(record: Record) -> dict[str, str]:
    """What the numbers depend on, as text."""
    known = record.provenance
    named = {
        "protocol": record.protocol,
        "signature": record.signature,
        "weights": known.weights,
        "training": known.training,
        "device": known.device,
        "precision": known.precision,
        "predictions": known.predictions,
        "vosbench": known.vosbench,
        "commit": known.commit,
        **{f"option {name}": value for name, value in known.options.items()},
    }
    return {name: value for name, value in named.items() if value}


def _figures(result: "Result", trackers: Tracking, note: Callable[[str], None]) -> None:
    """Draw and track figures, if matplotlib is installed."""
    from vosbench.face.figures import figure

    with tempfile.TemporaryDirectory(prefix="vosbench-figures-") as folder:
        path = Path(folder, f"{result.record.name}.json")
        records.write(path, result.record, result.rows)
        for name in FIGURES if result.record.curves is not None else FIGURES[:1]:
            drawn = Path(folder, f"{name}.png")
            try:
                figure(name, path, drawn)
            except VosbenchError as error:
                if missing_package(error.__cause__ or error):
                    note('trackers get no figures without matplotlib; run: pip install "vosbench[plot]"')
                    return
                note(f'trackers get no figure "{name}": {error}')
            else:
                trackers.figure(name, drawn)
