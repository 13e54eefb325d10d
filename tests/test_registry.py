import importlib.util
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NamedTuple, get_type_hints

import pytest

from vosbench.errors import UsageError
from vosbench.method import Method
from vosbench.registry import DATASETS, METHODS, Found, as_method, find, load_dataset, load_method
from vosbench.registry.plugin_files import import_file

PLUGINS = Path(__file__).parent / "plugins"
TOY = PLUGINS / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_our_own_plugins_are_found() -> None:
    assert {"adnet", "deeplabv3", "f2net"} <= set(find(METHODS))
    assert {"davis16", "sample"} <= set(find(DATASETS))


def test_plugin_file() -> None:
    method, variant = load_method("brightness.average", [TOY])
    assert (method.title, variant) == ("Brightness", "average")
    assert load_dataset("toy", [TOY]).title == "Toy"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("adnett", 'did you mean "adnet"?'),
        ("f2net.cgad-scaa", 'did you mean "f2net.cgad-sca"?'),
        ("zzzzzz", "available: "),
    ],
)
def test_did_you_mean(name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_method(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_declared_twice_names_both_origins(tmp_path: Path) -> None:
    copy = tmp_path / "copy.py"
    shutil.copy(TOY, copy)
    with pytest.raises(UsageError) as caught:
        load_dataset("toy", [TOY, copy])
    assert str(TOY) in str(caught.value)
    assert str(copy) in str(caught.value)


METHOD = """
from vosbench.method import Method

def load(setup): raise NotImplementedError
"""


def method_named(name: str) -> str:
    return f'{name} = Method(name="{name}", title="", paper="", licence="", load=load, needs_weights=False)\n'


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        find(METHODS, [path])
    assert "\n" not in str(caught.value)
    assert not [name for name, module in sys.modules.items() if getattr(module, "__file__", None) == str(path)]
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\nimport nothing_like_this", 2, "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("x = 1\n\nx = (", 3, "SyntaxError: '(' was never closed"),
        ("def fail():\n    return 1 / 0\n\n\nfail()", 2, "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('no\\nway')", 2, "SystemExit: no way"),
        ("import json\njson.loads('[')", 2, "JSONDecodeError: Expecting value"),
        ("import broken_sibling", 1, "NameError: name 'nowhere' is not defined"),
        ("import sibling_in_error", 1, "SyntaxError: invalid syntax (sibling_in_error.py, line 1)"),
        ("x = 1\nraise ValueError", 2, "ValueError"),
    ],
)
def test_a_failure_on_import_names_file_and_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    (tmp_path / "broken_sibling.py").write_text("nowhere")
    (tmp_path / "sibling_in_error.py").write_text("x = = 1")
    path = tmp_path / "broken.py"
    path.write_text(text)
    before = list(sys.path)
    assert f'plugin file "{path}", line {line}: fails on import: {said}' in refused(path)
    path.write_text(METHOD + method_named("mended"))
    assert "mended" in find(METHODS, [path])
    assert sys.path == [*before, str(tmp_path)]


def test_files_that_are_not_python(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("")
    assert "must end in .py" in refused(tmp_path / "text.txt")
    (tmp_path / "null.py").write_bytes(b"x = 1\0")
    assert str(tmp_path / "null.py") in refused(tmp_path / "null.py")
    assert "does not exist" in refused(tmp_path)


def test_a_file_is_executed_once_by_whatever_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "once.py"
    count = tmp_path / "count"  # worker processes of later tests execute the file too, in other folders
    path.write_text(METHOD + method_named("once") + f'with open({str(count)!r}, "a") as file: file.write("x")\n')
    (tmp_path / "link.py").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    paths = [path, Path("once.py"), Path("../") / tmp_path.name / "once.py", Path("link.py")]
    (one,) = {id(find(METHODS, [each])["once"].source) for each in paths}
    assert id(find(METHODS, paths)["once"].source) == one
    find(DATASETS, paths)
    assert count.read_text() == "x"


def test_a_plugin_is_an_ordinary_module(tmp_path: Path) -> None:
    path = tmp_path / "my plugin-2.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "import sibling_of_mine\n"
        "@dataclass\n"
        "class Point:\n"
        "    x: int\n"
        "    many: ClassVar[list[int]] = []\n"
        "def late():\n"
        "    from sibling_of_mine_later import VALUE\n"
        "    return VALUE + sibling_of_mine.VALUE\n"
    )
    (tmp_path / "sibling_of_mine.py").write_text("VALUE = 1")
    (tmp_path / "sibling_of_mine_later.py").write_text("VALUE = 2")
    module = import_file(path)
    assert sys.modules[module.__name__] is module
    assert module.__name__.isidentifier()
    point = module.Point(1)
    assert pickle.loads(pickle.dumps(point)) == point
    assert get_type_hints(module.Point)["x"] is int
    assert module.late() == 3


