"""The commands and the code of Markdown pages."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/*.md", "examples/*/*.md", "methods/*/*.md", "datasets/*/*.md")
    for path in REPOSITORY.glob(pattern)
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text("utf-8")


def fenced(page: str, *languages: str) -> Iterator[str]:
    """The blocks of code in some languages."""
    for language, block in FENCE.findall(text_of(page)):
        if language in languages:
            yield block


def commands(page: str) -> list[str]:
    """The commands of a page, in order, without comments and with continued lines joined."""
    blocks: list[tuple[int, list[str]]] = []
    text = text_of(page)
    for match in FENCE.finditer(text):
        lines = match[2].replace("\\\n", " ").splitlines()
        if match[1] == "sh":
            blocks.append((match.start(), lines))
        elif match[1] == "console":
            blocks.append((match.start(), [line[2:] for line in lines if line.startswith("$ ")]))
    plain = FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    for match in INDENTED.finditer(plain):
        lines = [line.strip() for line in match[0].replace("\\\n", " ").splitlines()]
        blocks.append((match.start(), [line for line in lines if re.match(r"(vosbench|pip|python) ", line)]))
    found = [re.sub(r"\s+#.*$", "", line).strip() for _, lines in sorted(blocks) for line in lines]
    return [line for line in found if line]


def inline(page: str) -> list[list[str]]:
    """The words of commands that stand in a text: ``vosbench …`` between backticks."""
    return [shlex.split(said) for said in re.findall(r"`(vosbench [^`\n]+)`", FENCE.sub("", text_of(page)))]
