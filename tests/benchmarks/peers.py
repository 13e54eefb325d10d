"""Benchmark vosbench against its peers, alternating in one run, and write the tables to ``results/benchmarks.md``.

``python tests/benchmarks/peers.py [TOPIC …] [--venv FOLDER] [--data FOLDER] [--rounds N] [--print]``

Each topic is a module ``peer_<topic>`` next to this one, whose ``rows(peer, data, rounds)`` yields the lines of its
table. The peers have their own environment, which the first run creates. The data folder is that of
VOSBENCH_TEST_DATA. Times are processor seconds on one core unless stated otherwise; ratios are medians over rounds.
Each topic's section is between two marks, and a run replaces only the sections of its topics.
"""

import argparse
import datetime as dt
import importlib
import importlib.metadata
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable
from pathlib import Path

from turns import Row

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
TOPICS = {
    "masks": "J and F of masks",
    "methods": "Time and memory of methods",
    "saliency": "Saliency measures of soft maps",
    "stability": "Temporal stability",
}
PEERS = {
    "numpy": "2.3.4",
    "opencv-python": "5.0.0.93",
    "pillow": "13.0.0",
    "pysodmetrics": "1.6.2",
    "scikit-image": "0.25.2",
    "scikit-learn": "1.9.1",
    "scipy": "1.17.1",
    "vos-benchmark": "0.1.0",
}
OURS = ("numba", "numpy", "opencv-python", "pillow", "zlib-ng")
Rows = Callable[[Path, Path, int], Iterable[Row]]


def peer_environment(folder: Path) -> Path:
    """Create the environment of the peers unless it exists, and return its interpreter."""
    python = folder / "bin" / "python"
    wanted = "\n".join(f"{name}=={version}" for name, version in PEERS.items())
    stamp = folder / "peers.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        # pysodmetrics requires headless OpenCV, vos-benchmark the other, and both write cv2/: install only one
        plain = [f"{name}=={version}" for name, version in PEERS.items() if name != "pysodmetrics"]
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *plain], check=True)
        subprocess.run([*pip, "--no-deps", f"pysodmetrics=={PEERS['pysodmetrics']}"], check=True)
        stamp.write_text(wanted)
    return python


def machine() -> str:
    """The processor and its number of cores."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    found = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    model = f"{found['model name']} (family {found['cpu family']})" if "cpu family" in found else platform.machine()
    return f"{model}, {os.cpu_count()} cores"


def section(title: str, rows: list[Row], rounds: int) -> str:
    """A topic's table, with the machine, date and versions."""
    ours = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("vosbench", *OURS))
    peers = ", ".join(f"{name} {version}" for name, version in PEERS.items())
    where = f"{machine()}, load average {os.getloadavg()[1]:.1f} over 5 minutes, including this run"
    when = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}; {rounds} alternating rounds after one warm-up round"
    lines = [
        f"## {title}",
        "",
        "| task | vosbench | peer | measured | target | met | scores |",
        "|---|---|---|---|---|---|---|",
        *(f"| {' | '.join([*row[:5], 'yes' if row.met else 'no', row.scores])} |" for row in rows),
        "",
        f"{where}; {when}.",
        f"Python {platform.python_version()}, {ours}. Peers: {peers}.",
    ]
    return "\n".join(lines) + "\n"


def write_section(path: Path, topic: str, text: str, script: str = "peers.py") -> None:
    """Replace a topic's section, or append it."""
    first, last = f"<!-- {topic}: written by tests/benchmarks/{script} -->\n", f"<!-- end of {topic} -->\n"
    there = path.read_text("utf-8") if path.exists() else "# Benchmarks against peers\n"
    if first in there:
        before, _, rest = there.partition(first)
        after = rest.partition(last)[2]
    else:
        before, after = f"{there}\n", ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before}{first}{text}{last}{after}", "utf-8")


def main() -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    data = Path(os.environ.get("VOSBENCH_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topics", nargs="*", default=list(TOPICS), metavar="TOPIC", help=", ".join(TOPICS))
    parser.add_argument("--venv", type=Path, default=cache / "vosbench-peers", help="the peers' environment")
    parser.add_argument("--data", type=Path, default=data, help="real masks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=REPOSITORY / "results" / "benchmarks.md")
    parser.add_argument("--print", action="store_true", help="do not write the results")
    args = parser.parse_args()
    peer = peer_environment(args.venv)
    for topic in args.topics:
        rows: Rows = importlib.import_module(f"peer_{topic}").rows
        text = section(TOPICS[topic], list(rows(peer, args.data, args.rounds)), args.rounds)
        sys.stdout.write(text)
        if not args.print:
            write_section(args.results, topic, text)


if __name__ == "__main__":
    main()
