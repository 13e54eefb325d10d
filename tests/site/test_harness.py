"""The browser tests themselves: what they let pass and what they refuse; and what is stored of others' programs."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
VENDORED = sorted(REPOSITORY.glob("tests/site/**/vendored.json")) + sorted(
    REPOSITORY.glob("vosbench/report/site/**/vendored.json")
)


def write(folder: Path, body: str, head: str = "<title>A page</title>") -> str:
    path = folder / "a page.html"
    path.write_text(f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>', "utf-8")
    return path.as_uri()


def test_a_plain_page_passes(tmp_path: Path, page: Any, accessible: Any) -> None:
    page.goto(
        write(tmp_path, '<main><h1>Heading</h1><img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></main>')
    )
    assert page.title() == "A page"
    accessible(page)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<img src="https://example.org/picture.png">', "request to elsewhere: https://example.org/picture.png"),
        ('<img src="file:///etc/picture.png">', "request to elsewhere: file:///etc/picture.png"),
        ('<img src="missing.png">', "failed: "),
        ("<script>console.error('spoken')</script>", "console: spoken"),
        ("<script>alert('spoken')</script>", "dialog: spoken"),
        ("<script>nothing.there()</script>", "script: nothing is not defined"),
    ],
)
def test_what_goes_wrong_on_a_page_is_noted(tmp_path: Path, watch: Any, body: str, problem: str) -> None:
    watch.open().goto(write(tmp_path, body))
    assert [line for line in watch.problems if line.startswith(problem)]
    watch.problems.clear()


def test_serious_violations_are_found(tmp_path: Path, page: Any, accessible: Any) -> None:
    page.goto(write(tmp_path, "<main><h1>Heading</h1><button></button></main>"))
    with pytest.raises(AssertionError, match="button-name"):
        accessible(page)


@pytest.mark.parametrize("path", VENDORED, ids=lambda path: path.parent.name)
def test_stored_programs_are_the_released_ones(path: Path) -> None:
    programs = json.loads(path.read_text("utf-8"))
    for program in programs:
        content = (path.parent / program["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == program["sha256"]
        assert program["version"].encode() in content[:500]
        assert all((path.parent / name).read_text("utf-8").strip() for name in program["license_files"])
    kept = {each.name for each in path.parent.iterdir()} - {"vendored.json"}
    assert kept == {name for program in programs for name in (program["file"], *program["license_files"])}
