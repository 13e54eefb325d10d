"""Find methods, datasets, measures and suites by name, in installed packages and plugin files."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any, TypeVar

from vosbench.dataset import Dataset, Suite
from vosbench.errors import UsageError, one_line, place, suggest
from vosbench.method import Method
from vosbench.metrics.measures import Family, add_family
from vosbench.registry.folders import dataset_path, open_folder
from vosbench.registry.plugin_files import import_file

METHODS, DATASETS, MEASURES = "vosbench.methods", "vosbench.datasets", "vosbench.measures"
SUITES = "vosbench.suites"
KINDS: Mapping[str, type[Any]] = {METHODS: Method, DATASETS: Dataset, MEASURES: Family, SUITES: Suite}
"""Group of entry points → type of its plugins; each has a ``name``."""
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin: its origin and how to load it.

    Attributes:
        name: the name to type.
        origin: the package or file that declares it, for messages.
        source: an entry point to load, or the plugin itself.
    """

    name: str
    origin: str
    source: object


def find(group: str, plugins: Iterable[Path] = ()) -> Mapping[str, Found]:
    """Find the plugins of a group, without importing packages.

    Args:
        group: one of `KINDS`.
        plugins: Python files, which are imported; all their top-level objects of the group's type count.

    Raises:
        UsageError: if two plugins have the same name, or a plugin file cannot be imported.
    """
    found: dict[str, Found] = {}
    for entry in [*_installed(group), *_from_files(group, plugins)]:
        known = found.setdefault(entry.name, entry)
        if known is not entry and _load(known) is not _load(entry):  # a plugin may import another
            raise UsageError(
                f'the {_noun(group)} "{entry.name}" is declared twice, by {known.origin} and by {entry.origin}; '
                "rename or uninstall one"
            )
    return dict(sorted(found.items()))


def load_method(name: str, plugins: Iterable[Path] = ()) -> tuple[Method, str]:
    """Load a method by name.

    Args:
        name: ``method`` or ``method.variant``.
        plugins: plugin files to search too.

    Returns:
        the method and the variant (``""`` for the method itself).

    Raises:
        UsageError: if there is no such method or variant; the message suggests the nearest name.
    """
    base, _, variant = name.partition(".")
    method = as_method(_pick(METHODS, base, plugins))
    if variant and variant not in method.variants:
        known = [f"{base}.{name}" for name in method.variants]
        raise UsageError(f'{base} has no variant "{variant}"; {suggest(name, known)}')
    return method, variant


def load_dataset(name: str, plugins: Iterable[Path] = ()) -> Dataset:
    """Load a dataset by name, or make one of a folder by its path.

    A name is looked for first; ``./name`` is always a path.

    Raises:
        UsageError: if there is no such dataset; the message suggests the nearest name.
        DataError: if the path is not a folder, or what it says of itself is wrong.
    """
    path = dataset_path(name, find(DATASETS, plugins))
    return registered_dataset(name, plugins) if path is None else load_folder(path, plugins)


def registered_dataset(name: str, plugins: Iterable[Path] = ()) -> Dataset:
    """Load a dataset by name; a path is not a name.

    Raises:
        UsageError: if there is no such dataset; the message suggests the nearest name.
    """
    return as_dataset(_pick(DATASETS, name, plugins))


def load_folder(path: Path, plugins: Iterable[Path] = (), *, masks: bool = False, codec: str | None = None) -> Dataset:
    """Make a dataset of a folder; see `vosbench.registry.folders.open_folder`."""
    others = {name: partial(as_dataset, found) for name, found in find(DATASETS, plugins).items()}
    return open_folder(path, others, masks=masks, codec=codec)


def load_suite(name: str, plugins: Iterable[Path] = ()) -> Suite:
    """Load a suite by name.

    Raises:
        UsageError: if there is no such suite; the message suggests the nearest name.
    """
    return as_kind(_pick(SUITES, name, plugins), Suite)


def as_method(found: Found) -> Method:
    """Load a method from its plugin.

    Raises:
        UsageError: if it is not a method, or cannot be imported.
    """
    return as_kind(found, Method)


def as_dataset(found: Found) -> Dataset:
    """Load a dataset from its plugin, and the measures of its protocols.

    Raises:
        UsageError: if it is not a dataset, or cannot be imported.
    """
    dataset = as_kind(found, Dataset)
    for family in {family for protocol in dataset.protocols for family in protocol.families}:
        add_family(family)
    return dataset


def load_families(plugins: Iterable[Path] = ()) -> dict[str, Family]:
    """Load all third-party families of measures, so that tables and checks know their measures too.

    Args:
        plugins: plugin files to search too.

    Returns:
        name → family.

    Raises:
        UsageError: if one is not a family, cannot be imported, or redefines a measure.
    """
    families = {name: as_kind(found, Family) for name, found in find(MEASURES, plugins).items()}
    for family in families.values():
        add_family(family)
    return families


def as_kind(found: Found, kind: type[Kind]) -> Kind:
    """Load a plugin of a type.

    Raises:
        UsageError: if it has another type, or cannot be imported.
    """
    loaded = _load(found)
    if not isinstance(loaded, kind):
        raise UsageError(f'"{found.name}" of {found.origin} is a {type(loaded).__name__}, not a {kind.__name__}')
    return loaded


def _load(found: Found) -> object:
    if not isinstance(found.source, EntryPoint):
        return found.source
    try:
        return found.source.load()
    except (Exception, SystemExit) as error:
        where = place(error, found.source.module.partition(".")[0])
        at = f" at {where}" if where else ""
        raise UsageError(f'"{found.name}" of {found.origin} fails on import{at}: {one_line(error)}') from error


def _noun(group: str) -> str:
    return group.removeprefix("vosbench.").removesuffix("s")


def _pick(group: str, name: str, plugins: Iterable[Path]) -> Found:
    found = find(group, plugins)
    if name not in found:
        if group == DATASETS and name in find(SUITES, plugins):
            raise UsageError(f'"{name}" is a suite of datasets, not a dataset; pass --suite {name}')
        raise UsageError(f'there is no {_noun(group)} "{name}"; {suggest(name, list(found))}')
    return found[name]


def _installed(group: str) -> list[Found]:
    points = [*entry_points(group=group), *_of_checkout(group)]
    origins = [f'package "{point.dist.name}"' if point.dist else "this checkout" for point in points]
    # Packages that import the backport importlib_metadata, such as mlflow, change the type of what is found.
    plain = [EntryPoint(point.name, point.value, point.group) for point in points]
    return [Found(point.name, origin, point) for point, origin in zip(plain, origins, strict=True)]


def _of_checkout(group: str) -> list[EntryPoint]:
    """Our own entry points, if vosbench runs from a checkout without being installed."""
    try:
        distribution("vosbench")
    except PackageNotFoundError:
        project = Path(__file__).parents[2] / "pyproject.toml"
        if not project.is_file():
            return []
        declared = tomllib.loads(project.read_text("utf-8"))["project"]["entry-points"].get(group, {})
        return [EntryPoint(name, value, group) for name, value in declared.items()]
    return []


def _from_files(group: str, plugins: Iterable[Path]) -> list[Found]:
    return [
        Found(value.name, f'plugin file "{path}"', value)
        for path in plugins
        for value in vars(import_file(path)).values()
        if isinstance(value, KINDS[group])
    ]
