"""What the pages of charts and of comparisons show: values of videos, curves, means by attribute, and speed.

Conventions:
    Records that can be compared are in one group: equal dataset, split and signature, limit of frames and
    annotations (`vosbench.records.compare.unlike`). Each dataset has ``data/compare/<key>.js`` with its groups and the
    values of their videos, and ``data/charts/<key>.js`` with what is drawn of single records. Unknown numbers are
    null, never 0; a video without weight in the mean of a measure, such as one of heavy occlusion in that of T, has
    none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from vosbench.dataset import Listed
from vosbench.evaluate.aggregate import VideoScores
from vosbench.metrics.measures import measure_of
from vosbench.records.compare import unlike
from vosbench.records.record import Record, signature
from vosbench.report.site import pages
from vosbench.report.site.data import rounded, write_script
from vosbench.report.site.gather import listing_of
from vosbench.report.site.keys import key_of, shown, slug_of
from vosbench.report.site.model import Row, Site, SiteDataset
from vosbench.report.site.numbers import OVER_TIME

THRESHOLDS = np.linspace(0, 1, 101)
"""Of J and F, in a success plot."""
EXACT, COARSE = 6, 4
"""Decimals of what statistics are computed from, and of what is only drawn."""


@dataclass(kw_only=True)
class Group:
    """Records of one dataset that can be compared; what is said of them is asked for once all are there.

    Attributes:
        key: in links.
        first: the record that the others were found to be like.
        listing: what the dataset's list says of its videos.
        rows: of the records.
    """

    key: str
    first: Record
    listing: Mapping[str, Listed]
    rows: list[Row] = field(default_factory=list)

    @cached_property
    def videos(self) -> list[str]:
        """The videos that any of the records has, in the order of the list."""
        known = dict.fromkeys(name for row in self.rows for name in row.measured.videos)
        return [
            *(name for name in self.listing if name in known),
            *(name for name in known if name not in self.listing),
        ]

    @cached_property
    def measures(self) -> list[str]:
        """The scores of videos that are fine enough to be compared."""
        found = dict.fromkeys(key for row in self.rows for scores in row.measured.videos.values() for key in scores)
        return [key for key in found if measure_of(key).video_tolerance is not None]

    @cached_property
    def attributes(self) -> list[tuple[str, int]]:
        """The attributes, each with the number of its videos: the most common first."""
        counts = Counter(name for video in self.videos for name in self.attributes_of(video))
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    def attributes_of(self, video: str) -> Sequence[str]:
        """The attributes of a video."""
        return self.listing[video].attributes if video in self.listing else ()


def prepare(site: Site) -> None:
    """Say which pages there will be."""
    groups = [group for dataset in site.datasets.values() for group in grouped(site, dataset)]
    site.pages["charts"] = bool(groups)
    site.pages["compare"] = any(len(group.rows) > 1 for group in groups)


def write(site: Site) -> None:
    """Write the data, and the pages of charts and comparisons."""
    found = {key: groups for key, dataset in site.datasets.items() if (groups := grouped(site, dataset))}
    for key, groups in found.items():
        write_script(site.out / "data" / "compare" / f"{key}.js", "dataset", _compared(site.datasets[key], groups))
        write_script(site.out / "data" / "charts" / f"{key}.js", "dataset", _drawn(site, groups))
    for name, least in (("charts", 1), ("compare", 2)):
        fit = [site.datasets[key] for key, own in found.items() if any(len(group.rows) >= least for group in own)]
        if fit:
            pages.render(site, f"{name}.html", f"{name}.html", datasets=fit)


def grouped(site: Site, dataset: SiteDataset) -> list[Group]:
    """The groups of a dataset's records: the usual one first, then the largest."""
    found: list[Group] = []
    for row in site.measured(dataset.key):
        record = row.measured
        if not any(record.videos.values()):
            continue
        group = next((each for each in found if _alike(each.first, record)), None)
        if group is None:
            key = f"{slug_of(record.split)}-{key_of(row.signature)[-6:]}"
            number = 1 + sum(each.key.partition(".")[0] == key for each in found)
            listing = listing_of(dataset.known, record.split, record.videos)
            group = Group(key=key if number == 1 else f"{key}.{number}", first=record, listing=listing)
            found.append(group)
        group.rows.append(row)
    return sorted(found, key=lambda group: (group.rows[0].signature != dataset.usual, -len(group.rows)))


