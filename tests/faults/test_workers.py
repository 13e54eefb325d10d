"""Workers that are left alone, do not fit, or have no folder for what is compiled."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from injected import Lab, fault
from spread import processes, until

SLEEPING = """
import time
from pathlib import Path
from vosbench.metrics.measures import Family, Measure


class Accumulation:
    def add(self, annotation, prediction):
        Path("begun.py").touch()  # a name that the lab leaves out
        time.sleep(600)


odd = Family(name="odd", measures=(Measure(name="odd_mean", symbol="odd", heading="odd"),), start=Accumulation)
"""


@fault("the parent of workers is killed (SIGKILL)")
def test_parent(lab: Lab) -> None:
    process = lab.process(*lab.score("--measures", "J,odd", "--jobs", "2", "--plugin", lab.plugin(SLEEPING)))
    until(lambda: Path("begun.py").exists() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    lab.ended(process)  # once no worker that writes to its pipes is alive


NOWHERE = """
import numba.core.caching as caching
caching.CacheImpl._locator_classes = caching.FunctionCache._impl_class._locator_classes = []
"""


@pytest.mark.slow
@pytest.mark.fast
@fault("Numba has no folder for its cache")
def test_no_cache(lab: Lab) -> None:
    words = lab.score("--jobs", "1", "--protocol", "toy-saliency", "--measures", "MAE", "--out", "results")
    lab.ended(lab.process(*words, prelude=NOWHERE))


@contextmanager
def cluster(lab: Lab, threads: int = 1) -> Iterator[list[str]]:
    """The words of a run on a cluster with one worker."""
    pytest.importorskip("distributed")
    place = lab.folder.with_name(f"{lab.folder.name}-cluster")
    place.mkdir()
    with processes(place, 1, threads) as (address, _):
        yield lab.run("--scheduler", address)


@pytest.mark.slow
@fault("a worker of a scheduler has another version of vosbench")
def test_version(lab: Lab) -> None:
    with cluster(lab) as words:
        lab.patch("vosbench.__version__", "0.0.1")
        lab.inject(*words)


@pytest.mark.slow
@fault("a worker of a scheduler has several threads")
def test_threads(lab: Lab) -> None:
    with cluster(lab, threads=2) as words:
        lab.inject(*words)


@pytest.mark.slow
@fault("a worker of a scheduler does not see the folder")
def test_folder(lab: Lab) -> None:
    with cluster(lab) as words:
        lab.patch(os, "getcwd", lambda: str(lab.folder / "elsewhere"))
        lab.inject(*words)
