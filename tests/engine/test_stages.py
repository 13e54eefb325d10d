"""Stages are added up. Nothing is asserted about how long they take."""

import time

import pytest

from vosbench.engine.stages import OTHER, STAGES, Collector, collecting, is_collecting, is_rehearsal, rehearsing, stage


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands at its only entry."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def spent(**seconds: float) -> dict[str, float]:
    return {**dict.fromkeys((*STAGES, OTHER), 0.0), **seconds}


def test_the_innermost_stage_is_charged(clock: list[float]) -> None:
    with collecting() as collector:
        clock[0] += 1
        with stage("encoder"):
            clock[0] += 10
            with stage("decode"):
                clock[0] += 100
            clock[0] += 1000
            assert collector.seconds() == spent(other=1, encoder=1010, decode=100)
        with stage("encoder"):
            clock[0] += 10_000
        clock[0] += 100_000
        assert collector.seconds() == spent(other=100_001, encoder=11_010, decode=100)
    clock[0] += 5
    with stage("post"):
        clock[0] += 5
    assert collector.seconds()["post"] == 0


def test_a_stage_left_by_an_exception_is_left(clock: list[float]) -> None:
    @stage("matching")
    def fail() -> None:
        clock[0] += 2
        raise KeyError

    with collecting() as collector:
        with pytest.raises(KeyError):
            fail()
        clock[0] += 3
        assert collector.seconds() == spent(matching=2, other=3)
    with pytest.raises(KeyError), collecting():
        raise KeyError
    assert not is_collecting()


def test_the_device_is_synchronised_at_both_ends(clock: list[float]) -> None:
    """Work that is queued in a stage is charged to it, although it is computed only when waited for."""
    queued = []

    def wait() -> None:
        clock[0] += sum(queued)
        queued.clear()

    with collecting(wait) as collector:
        queued.append(1.0)
        with stage("encoder"):
            queued.append(20.0)
        with stage("post"):
            pass
    assert collector.seconds() == spent(other=1, encoder=20)


def test_as_a_decorator_a_stage_marks_every_call(clock: list[float]) -> None:
    @stage("post")
    def work(seconds: float) -> float:
        clock[0] += seconds
        return seconds

    assert work(1) == 1
    with collecting() as collector:
        assert work(2) + work(4) == 6
    assert collector.seconds() == spent(post=6)


def test_a_collector_alone() -> None:
    collector = Collector()
    collector.begin("write")
    collector.end()
    found = collector.seconds()
    assert list(found) == [*STAGES, OTHER]
    assert all(seconds >= 0 for seconds in found.values())


def test_a_rehearsal_ends() -> None:
    with rehearsing():
        assert is_rehearsal()
    assert not is_rehearsal()
