"""``vosbench init``: what it writes passes its tests at once."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from factories import write_toy
from in_process import call

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def python(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kind", ["method", "dataset"])
def test_a_skeleton_passes_at_once(kind: str) -> None:
    name, module = f"my-{kind}2", f"my_{kind}2"
    done = call("init", kind, name)
    assert done.returncode == 0, done.stderr
    folder = Path(name)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"pyproject.toml", "README.md", f"{module}.py", f"tests/test_{module}.py"}
    assert sorted(map(Path, done.stdout.splitlines())) == sorted(folder / file for file in files)
    assert not [
        word
        for file in files
        for word in ("NAME", "MODULE", "CLASS", "KIND")
        if word in (folder / file).read_text("utf-8")
    ]
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["entry-points"] == {f"vosbench.{kind}s": {name: f"{module}:{kind}"}}
    tested = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", folder=folder)
    assert tested.returncode == 0, tested.stdout
    listed = call("list", f"{kind}s", "--plugin", folder / f"{module}.py", "--format", "csv")
    assert name in listed.stdout
    taken = call("init", kind, name, "--to", "elsewhere", "--plugin", folder / f"{module}.py")
    assert (taken.returncode, taken.stderr) == (2, f'error: there is a {kind} "{name}" already; choose another name\n')


def test_a_method_runs_as_its_card_says() -> None:
    call("init", "method", "my-net", "--quiet")
    words = ("--dataset", write_toy(Path("zoo")), "--quiet")
    done = call("run", "--plugin", Path("my-net", "my_net.py"), "--method", "my-net", *words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["method", "dataset"])
def test_a_skeleton_is_clean(kind: str) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    call("init", kind, "my-zoo")
    ours = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]["ignore"]
    tests = [word for rule in ("D", "S") for word in ("--per-file-ignores", f"tests/**:{rule}")]
    for words in (("check", "--select", "ALL", "--ignore", ",".join(ours), *tests), ("format", "--check")):
        done = subprocess.run([ruff, *map(str, words), "."], cwd="my-zoo", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My-Net", "small letters"),
        ("1net", "small letters"),
        ("a/b", "small letters"),
        ("../net", "small letters"),
        ("net.tiny", "small letters"),
        ("net-", "small letters"),
        ("", "small letters"),
        ("n" * 200, "has 200 bytes"),
        ("con", "is reserved on Windows"),
        ("f2net", 'there is a method "f2net" already'),
        ("class", 'Python has a module or word "class"'),
        ("random", 'Python has a module or word "random"'),
        ("numpy", 'Python has a module or word "numpy"'),
    ],
)
def test_names_that_cannot_be_are_refused(name: str, said: str) -> None:
    done = call("init", "method", name)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert said in done.stderr
    assert not [*Path().iterdir()]


def test_an_existing_folder_is_kept() -> None:
    Path("net").mkdir()
    done = call("init", "method", "net")
    assert (done.returncode, "exists already" in done.stderr) == (2, True)
    assert not [*Path("net").iterdir()]
