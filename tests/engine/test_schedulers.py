"""Schedulers and workers that others started, and local clusters from outside: slow, since each starts processes."""

import os
import signal
import threading
from pathlib import Path

import pytest

from spread import Item, children, cost, done, processes, until, work
from vosbench.errors import UsageError, WorkerError

pytest.importorskip("distributed", reason="needs the extra dist")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # a package's warnings concern its own tests
]

from vosbench.engine.cluster import Dask  # noqa: E402


def test_a_scheduler_that_dies_takes_nothing_for_done(tmp_path: Path) -> None:
    items = [Item(f"good{index}", seconds=0.5) for index in range(30)]
    with processes(tmp_path) as (address, started), Dask(scheduler=address) as engine:
        found = {}
        for outcome in engine.run(work, items, name=lambda item: item.name, cost=cost):
            found[outcome.index] = outcome
            if len(found) == 4:
                started[0].kill()
    assert sorted(found) == [*range(30)]
    finished = [each for each in found.values() if each.failure is None]
    lost = [each.failure for each in found.values() if each.failure is not None]
    assert 4 <= len(finished) < 30
    assert {failure.kind for failure in lost} == {"lost"}
    assert '" was not finished: the scheduler of the cluster was lost' in lost[0].message
    assert all(each.value for each in finished)


def test_a_running_scheduler_is_used_and_left(tmp_path: Path) -> None:
    items = [Item("kill", "kill", 0.5), Item("hang", "hang", 9), *(Item(f"good{index}") for index in range(8))]
    with processes(tmp_path) as (address, started):
        with Dask(scheduler=address, timeout=4) as engine:
            found = done(engine, items)
        assert all(process.poll() is None for process in started)
    failed = {name: each.failure.kind for name, each in found.items() if each.failure is not None}
    assert failed == {"kill": "killed", "hang": "timeout"}


def test_an_interrupted_client_leaves_no_work_on_a_running_cluster(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    items = [Item(f"long{index}", seconds=600, file=str(begun)) for index in range(6)]
    with processes(tmp_path) as (address, _):
        engine = Dask(scheduler=address)
        outcomes = engine.run(work, items, name=lambda item: item.name, cost=cost)
        threading.Timer(4, signal.raise_signal, [signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt), engine:
            next(outcomes)
        outcomes.close()
        with Dask(scheduler=address) as other:  # its workers are free
            assert done(other, [Item("short")])["short"].value == "short done"
    assert len(begun.read_text().split()) <= 4


def test_workers_with_several_threads_are_refused(tmp_path: Path) -> None:
    refused = pytest.raises(WorkerError, match="has several threads; start workers with --nthreads 1")
    with processes(tmp_path, 1, threads=2) as (address, _), Dask(scheduler=address) as engine, refused:
        done(engine, [Item("a"), Item("b")])


def test_a_worker_that_does_not_see_the_folder_fails_nothing_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with processes(tmp_path, 1) as (address, _), Dask(scheduler=address) as engine:
        here.rename(tmp_path / "elsewhere")
        monkeypatch.setattr(os, "getcwd", lambda: str(here))
        with pytest.raises(WorkerError, match=r'does not see the folder ".*here" \(No such file'):
            done(engine, [Item("a")])


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vosbench.engine.cluster.FETCH", 1.0)
    with Dask(scheduler="tcp://127.0.0.1:9") as engine, pytest.raises(WorkerError, match=r':9" cannot be reached'):
        done(engine, [Item("a")])


def test_a_stopped_worker_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    from vosbench.engine import cluster

    monkeypatch.setitem(cluster.SETTINGS, "distributed.scheduler.worker-ttl", "5s")
    items = [Item(f"good{index}", seconds=0.3) for index in range(20)]
    with Dask(2) as engine:
        pids = [*engine.client.run(os.getpid).values()]
        threading.Timer(1, os.kill, [pids[0], signal.SIGSTOP]).start()
        found = done(engine, items)
    assert all(outcome.failure is None for outcome in found.values())
    assert not set(pids) & children()


def test_a_local_cluster_is_its_owners_alone() -> None:
    import psutil

    with Dask(2) as engine:
        done(engine, [Item("a")])
        family = [psutil.Process(), *map(psutil.Process, children())]
        listening = {
            each.laddr.ip
            for process in family
            for each in process.net_connections("inet")
            if each.status == psutil.CONN_LISTEN
        }
        environment = engine.client.run(os.environ.copy)
    assert listening == {"127.0.0.1"}
    assert {each["MALLOC_TRIM_THRESHOLD_"] for each in environment.values()} == {str(2**28)}
    assert {each["MALLOC_MMAP_THRESHOLD_"] for each in environment.values()} == {str(2**25)}
    until(
        lambda: (
            not [pid for pid in children() if psutil.Process(pid).name() != "resource_tracker"] or len(children()) <= 1
        )
    )


def test_each_worker_has_its_gpu_and_keeps_it() -> None:
    with Dask(2, gpus=["3", "5"]) as engine:
        done(engine, [Item("kill", "kill"), Item("a")])
        engine.client.wait_for_workers(2, timeout=60)
        seen = engine.client.run(os.getenv, "CUDA_VISIBLE_DEVICES")
    assert sorted(seen.values()) == ["3", "5"]


def test_a_scheduler_with_tls_is_closed_to_others(tmp_path: Path) -> None:
    import dask

    pytest.importorskip("cryptography")
    from distributed import Security

    made = Security.temporary()
    files = {"ca-file": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    options = [word for name in files for word in (f"--tls-{name}", str(tmp_path / name))]
    place = "distributed.comm.tls"
    settings = {
        f"{place}.ca-file": str(tmp_path / "ca-file"),
        **{f"{place}.client.{name}": str(tmp_path / name) for name in ("cert", "key")},
    }
    with processes(tmp_path, 1, more=["--protocol", "tls", *options]) as (address, _):
        assert address.startswith("tls://")
        with dask.config.set(settings), Dask(scheduler=address) as engine:
            assert done(engine, [Item("a")])["a"].value == "a done"
        with Dask(scheduler=address) as engine, pytest.raises(UsageError, match="needs keys"):
            done(engine, [Item("a")])
        plain = address.replace("tls://", "tcp://")
        with Dask(scheduler=plain) as engine, pytest.raises(WorkerError, match="cannot be reached"):
            done(engine, [Item("a")])
