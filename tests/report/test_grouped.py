"""Results broken down: one record in every score, several in one."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factories import davis16_record
from vosbench.dataset import DatasetProtocol, Listed, Video
from vosbench.dataset.layout import Layout, collect
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.aggregate import dataset_scores, video_scores
from vosbench.evaluate.score import all_rows, score
from vosbench.evaluate.task import Scored
from vosbench.images import write_png
from vosbench.records import record as records
from vosbench.records.published import published
from vosbench.records.record import Row
from vosbench.records.store import read_records
from vosbench.registry import load_dataset
from vosbench.report.grouped import View, breakdown, grouped
from vosbench.report.table import Number, Table

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"


def columns(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


COUNTS = dict(aeroplane=6, bird=6, boat=15, car=7, cat=16, cow=20, dog=27, horse=14, motorbike=10, train=5)  # noqa: C408
PIXELS = {name: 5 * (index + 5) for index, name in enumerate(COUNTS)}


def write_ytobj(root: Path) -> tuple[Path, Path]:
    """126 sequences of a label of 100 pixels each, and masks that cover a known number of them."""
    seen: Counter[str] = Counter()
    for name, listed in load_dataset("ytobj").listing("test").items():
        category, joined = str(listed.category), name.replace("_", "")
        label = np.zeros((20, 10), np.uint8)
        label[:10] = 255
        covered = PIXELS[category] + (0 if seen[category] == 0 and COUNTS[category] % 2 else 5 * (-1) ** seen[category])
        seen[category] += 1
        mask = np.zeros(200, np.uint8)
        mask[:covered] = 255
        write_png(root / "YO2SEG" / "JPEGImages" / "480p" / joined / "00001.png", np.zeros((20, 10, 3), np.uint8))
        write_png(root / "YO2SEG" / "Annotations" / joined / "00001.png", label)
        write_png(root / "masks" / name / "00001.png", mask.reshape(20, 10))
    assert seen == COUNTS
    return root, root / "masks"


def test_categories_of_a_whole_tree(tmp_path: Path) -> None:
    root, masks = write_ytobj(tmp_path)
    dataset = load_dataset("ytobj")
    record, scored, _ = score(masks, select(dataset, Choice(root=root)), method="known")
    records.write(tmp_path / "out" / "ytobj" / "known.json", record, all_rows(scored))
    table, _ = grouped(read_records(tmp_path / "out", "ytobj"), dataset, View(by="category"))
    rows = {row[0]: row[1:] for row in table.rows}
    assert {name: rows[name] for name in COUNTS} == {
        name: (str(count), pytest.approx(PIXELS[name] / 100)) for name, count in COUNTS.items()
    }
    over_sequences = sum(COUNTS[name] * PIXELS[name] for name in COUNTS) / 126 / 100
    assert rows["category mean"] == ("10", pytest.approx(sum(PIXELS.values()) / 1000))
    assert rows["sequence mean"] == ("126", pytest.approx(over_sequences))
    assert over_sequences - 0.475 == pytest.approx(
        61.80 / 126 - 0.475
    )  # by hand: (6·25 + 6·30 + … + 5·70) / 100 = 61.80
    assert record.scores["J_mean"] == pytest.approx(0.475)
    assert columns(table)[10]["known"] == record.scores["J_mean"]


def test_published_categories_stand_beside() -> None:
    dataset = load_dataset("ytobj")
    listing = dataset.listing("test")
    videos = {name: {"J_mean": 0.5} for name in listing}
    fields = {
        "dataset": "ytobj",
        "split": "test",
        "protocol": "ytobj-category@1",
        "signature": "ytobj-category@1|J:all|x",
    }
    own = davis16_record("ours", {"J_mean": 0.5}, videos=videos, **fields)
    numbers = list(published("f2net-4"))
    beside, _ = grouped([own], dataset, View(by="category"), numbers)
    alone, _ = grouped([], dataset, View(by="category"), numbers)
    for table in (beside, alone):
        rows = {row["category"]: row for row in columns(table)}
        assert rows["cow"]["PDB"] == pytest.approx(0.641)
        assert rows["category mean"]["PDB"] == pytest.approx(0.6519)
        assert rows["sequence mean"]["PDB"] is None
        assert rows["mean as printed"]["PDB"] == pytest.approx(0.655)
    assert {row["ours"] for row in columns(beside)} == {0.5, None}
    assert len(alone.columns) == len(beside.columns) - 1 == 2 + 7


def test_attributes_agree_with_those_of_a_score(tmp_path: Path) -> None:
    dataset = load_dataset("sample")
    root = tmp_path / "sample"
    assert dataset.generate is not None
    dataset.generate(root)
    selection = select(dataset, Choice(root=root, videos=(), measures=("J", "F")))
    masks = tmp_path / "masks"
    for index, video in enumerate(selection.videos):
        # The annotation of another frame: scores that differ from video to video.
        paths = [video.annotations[t] for t in sorted(video.annotations)]
        for t, path in enumerate(paths):
            target = masks / video.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(paths[max(0, t - index)], target)
    record, scored, _ = score(masks, selection)
    assert len({each["J_mean"] for each in record.videos.values()}) == len(selection.videos) == 10
    theirs = {row["attribute"]: row for row in columns(breakdown(record, scored, selection, "attribute"))}
    for measure, name in (("J_mean", "J"), ("F_mean", "F")):
        table, _ = grouped([record], dataset, View(by="attribute", measure=measure))
        ours = {row["attribute"]: row for row in columns(table)}
        assert ours.keys() == theirs.keys()
        for attribute, row in ours.items():
            assert row["videos"] == theirs[attribute]["videos"]
            assert row["masks"] == theirs[attribute][name]
            assert row["masks gain"] == theirs[attribute][f"{name} gain"]
    by_category, _ = grouped([record], dataset, View(by="category", measure="J_mean"))
    means = {row["category"]: row["masks"] for row in columns(by_category)}
    by_hand = {
        family: [
            scores["J_mean"] for name, scores in record.videos.items() if selection.listing[name].category == family
        ]
        for family in ("animal", "blob", "polygon", "vehicle")
    }
    expected = {family: sum(v for v in values if v is not None) / len(values) for family, values in by_hand.items()}
    assert {family: means[family] for family in expected} == pytest.approx(expected)
    assert means["category mean"] == pytest.approx(sum(expected.values()) / 4)
    assert means["sequence mean"] == pytest.approx(record.scores["J_mean"])
    by_video, _ = grouped([record], dataset, View(by="video", measure="J_mean"))
    assert [row["video"] for row in columns(by_video)] == [*record.videos, "sequence mean"]


def test_groups_that_a_dataset_does_not_have() -> None:
    dataset = replace(load_dataset("davis16"), listing=lambda _: {"a": Listed(frames=1)})
    record = davis16_record("x", {"J_mean": 0.5}, videos={"a": {"J_mean": 0.5}})
    for by, problem in (("category", "has no categories"), ("attribute", "has no attributes")):
        with pytest.raises(DataError, match=problem):
            grouped([record], dataset, View(by=by))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match='no measure "S"'):
        grouped([record], dataset, View(by="video", measure="S"))


def test_columns_have_one_name_each() -> None:
    dataset = replace(load_dataset("davis16"), listing=lambda _: {"a": Listed(frames=1)})
    record = davis16_record("x", {"J_mean": 0.5}, videos={"a": {"J_mean": 0.5}})
    with pytest.raises(DataError, match='two records are called "x"'):
        grouped([record, record], dataset, View(by="video"))


def test_a_mean_over_an_incomplete_category_is_not_known() -> None:
    dataset = replace(
        load_dataset("davis16"),
        listing=lambda _: {
            "a": Listed(frames=1, category="cow"),
            "b": Listed(frames=1, category="cow"),
            "c": Listed(frames=1, category="dog"),
        },
    )
    videos = {"a": {"J_mean": 0.5}, "b": {"J_mean": None}, "c": {"J_mean": 0.25}}
    table, _ = grouped([davis16_record("x", {"J_mean": None}, videos=videos)], dataset, View(by="category"))
    assert [row[2] for row in table.rows] == [None, 0.25, None, None]


def test_methods_are_sorted_by_what_they_have_overall() -> None:
    dataset = replace(load_dataset("davis16"), listing=lambda _: {"a": Listed(frames=1)})
    found = [
        davis16_record("x", {"J_mean": 0.5, "T_mean": 0.1}, videos={"a": {"J_mean": 0.5, "T_mean": 0.1}}),
        davis16_record("y", {"J_mean": 0.7, "T_mean": 0.2}, videos={"a": {"J_mean": 0.7, "T_mean": 0.2}}),
    ]
    assert grouped(found, dataset, View(by="video"))[0].columns == ("video", "y", "x")
    assert grouped(found, dataset, View(by="video", sort="T"))[0].columns == ("video", "x", "y")


def of_protocol(root: Path, protocol: DatasetProtocol, **listed: object) -> Selection:
    dataset = load_dataset("toy", [TOY])
    found = {name: replace(each, **listed) for name, each in dataset.listing("val").items()}
    return select(replace(dataset, protocols=(protocol,), listing=lambda _: found), Choice(root=root))


def test_breakdowns(toy_root: Path) -> None:
    selection = of_protocol(toy_root, DatasetProtocol(name="p", measures=("J", "F")))
    listing = {
        "v0": Listed(frames=5, attributes=("OCC", "ODD"), category="cow"),
        "v1": Listed(frames=5, attributes=("OCC",), category="dog"),
    }
    selection = replace(selection, listing=listing)
    predictions = Path(shutil.copytree(toy_root / "masks", toy_root / "predictions"))
    for path in (predictions / "v0").iterdir():
        Image.fromarray(np.zeros((24, 32), np.uint8)).save(path)
    record, scored, _ = score(predictions, selection)
    tables = {by: breakdown(record, scored, selection, by) for by in ("video", "category", "attribute", "average")}  # type: ignore[arg-type]
    assert tables["video"].rows[0][:2] == ("v0", 0.0)
    assert tables["category"].rows[1][:3] == ("dog", "1", 1.0)
    gain = Number(1.0, 3, signed=True)
    assert tables["attribute"].rows == [("OCC", "2", 0.5, None, 0.5, None), ("ODD", "1", 0.0, gain, 0.0, gain)]
    assert tables["average"].rows[0] == ("J", 0.5, 0.5, 0.5)
    interval = breakdown(record, scored, selection, "interval")
    assert interval.rows[0] == ("J mean", "2", 0.5, None, None)
    for table in (*tables.values(), interval):
        assert "p@1|J:all" in table.notes[0]


def test_what_a_dataset_cannot_be_broken_down_by(toy_root: Path) -> None:
    selection = of_protocol(toy_root, DatasetProtocol(name="p"))
    record, scored, _ = score(toy_root / "masks", selection)
    for by in ("category", "attribute"):
        with pytest.raises(DataError, match="has no"):
            breakdown(record, scored, selection, by)  # type: ignore[arg-type]


def cells(table: Table) -> dict[Any, dict[str, Any]]:
    """The first cell of a line → heading → cell."""
    return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def write_empty_video(root: Path) -> Path:
    """Masks of three videos, one of which has only empty annotations: J is 0.5, nothing and 1."""
    mask = np.zeros((8, 8), np.uint8)
    mask[2:6] = 255
    half = mask.copy()
    half[4:] = 0
    empty = np.zeros_like(mask)
    for video, (annotation, prediction) in enumerate([(mask, half), (empty, mask), (mask, mask)]):
        for frame in range(3):
            name = f"v{video}/{frame:05d}.png"
            write_png(root / "frames" / name, np.zeros((8, 8, 3), np.uint8))
            write_png(root / "masks" / name, annotation)
            write_png(root / "predictions" / name, prediction)
    return root / "predictions"


@pytest.mark.parametrize("average", ["video", "category", "frame"])
def test_a_video_that_the_protocol_skips_does_not_count(tmp_path: Path, average: str) -> None:
    predictions = write_empty_video(tmp_path)
    listing = {
        name: Listed(frames=3, category=category, attributes=("FM",) if name == "v1" else ("OCC",))
        for name, category in (("v0", "cow"), ("v1", "cow"), ("v2", "dog"))
    }
    protocol = DatasetProtocol(name="p", measures=("J",), empty="skip", average=average)  # type: ignore[arg-type]
    layout = Layout(name="l", frames="frames/{video}", annotations="masks/{video}", codec="binary255", markers=())
    dataset = replace(
        load_dataset("toy", [TOY]),
        protocols=(protocol,),
        listing=lambda _: listing,
        videos=lambda root, _split, _layout=None: collect(root, layout, listing),
    )
    selection = select(dataset, Choice(root=tmp_path))
    record, scored, _ = score(predictions, selection)
    assert record.scores["J_mean"] == 0.75
    assert not record.missing
    assert cells(breakdown(record, scored, selection, "average"))["J"] == {
        "measure": "J",
        "frame mean": 0.75,
        "sequence mean": 0.75,
        "category mean": 0.75,
    }
    expected = {"cow": 0.5, "dog": 1.0, "category mean": 0.75, "sequence mean": 0.75}
    of_one = cells(breakdown(record, scored, selection, "category"))
    of_several = cells(grouped([record], dataset, View(by="category", measure="J_mean"))[0])
    assert {name: row["J mean"] for name, row in of_one.items()} == expected
    assert {name: row["predictions"] for name, row in of_several.items()} == expected
    assert cells(grouped([record], dataset, View(by="video"))[0])["sequence mean"]["predictions"] == 0.75
    by_attribute = cells(breakdown(record, scored, selection, "attribute"))
    assert (by_attribute["OCC"]["J"], by_attribute["OCC"]["J gain"], by_attribute["FM"]["J"]) == (0.75, None, None)
    interval = cells(breakdown(record, scored, selection, "interval"))["J mean"]
    assert (interval["videos"], interval["mean"]) == ("2", 0.75)
    # A frame that is missing is not a frame that is skipped.
    (predictions / "v1" / "00001.png").unlink()
    partial, scored, _ = score(predictions, selection)
    shown = cells(breakdown(partial, scored, selection, "category"))
    assert {name: row["J mean"] for name, row in shown.items()} == {
        "cow": None,
        "dog": 1.0,
        "category mean": None,
        "sequence mean": None,
    }
    assert cells(breakdown(partial, scored, selection, "average"))["J"]["frame mean"] is None
    assert cells(breakdown(partial, scored, selection, "interval"))["J mean"]["mean"] is None


def test_stability_by_category_is_over_stable_videos_in_either_form(toy_root: Path) -> None:
    listing = {
        "v0": Listed(frames=5, category="animal", attributes=("OCC", "FM")),
        "v1": Listed(frames=5, category="animal", attributes=("OCC",), stable=False),
    }
    protocol = DatasetProtocol(name="p", measures=("J", "T"))
    dataset = replace(load_dataset("toy", [TOY]), protocols=(protocol,), listing=lambda _: listing)
    selection = select(dataset, Choice(root=toy_root))
    predictions = Path(shutil.copytree(toy_root / "masks", toy_root / "predictions"))
    square = np.zeros((24, 32), np.uint8)
    square[4:20, 4:12] = 255
    Image.fromarray(square).save(predictions / "v0" / "00002.png")
    record, scored, _ = score(predictions, selection)
    stable = record.videos["v0"]["T_mean"]
    assert stable != record.videos["v1"]["T_mean"]
    assert record.scores["T_mean"] == stable
    for by, line in (("category", "animal"), ("attribute", "OCC")):
        of_one = cells(breakdown(record, scored, selection, by))[line]  # type: ignore[arg-type]
        of_several = cells(grouped([record], dataset, View(by=by, measure="T"))[0])[line]  # type: ignore[arg-type]
        assert of_several["predictions"] == of_one["T"] == stable
        assert (of_one["videos"], of_several["videos"]) == ("2", "1")
    assert cells(breakdown(record, scored, selection, "average"))["T"]["sequence mean"] == stable
    assert cells(breakdown(record, scored, selection, "interval"))["T"]["mean"] == stable


def test_what_a_protocol_does_not_average_over_videos_is_noted(toy_root: Path) -> None:
    """Saliency measures are averaged as their convention says, region measures to a harmonic mean."""
    predictions = Path(shutil.copytree(toy_root / "masks", toy_root / "predictions"))
    for frame, path in enumerate(sorted((predictions / "v0").iterdir())):
        Image.fromarray(np.full((24, 32), 51 * frame, np.uint8)).save(path)
    protocol = DatasetProtocol(name="p", measures=("J", "maxF"), saliency="f-of-mean-pr")
    selection = of_protocol(toy_root, protocol, category="cow", attributes=("OCC",))
    record, scored, _ = score(predictions, selection, codec="map")
    whole = f"whole split, as its protocol averages: maxF {record.scores['maxF']:.3f}"
    for by in ("video", "category", "interval"):
        assert breakdown(record, scored, selection, by).notes[-1] == whole  # type: ignore[arg-type]
    table = breakdown(record, scored, selection, "attribute")
    assert table.columns == ("attribute", "videos", "J", "J gain", "maxF", "maxF gain")
    assert table.notes[-1] == whole
    regions = of_protocol(toy_root, DatasetProtocol(name="r", measures=("OB",), unit="regions"), category="cow")
    record, scored, _ = score(predictions, regions)
    table = breakdown(record, scored, regions, "category")
    assert len(table.notes) == 1
    assert cells(table)["sequence mean"]["F"] == record.scores["OB_F"]
    assert cells(table)["sequence mean"]["objects"] == record.scores["OB_extracted"]


def test_objects_have_a_mean_of_their_own() -> None:
    """Two objects in one video and one in the other: means over objects and over videos differ."""
    series = {"a": {"J.1": [1.0, 0.0], "J.2": [1.0, 1.0]}, "b": {"J.1": [0.0]}}
    scored = [
        Scored(
            video=video,
            rows=tuple(
                Row(video, frame, name, held[frame]) for name, held in found.items() for frame in range(len(held))
            ),
            missing=(),
            unscored=0,
            annotations="",
        )
        for video, found in series.items()
    ]
    protocol = DatasetProtocol(name="p", measures=("J",), unit="objects", average="object")
    listing = dict.fromkeys("ab", Listed(frames=2))
    scores = dataset_scores(scored, protocol, listing)
    videos = {each.video: video_scores(each, protocol) for each in scored}
    record = davis16_record("m", scores, videos=videos, signature=protocol.signature("0"))
    dataset = replace(load_dataset("davis17"), protocols=(protocol,))
    videos_ab = tuple(Video(name=name, frames=()) for name in listing)
    selection = Selection(
        dataset=dataset, split="val", protocol=protocol, videos=videos_ab, listing=listing, limit=None
    )
    table = breakdown(record, scored, selection, "average")
    assert table.columns == ("measure", "frame mean", "object mean", "sequence mean", "category mean")
    assert table.rows == [("J", 0.6, 0.5, 0.375, None)]
    assert scores["J_mean"] == 0.5


def test_a_published_mean_of_categories_is_not_known_if_one_is_not_printed() -> None:
    numbers = [each for each in published("f2net-4") if each.category != "cow"]
    table, _ = grouped([], load_dataset("ytobj"), View(by="category"), numbers)
    assert cells(table)["category mean"]["PDB"] is None
