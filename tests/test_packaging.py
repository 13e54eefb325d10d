"""What is declared, what is built, and what the README says of both."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from vosbench.errors import EXTRAS
from vosbench.files import sha256

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
MODULES = {
    "opencv-python": "cv2",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "zlib-ng": "zlib_ng",
    "backports-zstd": "backports",
    "huggingface-hub": "huggingface_hub",
    "mlflow-skinny": "mlflow",
}
"""Distribution → the module that it brings, if that has another name."""
SOURCES = [path for room in ("vosbench", "methods", "datasets") for path in sorted((REPOSITORY / room).rglob("*.py"))]
TORCH_ROOMS = ("methods/", "vosbench/methods/", "vosbench/method/nn/", "vosbench/method/profile.py", "vosbench/train/")
TRACKERS = ("mlflow", "wandb")
"""Extras that bring much for little, so that ``all`` leaves them out."""
OPTIONAL = (
    *("archives", "dist", "fast", "hub", "onnx", "parquet", "plot", "site", "tensorboard", "torch", "video"),
    *TRACKERS,
)
LINKS = ("methods", "datasets", "published")


def declared(*extras: str) -> dict[str, str]:
    """Distribution → its lowest version."""
    lines = [line for extra in extras for line in PROJECT["optional-dependencies"][extra]] or PROJECT["dependencies"]
    return dict(line.partition(";")[0].split(">=") for line in lines)


def imported(path: Path) -> Iterator[str]:
    """Top-level modules that a file imports anywhere, but not for types alone."""
    nodes: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
            continue
        nodes += ast.iter_child_nodes(node)
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant)]
        yield from (name.partition(".")[0] for name in names)


def third_party(path: Path) -> set[str]:
    return set(imported(path)) - sys.stdlib_module_names - {"vosbench"}


def test_declared_dependencies_are_the_imported_ones() -> None:
    modules = {MODULES.get(name, name) for name in declared() | declared(*OPTIONAL)}
    found = {module for path in SOURCES for module in third_party(path)}
    # pytest imports its plugin, not the reverse; each torchvision fits one torch, so it is used if it is installed
    assert found - {"pytest", "torchvision"} == modules


def test_extras_are_declared() -> None:
    groups = {MODULES.get(name, name): extra for extra in OPTIONAL for name in declared(extra)}
    assert groups == EXTRAS
    assert PROJECT["optional-dependencies"]["all"] == [f"vosbench[{','.join(sorted({*OPTIONAL} - {*TRACKERS}))}]"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_torch_stays_in_its_rooms(path: Path) -> None:
    if not path.relative_to(REPOSITORY).as_posix().startswith(TORCH_ROOMS):
        assert not third_party(path) & {module for module, extra in EXTRAS.items() if extra == "torch"}


def test_lowest_constraints_are_the_declared_ones() -> None:
    lowest = declared() | declared(*OPTIONAL)
    lines = (REPOSITORY / "constraints-lowest.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert lowest.keys() == pinned.keys()
    assert not [name for name in lowest if name != "torch" and not pinned[name].startswith(lowest[name])]


def test_constraints_pin_what_is_declared() -> None:
    pinned = re.findall(r"^([\w-]+)==", (REPOSITORY / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    groups = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for group in groups for line in group if "vosbench" not in line)]
    names = {re.split(r"[>=<\[]", line)[0].lower() for line in lines}
    hooks = {"pre-commit-hooks"}  # named in .pre-commit-config.yaml alone
    assert {name.lower().replace("_", "-") for name in pinned} == names | hooks


def test_continuous_integration_runs_the_commands_of_the_readme() -> None:
    commands = re.findall(r"^python3 -m venv .*$", (REPOSITORY / "README.md").read_text("utf-8"), re.MULTILINE)
    script = (REPOSITORY / ".ci" / "run").read_text("utf-8").splitlines()
    assert len(commands) == 2
    assert set(commands) <= {line.removesuffix(" || exit") for line in script}


def wheel_of(source: Path) -> Path:
    folder = source.with_name(f"{source.name}-wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(folder)]
    subprocess.run([*command, str(source)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_wheel_is_complete_and_the_same_with_and_without_symbolic_links(tmp_path: Path) -> None:
    """And whenever, wherever and with whatever permissions it is built: equal to the byte."""
    left = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__")
    linked, plain = tmp_path / "linked", tmp_path / "plain"
    for copy in (linked, plain):
        shutil.copytree(REPOSITORY, copy, symlinks=True, ignore=left)
    for name in LINKS:  # as git writes them where core.symlinks is off
        link = plain / "vosbench" / name
        target = link.readlink().as_posix() if link.is_symlink() else link.read_text("utf-8")
        link.unlink()
        link.write_text(target, "utf-8")
    for path in plain.rglob("*"):
        if path.is_file():
            path.chmod(0o664)
            os.utime(path, (1_500_000_000, 1_500_000_000))
    wheel = wheel_of(linked)
    before = os.umask(0o002)
    try:
        again = wheel_of(plain)
    finally:
        os.umask(before)
    assert sha256(again) == sha256(wheel)
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = {path.relative_to(REPOSITORY).as_posix() for path in SOURCES}
    assert {name if name.startswith("vosbench/") else f"vosbench/{name}" for name in tracked} <= names
    assert {"vosbench/datasets/davis16/sequences.csv", "vosbench/py.typed"} <= names
    schemas = {f"vosbench/{name}.schema.json" for name in ("dataset/dataset", "plan/plan", "records/record")}
    assert schemas <= names
    assert {"vosbench/published/f2net-3.csv"} <= names
    site = REPOSITORY / "vosbench" / "report" / "site"
    parts = [
        path.relative_to(REPOSITORY).as_posix()
        for part in ("templates", "assets")
        for path in (site / part).rglob("*.*")
    ]
    assert {"vosbench/report/site/assets/site.js"} <= {*parts} <= names
    assert {"vosbench/methods/adnet/recipe.yaml", "vosbench/methods/adnet/tiny.safetensors"} <= names
    assert not [name for name in names if name.startswith(("tests", "methods", "datasets", "results"))]


def test_checkout_without_symbolic_links_runs(tmp_path: Path) -> None:
    hidden = shutil.ignore_patterns("__pycache__", *LINKS)
    shutil.copytree(REPOSITORY / "vosbench", tmp_path / "vosbench", ignore=hidden)
    for name in LINKS:
        (tmp_path / "vosbench" / name).write_text(f"../{name}", "utf-8")
    for folder in ("methods", "datasets", "results/published"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    code = (
        "import vosbench.methods.f2net, vosbench.datasets.sample\n"
        "from vosbench.records.published import published\n"
        "print(vosbench.methods.f2net.__file__, vosbench.datasets.sample.__file__, len(published('f2net-3')) > 0)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert shown.split() == [
        str(tmp_path / "methods" / "f2net" / "__init__.py"),
        str(tmp_path / "datasets" / "sample" / "__init__.py"),
        "True",
    ]


def test_the_lock_has_a_hash_of_every_file_and_names_no_index() -> None:
    text = (REPOSITORY / "requirements-dev.lock").read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    entries = re.findall(
        r"^([\w.-]+)==(\S+)(?: ; [^\\\n]+)?((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE
    )
    assert len(entries) == len(re.findall(r"^\w", text, re.MULTILINE)) > 100
    locked = {canonical(name): version for name, version, _ in entries}
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)", (REPOSITORY / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    other = {name for name, version in pinned.items() if locked.get(canonical(name), version) != version}
    assert other == set()
    groups = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][each] for each in ("dev", "test", *OPTIONAL))]
    wanted = {canonical(re.split(r"[>=;<\[ ]", line)[0]) for group in groups for line in group}
    assert wanted - locked.keys() == {canonical(name) for name in declared(*TRACKERS)} | {"vosbench"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_ci_can_only_read() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert not [job for job in workflow["jobs"].values() if "permissions" in job]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout")]
    assert len(checkouts) == len(workflow["jobs"])
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)
    assert "secrets" not in json.dumps(workflow)
