"""Shards: jobs that divide the videos of a run among themselves without a word, and what puts their rows together.

Conventions:
    Every job makes the same frozen list, of the videos of a run or of all runs of a plan with their lengths and of
    everything that maps and scores depend on; its hash is in each shard. The longest video goes to the shard with the
    least to do, and so on, so that no two shards have a video in common.
    A shard writes maps to the run's folder, and its rows, a file per video as soon as it is done, to
    ``<out>/<dataset>/.shards/<maps>/<hash of the run>/<shard>/``, but no record: `vosbench.runner.merging` makes that.
"""

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vosbench import __version__
from vosbench.engine.engine import Engine, Serial
from vosbench.engine.locks import locked
from vosbench.errors import UsageError, VideoError
from vosbench.evaluate.plain import to_plain
from vosbench.files import combined, sweep, write_whole
from vosbench.method.resume import card_of
from vosbench.records import provenance
from vosbench.runner.jobs import Job
from vosbench.runner.runs import Advance, Opened, failed, opened, segmented
from vosbench.runner.units import segment

FOLDER, HEAD, ROWS = ".shards", "shard.json", ".rows.json"


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several jobs.

    Attributes:
        index: from 1 on.
        of: the number of jobs.
    """

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``"2/8"``, the second of eight.

        Raises:
            UsageError: if it is of another form.

        >>> Shard.parse("2/8")
        Shard(index=2, of=8)
        """
        index, slash, of = text.partition("/")
        if not slash or not index.isdecimal() or not of.isdecimal() or not 1 <= int(index) <= int(of):
            raise UsageError(f'"{text}" is not a shard, such as 1/8, 2/8, …, 8/8')
        return cls(int(index), int(of))

    def __str__(self) -> str:
        """As it is parsed."""
        return f"{self.index}/{self.of}"

    @property
    def folder(self) -> str:
        """The name of its folder, by which shards are sorted."""
        return f"{self.index:0{len(str(self.of))}}-of-{self.of}"


def shares(lengths: Sequence[int], of: int) -> list[list[int]]:
    """Divide items so that no share is much longer than another: the longest first, to who has the least.

    Args:
        lengths: of the items.
        of: the number of shares.

    Returns:
        the indices of each share's items, in order; equal lengths make equal shares everywhere.

    >>> shares([3, 9, 5, 1], 2)
    [[1], [0, 2, 3]]
    """
    found: list[list[int]] = [[] for _ in range(of)]
    loads = [(0, share) for share in range(of)]
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        load, share = loads[0]
        heapq.heapreplace(loads, (load + lengths[index], share))
        found[share].append(index)
    return [sorted(share) for share in found]


class Entry(NamedTuple):
    """A run of which a shard does a part."""

    job: Job
    out: Path

    @property
    def maps(self) -> Path:
        """The folder of its maps."""
        method, setup, selection = self.job
        return self.out / selection.dataset.name / f"{method.called(setup.variant)}{selection.frames_apart}"


class Listing:
    """The frozen list of all that is to be done.

    Args:
        entries: the runs.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.depends = [depends_of(entry.job) for entry in entries]
        self.hashes = [hash_of(depends) for depends in self.depends]

    def share(self, shard: Shard) -> list[frozenset[str]]:
        """The names of the videos that a shard has, for each of the runs.

        What several runs have the same maps of, under several protocols, is not divided.
        """
        lengths: dict[tuple[Path, str], int] = {}
        for entry in self.entries:
            for video in entry.job.selection.videos:
                lengths[entry.maps, video.name] = len(video)
        keys = [*lengths]
        mine = {keys[index] for index in shares([*lengths.values()], shard.of)[shard.index - 1]}
        return [
            frozenset(video.name for video in entry.job.selection.videos if (entry.maps, video.name) in mine)
            for entry in self.entries
        ]

    def frames(self, shard: Shard) -> int:
        """The number of frames that a shard has."""
        return sum(
            len(video)
            for entry, names in zip(self.entries, self.share(shard), strict=True)
            for video in entry.job.selection.videos
            if video.name in names
        )


def depends_of(job: Job) -> dict[str, Any]:
    """All that the rows of a run depend on, in words that can be compared."""
    method, setup, selection = job
    return {
        "method": method.called(setup.variant),
        "dataset": selection.dataset.name,
        "split": selection.split,
        "scoring": selection.signature(),
        "flow": setup.flow,
        **card_of(method, setup),
        "videos": {video.name: len(video) for video in selection.videos},
    }


def hash_of(depends: Mapping[str, Any]) -> str:
    """A hash of a list, the same on every machine."""
    return combined([json.dumps(depends, sort_keys=True)])


class Code(BaseModel):
    """The state of the code that made rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vosbench: str
    commit: str | None
    dirty: bool | None

    @classmethod
    def now(cls) -> Self:
        """That of this process."""
        commit, dirty = provenance.source_state()
        return cls(vosbench=__version__, commit=commit, dirty=dirty)

    def __str__(self) -> str:
        """The version and the commit."""
        commit = "" if self.commit is None else f" ({self.commit[:12]}{', changed' if self.dirty else ''})"
        return f"vosbench {self.vosbench}{commit}"


