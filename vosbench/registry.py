"""Find methods, datasets and measures by name, in installed packages and plugin files."""

import ast
import hashlib
import importlib.util
import os
import re
import sys
import threading
import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from vosbench.dataset import Dataset
from vosbench.engine.pool import prepare_workers
from vosbench.errors import UsageError, one_line, place, suggest
from vosbench.method import Method
from vosbench.metrics.measures import Family, add_family
from vosbench.records.naming import check_name

if TYPE_CHECKING:
    from vosbench.dataset.folder_dataset import FolderDataset

METHODS, DATASETS, MEASURES = "vosbench.methods", "vosbench.datasets", "vosbench.measures"
KINDS: Mapping[str, type[Any]] = {METHODS: Method, DATASETS: Dataset, MEASURES: Family}
"""Group of entry points → type of its plugins; each has a ``name``."""
RESERVED = ("train", "published")
"""Folders of results that hold other things than a dataset's records."""
PREFIX = "vosbench_plugin"  # of the module names of plugin files
Kind = TypeVar("Kind")
_loading = threading.RLock()  # otherwise a second thread could get a half-executed module


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
    known = find(DATASETS, plugins)
    path = dataset_path(name, known)
    return as_dataset(_pick(DATASETS, name, plugins)) if path is None else load_folder(path, plugins)


def dataset_path(name: str, known: Container[str]) -> Path | None:
    """The path of a dataset that is a folder; None if the name is known, or that of nothing.

    Args:
        name: a name or path.
        known: names of registered datasets, which come first.

    >>> dataset_path("sample", ["sample"]), dataset_path("smaple", ["sample"])
    (None, None)
    >>> dataset_path("./sample", ["sample"]) == Path("sample")
    True
    """
    signs = {"/", os.sep}
    is_path = any(sign in name for sign in signs) or name in {".", ".."} or (name not in known and Path(name).is_dir())
    return Path(name) if is_path else None


def load_folder(path: Path, plugins: Iterable[Path] = (), *, masks: bool = False) -> "FolderDataset":
    """Make a dataset of a folder; see `vosbench.dataset.folder_dataset`.

    Args:
        path: the folder.
        plugins: plugin files, whose datasets' names are taken.
        masks: whether masks alone are enough, to score predictions against.

    Raises:
        UsageError: if its name, or that of a protocol, is that of another dataset or of nothing.
        DataError: if it is not a folder, or its description is wrong.
    """
    from vosbench.dataset.folder_dataset import folder_dataset

    dataset = folder_dataset(path, masks=masks)
    others = find(DATASETS, plugins)
    taken = next((name for name in (*others, *RESERVED) if name.casefold() == dataset.name.casefold()), None)
    advice = 'give it another with "name: …" in its dataset.yaml'
    if taken in others:
        raise UsageError(
            f'the folder "{path}" has the name of the dataset "{taken}", whose records would be mixed with its own; '
            f"{advice}, or read it as {taken} with --dataset {taken} --root"
        )
    if taken is not None:
        raise UsageError(f'the folder "{path}" has a name under which other things are kept; {advice}')
    try:
        check_name(dataset.name, "dataset")
    except UsageError as error:
        raise UsageError(f"{error}; {advice}") from None
    _refuse_known_protocols(dataset, others.values())
    return dataset


def _refuse_known_protocols(dataset: "FolderDataset", others: Iterable[Found]) -> None:
    """Refuse a protocol of a folder with the name of another one, since only names tell their records apart."""
    own = dataset.description.protocols
    known = {name for found in others if own for name in _protocols(as_dataset(found))}
    taken = next((name for name in own if name in known or name in dataset.built_in), None)
    if taken is not None:
        raise UsageError(
            f'"{dataset.root}" has a protocol "{taken}" of its own, but there is one of that name; rename it in its '
            "dataset.yaml"
        )


def _protocols(dataset: Dataset) -> list[str]:
    return [protocol.name for protocol in dataset.protocols]


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


def import_file(path: Path) -> ModuleType:
    """Import a plugin file, once per process.

    Its module is named after its stem and resolved path, so that files of the same name do not collide and worker
    processes can import it too. Its folder is searched for sibling modules: first during the import, as for a script;
    last afterwards, so that a sibling cannot replace a module that other code imports later.

    Raises:
        UsageError: if it cannot be imported; the message names file and line.
    """
    passed, path = path, path.resolve()
    if not path.is_file():
        raise UsageError(f'the plugin file "{passed}" does not exist')
    name = "_".join((PREFIX, re.sub(r"\W", "_", path.stem), hashlib.sha256(str(path).encode()).hexdigest()[:8]))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f'the plugin file "{passed}" is not a Python file; its name must end in .py')
    with _loading:
        if name in sys.modules:
            return sys.modules[name]
        _refuse_mixed_siblings(path)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            with _first_on_path(path.parent):
                spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            where = place(error, name) or f'"{path}"'
            raise UsageError(f"plugin file {where}: fails on import: {one_line(error)}") from error
        prepare_workers(import_file, path)
    return module


@contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))


def _refuse_mixed_siblings(path: Path) -> None:
    """Refuse a file whose sibling has the name of an imported sibling of another plugin: it would get that one."""
    others = {Path(str(module.__file__)).parent for name, module in sys.modules.items() if name.startswith(PREFIX)}
    try:
        nodes = list(ast.walk(ast.parse(path.read_bytes())))
    except (SyntaxError, ValueError):
        return  # executing it reports the error and its line
    imported = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imported += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    for name in {module.partition(".")[0] for module in imported}:
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        folder = Path(file).parent if Path(file).name != "__init__.py" else Path(file).parent.parent
        siblings = (path.with_name(f"{name}.py"), path.with_name(name) / "__init__.py")
        if folder in others and folder != path.parent and any(sibling.is_file() for sibling in siblings):
            raise UsageError(
                f'the plugin file "{path}" imports "{name}", but another plugin has imported "{file}" under that name; '
                "rename one of the two"
            )


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
        raise UsageError(f'there is no {_noun(group)} "{name}"; {suggest(name, list(found))}')
    return found[name]


def _installed(group: str) -> list[Found]:
    points = [*entry_points(group=group), *_of_checkout(group)]
    origins = [f'package "{point.dist.name}"' if point.dist else "this checkout" for point in points]
    return [Found(point.name, origin, point) for point, origin in zip(points, origins, strict=True)]


def _of_checkout(group: str) -> list[EntryPoint]:
    """Our own entry points, if vosbench runs from a checkout without being installed."""
    try:
        distribution("vosbench")
    except PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
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
