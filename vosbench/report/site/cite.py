"""BibTeX entries for the site, datasets and methods."""

import re

import vosbench
from vosbench.report.site.model import Site

SPECIAL = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\^{}"}


def bibtex(text: str) -> str:
    r"""Escape text for a field of BibTeX; braces and backslashes, which could end it, are left out.

    >>> bibtex("a_b {} \\ 5 %")
    'a\\_b   5 \\%'
    """
    return "".join(SPECIAL.get(sign, sign) for sign in text if sign not in "{}\\")


def entry(name: str, **fields: str) -> str:
    """An entry; fields without text are left out.

    >>> print(entry("x y", title="T", url=""))
    @misc{xy,
      title = {T}
    }
    """
    key = re.sub(r"[^A-Za-z0-9:-]", "", name)
    lines = [f"  {field} = {{{bibtex(text)}}}" for field, text in fields.items() if text]
    return f"@misc{{{key},\n" + ",\n".join(lines) + "\n}"


def of_paper(name: str, title: str, citation: str) -> str:
    """An entry of a paper that is known as a line of text: authors, title and venue in one, as its card has them."""
    return entry(name, title=title, note=citation)


def of_site(site: Site, path: str) -> str:
    """An entry of a page, and so of the numbers on it."""
    page = f"{site.options.url}{path}" if site.options.url else ""
    return entry(
        "vosbench",
        title="vosbench: the benchmark and evaluation suite for unsupervised video object segmentation",
        author="the vosbench authors",
        year=site.date[:4],
        note=f"version {vosbench.__version__}, records up to {site.date}"
        if site.date
        else f"version {vosbench.__version__}",
        url=page,
    )
