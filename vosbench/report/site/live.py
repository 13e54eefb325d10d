"""Build a site to be served, again whenever its records change."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vosbench.files import cache_folder, combined, hidden
from vosbench.report.figures.sources import read
from vosbench.report.site.build import build_site
from vosbench.report.site.model import SiteOptions
from vosbench.report.site.serve import Content, Live, content_of

Say = Callable[[str], None]


def folder_of(sources: Sequence[str], results: Path) -> Path:
    """Where the site of records is kept, so that masks are encoded once: a folder in the user's cache."""
    named = [str(Path(source).resolve()) if Path(source).exists() else source for source in sources]
    return cache_folder() / "sites" / combined([*named, str(results.resolve())])[:12]


def state_of(sources: Sequence[str], results: Path) -> tuple[object, ...]:
    """Something that differs whenever records, or values of their frames, have changed."""
    found = []
    for place in {results, *map(Path, sources)}:
        paths = [*place.glob("*"), *place.glob("*/*")] if place.is_dir() else [place]
        for path in paths:
            if not hidden(path.name) and path.name.endswith((".json", ".csv", ".gz", ".parquet")) and path.is_file():
                status = path.stat()
                found.append((str(path), status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))


def live(
    sources: Sequence[str],
    results: Path,
    folder: Path,
    options: SiteOptions,
    *,
    note: Say = lambda _: None,
    advance: Say = lambda _: None,
) -> Live:
    """A site of records that is built now, and again when they change.

    Args:
        sources: what `vosbench.report.figures.sources.read` takes.
        results: the folder that names are looked up in.
        folder: where it is built.
        options: what to show.
        note: called with a line for what cannot be shown.
        advance: as in `vosbench.report.site.build.build_site`.

    Raises:
        UsageError: if a source is not known.
        DataError: if records are damaged, or masks are not theirs.
    """

    def build() -> Content:
        records = read(sources, results, note)
        site = build_site(records, folder, options, note=note, advance=advance)
        return content_of(folder, site.pictures)

    def state() -> object:
        try:
            return state_of(sources, results)
        except OSError as error:  # a file has just been replaced: look again later
            return str(error)

    return Live(build, state, note)
