"""Links between the Markdown files of the repository lead to files and headings that exist."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from documented import FENCE, REPOSITORY

FILES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/*.md", "examples/*/*.md", "methods/*/*.md", "datasets/*/*.md", "results/**/*.md")
    for path in REPOSITORY.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def links(text: str) -> Iterator[str]:
    """What is linked outside of code."""
    return (match[1] for match in LINK.finditer(re.sub(r"`[^`\n]*`(?!\])", "", FENCE.sub("", text))))


@cache
def anchors(file: Path) -> set[str]:
    """The anchors of a file's headings, as GitHub and the site name them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", file.read_text("utf-8")), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-"))
    return found


@pytest.mark.parametrize("name", FILES)
def test_links_lead_somewhere(name: str) -> None:
    file = REPOSITORY / name
    for target in links(file.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        path, _, anchor = target.partition("#")
        to = (file.parent / path).resolve() if path else file
        assert to.is_relative_to(REPOSITORY), target
        assert to.exists(), target
        if anchor:
            assert anchor in anchors(to), target


def test_pictures_have_a_text() -> None:
    for name in FILES:
        assert "![](" not in (REPOSITORY / name).read_text("utf-8"), name


def test_the_picture_of_the_readme_is_small() -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (REPOSITORY / "README.md").read_text("utf-8"))
    assert (REPOSITORY / picture).stat().st_size < 150_000
