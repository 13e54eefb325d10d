"""Run a vosbench command on machines that are reached by SSH, until it ends.

    python examples/clusters/ssh.py node1 node1 node2 -- vosbench run --method f2net.lite --dataset davis16 --root DAVIS

The first machine has the scheduler; each name after it has a worker, so a name may stand there several times. Keys,
users and ports are those of ``~/.ssh/config``. All machines see the same folders under the same paths, and have the
same Python environment. The scheduler and the workers are open to their network, and whoever reaches them runs code:
use this where all users are trusted, or with TLS (docs/scaling.md). Needs ``pip install asyncssh``.
"""

import subprocess
import sys
from pathlib import Path

import dask
import yaml
from distributed import SSHCluster

SETTINGS = Path(__file__).with_name("dask.yaml")


def main(hosts: list[str], command: list[str]) -> int:
    """Start a cluster, run the command on it, and return its exit code."""
    with (
        SSHCluster(
            hosts,
            worker_options={"nthreads": 1, "memory_limit": 0},
            scheduler_options={"port": 0, "dashboard_address": "127.0.0.1:0"},
            remote_python=sys.executable,
        ) as cluster,
    ):
        return subprocess.call([*command, "--scheduler", cluster.scheduler_address])  # noqa: S603


if __name__ == "__main__":
    dask.config.update(dask.config.config, yaml.safe_load(SETTINGS.read_text("utf-8")))  # goes to the others, too
    at = sys.argv.index("--") if "--" in sys.argv else 0
    if at < 3:
        sys.exit(f"usage: {sys.argv[0]} SCHEDULER WORKER... -- COMMAND...")
    sys.exit(main(sys.argv[1:at], sys.argv[at + 1 :]))