def test_a_sibling_goes_first_while_the_file_is_executed_only(tmp_path: Path) -> None:
    """As for a script; a name that the standard library has too."""
    (tmp_path / "turtledemo.py").write_text("MINE = True")
    (tmp_path / "this.py").write_text("MINE = True")
    (tmp_path / "shadow.py").write_text("import turtledemo\nassert turtledemo.MINE")
    import_file(tmp_path / "shadow.py")
    spec = importlib.util.find_spec("this")
    assert spec is not None
    assert spec.origin != str(tmp_path / "this.py")


def test_the_same_file_name_in_two_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plugin.py").write_text(METHOD + method_named(name))
    assert {"one", "two"} <= set(find(METHODS, [tmp_path / "one" / "plugin.py", tmp_path / "two" / "plugin.py"]))


@pytest.mark.parametrize("sibling", ["common_name_a.py", "common_name_b/__init__.py"])
def test_siblings_of_two_plugins_are_not_mixed_up(tmp_path: Path, sibling: str) -> None:
    name = sibling.partition("/")[0].removesuffix(".py")
    for folder in ("one", "two"):
        file = tmp_path / folder / sibling
        file.parent.mkdir(parents=True)
        file.write_text(f"VALUE = '{folder}'")
        (tmp_path / folder / "plugin.py").write_text(f"from {name} import VALUE")
    (tmp_path / "two" / "other.py").write_text("")
    assert import_file(tmp_path / "one" / "plugin.py").VALUE == "one"
    import_file(tmp_path / "two" / "other.py")
    assert f'imports "{name}", but another plugin has imported' in refused(tmp_path / "two" / "plugin.py")


def test_what_a_plugin_imports_from_another_is_declared_once(tmp_path: Path) -> None:
    path = tmp_path / "wrapper.py"
    path.write_text(
        "from dataclasses import replace\n"
        "from vosbench.methods.deeplabv3 import method\n"
        'mine = also_mine = replace(method, name="mine")\n'
    )
    found = find(METHODS, [path])
    assert isinstance(as_method(found["mine"]), Method)
    assert found["deeplabv3"].origin != found["mine"].origin


