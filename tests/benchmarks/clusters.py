"""Two local workers of a Dask cluster against one, by turns, as a section of `results/benchmarks.md`.

``python tests/benchmarks/clusters.py --write`` scores J, F and T of real masks in several sizes and lengths, and runs a
small network on a CPU. Both clusters stay up, and each has done the same work once before it is timed. A busy machine
shifts wall times, so processor times are given, too: what two workers need more of it, they cannot gain.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import series

import vosbench
from vosbench.engine.cluster import Dask

VIDEOS = ("blackswan", "bmx-trees", "breakdance", "camel", "cows", "dance-twirl", "dog", "drift-chicane")
SIZES = {"480p": (854, 480), "1080p": (1920, 1080)}
LENGTHS = (20, 80)
FRAMES = 6
"""Of each of the ten videos that the network runs on."""
GOALS = {"scoring J, F and T": 0.85, "f2net.lite on a CPU": 0.8}


@dataclass(frozen=True, slots=True)
class Case:
    """What is timed.

    Attributes:
        what: a key of `GOALS`.
        size: of a frame.
        frames: in each video.
        videos: number of videos.
        work: does it with an engine.
    """

    what: str
    size: str
    frames: int
    videos: int
    work: Callable[[Dask], object]


def masks(davis: Path, results: Path, folder: Path) -> list[Case]:
    """Annotations and masks of a method, in all sizes."""
    shutil.unpack_archive(results, folder / "results")
    cases = []
    for name, size in SIZES.items():
        for length in LENGTHS:
            places = {side: folder / f"{side}-{name}-{length}" for side in ("gt", "masks")}
            for video in VIDEOS:
                annotations = sorted((davis / "Annotations" / "480p" / video).glob("*.png"))[:length]
                found = {path.stem: path for path in (folder / "results").rglob(f"{video}/*.png")}
                for path in annotations:
                    for side, source in (("gt", path), ("masks", found.get(path.stem, path))):
                        place = places[side] / video / path.name
                        place.parent.mkdir(parents=True, exist_ok=True)
                        grey = cv2.imread(str(source), cv2.IMREAD_GRAYSCALE)
                        mask = cv2.resize(255 * (grey > 0).astype("uint8"), size, interpolation=cv2.INTER_NEAREST)
                        cv2.imwrite(str(place), mask)

            def work(engine: Dask, gt: Path = places["gt"], made: Path = places["masks"]) -> object:
                return vosbench.score(made, gt, measures="J,F,T", engine=engine).record.scores

            cases.append(Case("scoring J, F and T", name, length, len(VIDEOS), work))
    return cases


def network(engine: Dask) -> object:
    """Run a network."""
    return vosbench.run("f2net.lite", "sample", limit=FRAMES, engine=engine).record.scores


def timed(case: Case, engine: Dask) -> tuple[float, float, object]:
    """Wall and processor seconds, those of the workers and of this process, and the result."""

    def busy() -> float:
        return sum(engine.client.run(time.process_time).values()) + time.process_time()

    before, started = busy(), time.perf_counter()
    scores = case.work(engine)
    wall = time.perf_counter() - started
    return wall, busy() - before, scores


def measure(case: Case, one: Dask, two: Dask, rounds: int) -> list[float | str]:
    """A row: the gain is the median of the rounds' ratios."""
    case.work(one), case.work(two)
    pairs = []
    for turn in range(rounds):
        order = (one, two) if turn % 2 else (two, one)
        found = {id(engine): timed(case, engine) for engine in order}
        pairs.append((found[id(one)], found[id(two)]))
        if pairs[-1][0][2] != pairs[-1][1][2]:
            raise SystemExit(f"{case}: the scores differ")
    gain = statistics.median(first[0] / second[0] for first, second in pairs)
    bound = statistics.median(first[1] / second[1] for first, second in pairs)
    middle = [statistics.median(pair[side][0] for pair in pairs) for side in (0, 1)]
    frames = case.frames * case.videos
    row = [case.what, case.size, f"{case.videos} × {case.frames}", frames / middle[0], frames / middle[1]]
    goal = GOALS[case.what]
    met = "yes" if gain / 2 >= goal else "no"
    return [*row, gain, f"{gain / 2:.0%}", f"≥ {goal:.0%}: {met}", f"{bound:.0%}"]


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="replace the section")
    args = parser.parse_args()
    data = Path(os.environ["VOSBENCH_TEST_DATA"])
    with tempfile.TemporaryDirectory() as place:
        os.environ["VOSBENCH_CACHE"] = place
        cases = masks(data / "DAVIS", data / "davis16_results" / "ags.zip", Path(place))
        cases.append(Case("f2net.lite on a CPU", "480p", FRAMES, 10, network))
        with Dask(1) as one, Dask(2) as two:
            rows = []
            for case in cases:
                rows.append(measure(case, one, two, args.rounds))
                sys.stdout.write(" | ".join(map(str, rows[-1])) + "\n")
                sys.stdout.flush()
    columns = {
        "what": "",
        "size": "",
        "videos × frames": "",
        "one worker": "frames per second",
        "two workers": "frames per second",
        "gain": "×",
        "of twice the speed": "",
        "target": "",
        "processor time, one against two": "",
    }
    section = series.figures(
        "Two local workers against one",
        "tests/benchmarks/clusters.py",
        columns,
        rows,
        f"{args.rounds} rounds by turns, both clusters up, each case done once before; equal scores in all",
        "processor time is that of workers and client: 100 % if two workers need no more of it than one",
    )
    if args.write:
        series.replace("clusters", section)


if __name__ == "__main__":
    main()
