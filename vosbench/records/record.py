"""The record of an evaluation: scores, the protocol they were taken under, and where they come from."""

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vosbench.errors import DataError, UsageError, counted, extras_needed
from vosbench.files import being_written, write_whole

LARGEST = 10**15
"""Numbers beyond are of no measure and of no machine; sums and squares of those within are finite."""
Value = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
LONGEST = 200
"""Characters of a problem that are shown, since files of others may hold anything."""
OPTIONAL = ("apart", "failed", "split_size", "unannotated", "curves")
LATER = ("masks", "files", "flow", "weights_source", "weights_loaded", "threads")
"""Fields of a record and of its provenance that are left out of its file if they are empty."""


class Row(NamedTuple):
    """One measured value; ``frame`` is the 0-based index in the video.

    Temporal stability stands at the later frame of its pair, times 5. Objects stand behind the measure: ``J.1``.
    """

    video: str
    frame: int
    measure: str
    value: float


class Provenance(BaseModel):
    """Where numbers come from; what does not apply is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str = Field(description="day of the evaluation, UTC, as YYYY-MM-DD")
    vosbench: str = Field(description="version of vosbench")
    commit: str | None = Field(default=None, description="git commit of vosbench's source, if it is a checkout")
    dirty: bool | None = Field(default=None, description="whether tracked source files differed from that commit")
    packages: dict[str, str] = Field(description="versions of the packages that numbers depend on")
    annotations: str = Field(description="SHA-256 of the scored annotations as decoded")
    masks: str = Field(default="", description="hash of the scored predictions as decoded; empty in old records")
    layout: str = Field(default="", description="folder layout that the dataset was read in")
    annotation_codecs: list[str] = Field(default=[], description="how the annotations were read")
    predictions: str | None = Field(default=None, description="name of the folder or zip file that was scored")
    codec: str = Field(description="how the predictions were read")
    untrained: bool = Field(default=False, description="whether the method ran with random weights")
    seed: int | None = Field(default=None, description="seed of the random weights")
    weights: str | None = Field(default=None, description="SHA-256 of the weights file, or of all of them together")
    weights_source: str | None = Field(
        default=None, description="SHA-256 of the checkpoint that vosbench convert made the weights file from"
    )
    weights_loaded: str | None = Field(
        default=None, description="SHA-256 of the tensors as the network loaded them, equal for every kind of file"
    )
    training: str | None = Field(
        default=None, description="what the weights were trained on and started from, as vosbench train wrote it down"
    )
    device: str | None = Field(
        default=None, description="where the method ran; as the next three, null if the method does not heed it"
    )
    batch: Count | None = Field(default=None, description="frames per forward pass")
    precision: str | None = Field(default=None, description="what the network computed in")
    compile: bool | None = Field(default=None, description="whether the network was compiled")
    threads: Count | None = Field(
        default=None, description="threads that a CPU computed the maps with; empty in old records"
    )
    options: dict[str, str] = Field(default={}, description="the method's options")
    files: dict[str, str] = Field(default={}, description="SHA-256 of the files and folders that options name")
    flow: str | None = Field(default=None, description="SHA-256 of the files of optical flow that the method needs")
    inputs: list[str] = Field(default=[], description="sizes in which the network looked at frames, as WxH")
    limit: Count | None = Field(default=None, description="frames of each video, if not all were used")


class Speed(BaseModel):
    """How fast a method was, and what it took, on the machine that is named; what cannot be known is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: Count = Field(description="frames that were timed, after a warm-up")
    warmup: Count = Field(description="frames before these that were not timed, such as the encoding of an anchor")
    fps: Value = Field(description="frames per second, from files to maps on disk, everything overlapping as in a run")
    latency: Value = Field(description="median seconds per frame, of the same frames")
    stages: dict[str, Value] = Field(
        description="mean seconds per frame of each stage, of the same frames once more, nothing overlapping"
    )
    peak_memory: Count = Field(description="bytes: the device's peak, or on a CPU the process's")
    parameters: Count | None = Field(description="of the network")
    gmacs: Value | None = Field(
        description="10⁹ multiply-accumulates of convolutions, matrix products and attention per frame"
    )
    size: str = Field(description="size of the timed frames, as WxH")
    device_name: str = Field(description="the processor or the GPU, as it calls itself")
    threads: Count = Field(description="threads that torch computes with on a CPU")


