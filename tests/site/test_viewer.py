"""The viewer in a browser, from disk and from a server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factories import disk_mask, write_toy
from vosbench import face
from vosbench.images import write_png
from vosbench.records.record import Row, read_rows
from vosbench.report.figures.sources import read
from vosbench.report.site import live
from vosbench.report.site.build import build_site
from vosbench.report.site.model import SiteOptions

pytest.importorskip("jinja2", reason="needs the extra site")
REPOSITORY = Path(__file__).parents[2]
TOY = REPOSITORY / "tests" / "plugins" / "toy.py"
ANNOTATION, LEFT, RIGHT = "annotation", "left", "right"
PAINTED = """bit => {
  let both = 0, any = 0;
  for (const label of VB.viewer.labels()) {
    both += (label & 1) && (label & bit) ? 1 : 0;
    any += label & (1 | bit) ? 1 : 0;
  }
  return both / any;
}"""
"""J of the layer with a bit, counted from the pixels that are shown."""


@dataclass(frozen=True)
class Made:
    """A site of two methods on the toy dataset, and the values of frames that were scored."""

    folder: Path
    keys: Mapping[str, str]
    rows: Mapping[str, list[Row]]

    def address(self, state: str = "") -> str:
        return f"{(self.folder / 'viewer.html').as_uri()}{state}"

    def overlap(self, method: str, video: str, frame: int) -> float:
        return next(
            row.value for row in self.rows[method] if (row.video, row.frame, row.measure) == (video, frame, "J")
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """``left`` and ``right`` are shifted more and more, ``right`` is empty in frame 2 and has no mask of frame 3.

    The protocol does not score the first and the last frame, so ``right`` lacks frame 4 and is complete.
    """
    base = tmp_path_factory.mktemp("viewer")
    root = write_toy(base / "toy")
    for video in range(2):
        for frame in range(5):
            for name, by in ((LEFT, -frame), (RIGHT, 2 * frame)):
                mask = disk_mask(24, 32, 12, 8 + 3 * frame + by, 5 + video) & (name == LEFT or frame != 2)
                if name == LEFT or frame != 4:
                    write_png(base / "masks" / name / f"v{video}" / f"{frame:05d}.png", mask * np.uint8(255))
    for name in (LEFT, RIGHT):
        scored = face.score(
            base / "masks" / name, dataset="toy", plugins=[TOY], protocol="toy-inner", root=root, codec="binary255"
        )
        scored.save(base / "results")
    options = SiteOptions(media="full", masks=(str(base / "masks"),), root=root, published=False, plugins=(TOY,))
    site = build_site(read([str(base / "results")], base), base / "site", options)
    return Made(
        base / "site",
        {row.measured.method: row.key for row in site.measured()},
        {
            row.measured.method: read_rows(base / "results" / "toy" / f"{row.measured.name}.csv.gz")
            for row in site.measured()
        },
    )


@pytest.fixture
def served(made: Made, tmp_path: Path, serving: Callable[[Any], str]) -> str:
    """The same site, served with frames that are made on demand."""
    base = made.folder.parent
    options = SiteOptions(
        media="full", masks=(str(base / "masks"),), root=base / "toy", published=False, plugins=(TOY,), on_demand=True
    )
    site = live.live([str(base / "results")], base / "results", tmp_path / "served", options)
    assert not (tmp_path / "served" / "media").exists()
    return serving(site)


def opened(page: Any, address: str) -> Any:
    page.goto(address)
    page.wait_for_selector("#stage[data-shown]")
    return page


def shown(page: Any, place: str) -> None:
    """Wait until a frame is drawn, such as ``"v0/3"``."""
    page.wait_for_selector(f'#stage[data-shown="{place}"]')


def state(page: Any) -> dict[str, str]:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return dict(each.split("=", 1) for each in page.url.partition("#")[2].split("&"))


def layers(page: Any) -> list[str]:
    return [figure.get_attribute("data-layer") for figure in page.query_selector_all("#stage figure")]


def test_overlap_counted_in_the_browser_is_that_of_the_record(page: Any, made: Made) -> None:
    opened(page, made.address(f"#v=v1&m={made.keys[LEFT]},{made.keys[RIGHT]}"))
    for method in (LEFT, RIGHT):
        for frame in range(1, 4):
            page.evaluate(f"VB.viewer.seek({frame})")
            counted = page.evaluate(f"VB.viewer.count('{made.keys[method]}', {frame})")
            assert counted["J"] == pytest.approx(made.overlap(method, "v1", frame), abs=1e-12)
            bit = 2 if method == LEFT else 4
            painted = page.evaluate(PAINTED, bit)
            assert painted == pytest.approx(counted["J"], abs=1e-12)


def test_overlaps_of_a_real_submission_are_those_of_its_record(page: Any, real_data: Path, tmp_path: Path) -> None:
    (record,) = read(["osvos"], REPOSITORY / "results")
    masks = real_data / "davis16_results" / "osvos.zip"
    if not masks.is_file():
        pytest.skip(f"needs {masks}")
    options = SiteOptions(masks=(f"osvos={masks}",), root=real_data / "DAVIS", published=False)
    site = build_site([record], tmp_path / "site", options)
    known = record.of_frames("J")
    (row,) = site.measured()
    for video in ("libby", "bmx-trees"):
        opened(page, f"{(tmp_path / 'site' / 'viewer.html').as_uri()}#v={video}")
        frames = [*known[video]]  # whose values are kept with six digits
        script = "([key, frames]) => frames.map((frame) => VB.viewer.count(key, frame).J)"
        assert page.evaluate(script, [row.key, frames]) == pytest.approx([*known[video].values()], abs=1e-6)
        page.goto("about:blank")


@pytest.mark.parametrize("place", ["disk", "server"])
def test_deep_link_scrub_keys_and_play(page: Any, made: Made, served: str, place: str) -> None:
    address = made.address() if place == "disk" else f"{served}viewer.html"
    opened(page, f"{address}#v=v1&f=3&m={made.keys[RIGHT]}&e=1")
    shown(page, "v1/3")
    assert layers(page) == [ANNOTATION, made.keys[RIGHT]]
    assert page.locator("#errors").is_checked()
    assert page.evaluate("VB.viewer.picture().naturalWidth") == 32
    page.locator("#frame").fill("1")
    shown(page, "v1/1")
    assert state(page)["f"] == "1"
    page.locator("#frame").press("ArrowRight")  # the slider's own
    shown(page, "v1/2")
    page.locator("h1").click()
    page.keyboard.press("ArrowLeft")
    shown(page, "v1/1")
    page.keyboard.press("End")
    shown(page, "v1/4")
    page.keyboard.press("]")
    shown(page, "v0/0")
    page.locator("#speed").select_option("60")
    page.locator("h1").click()
    page.keyboard.press(" ")
    assert page.locator("#play").get_attribute("aria-pressed") == "true"
    shown(page, "v0/3")
    page.keyboard.press(" ")
    assert page.locator("#play").get_attribute("aria-pressed") == "false"
    assert int(state(page)["f"]) in range(5)


def test_keys_toggle_what_is_shown(page: Any, made: Made) -> None:
    both = [made.keys[LEFT], made.keys[RIGHT]]
    opened(page, made.address(f"#v=v0&f=1&m={','.join(both)}"))
    assert layers(page) == [ANNOTATION, *both]
    page.keyboard.press("1")
    assert layers(page) == [ANNOTATION, both[1]]
    assert state(page)["h"] == both[0]
    page.keyboard.press("0")
    assert layers(page) == [both[1]]
    page.keyboard.press("1")
    page.keyboard.press("b")
    assert layers(page) == ["blended"]
    page.keyboard.press("e")
    assert page.locator("#legend").inner_text().split("\n")[-3:] == ["right", "too much", "missed"]
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert {"a": "0", "b": "1", "e": "1"}.items() <= state(page).items()
    page.locator("#shortcuts").uncheck()
    page.keyboard.press("b")
    assert layers(page) == ["blended"]


def test_jumps_to_the_worst_frame_and_the_largest_disagreement(page: Any, made: Made) -> None:
    opened(page, made.address(f"#v=v0&m={made.keys[LEFT]},{made.keys[RIGHT]}"))
    frames = range(5)
    curves = [page.evaluate(f"VB.viewer.curve('{made.keys[name]}')") for name in (LEFT, RIGHT)]
    known = [[value for value in curve if value is not None] for curve in curves]
    page.keyboard.press("n")
    worst = curves[0].index(min(known[0]))
    shown(page, f"v0/{worst}")
    page.keyboard.press("p")
    gaps = [abs(one - other) if None not in (one, other) else -1 for one, other in zip(*curves, strict=True)]
    most = max(frames, key=lambda frame: gaps[frame])
    shown(page, f"v0/{most}")
    assert "differs by" in page.locator("#said").inner_text()


def test_absent_and_empty_masks_are_told_apart(page: Any, made: Made) -> None:
    opened(page, made.address(f"#v=v0&f=4&m={made.keys[RIGHT]}"))
    badge = page.locator(f'figure[data-layer="{made.keys[RIGHT]}"] .badge')
    assert badge.inner_text() == "absent: no mask of this frame"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    shown(page, "v0/2")
    assert badge.is_hidden()
    cells = page.locator("#numbers tr").first.locator("td").all_inner_texts()
    assert cells[2:5] == ["0.000", "0", "0"]
    assert page.locator("#scrubber line.absent").count() == 1


def test_state_of_others_is_read_defensively(page: Any, made: Made) -> None:
    for words in (
        "#v=../x&f=99999999999&m=a,b,c,d,e,f&o=900",
        "#v=%E0%A4%A&d=__proto__&f=-3&m=constructor&h=x",
        "#=&&&",
    ):
        opened(page, made.address(words))
        assert page.evaluate("VB.viewer.now.video.key") == "v0"
        assert 0 <= page.evaluate("VB.viewer.now.frame") < 5


def test_zoom_and_touch(watch: Any, made: Made) -> None:
    page = opened(watch.open(has_touch=True, viewport={"width": 390, "height": 844}), made.address("#v=v0&f=2"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("+")
    assert float(page.locator("#stage").get_attribute("data-zoom")) == 1.5
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("w")
    assert float(page.locator("#stage").get_attribute("data-zoom")) == 1
    swipe = """([from, to]) => {
      const view = document.querySelector("#stage .view"), box = view.getBoundingClientRect();
      view.setPointerCapture = () => {};
      const send = (type, x) => view.dispatchEvent(new PointerEvent(type, {
        pointerId: 1, pointerType: "touch", clientX: box.left + x * box.width, clientY: box.top + 5, bubbles: true }));
      send("pointerdown", from); send("pointermove", to); send("pointerup", to);
    }"""
    page.evaluate(swipe, [0.5, 0.54])
    shown(page, "v0/3")
    page.evaluate(swipe, [0.5, 0.42])
    shown(page, "v0/1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_viewer_is_accessible(
    watch: Any, made: Made, accessible: Callable[[Any], None], scheme: str, width: int
) -> None:
    page = watch.open(color_scheme=scheme, viewport={"width": width, "height": 844}, reduced_motion="reduce")
    opened(page, made.address(f"#v=v0&f=4&e=1&m={made.keys[LEFT]},{made.keys[RIGHT]}"))
    assert page.locator("#play").get_attribute("aria-pressed") == "false"  # nothing plays by itself
    accessible(page)
    page.keyboard.press("?")
    accessible(page)


def test_own_folder_with_odd_names_and_few_annotations(page: Any, tmp_path: Path) -> None:
    name = "Ä #1 %41"
    for frame in range(6):
        mask = disk_mask(24, 32, 12, 8 + 3 * frame, 5)
        write_png(tmp_path / "own" / "frames" / name / f"{frame:05d}.png", np.full((24, 32, 3), 90, np.uint8))
        if frame in {0, 2, 5}:
            write_png(tmp_path / "own" / "masks" / name / f"{frame:05d}.png", mask * np.uint8(255))
        write_png(tmp_path / "m" / name / f"{frame:05d}.png", np.roll(mask, -1, axis=1) * np.uint8(255))
    face.score(tmp_path / "m", dataset=tmp_path / "own").save(tmp_path / "results")
    options = SiteOptions(media="full", masks=(f"m={tmp_path / 'm'}",), root=tmp_path / "own", published=False)
    site = build_site(read([str(tmp_path / "results")], tmp_path), tmp_path / "site", options)
    (row,) = site.measured()
    opened(page, f"{(tmp_path / 'site' / 'viewer.html').as_uri()}#f=1")
    assert page.locator("#video option").inner_text() == name
    assert [value is None for value in page.evaluate(f"VB.viewer.curve('{row.key}')")] == [False, True] * 2 + [
        True,
        False,
    ]
    assert page.locator(f'figure[data-layer="{ANNOTATION}"] .badge').inner_text() == "not annotated"
    assert len(page.locator("#scrubber polyline").get_attribute("points").split()) == 3


def test_site_without_masks_and_frames_has_no_viewer(made: Made, tmp_path: Path) -> None:
    results = made.folder.parent / "results"
    build_site(read([str(results)], results), tmp_path / "site", SiteOptions(published=False, plugins=(TOY,)))
    assert not (tmp_path / "site" / "viewer.html").exists()
    assert "viewer.html" not in (tmp_path / "site" / "index.html").read_text("utf-8")
