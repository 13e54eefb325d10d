"""``vosbench list`` and ``vosbench verify``: what there is, and whether it is whole."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, result, say
from vosbench.errors import DataError


@command
def list_(
    what: Annotated[Literal["methods", "datasets"], typer.Argument(help="What to list.")] = "methods",
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
) -> None:
    """List the methods or datasets that are installed."""
    from vosbench.registry import DATASETS, METHODS, find
    from vosbench.tables import Cell, Table, render

    found = find(METHODS if what == "methods" else DATASETS, plugin or ())
    rows: list[tuple[Cell, ...]] = []
    for entry in found.values():
        loaded = entry.load()
        choices = getattr(loaded, "variants" if what == "methods" else "protocols", ())
        names = [each if isinstance(each, str) else each.name for each in choices]
        rows.append((entry.name, str(getattr(loaded, "title", "?")), " ".join(names), entry.origin))
    second = "variants" if what == "methods" else "protocols"
    result(render(Table(columns=(what, "title", second, "from"), rows=rows), shown))


@command
def verify(
    dataset: Annotated[str, typer.Argument(help="Dataset; see: vosbench list datasets.")],
    root: options.Root = None,
    split: options.Split = None,
    layout: options.LayoutName = None,
    plugin: options.Plugins = None,
    shown: options.Shown = "table",
) -> None:
    """Hold a dataset on disk against its list: what is missing, extra or of the wrong size."""
    from vosbench.registry import load_dataset
    from vosbench.selection import generated_root, split_of
    from vosbench.tables import Table, render
    from vosbench.verify import verify as check

    found = load_dataset(dataset, plugin or ())
    place: Path = root or generated_root(found)
    part = split_of(found, split)
    findings = list(check(found, place, part, layout))
    errors = sum(each.level == "error" for each in findings)
    rows = [(each.level, each.video, each.message) for each in findings]
    if rows or shown != "table":
        result(render(Table(columns=("level", "video", "finding"), rows=rows), shown))
    if errors:
        raise DataError(f'{found.title} {part} in "{place}" is unfit: {errors} errors in the table above')
    say(f"{found.title} {part} is whole: {len(found.listing(part))} videos")
