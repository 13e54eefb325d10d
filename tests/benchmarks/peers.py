"""Benchmark vosbench against its peers, by turns in one run, and write the numbers to ``results/benchmarks.json``.

``python tests/benchmarks/peers.py [TOPIC …] [--environments FOLDER] [--davis2017 FOLDER] [--data FOLDER] [--rounds N]``

Each topic is a module ``peer_<topic>`` next to this one, whose ``PEERS`` are the peers that it needs and whose
``rows(peers, data, rounds)`` yields the rows of its table. Each peer has an environment of its own, which the first run
creates; what cannot be installed is named with the reason. The data folder is that of VOSBENCH_TEST_DATA. Times are
processor seconds on one core unless stated otherwise; ratios are medians over rounds. A run replaces only the sections
of its topics, and writes the page from all of them.
"""

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

import series
from environments import Environment, environments
from measured import Tasks
from page import line

TOPICS = {
    "masks": "J and F of masks",
    "submissions": "Submissions to DAVIS-2016",
    "methods": "Time and memory of methods",
    "saliency": "Saliency measures of soft maps",
    "stability": "Temporal stability",
}


def section(topic: str, peers: dict[str, Environment], data: Path, rounds: int) -> Tasks:
    """Measure a topic."""
    module = importlib.import_module(f"peer_{topic}")
    needed = {name: peers[name] for name in module.PEERS}
    rows = []
    for row in module.rows(needed, data, rounds):
        sys.stdout.write(f"{line(row)}\n")
        sys.stdout.flush()
        rows.append(row)
    return Tasks(
        kind="tasks",
        title=TOPICS[topic],
        script="tests/benchmarks/peers.py",
        date=series.today(),
        machine=series.machine(),
        rounds=min(rounds, getattr(module, "MOST_ROUNDS", rounds)),
        python=platform.python_version(),
        versions=series.versions(),
        peers={name: packages(peer) for name, peer in needed.items() if not peer.missing},
        missing={name: peer.missing for name, peer in needed.items() if peer.missing},
        notes=list(getattr(module, "NOTES", [])),
        rows=rows,
    )


def packages(peer: Environment) -> str:
    """The versions of a peer's packages."""
    return ", ".join(f"{name} {version}" for name, version in peer.versions.items())


def main() -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    data = Path(os.environ.get("VOSBENCH_TEST_DATA", series.REPOSITORY.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topics", nargs="*", default=list(TOPICS), metavar="TOPIC", help=", ".join(TOPICS))
    parser.add_argument("--environments", type=Path, default=cache / "vosbench-peers", help="where those of peers are")
    parser.add_argument("--davis2017", type=Path, help="a checkout of davis2017-evaluation, if it cannot be installed")
    parser.add_argument("--data", type=Path, default=data, help="real masks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=series.DATA)
    args = parser.parse_args()
    for topic in args.topics:
        needed = importlib.import_module(f"peer_{topic}").PEERS
        peers = environments(needed, args.environments, args.davis2017 and args.davis2017.resolve())
        series.replace(topic, section(topic, peers, args.data, args.rounds), args.results)


if __name__ == "__main__":
    main()
