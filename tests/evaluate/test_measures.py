"""Every kind of measure through the same line: files in, record out."""

import csv
import gzip
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import DatasetProtocol, Listed
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.score import all_rows, score, write_curve
from vosbench.images import write_png
from vosbench.metrics import stability
from vosbench.metrics.measures import SALIENCY
from vosbench.metrics.saliency import CONVENTIONS
from vosbench.registry import load_dataset
from vosbench.report.grouped import breakdown
from vosbench.report.leaderboard import scores_table
from vosbench.report.table import Number, render

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


def chosen(root: Path, protocol: DatasetProtocol, **listed: object) -> Selection:
    dataset = load_dataset("toy", [TOY])
    found = {name: replace(each, **listed) for name, each in dataset.listing("val").items()}
    return select(replace(dataset, protocols=(protocol,), listing=lambda _: found), Choice(root=root))


@pytest.mark.parametrize("jobs", [1, 2])
def test_processes_give_the_same(toy_root: Path, jobs: int) -> None:
    protocol = DatasetProtocol(name="p", measures=("J", "F", "T", "MAE", "maxF"), saliency="davsod")
    alone, rows, _ = score(toy_root / "masks", chosen(toy_root, protocol))
    together, more, _ = score(toy_root / "masks", chosen(toy_root, protocol), jobs=jobs)
    assert alone == together
    assert all_rows(rows) == all_rows(more)


@pytest.mark.parametrize(("first", "pairs"), [("gt", 3), ("skip", 2)])
def test_stability_begins_with_the_annotation_or_without(toy_root: Path, first: str, pairs: int) -> None:
    protocol = DatasetProtocol(name="p", measures=("T",), frames="inner", t_first=first)  # type: ignore[arg-type]
    record, scored, _ = score(toy_root / "masks", chosen(toy_root, protocol))
    rows = [row for row in all_rows(scored) if row.video == "v0"]
    assert len(rows) == pairs
    masks = [np.array(Image.open(path)) > 0 for path in sorted((toy_root / "masks" / "v0").iterdir())]
    expected = stability.temporal_stability(masks[1], masks[2])
    assert expected is not None
    assert next(row.value for row in rows if row.frame == 2) == pytest.approx(expected)
    assert record.scores["T_mean"] == record.scores["T_all_mean"] is not None
    assert f"T:{first}-first" in record.signature


def test_stability_of_masks_without_a_contour_is_left_out(toy_root: Path) -> None:
    predictions = Path(shutil.copytree(toy_root / "masks", toy_root / "predictions"))
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(predictions / "v0" / "00002.png")
    protocol = DatasetProtocol(name="p", measures=("T",), t_first="skip")
    record, scored, _ = score(predictions, chosen(toy_root, protocol))
    assert [row.frame for row in all_rows(scored) if row.video == "v0"] == [1, 4]
    assert record.scores["T_mean"] is not None


@pytest.mark.parametrize("kind", ["table", "md", "csv", "json", "latex"])
def test_videos_stand_below_their_headings(toy_root: Path, kind: str) -> None:
    """A dataset has one score more than its videos: T over all of them."""
    selection = chosen(toy_root, DatasetProtocol(name="p", measures=("J", "F", "T")))
    selection = replace(selection, listing={name: Listed(frames=5) for name in ("v0", "v1", "v2")})
    record, _, _ = score(toy_root / "masks", selection)
    table = scores_table(record)
    assert all(len(row) == len(table.columns) for row in table.rows)
    columns = dict(zip(table.columns, table.rows[1], strict=True))
    assert (columns["T all"], columns["J&F"]) == (None, 1.0)
    assert render(table, kind)  # type: ignore[arg-type]


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_saliency_of_perfect_maps(toy_root: Path, convention: str) -> None:
    names = CONVENTIONS[convention].measures
    protocol = DatasetProtocol(name="p", measures=names, saliency=convention)
    record, _, _ = score(toy_root / "masks", chosen(toy_root, protocol))
    assert record.scores["MAE"] == 0
    assert record.scores["maxF"] == pytest.approx(1)
    assert list(record.scores) == [name for name in SALIENCY if name in names]
    assert f":{convention}," in record.signature


def test_soft_maps_score_differently_under_each_convention(toy_root: Path) -> None:
    maps = toy_root / "maps"
    for path in (toy_root / "masks").rglob("*.png"):
        mask = np.array(Image.open(path)).astype(float)
        soft = np.clip(0.25 * mask + 0.5 * np.roll(mask, 2, axis=1) + 20, 0, 255).astype(np.uint8)
        write_png(maps / path.parent.name / path.name, soft)
    for frame in ("00001", "00002"):  # videos of one length would make means over frames and over videos agree
        Image.fromarray(np.zeros((24, 32), np.uint8)).save(toy_root / "masks" / "v0" / f"{frame}.png")
    found = {}
    for convention in CONVENTIONS:
        protocol = DatasetProtocol(name="p", measures=("MAE", "maxF", "meanF"), saliency=convention, empty="skip")
        record, _, _ = score(maps, chosen(toy_root, protocol))
        found[convention] = (record.scores["maxF"], record.scores["meanF"], record.scores["MAE"])
    assert len(set(found.values())) == 4


