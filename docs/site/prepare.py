"""Write the pages of the documentation to build/docs, from which ``mkdocs build`` makes the site.

Pages are those of ``docs/``, other Markdown files of the repository, such as cards, and those that are made from code
(`catalogue`, `reference`). On GitHub the same files are read where they lie, so that links between them are rewritten
here; files that are not pages, such as examples, are copied to ``files/``.

    python docs/site/prepare.py && mkdocs build --strict
"""

import posixpath
import re
import shutil
import sys
from pathlib import Path

import catalogue

import reference
from vosbench.files import write_whole

REPOSITORY = Path(__file__).resolve().parents[2]
FIXED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "cite.md",
    "SECURITY.md": "security.md",
    "examples/ci/README.md": "examples/ci.md",
    "datasets": "datasets/index.md",
    "methods": "methods/index.md",
    "results/README.md": "results/leaderboard.md",
    "results/published/README.md": "results/published.md",
}
"""Files and folders of the repository that have a page, other than cards and those of docs/."""
LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)\s]+)(?P<after>(?:\s+\"[^\"]*\")?\))")
CODE = re.compile(
    r"^(?P<fence>```+|~~~+).*?^(?P=fence)\s*$|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)", re.MULTILINE | re.DOTALL
)


def pages() -> dict[str, str]:
    """Paths of the repository → the pages made of them, all relative and with slashes."""
    found = {f"results/{path.name}": f"results/{path.name}" for path in (REPOSITORY / "results").glob("*.md")}
    found |= FIXED
    found |= {f"docs/{path.name}": path.name for path in (REPOSITORY / "docs").glob("*.md")}
    for dataset in catalogue.datasets():
        found[f"datasets/{dataset.name.replace('-', '_')}/README.md"] = f"datasets/{dataset.name}.md"
    for method in catalogue.methods():
        found[f"methods/{method.name}/README.md"] = f"methods/{method.name}.md"
    return found


def from_code() -> dict[str, str]:
    """Page → text of all pages that are made from code alone."""
    return {
        "datasets/index.md": catalogue.datasets_page(),
        "methods/index.md": catalogue.methods_page(),
        "protocols.md": catalogue.protocols_page(),
        "measures.md": catalogue.measures_page(),
        "cite.md": catalogue.cite_page(REPOSITORY),
        "cli.md": reference.cli_page(),
        "troubleshooting.md": reference.troubleshooting_page(REPOSITORY / "docs"),
        "schema.md": reference.schema_page(),
        **reference.api_pages(),
    }


def outside_code(text: str) -> list[tuple[bool, str]]:
    """The parts of a Markdown text, and whether each is code.

    >>> outside_code("a `b` c")
    [(False, 'a '), (True, '`b`'), (False, ' c')]
    """
    parts, end = [], 0
    for match in CODE.finditer(text):
        parts += [(False, text[end : match.start()]), (True, match[0])]
        end = match.end()
    return [*parts, (False, text[end:])]


class Writer:
    """Writes pages, and the files that they link to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages = pages()

    def linked(self, text: str, source: str, page: str) -> str:
        """Rewrite the links of a file of the repository for the page that is made of it.

        Raises:
            ValueError: if a link leads nowhere.
        """

        def replaced(match: re.Match[str]) -> str:
            target, sign, anchor = match["target"].partition("#")
            if not target or re.match(r"[a-z]+:", target):
                return match[0]
            path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
            to = posixpath.relpath(self.page_of(path, source), posixpath.dirname(page) or ".")
            return f"{match['before']}{to}{sign}{anchor}{match['after']}"

        return "".join(part if code else LINK.sub(replaced, part) for code, part in outside_code(text))

    def page_of(self, path: str, source: str) -> str:
        """The page of a file, or its copy."""
        if path in self.pages:
            return self.pages[path]
        if path.startswith("docs/"):
            return path.removeprefix("docs/")
        file = REPOSITORY / path
        if not file.is_file():
            raise ValueError(f'{source} links to "{path}", which is not a file or has no page')
        copy = self.folder / "files" / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        return f"files/{path}"

    def write(self, page: str, text: str) -> None:
        """Write a page."""
        write_whole(self.folder / page, text.encode())

    def copy(self, source: str) -> None:
        """Write the page of a Markdown file of the repository."""
        text = (REPOSITORY / source).read_text("utf-8")
        page = self.pages[source]
        self.write(page, self.linked(text, source, page))


def prepare(folder: Path) -> None:
    """Write all pages into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    writer = Writer(folder)
    shutil.copytree(REPOSITORY / "docs" / "figures", folder / "figures")
    for source in writer.pages:
        if source.endswith(".md") and not source.startswith("datasets/"):
            writer.copy(source)
    for dataset in catalogue.datasets():
        source = f"datasets/{dataset.name.replace('-', '_')}/README.md"
        page = writer.pages[source]
        card = writer.linked((REPOSITORY / source).read_text("utf-8"), source, page)
        writer.write(page, catalogue.dataset_page(dataset, card))
    for page, text in from_code().items():
        writer.write(page, text)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "build" / "docs")
