"""Faults that are injected: what is printed, the exit code, and what is left on disk, as rows of docs/faults.md.

A test of a fault is declared with `fault` and breaks something in a `Lab`, which is the fixture ``lab``. What was seen
has to be the row of the page: ``VOSBENCH_WRITE_FAULTS=1 pytest -m "slow or not slow" tests/faults`` writes the rows,
and other runs compare them.
"""

import ast
import functools
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import in_process
from factories import write_toy
from toys import TOY

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "faults.md"
BEGIN, END = "<!-- rows that tests have written -->", "<!-- end of these rows -->"
WRITE = "VOSBENCH_WRITE_FAULTS"
LONGEST = 240
PART = r"\.part$"
KINDS = {
    r"(^|/)\.lock$": "a lock",
    r"\.zip\.part$": "a part of a download",
    PART: "a half-written file",
    r"/run\.json$": "run.json",
    r"\.state\.npz$": "a state to resume from",
    r"/\.shards/.*\.json$": "rows of shards",
    r"/\.plan/": "the state of the plan",
    r"\.csv\.gz$": "rows",
    r"^results/[^/]*/[^/]*\.json$": "the record",
    r"^results/.*\.png$": "maps",
    r"^masks/.*\.png$": "masks",
    r"^site/vosbench-site.txt$": "the marker of a site",
    r"^site/": "pages of a site",
}
"""Pattern of a path → what it is called."""


class Lab:
    """A folder in which something is broken, with the toy dataset.

    Args:
        folder: the folder, which is the current one.
        monkeypatch: sets the environment.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.root = write_toy(folder / "toy")
        self.scratch = folder / "tmp"
        self.scratch.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.setenv("TMPDIR", str(self.scratch))
        monkeypatch.setattr(tempfile, "tempdir", str(self.scratch))
        self.setenv = monkeypatch.setenv
        self.patch = monkeypatch.setattr
        self.data = ("--dataset", "toy", "--root", str(self.root), "--plugin", str(TOY))
        self._before: dict[str, str] = {}
        self._seen: tuple[str, str, str] | None = None

    def run(self, *more: str | Path, method: str = "brightness") -> list[str]:
        """The words of a run of the toy dataset."""
        return ["run", "--method", method, *self.data, "--quiet", *map(str, more)]

    def score(self, *more: str | Path, masks: str | Path = "toy/masks") -> list[str]:
        """The words of scoring its masks."""
        return ["score", str(masks), *self.data, "--quiet", *map(str, more)]

    def plugin(self, text: str, name: str = "faulty.py") -> Path:
        """Write a plugin."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def done(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command that has to succeed."""
        done = in_process.call(*words)
        assert done.returncode == 0, done.stderr
        return done

    def begin(self) -> None:
        """Look at the disk: what follows is the fault."""
        self._before = self._files()

    def inject(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command in this process; what it prints and leaves is what is seen."""
        self.begin()
        done = in_process.call(*words)
        self.end(done.returncode, done.stderr)
        return done

    def process(self, *words: str | Path, prelude: str = "", **environment: str) -> "subprocess.Popen[str]":
        """Start the command in a process of its own; `end` takes what became of it."""
        self.begin()
        start = ["-c", f"{prelude}\nfrom vosbench.cli import main; main()"] if prelude else ["-m", "vosbench"]
        return subprocess.Popen(
            [sys.executable, "-B", *start, *map(str, words)],
            env={**os.environ, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ended(self, process: "subprocess.Popen[str]") -> str:
        """Wait for a process; what it prints and leaves is what is seen."""
        _, errors = process.communicate(timeout=100)
        code = process.returncode
        self.end(f"killed ({-code})" if code < 0 else code, errors)
        return errors

    def end(self, code: int | str, errors: str) -> None:
        """Take what was seen: one line, no traceback, and no leftovers in the folder for temporary files."""
        assert "Traceback" not in errors, errors
        lines = [line for line in errors.splitlines() if not line.startswith(("note: ", "progress: "))]
        said = [line for line in lines if line.startswith(("error: ", "Error: "))] or lines  # below a usage: "Error: "
        assert len(said) <= 1, errors
        left = self._left()
        if str(code).startswith("killed"):  # a matter of the moment
            left = left.replace(f"{KINDS[PART]}, ", "")
        self._seen = (self._plain(said[0] if said else "–"), str(code), left)

    def row(self) -> tuple[str, str, str]:
        """What is printed, the exit code, and what is left on disk."""
        assert self._seen is not None, "nothing was injected"
        return self._seen

    def _plain(self, line: str) -> str:
        """A line without names and numbers of this run."""
        line = (
            line.removeprefix("error: ")
            .replace(str(self.folder), "…")
            .replace(f" on {socket.gethostname()} ", " on … ")
        )
        line = re.sub(r'"[^"]*"', '"…"', line)
        line = re.sub(
            r"\b[0-9a-f]{64}\b|(?<=cannot be run: ).*|(?<=Invalid JSON: )[^;)]*", "…", line
        )  # words of ONNX Runtime and pydantic
        line = re.sub(r"(?<![\w-])\d[\d,.:-]*(?![\w])", "…", line).replace("|", "/")
        return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"

    def _left(self) -> str:
        now = self._files()
        new = self._kinds({name for name in now if name not in self._before})
        changed = self._kinds({name for name in now if name in self._before and now[name] != self._before[name]})
        gone = self._kinds(self._before.keys() - now.keys())
        parts = [", ".join(new)] if new else []
        parts += [f"changed: {', '.join(changed)}"] if changed else []
        parts += [f"gone: {', '.join(gone)}"] if gone else []
        return "; ".join(parts) or ("unchanged" if self._before else "nothing")

    def _kinds(self, names: set[str]) -> list[str]:
        found = {self._kind(name) for name in names}
        order = [*KINDS.values(), "the record, marked incomplete"]
        return sorted(found, key=lambda kind: (order.index(kind) if kind in order else len(order), kind))

    def _kind(self, name: str) -> str:
        kind = next((kind for pattern, kind in KINDS.items() if re.search(pattern, name)), Path(name).name)
        if kind == "the record":
            try:
                failed = json.loads((self.folder / name).read_bytes()).get("failed")
            except (OSError, ValueError, AttributeError):
                failed = None
            return "the record, marked incomplete" if failed else kind
        return kind

    def _files(self) -> dict[str, str]:
        """Path → hash of all files, without the dataset's."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and self.root not in path.parents)
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.parent.name != "__pycache__"
            and (path.parent != self.folder or path.suffix not in {".py", ".yaml"})  # what the test itself writes
        }


