"""Put the rows of shards together: the record is the same as that of one process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from vosbench.dataset.selection import Selection
from vosbench.engine.engine import Item, Outcome, Result
from vosbench.errors import DataError, counted, one_line
from vosbench.evaluate.plain import from_plain
from vosbench.runner.jobs import Job
from vosbench.runner.runs import Run, finish, opened
from vosbench.runner.shards import FOLDER, HEAD, ROWS, Code, Entry, Head, Kept, Shard, depends_of, hash_of
from vosbench.runner.units import Segmented, Unit

Model = TypeVar("Model", bound=BaseModel)
SHOWN = 5
"""Videos that a message names."""
LONGEST = 200
"""Characters of a problem that are shown."""


def merge(job: Job, out: Path, *, overwrite: bool = False) -> Run:
    """Make the record of a run of the rows of its shards: the same as that of one process.

    Args:
        job: the run.
        out: its results folder.
        overwrite: whether a record of other predictions is replaced.

    Raises:
        DataError: if a shard is still running, videos are missing, or shards contradict each other or are of another
            list or another state of the code; the message names them.
        VideoError: if the method failed on a video; the record of the others, marked incomplete, is written first.
        UsageError: as `vosbench.runner.run`.
    """
    depends = depends_of(job)
    with opened(*job, out, load=False) as run:
        rows = Rows(run.folder, run.selection, depends)
        return finish(replace(run, overwrite=overwrite), rows.results())


class Stored:
    """An engine whose work was done by shards: it has their rows.

    Args:
        entries: the runs.

    Raises:
        DataError: see `merge`.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._found: dict[tuple[Path, str, str], Segmented] = {}
        for entry in entries:
            selection, folder = entry.job.selection, entry.maps
            for result in Rows(folder, selection, depends_of(entry.job)).results():
                self._found[folder, selection.protocol.signature(""), result.video] = result

    def run(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        *,
        name: Callable[[Item], str],
        cost: Callable[[Item], float],
    ) -> Iterator[Outcome[Result]]:
        """See `vosbench.engine.engine.Engine.run`; the items are units."""
        del work, name, cost
        for index, unit in enumerate(cast("Sequence[Unit]", items)):
            signature = "" if unit.protocol is None else unit.protocol.signature("")
            yield Outcome(index, cast("Result", self._found[unit.folder, signature, unit.video.name]))


class Rows:
    """The rows that the shards of a run have written.

    Args:
        folder: of the run's maps.
        selection: its videos and protocol.
        depends: what its rows depend on; see `Listing`.
    """

    def __init__(self, folder: Path, selection: Selection, depends: Mapping[str, Any]) -> None:
        self._selection, self._depends = selection, depends
        self._all = folder.parent / FOLDER / folder.name
        self._hash = hash_of(depends)
        self._place = self._all / self._hash[:16]

    def results(self) -> list[Segmented]:
        """What became of every video.

        Raises:
            DataError: see `merge`.
        """
        code = Code.now()
        found: dict[str, tuple[str, Kept]] = {}
        heads = self._heads()
        for head in heads:
            for path in sorted((self._place / Shard.parse(head.shard).folder).glob(f"*{ROWS}")):
                kept = _read(path, Kept)
                if kept.code != code:
                    raise DataError(
                        f'shard {head.shard} has rows of "{kept.video}" by {kept.code}, and this is {code}; run the '
                        "shard again, or merge with what has made it"
                    )
                found[kept.video] = _agreed(found.get(kept.video), (head.shard, kept))
        names = [video.name for video in self._selection.videos]
        missing = [name for name in names if name not in found]
        if missing:
            raise DataError(self._incomplete(missing, heads))
        return [self._result(*found[name]) for name in names]

    def _heads(self) -> list[Head]:
        heads = [_read(path, Head) for path in sorted(self._place.glob(f"*-of-*/{HEAD}"))]
        for head in heads:
            if head.hash != self._hash or hash_of(head.depends) != head.hash:
                raise DataError(f'shard {head.shard} in "{self._place}" is of another list; delete it')
        return heads

    def _incomplete(self, missing: Sequence[str], heads: Sequence[Head]) -> str:
        """Why rows are missing: shards that were not run or not finished, or are of another list."""
        names = ", ".join(missing[:SHOWN]) + (", …" if len(missing) > SHOWN else "")
        said = f'the shards in "{self._all}" have no rows of {counted(len(missing), "video")} ({names})'
        others = [_read(path, Head) for path in sorted(self._all.glob(f"*/*-of-*/{HEAD}"))]
        others = [head for head in others if head.hash != self._hash]
        if not heads and others:
            keys = [key for key, value in self._depends.items() if others[0].depends.get(key) != value]
            return (
                f"{said}; shard {others[0].shard} there is of another list: {_differs(others[0], self._depends, keys)}"
            )
        if not heads:
            return f"{said}; run each with: vosbench run … --shard 1/N"
        whose = {name: head.shard for head in heads for name in head.videos}
        wanted = sorted({f"shard {whose[name]}" if name in whose else "another shard" for name in missing})
        return f"{said}; run {' and '.join(wanted)} to the end"

    def _result(self, shard: str, kept: Kept) -> Segmented:
        try:
            scored = None if kept.scored is None else from_plain(kept.scored, self._selection.protocol)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            raise DataError(
                f'the rows of "{kept.video}" of shard {shard} are damaged ({one_line(error)}); run the shard again'
            ) from None
        return Segmented(kept.video, scored, kept.failure, kept.about)


def _differs(head: Head, depends: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The first difference of two lists."""
    key = keys[0] if keys else "videos"
    before, now = head.depends.get(key), depends.get(key)
    if isinstance(before, dict) and isinstance(now, dict):
        name = next(name for name in sorted({**before, **now}) if before.get(name) != now.get(name))
        return f"{key}: {name} was {before.get(name, 'absent')}, now {now.get(name, 'absent')}"
    return f"{key} was {before}, now {now}"


def _agreed(known: tuple[str, Kept] | None, new: tuple[str, Kept]) -> tuple[str, Kept]:
    """One of two results of a video; a failure says nothing against rows.

    Raises:
        DataError: if their rows differ.
    """
    if known is None or known[1].failure is not None:
        return new
    if new[1].failure is not None or new[1].scored == known[1].scored:
        return known
    raise DataError(
        f'shards {known[0]} and {new[0]} have different rows of "{known[1].video}"; delete the wrong ones, and run '
        "that shard again"
    )


def _read(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f'"{path}" cannot be read: {error.strerror}') from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise DataError(
            f'"{path}" is damaged ({where[:LONGEST]}: {first["msg"][:LONGEST]}); run its shard again'
        ) from None
