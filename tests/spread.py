"""Clusters in tests, and work for them; workers import it."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vosbench.engine.cluster import Dask
    from vosbench.engine.engine import Outcome


class Item(NamedTuple):
    """A name, and what happens."""

    name: str
    what: str = "sleep"
    seconds: float = 0.02
    file: str = ""


def cost(item: Item) -> float:
    """How long it takes."""
    return item.seconds


def work(item: Item) -> object:
    """Do what an item says, and note that it was begun."""
    if item.file:
        with Path(item.file).open("a", encoding="utf-8") as file:
            file.write(f"{item.name}\n")
    if item.what == "hang":
        time.sleep(1000)
    time.sleep(item.seconds)
    match item.what:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "exit":
            raise SystemExit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "full":
            raise OSError(28, "No space left on device", "map.png")
        case "error":
            raise UnpicklableError(lambda: 1)
        case "result":
            return lambda: 1
    return f"{item.name} done"


class UnpicklableError(Exception):
    """An error that cannot leave its process."""


def done(engine: "Dask", items: list[Item]) -> "dict[str, Outcome[object]]":
    """Name → outcome."""
    found = {items[each.index].name: each for each in engine.run(work, items, name=lambda item: item.name, cost=cost)}
    assert found.keys() == {item.name for item in items}
    return found


def children() -> set[int]:
    """The processes below this one."""
    import psutil

    return {child.pid for child in psutil.Process().children(recursive=True)}


@contextmanager
def processes(
    folder: Path, workers: int = 2, threads: int = 1, more: Sequence[str] = ()
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers, started by dask's own commands: the scheduler's address, and the processes."""
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), *more]
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "DASK_TEMPORARY_DIRECTORY": str(folder),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    }
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    scheduler = [*dask, "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", *common]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", str(threads), "--memory-limit", "0"]
    worker += ["--host", "127.0.0.1", "--death-timeout", "10", "--local-directory", str(folder), *common]
    started: list[subprocess.Popen[bytes]] = []

    def start(words: list[str]) -> None:
        out = (folder / f"log{len(started)}").open("wb")
        with out:
            started.append(subprocess.Popen(words, stdout=out, stderr=out, env=environment, cwd=folder))

    try:
        start(scheduler)
        until(file.is_file)
        for _ in range(workers):
            start(worker)
        yield json.loads(file.read_text())["address"], started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)
