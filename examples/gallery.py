"""Draw the pictures of docs/figures.md, of the records in results/ and of the tiny methods, and that of README.md.

    python examples/gallery.py [RUNS]

Runs of the tiny methods on ``sample`` are kept in the folder RUNS, by default a temporary one: with it, a second call
only draws. Needs the extras torch and plot; takes some minutes on a CPU.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from vosbench import figure, overlay, run
from vosbench.report.overlays import Style

REPOSITORY = Path(__file__).parents[1]
PICTURES = REPOSITORY / "docs" / "figures"
WIDTHS = {"column": (400,), "page": (680, 560, 480, 400)}
"""Pixels of a picture."""
COLOURS = 64
LARGEST = 40_000
"""Bytes of a picture; it has the most pixels with which it is not larger."""
METHODS = ("adnet.tiny", "deeplabv3.tiny", "f2net.tiny")
SUBMISSIONS = ("ags", "andiff", "epo+", "fseg", "osvos", "pdb", "sfls", "tis")
VIDEO = "film-horse"
FILMED = (VIDEO, "film-car")
"""The videos of README's picture."""


def make_runs(folder: Path) -> None:
    """Run the tiny methods under protocols of masks, with speed, and of soft maps; keep the heat maps of F2Net."""
    for method in METHODS:
        options = {"heatmaps": str(folder / "heat")} if method == "f2net.tiny" else {}
        run(method, "sample", out=folder, profile=True, measures="J,F", options=options)
        run(method, "sample", out=folder, protocol="vsod-davsod", measures="maxF,meanF", options=options)


def figures(folder: Path) -> Mapping[str, tuple[str | list[str], dict[str, Any]]]:
    """Figure → its sources and options."""
    masks = [str(folder / "sample" / f"{method}+J-F.json") for method in METHODS]
    maps = [str(folder / "sample" / f"{method}@vsod-davsod+maxF-meanF.json") for method in METHODS]
    davis = [str(REPOSITORY / "results" / "davis16" / f"{name}.json") for name in SUBMISSIONS]
    sample: dict[str, Any] = {"dataset": "sample"}
    return {
        "pr": (maps, {}),
        "f-threshold": (maps, {}),
        "frames": (masks[::2], {"videos": f"{VIDEO},film-car", "measure": "J"}),
        "videos": (davis[:2], {}),
        "attributes": (davis[1:4], {}),
        "success": (masks, {}),
        "speed": (masks, {}),
        "jf": (davis, {}),
        "heatmap": (davis, {}),
        "centres": (str(folder / "heat"), {**sample, "videos": VIDEO}),
        "similarity": (["adnet.tiny", "f2net.tiny"], {**sample, "videos": VIDEO}),
        "drift": (["adnet.tiny"], sample),
        "qualitative": (
            [str(folder / "sample" / method) for method in METHODS],
            {**sample, "videos": f"{VIDEO},film-car", "labels": METHODS},
        ),
    }


def reduce(path: Path, out: Path) -> None:
    """Write a picture with fewer pixels and colours."""
    with Image.open(path) as image:
        pixels = image.convert("RGB")
    for width in WIDTHS["column" if pixels.width < 1500 else "page"]:
        small = pixels.resize((width, round(pixels.height * width / pixels.width)), Image.Resampling.LANCZOS)
        small.quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)
        if out.stat().st_size <= LARGEST:
            return


def draw(folder: Path) -> None:
    """Draw all figures."""
    PICTURES.mkdir(exist_ok=True)
    for name, (sources, options) in figures(folder).items():
        large = folder / "figure.png"
        figure(name, sources, large, **options)
        reduce(large, PICTURES / f"{name}.png")
        print(f"{name}: {(PICTURES / f'{name}.png').stat().st_size} bytes", flush=True)  # noqa: T201 - a script


def draw_readme(folder: Path) -> None:
    """Draw the picture of README.md: what is right, too much and missed, of two videos, at three frames each."""
    run("f2net.lite", "sample", out=folder, videos=FILMED)
    masks, pictures = folder / "sample" / "f2net.lite", folder / "overlay"
    style = Style(colours="errors", height=216, annotation=False)
    overlay(masks, "sample", out=pictures, videos=FILMED, frames="4,10,16", style=style, overwrite=True)
    rows = [[Image.open(path).convert("RGB") for path in sorted((pictures / name).iterdir())] for name in FILMED]
    width, height = min(tile.width for row in rows for tile in row), rows[0][0].height
    whole = Image.new("RGB", (width * len(rows[0]), height * len(rows)))
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            whole.paste(tile.crop((0, 0, width, height)), (x * width, y * height))
    whole.save(PICTURES / "readme.jpg", quality=82, optimize=True)


def main(folder: Path) -> None:
    """Make the runs that are missing, and the pictures."""
    make_runs(folder)
    draw(folder)
    draw_readme(folder)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
