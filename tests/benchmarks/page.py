"""The page of benchmarks, written from what was measured."""

from collections.abc import Iterable, Mapping, Sequence

from measured import Amount, Calibrated, Figures, Machine, Networks, Row, Scores, Section, Series, Tasks


def page(series: Series) -> str:
    """The page in Markdown."""
    head = (
        "<!-- Written by tests/benchmarks/series.py from benchmarks.json; do not edit. A test fails if it is out of "
        "date. -->\n# Benchmarks\n\nAll numbers are in [benchmarks.json](benchmarks.json); "
        "`tests/benchmarks/README.md` says how they are measured.\n"
    )
    return "\n".join([head, *map(_written, series.sections.values())])


def _written(section: Section) -> str:
    match section:
        case Tasks():
            return _tasks(section)
        case Networks():
            return _networks(section)
        case Figures():
            return _figures(section)
        case Calibrated():
            return _small(section)


def _tasks(section: Tasks) -> str:
    limited = any(row.limit for row in section.rows)
    columns = ["task", "vosbench", "peer", "measured", "target", "met", "scores"]
    cells = [[*columns, "decode limit"] if limited else columns]
    for row in section.rows:
        theirs = f"{_amount(row.theirs)} ({row.peer})" if row.theirs and row.peer else _amount(row.theirs)
        goal = f"{row.target.bound} {row.target.value:g}{_unit(row.measured)}" if row.target else "–"
        measured = f"not measured: {row.failed}" if row.failed else _amount(row.measured)
        met = ("yes" if row.met else "no") if row.target else "–"
        line = [row.task, _amount(row.ours), theirs, measured, goal, met, _scores(row.scores)]
        cells.append([*line, _limit(row)] if limited else line)
    lines = [
        f"{_where(section.machine)}; {section.date}; {section.rounds} alternating rounds after one warm-up round",
        f"Python {section.python}, {_listed(section.versions)}",
        *(f"{name}: {version}" for name, version in section.peers.items()),
        *(f"not measured: {name}: {reason}" for name, reason in section.missing.items()),
        *section.notes,
    ]
    return _section(section, cells, lines)


def _section(section: Section, cells: Iterable[Sequence[str]], lines: Iterable[str]) -> str:
    notes = "\n".join(f"* {line}" for line in (*lines, f"measured by {section.script}"))
    return f"## {section.title}\n\n{_table(cells)}\n\n{notes}\n"


def line(row: Row) -> str:
    """A row, as it is shown while others are measured."""
    sides = [_amount(row.ours), f"{_amount(row.theirs)} {row.peer}"]
    return " | ".join([row.task, *sides, row.failed or _amount(row.measured), _limit(row)])


def _where(found: Machine) -> str:
    if not found.load:
        return f"{found.processor}, {found.cores} cores"
    load = found.load[len(found.load) // 2]
    return f"{found.processor}, {found.cores} cores, load average {load:.1f} over 5 minutes, including this run"


def _amount(amount: Amount | None) -> str:
    if amount is None:
        return "–"
    return f"{_digits(amount.value)}{_unit(amount)}" + (f" ({amount.note})" if amount.note else "")


def _digits(value: float) -> str:
    """Three digits, or all those of a large number before the point."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _unit(amount: Amount | None) -> str:
    return "" if amount is None or not amount.unit else amount.unit if amount.unit == "×" else f" {amount.unit}"


def _scores(scores: Scores | None) -> str:
    if scores is None:
        return "–"
    apart = "" if scores.apart is None else " equal" if scores.apart == 0 else f" within {scores.apart:.0e}"
    return f"{scores.what}{apart}" + (f", {scores.note}" if scores.note else "")


def _limit(row: Row) -> str:
    if row.limit is None or row.ours is None:
        return "–"
    return f"{_amount(row.limit)}: {_digits(row.ours.value / row.limit.value)}× of it"


def _networks(section: Networks) -> str:
    columns = ["network", "precision", "batch", "compiled", "frames per second", "GPU busy", "of its rate", "memory"]
    cells = [
        [
            row.network,
            row.precision,
            f"{row.batch}",
            "yes" if row.compiled else "no",
            f"{row.rate:.0f}",
            f"{1e3 * row.busy:.1f} ms per frame",
            f"{row.work / row.busy / section.ceiling:.0%}",
            f"{row.memory / 2**20:.0f} MiB",
        ]
        for row in section.rows
    ]
    product = f"a bf16 product of two {section.size}×{section.size} matrices, {section.ceiling / 1e12:.0f} TFLOP/s"
    lines = [
        f"{section.machine}; {section.date}; {section.frames} frames of DAVIS-2016 at 854×480; random weights",
        "frames per second: from reading a frame to its map on the CPU, in one process",
        f"its rate is that of {product}, for the time that it is busy",
    ]
    return _section(section, [columns, *cells], lines)


def _figures(section: Figures) -> str:
    cells = [[column.name for column in section.columns]]
    for row in section.rows:
        pairs = zip(section.columns, row, strict=True)
        cells.append(
            [cell if isinstance(cell, str) else _amount(Amount(value=cell, unit=at.unit)) for at, cell in pairs]
        )
    lines = [f"{_where(section.machine)}; {section.date}", f"Python {section.python}, {_listed(section.versions)}"]
    return _section(section, cells, [*lines, *section.notes])


def _small(section: Calibrated) -> str:
    cells = [["benchmark", "a round", "ratio to the calibration loop"]]
    cells += [[name, f"{1e3 * each.seconds:.1f} ms", f"{each.ratio:.3f}"] for name, each in section.benchmarks.items()]
    lines = [
        f"{_where(section.machine)}; {section.date}",
        f"calibration loop {section.loop}: {1e3 * section.calibration:.1f} ms",
        f"Python {section.python}, {_listed(section.versions)}",
    ]
    return _section(section, cells, lines)


def _table(cells: Iterable[Sequence[str]]) -> str:
    first, *others = cells
    return "\n".join(f"| {' | '.join(line)} |" for line in (first, ["---"] * len(first), *others))


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items()) or "none"
