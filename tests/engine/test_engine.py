"""Outcomes: what engines say of items, and what becomes of it."""

import pytest

from vosbench.engine.engine import Failure, Outcome, Serial, gathered
from vosbench.errors import DataError, VideoError, WorkerError


def halved(number: int) -> int:
    if number % 2:
        raise DataError(f"{number} is odd")
    if number > 100:
        raise SystemExit(3)
    return number // 2


def test_failures_of_items_are_data() -> None:
    found = list(Serial().run(halved, [4, 3, 200, 8], name=str, cost=float))
    assert [outcome.index for outcome in found] == [0, 1, 2, 3]
    assert [outcome.value for outcome in found] == [2, None, None, 4]
    odd, ended = found[1].failure, found[2].failure
    assert odd is not None
    assert ended is not None
    assert (odd.kind, odd.type, odd.message, odd.exit_code) == ("error", "DataError", "3 is odd", 3)
    assert "in halved" in odd.traceback
    assert (ended.type, ended.exit_code) == ("SystemExit", 70)
    with pytest.raises(DataError, match="3 is odd"):
        found[1].result()
    assert found[0].result() == 2


def test_interruptions_end_the_work() -> None:
    def interrupted(_: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Serial().run(interrupted, [1, 2], name=str, cost=float))


def test_results_are_gathered_in_order() -> None:
    class Backwards:
        def run(self, work, items, *, name, cost):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            del name, cost
            for index in reversed(range(len(items))):
                yield Outcome(index, work(items[index]))

    done: list[int] = []
    assert gathered(Backwards(), halved, [2, 4, 6], name=str, cost=float, advance=done.append) == [1, 2, 3]
    assert done == [1, 2, 3]
    with pytest.raises(DataError, match="5 is odd"):
        gathered(Serial(), halved, [2, 5], name=str, cost=float)


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [
        (Failure("error", "VideoError", "it fails"), VideoError, "it fails"),
        (Failure("error", "ValueError", "ValueError: no"), RuntimeError, "ValueError: no"),
        (Failure("error", "printable", "no error at all"), RuntimeError, "no error"),
        (Failure("killed", "WorkerError", "it died"), WorkerError, "it died"),
        (Failure("lost", "WorkerError", "all gone"), WorkerError, "all gone"),
    ],
)
def test_failures_of_other_processes_are_raised_as_our_own(failure: Failure, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        raise failure.exception()