def _alike(first: Record, second: Record) -> bool:
    return signature(first) == signature(second) and not unlike(first, second)


def _compared(dataset: SiteDataset, groups: Sequence[Group]) -> dict[str, Any]:
    """The groups; ``key`` of a video is empty if it has no page."""
    with_page = {video.key for video in dataset.videos}
    return {
        "groups": [
            {
                "key": group.key,
                "split": shown(group.first.split),
                "signature": shown(group.rows[0].signature),
                "over": group.first.whole,
                "measures": [
                    {"name": name, "heading": shown(measure_of(name).heading), "better": measure_of(name).better}
                    for name in group.measures
                ],
                "videos": [
                    {
                        "name": shown(name),
                        "key": slug if (slug := slug_of(name)) in with_page else "",
                        "attributes": [*map(shown, group.attributes_of(name))],
                    }
                    for name in group.videos
                ],
                "rows": [
                    [row.key, *(_of_videos(group, row.measured, name) for name in group.measures)] for row in group.rows
                ],
            }
            for group in groups
        ]
    }


def _of_videos(group: Group, record: Record, measure: str) -> list[float | None]:
    """The value of each video that counts."""
    return [
        rounded(record.videos.get(name, {}).get(measure), EXACT)
        if name not in group.listing or group.listing[name].counts_for(measure)
        else None
        for name in group.videos
    ]


def _drawn(site: Site, groups: Sequence[Group]) -> dict[str, Any]:
    """For each record its means by attribute, shares of frames above thresholds, curves of soft maps, and speed."""
    found = {}
    for group in groups:
        names = [name for name, _ in group.attributes]
        listing = {name: each for name, each in group.listing.items() if name in group.videos}
        for row in group.rows:
            record = row.measured
            scores = VideoScores.of(record, listing)
            found[f"{group.key}/{row.key}"] = {
                "attributes": {
                    measure: [rounded(scores.by_attribute(measure, name)[0], COARSE) for name in names]
                    for measure in (group.measures if names else ())
                },
                "success": _success(site, row),
                "pr": _curves(record),
                "speed": _speed(record),
            }
    return {
        "attributes": {group.key: [(shown(name), count) for name, count in group.attributes] for group in groups},
        "rows": found,
    }


def _success(site: Site, row: Row) -> dict[str, list[float]]:
    """Measure → share of all scored frames whose value is above each threshold; empty without values of frames."""
    found: dict[str, list[float]] = {}
    videos = site.frames.get(f"{row.dataset}/{row.key}", {}).values()
    for measure in OVER_TIME:
        values = np.sort([value for of in videos for value in of.get(measure, ()) if value is not None])
        if values.size:
            above = 1 - np.searchsorted(values, THRESHOLDS, side="right") / values.size
            found[measure] = [round(float(share), COARSE) for share in above]
    return found


def _curves(record: Record) -> list[list[float]] | None:
    if record.curves is None:
        return None
    kept = (record.curves.precision, record.curves.recall, record.curves.f_measure)
    return [[round(value, COARSE) for value in curve] for curve in kept]


def _speed(record: Record) -> dict[str, Any] | None:
    speed = record.speed
    if speed is None:
        return None
    return {
        "fps": float(f"{speed.fps:.4g}"),
        "latency": float(f"{speed.latency:.4g}"),
        "parameters": speed.parameters,
        "gmacs": None if speed.gmacs is None else float(f"{speed.gmacs:.4g}"),
        "size": shown(speed.size),
        "device": shown(speed.device_name),
        "threads": speed.threads,
    }