Curve = Annotated[tuple[Value, ...], Field(min_length=256, max_length=256)]


class Curves(BaseModel):
    """Curves of soft maps over the thresholds 0, 1, …, 255 of 255, averaged over the split as its convention states."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Curve = Field(description="at each threshold, in [0, 1]")
    recall: Curve = Field(description="at each threshold, in [0, 1]")
    f_measure: Curve = Field(description="at each threshold, with the convention's β²; maxF is its maximum")


class Record(BaseModel):
    """One method on one dataset under one protocol. Values are in [0, 1], raw and unrounded."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    schema_: Literal["vosbench/record@1", "vosbench/record@2", "vosbench/record@3", "vosbench/record@4"] = Field(
        default="vosbench/record@4", alias="schema"
    )
    method: str
    apart: str = Field(
        default="",
        description="what sets it apart from records of the dataset's default protocol, split, videos, frames and "
        "measures, as in its file's name; empty in old records",
    )
    dataset: str
    split: str
    protocol: str = Field(min_length=1)
    signature: str = Field(description="every choice that moves a number, in one line")
    scores: dict[str, Value | None] = Field(description="means over the split; None if it is incomplete")
    videos: dict[str, dict[str, Value | None]] = Field(description="the same for each video")
    missing: list[str] = Field(default=[], description="frames, or in old records videos, that were not scored")
    failed: list[str] = Field(default=[], description="videos on which the method failed")
    split_size: Count | None = Field(
        default=None, description="videos of the split, if only some of them were chosen; means are over these"
    )
    unannotated: dict[str, list[Count]] = Field(
        default={}, description="frames (from 0) of each video that the dataset lists but that had no annotation"
    )
    speed: Speed | None = Field(default=None, description="if it was measured: vosbench run --profile")
    provenance: Provenance
    curves: Curves | None = Field(
        default=None, description="if precision and recall of soft maps were measured; empty in old records"
    )

    @property
    def name(self) -> str:
        """The method, and what sets the record apart from others of it; the name of the record's file."""
        return self.method + self.apart

    @property
    def incomplete(self) -> frozenset[str]:
        """The videos that are missing, or of which frames are."""
        return frozenset(name.rpartition("/")[0] or name for name in self.missing)

    @property
    def whole(self) -> str:
        """What the means are over: ``"all videos"``, or for example ``"3 of 20 videos"``."""
        return "all videos" if self.split_size is None else f"{len(self.videos)} of {self.split_size} videos"

    @property
    def place(self) -> str:
        """Dataset and split, for example ``"davis16 val"``, or ``"davis16 val over 3 of 20 videos"``."""
        return f"{self.dataset} {self.split}" + ("" if self.split_size is None else f" over {self.whole}")

    @property
    def shortcomings(self) -> list[str]:
        """Why the record cannot be in a leaderboard; empty if it can."""
        found = []
        if self.failed:
            found.append(f"incomplete, since the method failed on {counted(len(self.failed), 'video')}")
        if self.provenance.untrained:
            found.append("untrained")
        if self.provenance.limit is not None:
            found.append(f"only {self.provenance.limit} frames of each video")
        if self.split_size is not None:
            found.append(f"only {self.whole}")
        if self.unannotated:
            found.append(f"{counted(sum(map(len, self.unannotated.values())), 'annotation')} missing")
        if self.missing:
            found.append(f"{len(self.missing)} videos or frames missing")
        return found

    def to_json(self) -> str:
        """The record as JSON, ending in a newline."""
        # What did not exist in old records is written only if there is something to say.
        absent: dict[str, Any] = {name: True for name in OPTIONAL if not getattr(self, name)}
        absent["provenance"] = {name for name in LATER if not getattr(self.provenance, name)}
        written = self.model_dump(by_alias=True, exclude=absent)
        return json.dumps(written, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(path: Path) -> Record:
    """Read a record.

    Raises:
        DataError: if the file is missing or no record.
    """
    try:
        return Record.model_validate_json(path.read_bytes())
    except OSError:
        raise DataError(f'the record "{path}" cannot be read') from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:LONGEST] or "the file"
        raise DataError(f'"{path}" is not a vosbench record: {where}: {first["msg"][:LONGEST]}') from None