def fault(title: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a test of a fault, which breaks something in a `Lab`, its argument ``lab``.

    Args:
        title: what is injected, as in the page.
    """

    def declare(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def compared(*arguments: Any, lab: Lab, **named: Any) -> None:
            test(*arguments, lab=lab, **named)
            row = (title, *lab.row())
            assert all(cell.strip() for cell in row), row
            if os.environ.get(WRITE):
                write(row)
            assert " | ".join(row) in {" | ".join(each) for each in rows()}, f"{row} is not in {PAGE}; see {__file__}"

        return compared

    return declare


def rows() -> list[tuple[str, ...]]:
    """The rows of the page that tests have written."""
    text = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines[1:]]


def write(row: tuple[str, ...]) -> None:
    """Put a row into the page, in the order of the declarations."""
    titles = declared()
    known = {each[0]: each for each in rows() if each[0] in titles} | {row[0]: row}
    lines = [f"| {' | '.join(known[title])} |" for title in titles if title in known]
    text = PAGE.read_text("utf-8")
    head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
    table = ["| fault | what is printed | exit code | left on disk |", "|---|---|---|---|", *lines]
    PAGE.write_text(f"{head}{BEGIN}\n\n{chr(10).join(table)}\n\n{END}{tail}", "utf-8")


def declared() -> list[str]:
    """The titles of all faults that tests declare, by file and line."""
    return [title for path in sorted(TESTS.rglob("test_*.py")) for title in _declared(path)]


def _declared(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    if "@fault(" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        for decorator in getattr(node, "decorator_list", ()):
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "fault":
                yield ast.literal_eval(decorator.args[0])
