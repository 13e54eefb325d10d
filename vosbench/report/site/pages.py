"""The pages of a site, rendered by jinja2 from templates that escape whatever comes from data."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import vosbench
from vosbench.files import write_whole
from vosbench.metrics.measures import measure_of
from vosbench.report.site import cite
from vosbench.report.site.data import ALL_ROWS, formatted
from vosbench.report.site.keys import shown
from vosbench.report.site.model import Site

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")
NAVIGATION = (
    ("index", "Leaderboard", "index.html"),
    ("compare", "Compare", "compare.html"),
    ("charts", "Charts", "charts.html"),
    ("viewer", "Viewer", "viewer.html"),
)
"""Name, label and path of the pages in the head; all but the first are there if ``Site.pages`` says so."""


@cache
def environment() -> "Environment":
    """The templates, with everything escaped; an unknown name in one is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["number"] = formatted
    made.globals["heading"] = lambda name: shown(measure_of(name).heading)
    return made


def render(site: Site, path: str, template: str, **values: object) -> None:
    """Render a page.

    Args:
        site: the site.
        path: of the page below the site, such as ``"method/osvos-cd6c41.html"``.
        template: name of the template.
        values: its variables, besides those of the base template. ``bibtex`` is what to cite, by default the site
            alone; ``downloads`` are labels and paths below the site, by default the rows of all leaderboards.
    """
    depth = path.count("/")
    known = {
        "site": site,
        "path": path,
        "root": "/".join([".."] * depth) or ".",
        "nav": [each for each in NAVIGATION if each[0] == "index" or site.pages.get(each[0])],
        "version": vosbench.__version__,
        "bibtex": cite.of_site(site, path),
        "downloads": [("All rows, as CSV", ALL_ROWS)],
    }
    text = environment().get_template(template).render({**known, **values})
    write_whole(site.out / path, text.encode())


def write_index(site: Site) -> None:
    """Write the page of the leaderboard."""
    measured = Counter(row.dataset for row in site.rows if row.record is not None)
    printed = Counter(row.dataset for row in site.rows if row.record is None)
    render(
        site,
        "index.html",
        "index.html",
        counts={key: (measured[key], printed[key]) for key in site.datasets},
        measured=measured.total(),
        printed=printed.total(),
    )
