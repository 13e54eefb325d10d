"""Time per stage of a frame: methods mark their stages, and `vosbench run --profile` adds them up.

In a method::

    with stage("encoder"):
        features = net(frames)

A mark costs about a microsecond when nothing is measured. Decoding with `vosbench.images.read_frame` and writing maps
are already marked.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Stage = Literal["decode", "encoder", "matching", "post", "write"]
STAGES: tuple[Stage, ...] = ("decode", "encoder", "matching", "post", "write")
"""Reading a frame; preparing and encoding it; attention, fusion and classifier; resizing to the frame; writing."""
OTHER = "other"
"""Time outside the stages."""


class Collector:
    """Adds up seconds per stage; nested stages count only as the innermost.

    Args:
        synchronise: waits for a device that computes asynchronously; called before every reading of the clock.
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
        """Seconds of each stage so far; their sum is the time since the collector was created."""
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
    """Time the stages of the block, in this thread; frames are read and maps written in this thread too.

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
    """Mark a block, or as a decorator a function, as a stage.

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
