import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vosbench.dataset.roots import find_root, known_root, set_root
from vosbench.errors import DataError, UsageError
from vosbench.registry import load_dataset

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "roots.json"
    monkeypatch.setenv("VOSBENCH_CONFIG", str(path))
    monkeypatch.delenv("VOSBENCH_DATA", raising=False)
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))
    return path


def test_roots_are_searched_in_order(settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = replace(load_dataset("toy", [TOY]), folders=("Toy-2026",))
    with pytest.raises(UsageError, match="set-root toy FOLDER"):
        find_root(dataset)
    assert known_root(dataset) is None
    (tmp_path / "set").mkdir()
    assert set_root(dataset, tmp_path / "set") == settings
    assert find_root(dataset) == known_root(dataset) == tmp_path / "set"
    (tmp_path / "data" / "Toy-2026").mkdir(parents=True)
    monkeypatch.setenv("VOSBENCH_DATA", str(tmp_path / "data"))
    assert find_root(dataset) == tmp_path / "data" / "Toy-2026"
    assert find_root(dataset, tmp_path / "given") == tmp_path / "given"


def test_damaged_settings(settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text("[")
    with pytest.raises(DataError, match="fix or delete"):
        find_root(load_dataset("toy", [TOY]))


def test_set_root_by_command(cli: Cli, settings: Path, toy_root: Path) -> None:
    done = cli("data", "set-root", "toy", toy_root, "--plugin", TOY)
    assert done.returncode == 0, done.stderr
    assert str(toy_root) in cli("data", "roots").stdout
    listed = cli("list", "datasets", "--long", "--plugin", TOY).stdout
    assert re.search(rf"here +{re.escape(str(toy_root))}", listed)
    scored = cli("score", toy_root / "masks", "--dataset", "toy", "--plugin", TOY)
    assert scored.returncode == 0, scored.stderr
    refused = cli("data", "set-root", "toy", "nowhere", "--plugin", TOY)
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert settings.is_file()
