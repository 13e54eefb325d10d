"""The site of the documentation: its pages, those made from code among them, and that it builds without a warning."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from documented import REPOSITORY
from vosbench.cli import app
from vosbench.registry import load_dataset

CONFIG = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text("utf-8"))


def nav(entries: list[Any]) -> Iterator[str]:
    """The pages of a part of the navigation."""
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from nav(value) if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "docs"
    subprocess.run([sys.executable, REPOSITORY / "docs" / "site" / "prepare.py", folder], check=True)
    return folder


def test_every_page_is_in_the_navigation(pages: Path) -> None:
    written = {path.relative_to(pages).as_posix() for path in pages.rglob("*.md")}
    assert written == set(nav(CONFIG["nav"]))


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert CONFIG["theme"]["font"] is False
    assert "repo_url" not in CONFIG
    assert [each if isinstance(each, str) else next(iter(each)) for each in CONFIG["plugins"]] == [
        "search",
        "mkdocstrings",
    ]
    assert "hooks" not in CONFIG
    assert "mermaid" not in str(CONFIG)


def test_datasets_have_their_card_and_what_the_code_knows(pages: Path) -> None:
    text = (pages / "datasets" / "davis16.md").read_text("utf-8")
    assert text.startswith((REPOSITORY / "datasets" / "davis16" / "README.md").read_text("utf-8").rstrip())
    for protocol in load_dataset("davis16").protocols:
        assert f"[`{protocol.name}`](../protocols.md#{protocol.name})" in text
        assert f"\n## {protocol.name}\n" in (pages / "protocols.md").read_text("utf-8")
    assert "| `val` | 20 | 1376 |" in text
    assert "vosbench fetch davis16 --to data --accept-licence" in text
    assert "`--dataset moca-mask`" in (pages / "datasets" / "moca-mask.md").read_text("utf-8")


def test_protocols_say_their_choices(pages: Path) -> None:
    text = (pages / "protocols.md").read_text("utf-8")
    section = text.partition("\n## davis16\n")[2].partition("\n## ")[0]
    assert "davis16@1|J:inner|F:0.008|T:gt-first|avg:video|" in section
    assert "* counts frames 1…N−2\n" in section
    assert "[davis16](datasets/davis16.md)" in section


def test_measures_have_their_definition(pages: Path) -> None:
    text = (pages / "measures.md").read_text("utf-8")
    assert "J = |A ∩ P| / |A ∪ P|" in text
    assert "| `T_mean` | T | lower | 0.02 | 0.1 |" in text


def test_commands_have_all_their_options(pages: Path) -> None:
    text = (pages / "cli.md").read_text("utf-8")
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        section = text.partition(f"\n## vosbench {name}\n")[2].partition("\n## ")[0]
        assert section, name
        for parameter in command.params:
            if parameter.param_type_name == "option" and not parameter.hidden and "--help" not in parameter.opts:
                assert f"| `{parameter.opts[0]}" in section, (name, parameter.opts)


def test_messages_of_all_tables_are_found_by_their_words(pages: Path) -> None:
    text = (pages / "troubleshooting.md").read_text("utf-8")
    for message in (
        "| a worker process was killed, for example because memory ran out; try fewer processes (--jobs) |",
        "| … is corrupt…; write or download it again | damaged files | 3 | [masks](masks.md) |",
        "a pointer of Git LFS",
        "there is no codec",
    ):
        assert message in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) > 60


def test_fields_of_records_are_described(pages: Path) -> None:
    text = (pages / "schema.md").read_text("utf-8")
    for field in ("signature", "provenance", "weights_loaded", "peak_memory", "f_measure", "unstable"):
        assert f"| `{field}` |" in text


class Resources(HTMLParser):
    """What a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in {"script", "img", "iframe", "source", "video"}:
            self.found.append(names.get("src") or "")
        if tag == "link" and names.get("rel") in {"stylesheet", "preconnect", "icon", "preload"}:
            self.found.append(names.get("href") or "")


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="mkdocs is not installed")
def test_the_site_builds_without_a_warning(pages: Path) -> None:
    config = pages.parent / "mkdocs.yml"
    config.write_text(f"INHERIT: {REPOSITORY / 'mkdocs.yml'}\ndocs_dir: {pages}\nsite_dir: {pages.parent / 'site'}\n")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", config]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    built = sorted((pages.parent / "site").rglob("*.html"))
    assert len(built) >= len(set(nav(CONFIG["nav"])))
    for page in built:
        resources = Resources()
        resources.feed(page.read_text("utf-8"))
        assert [each for each in resources.found if re.match(r"(https?:)?//", each)] == [], page
    assert "vosbench.score_protocols" in (pages.parent / "site" / "api" / "vosbench.html").read_text("utf-8")
