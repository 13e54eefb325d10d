import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vosbench.errors import MeasureError
from vosbench.evaluate.aggregate import VOCABULARIES, AttributeScore, Averages, attribute_scores, averages
from vosbench.registry import load_dataset

VALUES = {"a1": [1.0, 0.5, 0.0, 0.5], "a2": [1.0], "b1": [0.25, 0.25]}
CATEGORIES = {"a1": "a", "a2": "a", "b1": "b"}


def test_by_hand() -> None:
    found = averages(VALUES, CATEGORIES, CATEGORIES)
    assert found == Averages(frame_mean=3.5 / 7, sequence_mean=1.75 / 3, category_mean=(0.75 + 0.25) / 2)
    assert averages(VALUES, ["a2"]) == Averages(1.0, 1.0, None)


@pytest.mark.parametrize("gap", [None, [], "absent"])
def test_an_incomplete_dataset_has_no_average(gap: list[float] | str | None) -> None:
    values = {**VALUES, "b1": gap}
    if gap == "absent":
        del values["b1"]
    assert averages(values, CATEGORIES, CATEGORIES) == Averages(None, None, None)  # type: ignore[arg-type]
    found = attribute_scores(values, {"a1": ["FM"], "a2": [], "b1": []}, ["FM"])  # type: ignore[arg-type]
    assert found == {"FM": AttributeScore(value=None, gain=None, videos=1)}


def test_nothing_has_no_average() -> None:
    assert averages({}, []) == Averages(None, None, None)
    assert attribute_scores({}, {}, ["FM"]) == {"FM": AttributeScore(None, None, 0)}


def test_a_video_without_category() -> None:
    with pytest.raises(MeasureError, match='"b1" has no category'):
        averages(VALUES, VALUES, {"a1": "a", "a2": "a"})


@given(st.dictionaries(st.text(max_size=3), st.lists(st.floats(0, 1), min_size=1, max_size=5), min_size=1, max_size=6))
def test_means_agree_where_they_must(values: dict[str, list[float]]) -> None:
    apart = averages(values, values, {video: video for video in values})
    together = averages(values, values, dict.fromkeys(values, "one"))
    assert apart.sequence_mean == pytest.approx(apart.category_mean)
    assert together.sequence_mean == pytest.approx(together.category_mean)
    even = {video: taken[:1] for video, taken in values.items()}
    equal = averages(even, even)
    assert equal.frame_mean == equal.sequence_mean
    for mean in (apart.frame_mean, apart.sequence_mean, apart.category_mean):
        assert type(mean) is float
        assert 0 <= mean <= 1


def test_attributes_by_hand() -> None:
    attributes = {"a1": ("FM", "OCC", "ROT"), "a2": ("OCC",), "b1": ("OCC", "FM")}
    found = attribute_scores(VALUES, attributes, ["FM", "OCC", "SV"])
    assert found == {
        "FM": AttributeScore(value=0.375, gain=1.0 - 0.375, videos=2),
        "OCC": AttributeScore(value=1.75 / 3, gain=None, videos=3),
        "SV": AttributeScore(value=None, gain=None, videos=0),
    }


def test_vocabularies() -> None:
    assert (len(VOCABULARIES["cvpr16"]), len(VOCABULARIES["yaml"])) == (15, 16)
    assert set(VOCABULARIES["yaml"]) - set(VOCABULARIES["cvpr16"]) == {"ROT"}
    listing = load_dataset("davis16").listing("trainval")
    assert {name for listed in listing.values() for name in listed.attributes} == set(VOCABULARIES["yaml"])


def test_real_frames(real_data: Path, reference: Path) -> None:
    """From the leaderboard's frames, rounded to three decimals, to the leaderboard's mean."""
    frames = json.loads((real_data / "davis16_results" / "osvos.official_per_frame.json").read_text())
    listing = load_dataset("davis16").listing("val")
    values = {video: [float(value) for value in frames[video]["J"]] for video in listing}
    with (reference / "official_davis16_val.csv").open() as file:
        (official,) = [float(row["J_mean"]) for row in csv.DictReader(file) if row["method"] == "osvos"]
    found = averages(values, listing)
    assert found.sequence_mean == pytest.approx(official, abs=0.001)
    assert found.frame_mean != found.sequence_mean
    attributes = {video: listed.attributes for video, listed in listing.items()}
    for score in attribute_scores(values, attributes, VOCABULARIES["cvpr16"]).values():
        assert score.value is not None
        assert score.gain is not None
        whole = score.value + score.gain * (len(listing) - score.videos) / len(listing)
        assert whole == pytest.approx(found.sequence_mean)
