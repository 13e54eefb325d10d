"""The site as files: what is written, that it is safe, and that it is the same each time."""

import json
import re
from pathlib import Path

import pytest

from factories import davis16_record, make_record
from vosbench.errors import DataError, UsageError
from vosbench.records.record import Record, write
from vosbench.report.figures.sources import Shown, read
from vosbench.report.site.build import build_site
from vosbench.report.site.model import SiteOptions

pytest.importorskip("jinja2", reason="needs the extra site")
OWN = SiteOptions(published=False)


def written(folder: Path, *records: Record) -> list[Shown]:
    for record in records:
        write(folder / record.dataset / f"{record.name}.json", record, [])
    return read([str(folder)], folder)


def board_of(site: Path) -> dict[str, list[object]]:
    text = (site / "data" / "board.js").read_text("utf-8")
    assert text.startswith("VB.board(")
    return dict(json.loads(text.removeprefix("VB.board(").removesuffix(");\n")))


def test_pages_and_data_are_written(tmp_path: Path) -> None:
    record = davis16_record("osvos", {"J_mean": 0.8}, videos={"cows": {"J_mean": 0.8}})
    site = build_site(written(tmp_path / "results", record), tmp_path / "site", SiteOptions())
    assert (tmp_path / "site" / "index.html").is_file()
    (own,) = site.measured()
    assert (tmp_path / "site" / "records" / "davis16" / f"{own.key}.json").read_text("utf-8") == record.to_json()
    board = board_of(tmp_path / "site")
    assert len(board["rows"]) == len(site.rows) > 400


def test_names_of_others_stay_text(tmp_path: Path) -> None:
    name = "<script>alert(1)</script> \u202eevil"
    record = make_record(name.replace("/", ""), {"J_mean": 0.5}, videos={"v": {"J_mean": 0.5}})
    folder = tmp_path / "results" / "toy"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(record.to_json(), "utf-8")
    build_site(read([str(tmp_path / "results")], tmp_path), tmp_path / "site", OWN)
    for path in (tmp_path / "site").rglob("*.html"):
        text = path.read_text("utf-8")
        assert "<script>alert" not in text
        assert "\u202e" not in text
        assert not re.search(r"\son\w+=|style=|javascript:", text)
        assert re.findall(r"<script(?! src=)", text) == []


def test_two_records_of_one_name_are_refused(tmp_path: Path) -> None:
    one, other = (make_record("a", {"J_mean": score}) for score in (0.5, 0.6))
    found = [*written(tmp_path / "one", one), *written(tmp_path / "other", other)]
    with pytest.raises(DataError, match='are both "a" on toy'):
        build_site(found, tmp_path / "site", OWN)


def test_other_folders_are_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty and not a site"):
        build_site([], tmp_path, OWN)


def test_the_same_records_make_the_same_site(tmp_path: Path) -> None:
    found = written(tmp_path / "results", make_record("a", {"J_mean": 0.5}, videos={"v": {"J_mean": 0.5}}))
    contents = []
    for name in ("one", "other"):
        build_site(found, tmp_path / name, OWN)
        paths = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append({path.relative_to(tmp_path / name): path.read_bytes() for path in paths})
    assert contents[0] == contents[1]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "example.org", "file:///etc"])
def test_addresses_that_are_not_of_the_web_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a site"):
        build_site([], tmp_path / "site", SiteOptions(url=url))


def test_scripts_build_elements_of_text_alone() -> None:
    import vosbench.report.site

    folder = Path(vosbench.report.site.__file__).with_name("assets")
    for path in folder.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text("utf-8")
        )


def test_pages_of_records_that_are_gone_are_removed(tmp_path: Path) -> None:
    one, other = (make_record(name, {"J_mean": 0.5}, videos={"v": {"J_mean": 0.5}}) for name in "ab")
    found = written(tmp_path / "results", one, other)
    site = build_site(found, tmp_path / "site", OWN)
    gone = next(row for row in site.rows if row.title == "b")
    (tmp_path / "site" / "mine.txt").write_text("stays")
    build_site([each for each in found if each.record.method == "a"], tmp_path / "site", OWN)
    build_site(found[:1], tmp_path / "fresh", OWN)
    contents = []
    for name in ("site", "fresh"):
        folder = tmp_path / name
        contents.append({str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()})
    assert contents[0] == {*contents[1], "mine.txt"}
    assert not (tmp_path / "site" / "method" / f"{gone.method}.html").exists()