def test_spawned_workers_import_the_plugin(tmp_path: Path) -> None:
    path = tmp_path / "worked.py"
    path.write_text(
        "from dataclasses import dataclass\n"
        "import sibling_of_worker\n"
        "@dataclass\n"
        "class Item:\n"
        "    value: int\n"
        "    def twice(self):\n"
        "        return sibling_of_worker.FACTOR * self.value\n"
        "def work(item):\n"
        "    return item.twice(), Item(item.value)\n"
    )
    (tmp_path / "sibling_of_worker.py").write_text("FACTOR = 2")
    script = tmp_path / "main.py"
    script.write_text(
        "import multiprocessing, pathlib, sys\n"
        "from vosbench.engine import pool\n"
        "from vosbench.registry.plugin_files import import_file\n"
        'if __name__ == "__main__":\n'
        "    if sys.argv[1] == 'spawn':\n"
        "        sys.modules['torch'] = None  # as if its threads ran\n"
        f"    plugin = import_file(pathlib.Path({str(path)!r}))\n"
        "    items = [plugin.Item(each) for each in range(3)]\n"
        "    assert list(pool.each(plugin.work, items, jobs=2)) == [(2 * i.value, i) for i in items]\n"
        "    other = multiprocessing.get_context('spawn').Pool(1)  # a library's, that sends what it was given\n"
        "    with other:\n"
        "        assert other.apply(repr, ([pool.Prepared(), items[1]],)).endswith('Item(value=1)]')\n"
    )
    for method in ("spawn", "fork"):
        subprocess.run([sys.executable, str(script), method], check=True, cwd=tmp_path)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("broken_package.late:method", 'late.py", line 3: ZeroDivisionError: division by zero'),
        ("broken_package.syntax:method", "syntax.py\", line 2: SyntaxError: '(' was never closed"),
        ("broken_package.nothing:method", "import: ModuleNotFoundError: No module named 'broken_package.nothing'"),
        ("broken_package:method", "import: AttributeError: module 'broken_package' has no attribute 'method'"),
        ("broken_package.leaves:method", 'leaves.py", line 1: SystemExit: 3'),
    ],
)
def test_entry_points_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, said: str) -> None:
    package = tmp_path / "broken_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "late.py").write_text("x = 1\n\n1 / 0")
    (package / "syntax.py").write_text("x = 1\nx = (")
    (package / "leaves.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("bad", target, METHODS)
    with pytest.raises(UsageError) as caught:
        as_method(Found("bad", 'package "bad"', point))
    assert '"bad" of package "bad" fails on import' in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_debug_shows_the_traceback_of_any_error(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "fails.py"
    path.write_text("def inner():\n    return {}['key']\n\ninner()\n")
    words = ("list", "methods", "--plugin", path)
    plain = cli(*words)
    assert (plain.returncode, plain.stderr.count("\n")) == (2, 1)
    assert f"\"{path}\", line 2: fails on import: KeyError: 'key'" in plain.stderr
    for done in (cli(*words, "--debug"), cli(*words, VOSBENCH_DEBUG="1")):
        assert done.returncode == 2
        assert "return {}['key']" in done.stderr
        assert done.stderr.splitlines()[-1] == plain.stderr.strip()


def test_an_unexpected_error_is_one_line_too(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "unforeseen.py"
    path.write_text(
        "from dataclasses import replace\n"
        "from vosbench.datasets.sample import dataset\n"
        "def videos(*_):\n"
        "    raise LookupError('no\\nluck')\n"
        'mine = replace(dataset, name="mine", videos=videos)\n'
    )
    words = ("verify", "mine", "--root", tmp_path, "--plugin", path)
    plain = cli(*words)
    assert (plain.returncode, plain.stderr.count("\n")) == (70, 1)
    assert plain.stderr.startswith("error: LookupError: no luck (unexpected, at ")
    assert f'"{path}", line 4; --debug shows' in plain.stderr
    done = cli(*words, "--debug")
    assert done.returncode == 70
    assert "Traceback" in done.stderr
    assert "LookupError: no\nluck" in done.stderr


def test_missing_plugin_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_method("adnet", [tmp_path / "none.py"])


def test_third_party_package_is_installed_and_found(tmp_path: Path, toy_root: Path) -> None:
    source = shutil.copytree(PLUGINS / "thirdparty", tmp_path / "source")
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([*install, str(source)], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    words = f"run --method halves --dataset toy --root {toy_root} --plugin {TOY} --out {tmp_path}/out --format json"
    done = subprocess.run(
        [sys.executable, "-m", "vosbench", *words.split()],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"method": "halves"' in done.stdout
    listed = subprocess.run(
        [sys.executable, "-m", "vosbench", "list", "methods"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'package "vosbench-thirdparty"' in listed.stdout


def test_a_bare_checkout_finds_its_own_plugins(tmp_path: Path) -> None:
    """Without any installed metadata: the declarations of pyproject.toml are read."""
    repository = Path(__file__).parents[1]
    code = (
        "import importlib.metadata as m, sys\n"
        "def missing(name): raise m.PackageNotFoundError(name)\n"
        "m.distribution = missing\n"
        "points = m.entry_points\n"
        "m.entry_points = lambda group: [p for p in points(group=group) if p.dist.name != 'vosbench']\n"
        f"sys.path.insert(0, {str(repository)!r})\n"
        "from vosbench.registry import METHODS, as_method, find\n"
        "found = find(METHODS)\n"
        "assert found['adnet'].origin == 'this checkout', found\n"
        "assert as_method(found['adnet']).name == 'adnet'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_entry_points_of_the_backport_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a package has imported importlib_metadata, the standard library finds the backport's entry points."""

    class Foreign(NamedTuple):
        name: str
        value: str
        group: str
        dist: None = None

    found = [Foreign("motion", "vosbench.methods.motion:method", METHODS)]
    monkeypatch.setattr("vosbench.registry.entry_points", lambda group: found if group == METHODS else [])
    assert load_method("motion")[0].name == "motion"
