"""Work on the workers of a Dask cluster: of this machine, or of a scheduler that runs elsewhere.

Conventions:
    A worker has one thread and does one item at a time; at most two per worker are under way, the longest first. So the
    order is exact, memory does not grow with the number of items, and few are suspected if a worker dies.
    An item whose worker died is tried again at the end, alone: if that worker dies too, the item is to blame.
    Workers return plain bytes (`vosbench.engine.worker`). Only what is finished counts as finished: after the end of a
    scheduler, everything else is lost, not done.
"""

import contextlib
import logging
import os
import pickle
import queue
import shutil
import subprocess
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from vosbench.engine.engine import Failure, Outcome
from vosbench.engine.locks import scratch
from vosbench.engine.worker import attempt, parcel
from vosbench.errors import UsageError, WorkerError, counted, extras_needed, one_line

Item = TypeVar("Item")
Result = TypeVar("Result")

SETTINGS = {
    # The default of 64 KiB makes glibc map every frame anew: 15 times the page faults, 1.6 times the time.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**28,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**25,
    "distributed.scheduler.allowed-failures": 0,  # deaths are counted here, by item
    "distributed.scheduler.worker-ttl": "60s",  # a stopped process is replaced after this time
}
"""Settings of local clusters; docs/scaling.md has them for others."""
HOST = "127.0.0.1"
AHEAD = 2
"""Items under way for each worker."""
THREADS = 1
"""Of a worker, at most; more would blame innocents, and share what a process has only once."""
PATIENCE = 300.0
"""Seconds to wait for a first worker, or for another one after the last."""
TICK, LOOK, FETCH, AGAIN, RESTART = 0.5, 5.0, 10.0, 0.2, 30.0
"""Seconds between looks at the clock, between looks at the workers, to fetch a result, until that is tried again, and
to restart a worker."""


class Dask:
    """An engine that works on a Dask cluster; a context manager, which ends a local cluster.

    The cluster starts with the first item and serves every later `run`.

    Args:
        workers: number of processes to start on this machine.
        scheduler: the address of a running scheduler instead, such as ``"tcp://10.0.0.1:8786"``, or ``"tls://…"`` with
            the keys that Dask's configuration names.
        gpus: what ``CUDA_VISIBLE_DEVICES`` is in each worker; empty if they share all.
        timeout: seconds that an item may take; None for any.
        note: called with a line, such as where the cluster can be watched.

    Raises:
        UsageError: if not exactly one of workers and scheduler is passed, or there are fewer GPUs than workers.
    """

    def __init__(
        self,
        workers: int | None = None,
        scheduler: str | None = None,
        *,
        gpus: Sequence[str] = (),
        timeout: float | None = None,
        note: Callable[[str], None] = lambda _line: None,
    ) -> None:
        if (workers is None) == (scheduler is None):
            raise UsageError("pass either a number of workers or the address of a scheduler")
        if workers is not None and workers < 1:
            raise UsageError(f"there must be at least 1 worker, not {workers}")
        if workers is not None and gpus and len(gpus) < workers:
            raise UsageError(f"{counted(workers, 'worker')} need a GPU each, but there are {len(gpus)}")
        if timeout is not None and timeout <= 0:
            raise UsageError(f"an item must have more than 0 seconds, not {timeout:g}")
        self.workers, self.scheduler, self.timeout = workers, scheduler, timeout
        self._gpus, self._note = gpus, note
        self._open = contextlib.ExitStack()
        self._client: Any = None

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was started."""
        self.close()

    def close(self) -> None:
        """End what was started; a later run starts it again."""
        self._client = None
        self._open.close()

    def run(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        *,
        name: Callable[[Item], str],
        cost: Callable[[Item], float],
    ) -> Iterator[Outcome[Result]]:
        """See `vosbench.engine.engine.Engine.run`.

        Raises:
            UsageError: if an extra is missing, or the keys of a scheduler with TLS.
            WorkerError: if the scheduler cannot be reached, or a worker cannot do any item.
        """
        if items:
            yield from _Batch(self, work, items, name, cost).outcomes()

    @property
    def size(self) -> int:
        """The number of workers; those of a scheduler may become more and fewer."""
        return self.workers or max(len(self.client.nthreads()), 1)

    @property
    def client(self) -> Any:  # noqa: ANN401 - distributed has no types
        """The client of the cluster, which is started if it is not running."""
        if self._client is None:
            with contextlib.ExitStack() as stack:
                self._client = self._started(stack)
                self._open = stack.pop_all()
        return self._client

    def _started(self, stack: contextlib.ExitStack) -> Any:  # noqa: ANN401
        with extras_needed():
            import dask
            from distributed import Client, Security
            from distributed.utils import silence_logging_cmgr

        keys = Security().get_connection_args("client")["ssl_context"]
        if keys is None and str(self.scheduler).startswith("tls://"):
            raise UsageError(f'"{self.scheduler}" needs keys, and the configuration of Dask names none')
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL + 1))  # what matters of it is said by outcomes
        target: Any = self.scheduler
        if self.workers is not None:
            folder = stack.enter_context(scratch("workers"))
            with dask.config.set({**SETTINGS, "temporary-directory": str(folder)}):
                target = stack.enter_context(_local(self.workers, self._gpus, str(folder)))
        try:
            client = stack.enter_context(Client(target, timeout=FETCH, set_as_default=False))
        except (OSError, ValueError, TypeError) as error:
            raise WorkerError(f'the scheduler "{self.scheduler}" cannot be reached: {one_line(error)}') from None
        if self.workers is None:
            self._note("waiting for workers of the cluster") if not client.nthreads() else None
        try:
            client.wait_for_workers(self.workers or 1, timeout=PATIENCE)
        except TimeoutError:
            raise WorkerError(f"the cluster has no workers after {PATIENCE:.0f} seconds") from None
        if self._gpus:
            seen = client.run(os.getenv, "CUDA_VISIBLE_DEVICES")
            if sorted(map(str, seen.values())) != sorted(self._gpus[: self.workers]):
                raise WorkerError(f"the workers see the GPUs {', '.join(map(str, seen.values()))}, not one each")
        self._note(f"{counted(len(client.nthreads()), 'worker')} of Dask; watch them at {client.dashboard_link}")
        return client


def _local(workers: int, gpus: Sequence[str], folder: str) -> Any:  # noqa: ANN401
    """A cluster of processes of this machine, which nobody else's machine reaches."""
    from distributed import Nanny, Scheduler, SpecCluster

    options = {
        "host": HOST,
        "nthreads": 1,
        "memory_limit": 0,  # otherwise a nanny kills without a word
        "local_directory": folder,
        "silence_logs": logging.CRITICAL,
        "preload": ["vosbench.engine.worker"],
    }
    each = [{"env": {"CUDA_VISIBLE_DEVICES": gpu}} for gpu in gpus] or [{}] * workers
    return SpecCluster(
        workers={index: {"cls": Nanny, "options": options | each[index]} for index in range(workers)},
        scheduler={
            "cls": Scheduler,
            "options": {"host": HOST, "port": 0, "dashboard": True, "dashboard_address": f"{HOST}:0"},
        },
        silence_logs=logging.CRITICAL,
    )


