"""What a site is made of, as plain data: datasets with videos, methods, and rows, which are measured or published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vosbench.dataset import Dataset, Listed
from vosbench.records.record import Record
from vosbench.report.figures.sources import Shown
from vosbench.report.site.media import Job

Kind = Literal["measured", "published"]
Media = Literal["none", "thumbs", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOptions:
    """What a site shows, and how.

    Attributes:
        title: in its head.
        url: where it will be found, for permanent links; empty if nobody says.
        published: whether published numbers are shown, too.
        media: which pictures are written: ``"thumbs"``, a small one of each video, or ``"full"``, frames, too.
        masks: as `vosbench.report.site.submissions.origins` takes them.
        root: the folder of the dataset, or one that contains datasets; found as scoring finds it if None.
        on_demand: whether pictures are made when they are asked for, by `vosbench.report.site.serve`.
        jobs: number of processes.
        plugins: files with more datasets, methods and measures.
        warn: called with a line for each thing that is left out.
    """

    title: str = "vosbench"
    url: str = ""
    published: bool = True
    media: Media = "none"
    masks: tuple[str, ...] = ()
    root: Path | None = None
    on_demand: bool = False
    jobs: int = 1
    plugins: tuple[Path, ...] = ()
    warn: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What the weights behind a row were trained on.

    Attributes:
        text: as a record or a source states it; empty if neither does.
        tags: names of the data.
        short: in a few words; empty if nothing is known.
    """

    text: str = ""
    tags: tuple[str, ...] = ()
    short: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a leaderboard: one record, or what sources print of one method.

    Attributes:
        key: of the row; of a measured one also the name of its raw record and of its data.
        title: what to call it.
        kind: where its numbers come from.
        method: key of its method.
        dataset: key of its dataset.
        split: of the dataset.
        protocol: name and version; empty if the source does not state it.
        signature: every choice that moves a number, without the version of vosbench; empty if it is not known.
            Only rows of one dataset, split, signature and task are ranked against each other.
        task: `vosbench.records.published.Task` or ``"unknown"``.
        year: of the method, if known.
        venue: likewise, such as ``"CVPR"``.
        training: what it was trained on.
        values: measure → value in [0, 1], without what is unknown.
        ends: measure → ends of the 95 % interval over videos.
        source: of published numbers, where they are printed, separated by semicolons.
        record: the record of a measured row.
        left_out: why a measured row is not ranked; empty if it is.
    """

    key: str
    title: str
    kind: Kind
    method: str
    dataset: str
    split: str
    protocol: str
    signature: str
    task: str
    year: int | None
    venue: str
    training: Training
    values: Mapping[str, float]
    ends: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    source: str = ""
    record: Shown | None = None
    left_out: str = ""

    @property
    def measured(self) -> Record:
        """The record of a measured row."""
        assert self.record is not None
        return self.record.record


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteVideo:
    """A video of a dataset.

    Attributes:
        key: of its page and data.
        name: of the video.
        dataset: key of its dataset.
        listed: what the dataset's list says of it.
    """

    key: str
    name: str
    dataset: str
    listed: Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDataset:
    """A dataset with rows.

    Attributes:
        key: of its page and data.
        name: to type.
        title: in the paper.
        known: the registered dataset, if vosbench has it.
        split: the split of its videos: the one with most measured rows.
        videos: of that split, measured or listed.
        usual: the signature that the pages show first: that of most measured rows, or of most rows.
    """

    key: str
    name: str
    title: str
    known: Dataset | None
    split: str
    videos: tuple[SiteVideo, ...]
    usual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMethod:
    """A method, under the one name that papers, the leaderboard and records agree on.

    Attributes:
        key: of its page.
        title: the name.
        paper: the citation, if known.
        url: of the paper or the code, if known; http or https.
        licence: of code and weights, if known.
        about: what it is, in a line, if known.
    """

    key: str
    title: str
    paper: str = ""
    url: str = ""
    licence: str = ""
    about: str = ""


@dataclass(slots=True, kw_only=True)
class Site:
    """A site that is being built.

    Attributes:
        out: the folder that it is written to.
        options: what to show, and how; ``url`` ends in ``/`` or is empty, ``title`` is printable.
        datasets: key → dataset.
        methods: key → method.
        rows: measured ones first.
        date: day of the newest record, YYYY-MM-DD.
        thumbs: (dataset, video) keys with ``media/<dataset>/<video>/thumb.jpg``; known before pages are rendered.
        extra: path of a data script, such as ``"data/davis16.js"`` → entries that other modules add to it; known before
            data are written.
        pictures: ``media/<dataset>/<video>`` → the video whose pictures are shown.
        pages: name of an optional page, such as ``"viewer"`` → whether it is there; links to others are left out.
        frames: dataset and key of a row, as ``"davis16/osvos-f1b0cd"`` → video → ``"J"`` or ``"F"`` → values of frames.
    """

    out: Path
    options: SiteOptions
    datasets: dict[str, SiteDataset]
    methods: dict[str, SiteMethod]
    rows: Sequence[Row]
    date: str
    thumbs: set[tuple[str, str]] = field(default_factory=set)
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, Job] = field(default_factory=dict)
    pages: dict[str, bool] = field(default_factory=dict)
    frames: dict[str, Mapping[str, Mapping[str, list[float | None]]]] = field(default_factory=dict)

    def measured(self, dataset: str | None = None) -> list[Row]:
        """The measured rows, of a dataset or of all."""
        return [row for row in self.rows if row.record is not None and dataset in {None, row.dataset}]
