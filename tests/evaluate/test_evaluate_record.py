import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import Dataset, DatasetProtocol, Listed
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError
from vosbench.evaluate.aggregate import dataset_scores
from vosbench.evaluate.score import all_rows, score
from vosbench.evaluate.task import Scored
from vosbench.records import record as records
from vosbench.records.record import Record, Row
from vosbench.records.store import read_records
from vosbench.registry import load_dataset
from vosbench.report.leaderboard import leaderboard
from vosbench.report.table import Table, render

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"


def toy(**changes: object) -> Dataset:
    return replace(load_dataset("toy", [TOY]), **changes)


def chosen(root: Path, protocol: DatasetProtocol | None = None, protocol_name: str | None = None) -> Selection:
    dataset = toy(protocols=(protocol,)) if protocol else toy()
    return select(dataset, Choice(root=root, protocol=protocol_name))


def test_perfect_masks(toy_root: Path) -> None:
    record, scored, notes = score(toy_root / "masks", chosen(toy_root))
    assert set(record.scores.values()) == {1.0, 0.0}
    assert record.scores["J_decay"] == 0.0
    assert len(all_rows(scored)) == 2 * 5 * 2
    assert notes == ['masks are read as "map"']


def copy_masks(root: Path) -> Path:
    return Path(shutil.copytree(root / "masks", root / "predictions"))


