"""What figures are made of: records by path, folder or name, and the values of single frames next to them."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vosbench.errors import DataError, UsageError, suggest
from vosbench.evaluate.aggregate import over_objects
from vosbench.evaluate.task import Scored
from vosbench.files import hidden
from vosbench.metrics.measures import leading, name_of
from vosbench.records import record as records
from vosbench.records.naming import labels as default_labels
from vosbench.records.record import ROWS, Record, Row, signature
from vosbench.records.store import Warn, dataset_folders
from vosbench.report.leaderboard import comparable

Values = Mapping[str, Mapping[int, float]]
"""Video → scored frame, in order → value; of several objects, their mean."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A record that is shown.

    Attributes:
        label: what it is called.
        record: the record.
        path: of its file.
        rows: a file of its values of frames; found next to the record if None.
    """

    label: str
    record: Record
    path: Path
    rows: Path | None = None

    def only(self, videos: Collection[str]) -> "Shown":
        """With some of its videos; the scores are still those of all."""
        kept = {name: scores for name, scores in self.record.videos.items() if name in videos}
        return replace(self, record=self.record.model_copy(update={"videos": kept}))

    def of_frames(self, measure: str) -> Values:
        """The values of J, F or another measure that every scored frame has.

        Raises:
            DataError: if they are not next to the record, or are those of other masks.
        """
        path = self.rows or self._rows()
        of_video = defaultdict[str, list[Row]](list)
        for row in records.read_rows(path):
            if row.measure.partition(".")[0] == measure:
                of_video[row.video].append(row)
        for video, scores in self.record.videos.items():
            known = scores.get(f"{measure}_mean")
            found = over_objects([Scored(video, tuple(of_video[video]), (), 0, "")], measure)[f"{measure}_mean"]
            if known is not None and (found is None or not math.isclose(found, known, abs_tol=1e-6)):
                raise DataError(f'"{path}" does not hold the values of "{self.path}": {measure} of "{video}" differs')
        return {video: _by_frame(of_video[video]) for video in self.record.videos if of_video[video]}

    def _rows(self) -> Path:
        places = [self.path.with_suffix(suffix) for suffix in ROWS]
        path = next((place for place in places if place.is_file()), None)
        if path is not None:
            return path
        of, protocol = self.record, self.record.protocol.partition("@")[0]
        raise DataError(
            f'"{self.path}" has no values of frames next to it; make them with: vosbench score MASKS '
            f"--dataset {of.dataset} --split {of.split} --protocol {protocol} --name {of.method} "
            "--per-frame rows.csv.gz, and pass --per-frame rows.csv.gz"
        )


def _by_frame(rows: Sequence[Row]) -> dict[int, float]:
    values = defaultdict[int, list[float]](list)
    for row in rows:
        values[row.frame].append(row.value)
    return {frame: math.fsum(of) / len(of) for frame, of in sorted(values.items())}


def read(sources: Sequence[str], results: Path, warn: Warn = lambda _: None) -> list[Shown]:
    """Read records.

    Args:
        sources: paths of records, folders of records, and names of records, such as ``"ags"`` or ``"davis16/ags"``.
        results: the folder that names are looked up in.
        warn: called with a line for each file in a folder that is not a record.

    Raises:
        UsageError: if a source is none of these.
        DataError: if a file is not a record, or a folder holds none.
    """
    paths: dict[Path, Record] = {}
    for source in sources:
        for path, record in _found(source, results, warn):
            paths.setdefault(path.resolve(), record)
    groups = defaultdict[tuple[str, str], list[Record]](list)
    for record in paths.values():
        groups[_group(record)].append(record)
    names = {group: iter(default_labels(of)) for group, of in groups.items()}
    return [Shown(next(names[_group(record)]), record, path) for path, record in paths.items()]


def _group(record: Record) -> tuple[str, str]:
    """What records in one panel have in common."""
    return record.place, signature(record)


def _found(source: str, results: Path, warn: Warn) -> list[tuple[Path, Record]]:
    path = Path(source)
    if path.is_file():
        return [(path, records.read(path))]
    if path.is_dir():
        found = list(_in_folder(path, warn)) or [
            each for place in dataset_folders(path) for each in _in_dataset(place, warn)
        ]
        if not found:
            raise DataError(
                f'the folder "{path}" holds no records; make some with vosbench run, or vosbench score --out'
            )
        return found
    named = [file for place in dataset_folders(results) if (file := _named(place, source)).is_file()]
    if not named:
        known = [file.stem for place in dataset_folders(results) for file, _ in _in_dataset(place, lambda _: None)]
        raise UsageError(
            f'"{source}" is not a record, a folder of records, or the name of a record in "{results}"; '
            f"{suggest(source, known)}"
        )
    return [(file, records.read(file)) for file in named]


def _named(place: Path, source: str) -> Path:
    return place / f"{source.removeprefix(f'{place.name}/')}.json"


def _in_dataset(place: Path, warn: Warn) -> Iterator[tuple[Path, Record]]:
    """The records in a folder that is named after their dataset."""
    return ((path, record) for path, record in _in_folder(place, warn) if record.dataset == place.name)


def _in_folder(folder: Path, warn: Warn) -> Iterator[tuple[Path, Record]]:
    for path in sorted(folder.glob("*.json")):
        if not hidden(path.name) and path.name != "run.json":
            try:
                yield path, records.read(path)
            except DataError as error:
                warn(f"{error}; it is left out")


def chosen(shown: Sequence[Shown], dataset: str | None, split: str | None, protocol: str | None) -> list[Shown]:
    """Those of a dataset, a split and a protocol; None for any.

    Raises:
        DataError: if there are none.
    """
    kept = [
        each
        for each in shown
        if dataset in {None, each.record.dataset}
        and split in {None, each.record.split}
        and protocol in {None, each.record.protocol.partition("@")[0]}
    ]
    if not kept:
        asked = {"dataset": dataset, "split": split, "protocol": protocol}
        said = ", ".join(f"{name} {value}" for name, value in asked.items() if value)
        raise DataError(f"none of these records is of {said}")
    return kept


def labelled(shown: Sequence[Shown], labels: Sequence[str], rows: Sequence[Path]) -> list[Shown]:
    """With other names and with files of rows, one for each record.

    Raises:
        UsageError: if their numbers differ.
    """
    for option, given in (("--labels", labels), ("--per-frame", rows)):
        if given and len(given) != len(shown):
            names = ", ".join(each.label for each in shown)
            raise UsageError(f"{option} is for each record, and these are {len(shown)}: {names}")
    named = labels or [each.label for each in shown]
    files: Sequence[Path | None] = rows or [each.rows for each in shown]
    return [replace(each, label=name, rows=file) for each, name, file in zip(shown, named, files, strict=True)]


def alike(shown: Sequence[Shown]) -> tuple[list[Shown], list[str]]:
    """Those that can be in one figure, and a line for each that is left out.

    Records that are all of the same choice of videos or frames can be, though they are not for a leaderboard.

    Raises:
        DataError: if they are of several datasets or splits, or their signatures differ.
    """
    places = sorted({f"{each.record.dataset} {each.record.split}" for each in shown})
    if len(places) > 1:
        raise DataError(f"these records are of {', '.join(places)}; choose one with --dataset and --split")
    if len({signature(each.record) for each in shown}) == 1:
        return list(shown), []
    fit, left_out = comparable([each.record for each in shown])
    kept = {id(record) for record in fit}
    return [each for each in shown if id(each.record) in kept], left_out


def measured(shown: Sequence[Shown], asked: str | None) -> str:
    """The measure that is asked for, by name or heading; by default the one that ranks.

    Raises:
        UsageError: if the records do not have it.
    """
    keys = [key for key in shown[0].record.scores if all(key in each.record.scores for each in shown)]
    if not keys:
        raise DataError("these records have no score in common")
    return leading(keys) if asked is None else name_of(asked, keys)


def origin(shown: Sequence[Shown]) -> str:
    """The caption of records of one dataset and protocol, or of several: what the numbers are of."""
    parts = dict.fromkeys(f"{each.record.place}, {signature(each.record) or each.record.protocol}" for each in shown)
    return "; ".join(parts).replace("|", " | ")


def rows_of(shown: Sequence[Shown], measure: str) -> list[Values]:
    """The values of frames of each record; see `Shown.of_frames`."""
    return [each.of_frames(measure) for each in shown]
