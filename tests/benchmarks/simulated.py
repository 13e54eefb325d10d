"""How busy an engine keeps many workers: items that only sleep, as a section of `results/benchmarks.md`.

``python tests/benchmarks/simulated.py --write`` lets 64 workers, 16 threads each of four processes, sleep a second for
each of 10,000 items, so that nothing but scheduling can be slow. Windows of items under way are compared.
"""

import argparse
import logging
import resource
import sys
import time
from unittest import mock

import series
from distributed import Nanny, Scheduler, SpecCluster

from vosbench.engine import cluster
from vosbench.engine.cluster import Dask

HOST = "127.0.0.1"
PROCESSES = 4


def measure(workers: int, items: int, seconds: float, ahead: int) -> list[float | str]:
    """A row."""
    threads = workers // PROCESSES
    options = {"host": HOST, "nthreads": threads, "memory_limit": 0, "silence_logs": logging.CRITICAL}
    made = SpecCluster(
        workers={index: {"cls": Nanny, "options": options} for index in range(PROCESSES)},
        scheduler={"cls": Scheduler, "options": {"host": HOST, "port": 0, "dashboard_address": f"{HOST}:0"}},
        silence_logs=logging.CRITICAL,
    )
    with (
        made,
        Dask(scheduler=made.scheduler_address) as engine,
        mock.patch.object(cluster, "AHEAD", ahead * threads),
        mock.patch.object(cluster, "THREADS", threads),
    ):
        list(engine.run(time.sleep, [0.0] * workers, name=str, cost=float))
        started, before = time.monotonic(), time.process_time()
        outcomes = engine.run(time.sleep, [seconds] * items, name=str, cost=float)
        failed = sum(each.failure is not None for each in outcomes)
        wall, busy = time.monotonic() - started, time.process_time() - before
    if failed:
        raise SystemExit(f"{failed} of {items} items failed")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    share = items * seconds / workers / wall
    return [
        f"{workers}",
        f"{items} × {seconds:g} s",
        f"{ahead} × workers",
        wall,
        f"{share:.1%}",
        1e3 * busy / items,
        memory,
    ]


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--write", action="store_true", help="replace the section")
    args = parser.parse_args()
    rows = []
    for items, ahead in ((args.items // 4, 1), (args.items // 4, 2), (args.items, 2)):
        rows.append(measure(64, items, 1.0, ahead))
        sys.stdout.write(" | ".join(map(str, rows[-1])) + "\n")
        sys.stdout.flush()
    columns = {
        "workers": "",
        "items": "",
        "under way": "",
        "time": "s",
        "busy": "",
        "processor time of both per item": "ms",
        "memory of client and scheduler": "MB",
    }
    section = series.figures("64 simulated workers", "tests/benchmarks/simulated.py", columns, rows)
    if args.write:
        series.replace("simulated", section)


if __name__ == "__main__":
    main()