def test_a_missing_scored_frame_leaves_no_mean(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    (predictions / "v0" / "00002.png").unlink()
    record, scored, _ = score(predictions, chosen(toy_root))
    assert record.scores["J_mean"] is None
    assert record.videos["v0"]["J_mean"] is None
    assert record.videos["v1"]["J_mean"] == 1.0
    assert record.missing == ["v0/00002"]
    assert len(all_rows(scored)) == 2 * 9


def test_a_missing_frame_that_is_not_scored_is_a_note(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    (predictions / "v0" / "00004.png").unlink()
    record, _, notes = score(predictions, chosen(toy_root, protocol_name="toy-inner"))
    assert record.scores["J_mean"] == 1.0
    assert notes[1] == '1 frames have no mask, none of which protocol "toy-inner" scores'


def test_a_missing_video_leaves_no_mean(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    for path in (predictions / "v0").iterdir():
        path.unlink()
    record, _, _ = score(predictions, chosen(toy_root))
    assert record.scores["J_mean"] is None
    assert len(record.missing) == 5


def test_wrong_size_is_refused_or_resized_as_the_protocol_says(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    for path in predictions.rglob("*.png"):
        Image.open(path).resize((64, 48), Image.Resampling.NEAREST).save(path)
    with pytest.raises(DataError, match=r"is 64×48, its annotation 32×24; protocol .toy. does not resize"):
        score(predictions, chosen(toy_root))
    record, _, _ = score(predictions, chosen(toy_root, DatasetProtocol(name="r", resize="prediction")))
    assert record.scores["J_mean"] == 1.0
    assert "resize:prediction" in record.signature


def test_empty_annotations_are_scored_or_skipped(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    empty = np.zeros((24, 32), np.uint8)
    Image.fromarray(empty).save(toy_root / "masks" / "v0" / "00001.png")
    scored, _, _ = score(predictions, chosen(toy_root))
    assert scored.videos["v0"]["J_mean"] == pytest.approx(0.8)
    skipped, scored_, _ = score(predictions, chosen(toy_root, DatasetProtocol(name="s", empty="skip")))
    assert skipped.videos["v0"]["J_mean"] == 1.0
    assert len(all_rows(scored_)) == 2 * 9


def test_annotation_hash_depends_on_content_only(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    first, _, _ = score(predictions, chosen(toy_root))
    for path in (toy_root / "masks").rglob("*.png"):
        Image.open(path).convert("RGB").save(path, compress_level=1)
    second, _, _ = score(predictions, chosen(toy_root))
    assert first.provenance.annotations == second.provenance.annotations
    Image.fromarray(np.full((24, 32), 255, np.uint8)).save(toy_root / "masks" / "v0" / "00001.png")
    third, _, _ = score(predictions, chosen(toy_root))
    assert first.provenance.annotations != third.provenance.annotations


def made(video: str, values: list[float], missing: tuple[int, ...] = (), measure: str = "J") -> Scored:
    rows = tuple(Row(video, frame, measure, value) for frame, value in enumerate(values))
    return Scored(video=video, rows=rows, missing=missing, unscored=0, annotations="")


def listed(*names: str) -> dict[str, Listed]:
    return {name: Listed(frames=1) for name in names}


def test_average_is_over_videos_not_frames() -> None:
    scored = [made("short", [1.0]), made("long", [0.0] * 9)]
    protocol = DatasetProtocol(name="p", measures=("J",))
    assert dataset_scores(scored, protocol, listed("short", "long"))["J_mean"] == 0.5
    assert dataset_scores(scored, protocol, listed("short", "long", "third"))["J_mean"] is None
    broken = [scored[0], made("long", [0.0] * 9, missing=(3,))]
    assert dataset_scores(broken, protocol, listed("short", "long"))["J_mean"] is None


def test_stability_is_averaged_over_stable_videos_and_over_all() -> None:
    scored = [made("a", [0.1, 0.3], measure="T"), made("b", [0.6], measure="T"), made("c", [], measure="T")]
    protocol = DatasetProtocol(name="p", measures=("T",))
    scores = dataset_scores(scored, protocol, listed("a", "c") | {"b": Listed(frames=1, stable=False)})
    assert scores == {"T_mean": pytest.approx(0.2), "T_all_mean": pytest.approx(0.4)}
    assert dataset_scores(scored, protocol, listed("a", "b", "c", "d"))["T_all_mean"] is None
    unstable = {name: Listed(frames=1, stable=False) for name in "abc"}
    assert dataset_scores(scored, protocol, unstable)["T_mean"] is None


def test_objects_are_averaged_over_all_videos_objects() -> None:
    one = made("a", [1.0, 1.0], measure="J.1")
    rows = (*made("b", [0.0], measure="J.1").rows, *made("b", [0.5], measure="J.2").rows)
    two = Scored(video="b", rows=rows, missing=(), unscored=0, annotations="")
    protocol = DatasetProtocol(name="p", measures=("J",), unit="objects", average="object")
    assert dataset_scores([one, two], protocol, listed("a", "b"))["J_mean"] == 0.5
    assert dataset_scores([one], protocol, listed("a", "b"))["J_mean"] is None


def test_averages_of_a_protocol_differ() -> None:
    scored = [made("a", [1.0]), made("b", [0.0] * 3), made("c", [0.8, 0.8])]
    listing = {name: Listed(frames=1, category="cow" if name == "a" else "dog") for name in "abc"}
    found = {
        average: dataset_scores(scored, DatasetProtocol(name="p", measures=("J",), average=average), listing)  # type: ignore[arg-type]
        for average in ("video", "category", "frame")
    }
    assert {name: scores["J_mean"] for name, scores in found.items()} == {
        "video": pytest.approx(0.6),
        "category": pytest.approx(0.7),
        "frame": pytest.approx(2.6 / 6),
    }
    assert "J_decay" not in found["frame"]
    with pytest.raises(DataError, match="has none"):
        dataset_scores(scored, DatasetProtocol(name="p", measures=("J",), average="category"), listed("a"))


def test_videos_without_any_object_are_left_out_where_empty_frames_are_skipped() -> None:
    scored = [made("a", [1.0]), made("b", [])]
    skip = DatasetProtocol(name="p", measures=("J",), empty="skip")
    assert dataset_scores(scored, skip, listed("a", "b"))["J_mean"] == 1.0


def test_records_are_written_alike_and_read_back(toy_root: Path, tmp_path: Path) -> None:
    record, scored, _ = score(toy_root / "masks", chosen(toy_root))
    rows = all_rows(scored)
    for name in ("a", "b"):
        records.write(tmp_path / name / "toy.json", record, rows)
    files = [sorted((tmp_path / name).iterdir()) for name in ("a", "b")]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert records.read(tmp_path / "a" / "toy.json") == record
    lines = gzip.decompress((tmp_path / "a" / "toy.csv.gz").read_bytes()).decode().splitlines()
    assert lines[:2] == ["video,frame,measure,value", "v0,0,J,1.0"]
    jsonschema.validate(json.loads(record.to_json()), json.loads(records.json_schema()))


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "other@1"}', "[1]"])
def test_what_is_no_record(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError, match="is no vosbench record"):
        records.read(path)


def named(record: Record, name: str, value: float, **provenance: object) -> Record:
    return record.model_copy(
        update={
            "method": name,
            "scores": {**record.scores, "JF_mean": value},
            "provenance": record.provenance.model_copy(update=provenance),
        }
    )


def test_leaderboard_ranks_and_leaves_out(toy_root: Path, tmp_path: Path) -> None:
    record, scored, _ = score(toy_root / "masks", chosen(toy_root))
    rows = all_rows(scored)
    made = [
        named(record, "worse", 0.5, training="toys"),
        named(record, "better", 0.9),
        named(record, "random", 1.0, untrained=True),
        named(record, "short", 1.0, limit=3),
    ]
    for each in made:
        records.write(tmp_path / "toy" / f"{each.method}.json", each, rows)
    table, left_out = leaderboard(read_records(tmp_path, "toy"))
    assert [row[0] for row in table.rows] == ["better", "worse"]
    assert table.notes[-1] == "worse: trained on toys"
    assert left_out == [
        '"random" is left out: untrained',
        '"short" is left out: only 3 frames of each video',
    ]
    with pytest.raises(DataError, match="no record can stand"):
        leaderboard(made[2:])
    other = made[0].model_copy(update={"signature": "x@2|vosbench 1"})
    with pytest.raises(DataError, match="not taken alike"):
        leaderboard([made[1], other])


def test_no_records(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no such record"):
        read_records(tmp_path, "toy")


def test_tables_render_alike() -> None:
    table = Table(columns=("method", "J&F"), rows=[("a_b", 0.25), ("c", None)], notes=("toy@1",))
    assert render(table, "csv").splitlines() == ["method,J&F,notes", "a_b,0.25,toy@1", "c,,toy@1"]
    assert json.loads(render(table, "json"))["rows"] == [{"method": "a_b", "J&F": 0.25}, {"method": "c", "J&F": None}]
    latex = render(table, "latex")
    assert r"a\_b" in latex
    assert r"J\&F" in latex
    assert r"\toprule" in latex
    assert "% toy@1" in latex
    assert "0.250" in render(table, "table")


def test_rows_are_named() -> None:
    assert Row("v", 1, "J", 0.5)._asdict() == {"video": "v", "frame": 1, "measure": "J", "value": 0.5}
