"""Pages of datasets, methods, protocols and measures, from their code."""

import importlib
import inspect
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import yaml
from pieces import Cells, cell, plain, table

from vosbench.dataset import Dataset, DatasetProtocol
from vosbench.method import Method
from vosbench.metrics.measures import BOXES, MAPS, MASKS, MEASURES, REGIONS
from vosbench.report.protocols import CHOICES, in_words

MODULES = {
    "J": "region",
    "F": "boundary",
    "T": "stability",
    "OB": "ochs_brox",
    "box": "boxes",
    **dict.fromkeys(MAPS, "saliency.conventions"),
}
"""Measure → the module of `vosbench.metrics` whose docstring defines it."""
DATASETS = """# All datasets

Each page says how to get the dataset, which layouts of its folder are recognised, its traps and its protocols. [A
folder of your own](../own-data.md) is a dataset too, and [suites](../suites.md) put several together. [Getting and
finding datasets](../data.md) has the commands.

"""
PROTOCOLS = """# Protocols

A protocol is every choice that affects a score: which frames count, how masks of another size are treated, how
means are formed. It has a name and a version, and its signature is printed with every score.
[Measures](measures.md) has the formulas, and [Why do my numbers differ?](differences.md) what each choice is worth.
`--protocol all` scores the same masks under every protocol of a dataset.

"""
HEADING_OF_MEASURES = """# Measures

Each section is the definition at the top of the module that computes the measure, followed by the names of its
numbers in a record. Tolerances are those of `vosbench check`.
"""


def _ours(kind: str, of: type) -> list[Any]:
    found = [each.load() for each in entry_points(group=f"vosbench.{kind}") if each.value.startswith("vosbench.")]
    return sorted((each for each in found if isinstance(each, of)), key=lambda each: each.name)


def datasets() -> list[Dataset]:
    """The datasets of vosbench, by name."""
    return _ours("datasets", Dataset)


def methods() -> list[Method]:
    """The methods of vosbench, by name."""
    return _ours("methods", Method)


def protocols() -> dict[str, tuple[DatasetProtocol, list[str]]]:
    """Name → protocol, and the names of the datasets that have it."""
    found: dict[str, tuple[DatasetProtocol, list[str]]] = {}
    for dataset in datasets():
        for protocol in dataset.protocols:
            found.setdefault(protocol.name, (protocol, []))[1].append(dataset.name)
    return found


def conventions(module: str) -> str:
    """What the docstring of a module of measures defines, as Markdown."""
    text = inspect.getdoc(importlib.import_module(f"vosbench.metrics.{module}")) or ""
    summary, _, said = text.partition("\n\n")
    return f"{plain(summary)}\n\n{plain(said.partition('Conventions:')[2])}\n"


# Datasets and methods


def _files(dataset: Dataset) -> Iterator[str]:
    if dataset.generate is not None:
        yield "vosbench generates it when it is first needed."
        return
    if dataset.downloads:
        yield f"```sh\nvosbench fetch {dataset.name} --to data --accept-licence\n```\n\ndownloads:\n"
        for each in dataset.downloads:
            checksum = f", {each.checksum}" if each.checksum else ", no checksum is published"
            yield f"* `{each.name}`{checksum}: {', '.join(f'<{mirror}>' for mirror in each.mirrors)}"
    if dataset.steps:
        yield f"By hand: {dataset.steps}"
    folders = ", ".join(f"`{name}`" for name in dataset.folders)
    yield f"\nBelow the folder that `VOSBENCH_DATA` names it is found as {folders}; elsewhere, say where it is:\n"
    yield (
        f"```sh\nvosbench data set-root {dataset.name} FOLDER\nvosbench verify {dataset.name} --root FOLDER\n```"
        "\n\n`verify` lists missing and extra files, wrong sizes and encodings, and prints the hash of the annotations."
    )


def _splits(dataset: Dataset) -> list[Cells]:
    rows = []
    for split in dataset.splits:
        listing = dataset.listing(split)
        counts = [listed.frames for listed in listing.values()]
        frames = "" if None in counts else str(sum(count or 0 for count in counts))
        rows.append((f"`{split}`", str(len(listing)) if listing else "those that are there", frames if listing else ""))
    return rows


