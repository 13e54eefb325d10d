"""The ablations of both papers on real video, with the lite networks, and the control that the papers do not have.

All rows of a seed start from the same trained ``deeplabv3.lite`` and are trained for the same few steps; ``-base``,
which has no head, is the control of equal training. Each row with an anchor is also scored with the first frame of
*another* video as its anchor (`examples/anchors.py`): what it still gains is capacity, and what it loses is time. ::

    python examples/ablations_lite.py --first "dl-{seed}/last.safetensors" --steps 100 --limit 30 --jobs 2 \
        --set frozen=16 --set side=224 --data RealTrain --data RealTrain/stills/ECSSD --data duts=DUTS-TR \
        --hold-out visal_rider,visal_cow,visal_panda,visal_boat,fbms_cars9,fbms_marple8 --hold-out '*0' \
        --on davis16=DAVIS > results/ablations-lite.md

Names of ``--hold-out`` that are not patterns are videos of the first ``--data``, and are scored too. Results that are
already in the folder are reused.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import mean

from ablations import ADNET, F2NET, SAME_WEIGHTS, command, is_clear, printed, spread
from anchors import Material, keep_setup, score

from vosbench.errors import DataError, UsageError
from vosbench.methods.f2net import UNGUIDED
from vosbench.metrics.significance import mean_interval
from vosbench.records.record import read, write
from vosbench.registry import load_method
from vosbench.report.table import Cell, Table, render

FIRST = "deeplabv3.lite"
FAMILIES = {
    "adnet": {name.replace("tiny", "lite"): row for name, row in ADNET.items()},
    "f2net": {name.replace("tiny", "lite"): row for name, row in F2NET.items()},
}
SHARED = {name.replace("tiny", "lite"): other.replace("tiny", "lite") for name, other in SAME_WEIGHTS.items()}
WITHOUT_STAGES = ("refine=off",)
"""Options of what follows the network, which is the same for all rows."""
WITHOUT_ANCHOR = ("base", "intra")

HEAD = """\
# Ablations of both papers on real video, with the lite networks

Written by `examples/ablations_lite.py`. The rows start from a trained `deeplabv3.lite` and are trained for a few more
steps; the papers' networks are larger and trained on DAVIS and other data, so their differences are shown for
orientation only.
"""


@dataclass(frozen=True, slots=True)
class Run:
    """The settings of all rows.

    Attributes:
        first: path of the weights to start from, with ``{seed}``.
        training: arguments of ``vosbench train``.
        materials: heading → what is scored.
        options: of the methods, when they are scored, as name=value.
        out: folder of weights and records.
        device: that trains and runs the networks.
        workers: processes that sample examples for each training.
    """

    first: str
    training: tuple[str, ...]
    materials: Mapping[str, Material]
    options: tuple[str, ...]
    out: Path
    device: str = "cpu"
    workers: int = 0

    def train(self, row: str, seed: int) -> None:
        """Train a row from the single-frame network."""
        start = self.first.format(seed=seed)
        parts = ",".join(f"{part}={start}" for part in ("encoder", "context", "decoder"))
        folder = self.out / f"{row}-{seed}"
        place = ("--device", self.device, "--workers", self.workers, "--half")
        command("train", row, "--weights", parts, "--seed", seed, *self.training, *place, "--out", folder)

    def weights(self, row: str, seed: int) -> Path:
        """The weights of a row: its own, those of the row that it shares them with, or those that all start from."""
        if row == FIRST:
            return Path(self.first.format(seed=seed))
        return self.out / f"{SHARED.get(row, row)}-{seed}" / "last.safetensors"

    def record(self, row: str, seed: int, on: str, anchor: str = "none") -> Path:
        """Where a result is kept; without a state, a video's own first frame in front changes no map."""
        method, variant = load_method(row)
        anchor = "none" if anchor == "own" and (method.name != "f2net" or variant in UNGUIDED) else anchor
        return self.out / f"records-{seed}" / Path(on).name / f"{row}-{anchor}.json"

    def do(self, row: str, seed: int) -> None:
        """Train a row, unless it is trained, and score it, and those that share its weights, unless they are scored."""
        sharing = [row, *(other for other, trained in SHARED.items() if trained == row)]
        wanted = [
            (name, on, anchor)
            for name in sharing
            for on in self.materials
            for anchor in (("none", "own", "foreign") if is_anchored(name) else ("none",))
            if not self.record(name, seed, on, anchor).is_file()
        ]
        if wanted and row != FIRST:
            self.train(row, seed)
        for name, on, anchor in wanted:
            if not self.record(name, seed, on, anchor).is_file():  # two may be the same
                self._score(name, seed, on, anchor)

    def _score(self, row: str, seed: int, on: str, anchor: str) -> None:
        path = self.record(row, seed, on, anchor)
        anchor = path.stem.rpartition("-")[2]
        options = dict(option.split("=", 1) for option in self.options)
        found = score(row, self.materials[on], self.weights(row, seed), options, anchor, shift=seed, device=self.device)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, found, [])

    def by_video(self, row: str, seeds: Sequence[int], on: str, anchor: str = "none") -> dict[str, list[float]]:
        """Video → J of each seed."""
        found: dict[str, list[float]] = {}
        for seed in seeds:
            for video, scores in read(self.record(row, seed, on, anchor)).videos.items():
                value = scores["J_mean"]
                assert value is not None
                found.setdefault(video, []).append(value)
        return found


