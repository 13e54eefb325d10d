"""Charts and comparisons: their data, and that a page computes what vosbench computes."""

import json
import math
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from factories import davis16_record
from vosbench.metrics.significance import compare, mean_interval
from vosbench.records.compare import compare as compare_records
from vosbench.records.record import Curves, Record, Row, Speed, write
from vosbench.records.record import read as read_record
from vosbench.registry import load_dataset
from vosbench.report.figures.sources import read
from vosbench.report.site.keys import key_of
from vosbench.report.site.model import SiteOptions

pytest.importorskip("jinja2", reason="needs the extra site")

from vosbench.report.site.build import build_site

OWN = SiteOptions(published=False)
RISING = tuple(level / 255 for level in range(256))
SPEED = Speed(
    frames=9,
    warmup=1,
    fps=20,
    latency=0.05,
    stages={},
    peak_memory=1,
    parameters=2_000_000,
    gmacs=None,
    size="854x480",
    device_name="a processor",
    threads=1,
)
TIES = ([0.5, 0.5, 0.5, 0.5], [0.1, 0.1, 0.2, 0.2], [0.0, 0.0, 0.0, 0.9], [1e-13, 0.0, 0.0])


def record(method: str, values: dict[str, float], **changes: Any) -> Record:
    mean = math.fsum(values.values()) / len(values)
    return davis16_record(
        method, {"J_mean": mean}, videos={name: {"J_mean": value} for name, value in values.items()}, **changes
    )


def built(folder: Path, *records: Record, rows: dict[str, list[Row]] | None = None) -> Path:
    for each in records:
        write(folder / "results" / each.dataset / f"{each.name}.json", each, (rows or {}).get(each.method, []))
        if not (rows or {}).get(each.method):
            (folder / "results" / each.dataset / f"{each.name}.csv.gz").unlink()
    build_site(read([str(folder / "results")], folder), folder / "site", OWN)
    return folder / "site"


def data(site: Path, path: str) -> Any:
    return json.loads((site / "data" / path).read_text("utf-8").removeprefix("VB.dataset(").removesuffix(");\n"))


def test_records_that_can_be_compared_are_in_one_group(tmp_path: Path) -> None:
    site = built(
        tmp_path,
        record("a", {"cows": 0.5, "goat": 0.7}),
        record("b", {"cows": 0.6, "goat": 0.6}),
        record("c", {"cows": 0.6}, signature="davis16@1|J:all|vosbench 0.1.0"),
        record("d", {"cows": 0.6, "goat": 0.6}, provenance={"limit": 5}),
    )
    first, *others = data(site, "compare/davis16.js")["groups"]
    assert [len(group["rows"]) for group in (first, *others)] == [2, 1, 1]
    assert first["measures"] == [{"name": "J_mean", "heading": "J mean", "better": "higher"}]
    places = {video["name"]: at for at, video in enumerate(first["videos"])}
    values = {row[0].rpartition("-")[0]: row[1] for row in first["rows"]}
    assert [values[name][places["cows"]] for name in "ab"] == [0.5, 0.6]
    assert len({group["key"] for group in (first, *others)}) == 3
    assert "DEF" in first["videos"][places["cows"]]["attributes"]
    assert (site / "compare.html").is_file()


def test_a_single_record_has_charts_and_no_comparison(tmp_path: Path) -> None:
    site = built(tmp_path, record("a", {"cows": 0.5}))
    assert (site / "charts.html").is_file()
    assert not (site / "compare.html").exists()
    assert "compare.html" not in (site / "charts.html").read_text("utf-8")


def test_what_is_drawn_of_a_record(tmp_path: Path) -> None:
    curves = Curves(precision=RISING, recall=RISING[::-1], f_measure=RISING)
    frames = [Row("cows", t, measure, value) for measure in "JF" for t, value in enumerate((0.25, 0.75, 0.75, 0.25))]
    whole = record("a", {"cows": 0.5}, speed=SPEED, curves=curves)
    site = built(tmp_path, whole, record("b", {"cows": 0.5}), rows={"a": frames})
    drawn = data(site, "charts/davis16.js")
    first, second = drawn["rows"].values()
    assert second["success"] == {}
    assert second["pr"] is second["speed"] is None
    assert first["success"]["J"][0] == 1
    assert first["success"]["J"][24:26] == [1, 0.5], "values at a threshold are not above it"
    assert first["success"]["J"][100] == 0
    assert first["pr"][0][255] == 1
    assert (first["speed"]["fps"], first["speed"]["gmacs"]) == (20, None)
    ((group, counted),) = drawn["attributes"].items()
    assert set(map(tuple, counted)) == {
        (name, 1) for name in data(site, "compare/davis16.js")["groups"][0]["videos"][0]["attributes"]
    }
    assert set(first["attributes"]["J_mean"]) == {0.5}
    assert all(key.startswith(f"{group}/") for key in drawn["rows"])


