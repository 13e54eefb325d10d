"""Tables over all datasets: saliency measures, and the speed and memory of methods."""

from collections.abc import Sequence

from vosbench.dataset.protocol import SALIENCY
from vosbench.errors import DataError
from vosbench.metrics.measures import OVERVIEW, Better, measure_of
from vosbench.records.naming import labels
from vosbench.records.record import Record, Speed, signature
from vosbench.report.leaderboard import comparable
from vosbench.report.table import Cell, Number, Table

_SPEED = {
    "fps": ("frames/s", 2),
    "latency": ("latency, ms", 1),
    "peak_memory": ("peak memory, MiB", 0),
    "parameters": ("parameters, M", 2),
    "gmacs": ("GMAC", 1),
}
"""The columns of the speed table: name → heading with unit, and decimals."""


def saliency_table(records: Sequence[Record], protocol: str | None = None) -> tuple[Table, list[str]]:
    """MAE, max-F, S and E of every method on every dataset, under one saliency protocol.

    Args:
        records: any records; those of the protocol are used.
        protocol: its name; if None, the first of `vosbench.dataset.protocol.SALIENCY` that has records.

    Returns:
        the table, and for each record of the protocol that is left out a line that says why.

    Raises:
        DataError: if the protocol has no records, or those of one dataset are not comparable.
    """
    known = [saliency.name for saliency in SALIENCY] if protocol is None else [protocol]
    name = next((name for name in known if any(_protocol(record) == name for record in records)), None)
    if name is None:
        raise DataError(f"no records under {' or '.join(known)}; make one with --protocol {known[0]}")
    chosen = [record for record in records if _protocol(record) == name]
    by_dataset: dict[str, list[Record]] = {}
    notes, left_out = [], []
    for place in dict.fromkeys(f"{record.dataset} {record.split}" for record in chosen):
        of_place = [record for record in chosen if f"{record.dataset} {record.split}" == place]
        left_out += [
            f'"{r.name}" ({place}) is left out: {", ".join(r.shortcomings)}' for r in of_place if r.shortcomings
        ]
        if all(record.shortcomings for record in of_place):
            continue
        fit, _ = comparable(of_place)
        by_dataset[place] = fit
        notes.append(f"{place}, {signature(fit[0])}")
        if len({record.provenance.annotations for record in fit}) > 1:
            notes.append(f"{place}: records are of different annotations, whose hashes they have")
    if not by_dataset:
        raise DataError(f"no record under {name} fits a table ({'; '.join(left_out)})")
    columns = [
        (place, key)
        for place, fit in by_dataset.items()
        for key in OVERVIEW
        if any(record.scores.get(key) is not None for record in fit)
    ]
    called = {place: dict(zip(labels(fit), fit, strict=True)) for place, fit in by_dataset.items()}
    methods = sorted({label for runs in called.values() for label in runs})
    scores = {(place, label): run.scores for place, runs in called.items() for label, run in runs.items()}
    rows: list[tuple[Cell, ...]] = [
        (method, *(scores.get((place, method), {}).get(key) for place, key in columns)) for method in methods
    ]
    headings = (f"{place.partition(' ')[0]} {measure_of(key).heading}" for place, key in columns)
    directions: list[Better] = ["", *(measure_of(key).better for _, key in columns)]
    table = Table(
        columns=("method", *headings),
        rows=rows,
        notes=tuple(notes),
        better=tuple(directions),
        keys=("", *(key for _, key in columns)),
        over=("", *(place.partition(" ")[0] for place, _ in columns)),
    )
    return table, left_out


def speed_table(records: Sequence[Record]) -> Table:
    """Frames per second, latency, memory, parameters and multiply-accumulates of every record that has them.

    Numbers compete only within one device and frame size; across these they say nothing about a method.

    Raises:
        DataError: if no record has any.
    """
    timed = [(record, record.speed) for record in records if record.speed is not None]
    if not timed:
        raise DataError("no record has a measured speed; measure it with: vosbench run --profile")
    timed.sort(key=lambda pair: (pair[1].device_name, pair[1].size, -pair[1].fps, pair[0].method))
    rows: list[tuple[Cell, ...]] = []
    for record, speed in timed:
        parameters = None if speed.parameters is None else speed.parameters / 1e6
        values = (speed.fps, 1e3 * speed.latency, speed.peak_memory / 2**20, parameters, speed.gmacs)
        cells = [
            None if value is None else Number(value, digits)
            for value, (_, digits) in zip(values, _SPEED.values(), strict=True)
        ]
        device = speed.device_name + (f", {speed.threads} threads" if record.provenance.device == "cpu" else "")
        precision = record.provenance.precision or ""
        rows.append((record.method, record.dataset, speed.size, device, precision, *cells))
    return Table(
        columns=("method", "dataset", "frames", "device", "precision", *(heading for heading, _ in _SPEED.values())),
        rows=rows,
        notes=(
            "frames per second from files to maps on disk; median latency; GMAC: 10⁹ multiply-accumulates per frame",
            *dict.fromkeys(f"{record.place}, {signature(record)}" for record, _ in timed),
        ),
        better=("", "", "", "", "", *(measure_of(name).better for name in _SPEED)),
        keys=("", "", "", "", "", *_SPEED),
        labels=5,
        groups=tuple(f"{speed.device_name} {speed.size}" for _, speed in timed),
    )


def _protocol(record: Record) -> str:
    return record.protocol.partition("@")[0]


def stages_table(speed: Speed) -> Table:
    """The table of one method's speed; stages are timed without overlap."""
    total = sum(speed.stages.values())
    rows: list[tuple[Cell, ...]] = [
        ("speed, as in a run", speed.fps, "frames/s"),
        ("median per frame, as in a run", 1000 * speed.latency, "ms"),
        *((stage, 1000 * seconds, "ms") for stage, seconds in speed.stages.items()),
        ("all stages, without overlap", 1000 * total, "ms"),
        ("peak memory", speed.peak_memory / 2**20, "MiB"),
        ("parameters", speed.parameters / 1e6 if speed.parameters is not None else None, "10⁶"),
        ("multiply-accumulates per frame", speed.gmacs, "10⁹"),
    ]
    once = "; work done once per video is not counted" if speed.warmup else ""
    notes = (
        f"mean of {speed.frames} frames of {speed.size} after {speed.warmup} of warm-up{once}",
        f"on {speed.device_name}, {speed.threads} threads on the processor",
    )
    return Table(columns=("what", "value", "unit"), rows=rows, notes=notes, digits=2)
