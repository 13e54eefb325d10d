"""The choices of a protocol that move a score, each worked by hand on masks of a few pixels."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.dataset.selection import Choice, select
from vosbench.evaluate.score import score

Tiny = Callable[[dict[str, list[tuple[str, str]]]], Callable[[DatasetProtocol], dict[str, float | None]]]


def save(path: Path, levels: str) -> Path:
    """A picture of one row; each letter is a level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {".": 0, "-": 60, "+": 100, "=": 128, "#": 255}
    Image.fromarray(np.array([[known[level] for level in levels]], np.uint8)).save(path)
    return path


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """Scores of videos of (annotation, map) pairs."""

    def make(videos: dict[str, list[tuple[str, str]]]) -> Callable[[DatasetProtocol], dict[str, float | None]]:
        found = []
        for name, frames in videos.items():
            paths = [save(tmp_path / "frames" / name / f"{t:05d}.png", one) for t, (one, _) in enumerate(frames)]
            for t, (_, levels) in enumerate(frames):
                save(tmp_path / "maps" / name / f"{t:05d}.png", levels)
            found.append(
                Video(name=name, frames=tuple(paths), annotations=dict(enumerate(paths)), codec="above:127", layout="t")
            )
        listing = {video.name: Listed(frames=len(video)) for video in found}
        dataset = Dataset(
            name="tiny",
            title="Tiny",
            paper="–",
            licence="–",
            splits=("test",),
            layouts=("t",),
            protocols=(),
            listing=lambda _split: listing,
            videos=lambda *_: found,
        )

        def scores(protocol: DatasetProtocol) -> dict[str, float | None]:
            whole = replace(dataset, protocols=(protocol,))
            return score(tmp_path / "maps", select(whole, Choice(root=tmp_path)), codec="map")[0].scores

        return scores

    return make


J = DatasetProtocol(name="tiny", measures=("J",), resize="prediction")


def test_frames(tiny: Tiny) -> None:
    scores = tiny({"a": [("##..", ".###"), ("##..", "##.."), ("##..", "#..."), ("##..", "..##")]})
    values = [1 / 4, 1, 1 / 2, 0]
    for frames, part in (
        ("all", values),
        ("after-first", values[1:]),
        ("before-last", values[:-1]),
        ("before-last-two", values[:-2]),
        ("annotated-inner", values[1:-1]),
    ):
        assert scores(replace(J, frames=frames))["J_mean"] == pytest.approx(sum(part) / len(part)), frames  # type: ignore[arg-type]


def test_frames_without_an_object(tiny: Tiny) -> None:
    scores = tiny({"a": [("....", "...."), ("....", "#..."), ("##..", "#..."), ("##..", "....")]})
    assert scores(J)["J_mean"] == pytest.approx((1 + 0 + 1 / 2 + 0) / 4)
    assert scores(replace(J, empty="skip-both"))["J_mean"] == pytest.approx((0 + 1 / 2 + 0) / 3)
    assert scores(replace(J, empty="skip"))["J_mean"] == pytest.approx((1 / 2 + 0) / 2)


def test_a_video_of_frames_that_are_left_out_does_not_count(tiny: Tiny) -> None:
    scores = tiny({"a": [("....", "....")], "b": [("##..", "#...")]})
    assert scores(replace(J, empty="skip-both"))["J_mean"] == 1 / 2
    assert scores(J)["J_mean"] == 3 / 4


def test_levels(tiny: Tiny) -> None:
    scores = tiny({"a": [("#=+.", "#=+-")]})
    assert scores(J)["J_mean"] == 1  # above 127, both
    assert scores(replace(J, annotations_above=128))["J_mean"] == 1 / 2
    assert scores(replace(J, annotations_above=0))["J_mean"] == 2 / 3
    assert scores(replace(J, maps_above=128))["J_mean"] == 1 / 2
    assert scores(replace(J, maps_above=89))["J_mean"] == 2 / 3
    assert scores(replace(J, maps_above=0))["J_mean"] == 2 / 4
    assert scores(replace(J, maps_above=89, annotations_above=0))["J_mean"] == 1


def test_maps_are_resized_before_their_level_is_compared(tiny: Tiny, tmp_path: Path) -> None:
    scores = tiny({"a": [("####....", "########")]})
    save(tmp_path / "maps" / "a" / "00000.png", "#.")  # linearly: 255, 255, 223, 159, 96, 32, 0, 0
    assert scores(J)["J_mean"] == 1
    assert scores(replace(J, maps_above=89))["J_mean"] == 4 / 5
    assert scores(replace(J, maps_above=200))["J_mean"] == 3 / 4


def test_averages(tiny: Tiny) -> None:
    scores = tiny({"a": [("##..", "##..")], "b": [("##..", "#...")] * 3})
    assert scores(J)["J_mean"] == 3 / 4
    assert scores(replace(J, average="frame"))["J_mean"] == 5 / 8


def test_signatures_tell_all_of_these_apart() -> None:
    protocols = [
        J,
        *(replace(J, frames=frames) for frames in ("after-first", "before-last", "before-last-two")),  # type: ignore[arg-type]
        *(replace(J, empty=empty) for empty in ("skip", "skip-both")),  # type: ignore[arg-type]
        replace(J, annotations_above=0),
        replace(J, maps_above=0),
    ]
    assert len({protocol.signature("1") for protocol in protocols}) == len(protocols)
