"""What the viewer shows: which datasets have frames, which methods have masks, and the scripts of these.

Conventions:
    ``data/viewer.js`` lists datasets with their videos and methods. Masks are in
    ``masks/<dataset>/<video>/<row>.js``, those of annotations in ``…/annotation.js``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vosbench import registry
from vosbench.dataset import Dataset, Video
from vosbench.dataset.fingerprint import files_digest
from vosbench.dataset.roots import known_root
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.engine import pool
from vosbench.errors import DataError, UsageError, VosbenchError
from vosbench.files import combined, content, write_whole
from vosbench.images import paths_of, size
from vosbench.records.record import Record
from vosbench.report.site import masks, media, pages, submissions
from vosbench.report.site.data import write_script
from vosbench.report.site.keys import shown, slug_of
from vosbench.report.site.made import Made
from vosbench.report.site.model import Row, Site, SiteDataset
from vosbench.report.site.submissions import Runs

ANNOTATION = "annotation"
HEADLINES = ("JF_mean", "J_mean", "S", "maxF")
"""The first of these scores that a record has is what methods are sorted by."""
Say = Callable[[str], None]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Masked:
    """A record whose masks are shown: where they are, and the videos and the protocol that it was scored with."""

    row: Row
    origin: Path
    selection: Selection


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a dataset that are shown.

    Attributes:
        dataset: of the site.
        videos: of its split; those of records with masks, if the dataset is not complete here.
        masked: the records with masks.
    """

    dataset: SiteDataset
    videos: Sequence[Video]
    masked: Sequence[Masked]

    @property
    def jobs(self) -> dict[str, media.Job]:
        """``media/<dataset>/<video>`` → the video, of those with frames."""
        videos = [video for video in self.videos if not video.frameless]
        jobs = [media.Job(f"media/{self.dataset.key}/{slug_of(video.name)}", video) for video in videos]
        return {job.place: job for job in jobs}


def prepare(site: Site, note: Say = lambda _: None) -> list[Source]:
    """Find the files of datasets, before pages are written; sets the site's pictures and whether it has a viewer.

    Args:
        site: the site, whose options say what is shown.
        note: called with a line for each dataset that is not found.

    Raises:
        UsageError: if masks are of no record, or their dataset is not found.
        DataError: if a dataset with masks is incomplete.
    """
    wanted = site.options
    places = submissions.origins(wanted.masks, [row.measured for row in site.measured()])
    measured = [dataset for dataset in site.datasets.values() if rows_of(site, dataset)]
    found = []
    for dataset in measured:
        own = [(row, (row.measured.dataset, row.measured.name)) for row in rows_of(site, dataset)]
        origins = [(row, places[name]) for row, name in own if name in places]
        if not origins and wanted.media == "none":
            continue
        try:
            found.append(_source(dataset, origins, wanted.root, alone=len(measured) == 1))
        except VosbenchError as error:
            if origins:
                raise
            note(f"no pictures of {dataset.title}: {error}")
    if wanted.media != "none":
        site.pictures = {place: job for source in found for place, job in source.jobs.items()}
        site.thumbs = {(place.split("/")[1], place.split("/")[2]) for place in site.pictures}
    site.pages["viewer"] = any(source.masked or wanted.media == "full" for source in found)
    return found


def rows_of(site: Site, dataset: SiteDataset) -> list[Row]:
    """The measured rows of the split of a dataset's videos: of the usual protocol first, the best first."""

    def order(row: Row) -> tuple[bool, float, str]:
        value = next((row.values[name] for name in HEADLINES if name in row.values), -1.0)
        return row.signature != dataset.usual, -value, row.title

    return sorted((row for row in site.measured(dataset.key) if row.split == dataset.split), key=order)


def _source(dataset: SiteDataset, origins: Sequence[tuple[Row, Path]], root: Path | None, *, alone: bool) -> Source:
    """Find a dataset's videos; ``alone`` says that the root can only be its own."""
    known = dataset.known
    if known is None:
        if root is None or not alone:
            raise UsageError(f'"{dataset.name}" is not a dataset that is known here; pass its folder with --root')
        known = registry.load_folder(root)
    place = _place(known, root, alone=alone)
    selections: dict[Choice, Selection] = {}
    masked = []
    for row, origin in origins:
        choice = _choice(row.measured, place)
        if choice not in selections:
            selections[choice] = select(known, choice)
        masked.append(Masked(row, origin, _measured(selections[choice], row.measured)))
    try:
        videos = select(known, Choice(root=place, split=dataset.split)).videos
    except DataError:
        if not masked:
            raise
        every = [video for each in masked for video in (each.selection.whole or each.selection.videos)]
        videos = tuple({video.name: video for video in every}.values())
    return Source(dataset, videos, masked)


def _place(known: Dataset, root: Path | None, *, alone: bool) -> Path | None:
    """The folder of a dataset; None if the dataset is a folder, whose place is known."""
    if known.root is not None:
        return None
    if root is None:
        found = known_root(known)
    else:
        names = (*known.folders, known.name)
        found = next((root / name for name in names if (root / name).is_dir()), root if alone else None)
    if found is None:
        raise UsageError(f"{known.title} not found: pass --root, or set VOSBENCH_DATA")
    return found


