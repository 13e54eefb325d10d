"""Long videos in pieces: which are cut, and that no byte differs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from test_concurrency import tree
from test_runner import selection
from vosbench.engine.engine import Outcome, attempted
from vosbench.errors import VideoError
from vosbench.method import Method, Setup
from vosbench.registry import load_method
from vosbench.runner import opened, pieces, run

TOY = Path(__file__).parent / "plugins" / "toy.py"


Item = TypeVar("Item")
Result = TypeVar("Result")


class Backwards:
    """Works in this process, the last item first, as if there were several workers."""

    size = 4

    def __init__(self) -> None:
        self.names: list[list[str]] = []

    def run(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        *,
        name: Callable[[Item], str],
        cost: Callable[[Item], float],
    ) -> Iterator[Outcome[Result]]:
        self.names.append([name(item) for item in items])
        assert all(cost(item) > 0 for item in items)
        for index in reversed(range(len(items))):
            yield attempted(work, items[index], index)


def toy(variant: str, **changes: object) -> tuple[Method, Setup]:
    method, _ = load_method("brightness", [TOY])
    return replace(method, **changes), Setup(variant=variant)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LEAST", 2)


@pytest.mark.parametrize("fail", ["", "v0/00001", "v0/00002", "v1/00004"])
def test_pieces_change_no_byte(toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail: str) -> None:
    monkeypatch.setenv("TOY_FAIL", fail)
    found = []
    for name, engine in (("whole", None), ("pieces", Backwards())):
        try:
            run(*toy("apart"), selection(toy_root), tmp_path / name, engine=engine)
        except VideoError as error:
            found.append(str(error).partition(";")[0])
    assert len({*found}) == bool(fail)
    assert tree(tmp_path / "whole") == tree(tmp_path / "pieces")


def test_the_videos_that_take_longer_than_their_share_are_cut(toy_root: Path, tmp_path: Path) -> None:
    engine = Backwards()
    run(*toy("apart"), selection(toy_root), tmp_path, engine=engine)
    before, after = engine.names
    base = "toy/brightness.apart"
    assert before == [
        f"{base}/{video}, frames {a} to {b}" for video in ("v0", "v1") for a, b in ((0, 1), (2, 3), (4, 4))
    ]
    assert after == [f"{base}/v0", f"{base}/v1"]
    with opened(*toy("apart"), selection(toy_root), tmp_path / "other", load=False) as opening:
        units = opening.units()
    assert len(pieces.split(units, 2)) == 0
    assert [piece.start for piece in pieces.split(units[:1], 2)] == [0, 2, 4]
    batched = [replace(unit, setup=replace(unit.setup, batch=3)) for unit in units]
    assert [(piece.start, piece.stop) for piece in pieces.split(batched[:1], 4)] == [(0, 3), (3, 5)]


def test_methods_with_a_memory_are_not_cut(toy_root: Path, tmp_path: Path) -> None:
    declared = Backwards()
    run(*toy("apart", needs={"previous"}), selection(toy_root), tmp_path / "declared", engine=declared)
    assert [len(names) for names in declared.names] == [2]
    run(*toy("average"), selection(toy_root), tmp_path / "whole")
    run(*toy("average"), selection(toy_root), tmp_path / "undeclared", engine=Backwards())
    assert tree(tmp_path / "whole") == tree(tmp_path / "undeclared")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # a package's warnings concern its own tests
def test_pieces_on_a_cluster(toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra dist")
    from vosbench.engine.cluster import Dask

    chosen = selection(toy_root, videos=("v0",))
    run(*toy("apart"), chosen, tmp_path / "whole")
    flag = tmp_path / "flag"
    flag.write_text("v0/00003")
    monkeypatch.setenv("TOY_KILL", str(flag))
    with Dask(2) as engine:
        run(*toy("apart"), chosen, tmp_path / "pieces", engine=engine)
    assert not flag.exists()
    assert tree(tmp_path / "whole") == tree(tmp_path / "pieces")
