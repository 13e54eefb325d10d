"""Text of others: in no format is it markup, a formula, or a command of a terminal."""

import csv
import io
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import vosbench
from factories import make_record
from vosbench.records.record import Record
from vosbench.records.store import save
from vosbench.report.escape import markdown
from vosbench.report.html import to_html
from vosbench.report.leaderboard import leaderboard, scores_table
from vosbench.report.page import results_page
from vosbench.report.table import Format, Table, render

Cli = Callable[..., subprocess.CompletedProcess[str]]
HOSTILE = (
    "\x1b[2J\x1b]0;title\x07",
    "a\u202egpj.exe\u2066",
    "a\x9b31mb\x7f\x00\u2028\ud800",
    "[click](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "<javascript:alert(1)>",
    "<script>alert(1)</script>",
    "&lt;b&gt; &#106;avascript",
    "`code` **bold** _x_ ~~y~~ $z$",
    "a|b\n# heading\n* item",
    "=HYPERLINK(1)",
    "+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "  =1",
    "\\input{/etc/passwd} % comment",
    "\"quoted\", 'x'; y",
)
UNSEEN = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def tables() -> list[Table]:
    """Tables whose headings, names and notes are hostile."""
    rows = [(text, 0.5, text) for text in HOSTILE]
    return [
        Table(columns=("method", "J", "x"), rows=rows, notes=HOSTILE, better=("", "higher", "")),
        *(Table(columns=("a", text), rows=[("b", text)], notes=(text,)) for text in HOSTILE),
        Table(columns=HOSTILE, rows=[], notes=()),
    ]


@pytest.mark.parametrize("kind", ["table", "md", "csv", "json", "latex"])
def test_no_format_holds_what_cannot_be_seen(kind: Format) -> None:
    for table in tables():
        shown = render(table, kind)
        assert not UNSEEN.search(shown)
        assert shown.encode()
    assert not UNSEEN.search(to_html(tables()[0]))


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_keeps_markup_as_text(text: str) -> None:
    shown = render(Table(columns=("a", text), rows=[("b", text)], notes=(text,)), "md")
    lines = shown.splitlines()
    assert len(lines) == 5
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines[:3])
    assert not re.search(r"(?<!\\)(\\\\)*[\[\]<`$*]", lines[2])
    assert lines[4].startswith("* ")
    assert not re.search(r"(?<!\\)(\\\\)*[\[\]<`$*]", lines[4][2:])


def test_usual_text_stays_as_it_is_in_markdown() -> None:
    text = "published: results/published/f2net-3.csv; J_mean, J&F, davis16@1|J:all, A − B > 0, https://example.org/a_b"
    assert markdown(text) == text


def test_csv_has_no_formulas() -> None:
    for table in tables():
        for row in csv.reader(io.StringIO(render(table, "csv"))):
            assert not [cell for cell in row if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))]
    numbers = render(Table(columns=("J",), rows=[(-0.5,)]), "csv")
    assert numbers == "J,notes\n-0.5,\n"


def test_json_keeps_values() -> None:
    named = [text for text in HOSTILE if "\ud800" not in text]
    shown = render(Table(columns=("a",), rows=[(text,) for text in named], notes=tuple(named)), "json")
    found = json.loads(shown)
    assert [row["a"] for row in found["rows"]] == found["notes"] == named


def test_html_has_no_markup_of_others() -> None:
    tags = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            assert {name for name, _ in attrs} <= {"style"}

    for table in tables():
        Tags().feed(to_html(table))
    assert tags <= {"table", "thead", "tbody", "tr", "th", "td", "p", "br", "b", "u"}


def test_latex_has_no_commands_of_others() -> None:
    shown = render(Table(columns=("a",), rows=[("\\input{x} % y",)], notes=("a\n\\input{x}",)), "latex")
    assert r"\textbackslash{}input\{x\} \% y" in shown
    assert shown.splitlines()[-1] == r"% a \input{x}"


@pytest.fixture
def hostile(tmp_path: Path) -> list[Path]:
    """Records of one dataset whose names, training lines and videos are hostile; files have usual names."""
    folder = tmp_path / "results" / "toy"
    folder.mkdir(parents=True)
    paths = []
    for index, text in enumerate(text for text in HOSTILE if "\ud800" not in text):
        videos = {text: {"J_mean": 0.5 + index / 100}, "b": {"J_mean": 0.5}}
        record = make_record(
            text, {"J_mean": 0.5 + index / 100}, videos, provenance={"training": text, "options": {text: text}}
        )
        paths.append(folder / f"{index}.json")
        paths[-1].write_text(record.to_json(), "utf-8")
    return paths


def test_records_in_every_report(hostile: list[Path]) -> None:
    records = [vosbench.read_record(path) for path in hostile]
    for kind in ("table", "md", "csv", "json", "latex"):
        for record in records:
            assert not UNSEEN.search(render(scores_table(record), kind))
            compared = vosbench.compare(record, records[0], force=True)
            assert not UNSEEN.search(compared.render(kind))
        assert not UNSEEN.search(render(leaderboard(records)[0], kind))
    page = results_page(hostile[0].parents[1])
    assert not UNSEEN.search(page)
    assert "](javascript" not in page.replace("\\](javascript", "")


def test_verdicts(hostile: list[Path]) -> None:
    for path in hostile:
        record = vosbench.read_record(path)
        worse = record.model_copy(
            update={"scores": {"J_mean": 0.1}, "videos": {key: {"J_mean": 0} for key in record.videos}}
        )
        for run in (record, worse):
            checked = vosbench.check(run, record)
            for kind in ("table", "json", "junit", "github", "markdown"):
                assert not UNSEEN.search(checked.render(kind))
            ET.fromstring(checked.render("junit"))
            assert all(line.startswith("::") for line in checked.render("github").splitlines())


def test_the_command_line_prints_nothing_that_cannot_be_seen(cli: Cli, hostile: list[Path]) -> None:
    folder = hostile[0].parents[1]
    (folder / "toy" / "\x1b[2J.json").write_text('{"\x1b[2J": 1}', "utf-8")
    calls = [
        ("table", "toy", "--plugin", Path(__file__).parents[1] / "plugins" / "toy.py"),
        ("compare", hostile[0], hostile[1], "--force"),
        ("compare", hostile[0], "missing\x1b[2J.json"),
        ("check", hostile[0], "--baseline", hostile[1]),
        ("check", hostile[0], "--baseline", hostile[0], "--format", "github"),
        ("table", "\x1b[2J"),
    ]
    for words in calls:
        done = cli(*words)
        assert not UNSEEN.search(done.stdout + done.stderr), words
        assert "Traceback" not in done.stderr
        assert done.returncode in {0, 1, 2, 3}


def test_what_is_written_is_escaped_and_found(tmp_path: Path) -> None:
    record: Record = make_record("=x", {"J_mean": 0.5})
    save(tmp_path, record, [])
    assert vosbench.read_records(tmp_path) == [record]
