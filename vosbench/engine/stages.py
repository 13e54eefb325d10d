"""Where the time of a frame goes: methods mark the stages of their work, and `vosbench run --profile` adds them up.

In a method::

    with stage("encoder"):
        features = net(frames)

A mark costs about a microsecond while nothing is measured. Frames that `vosbench.images.read_frame` decodes and maps
that are written are marked already.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Stage = Literal["decode", "encoder", "matching", "post", "write"]
STAGES: tuple[Stage, ...] = ("decode", "encoder", "matching", "post", "write")
"""Reading a frame; preparing and encoding it; attention, fusion and classifier; back to the frame's size; writing."""
OTHER = "other"
"""What lies between the stages."""


class Collector:
    """Adds up seconds, each under one stage: of nested stages, the innermost.

    Args:
        synchronise: waits for a device that computes behind the caller's back; called before every reading of the
            clock.
    """

    def __init__(self, synchronise: Callable[[], None] = lambda: None) -> None:
        self._synchronise = synchronise
        self._seconds = dict.fromkeys((*STAGES, OTHER), 0.0)
        self._open: list[str] = [OTHER]
        self._since = time.perf_counter()

    def begin(self, name: Stage) -> None:
        """Enter a stage."""
        self._read_clock()
        self._open.append(name)

    def end(self) -> None:
        """Leave the stage entered last."""
        self._read_clock()
        self._open.pop()

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage so far; together, all the time since the collector was made."""
        self._read_clock()
        return dict(self._seconds)

    def _read_clock(self) -> None:
        self._synchronise()
        now = time.perf_counter()
        self._seconds[self._open[-1]] += now - self._since
        self._since = now


_rehearsal: ContextVar[bool] = ContextVar("vosbench-rehearsal", default=False)
_active: ContextVar[Collector | None] = ContextVar("vosbench-stages", default=None)


@contextmanager
def collecting(synchronise: Callable[[], None] = lambda: None) -> Iterator[Collector]:
    """Collect what is marked inside the block, in this thread; frames are read and maps written in this thread too.

    Args:
        synchronise: see `Collector`.

    Yields:
        the collector.
    """
    collector = Collector(synchronise)
    token = _active.set(collector)
    try:
        yield collector
    finally:
        _active.reset(token)


def is_collecting() -> bool:
    """Whether stages are being timed, so that nothing may overlap."""
    return _active.get() is not None


@contextmanager
def rehearsing() -> Iterator[None]:
    """Run methods for their timing only: see `is_rehearsal`."""
    token = _rehearsal.set(True)
    try:
        yield
    finally:
        _rehearsal.reset(token)


def is_rehearsal() -> bool:
    """Whether this is a dry run for profiling, in which methods must not write files."""
    return _rehearsal.get()


@contextmanager
def stage(name: Stage) -> Iterator[None]:
    """Mark a block as a stage; as a decorator, a function.

    >>> with collecting() as collector, stage("encoder"):
    ...     pass
    >>> list(collector.seconds())
    ['decode', 'encoder', 'matching', 'post', 'write', 'other']
    """
    collector = _active.get()
    if collector is None:
        yield
        return
    collector.begin(name)
    try:
        yield
    finally:
        collector.end()