def visible_gpus() -> list[str]:
    """The GPUs of this machine, as ``CUDA_VISIBLE_DEVICES`` names them; empty if there are none."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip()]
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    words = [command, "--query-gpu=index", "--format=csv,noheader"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.split() if done.returncode == 0 else []


@dataclass(slots=True)
class _Flight:
    """An item under way.

    Attributes:
        index: of the item.
        future: dask's.
        alone: whether nothing else is under way, so that it is to blame if its worker dies.
        started: when its worker began it; None if it has not.
        worker: the address of that worker.
        excused: whether its worker was ended because of another item.
    """

    index: int
    future: Any
    alone: bool
    started: float | None = None
    worker: str = ""
    excused: bool = False


class _Batch(Generic[Item, Result]):
    """The items of one `Dask.run`."""

    def __init__(
        self,
        dask: Dask,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        name: Callable[[Item], str],
        cost: Callable[[Item], float],
    ) -> None:
        self._dask, self._work, self._items, self._name = dask, work, items, name
        self._waiting = deque(sorted(range(len(items)), key=lambda index: -cost(items[index])))
        self._suspects: deque[int] = deque()
        self._flying: dict[str, _Flight] = {}
        self._begun: Counter[int] = Counter()
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._topic = f"vosbench-{uuid.uuid4().hex}"
        self._client = dask.client
        self._threads: Mapping[str, int] = self._client.nthreads() if self._client.status == "running" else {}
        self._looked = self._peopled = time.monotonic()

    def outcomes(self) -> Iterator[Outcome[Result]]:
        """See `vosbench.engine.engine.Engine.run`."""
        yield from self._lost()
        if not self._waiting:
            return
        self._client.subscribe_topic(self._topic, lambda event: self._events.put(("begun", event[1])))
        try:
            while self._waiting or self._suspects or self._flying:
                self._fill()
                with contextlib.suppress(queue.Empty):
                    what, event = self._events.get(timeout=TICK)
                    if what == "begun":
                        self._begin(event)
                    else:
                        yield from self._settle(*event)
                yield from self._overdue()
                yield from self._lost()
        finally:
            self._abandon()

    def _fill(self) -> None:
        """Keep the workers busy; suspects come last, one at a time."""
        if any(flight.alone for flight in self._flying.values()):
            return
        if not self._waiting and not self._flying and self._suspects:
            self._submit(self._suspects.popleft(), alone=True)
        while self._waiting and len(self._flying) < AHEAD * max(len(self._threads), 1):
            self._submit(self._waiting.popleft(), alone=False)

    def _submit(self, index: int, *, alone: bool) -> None:
        key = f"video-{uuid.uuid4().hex}"
        packed = parcel(self._work, self._items[index], index)
        future = self._client.submit(attempt, packed, self._topic, key=key, pure=False)
        self._flying[key] = _Flight(index, future, alone)
        future.add_done_callback(lambda done: self._events.put(("done", (key, done))))

    def _begin(self, event: Mapping[str, str]) -> None:
        flight = self._flying.get(event["key"])
        if flight is not None:
            self._begun[flight.index] += 1
            flight.started, flight.worker = time.monotonic(), event["worker"]

    def _settle(self, key: str, future: Any) -> Iterator[Outcome[Result]]:  # noqa: ANN401
        """What became of an item that is under way no longer."""
        from distributed import CancelledError, KilledWorker

        flight = self._flying.get(key)
        if flight is None:  # given up
            return
        try:
            answer = future.result(timeout=FETCH)
        except OSError:  # its worker died with the result, and it is done again; or the scheduler died
            time.sleep(AGAIN)
            future.add_done_callback(lambda done: self._events.put(("done", (key, done))))
            return
        except KilledWorker:
            yield from self._died(key, flight)
            return
        except CancelledError:  # not by us: the scheduler is gone
            yield from self._give_up()
            return
        except Exception as error:
            raise WorkerError(f"the workers cannot do this: {one_line(error)}") from error
        del self._flying[key]
        future.release()
        outcome: Outcome[Result] = pickle.loads(answer)  # noqa: S301 - from our own workers
        if outcome.failure is not None and outcome.failure.kind == "lost":
            raise WorkerError(outcome.failure.message)
        yield replace(outcome, index=flight.index, attempts=max(self._begun[flight.index], 1))

    def _died(self, key: str, flight: _Flight) -> Iterator[Outcome[Result]]:
        del self._flying[key]
        if flight.excused:
            self._waiting.appendleft(flight.index)
        elif not flight.alone:
            self._suspects.append(flight.index)
        else:
            yield self._failed(
                flight.index, "killed", "ended its worker process twice, for example because memory ran out"
            )

    def _failed(self, index: int, kind: Any, said: str) -> Outcome[Result]:  # noqa: ANN401 - a Kind
        message = f'"{self._name(self._items[index])}" {said}'
        return Outcome(index, failure=Failure(kind, "WorkerError", message, exit_code=6), attempts=self._begun[index])

    def _overdue(self) -> Iterator[Outcome[Result]]:
        """Give up an item that takes too long, and restart its worker: nothing else ends a task."""
        limit, now = self._dask.timeout, time.monotonic()
        if limit is None:
            return
        late = [key for key, flight in self._flying.items() if flight.started and now - flight.started > limit]
        for key in late:
            flight = self._flying.pop(key)
            self._restart(flight)
            yield self._failed(flight.index, "timeout", f"took longer than {limit:g} seconds")

    def _restart(self, flight: _Flight) -> None:
        with contextlib.suppress(Exception):  # it may have ended meanwhile, or have nobody to restart it
            flight.future.cancel(force=True)
            for key in self._client.processing([flight.worker]).get(flight.worker, ()):
                if key in self._flying:
                    self._flying[key].excused = True
            self._client.restart_workers([flight.worker], timeout=RESTART, raise_for_error=False)

    def _lost(self) -> Iterator[Outcome[Result]]:
        """Look at the cluster from time to time: new workers get items, and one without workers is given up."""
        now = time.monotonic()
        if self._client.status not in {"running", "connecting"}:
            yield from self._give_up()
        elif now - self._looked > LOOK:
            self._looked = now
            with contextlib.suppress(OSError, TimeoutError):
                self._threads = self._client.nthreads()
            if self._threads:
                self._peopled = now
            elif now - self._peopled > PATIENCE:
                yield from self._give_up("the cluster has no workers any more")
        many = next((address for address, threads in self._threads.items() if threads > THREADS), None)
        if many is not None:
            raise WorkerError(f"the worker at {many} has several threads; start workers with --nthreads 1")

    def _give_up(self, why: str = "the scheduler of the cluster was lost") -> Iterator[Outcome[Result]]:
        left = [*(flight.index for flight in self._flying.values()), *self._waiting, *self._suspects]
        self._flying.clear()
        self._waiting.clear()
        self._suspects.clear()
        for index in left:
            yield self._failed(index, "lost", f"was not finished: {why}")

    def _abandon(self) -> None:
        """Leave no work behind: a cluster that outlives this process would go on with it."""
        flying, self._flying = [*self._flying.values()], {}
        with contextlib.suppress(Exception):
            self._client.unsubscribe_topic(self._topic)
            for flight in flying:
                flight.future.cancel(force=True)
            if self._dask.scheduler is not None and (busy := {each.worker for each in flying if each.worker}):
                self._client.restart_workers([*busy], timeout=RESTART, raise_for_error=False)
