"""Clusters of real processes, and what befalls them. Nobody else is blamed, and nothing is reported that is not so."""

import os
from collections import Counter
from pathlib import Path

import pytest

from spread import Item, children, cost, done, work
from vosbench.errors import UsageError

pytest.importorskip("distributed", reason="needs the extra dist")
pytestmark = pytest.mark.filterwarnings("default")  # a package's warnings concern its own tests

from vosbench.engine.cluster import Dask, visible_gpus  # noqa: E402


def test_every_blow_is_the_failure_of_its_item_alone(tmp_path: Path) -> None:
    begun = str(tmp_path / "begun")
    good = [Item(f"good{index}", file=begun, seconds=0.05 + index / 1000) for index in range(12)]
    bad = [Item(what, what, 0.06, begun) for what in ("kill", "exit", "interrupt", "full", "error", "result")]
    notes: list[str] = []
    with Dask(2, note=notes.append) as engine:
        found = done(engine, good[:6] + bad + good[6:])
        again = done(engine, good[:2])  # on the same cluster
    assert [line for line in notes if "2 workers of Dask; watch them at http://127.0.0.1:" in line]
    assert all(found[item.name].value == f"{item.name} done" for item in good)
    assert all(outcome.value for outcome in again.values())
    failures = {item.name: found[item.name].failure for item in bad}
    said = {name: (failure.kind, failure.type) for name, failure in failures.items() if failure is not None}
    assert said == {
        "kill": ("killed", "WorkerError"),
        "exit": ("error", "SystemExit"),
        "interrupt": ("error", "KeyboardInterrupt"),
        "full": ("error", "OSError"),
        "error": ("error", "UnpicklableError"),
        "result": ("error", "AttributeError"),
    } | ({"result": said["result"]} if said["result"][1] == "PicklingError" else {})
    killed = failures["kill"]
    assert killed is not None
    assert killed.message == '"kill" ended its worker process twice, for example because memory ran out'
    assert found["kill"].attempts == 2
    times = Counter((tmp_path / "begun").read_text().split())
    assert times["kill"] == 2
    assert sum(times.values()) <= 12 + 6 + 2 + 4  # with what was under way when the worker died, at most


def test_a_hanging_item_is_given_up() -> None:
    items = [Item("hang", "hang", 9.0), *(Item(f"good{index}") for index in range(6))]
    with Dask(2, timeout=3) as engine:
        found = done(engine, items)
    hanging = found.pop("hang").failure
    assert hanging is not None
    assert (hanging.kind, hanging.message) == ("timeout", '"hang" took longer than 3 seconds')
    assert all(outcome.failure is None for outcome in found.values())


def test_requests_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="either a number of workers or the address"):
        Dask()
    with pytest.raises(UsageError, match="either"):
        Dask(2, "tcp://127.0.0.1:1")
    with pytest.raises(UsageError, match="at least 1"):
        Dask(0)
    with pytest.raises(UsageError, match="2 workers need a GPU each, but there are 1"):
        Dask(2, gpus=["0"])
    with pytest.raises(UsageError, match="more than 0 seconds"):
        Dask(2, timeout=0)
    with Dask(2) as engine:  # nothing is started for nothing
        before = children()
        assert not list(engine.run(work, [], name=str, cost=cost))
        assert children() == before


def test_gpus_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-8a")
    assert visible_gpus() == ["2", "GPU-8a"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert visible_gpus() == ["0", "1"]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert visible_gpus() == []
