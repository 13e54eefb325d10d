"""The command ``vosbench report``."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from factories import make_record

pytest.importorskip("jinja2", reason="needs the extra site")
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "toy"
    folder.mkdir(parents=True)
    record = make_record("a", {"J_mean": 0.5}, {"v": {"J_mean": 0.5}})
    (folder / "a.json").write_text(record.to_json(), "utf-8")
    return folder.parent


def test_a_site_of_all_results_is_made(cli: Cli, tmp_path: Path, results: Path) -> None:
    (results / "toy" / "broken.json").write_text("{", "utf-8")
    made = cli("report", "--no-published", "--title", "Ours")
    assert (made.returncode, made.stdout) == (0, "site/index.html\n"), made.stderr
    assert "broken.json" in made.stderr
    assert "Ours: leaderboard" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert not cli("report", results / "toy" / "a.json", "--out", "other", "--quiet").stderr


@pytest.mark.usefixtures("results")
def test_what_cannot_be_made_is_one_line(cli: Cli, tmp_path: Path) -> None:
    empty = cli("report", "--results", "nowhere")
    assert (empty.returncode, empty.stderr.count("\n")) == (2, 1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine", "utf-8")
    refused = cli("report", "--out", "full")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is not empty and not a site" in refused.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["note.txt"]
    assert cli("report", "--url", "javascript:alert(1)").returncode == 2