def test_missing_maps_leave_no_saliency(toy_root: Path) -> None:
    predictions = Path(shutil.copytree(toy_root / "masks", toy_root / "predictions"))
    (predictions / "v0" / "00002.png").unlink()
    protocol = DatasetProtocol(name="p", measures=("J", "MAE", "maxF"), saliency="davsod")
    selection = chosen(toy_root, protocol)
    record, scored, _ = score(predictions, selection)
    assert record.scores["maxF"] is record.videos["v0"]["MAE"] is None
    assert record.videos["v1"]["maxF"] == pytest.approx(1)
    with pytest.raises(DataError, match="incomplete"):
        write_curve(toy_root / "curve.csv", scored, selection)


def test_some_measures_only(toy_root: Path) -> None:
    dataset = load_dataset("toy", [TOY])
    selection = select(dataset, Choice(root=toy_root, measures=("J",)))
    record, _, _ = score(toy_root / "masks", selection)
    assert list(record.scores) == ["J_mean", "J_recall", "J_decay"]
    assert "F:" not in record.signature
    with pytest.raises(UsageError, match='does not take "T"; it takes J, F'):
        select(dataset, Choice(root=toy_root, measures=("T",)))


def test_files_of_frames_and_curve(cli: Cli, toy_root: Path, tmp_path: Path) -> None:
    words = ("score", toy_root / "masks", "--dataset", "toy", "--root", toy_root, "--plugin", TOY)
    assert cli(*words, "--per-frame", "rows.csv.gz").returncode == 0
    rows = list(csv.DictReader(gzip.decompress((tmp_path / "rows.csv.gz").read_bytes()).decode().splitlines()))
    assert rows[0] == {"video": "v0", "frame": "0", "measure": "J", "value": "1.0"}
    refused = cli(*words, "--pr", "curve.csv")
    assert refused.returncode == 2
    assert "saliency" in refused.stderr
    kept = cli(*words, "--protocol", "toy-saliency", "--pr", "curve.csv", "--per-frame", "rows.csv")
    assert kept.returncode == 0, kept.stderr
    lines = (tmp_path / "curve.csv").read_text().splitlines()
    assert lines[0] == "level,precision,recall"
    assert lines[256] == "255,1.0,1.0"
    assert (tmp_path / "rows.csv").read_text().startswith("video,frame,measure,value\nv0,0,MAE,")


def test_breakdowns(toy_root: Path) -> None:
    selection = chosen(toy_root, DatasetProtocol(name="p", measures=("J", "F")))
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
    selection = chosen(toy_root, DatasetProtocol(name="p"))
    record, scored, _ = score(toy_root / "masks", selection)
    for by in ("category", "attribute"):
        with pytest.raises(DataError, match="has no"):
            breakdown(record, scored, selection, by)  # type: ignore[arg-type]


def write_davis17(root: Path, *, shift: int = 0) -> tuple[Path, Path]:
    """All of DAVIS-2017 val in 8×6 pixels; the first video has two objects, one of them void at its edge."""
    labels = np.zeros((6, 8), np.uint8)
    labels[1:4, 1:4], labels[2:5, 5:7], labels[0, 0] = 1, 2, 255
    proposals = np.select([labels == 1, labels == 2], [5, 3], 0).astype(np.uint8)
    for name, array in (("labels", labels), ("proposals", np.roll(proposals, shift, axis=1))):
        image = Image.fromarray(array)
        image.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
        image.save(root / f"{name}.png")
    rooms = {
        "DAVIS/JPEGImages/480p": ("labels", "jpg"),
        "DAVIS/Annotations_unsupervised/480p": ("labels", "png"),
        "masks": ("proposals", "png"),
    }
    for name, listed in load_dataset("davis17").listing("val").items():
        for room, (source, suffix) in rooms.items():
            folder = root / room / name
            folder.mkdir(parents=True)
            for index in range(listed.frames):
                (folder / f"{index:05d}.{suffix}").hardlink_to(root / f"{source}.png")
    return root / "DAVIS", root / "masks"


def test_davis17_proposals_are_matched(cli: Cli, tmp_path: Path) -> None:
    root, masks = write_davis17(tmp_path)
    done = cli("score", masks, "--dataset", "davis17", "--root", root, "--format", "json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["scores"]["JF_mean"] == 1.0
    assert record["signature"].startswith("davis17-objects@1|J:all|F:0.008|unit:objects|avg:object|")
    (masks / "dog" / "00003.png").unlink()
    lacking = cli("score", masks, "--dataset", "davis17", "--root", root)
    assert lacking.returncode == 3
    assert "dog/00003" in lacking.stderr


def test_listing_of_davis17() -> None:
    listing = load_dataset("davis17").listing("val")
    assert len(listing) == 30
    assert sum(listed.frames for listed in listing.values()) == 1999
