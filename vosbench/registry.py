"""Find methods and datasets by name: entry points of installed packages, and plugin files."""

import difflib
import importlib.util
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from types import ModuleType

from vosbench.dataset import Dataset
from vosbench.errors import UsageError
from vosbench.method import Method

METHODS, DATASETS = "vosbench.methods", "vosbench.datasets"


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that was found: where it comes from, and how to get it."""

    name: str
    origin: str
    source: EntryPoint | Method | Dataset


def find(group: str, plugins: Iterable[Path] = ()) -> Mapping[str, Found]:
    """Find the plugins of a group; importing none but the plugin files.

    Args:
        group: `METHODS` or `DATASETS`.
        plugins: Python files; every `Method` or `Dataset` at their top level counts.

    Raises:
        UsageError: where two plugins have the same name, or a plugin file cannot be used.
    """
    found: dict[str, Found] = {}
    for entry in [*_installed(group), *_from_files(group, plugins)]:
        if entry.name in found:
            kind = group.removeprefix("vosbench.").removesuffix("s")
            raise UsageError(
                f'the {kind} "{entry.name}" is declared twice, by {found[entry.name].origin} and by {entry.origin}; '
                "rename or uninstall one"
            )
        found[entry.name] = entry
    return dict(sorted(found.items()))


def load_method(name: str, plugins: Iterable[Path] = ()) -> tuple[Method, str]:
    """Load a method by the name that is typed.

    Args:
        name: ``method`` or ``method.variant``.
        plugins: plugin files to look into as well.

    Returns:
        the method, and the variant (``""`` for the method as it is named).

    Raises:
        UsageError: where there is no such method or variant; the message offers the nearest name.
    """
    base, _, variant = name.partition(".")
    method = as_method(_pick(METHODS, base, plugins))
    if variant and variant not in method.variants:
        known = [f"{base}.{each}" for each in method.variants]
        raise UsageError(f'{base} has no variant "{variant}"; {_suggest(name, known)}')
    return method, variant


def load_dataset(name: str, plugins: Iterable[Path] = ()) -> Dataset:
    """Load a dataset by name.

    Raises:
        UsageError: where there is no such dataset; the message offers the nearest name.
    """
    return as_dataset(_pick(DATASETS, name, plugins))


def as_method(found: Found) -> Method:
    """Load a plugin that is to be a method.

    Raises:
        UsageError: where it is none, or cannot be imported.
    """
    loaded = _load(found)
    if not isinstance(loaded, Method):
        raise UsageError(f'"{found.name}" of {found.origin} is a {type(loaded).__name__}, not a Method')
    return loaded


def as_dataset(found: Found) -> Dataset:
    """Load a plugin that is to be a dataset.

    Raises:
        UsageError: where it is none, or cannot be imported.
    """
    loaded = _load(found)
    if not isinstance(loaded, Dataset):
        raise UsageError(f'"{found.name}" of {found.origin} is a {type(loaded).__name__}, not a Dataset')
    return loaded


def _load(found: Found) -> object:
    try:
        return found.source.load() if isinstance(found.source, EntryPoint) else found.source
    except (ImportError, AttributeError) as error:
        raise UsageError(f'"{found.name}" of {found.origin} cannot be loaded: {error}') from error


def _pick(group: str, name: str, plugins: Iterable[Path]) -> Found:
    found = find(group, plugins)
    if name not in found:
        kind = group.removeprefix("vosbench.").removesuffix("s")
        raise UsageError(f'there is no {kind} "{name}"; {_suggest(name, list(found))}')
    return found[name]


def _suggest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known) or 'none'}"


def _installed(group: str) -> list[Found]:
    points = [*entry_points(group=group), *_of_checkout(group)]
    origins = [f'package "{point.dist.name}"' if point.dist else "this checkout" for point in points]
    return [Found(point.name, origin, point) for point, origin in zip(points, origins, strict=True)]


def _of_checkout(group: str) -> list[EntryPoint]:
    """Our own declarations, where vosbench runs from a bare checkout and is not installed."""
    try:
        distribution("vosbench")
    except PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
        if not project.is_file():
            return []
        declared = tomllib.loads(project.read_text("utf-8"))["project"]["entry-points"][group]
        return [EntryPoint(name, value, group) for name, value in declared.items()]
    return []


def _from_files(group: str, plugins: Iterable[Path]) -> list[Found]:
    kind = Method if group == METHODS else Dataset
    return [
        Found(value.name, f'plugin file "{path}"', value)
        for path in plugins
        for value in vars(_import_file(path)).values()
        if isinstance(value, kind)
    ]


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f'the plugin file "{path}" does not exist')
    spec = importlib.util.spec_from_file_location(f"vosbench_plugin_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f'the plugin file "{path}" is no Python file; its name must end in .py')
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f'the plugin file "{path}" fails on import: {type(error).__name__}: {error}') from error
    return module
