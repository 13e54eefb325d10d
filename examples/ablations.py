"""The ablations of both papers, trained and scored on `sample` with the small networks, over several seeds.

``python examples/ablations.py --seeds 0 1 2 --out ablations`` prints the tables and reuses results that are already in
the folder. It trains and runs with the command line. As the papers' networks start from ImageNet, all rows of a method
and seed start from one ResNet: here, that of a baseline trained on the same videos.
Redirect the output with ``> results/ablations.md``.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from scipy.stats import ttest_1samp

from vosbench.records.published import published
from vosbench.records.record import read
from vosbench.report.table import Cell, Table, render

ADNET = {
    "adnet.tiny-base": "AD-Net: baseline",
    "adnet.tiny-intra": "AD-Net: intra-frame",
    "adnet.tiny-concat": "AD-Net: anchor",
    "adnet.tiny-inter": "AD-Net: anchor diffusion",
    "adnet.tiny": "AD-Net, single scale",
}
F2NET = {
    "f2net.tiny-base": "F2Net: baseline",
    "f2net.tiny-ad": "F2Net: AD",
    "f2net.tiny-cgad": "F2Net: CGAD",
    "f2net.tiny-cgad-sa": "F2Net: CGAD and SA",
    "f2net.tiny-cgad-ca": "F2Net: CGAD and CA",
    "f2net.tiny-cgad-sca": "F2Net: CGAD and SCA",
    "f2net.tiny-cgad-csa-max": "F2Net: highest peak",
    "f2net.tiny": "F2Net",
}
SAME_WEIGHTS = {"f2net.tiny-cgad-csa-max": "f2net.tiny"}
"""Rows that differ only in inference."""
TABLES = {"adnet": ("adnet-1",), "f2net": ("f2net-1", "f2net-2")}
FIRST = {"adnet": "deeplabv3.tiny", "f2net": "f2net.tiny-base"}
"""The baseline whose ResNet a method's rows start from."""


HEAD = """\
# Ablations of both papers, with small networks on `sample`

Written by `examples/ablations.py`. Networks with a few hundred thousand weights, trained for minutes on sixteen
synthetic videos, say little about full-size networks on real ones; the papers' differences are shown for orientation.
Only the rows named in a table's note differ significantly from the baseline; nothing is claimed about the others.
"""


class Steps(NamedTuple):
    """Training steps: those of the baseline that rows start from, 0 for random weights, and those of each row."""

    first: int
    own: int


def train_first(method: str, seed: int, steps: Steps, out: Path) -> None:
    """Train the baseline that a method's rows start from, unless it exists."""
    if steps.first:
        _train(FIRST[method], seed, steps.first, _first(method, seed, out))


def train_and_run(variant: str, seed: int, steps: Steps, out: Path) -> None:
    """Make the record of a variant and a seed, unless it exists."""
    trained = SAME_WEIGHTS.get(variant, variant)
    folder = out / f"{trained}-{seed}"
    start = _first(variant.partition(".")[0], seed, out) / "last.safetensors"
    if not _record(variant, seed, out).is_file():
        _train(trained, seed, steps.own, folder, *(("--backbone-weights", start) if steps.first else ()))
        weights = ["--weights", folder / "last.safetensors"]
        command("run", "--method", variant, "--dataset", "sample", *weights, "--out", out / f"records-{seed}")


def table(family: dict[str, str], seeds: Sequence[int], steps: Steps, out: Path) -> Table:
    """Means and standard deviations over seeds; differences from the baseline are computed seed by seed."""
    known = printed(_family(family))
    baseline, *_ = family
    rows: list[tuple[Cell, ...]] = []
    clear: dict[str, list[str]] = {"J": [], "F": []}
    for variant, row in family.items():
        cells: list[Cell] = [variant]
        for key in ("J_mean", "F_mean"):
            values = [_score(variant, seed, key, out) for seed in seeds]
            gains = _gains(variant, baseline, seeds, key, out)
            if is_clear(gains):
                clear[key[0]].append(variant)
            there, first = known.get((row, key)), known[family[baseline], key]
            cells += [spread(values), spread(gains, "+"), f"{there - first:+.4f}" if there is not None else None]
        rows.append(tuple(cells))
    headings = [f"{measure}{part}" for measure in "JF" for part in ("", " − baseline", ", in the paper")]
    start = f"the ResNet of {FIRST[_family(family)]} after {steps.first} steps" if steps.first else "random weights"
    first = read(_record(baseline, seeds[0], out))
    notes = (
        f"{first.signature}, {len(first.videos)} videos of `sample` val; {steps.own} steps on train, from {start}",
        f"mean ± standard deviation over seeds {', '.join(map(str, seeds))}; differences are computed seed by seed",
        "significantly different from the baseline, row by row, by the 95 % interval over seeds (Student's t): "
        + "; ".join(f"{measure}: {', '.join(names) or 'none'}" for measure, names in clear.items()),
        *(_pair(variant, other, seeds, out) for variant, other in SAME_WEIGHTS.items() if variant in family),
        "in the papers: full-size networks on DAVIS-2016",
    )
    return Table(columns=("variant", *headings), rows=rows, notes=notes)


