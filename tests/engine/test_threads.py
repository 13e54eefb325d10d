import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from vosbench.engine.stages import collecting
from vosbench.engine.threads import WriteBehind, work_ahead


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("vosbench-")]


@pytest.mark.parametrize("depth", [1, 3])
def test_reading_ahead_is_limited(depth: int) -> None:
    begun: list[str] = []
    paths = [Path(str(index)) for index in range(20)]
    with closing(work_ahead(lambda path: begun.append(path.name), paths, depth)) as made:
        assert not begun
        next(made)
        next(made)
        assert len(begun) <= depth + 2
        assert ours()
    assert not ours()


def test_jobs_are_done_in_order_and_none_after_a_failure() -> None:
    done: list[int] = []

    def job(number: int) -> None:
        if number == 3:
            raise ZeroDivisionError
        done.append(number)

    def hand_over(*numbers: int) -> None:
        with WriteBehind(depth=2) as behind:
            for number in numbers:
                behind.do(partial(job, number))

    with pytest.raises(ZeroDivisionError):
        hand_over(*range(9))
    assert done == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        hand_over(3)
    assert not ours()


def test_an_interrupted_block_finishes_submitted_jobs() -> None:
    done: list[int] = []

    def interrupted() -> None:
        with WriteBehind() as behind:
            behind.do(lambda: done.append(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == [1]
    assert not ours()


def test_nothing_overlaps_while_stages_are_timed() -> None:
    events: list[str] = []

    def work(path: Path) -> str:
        events.append(f"read {path}")
        return threading.current_thread().name

    with collecting():
        ahead = work_ahead(work, [Path("0"), Path("1")], depth=2)
        assert next(ahead) == threading.current_thread().name
        assert events == ["read 0"]
        with WriteBehind() as behind:
            behind.do(lambda: events.append("written"))
            events.append("handed over")
    assert events == ["read 0", "written", "handed over"]
    assert next(work_ahead(work, [Path("2")], depth=2)) != threading.current_thread().name
