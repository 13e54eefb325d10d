"""The leaderboard and the pages that links lead to, in a browser, from disk and from a server."""

import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from factories import make_record
from vosbench.report.figures.sources import read
from vosbench.report.site.keys import key_of, slug_of
from vosbench.report.site.model import SiteOptions

pytest.importorskip("jinja2", reason="needs the extra site")

from vosbench.report.site.build import build_site

SCRIPT, PICTURE, TURNED = "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a\u202egnp.\u202cb"
NAMES = {"first": "javascript:alert(1)", "second": SCRIPT}


@pytest.fixture(scope="module")
def site(own_results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's own results with published numbers, and a dataset whose every name is hostile."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(own_results / "davis16", folder / "results" / "davis16")
    (folder / "results" / "zoo").mkdir()
    for name, method in NAMES.items():
        record = make_record(
            method,
            {"J_mean": 0.5, PICTURE: 0.1},
            {PICTURE: {"J_mean": 0.4}, TURNED: {"J_mean": 0.6}},
            dataset="zoo",
            signature=f"toy@1|J:all|{PICTURE}|vosbench 0.1.0",
            provenance={"training": f'{SCRIPT}, from {PICTURE} "x" onload=alert(1)'},
        )
        (folder / "results" / "zoo" / f"{name}.json").write_text(record.to_json(), "utf-8")
    build_site(read([str(folder / "results")], folder), folder / "site", SiteOptions(title=f"Results {SCRIPT}"))
    return folder / "site"


PAGES = (
    "index.html#k=measured",
    "dataset/davis16.html",
    f"method/{key_of('AGS')}.html",
    "video/davis16/parkour.html",
    "compare.html",
    "charts.html",
)
HOSTILE = (
    "index.html#d=zoo&c=protocol,trained",
    "dataset/zoo.html",
    f"method/{key_of(SCRIPT)}.html",
    f"video/zoo/{slug_of(PICTURE)}.html",
    "compare.html#d=zoo",
    "charts.html#d=zoo",
)


def visit(page: Any, base: str, path: str) -> None:
    """Open a page, and wait until what scripts draw is there."""
    page.goto(f"{base}/{path}")
    assert page.locator("h1").count() == 1
    drawn = {"index": "table.board tbody tr", "compare": ".verdict", "charts": ".status:not(:empty)"}
    waited = drawn.get(path.partition(".html")[0])
    if waited:
        page.locator(waited).first.wait_for()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
def test_every_page_is_accessible_and_fits(site: Path, watch: Any, accessible: Any, scheme: str, width: int) -> None:
    page = watch.open(color_scheme=scheme, viewport={"width": width, "height": 844}, reduced_motion="reduce")
    for path in PAGES:
        visit(page, site.as_uri(), path)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.get_by_label("BibTeX").input_value().startswith("@misc{"), path
        assert page.locator("[data-permalink]").input_value(), path


def test_every_page_works_from_a_server(site: Path, page: Any, serving: Callable[[Path], str]) -> None:
    base = serving(site)
    for path in (*PAGES, *HOSTILE):
        visit(page, base.rstrip("/"), path)


def test_names_of_others_are_text_everywhere(site: Path, page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in HOSTILE:
        visit(page, site.as_uri(), path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
        assert page.locator("main script, main img[src=x]").count() == 0, path
        assert SCRIPT in page.title() + page.locator("body").inner_text(), path
    assert "\u202e" not in page.content()


def field(page: Any, name: str) -> Any:
    """The field with a label; the text of a label includes the options of its field."""
    return page.locator("label.field", has=page.locator(f"span:text-is('{name}')")).locator("select, input")


def column(page: Any, place: int) -> list[str]:
    return list(page.locator(f"table.board tbody tr > :nth-child({place})").all_inner_texts())


def numbers(texts: list[str]) -> list[float]:
    return [float(text.replace("−", "-")) for text in texts if text != "–"]


def place_of(page: Any, heading: str) -> int:
    heads = [text.split("\n")[0].strip(" ↑↓") for text in page.locator("table.board thead th").all_inner_texts()]
    return 1 + heads.index(heading)


def test_the_leaderboard_sorts(site: Path, page: Any) -> None:
    visit(page, site.as_uri(), "index.html")
    at = place_of(page, "T")
    head = page.locator("table.board thead th").nth(at - 1)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending", "of T, less is better"
    shown = column(page, at)
    assert numbers(shown) == sorted(numbers(shown))
    assert len(numbers(shown)) > 10
    assert set(shown[len(numbers(shown)) :]) <= {"–"}, "unknown is last"
    page.keyboard.press("Enter")  # the focus stays where it was
    page.locator('th[aria-sort="descending"]').wait_for()
    shown = column(page, at)
    assert numbers(shown) == sorted(numbers(shown), reverse=True)
    assert set(shown[len(numbers(shown)) :]) <= {"–"}, "and so it is the other way round"
    page.wait_for_url("**/index.html#s=-T_mean")
    page.reload()
    page.locator('th[aria-sort="descending"]').wait_for()
    assert numbers(column(page, at)) == numbers(shown)


def test_the_leaderboard_filters_and_its_address_keeps_the_filters(site: Path, watch: Any) -> None:
    page = watch.open()
    visit(page, site.as_uri(), "index.html")
    every = page.locator(".status").inner_text()
    field(page, "Numbers").select_option("measured")
    assert page.locator("table.board tbody tr").count() == 15
    assert page.locator(".kind.published").count() == 0
    field(page, "Task").select_option("semi-supervised")
    assert column(page, 2) != []
    assert {text.split("\n")[0].split()[0] for text in column(page, 2)} == {"osvos", "sfls"}
    field(page, "Search").fill("sf")
    page.locator(".status", has_text="1 of").wait_for()
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("J decay").check()
    place_of(page, "J decay")
    page.wait_for_function("location.hash.includes('J_decay')")

    other = watch.open()
    other.goto(page.url)
    other.locator(".status", has_text="1 of").wait_for()
    assert column(other, 2) == column(page, 2)
    place_of(other, "J decay")
    other.get_by_role("button", name="Reset").click()
    assert other.locator(".status").inner_text() == every
    field(other, "Dataset").select_option("*")
    assert len(column(other, 1)) == 100
    other.get_by_role("button", name=re.compile("Show all")).click()
    assert len(column(other, 1)) > 100


@pytest.mark.parametrize("state", ["d=nowhere&p=x&s=-nothing&c=no&y=soon", "d", "%E0%A4%A=1&k=%", "s=" + "a" * 3000])
def test_broken_links_show_the_leaderboard(site: Path, page: Any, state: str) -> None:
    visit(page, site.as_uri(), f"index.html#{state}")
    assert field(page, "Dataset").input_value() == "davis16"


def test_intervals_are_told_by_pointer_and_keys(site: Path, page: Any) -> None:
    visit(page, site.as_uri(), "index.html#k=measured")
    cell = page.locator("table.board tbody tr").first.locator("td.number:not(.rank)").first
    cell.hover()
    tip = page.get_by_role("tooltip")
    assert re.search(r"95 %: 0\.\d{3} to 0\.\d{3}", tip.inner_text())
    assert "davis16@1|J:inner" in tip.inner_text()
    page.mouse.move(0, 0)
    page.locator("table.board td[tabindex='0']").focus()
    first = tip.inner_text()
    page.keyboard.press("ArrowDown")
    assert tip.is_visible()
    assert tip.inner_text() != first
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_the_theme_is_a_choice_that_is_kept(site: Path, page: Any) -> None:
    visit(page, site.as_uri(), "index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    switch = page.get_by_role("button", name="Theme: auto")
    switch.click()
    page.get_by_role("button", name="Theme: light").click()
    assert page.get_by_role("button", name="Theme: dark").is_visible()
    dark = page.evaluate(paper)
    assert dark != light
    visit(page, site.as_uri(), "dataset/davis16.html")
    assert page.evaluate(paper) == dark


def test_pages_are_read_without_scripts(site: Path, watch: Any) -> None:
    page = watch.open(java_script_enabled=False)
    page.goto(f"{site.as_uri()}/dataset/davis16.html")
    assert page.locator("table tbody tr").count() >= 15
    page.goto(f"{site.as_uri()}/index.html")
    page.get_by_role("link", name="DAVIS-2016").first.click()
    assert page.locator("h1").inner_text() == "DAVIS-2016"


def test_the_keyboard_reaches_the_content_first(site: Path, page: Any) -> None:
    visit(page, site.as_uri(), "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_print_shows_every_row(site: Path, page: Any) -> None:
    visit(page, site.as_uri(), "index.html")
    total = int(page.locator(".status").inner_text().split()[0])
    assert page.locator("table.board tbody tr").count() < total
    page.pdf()
    assert page.locator("table.board tbody tr").count() == total


class Links(HTMLParser):
    """The links and the policy of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.policy = ""
        self.unsafe: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.found += [value for name in ("href", "src") if (value := known.get(name)) is not None]
        if known.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(known["content"])
        self.unsafe += [f"{tag} {name}" for name in known if name == "style" or name.startswith("on")]
        self.unsafe += ["script without src"] if tag == "script" and "src" not in known else []


def test_links_lead_somewhere_and_pages_have_a_policy(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 200
    seen: dict[Path, bool] = {}
    for path in pages:
        links = Links(path.read_text("utf-8"))
        assert links.policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'"), path
        assert "unsafe" not in links.policy
        assert not links.unsafe, path
        for link in links.found:
            parts = urlsplit(link)
            assert parts.scheme in {"", "http", "https"} or link == "data:,", f"{path}: {link}"
            if not parts.scheme and parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
                assert seen.setdefault(target, target.is_file()), f"{path}: {link}"