@pytest.fixture(scope="module")
def site(own_results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the repository's own results, with two records of soft maps and of speed."""
    folder = tmp_path_factory.mktemp("charts")
    shutil.copytree(own_results / "davis16", folder / "results" / "davis16")
    path = folder / "results" / "davis16" / "f2net.lite.json"
    known = json.loads(path.read_text("utf-8"))
    known["curves"] = {"precision": RISING, "recall": RISING[::-1], "f_measure": RISING}
    known["speed"] = json.loads(SPEED.model_dump_json())
    path.write_text(json.dumps(known), "utf-8")
    build_site(read([str(folder / "results")], folder), folder / "site", SiteOptions())
    return folder / "site"


def test_a_page_computes_intervals_and_tests_as_vosbench(site: Path, page: Any) -> None:
    """To the last digits: the same generator, the same seed, the same method."""
    page.goto((site / "compare.html").as_uri())
    for videos in (1, 2, 3, 5, 13, 14, 20, 140):
        rng = random.Random(videos)
        first = {f"v{number}": round(rng.random(), 6) for number in range(videos)}
        second = {name: round(min(1.0, max(0.0, value + rng.gauss(0.02, 0.05))), 6) for name, value in first.items()}
        given = [list(first), list(first.values()), list(second.values())]
        found = page.evaluate("([names, first, second]) => VB.stats.compare(names, first, second)", given)
        known = compare(first, second)
        ends = (known.interval.low, known.interval.high)
        assert [found["low"], found["high"]] == [None if end is None else pytest.approx(end, abs=1e-9) for end in ends]
        assert found["difference"] == pytest.approx(known.difference, abs=1e-12)
        assert found["p"] == pytest.approx(known.p, abs=1e-12)
    for values in TIES:
        found = page.evaluate("(values) => VB.stats.meanInterval(values)", values)
        interval = mean_interval(values)
        assert found == {"low": pytest.approx(interval.low, abs=1e-9), "high": pytest.approx(interval.high, abs=1e-9)}


def test_two_methods_are_compared_as_the_command_compares_them(site: Path, own_results: Path, page: Any) -> None:
    one, other = (read_record(own_results / "davis16" / f"{name}.json") for name in ("ags", "pdb"))
    keys = {name: key_of(name) for name in ("ags", "pdb")}
    page.goto(f"{(site / 'compare.html').as_uri()}#a={keys['ags']}&b={keys['pdb']}&x=F_mean&o=name")
    page.locator(".verdict").wait_for()
    (effect,) = compare_records(one, other, load_dataset("davis16").listing("val"), ["F_mean"])
    low, high = (
        f"{end:+.3f}".replace("-", "−") for end in (effect.compared.interval.low, effect.compared.interval.high)
    )
    said = page.locator(".verdict").inner_text()
    assert said.startswith("ags − pdb, F mean: ")
    assert f"{effect.compared.difference:+.3f}".replace("-", "−") in said
    assert f"95 % interval {low} to {high}, p = {effect.compared.p:.3f}, over 20 videos" in said
    names = page.locator("tbody th.of-video a bdi").all_inner_texts()
    assert names == sorted(names)
    assert len(names) == 20

    page.get_by_role("button", name="Swap A and B").click()
    assert page.locator(".verdict").inner_text().startswith("pdb − ags, F mean: ")
    assert f"a={keys['pdb']}&b={keys['ags']}" in page.url
    page.get_by_label("Videos by").select_option("difference")
    cells = page.locator("section[aria-labelledby=videos] tbody td:nth-of-type(3)")
    shown = [float(text.replace("−", "-")) for text in cells.all_inner_texts()]
    assert len(shown) == 20
    assert shown == sorted(shown, reverse=True)
    page.get_by_label("Method A").select_option(keys["ags"])
    assert page.locator(".verdict").inner_text().startswith("ags − pdb, F mean: "), "a chosen twin swaps the two"
    page.reload()
    page.locator(".verdict").wait_for()
    assert page.locator(".verdict").inner_text().startswith("ags − pdb, F mean: "), "the address holds the state"


def test_charts_show_what_is_chosen(site: Path, page: Any) -> None:
    chosen = [key_of(name) for name in ("ags", "f2net.lite")]
    page.goto(f"{(site / 'charts.html').as_uri()}#m={','.join([*chosen, 'nobody-000000'])}&x=J_mean")
    page.locator("figure.chart svg[role=img]").nth(4).wait_for()
    titles = page.locator("main h2").all_inner_texts()
    assert titles == [
        "By attribute",
        "Frames above a threshold",
        "Precision and recall",
        "Speed and accuracy",
        "Over the years",
    ]
    assert page.locator("figure.chart").first.locator(".legend bdi").all_inner_texts() == ["ags", "f2net.lite"]
    names = [image.get_attribute("aria-label") for image in page.locator("figure.chart svg[role=img]").all()]
    assert len(names) == 5
    assert all(names)
    assert page.locator("figure.chart svg[role=img] [aria-label]").count() == 0
    page.locator("figure.chart").first.get_by_text("The numbers").click()
    assert page.locator("figure.chart").first.locator("tbody tr").count() == 16
    page.get_by_text("Methods (2 of 15)").click()
    for name in ("osvos", "pdb", "tis"):
        page.get_by_label(name, exact=True).check()
    assert page.get_by_text("Methods (5 of 15)").is_visible()
    assert page.locator("figure.chart").first.locator(".legend li").count() == 5
    assert key_of("tis") in page.url
    page.get_by_label("Measure").select_option("T_mean")
    page.locator("figure.chart svg[role=img]", has_text="lower is better").wait_for()
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.querySelector('figure.chart svg[role=img]').clientWidth < 390")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