def _pair(variant: str, other: str, seeds: Sequence[int], out: Path) -> str:
    """Two ways of inference with the same weights."""
    return f"{other} − {variant}, with the same weights: J {spread(_gains(other, variant, seeds, 'J_mean', out), '+')}"


def _gains(variant: str, other: str, seeds: Sequence[int], key: str, out: Path) -> list[float]:
    """How much better a variant is than another, seed by seed."""
    return [_score(variant, seed, key, out) - _score(other, seed, key, out) for seed in seeds]


def is_clear(gains: Sequence[float]) -> bool:
    """Whether the 95 % interval of the mean difference (Student's t, over seeds) excludes 0."""
    return len(gains) > 1 and stdev(gains) > 0 and float(ttest_1samp(gains, 0).pvalue) < 0.05


def _first(method: str, seed: int, out: Path) -> Path:
    return out / f"first-{method}-{seed}"


def _family(family: dict[str, str]) -> str:
    return next(iter(family)).partition(".")[0]


def printed(method: str) -> dict[tuple[str, str], float]:
    """Row and measure → the number in the paper's tables."""
    return {(each.method, each.measure): each.raw for name in TABLES[method] for each in published(name)}


def spread(values: Sequence[float], sign: str = "") -> str:
    """Mean and standard deviation."""
    deviation = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{mean(values):{sign}.3f}{deviation}"


def _score(variant: str, seed: int, key: str, out: Path) -> float:
    value = read(_record(variant, seed, out)).scores[key]
    assert value is not None
    return value


def _record(variant: str, seed: int, out: Path) -> Path:
    return out / f"records-{seed}" / "sample" / f"{variant}.json"


def _train(variant: str, seed: int, steps: int, folder: Path, *more: object) -> None:
    plan = ("--set", f"steps={steps}", "--set", f"horizon={steps}")
    command("train", variant, "--data", "sample", "--seed", seed, *plan, "--out", folder, *more)


def command(*arguments: object) -> None:
    """Run a command of vosbench."""
    words = [sys.executable, "-m", "vosbench", *map(str, arguments), "--quiet"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - arguments from this file


def _jobs(families: Sequence[dict[str, str]], seeds: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Whole seeds first; rows that share weights after those that train them."""
    for seed in seeds:
        for family in families:
            yield from ((variant, seed) for variant in family if variant not in SAME_WEIGHTS)


def main() -> None:
    """Train, run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=("adnet", "f2net"), default=["adnet", "f2net"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--first", type=int, default=2000, help="steps of the baseline; 0: start from random weights")
    parser.add_argument("--steps", type=int, default=500, help="steps of each row")
    parser.add_argument("--jobs", type=int, default=1, help="parallel trainings, a thread each; set OMP_NUM_THREADS=1")
    parser.add_argument("--out", type=Path, default=Path("ablations"))
    args = parser.parse_args()
    families = [{"adnet": ADNET, "f2net": F2NET}[name] for name in args.methods]
    steps = Steps(args.first, args.steps)
    with ThreadPoolExecutor(args.jobs) as pool:
        firsts = [(method, seed) for seed in args.seeds for method in args.methods]
        list(pool.map(lambda job: train_first(*job, steps, args.out), firsts))
        list(pool.map(lambda job: train_and_run(*job, steps, args.out), _jobs(families, args.seeds)))
    sys.stdout.write(HEAD)
    for family in families:
        for variant in family.keys() & SAME_WEIGHTS.keys():
            for seed in args.seeds:
                train_and_run(variant, seed, steps, args.out)
        sys.stdout.write(f"\n## {_family(family)}\n\n" + render(table(family, args.seeds, steps, args.out), "md"))


if __name__ == "__main__":
    main()