def is_anchored(row: str) -> bool:
    """Whether a row looks at the first frame."""
    return row != FIRST and not row.endswith(WITHOUT_ANCHOR)


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference of J.

    Attributes:
        seeds: the mean difference of each seed.
        low: lower end of the 95 % bootstrap interval over videos, whose differences are means over seeds; None for
            fewer than three videos.
        high: its upper end.
    """

    seeds: list[float]
    low: float | None
    high: float | None

    @classmethod
    def of(cls, first: Mapping[str, Sequence[float]], second: Mapping[str, Sequence[float]]) -> "Difference":
        """The first minus the second, both as of `Run.by_video`."""
        assert first.keys() == second.keys()
        videos = [[a - b for a, b in zip(first[name], second[name], strict=True)] for name in sorted(first)]
        interval = mean_interval([mean(each) for each in videos])
        return cls([mean(each) for each in zip(*videos, strict=True)], interval.low, interval.high)

    @property
    def interval(self) -> str | None:
        """In brackets, if there is one."""
        return None if self.low is None else f"[{self.low:+.3f}, {self.high:+.3f}]"

    def __str__(self) -> str:
        """Mean and interval."""
        return f"{mean(self.seeds):+.3f} {self.interval or '(too few videos for an interval)'}"

    @property
    def sign(self) -> int:
        """1 or −1 if the interval is above or below 0, else 0."""
        if self.low is None or self.high is None:
            return 0
        return (self.low > 0) - (self.high < 0)


def table(run: Run, family: str, seeds: Sequence[int], on: str, rows: Sequence[str]) -> tuple[Table, list[str]]:
    """The rows of a method on one material, and what they say about time and capacity."""
    names = FAMILIES[family]
    control = f"{family}.lite-base"
    published = printed(family)
    base = run.by_video(control, seeds, on)
    lines: list[tuple[Cell, ...]] = []
    sentences = []

    def line(label: str, values: Mapping[str, Sequence[float]], paper: Cell, time: Difference | None) -> None:
        means = [mean(each) for each in zip(*values.values(), strict=True)]
        gain = Difference.of(values, base)
        timing: tuple[Cell, ...] = (spread(time.seeds, "+"), time.interval) if time else (None, None)
        lines.append((label, spread(means), spread(gain.seeds, "+"), gain.interval, paper, *timing))

    line(f"{FIRST}, the start", run.by_video(FIRST, seeds, on), None, None)
    for row in rows:
        there, first = published.get((names[row], "J_mean")), published[names[control], "J_mean"]
        paper = f"{there - first:+.4f}" if there is not None else None
        line(row, run.by_video(row, seeds, on), paper, None)
        if is_anchored(row):
            own, foreign = (run.by_video(row, seeds, on, anchor) for anchor in ("own", "foreign"))
            time = Difference.of(own, foreign)
            line(f"{row}, own first frame in front", own, None, time)
            line(f"{row}, anchor of another video", foreign, None, None)
            sentences.append(sentence(row, Difference.of(own, base), time, Difference.of(foreign, base)))
    columns = ("row", "J", "J − control", "95 %", "J, in the paper", "own − foreign", "95 % of it")
    clear = [row for row in rows if is_clear(Difference.of(run.by_video(row, seeds, on), base).seeds)]
    notes = (
        read(run.record(control, seeds[0], on)).signature,
        f"the control is {control}: the same network without a head, trained as long as the others",
        f"mean ± standard deviation over seeds {', '.join(map(str, seeds))}",
        f"95 %: paired bootstrap over {len(base)} videos, of the means over seeds",
        f"different from the control by the 95 % interval over seeds (Student's t): {', '.join(clear) or 'none'}",
        *(["a frame in front is also the first one in which the centre is sought"] if family == "f2net" else []),
        "in the paper: J minus that of its baseline, full-size networks on DAVIS-2016",
        f"trained and run on {run.device}, with {', '.join(run.options)}",
    )
    return Table(columns=columns, rows=lines, notes=notes), sentences


def sentence(row: str, gain: Difference, time: Difference, capacity: Difference) -> str:
    """What of a gain is time, and what capacity."""
    verdict = {
        1: "its own first frame helps",
        -1: "its own first frame harms",
        0: "no effect of time is shown",
    }[time.sign]
    held = {1: "capacity helps", -1: "the head harms", 0: "no effect of capacity is shown"}[capacity.sign]
    return (
        f"{row} differs from the control by {gain}: {time} is time, since it goes with the anchor of another video "
        f"({verdict}), and {capacity} is capacity, since it stays ({held})."
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", required=True, help=f"weights of {FIRST} to start from; {{seed}} is the seed")
    parser.add_argument("--data", action="append", required=True, help="training data, as of vosbench train")
    parser.add_argument("--hold-out", action="append", default=[], help="what not to train on; the videos are scored")
    parser.add_argument("--on", action="append", default=[], help="also score on this dataset, NAME or NAME=FOLDER")
    parser.add_argument("--videos", default="", help="only these videos of --on, separated by commas")
    parser.add_argument("--limit", type=int, help="score the first frames of each video only")
    parser.add_argument("--steps", type=int, default=100, help="training steps of each row")
    parser.add_argument("--set", action="append", default=[], help="a hyper-parameter of all rows, as name=value")
    parser.add_argument("--run-set", action="append", default=[], help="an option of all methods when they are scored")
    parser.add_argument("--rows", nargs="+", choices=[*FAMILIES["adnet"], *FAMILIES["f2net"]], help="some of the rows")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="rows in parallel, a thread each")
    parser.add_argument(
        "--device", default="cpu", help="that trains and runs the networks; the rows in parallel share it"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes that sample examples for each training")
    parser.add_argument("--out", type=Path, default=Path("ablations-lite"))
    return parser.parse_args()


def plan(args: argparse.Namespace) -> Run:
    """What the command line asks for."""
    names = [name for each in args.hold_out for name in each.split(",")]
    held = tuple(name for name in names if not set("*?[") & set(name))
    videos = tuple(name for name in args.videos.split(",") if name)
    materials = {text.partition("=")[0]: Material.parse(text, videos, args.limit) for text in args.on}
    if held:
        folder = args.data[0]
        materials[f"{Path(folder).name}, held out"] = Material(dataset=folder, videos=held, limit=args.limit)
    if not materials:
        raise UsageError("there is nothing to score on; pass --on or --hold-out")
    words = [f"steps={args.steps}", f"horizon={args.steps}", *args.set]
    training = [word for each in words for word in ("--set", each)]
    training += [word for each in args.data for word in ("--data", each)]
    training += [word for each in args.hold_out for word in ("--hold-out", each)]
    options = (*WITHOUT_STAGES, *args.run_set)
    return Run(args.first, tuple(training), materials, options, args.out, args.device, args.workers)


def main() -> None:
    """Train, score and print."""
    args = arguments()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        run = plan(args)
        apart = {"rows", "seeds", "jobs", "workers", "out"}
        keep_setup(args.out, {key: value for key, value in vars(args).items() if key not in apart})
    except UsageError as error:
        sys.exit(str(error))
    asked = args.rows or [row for family in FAMILIES.values() for row in family]
    chosen = {family: [row for row in rows if row in asked] for family, rows in FAMILIES.items()}
    chosen = {family: rows for family, rows in chosen.items() if rows}
    chosen = {family: list(dict.fromkeys([f"{family}.lite-base", *rows])) for family, rows in chosen.items()}
    trained = dict.fromkeys(SHARED.get(row, row) for rows in chosen.values() for row in rows)
    jobs = [(row, seed) for seed in args.seeds for row in (FIRST, *trained)]
    with ProcessPoolExecutor(args.jobs, get_context("spawn")) as pool:
        try:
            list(pool.map(run.do, *zip(*jobs, strict=True)))
        except (UsageError, DataError, subprocess.CalledProcessError) as error:
            pool.shutdown(cancel_futures=True)
            sys.exit(str(error))
    sys.stdout.write(HEAD)
    for on in run.materials:
        for family, rows in chosen.items():
            found, sentences = table(run, family, args.seeds, on, rows)
            sys.stdout.write(f"\n## {family} on {on}\n\n" + render(found, "md"))
            sys.stdout.write("".join(f"\n{each}\n" for each in sentences))


if __name__ == "__main__":
    main()
