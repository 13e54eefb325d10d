"""Accuracy and speed of a lite method by the size of its input and its test-time options, as one table.

``python examples/resolutions.py f2net.lite --weights W0 W1 W2 --dataset davis16 --root DAVIS > results/resolutions.md``
runs every size alone, and the usual one without refinement, with mirrored frames, several scales and both; ``--motion``
adds each with ``motion=on``. Frames a second are those of one core: of the CPU time from reading frames to writing
maps, all threads together, so that other work on the machine changes little. Results that are already in the folder are
reused.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean

from ablations import spread
from anchors import Material, evaluate, keep_setup

import vosbench
from vosbench.method import FloatMap
from vosbench.records.record import read, write
from vosbench.report.table import Table, render

MEASURES = ("J", "F", "T")
OPTIONS = ("side", "refine", "flip", "scales", "motion")
CHANGES = ({"refine": "off"}, {"flip": "yes"}, {"scales": "0.75,1,1.25"}, {"flip": "yes", "scales": "0.75,1,1.25"})


class Timed:
    """A predictor that counts its frames and the CPU time of the process while it is used."""

    def __init__(self, predictor: vosbench.Predictor) -> None:
        self._predictor = predictor
        self.frames = 0
        self.seconds = 0.0

    def predict(self, video: vosbench.Video) -> Iterator[FloatMap]:
        """The predictor's maps."""
        start = time.process_time()
        for values in self._predictor.predict(video):
            self.frames += 1
            yield values
        self.seconds += time.process_time() - start


def settings(sides: Sequence[str], usual: str, *, motion: bool) -> list[dict[str, str]]:
    """The options of each row."""
    rows = [*({"side": side} for side in sides), *({"side": usual, **more} for more in CHANGES)]
    return [*rows, *({**row, "motion": "on"} for row in rows if motion)]


def measure(name: str, weights: Path, options: Mapping[str, str], material: Material, out: Path) -> tuple[Path, Path]:
    """Score one row, unless it is scored: its record, and its frames and CPU seconds."""
    label = ",".join(f"{key}={value}" for key, value in options.items())
    record = out / weights.parent.name / f"{weights.stem},{label}.json"
    speed = record.with_suffix(".speed")
    if not record.is_file():
        timed: list[Timed] = []

        def wrap(predictor: vosbench.Predictor) -> Timed:
            timed.append(Timed(predictor))
            return timed[-1]

        found = evaluate(name, material, weights, options, wrap, MEASURES)
        record.parent.mkdir(parents=True, exist_ok=True)
        speed.write_text(json.dumps([timed[0].frames, timed[0].seconds]), "utf-8")
        write(record, found, [])
    return record, speed


def row(options: Mapping[str, str], results: Sequence[tuple[Path, Path]]) -> tuple[str | None, ...]:
    """The line of a setting: means over weights."""
    records = [read(record) for record, _ in results]
    values = [[record.scores[f"{key}_mean"] for record in records] for key in MEASURES]
    rates = [frames / seconds for frames, seconds in (json.loads(speed.read_text("utf-8")) for _, speed in results)]
    cells = [spread([x for x in each if x is not None]) if None not in each else None for each in values]
    return (*(options.get(key, "") for key in OPTIONS), *cells, f"{mean(rates):.1f}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method")
    parser.add_argument("--weights", type=Path, nargs="+", required=True, help="one file, or one for each seed")
    parser.add_argument("--dataset", default="davis16")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--videos", default="", help="some of the dataset's videos, separated by commas")
    parser.add_argument("--limit", type=int, help="the first frames of each video")
    parser.add_argument("--sides", nargs="+", default=["224", "320", "384", "480"])
    parser.add_argument("--usual", default="320", help="the side of the rows with several views")
    parser.add_argument("--motion", action="store_true", help="every row also with motion=on")
    parser.add_argument("--out", type=Path, default=Path("resolutions"))
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    videos = tuple(name for name in args.videos.split(",") if name)
    material = Material(dataset=args.dataset, root=args.root, videos=videos, limit=args.limit)
    try:
        keep_setup(args.out / args.method, {"weights": args.weights, "material": material})
    except vosbench.UsageError as error:
        sys.exit(str(error))
    lines, results = [], []
    for options in settings(args.sides, args.usual, motion=args.motion):
        results = [measure(args.method, weights, options, material, args.out / args.method) for weights in args.weights]
        lines.append(row(options, results))
    record = read(results[0][0])
    notes = (
        record.signature,
        f"weights: {record.provenance.training or 'of unknown training'}; {len(args.weights)} of them",
        "frames a second of CPU time on one core, from reading frames to writing maps",
    )
    columns = (*OPTIONS, "J", "F", "T", "frames a second")
    table = Table(columns=columns, rows=lines, notes=notes)
    head = f"# {args.method} by size and test-time options\n\nWritten by `examples/resolutions.py`.\n\n"
    sys.stdout.write(head + render(table, "md"))


if __name__ == "__main__":
    main()
