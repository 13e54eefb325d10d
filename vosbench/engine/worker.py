"""What a worker of a cluster does: it unpacks an item, applies the function, and returns whatever happens as data.

An exception that leaves a task may not unpickle at the other end, and one such as SystemExit ends the worker. So
nothing leaves `attempt` but bytes.
"""

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import vosbench
from vosbench.engine.engine import Failure, Outcome
from vosbench.engine.pool import preparations


@dataclass(frozen=True, slots=True)
class Parcel:
    """An item on its way to a worker.

    Attributes:
        index: of the item.
        packed: the function and the item, pickled.
        folder: the client's working directory, to which relative paths refer.
        vosbench: the client's version.
        python: likewise.
        preparations: what to call before unpickling, such as the imports of plugin files.
    """

    index: int
    packed: bytes
    folder: str
    vosbench: str
    python: tuple[int, int]
    preparations: Sequence[Callable[[], object]]


def parcel(work: Callable[[Any], Any], item: object, index: int) -> bytes:
    """Pack an item."""
    import cloudpickle  # also packs what plugins define by lambdas

    packed = cloudpickle.dumps((work, item))
    own = (vosbench.__version__, sys.version_info[:2])
    return pickle.dumps(Parcel(index, packed, str(os.getcwd()), *own, preparations()))  # noqa: PTH109 - a name


def attempt(packed: bytes, topic: str) -> bytes:
    """Apply a function to an item in a worker.

    Args:
        packed: see `parcel`.
        topic: where it is announced that the item is begun.

    Returns:
        an `Outcome`, pickled; its failure is of kind ``"lost"`` if this worker cannot do any item.
    """
    from distributed import get_worker

    worker = get_worker()
    worker.log_event(topic, {"key": worker.get_current_task(), "worker": worker.address})
    started = time.monotonic()
    value, index = None, -1
    failure: Failure | None = None
    try:
        job: Parcel = pickle.loads(packed)  # noqa: S301 - the cluster runs code of its clients anyway
        index, unfit = job.index, _unfit(job)
        if unfit:
            failure = Failure("lost", "WorkerError", f"the worker at {worker.address} {unfit}", exit_code=6)
        else:
            for preparation in job.preparations:
                preparation()
            work, item = pickle.loads(job.packed)  # noqa: S301
            value = work(item)
    except BaseException as error:  # noqa: BLE001 - it would end the worker
        failure = replace(Failure.of(error), error=None)
    outcome = Outcome(index, value, failure, time.monotonic() - started)
    try:
        return pickle.dumps(outcome)
    except Exception as error:  # noqa: BLE001 - results of third parties may contain anything
        return pickle.dumps(replace(outcome, value=None, failure=replace(Failure.of(error), error=None)))


def _unfit(job: Parcel) -> str:
    """Why this worker cannot do a client's work; empty if it can. It moves to the client's working directory."""
    if vosbench.__version__ != job.vosbench:
        return f"has vosbench {vosbench.__version__}, not {job.vosbench}; install equal versions"
    if sys.version_info[:2] != job.python:
        return "has Python {}.{}, not {}.{}; install equal versions".format(*sys.version_info[:2], *job.python)
    try:
        os.chdir(job.folder)
    except OSError as error:
        return f'does not see the folder "{job.folder}" ({error.strerror}); share it under the same path'
    return ""


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C to the client, which ends its workers; called by dask when a local worker starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
