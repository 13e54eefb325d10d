"""``vosbench score`` under several protocols, and ``--explain``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.cli import options
from vosbench.cli.console import listening, result
from vosbench.errors import UsageError

if TYPE_CHECKING:
    from vosbench.evaluate.numbering import Numbering
    from vosbench.report.table import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The masks to score, and how."""

    masks: Path
    dataset: str | None
    codec: str | None
    numbering: "Numbering"
    name: str | None
    jobs: int
    plugins: tuple[Path, ...]
    quiet: bool
    track: tuple[str, ...] = ()

    def named(self, what: str) -> str:
        """The dataset.

        Raises:
            UsageError: if there is none.
        """
        if self.dataset is None:
            raise UsageError(f"{what} --dataset")
        return self.dataset


def several(protocol: str | None) -> bool:
    """Whether ``--protocol`` names several.

    >>> several("all"), several("davis16,davis16-gcc5"), several("davis16")
    (True, True, False)
    """
    return protocol is not None and (protocol == "all" or "," in protocol)


def refuse(chosen: Mapping[str, object], use: str) -> None:
    """Refuse options.

    Raises:
        UsageError: if one is passed; the message says what it is for.
    """
    for option, value in chosen.items():
        if value not in {None, ""}:
            raise UsageError(f"--{option} is for {use}")


def score(
    task: Task,
    selecting: options.Selecting,
    explained: tuple[Path, Path] | None,
    out: Path | None,
    shown: "tuple[Format, int | None]",
    *,
    overwrite: bool,
) -> None:
    """Score masks under the named protocols, or say what the choices of two records are worth on them, and print it.

    Raises:
        VosbenchError: if something is wrong.
    """
    if explained is None:
        _score(task, selecting, out, shown, overwrite=overwrite)
    else:
        _explain(task, selecting, explained, out, shown)


def _score(
    task: Task, selecting: options.Selecting, out: Path | None, shown: "tuple[Format, int | None]", *, overwrite: bool
) -> None:
    """Print a line for each protocol, and write the records if that is asked for.

    Raises:
        VosbenchError: if a record cannot be written, or a protocol that was asked for by name has no scores.
    """
    from vosbench.evaluate.score import default_name
    from vosbench.face.protocols import score_protocols
    from vosbench.records.naming import check_name

    dataset, selected = task.named("several protocols need"), options.select_options(selecting)
    selected.pop("protocol", None)
    if out is not None:
        check_name(default_name(task.masks) if task.name is None else task.name)  # before the work
    with listening("videos", quiet=task.quiet) as listener:
        found = score_protocols(
            task.masks,
            dataset,
            selecting.protocol or "",
            codec=task.codec,
            numbering=task.numbering,
            name=task.name,
            jobs=task.jobs,
            plugins=task.plugins,
            listener=listener,
            **selected,
        )
    try:
        for one in found.results.values() if out is not None else ():
            one.save(out or "", overwrite=overwrite)
    finally:  # what was measured is not lost if it cannot be written
        result(found.render(*shown))
    if found.problem is not None:
        raise found.problem


def _explain(
    task: Task,
    selecting: options.Selecting,
    pair: tuple[Path, Path],
    out: Path | None,
    shown: "tuple[Format, int | None]",
) -> None:
    """Print what the choices in which two records differ are worth on masks.

    Raises:
        UsageError: if an option is passed that the records state.
    """
    from vosbench import face
    from vosbench.face.protocols import explain

    chosen = {key: getattr(selecting, key) for key in ("split", "protocol", "videos", "limit")}
    refuse({**chosen, "codec": task.codec, "name": task.name, "out": out}, "scores; --explain reads it in the records")
    dataset = task.named("--explain needs")
    records = [face.read_record(path) for path in pair]  # a wrong one is reported before the work
    with listening("videos", quiet=task.quiet) as listener:
        found = explain(
            task.masks,
            dataset,
            *records,
            numbering=task.numbering,
            jobs=task.jobs,
            measures=selecting.measures,
            root=selecting.root,
            layout=selecting.layout,
            plugins=task.plugins,
            listener=listener,
        )
    result(found.render(*shown))
