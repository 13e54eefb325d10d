"""The page of a video: every method on it, with J and F over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from vosbench.metrics.measures import MEASURES, measure_of
from vosbench.report.site.data import ALL_ROWS, formatted, raw_record
from vosbench.report.site.keys import shown
from vosbench.report.site.method_page import SHOWN_OF_VIDEOS, SPARK
from vosbench.report.site.model import Row, Site, SiteDataset, SiteVideo
from vosbench.report.site.numbers import ATTRIBUTES, Difficulty, difficulty, lines, usual_rows
from vosbench.report.site.pages import render
from vosbench.report.site.series import video_data


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Methods under one signature; a line is a row, its values on the video, and its small curve."""

    signature: str
    columns: list[str]
    lines: list[tuple[Row, list[float | None], list[str]]]


def write(site: Site) -> None:
    """Write the pages of all videos."""
    for dataset in site.datasets.values():
        rows = [row for row in site.measured(dataset.key) if row.split == dataset.split]
        usual = usual_rows(site, dataset)
        measure, hard = difficulty(usual, dataset)
        for at, video in enumerate(dataset.videos):
            before = dataset.videos[at - 1] if at else None
            after = dataset.videos[at + 1] if at + 1 < len(dataset.videos) else None
            own = [row for row in rows if video.name in row.measured.videos]
            groups = _groups(site, dataset, video, own)
            kept = [row for group in groups for row, _, curve in group.lines if curve]
            render(
                site,
                f"video/{dataset.key}/{video.key}.html",
                "video.html",
                dataset=dataset,
                video=video,
                about=_about(video, hard.get(video.name), measure, len(hard)),
                groups=groups,
                curves=bool(kept),
                curve_rows=kept,
                data=video_data(video),
                viewer=f"viewer.html#d={dataset.key}&v={video.key}" if site.pages.get("viewer") else "",
                before=before,
                after=after,
                raw=raw_record,
                downloads=[("All rows, as CSV", ALL_ROWS)],
            )


def _about(video: SiteVideo, hard: Difficulty | None, measure: str, count: int) -> list[tuple[str, str]]:
    listed = video.listed
    attributes = ", ".join(f"{ATTRIBUTES.get(name, '')} ({name})".strip() for name in listed.attributes)
    found = [
        ("Frames", str(listed.frames or "")),
        ("Annotated", f"{len(listed.annotated)} frames" if listed.annotated is not None else ""),
        ("Category", shown(listed.category or "")),
        ("Attributes", attributes),
        ("Temporal stability", "" if listed.stable else "not averaged over this video: heavy occlusion"),
    ]
    if hard is not None:
        heading = shown(measure_of(measure).heading)
        ends = f"{formatted(hard.low)} to {formatted(hard.high)}"
        said = f"{hard.place} of {count}: {heading} {formatted(hard.mean)} over methods, from {ends}"
        found.append(("Difficulty", said))
    return found


def _groups(site: Site, dataset: SiteDataset, video: SiteVideo, rows: Sequence[Row]) -> list[Group]:
    found = []
    order = sorted(rows, key=lambda row: (row.signature != dataset.usual, row.signature))
    for name, of in groupby(order, key=lambda row: row.signature):
        own = list(of)
        held = {key for row in own for key in row.measured.videos[video.name]}
        columns = [key for key in (*SHOWN_OF_VIDEOS, *MEASURES) if key in held] + sorted(held - {*MEASURES})
        columns = list(dict.fromkeys(columns))
        gain = measure_of(columns[0]).gain if columns else float
        group = []
        for row in own:
            scores = row.measured.videos[video.name]
            frames = site.frames.get(f"{row.dataset}/{row.key}", {}).get(video.name, {})
            group.append((row, [scores.get(key) for key in columns], lines(frames.get("J", []), *SPARK)))
        group.sort(
            key=lambda line: (not line[1] or line[1][0] is None, -gain((line[1] or [0.0])[0] or 0.0), line[0].title)
        )
        found.append(Group(signature=name, columns=columns, lines=group))
    return found
