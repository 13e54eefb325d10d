"""Build a site: pages and data, then what other modules add, into a folder."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from vosbench.errors import UsageError
from vosbench.report.figures.sources import Shown
from vosbench.report.site import charts, data, dataset_page, method_page, pages, series, video_page, viewer
from vosbench.report.site.gather import gather
from vosbench.report.site.keys import safe_url, shown
from vosbench.report.site.model import Site, SiteOptions

ASSETS = Path(__file__).with_name("assets")
MARK = "vosbench-site.txt"
"""A file that says that a folder is a site, so that it may be written again."""
Say = Callable[[str], None]


def build_site(
    records: Iterable[Shown],
    out: Path,
    options: SiteOptions,
    *,
    note: Say = lambda _: None,
    advance: Say = lambda _: None,
) -> Site:
    """Build a site.

    Args:
        records: what was measured.
        out: the folder to write to: a new one, an empty one, or that of an earlier site, whose pages and data are
            removed if they are not of this one.
        options: what to show, and how.
        note: called with a line for each dataset whose pictures are not found.
        advance: called with the name of each video or method whose pictures or masks are there.

    Returns:
        what was built.

    Raises:
        UsageError: if the folder holds something else, or the address is not http or https.
        DataError: if two records have one name, or masks are not those of their record.
    """
    pages.environment()  # says that jinja2 is missing before anything is written
    options = replace(options, url=_address(options.url), title=shown(options.title))
    _prepare(out)
    before = _written(out)
    site = gather(list(records), out, options)
    series.read_frames(site)
    # What other modules know before pages are rendered: site.pages, site.thumbs, site.extra.
    charts.prepare(site)
    sources = viewer.prepare(site, note)
    shutil.copytree(ASSETS, out / "assets", dirs_exist_ok=True)
    data.write_board(site)
    data.write_records(site)
    series.write_series(site)
    pages.write_index(site)
    dataset_page.write(site)
    method_page.write(site)
    video_page.write(site)
    charts.write(site)
    viewer.write(site, sources, advance)
    for path, inode in before.items():
        if path.is_file() and path.stat().st_ino == inode:  # what is written again is another file
            path.unlink()
    return site


def _written(out: Path) -> dict[Path, int]:
    """The pages and data of an earlier site → their inodes."""
    paths = [*out.glob("*.html")]
    for folder in ("data", "dataset", "method", "records", "video"):
        paths += [path for path in (out / folder).rglob("*.*") if path.suffix in {".csv", ".html", ".js", ".json"}]
    return {path: path.stat().st_ino for path in paths if path.is_file() and not path.is_symlink()}


def _prepare(out: Path) -> None:
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file()):
        raise UsageError(f'"{out}" is not empty and not a site; pass another folder with --out')
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("A site made by vosbench report.\n", "utf-8")


def _address(url: str) -> str:
    if url and not safe_url(url):
        raise UsageError(f'"{url}" is not the address of a site; it should start with https:// or http://')
    return f"{url.strip().rstrip('/')}/" if url else ""
