"""Scores of measures that third parties add: from videos to a split, under every way to average."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import UsageError
from vosbench.evaluate.score import score
from vosbench.images import write_png
from vosbench.metrics import Family, Measure, mean

LENGTHS = {"a": 1, "b": 3, "c": 2}
COVERED = {"a": 0.25, "b": 0.5, "c": 1.0}


class Cover:
    """The share of the frame that is predicted; a video that is covered by half has no value."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def add(self, _annotation: Any, prediction: Any) -> dict[str, float]:
        self.values.append(float(prediction.mean()))
        return {"cover": self.values[-1]}

    def finish(self) -> dict[str, float | None]:
        return {"cover": mean(self.values)}


class Picky(Cover):
    def finish(self) -> dict[str, float | None]:
        value = mean(self.values)
        return {"cover": None if value == 0.5 else value}


def family(start: type[Cover] = Cover) -> Family:
    return Family(name="cover", measures=(Measure(name="cover"),), start=start)


def selection(root: Path, protocol: DatasetProtocol, empty: str = "") -> Selection:
    """Videos of different lengths and categories; of one, annotations are empty."""
    found = []
    for name, length in LENGTHS.items():
        mask = np.full((4, 4), 0 if name == empty else 255, np.uint8)
        prediction = np.zeros((4, 4), np.uint8)
        prediction.flat[: int(16 * COVERED[name])] = 255
        for t in range(length):
            write_png(root / "frames" / name / f"{t}.png", np.zeros((4, 4, 3), np.uint8))
            write_png(root / "truth" / name / f"{t}.png", mask)
            write_png(root / "masks" / name / f"{t}.png", prediction)
        paths = [tuple(root / folder / name / f"{t}.png" for t in range(length)) for folder in ("frames", "truth")]
        found.append(
            Video(name=name, frames=paths[0], annotations=dict(enumerate(paths[1])), codec="binary255", layout="x")
        )
    listing = {name: Listed(frames=n, category="one" if name == "a" else "two") for name, n in LENGTHS.items()}

    def videos(_root: Path, _split: str, _layout: str | None = None) -> list[Video]:
        return found

    def listed(_split: str) -> Mapping[str, Listed]:
        return listing

    dataset = Dataset(
        name="x",
        title="X",
        paper="",
        licence="",
        splits=("val",),
        layouts=("x",),
        protocols=(protocol,),
        listing=listed,
        videos=videos,
    )
    return select(dataset, Choice(root=root))


def scored(root: Path, *, start: type[Cover] = Cover, empty: str = "", **changes: Any) -> dict[str, float | None]:
    protocol = DatasetProtocol(name="p", measures=("cover",), families=(family(start),), **changes)
    record, _, _ = score(root / "masks", selection(root, protocol, empty))
    assert "|cover@1|" in record.signature
    return record.scores


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        ("video", (0.25 + 0.5 + 1.0) / 3),
        ("category", (0.25 + 0.75) / 2),
        ("frame", (1 * 0.25 + 3 * 0.5 + 2 * 1.0) / 6),
    ],
)
def test_averages(tmp_path: Path, average: str, expected: float) -> None:
    assert scored(tmp_path, average=average) == {"cover": pytest.approx(expected)}


@pytest.mark.parametrize(
    ("average", "expected"), [("video", 0.625), ("category", 0.625), ("frame", (0.25 + 2 * 1.0) / 3)]
)
def test_a_video_without_a_value_does_not_count(tmp_path: Path, average: str, expected: float) -> None:
    assert scored(tmp_path, start=Picky, average=average) == {"cover": pytest.approx(expected)}


@pytest.mark.parametrize("average", ["video", "category", "frame"])
def test_skipped_frames_are_not_added(tmp_path: Path, average: str) -> None:
    values = {"video": 0.625, "category": 0.625, "frame": (0.25 + 2 * 1.0) / 3}
    assert scored(tmp_path, empty="b", average=average) != {"cover": values[average]}
    skipping = DatasetProtocol(name="p", measures=("cover",), families=(family(),), empty="skip", average=average)
    record, _, _ = score(tmp_path / "masks", selection(tmp_path, skipping, "b"))
    assert record.videos["b"] == {"cover": None}
    assert record.scores == {"cover": pytest.approx(values[average])}


def test_incomplete_videos_have_none(tmp_path: Path) -> None:
    chosen = selection(tmp_path, DatasetProtocol(name="p", measures=("J", "cover"), families=(family(),)))
    (tmp_path / "masks" / "b" / "1.png").unlink()
    record, _, _ = score(tmp_path / "masks", chosen)
    assert set(record.scores.values()) == set(record.videos["b"].values()) == {None}
    assert record.videos["c"]["cover"] == 1


def test_a_choice_of_measures() -> None:
    known = {"cover": family()}
    plain = DatasetProtocol(name="p")
    both = plain.only(["cover", "J"], known)
    assert (both.measures, both.families) == (("J", "cover"), (family(),))
    assert both.signature("1") == "p@1|J:all|cover@1|avg:video|vosbench 1"
    assert both.only(["J"]) == plain.only(["J"]), "what is left out leaves no trace"
    with pytest.raises(UsageError, match='did you mean "cover"'):
        plain.only(["covers"], known)
    with pytest.raises(UsageError, match="scores objects"):
        DatasetProtocol(name="p", unit="objects").only(["J", "cover"], known)
