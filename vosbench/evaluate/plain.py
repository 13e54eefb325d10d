"""Scored videos as plain data, for files: what comes back from a file is equal to the last bit."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vosbench.dataset import DatasetProtocol
from vosbench.evaluate.task import Scored
from vosbench.records.record import Row

if TYPE_CHECKING:
    from vosbench.metrics.ochs_brox import ObjectScores
    from vosbench.metrics.saliency import Accumulator

TYPES = ("int64", "float64", "uint64", "int32", "float32")
"""Of arrays."""


def to_plain(scored: Scored) -> dict[str, Any]:
    """A scored video as what JSON can hold; without what tells codecs, which were known."""
    return {
        "video": scored.video,
        "rows": [[row.frame, row.measure, row.value] for row in scored.rows],
        "missing": list(scored.missing),
        "unscored": scored.unscored,
        "annotations": scored.annotations,
        "masks": scored.masks,
        "saliency": None if scored.saliency is None else _sums(scored.saliency),
        "regions": None if scored.regions is None else asdict(scored.regions),
        "added": dict(scored.added),
        "counted": scored.counted,
        "uniform": list(scored.uniform),
        "complement": scored.complement,
    }


def from_plain(data: Mapping[str, Any], protocol: DatasetProtocol) -> Scored:
    """The scored video that `to_plain` has described.

    Raises:
        ValueError: or another error of Python, if the data are not such a description.
    """
    name = str(data["video"])
    return Scored(
        video=name,
        rows=tuple(Row(name, int(frame), str(measure), float(value)) for frame, measure, value in data["rows"]),
        missing=tuple(map(int, data["missing"])),
        unscored=int(data["unscored"]),
        annotations=str(data["annotations"]),
        masks=str(data["masks"]),
        saliency=None if data["saliency"] is None else _accumulator(data["saliency"], protocol),
        regions=None if data["regions"] is None else _regions(data["regions"]),
        added={str(key): None if value is None else float(value) for key, value in data["added"].items()},
        counted=int(data["counted"]),
        uniform=(int(data["uniform"][0]), int(data["uniform"][1]), int(data["uniform"][2])),
        complement=None if data["complement"] is None else float(data["complement"]),
    )


def _sums(accumulator: "Accumulator") -> dict[str, Any]:
    return {
        video: {
            "frames": sums.frames,
            "pixels": sums.pixels,
            "annotated": sums.annotated,
            "sums": {name: _written(value) for name, value in sums.sums.items()},
        }
        for video, sums in accumulator.videos.items()
    }


def _accumulator(data: Mapping[str, Any], protocol: DatasetProtocol) -> "Accumulator":
    from vosbench.evaluate.saliency import merged
    from vosbench.metrics.saliency.accumulate import Sums

    found = merged([], protocol)
    for video, each in data.items():
        sums = {str(name): _read(value) for name, value in each["sums"].items()}
        found.videos[str(video)] = Sums(int(each["frames"]), int(each["pixels"]), int(each["annotated"]), sums)
    return found


def _written(value: Any) -> Any:  # noqa: ANN401 - a number or an array
    if hasattr(value, "dtype") and value.ndim:
        return {"type": value.dtype.name, "values": value.tolist()}
    return value.item() if hasattr(value, "dtype") else value


def _read(value: Any) -> Any:  # noqa: ANN401 - a number or an array
    import numpy as np

    if isinstance(value, Mapping):
        if value["type"] not in TYPES:
            raise ValueError(f'there are no arrays of type "{value["type"]}"')
        return np.array(value["values"], dtype=value["type"])
    return value if isinstance(value, int) else float(value)


def _regions(data: Mapping[str, Any]) -> "ObjectScores":
    from vosbench.metrics.ochs_brox import ObjectScores, RegionScore

    return ObjectScores(**{**data, "regions": tuple(RegionScore(**region) for region in data["regions"])})