class Head(BaseModel):
    """What a shard is a part of."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["vosbench/shard@1"] = Field(default="vosbench/shard@1", alias="schema")
    shard: str
    hash: str = Field(description="of what follows")
    depends: dict[str, Any] = Field(description="what the rows of the run depend on, with its videos and their lengths")
    videos: tuple[str, ...] = Field(description="those of this shard")


class Kept(BaseModel):
    """What became of a video."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: str
    code: Code
    failure: str | None
    about: dict[str, Any]
    scored: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Part:
    """What a shard has done of a run.

    Attributes:
        label: the run.
        videos: the number of videos of the shard.
        whole: the number of videos of the run.
        failures: video → why the method failed on it.
    """

    label: str
    videos: int
    whole: int
    failures: Mapping[str, str]


def run_shard(
    listing: Listing,
    shard: Shard,
    *,
    engine: Engine | None = None,
    advance: Advance = lambda _video, _done: None,
) -> list[Part]:
    """Do a shard of one or several runs; the same call resumes it, and tries again what has failed.

    Args:
        listing: the runs; the same, in the same order, for every shard.
        shard: which part.
        engine: where the videos are segmented; in this process if None.
        advance: called with a video's name and its number of finished frames.

    Returns:
        what was done of each run.

    Raises:
        UsageError: as `vosbench.runner.run`.
        DataError: likewise; also if another process does the same shard.
        PluginError: likewise.
    """
    code = Code.now()
    return [_part(listing, at, shard, names, code, engine, advance) for at, names in enumerate(listing.share(shard))]


def _part(  # noqa: PLR0913, PLR0917 - one caller
    listing: Listing,
    at: int,
    shard: Shard,
    names: frozenset[str],
    code: Code,
    engine: Engine | None,
    advance: Advance,
) -> Part:
    job, out = listing.entries[at]
    here = engine is None
    with opened(*job, out, load=here and bool(names), of=names, advance=advance) as run:
        place = run.folder.parent / FOLDER / run.folder.name / listing.hashes[at][:16] / shard.folder
        with locked(place):
            sweep(place)
            head = Head(
                shard=str(shard), hash=listing.hashes[at], depends=listing.depends[at], videos=tuple(sorted(names))
            )
            _write(place / HEAD, head)
            units = [unit for unit in run.units() if unit.video.name in names]
            failures: dict[str, str] = {}
            todo = [unit for unit in units if not _is_done(run, place, unit.video.name, code)]
            for unit in units:
                if unit not in todo:
                    advance(unit.video.name, len(unit.video))
            work = partial(segment, advance=advance) if here else segment
            outcomes = (engine or Serial()).run(
                work, todo, name=lambda unit: unit.name, cost=lambda unit: float(len(unit.video))
            )
            for outcome in outcomes:
                unit = todo[outcome.index]
                result = segmented(unit, outcome)
                if not here:
                    advance(result.video, len(unit.video))
                plain = None if result.scored is None else to_plain(result.scored)
                kept = Kept(
                    video=result.video, code=code, failure=result.failure, about=dict(result.about), scored=plain
                )
                _write(place / _file(result.video), kept)
                if result.failure is not None:
                    failures[result.video] = result.failure
    return Part(f"{run.name} on {job.selection.dataset.name}", len(names), len(job.selection.videos), failures)


def _file(video: str) -> str:
    return f"{video}{ROWS}"


def _write(path: Path, model: BaseModel) -> None:
    text = json.dumps(model.model_dump(by_alias=True), ensure_ascii=False, allow_nan=False)
    write_whole(path, f"{text}\n".encode(), durable=True)


def _is_done(run: Opened, place: Path, video: str, code: Code) -> bool:
    """Whether this code has finished a video, and its maps are there."""
    try:
        kept = Kept.model_validate_json((place / _file(video)).read_bytes())
    except (OSError, ValidationError):
        return False
    frames = next(each.frames for each in run.selection.videos if each.name == video)
    maps = (run.folder / video / f"{frame.stem}.png" for frame in frames)
    return kept.failure is None and kept.code == code and all(path.is_file() for path in maps)


def problem(parts: Sequence[Part], shard: Shard) -> VideoError | None:
    """The error of a shard in which videos have failed; None if none has."""
    failures = {f"{part.label}/{video}": why for part in parts for video, why in part.failures.items()}
    if not failures:
        return None
    rest = "" if len(failures) == sum(part.videos for part in parts) else f"; the others of shard {shard} are done"
    return VideoError(failed(failures) + rest)
