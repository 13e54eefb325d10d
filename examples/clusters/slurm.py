"""Run a vosbench command on workers that are SLURM jobs, until it ends.

    python examples/clusters/slurm.py 16 --walltime 04:00:00 -- vosbench run --plan plan.yaml

The command stands behind ``--`` and gets the scheduler's address. Each worker is a job of its own, which starts
whenever the queue lets it; the command begins with the first one. Run this where the nodes can reach it, such as in a
small job. The folders are the same on all nodes. Whoever reaches the scheduler or a worker runs code: use this where
all users are trusted, or with TLS (docs/scaling.md). Needs ``pip install dask-jobqueue``.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import dask
import yaml
from dask_jobqueue import SLURMCluster

SETTINGS = Path(__file__).with_name("dask.yaml")


def main(words: list[str], command: list[str]) -> int:
    """Start a cluster, run the command on it, and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workers", type=int, help="number of jobs, with one worker each")
    parser.add_argument("--walltime", default="04:00:00", help="of a job")
    parser.add_argument("--queue", help="partition")
    parser.add_argument("--account")
    parser.add_argument("--memory", default="16GB", help="of a job")
    parser.add_argument("--gpu", action="store_true", help="a GPU for each job")
    parser.add_argument("--interface", help="network interface of the nodes, such as ib0")
    chosen = parser.parse_args(words)
    with (
        SLURMCluster(
            cores=1,
            processes=1,
            memory=chosen.memory,
            walltime=chosen.walltime,
            queue=chosen.queue,
            account=chosen.account,
            interface=chosen.interface,
            job_extra_directives=["--gres=gpu:1"] if chosen.gpu else [],
            job_script_prologue=[f"export DASK_CONFIG={SETTINGS.resolve()}"],
            worker_extra_args=["--memory-limit", "0"],  # SLURM bounds the memory
            scheduler_options={"dashboard_address": "127.0.0.1:0"},
            python=sys.executable,
        ) as cluster,
    ):
        cluster.scale(jobs=chosen.workers)
        cluster.wait_for_workers(1)
        return subprocess.call([*command, "--scheduler", cluster.scheduler_address])  # noqa: S603


if __name__ == "__main__":
    dask.config.update(dask.config.config, yaml.safe_load(SETTINGS.read_text("utf-8")))
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    sys.exit(main(sys.argv[1:at], sys.argv[at + 1 :]))
