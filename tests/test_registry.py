import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vosbench.errors import UsageError
from vosbench.registry import DATASETS, METHODS, find, load_dataset, load_method

PLUGINS = Path(__file__).parent / "plugins"
TOY = PLUGINS / "toy.py"


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
        ("zzzzzz", "there are: "),
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


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("broken.py", "import nothing_like_this", "fails on import"), ("text.txt", "", "must end in .py")],
)
def test_unusable_plugin_files(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        load_method("adnet", [path])


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
