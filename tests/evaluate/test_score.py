"""Score files under every kind of protocol."""

import csv
import gzip
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toys import TOY, copy_masks, selected
from vosbench.dataset import DatasetProtocol
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.score import all_rows, score, write_curve
from vosbench.images import write_png
from vosbench.metrics import stability
from vosbench.metrics.measures import MAPS
from vosbench.metrics.saliency import CONVENTIONS
from vosbench.records.record import Record
from vosbench.registry import load_dataset

Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_perfect_masks(toy_root: Path) -> None:
    record, scored, notes = score(toy_root / "masks", selected(toy_root))
    assert set(record.scores.values()) == {1.0, 0.0}
    assert record.scores["J_decay"] == 0.0
    assert len(all_rows(scored)) == 2 * 5 * 2
    assert notes == ['masks are read as "binary255" (0 as background and 255 as object); otherwise pass --codec']


def test_a_missing_scored_frame_leaves_no_mean(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    (predictions / "v0" / "00002.png").unlink()
    record, scored, _ = score(predictions, selected(toy_root))
    assert record.scores["J_mean"] is None
    assert record.videos["v0"]["J_mean"] is None
    assert record.videos["v1"]["J_mean"] == 1.0
    assert record.missing == ["v0/00002"]
    assert len(all_rows(scored)) == 2 * 9


def test_a_missing_frame_that_is_not_scored_is_a_note(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    (predictions / "v0" / "00004.png").unlink()
    record, _, notes = score(predictions, selected(toy_root, protocol_name="toy-inner"))
    assert record.scores["J_mean"] == 1.0
    assert notes[1] == '1 frames have no mask, but protocol "toy-inner" does not score them'


def test_a_missing_video_leaves_no_mean(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    for path in (predictions / "v0").iterdir():
        path.unlink()
    record, _, _ = score(predictions, selected(toy_root))
    assert record.scores["J_mean"] is None
    assert len(record.missing) == 5


def test_wrong_sizes_are_rejected_or_resized_by_protocol(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    for path in predictions.rglob("*.png"):
        Image.open(path).resize((64, 48), Image.Resampling.NEAREST).save(path)
    with pytest.raises(DataError, match=r"is 64×48, but its annotation is 32×24; protocol .toy. does not resize"):
        score(predictions, selected(toy_root))
    record, _, _ = score(predictions, selected(toy_root, DatasetProtocol(name="r", resize="prediction")))
    assert record.scores["J_mean"] == 1.0
    assert "resize:prediction" in record.signature


def test_empty_annotations_are_scored_or_skipped(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    empty = np.zeros((24, 32), np.uint8)
    Image.fromarray(empty).save(toy_root / "masks" / "v0" / "00001.png")
    scored, _, _ = score(predictions, selected(toy_root))
    assert scored.videos["v0"]["J_mean"] == pytest.approx(0.8)
    skipped, rest, _ = score(predictions, selected(toy_root, DatasetProtocol(name="s", empty="skip")))
    assert skipped.videos["v0"]["J_mean"] == 1.0
    assert len(all_rows(rest)) == 2 * 9


def test_annotation_hash_depends_on_content_only(toy_root: Path) -> None:
    predictions = copy_masks(toy_root)
    first, _, _ = score(predictions, selected(toy_root))
    for path in (toy_root / "masks").rglob("*.png"):
        Image.open(path).convert("RGB").save(path, compress_level=1)
    second, _, _ = score(predictions, selected(toy_root))
    assert first.provenance.annotations == second.provenance.annotations
    Image.fromarray(np.full((24, 32), 255, np.uint8)).save(toy_root / "masks" / "v0" / "00001.png")
    third, _, _ = score(predictions, selected(toy_root))
    assert first.provenance.annotations != third.provenance.annotations


def of_protocol(root: Path, protocol: DatasetProtocol, **listed: object) -> Selection:
    dataset = load_dataset("toy", [TOY])
    listing = {name: replace(video, **listed) for name, video in dataset.listing("val").items()}
    return select(replace(dataset, protocols=(protocol,), listing=lambda _: listing), Choice(root=root))


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_do_not_depend_on_processes(toy_root: Path, jobs: int) -> None:
    protocol = DatasetProtocol(name="p", measures=("J", "F", "T", "MAE", "maxF"), saliency="davsod")
    alone, rows, _ = score(toy_root / "masks", of_protocol(toy_root, protocol))
    together, more, _ = score(toy_root / "masks", of_protocol(toy_root, protocol), jobs=jobs)
    assert alone == together
    assert all_rows(rows) == all_rows(more)


@pytest.mark.parametrize(("first", "pairs"), [("gt", 3), ("skip", 2)])
def test_stability_starts_with_the_annotation_or_without(toy_root: Path, first: str, pairs: int) -> None:
    protocol = DatasetProtocol(name="p", measures=("T",), frames="inner", t_first=first)  # type: ignore[arg-type]
    record, scored, _ = score(toy_root / "masks", of_protocol(toy_root, protocol))
    rows = [row for row in all_rows(scored) if row.video == "v0"]
    assert len(rows) == pairs
    masks = [np.array(Image.open(path)) > 0 for path in sorted((toy_root / "masks" / "v0").iterdir())]
    expected = stability.temporal_stability(masks[1], masks[2])
    assert expected is not None
    assert next(row.value for row in rows if row.frame == 2) == pytest.approx(expected)
    assert record.scores["T_mean"] == record.scores["T_all_mean"] is not None
    assert f"T:{first}-first" in record.signature


def test_masks_without_a_contour_have_no_stability(toy_root: Path) -> None:
    predictions = Path(shutil.copytree(toy_root / "masks", toy_root / "predictions"))
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(predictions / "v0" / "00002.png")
    protocol = DatasetProtocol(name="p", measures=("T",), t_first="skip")
    record, scored, _ = score(predictions, of_protocol(toy_root, protocol))
    assert [row.frame for row in all_rows(scored) if row.video == "v0"] == [1, 4]
    assert record.scores["T_mean"] is not None


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_saliency_of_perfect_maps(toy_root: Path, convention: str) -> None:
    names = CONVENTIONS[convention].measures
    protocol = DatasetProtocol(name="p", measures=names, saliency=convention)
    record, _, _ = score(toy_root / "masks", of_protocol(toy_root, protocol))
    assert record.scores["MAE"] == 0
    assert record.scores["maxF"] == pytest.approx(1)
    assert list(record.scores) == [name for name in MAPS if name in names]
    assert f":{convention}," in record.signature


def test_soft_maps_score_differently_under_each_convention(toy_root: Path) -> None:
    maps = toy_root / "maps"
    for path in (toy_root / "masks").rglob("*.png"):
        mask = np.array(Image.open(path)).astype(float)
        soft = np.clip(0.25 * mask + 0.5 * np.roll(mask, 2, axis=1) + 20, 0, 255).astype(np.uint8)
        write_png(maps / path.parent.name / path.name, soft)
    for frame in ("00001", "00002"):  # with videos of equal length, means over frames and over videos would agree
        Image.fromarray(np.zeros((24, 32), np.uint8)).save(toy_root / "masks" / "v0" / f"{frame}.png")
    scores = {}
    for convention in CONVENTIONS:
        protocol = DatasetProtocol(name="p", measures=("MAE", "maxF", "meanF"), saliency=convention, empty="skip")
        record, _, _ = score(maps, of_protocol(toy_root, protocol))
        scores[convention] = (record.scores["maxF"], record.scores["meanF"], record.scores["MAE"])
    assert len(set(scores.values())) == 4


def test_missing_maps_leave_no_saliency(toy_root: Path) -> None:
    predictions = Path(shutil.copytree(toy_root / "masks", toy_root / "predictions"))
    (predictions / "v0" / "00002.png").unlink()
    protocol = DatasetProtocol(name="p", measures=("J", "MAE", "maxF"), saliency="davsod")
    selection = of_protocol(toy_root, protocol)
    record, _, _ = score(predictions, selection)
    assert record.curves is record.scores["maxF"] is record.videos["v0"]["MAE"] is None
    assert record.videos["v1"]["maxF"] == pytest.approx(1)
    with pytest.raises(DataError, match="incomplete"):
        write_curve(toy_root / "curve.csv", record)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_curves_stay_in_the_record(toy_root: Path, convention: str) -> None:
    protocol = DatasetProtocol(name="p", measures=("MAE", "maxF", "meanF"), saliency=convention)
    record, _, _ = score(toy_root / "masks", of_protocol(toy_root, protocol))
    assert record.curves is not None
    assert max(record.curves.f_measure) == record.scores["maxF"]
    assert sum(record.curves.f_measure) / 256 == pytest.approx(record.scores["meanF"])
    assert Record.model_validate_json(record.to_json()) == record
    write_curve(toy_root / "curve.csv", record)
    lines = (toy_root / "curve.csv").read_text("utf-8").splitlines()
    assert lines[256] == f"255,{record.curves.precision[255]},{record.curves.recall[255]}"


def test_measures_without_f_have_no_curves(toy_root: Path) -> None:
    protocol = DatasetProtocol(name="p", measures=("MAE",), saliency="davsod")
    record, _, _ = score(toy_root / "masks", of_protocol(toy_root, protocol))
    assert record.curves is None
    assert "curves" not in record.to_json()
    with pytest.raises(DataError, match="without maxF"):
        write_curve(toy_root / "curve.csv", record)


def test_some_measures_only(toy_root: Path) -> None:
    dataset = load_dataset("toy", [TOY])
    selection = select(dataset, Choice(root=toy_root, measures=("J",)))
    record, _, _ = score(toy_root / "masks", selection)
    assert list(record.scores) == ["J_mean", "J_recall", "J_decay"]
    assert "F:" not in record.signature
    with pytest.raises(UsageError, match='has no measure "T"; available: J, F'):
        select(dataset, Choice(root=toy_root, measures=("T",)))


def test_files_of_frames_and_curve(cli: Cli, toy_root: Path, tmp_path: Path) -> None:
    arguments = ("score", toy_root / "masks", "--dataset", "toy", "--root", toy_root, "--plugin", TOY)
    assert cli(*arguments, "--per-frame", "rows.csv.gz").returncode == 0
    rows = list(csv.DictReader(gzip.decompress((tmp_path / "rows.csv.gz").read_bytes()).decode().splitlines()))
    assert rows[0] == {"video": "v0", "frame": "0", "measure": "J", "value": "1.0"}
    assert cli(*arguments, "--per-frame", "few.csv", "--compact").returncode == 0
    few = list(csv.DictReader((tmp_path / "few.csv").read_text("utf-8").splitlines()))
    assert {row["measure"] for row in few} == {"J", "F"}
    exact = {(row["video"], row["frame"], row["measure"]): float(row["value"]) for row in rows}
    assert all(float(row["value"]) == round(exact[row["video"], row["frame"], row["measure"]], 6) for row in few)
    without = cli(*arguments, "--compact")
    assert without.returncode == 2
    assert "--compact requires --per-frame" in without.stderr
    without = cli(*arguments, "--pr", "curve.csv")
    assert without.returncode == 2
    assert "saliency" in without.stderr
    done = cli(*arguments, "--protocol", "toy-saliency", "--pr", "curve.csv", "--per-frame", "rows.csv")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "curve.csv").read_text().splitlines()
    assert lines[0] == "level,precision,recall"
    assert lines[256] == "255,1.0,1.0"
    assert (tmp_path / "rows.csv").read_text().startswith("video,frame,measure,value\nv0,0,MAE,")
