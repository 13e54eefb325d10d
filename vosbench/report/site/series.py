"""The data scripts of datasets and videos: what every method comes to on every video, and in every frame."""

from typing import Any

from vosbench.metrics.measures import MEASURES
from vosbench.report.site.data import rounded, write_script
from vosbench.report.site.keys import shown
from vosbench.report.site.model import Row, Site, SiteDataset, SiteVideo
from vosbench.report.site.numbers import OVER_TIME, over_time

FRAME_DIGITS = 3


def read_frames(site: Site) -> None:
    """Read the values of frames that lie next to records into `Site.frames`."""
    for row in site.measured():
        found = over_time(site, row)
        if found:
            site.frames[f"{row.dataset}/{row.key}"] = found


def write_series(site: Site) -> None:
    """Write the data of every dataset with measured rows, and of its videos."""
    for dataset in site.datasets.values():
        rows = [row for row in site.measured(dataset.key) if row.split == dataset.split]
        if rows:
            path = f"data/{dataset.key}.js"
            write_script(site.out / path, "dataset", _dataset(site, dataset, rows) | site.extra.get(path, {}))
        for video in dataset.videos:
            path = video_data(video)
            write_script(site.out / path, "video", _video(site, video, rows) | site.extra.get(path, {}))


def video_data(video: SiteVideo) -> str:
    """The path of a video's data below the site."""
    return f"data/{video.dataset}/{video.key}.js"


def _dataset(site: Site, dataset: SiteDataset, rows: list[Row]) -> dict[str, Any]:
    """``perVideo`` is key of a row → for each video the values of ``measures``, or null for a video without any."""
    held = {name for row in rows for scores in row.measured.videos.values() for name in scores}
    measures = [*(name for name in MEASURES if name in held), *sorted(held - {*MEASURES})]

    def values(row: Row, video: SiteVideo) -> list[float | None] | None:
        scores = row.measured.videos.get(video.name)
        return None if scores is None else [rounded(scores.get(name)) for name in measures]

    return {
        "key": dataset.key,
        "name": shown(dataset.name),
        "title": shown(dataset.title),
        "split": dataset.split,
        "measures": measures,
        "videos": [
            {
                "key": video.key,
                "name": shown(video.name),
                "frames": video.listed.frames,
                "stable": video.listed.stable,
                "category": video.listed.category,
                "attributes": video.listed.attributes,
                "thumb": (dataset.key, video.key) in site.thumbs,
                "curves": any(video.name in site.frames.get(f"{row.dataset}/{row.key}", {}) for row in rows),
            }
            for video in dataset.videos
        ],
        "rows": [
            {"key": row.key, "title": row.title, "method": row.method, "signature": row.signature} for row in rows
        ],
        "perVideo": {row.key: [values(row, video) for video in dataset.videos] for row in rows},
    }


def _video(site: Site, video: SiteVideo, rows: list[Row]) -> dict[str, Any]:
    """``J`` and ``F`` are key of a row → value of each frame, null where none was scored or predicted."""
    found: dict[str, dict[str, list[float | None]]] = {measure: {} for measure in OVER_TIME}
    for row in rows:
        for measure, values in site.frames.get(f"{row.dataset}/{row.key}", {}).get(video.name, {}).items():
            found[measure][row.key] = [rounded(value, FRAME_DIGITS) for value in values]
    lengths = [len(values) for own in found.values() for values in own.values()]
    return {
        "dataset": video.dataset,
        "key": video.key,
        "name": shown(video.name),
        "length": video.listed.frames or max(lengths, default=None),
        "annotated": video.listed.annotated,
        **found,
    }
