"""Plugin files: Python files that are imported by their path, once per process."""

import ast
import hashlib
import importlib.util
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from vosbench.engine.pool import prepare_workers
from vosbench.errors import UsageError, one_line, place

PREFIX = "vosbench_plugin"  # of the module names of plugin files
_loading = threading.RLock()  # otherwise a second thread could get a half-executed module


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
