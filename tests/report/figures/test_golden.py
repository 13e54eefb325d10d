"""Every figure looks as it did, and its files are fit for publishers.

``python tests/report/figures/test_golden.py`` writes the golden pictures anew; look at them afterwards.
"""

import re
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

GOLDEN = Path(__file__).with_name("golden")
TESTS = Path(__file__).parents[2]
PLUGINS = [TESTS / "plugins" / "toy.py", TESTS / "plugins" / "embedder.py"]
WIDTH = 120
"""Columns of a golden picture, which is blurred to these: another version's fonts hardly matter."""
ALLOWED = 0.2
"""Difference of two pictures as a share of the ink of the golden one."""
RECORDS: Mapping[str, tuple[str, list[str], dict[str, Any]]] = {
    "pr": ("pr", ["@vsod"], {}),
    "pr-page": ("pr", ["@vsod"], {"width": "page"}),
    "f-threshold": ("f-threshold", ["@vsod"], {"dataset": "davis16"}),
    "frames": ("frames", [], {}),
    "frames-videos": ("frames", ["alpha", "gamma"], {"videos": "cows,dog", "measure": "J"}),
    "videos": ("videos", ["beta"], {}),
    "videos-pair": ("videos", ["alpha", "beta"], {"measure": "F_mean"}),
    "videos-many": ("videos", [], {}),
    "attributes": ("attributes", [], {}),
    "attributes-radar": ("attributes", ["alpha", "gamma"], {"form": "radar", "width": "column"}),
    "success": ("success", [], {}),
    "speed": ("speed", [], {}),
    "jf": ("jf", [], {}),
    "heatmap": ("heatmap", [], {}),
}
PICTURES: Mapping[str, tuple[str, list[str], dict[str, Any]]] = {
    "centres": ("centres", ["heat"], {"videos": "v0"}),
    "similarity": ("similarity", ["colours"], {}),
    "drift": ("drift", ["colours"], {}),
    "qualitative": ("qualitative", ["masks"], {"labels": ["a method"], "frames": "0,4", "videos": "v0,v1"}),
}


def sources_of(names: list[str], folder: Path) -> list[str]:
    results = folder / "results" / "davis16"
    if names == ["@vsod"]:
        return [str(path) for path in sorted(folder.glob("results/*/*@vsod-davsod.json"))]
    return [str(results / f"{name}.json") for name in names or ("alpha", "beta", "gamma")]


def draw(case: str, folder: Path, out: Path) -> None:
    """Draw a figure of what `write_sources` has written."""
    from vosbench.face.figures import figure

    if case in RECORDS:
        name, sources, options = RECORDS[case]
        figure(name, sources_of(sources, folder), out, **options)
        return
    name, sources, options = PICTURES[case]
    named = [
        str(folder / "toy" / "masks") if word == "masks" else str(folder / word) if word == "heat" else word
        for word in sources
    ]
    figure(name, named, out, dataset="toy", root=folder / "toy", plugins=PLUGINS, **options)


def write_sources(folder: Path) -> Path:
    from drawn import write_heatmaps, write_results
    from factories import write_toy

    write_results(folder / "results")
    write_toy(folder / "toy")
    write_heatmaps(folder / "heat")
    return folder


def shrunk(path: Path) -> NDArray[np.float64]:
    """Ink of a picture, in few pixels."""
    with Image.open(path) as image:
        grey = image.convert("L")
        size = (WIDTH, max(round(grey.height * WIDTH / grey.width), 1))
        return 255 - np.asarray(grey.resize(size, Image.Resampling.BOX), np.float64)


def difference(ink: NDArray[np.float64], golden: NDArray[np.float64]) -> float:
    return float(np.abs(ink - golden).sum() / golden.sum())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    return write_sources(tmp_path_factory.mktemp("figures"))


@pytest.mark.parametrize("case", [*RECORDS, *PICTURES])
def test_figures_look_as_they_did(made: Path, case: str) -> None:
    draw(case, made, made / f"{case}.png")
    ink, golden = shrunk(made / f"{case}.png"), 255 - np.asarray(Image.open(GOLDEN / f"{case}.png"), np.float64)
    assert abs(ink.shape[0] - golden.shape[0]) <= 2
    rows = min(len(ink), len(golden))
    assert difference(ink[:rows], golden[:rows]) < ALLOWED


def test_other_numbers_look_different(made: Path, tmp_path: Path) -> None:
    """The tolerance is not so wide that every curve, bar and point passes."""
    from vosbench.face.figures import figure

    for case, sources in {"jf": ["alpha"], "videos-pair": ["beta", "gamma"], "success": ["gamma"]}.items():
        name, _, options = RECORDS[case]
        figure(name, sources_of(sources, made), tmp_path / "other.png", **options)
        ink, golden = shrunk(tmp_path / "other.png"), 255 - np.asarray(Image.open(GOLDEN / f"{case}.png"), np.float64)
        rows = min(len(ink), len(golden))
        assert difference(ink[:rows], golden[:rows]) > ALLOWED, case


@pytest.mark.parametrize("case", [*RECORDS, *PICTURES])
def test_pdf_embeds_all_fonts_as_truetype(made: Path, case: str) -> None:
    path = made / f"{case}.pdf"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(case, made, path)
    content = path.read_bytes()
    fonts = re.findall(rb"<< /Type /Font /Subtype /(\w+)|<< /Type /Font\s.*?/Subtype /(\w+)", content, re.DOTALL)
    kinds = {kind for pair in fonts for kind in pair if kind}
    assert kinds
    assert kinds <= {b"TrueType", b"Type0", b"CIDFontType2"}
    described = re.findall(rb"/Type /FontDescriptor.*?>>", content, re.DOTALL)
    assert described
    assert all(b"/FontFile2 " in each for each in described)
    assert b"/Type3" not in content
    assert b"CreationDate" not in content


def test_equal_figures_are_equal_files(made: Path, tmp_path: Path) -> None:
    for suffix in ("pdf", "svg", "png"):
        for name in ("a", "b"):
            draw("jf", made, tmp_path / f"{name}.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))
    with tempfile.TemporaryDirectory() as scratch:
        place = write_sources(Path(scratch))
        for each in [*RECORDS, *PICTURES]:
            draw(each, place, place / "figure.png")
            Image.fromarray((255 - shrunk(place / "figure.png")).astype(np.uint8)).save(GOLDEN / f"{each}.png")
