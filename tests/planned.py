"""What tests of plans share: a folder with toy data, weights and a plan, and what its methods noted."""

from collections.abc import Collection
from pathlib import Path

import pytest

from factories import write_toy

PLUGIN = Path(__file__).parent / "plugins" / "planned.py"


def prepare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a folder with two datasets and three files of weights."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("VOSBENCH_DATA", "data")
    monkeypatch.setenv("PLAN_LOG", "log.txt")
    write_toy(Path("data/toy"))
    write_toy(Path("data/Others"), size=(30, 40))
    for name, factor in (("a", "1.5"), ("b", "0.9"), ("dim", "0.8")):
        Path(f"{name}.txt").write_text(factor, "utf-8")


def plan(text: str, name: str = "plan.yaml") -> Path:
    """Write a plan, in which PLUGIN stands for the plugin's path."""
    Path(name).write_text(text.replace("PLUGIN", str(PLUGIN)), "utf-8")
    return Path(name)


def worked() -> list[str]:
    """What methods did since the last call."""
    log = Path("log.txt")
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def contents(folder: str | Path = "results", notes: Collection[str] = (".plan",)) -> dict[str, bytes]:
    """Records, rows and maps, without the folders of notes, those of plans by default."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and not {*notes} & {*path.parts}]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