def _choice(record: Record, root: Path | None) -> Choice:
    """The videos and the protocol that a record was scored with."""
    return Choice(
        root=root,
        split=record.split,
        protocol=record.protocol.partition("@")[0],
        videos=() if record.split_size is None else tuple(record.videos),
        limit=record.provenance.limit,
    )


def _measured(selection: Selection, record: Record) -> Selection:
    """A selection with the measures that a record has."""
    protocol = selection.protocol
    every = (*protocol.measures, *protocol.more)
    kept = [name for name in every if any(score.partition("_")[0] == name for score in record.scores)]
    return replace(selection, protocol=protocol.only(kept)) if kept and kept != [*protocol.measures] else selection


def write(site: Site, sources: Sequence[Source], advance: Say = lambda _: None) -> None:
    """Write pictures, masks, the list of both and the viewer's page; what is there already is not made again.

    Args:
        site: the site.
        sources: what `prepare` returned.
        advance: called with the name of each video or method that is done.

    Raises:
        DataError: if a file is missing or damaged, or masks are not those of their record.
    """
    wanted, made = site.options, Made(site.out)
    if not wanted.on_demand:
        frames = wanted.media == "full"
        media.write(site.out, made, site.pictures, frames=frames, processes=wanted.jobs, advance=advance)
    listed = [_Masks(site, source, made, advance).write() for source in sources]
    if site.pages["viewer"]:
        write_script(site.out / "data" / "viewer.js", "deliver", {"datasets": listed})
        pages.render(site, "viewer.html", "viewer.html")
    made.finish()


class _Masks:
    """Writes the masks of a dataset."""

    def __init__(self, site: Site, source: Source, made: Made, advance: Say) -> None:
        self._site, self._source = site, source
        self._made, self._advance = made, advance
        self._keys = {video.name: slug_of(video.name) for video in source.videos}
        self._sizes: dict[str, Size] = {}

    def write(self) -> dict[str, Any]:
        """Write the masks of all methods; returns the dataset's entry in the list."""
        source, wanted = self._source, self._site.options
        videos, dataset = source.videos, source.dataset
        truth = combined(_annotations(video) for video in videos)
        if any(video.annotations for video in videos) and (source.masked or wanted.media == "full"):
            key = combined([f"{masks.VERSION}", truth])
            annotated = self._written(ANNOTATION, key, lambda: pool.each(submissions.annotated, videos, wanted.jobs))
        else:
            annotated = set()
        having = {masked.row.key: self._of_method(masked, truth) for masked in source.masked}
        places = {video.name: place for place, video in enumerate(videos)}
        out, first = self._site.out, self._keys[videos[0].name]
        return {
            "key": dataset.key,
            "title": f"{shown(dataset.title)} {shown(dataset.split)}",
            "frames": wanted.media == "full",
            "united": any(each.selection.protocol.unit != "foreground" for each in source.masked),
            "numbers": (out / "data" / dataset.key / f"{first}.js").is_file(),
            "pages": (out / "video" / dataset.key / f"{first}.html").is_file(),
            "annotation": sorted(places[name] for name in annotated),
            "methods": [
                {
                    "key": row.key,
                    "title": row.title,
                    "signature": row.signature,
                    "masks": sorted(places[name] for name in having.get(row.key, ())),
                }
                for row in rows_of(self._site, dataset)
            ],
            "videos": [
                {
                    "key": self._keys[video.name],
                    "name": shown(video.name),
                    "frames": len(video),
                    "size": self._sizes.get(video.name) or (None if video.frameless else size(video.frames[0])),
                }
                for video in videos
            ],
        }

    def _of_method(self, masked: Masked, truth: str) -> set[str]:
        """Write the masks of a record; returns the videos that have some."""
        record, origin = masked.row.measured, masked.origin
        if not origin.exists():
            raise UsageError(f'the masks of "{record.name}", "{origin}", do not exist')
        key = combined([f"{masks.VERSION}", truth, content(origin), record.to_json(), masked.selection.signature()])
        jobs = self._site.options.jobs
        return self._written(
            masked.row.key, key, lambda: submissions.encoded(record, origin, masked.selection, jobs=jobs)
        )

    def _written(self, name: str, key: str, runs: Callable[[], Iterable[Runs]]) -> set[str]:
        """Write a script for each video whose masks have one size, if need be; returns these videos."""
        place = f"masks/{self._source.dataset.key}"
        thing = self._made.fresh(f"{place} {name}", key)
        if thing is None:
            sizes: dict[str, Size] = {}
            files = []
            for each in runs():
                if each.size is not None:
                    sizes[each.video] = each.size
                    files.append(f"{place}/{self._keys[each.video]}/{name}.js")
                    write_whole(self._site.out / files[-1], masks.script(*each.size, each.data))
            thing = self._made.add(f"{place} {name}", key, files, sizes)
        known = {video: (int(rows), int(columns)) for video, (rows, columns) in thing.about.items()}
        self._sizes = {**known, **self._sizes}
        self._advance(name)
        return set(known)


def _annotations(video: Video) -> str:
    """A hash of the files of a video's annotations."""
    paths = [path for index in sorted(video.annotations) for path in paths_of(video.annotations[index])]
    return combined([video.name, video.codec, f"{len(video)} {sorted(video.annotations)}", files_digest(paths)])
