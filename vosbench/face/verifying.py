"""The check of a contribution: its files, and its records against the masks, which are scored again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vosbench.dataset.verify import Finding
from vosbench.errors import DataError, UsageError, VosbenchError, counted
from vosbench.face.functions import dataset_of, score
from vosbench.face.options import SILENT, AnyPath, Listener, paths_of
from vosbench.files import hidden
from vosbench.records import record as records
from vosbench.records.card import FILE, MASKS, THUMBNAILS, MethodCard, read_card
from vosbench.records.record import Record, Row

LARGEST_PICTURE = 60_000
"""Bytes of a thumbnail."""
TOLERANCE, ROW_TOLERANCE = 1e-9, 1.1e-6
"""How much a score may differ when it is computed again, and a value of a frame, which has six decimals."""
OF_ITS_TIME = {"date", "vosbench", "commit", "packages", "predictions"}
"""What may differ in the provenance of equal numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is to be said of a contribution.

    Attributes:
        card: its card.
        findings: what is wrong, and what could not be checked; ``video`` is the file or field that it concerns.
        checked: the records that were scored again.
    """

    card: MethodCard
    findings: Sequence[Finding]
    checked: Sequence[Record]

    @property
    def errors(self) -> list[Finding]:
        """The findings that speak against it."""
        return [finding for finding in self.findings if finding.level == "error"]


def verify(  # noqa: PLR0913 - the options of the command line
    folder: AnyPath,
    *,
    masks: AnyPath | None = None,
    root: AnyPath | None = None,
    rescore: bool = True,
    jobs: int = 1,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
) -> Verified:
    """Check the files of a contribution, score its masks again, and hold its records against the scores.

    Args:
        folder: the contribution.
        masks: its masks; of several datasets, a folder with one folder or archive for each, named after it. Those that
            are packed in the contribution if None.
        root: the dataset's folder.
        rescore: whether the masks are scored; without, only the files are checked.
        jobs: number of processes.
        plugins: files with datasets.
        listener: callbacks for progress and notes.

    Raises:
        DataError: if it has no valid card, or no record.
        UsageError: if there are no masks to score.
    """
    place = Path(folder)
    card = read_card(place / FILE)
    paths = [path for path in sorted(place.glob("*/*.json")) if path.parent.name not in {THUMBNAILS, MASKS}]
    if not paths:
        raise DataError(f'the contribution "{place}" has no record, <dataset>/{card.method}.json')
    findings = list(_strangers(place, paths))
    plugged, checked = paths_of(plugins), []
    for path in paths:
        record = records.read(path)
        findings += _record_alone(record, path, card)
        if rescore:
            origin = _masks_of(place, record, masks, alone=len(paths) == 1)
            codec = record.provenance.codec
            again = score(
                origin,
                dataset=dataset_of(record.dataset, plugged),
                name=record.method,
                codec=None if not codec or " " in codec else codec,
                jobs=jobs,
                plugins=plugged,
                listener=listener,
                root=root,
                split=record.split,
                protocol=record.protocol.partition("@")[0],
            )
            checked.append(again.record)
            findings += [Finding("error", path.name, said) for said in _contradictions(record, again.record)]
            findings += _rows(path, records.compact(again.rows))
    return Verified(card=card, findings=findings, checked=checked)


def _strangers(place: Path, paths: Sequence[Path]) -> Iterator[Finding]:
    """Files that do not belong into a contribution."""
    known = {place / FILE, *paths, *(path.with_suffix(".csv.gz") for path in paths)}
    datasets = {path.parent.name for path in paths}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        folder, _, rest = name.partition("/")
        dataset = rest.partition("/")[0]
        if path.is_symlink():
            yield Finding("error", name, "is a link")
        elif not path.is_dir() and not path.is_file():
            yield Finding("error", name, "is not a file")
        elif path.is_dir() or path in known or hidden(path.name):
            continue
        elif folder == THUMBNAILS and dataset in datasets and path.suffix == ".jpg":
            if path.stat().st_size > LARGEST_PICTURE:
                yield Finding("error", name, f"is larger than {LARGEST_PICTURE} bytes")
            elif path.read_bytes()[:3] != b"\xff\xd8\xff":
                yield Finding("error", name, "is not a JPEG image")
        elif folder != MASKS or dataset.partition(".")[0] not in datasets:
            yield Finding("error", name, "does not belong into a contribution")


def _record_alone(record: Record, path: Path, card: MethodCard) -> Iterator[Finding]:
    """What can be said of a record without masks."""
    if record.method != card.method:
        yield Finding("error", path.name, f'is of the method "{record.method}", the card of "{card.method}"')
    if path.name != f"{record.name}.json" or path.parent.name != record.dataset:
        yield Finding("error", path.name, f"should be {record.dataset}/{record.name}.json")
    for said in record.shortcomings:
        yield Finding("error", path.name, f"is not for a leaderboard: {said}")
    if not path.with_suffix(".csv.gz").is_file():
        yield Finding("error", path.name, "has no values of frames next to it")


def _masks_of(place: Path, record: Record, masks: AnyPath | None, *, alone: bool) -> Path:
    if masks is not None and alone:
        return Path(masks)
    folder = place / MASKS if masks is None else Path(masks)
    found = [path for path in folder.glob("*") if path.name.partition(".")[0] == record.dataset]
    if len(found) != 1:
        said = "none are packed in it" if masks is None else f'"{folder}" has no folder or archive of that name'
        raise UsageError(
            f"the masks on {record.dataset} are needed to score them again, and {said}; pass them with --masks, or "
            "--no-score to check the files alone"
        )
    return found[0]


def _contradictions(record: Record, again: Record) -> Iterator[str]:
    """What a record says and scoring does not, a line each; what follows from other inputs is left out."""
    for what, said, found in (
        ("scored under", records.signature(record), records.signature(again)),
        ("against annotations", record.provenance.annotations, again.provenance.annotations),
        ("of masks", record.provenance.masks, again.provenance.masks),
    ):
        if said != found:
            yield f"says that it was {what} {str(said)[:60]}, not {str(found)[:60]}"
            return
    for name, one, other in _differing(_numbers(record), _numbers(again)):
        yield f"says that {name} is {one}; it is {other}"


def _numbers(record: Record) -> dict[str, Any]:
    told = record.model_dump(exclude={"schema_", "signature"})
    told["provenance"] = {name: value for name, value in told["provenance"].items() if name not in OF_ITS_TIME}
    return told


def _differing(said: object, found: object, name: str = "") -> Iterator[tuple[str, object, object]]:
    """Where two values as in JSON differ: the place, and both."""
    if isinstance(said, Mapping) and isinstance(found, Mapping):
        for key in dict.fromkeys((*said, *found)):
            yield from _differing(said.get(key), found.get(key), f"{name}.{key}" if name else str(key))
    elif isinstance(said, list | tuple) and isinstance(found, list | tuple) and len(said) == len(found):
        for at, pair in enumerate(zip(said, found, strict=True)):
            yield from _differing(*pair, f"{name}[{at}]")
    elif isinstance(said, float) and isinstance(found, float):
        if abs(said - found) > TOLERANCE:
            yield name, said, found
    elif said != found:
        yield name, said, found


def _rows(path: Path, found: Sequence[Row]) -> Iterator[Finding]:
    rows = path.with_suffix(".csv.gz")
    try:
        said = {(row.video, row.frame, row.measure): row.value for row in records.read_rows(rows)}
    except VosbenchError as error:
        yield Finding("error", rows.name, str(error))
        return
    known = {(row.video, row.frame, row.measure): row.value for row in found}
    wrong = [
        key for key in said.keys() | known.keys() if abs(said.get(key, 9.0) - known.get(key, -9.0)) > ROW_TOLERANCE
    ]
    if wrong:
        video, frame, measure = min(wrong)
        first = f"{measure} of frame {frame} of {video}"
        yield Finding("error", rows.name, f"{counted(len(wrong), 'value')} are not those of the masks, such as {first}")