def write(path: Path, record: Record, rows: Sequence[Row]) -> None:
    """Write a record, and its rows as ``.csv.gz`` next to it; both or neither, equal input as equal bytes.

    `vosbench.records.store.save` also takes care that no other record is lost.
    """
    rows_path = path.with_suffix(".csv.gz")
    with being_written(path, durable=True) as part, being_written(rows_path, durable=True) as rows_part:
        rows_part.write_bytes(gzip.compress(to_csv(rows), mtime=0))
        part.write_bytes(record.to_json().encode())


ROWS = (".csv", ".csv.gz", ".parquet")
"""Ends of names of files of rows."""


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows, by the end of the name (`ROWS`): as CSV, compressed or not, or Parquet; equal rows as equal bytes.

    Raises:
        UsageError: if the name ends otherwise, or a package is needed that is not installed.
    """
    if not path.name.lower().endswith(ROWS):
        raise UsageError(f'"{path}" should end in {" or ".join(ROWS)}')
    if path.suffix.lower() == ".parquet":
        import pandas as pd

        with extras_needed():
            import_module("pyarrow")  # pandas would not say how to install it
        with being_written(path) as part:
            pd.DataFrame(rows, columns=list(Row._fields)).to_parquet(part, engine="pyarrow", index=False)
        return
    write_whole(path, gzip.compress(to_csv(rows), mtime=0) if path.suffix == ".gz" else to_csv(rows))


def compact(rows: Sequence[Row]) -> list[Row]:
    """J and F, or all measures of a protocol that has neither, to 6 decimals.

    These are a third of all values' size, enough for curves over time, and their means still agree with the record's.

    >>> compact([Row("cows", 1, "J", 2 / 3), Row("cows", 2, "T", 0.1), Row("cows", 1, "F.2", 1.0)])
    [Row(video='cows', frame=1, measure='J', value=0.666667), Row(video='cows', frame=1, measure='F.2', value=1.0)]
    """
    kept = [row for row in rows if row.measure.partition(".")[0] in {"J", "F"}] or rows
    return [row._replace(value=round(row.value, 6)) for row in kept]


def read_rows(path: Path) -> list[Row]:
    """Read the rows that `write` or `write_rows` has written.

    Raises:
        DataError: if the file is missing, or not one of rows.
        UsageError: if a package is needed that is not installed.
    """
    try:
        if path.suffix.lower() == ".parquet":
            import pandas as pd

            with extras_needed():
                import_module("pyarrow")
            lines = pd.read_parquet(path, engine="pyarrow").astype(str).to_dict("records")
        else:
            content = path.read_bytes()
            text = (gzip.decompress(content) if path.suffix.lower() == ".gz" else content).decode()
            table = csv.DictReader(io.StringIO(text))
            lines = list(table) if table.fieldnames == list(Row._fields) else [{}]
        rows = [Row(line["video"], int(line["frame"]), line["measure"], float(line["value"])) for line in lines]
    except OSError as error:
        raise DataError(f'the values of frames in "{path}" cannot be read: {error.strerror or error}') from None
    except (EOFError, zlib.error, ValueError, KeyError, TypeError):
        raise DataError(f'"{path}" does not hold values of frames; make it with vosbench score --per-frame') from None
    if not all(map(math.isfinite, (row.value for row in rows))):
        raise DataError(f'"{path}" holds values that are not finite')
    return rows


def to_csv(rows: Sequence[Row]) -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(Row._fields)
    table.writerows(rows)
    return text.getvalue().encode()


def json_schema() -> str:
    """The JSON Schema of a record, as shipped in ``record.schema.json``."""
    return json.dumps(Record.model_json_schema(by_alias=True), indent=2) + "\n"


def signature(of: Record) -> str:
    """A record's signature without the version of vosbench, which does not keep records apart."""
    return of.signature.rpartition("|vosbench ")[0]
