"""How far each entry of a plan is."""

import json
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vosbench.engine.locks import LOCK
from vosbench.errors import DataError, VosbenchError
from vosbench.evaluate.score import CARD
from vosbench.method.resume import LATER, read_card
from vosbench.plan import state
from vosbench.plan.cases import MethodCase
from vosbench.plan.prepare import Entry, Masks

OF_CARD = ("weights", "untrained", "seed", "device", "batch", "precision", "compile", "threads", "files", "packages")
"""What both a plan and ``run.json`` know, in the same words."""
Kind = Literal["done", "failed", "changed", "running", "begun", "to do", "not here", "invalid"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an entry is.

    Attributes:
        entry: the entry.
        kind: ``done``; ``failed``: not tried again unless that is asked for; ``changed``: its inputs are no longer
            those of its record or maps; ``running``, in another process; ``begun``; ``to do``; ``not here``, since its
            dataset is missing; or ``invalid``, since its method is.
        known: what is known of it.
        changes: what has changed, in words.
        videos: the number of videos whose maps are complete; None if that was not looked at.
        holder: who runs it.
    """

    entry: Entry
    kind: Kind
    known: state.State | None = None
    changes: tuple[str, ...] = ()
    videos: int | None = None
    holder: str = ""

    @property
    def total(self) -> int | None:
        """The number of videos; None if they are not here."""
        return None if self.entry.problem is not None else len(self.entry.selection.videos)


def progress(entry: Entry, *, closely: bool = False) -> Progress:
    """Find out how far an entry is.

    Args:
        entry: the entry.
        closely: also count finished videos of what is not done, and look who runs it.
    """
    known, differing = entry.known(), _changes(entry)
    if known is not None and known.record is not None:
        happened = state.record_changed(entry.place, known)
        if happened == "missing":
            known = known.model_copy(update={"record": None, "sha256": None})
        elif happened == "changed":
            differing.append("the record itself")
    if differing and _would_be_lost(entry, known, differing):
        return Progress(entry, "changed", known, tuple(differing))
    if known is not None and not differing and (known.failures or known.done):
        return Progress(entry, "failed" if known.failures else "done", known)
    if entry.problem is not None:
        invalid = isinstance(entry.method, MethodCase) and isinstance(entry.setting, VosbenchError)
        return Progress(entry, "invalid" if invalid else "not here", known)
    if isinstance(entry.setting, Masks):
        return Progress(entry, "to do", known)
    holder = _holder(entry.maps / LOCK) if closely else ""
    begun = entry.card is not None
    videos = (_complete(entry) if begun else 0) if closely else None
    return Progress(entry, "running" if holder else "begun" if begun else "to do", known, (), videos, holder)


def _changes(entry: Entry) -> list[str]:
    """What the record or the maps that are there depend on, and has changed."""
    known = entry.known()
    if known is not None:
        return state.changes(known.inputs, entry.inputs)
    if entry.card is None:
        return []
    try:
        found = read_card(entry.card)  # of maps of which no plan knows, such as those of vosbench run
    except DataError:
        return [f"the damaged {CARD}"]
    names = [name for name in OF_CARD if name in entry.inputs and (name in found or name not in LATER)]
    return state.changes(found, {name: entry.inputs[name] for name in names})


def _would_be_lost(entry: Entry, known: state.State | None, differing: Sequence[str]) -> bool:
    """Whether there is a record, or maps of other inputs, so that nothing is replaced without being asked for."""
    if known is not None and known.record is not None:
        return True
    if entry.card is None:
        return False
    spared = ("frames of ", *state.OF_SCORES)  # of other frames, the maps are of no use
    return any(not each.startswith(spared) for each in differing)


def every(entries: Iterable[Entry], *, closely: bool = False) -> list[Progress]:
    """The progress of all entries, in order; see `progress`."""
    return [progress(entry, closely=closely) for entry in entries]


def _complete(entry: Entry) -> int:
    """How many videos have a map for every frame; files with their final names are whole."""
    count = 0
    for video in entry.selection.videos:
        try:
            there = {name for name in os.listdir(entry.maps / video.name) if name.endswith(".png")}  # noqa: PTH208
        except OSError:
            continue
        count += all(f"{frame.stem}.png" in there for frame in video.frames)
    return count


def _holder(lock: Path) -> str:
    """Who holds a folder, as far as its lock tells; that of a killed process of this machine counts for nothing.

    The lock is only read: who tries to take it might be in the way of another.
    """
    try:
        found = json.loads(lock.read_text("utf-8"))
        pid, host, since = int(found["pid"]), str(found["host"]), str(found["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    if host == socket.gethostname():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return ""
        except OSError:  # of another user
            pass
    return f"process {pid} on {host} since {since}"
