"""The leaderboard under several protocols, all datasets at once, and the curves of videos, in a browser."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from factories import davis16_record
from vosbench.records.record import Record, Row, write
from vosbench.registry import load_dataset
from vosbench.report.figures.sources import read
from vosbench.report.site.model import Site, SiteOptions
from vosbench.report.site.numbers import ranks

pytest.importorskip("jinja2", reason="needs the extra site")

from vosbench.report.site.build import build_site

EVIL = "<img src=x onerror=alert(1)>"
OTHER = "davis16@1|J:all|F:0.008|avg:video|vosbench 0.1.0"
NAMES = tuple(load_dataset("davis16").listing("val"))


def record(method: str, mean: float, **changes: Any) -> Record:
    values = [mean + 0.005 * (at % 2) for at in range(len(NAMES))]
    videos = {
        name: {"J_mean": value, "F_mean": mean, "JF_mean": (value + mean) / 2}
        for name, value in zip(NAMES, values, strict=True)
    }
    scores = {"J_mean": mean + 0.0025, "F_mean": mean, "JF_mean": mean + 0.00125, **changes.pop("scores", {})}
    return davis16_record(method, scores, videos=videos, **changes)


def built(folder: Path, records: Sequence[Record], options: SiteOptions) -> Site:
    for each in records:
        path = folder / "results" / "davis16" / f"{each.name}.json"
        rows = [Row(name, 1, of, each.videos[name][f"{of}_mean"] or 0) for name in NAMES for of in "JF"]
        write(path, each, rows)
        if each.method != "mine":
            path.with_suffix(".csv.gz").unlink()
    evil = record("x", 0.6).model_copy(update={"method": EVIL})
    (folder / "results" / "davis16" / "evil.json").write_text(evil.to_json(), "utf-8")
    return build_site(read([str(folder / "results")], folder), folder / "site", options)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("board")
    records = [
        record("osvos", 0.5),
        record("mine", 0.7, provenance={"training": "Real all + duts train, from weights of ImageNet"}),
        record("best", 0.9, signature=OTHER),
        record("half", 0.8, scores={"F_mean": None}),
    ]
    return built(folder, records, SiteOptions())


def opened(page: Any, site: Site, path: str = "index.html") -> Any:
    page.goto((site.out / path.partition("#")[0]).as_uri() + path[len(path.partition("#")[0]) :])
    if path.startswith("index"):
        page.wait_for_selector("table.board tbody tr")
    return page


def names_of(page: Any) -> list[str]:
    return list(page.eval_on_selector_all("table.board tbody th a", "of => of.map(a => a.textContent)"))


def column(page: Any, key: str) -> list[str]:
    at = page.locator(f"table.board thead th:has([data-sort={key}])").evaluate("th => th.cellIndex")
    cells = "(of, at) => of.map(tr => tr.cells[at].firstChild.textContent)"
    return list(page.eval_on_selector_all("table.board tbody tr", cells, at))


def word(page: Any, key: str) -> str | None:
    page.wait_for_timeout(50)  # the address is written in the next frame
    found = re.search(rf"[#&]{key}=([^&]*)", page.url)
    return found[1] if found else None


def test_rows_of_other_training_and_protocols_are_found(page: Any, site: Site) -> None:
    opened(page, site)
    page.select_option("label:has-text('Numbers') select", "measured")
    page.select_option("label:has-text('Trained on') select", "duts")
    assert names_of(page) == ["mine"]
    assert (word(page, "k"), word(page, "tr")) == ("measured", "duts")
    assert "trained on Real + duts; from ImageNet weights" in page.text_content("table.board tbody th")
    page.click("text=Reset")
    page.fill("input[type=search]", "best")
    page.wait_for_selector("table.board tbody tr:nth-child(9)", state="detached")
    assert "best" not in names_of(page)  # it is under another signature
    page.select_option("label:has-text('Protocol') select", "*")
    assert "best" in names_of(page)
    assert OTHER.rpartition("|")[0] in column(page, "protocol")


def test_ranks_are_those_of_python_and_never_across_signatures(page: Any, site: Site) -> None:
    opened(page, site, "index.html#p=*&all=1")
    shown = page.evaluate("VB.rows.map(row => row.key)")
    at = page.evaluate("VB.measureAt.J_mean")
    found = page.evaluate(
        "at => { const of = VB.ranks(VB.rows, at); return VB.rows.map(row => of.has(row) ? of.get(row) : null); }", at
    )
    expected = ranks(site.rows, "J_mean")
    assert shown == [row.key for row in site.rows]
    assert found == [expected.get(key) for key in shown]
    best = next(row for row in site.rows if row.title == "best")
    assert expected[best.key] == 1
    assert page.locator("th:has([data-sort=protocol])").count() == 1


def test_columns_are_chosen(page: Any, site: Site) -> None:
    opened(page, site, "index.html#k=measured")
    page.click("summary:has-text('Columns')")
    page.uncheck("fieldset label:has-text('F mean') input")
    page.check("fieldset label:has-text('Trained on') input")
    assert page.locator("[data-sort=F_mean]").count() == 0
    assert column(page, "trained")[:2] == ["–", "Real + duts; from ImageNet weights"]
    assert "trained" in (word(page, "c") or "")


def test_all_datasets_are_columns_of_one_measure_each(page: Any, site: Site) -> None:
    opened(page, site, "index.html#d=*")
    assert page.locator("thead th").count() == 1 + len(site.datasets)
    page.click("[data-sort='d:visal']")
    values = column(page, "'d:visal'")
    known = [float(value) for value in values if value != "–"]
    assert known == sorted(known, reverse=True)
    assert len(known) > 3


def test_names_of_others_are_text(page: Any, site: Site) -> None:
    opened(page, site, "index.html#k=measured&all=1")
    assert EVIL in names_of(page)
    assert page.locator("main img").count() == 0
    assert page.evaluate("VB.el('a', {href: 'javascript:alert(1)'}).hasAttribute('href')") is False
    assert page.evaluate("VB.el('a', {href: ' JAVASCRIPT:alert(1)'}).hasAttribute('href')") is False
    with pytest.raises(Exception, match="is not for"):
        page.evaluate("VB.el('a', {onclick: 'alert(1)'})")


def test_curves_follow_the_slider_and_the_address(page: Any, site: Site) -> None:
    row = next(row for row in site.rows if row.title == "mine")
    opened(page, site, "video/davis16/cows.html")
    assert page.text_content(".legend .value") in {"0.700", "0.705"}
    page.focus(".curves input[type=range]")
    page.keyboard.press("ArrowRight")
    assert page.text_content(".legend .value") == "–"
    assert word(page, "f") == "2"
    page.uncheck(".legend input")
    assert page.locator(".plot polyline").count() == 0
    opened(page, site, f"video/davis16/cows.html#m={row.key}&f=1&w=F")
    page.reload()
    assert page.input_value(".curves select") == "F"
