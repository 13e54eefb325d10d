"""What is done of a plan, and of what: a file for every record, next to it, that lists what the record depends on.

Conventions:
    The files are in ``<out>/<dataset>/.plan/``. What was made by another plan with the same entry counts, too. A record
    is done if its file is unchanged and so is everything it depends on: method, weights, options and the files that
    they name, versions of packages, the code that makes maps and that which scores them, names and sizes of frames, and
    the contents of annotations. Times of files count for nothing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vosbench.files import combined, sha256, write_whole

FOLDER = ".plan"
CODE, FRAMES = "method code", "frames"
"""What maps depend on, and their ``run.json`` does not list."""
OF_SCORES = ("protocol", "annotations", "scoring code")
"""What only scores depend on, so that maps are kept if it changes."""
Inputs = Mapping[str, Any]


class Ended(BaseModel):
    """Why an entry as a whole has no record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: str
    exit_code: int


class State(BaseModel):
    """What is known of an entry."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["vosbench/plan@1"] = Field(default="vosbench/plan@1", alias="schema")
    method: str
    dataset: str
    inputs: dict[str, Any] = Field(description="what the record depends on")
    record: str | None = Field(default=None, description="name of the record's file; null until it is written")
    sha256: str | None = Field(default=None, description="of the record's file")
    tried: bool = Field(default=False, description="whether all of its videos were tried")
    maps_alone: bool = Field(default=False, description="whether it is done without one, for want of annotations")
    replaces: bool = Field(default=False, description="whether an older record is to be replaced once this is done")
    failed: dict[str, str] = Field(default={}, description="videos on which the method failed → why")
    ended: Ended | None = Field(default=None, description="why the entry as a whole failed")
    frames: int = Field(default=0, description="frames that were timed")
    seconds: float = Field(default=0.0, description="what they took, of one process")

    @property
    def failures(self) -> bool:
        """Whether something failed, and the rest was tried."""
        return self.ended is not None or (self.tried and bool(self.failed))

    @property
    def done(self) -> bool:
        """Whether there is what there can be: a record, or maps without annotations to score them."""
        return self.tried and not self.failures and (self.record is not None or self.maps_alone)


def path_of(place: Path, method: str, key: tuple[object, ...]) -> Path:
    """The file of an entry.

    Args:
        place: the folder of the dataset's records.
        method: its name.
        key: what sets the entry apart from others of the method.
    """
    return place / FOLDER / f"{method}-{combined(map(str, key))[:12]}.json"


def read(path: Path) -> State | None:
    """Read the state of an entry; None if there is none, or it is damaged, so that the entry is done again."""
    try:
        return State.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write(path: Path, state: State) -> None:
    """Write the state of an entry."""
    write_whole(path, (json.dumps(state.model_dump(by_alias=True), indent=1, ensure_ascii=False) + "\n").encode())


def record_changed(place: Path, state: State) -> str:
    """What happened to the record of a state: ``"missing"``, ``"changed"``, or ``""`` if nothing did."""
    assert state.record is not None
    try:
        return "" if sha256(place / state.record) == state.sha256 else "changed"
    except OSError:
        return "missing"


def changes(old: Inputs, new: Inputs) -> list[str]:
    """What differs, in words; what is not known now is not compared.

    >>> changes({"weights": "a" * 64, "packages": {"numpy": "1"}}, {"weights": "b" * 64, "packages": {"numpy": "2"}})
    ['weights', 'packages (numpy 1 → 2)']
    """
    return [_said(name, old.get(name), new[name]) for name in changed(old, new)]


def changed(old: Inputs, new: Inputs) -> list[str]:
    """The names of what differs; what is not known now is not compared."""
    return [name for name, value in new.items() if old.get(name) != value]


def _said(name: str, old: object, new: object) -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        if name == FRAMES:
            return f"frames of {', '.join(keys[:3])}{', …' if len(keys) > 3 else ''}"
        shown = ", ".join(f"{key} {old.get(key, '–')} → {new.get(key, '–')}" for key in keys[:3])
        if len(shown) <= 60:
            return f"{name} ({shown}{', …' if len(keys) > 3 else ''})"
    short = all(isinstance(each, int | str | bool) and len(str(each)) <= 20 for each in (old, new))
    return f"{name} ({old} → {new})" if short else name