def dataset_page(dataset: Dataset, card: str) -> str:
    """The page of a dataset: its card, and what the code knows."""
    listed = [(f"[`{each.name}`](../protocols.md#{each.name})", cell(each.about)) for each in dataset.protocols]
    parts = [
        card.rstrip(),
        "## Getting it\n\n" + "\n".join(_files(dataset)),
        "## From the code",
        f"* Paper: {dataset.paper}\n* Licence: {dataset.licence}\n* Name: `--dataset {dataset.name}`",
        table(("split", "videos", "frames"), _splits(dataset)),
        "Papers report the first split. Protocols, the first by default:",
        table(("protocol", "what it is"), listed),
        "Layouts of its folder, which are recognised: " + ", ".join(f"`{name}`" for name in dataset.layouts) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def datasets_page() -> str:
    """The list of datasets."""
    rows = [
        (f"[`{each.name}`]({each.name}.md)", each.title, cell(each.paper), cell(each.licence)) for each in datasets()
    ]
    return DATASETS + table(("name", "title", "paper", "licence"), rows)


def methods_page() -> str:
    """The list of methods and their variants."""
    rows = [
        (f"[`{each.name}`]({each.name}.md)", each.title, cell(each.paper), cell(each.licence)) for each in methods()
    ]
    parts = ["# Methods\n", table(("name", "title", "paper", "licence"), rows)]
    for each in methods():
        if each.variants:
            variants = [
                (f"`{each.called(name)}`", cell(about), "yes" if name in each.weights else "")
                for name, about in each.variants.items()
            ]
            parts.append(f"## {each.title}\n\n" + table(("variant", "what it is", "weights included"), variants))
        if each.options:
            options = [
                (f"`{name}`", cell(str(option.default)) or "–", cell(option.meaning))
                for name, option in each.options.items()
            ]
            parts.append(
                f"Options of `{each.name}`, for `--set`:\n\n" + table(("option", "default", "what it is"), options)
            )
    return "\n".join(parts)


# Protocols and measures


def _protocol(protocol: DatasetProtocol, used_by: Sequence[str]) -> str:
    said = [f"{CHOICES[name]} {in_words(name, protocol)}" for name in CHOICES if _matters(name, protocol)]
    links = ", ".join(f"[{name}](datasets/{name}.md)" for name in used_by)
    extra = ""
    if protocol.more:
        extra = f"* on request, with `--measures`: {', '.join(protocol.more)}\n"
    split = f"* reported on split `{protocol.split}`\n" if protocol.split else ""
    return (
        f"## {protocol.name}\n\n{protocol.about or 'J and F'}\n\n"
        f"    {protocol.signature('0.1.0')}\n\n"
        f"* measures: {', '.join(protocol.measures)}\n{extra}{split}"
        + "".join(f"* {line}\n" for line in said)
        + f"* datasets: {links}\n"
    )


def _matters(choice: str, protocol: DatasetProtocol) -> bool:
    needs = {"tolerance": "F", "t_first": "T", "junctions": "T"}
    if choice in needs:
        return needs[choice] in protocol.measures
    return getattr(protocol, choice) is not None


def protocols_page() -> str:
    """Every protocol: its choices, in words, and its datasets."""
    return PROTOCOLS + "\n".join(_protocol(protocol, used_by) for protocol, used_by in protocols().values())


def measures_page() -> str:
    """Every measure: its definition, from the module that computes it, and the numbers in a record."""
    parts = [HEADING_OF_MEASURES]
    for module in dict.fromkeys(MODULES.values()):
        symbols = [name for name in (*MASKS, *REGIONS, *BOXES, *MAPS) if MODULES[name] == module]
        rows = [
            (
                f"`{each.name}`",
                each.heading,
                each.better or "–",
                f"{each.tolerance:g}",
                _tolerance(each.video_tolerance),
            )
            for each in MEASURES.values()
            if each.symbol in symbols
        ]
        parts.append(f"## {', '.join(symbols)}\n\n{conventions(module)}")
        parts.append(table(("score", "heading", "better", "tolerance", "of a video"), rows))
    parts.append(f"## Statistics\n\n{conventions('statistics')}\n{conventions('significance')}")
    return "\n".join(parts)


def _tolerance(value: float | None) -> str:
    return "not checked" if value is None else f"{value:g}"


def cite_page(repository: Path) -> str:
    """How to cite vosbench, the datasets and the methods."""
    said = yaml.safe_load((repository / "CITATION.cff").read_text("utf-8"))
    entry = (
        "@software{vosbench,\n"
        f"  title = {{{said['title']}}},\n"
        f"  author = {{{{{said['authors'][0]['name']}}}}},\n"
        f"  version = {{{said['version']}}},\n"
        f"  license = {{{said['license']}}}\n}}"
    )
    parts = [
        f"# How to cite\n\n{said['message']} Name the protocol with every number: the line below a table, such as\n",
        f"    {protocols()['davis16'][0].signature(said['version'])}\n\nis enough for others to repeat it.\n",
        f"```bibtex\n{entry}\n```\n",
        "## Datasets\n\n" + table(("dataset", "paper"), [(each.title, cell(each.paper)) for each in datasets()]),
        "## Methods\n\n"
        + table(("method", "paper"), [(each.title, cell(each.paper)) for each in methods() if len(each.paper) > 1]),
        "The source of each printed number is in [published numbers](results/published.md).\n",
    ]
    return "\n".join(parts)
