"""The rules of the house that no linter holds."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
GROUND = {
    "methods": {"method", "dataset", "images", "engine", "errors", "files"},
    "datasets": {"dataset", "images", "metrics", "errors"},
}
PLUGINS = [path for room in ("methods", "datasets") for path in sorted((REPOSITORY / room).rglob("*.py"))]


@pytest.mark.parametrize("room", ["methods", "datasets"])
def test_plugin_folders_are_linked_and_are_not_packages(room: str) -> None:
    assert not (REPOSITORY / room / "__init__.py").exists()
    link = REPOSITORY / "vosbench" / room
    assert link.is_symlink()
    assert str(link.readlink()) == f"../{room}"


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_plugins_import_only_the_ground_floors(path: Path) -> None:
    room, name = path.relative_to(REPOSITORY).parts[:2]
    own = f"vosbench.{room}.{name}"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = [node.module or ""]
            if node.module == "vosbench":
                modules = [f"vosbench.{alias.name}" for alias in node.names]
        for module in modules:
            if module.split(".")[0] == "vosbench" and not module.startswith(own):
                assert module.split(".")[1] in GROUND[room], f"{path} imports {module}"


SCRIPTS = [
    path
    for folder in ("examples", "tests/benchmarks", "tests/reference")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
]


@pytest.mark.torch
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_imports_of_scripts_exist(path: Path) -> None:
    """Benchmarks and examples are not run by the tests; what they import must be there all the same."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vosbench":
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


@pytest.mark.parametrize(
    "words", [["--help"], ["list"], ["list", "datasets"], ["run", "--help"], ["segment", "--help"], ["train", "--help"]]
)
def test_help_and_list_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['vosbench', *{words}]\n"
        "from vosbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'scipy.stats', 'pandas', 'matplotlib'} & sys.modules.keys()\n"
        "heavy |= {'numpy'} & sys.modules.keys() if '--help' in sys.argv else set()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_scoring_never_imports_torch(toy_root: Path) -> None:
    toy = REPOSITORY / "tests" / "plugins" / "toy.py"
    code = (
        "import sys\n"
        f"sys.argv = 'vosbench score {toy_root}/masks --dataset toy --root {toy_root} --plugin {toy}'.split()\n"
        "from vosbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "unwanted = {'torch', 'scipy.stats', 'pandas', 'matplotlib', 'vosbench.report.figures'}\n"
        "assert not unwanted & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_modules_stay_small() -> None:
    folders = [
        REPOSITORY / room for room in ("vosbench/metrics", "vosbench/cli", "vosbench/train", "methods", "datasets")
    ]
    paths = [*(REPOSITORY / "vosbench").glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    long = {path.name: count for path in paths if (count := len(path.read_text("utf-8").splitlines())) > 300}
    assert not long


def test_imports_go_down_only() -> None:
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_documented_floors_are_the_contract() -> None:
    layers = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    text = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    floors = text.partition("\n## Floors\n")[2].partition("\n## ")[0]
    documented = [line.strip() for line in floors.splitlines() if line.startswith("    ")]
    assert documented == [floor.replace("vosbench.", "") for floor in layers["layers"]]
    assert len(documented) == 12


def test_changelog_names_the_version() -> None:
    from vosbench import __version__

    changelog = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## \[{re.escape(__version__)}\]", changelog, re.MULTILINE)


def test_citation_names_the_version() -> None:
    from vosbench import __version__

    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]


def test_hooks_are_pinned_as_everything_else() -> None:
    config = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text("utf-8"))
    pins = (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    wanted = {pin for hook in hooks for pin in hook.get("additional_dependencies", [])}
    assert wanted
    assert wanted <= set(pins)
    assert all(hook.get("additional_dependencies") for hook in hooks if hook["language"] != "system")


def test_classifiers_are_the_tested_versions() -> None:
    declared = {line.rsplit(" ", 1)[1] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    assert declared == set(workflow["jobs"]["tests"]["strategy"]["matrix"]["python"])
    environments = (REPOSITORY / "tox.ini").read_text("utf-8")
    assert all(f"py{version.replace('.', '')}" in environments for version in declared)


def plain(schema: object) -> object:
    """Without what only older versions of pydantic write: an enum of one beside a const."""
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if key != "enum"}
    return schema


@pytest.mark.parametrize(
    ("module", "name"), [("records.record", "record"), ("dataset.description", "dataset"), ("plan.schema", "plan")]
)
def test_schema_is_the_shipped_one(module: str, name: str) -> None:
    found = importlib.import_module(f"vosbench.{module}")
    shipped = Path(found.__file__).with_name(f"{name}.schema.json").read_text("utf-8")
    assert plain(json.loads(shipped)) == plain(json.loads(found.json_schema()))


def test_git_has_nothing_that_it_ignores() -> None:
    """A link .venv to an environment, once added, kept the README's first command from making its own."""
    git = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    listed = subprocess.run(git, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("git is not installed, or this is not a clone")
    assert listed.stdout == ""
