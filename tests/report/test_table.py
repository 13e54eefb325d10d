"""Tables: marks, formats, leaderboards with published numbers, results taken apart."""

import csv
import io
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vosbench.dataset import Listed
from vosbench.dataset.selection import Choice, select
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.score import all_rows, score
from vosbench.images import write_png
from vosbench.records import record as records
from vosbench.records.published import Published, published
from vosbench.records.record import Provenance, Record, Speed
from vosbench.records.store import read_records
from vosbench.registry import load_dataset
from vosbench.report.grouped import View, breakdown, grouped
from vosbench.report.latex import escape
from vosbench.report.leaderboard import leaderboard, published_leaderboard
from vosbench.report.overview import saliency_table, speed_table
from vosbench.report.table import Number, Table, mark, render

DAVIS = "davis16@1|J:inner|F:0.008|T:gt-first|avg:video|vosbench 0.1.0"


def made(method: str, scores: Mapping[str, float | None], **changes: Any) -> Record:
    """A record of DAVIS-2016."""
    provenance = {"date": "2026-01-01", "vosbench": "0.1.0", "packages": {}, "annotations": "0", "codec": "map"}
    fields = {
        "method": method,
        "dataset": "davis16",
        "split": "val",
        "protocol": "davis16@1",
        "signature": DAVIS,
        "scores": dict(scores),
        "videos": {},
    }
    about = provenance | changes.pop("provenance", {})
    return Record.model_validate(fields | changes | {"provenance": Provenance.model_validate(about)})


def columns(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_ties_are_marked_alike_and_the_next_number_is_second() -> None:
    assert mark([3, 5, 5, 4, None, 1], "higher") == ["", "best", "best", "second", "", ""]
    assert mark([3, 5, 1, 1, 2], "lower") == ["", "", "best", "best", "second"]
    assert mark([2, 2], "higher") == ["best", "best"]


def test_what_competes_with_nobody_is_not_marked() -> None:
    assert mark([1, None], "higher") == ["", ""]
    assert mark([1, 2], "") == ["", ""]
    assert mark([1, 2, 3], "higher", ["a", "b", "b"]) == ["", "second", "best"]


TABLE = Table(
    columns=("method", "J&F", "MAE"),
    rows=[
        ("a_b", 0.81249, Number(0.04, 3)),
        ("c|d", 0.8125, Number(0.0312, 3)),
        ("e", None, Number(-0.01, 2, signed=True)),
    ],
    notes=("toy@1|J:all", "published: A & B"),
    better=("", "higher", "lower"),
)


def test_markdown() -> None:
    lines = render(TABLE, "md").splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == ["method", "J&F ↑", "MAE ↓"]
    # What looks equal is equal: both are 0.812, and Python rounds half to even.
    assert lines[2].count("**0.812**") == lines[3].count("**0.812**") == 1
    assert "<u>0.040</u>" in lines[2]
    assert "c\\|d" in lines[3]
    assert "**0.031**" in lines[3]
    assert [cell.strip() for cell in lines[4].strip("|").split("|")] == ["e", "–", "-0.01"]
    assert lines[6:] == ["* toy@1|J:all", "* published: A & B"]


def test_a_terminal_has_arrows_and_no_marks() -> None:
    text = render(TABLE, "table")
    assert "J&F ↑" in text
    assert "**" not in text
    assert "<u>" not in text


def test_latex() -> None:
    lines = render(TABLE, "latex").splitlines()
    assert lines[0] == r"\begin{tabular}{lrr}"
    assert lines[2] == r"method & J\&F $\uparrow$ & MAE $\downarrow$ \\"
    assert lines[4] == r"a\_b & \textbf{0.812} & \underline{0.040} \\"
    assert lines[5] == r"c\textbar{}d & \textbf{0.812} & \textbf{0.031} \\"
    assert lines[6] == r"e & -- & $-$0.01 \\"
    assert {r"\toprule", r"\midrule", r"\bottomrule", "% published: A & B"} <= set(lines)


def test_programs_get_unrounded_numbers_and_plain_headings() -> None:
    found = json.loads(render(TABLE, "json"))["rows"]
    assert found[0] == {"method": "a_b", "J&F": 0.81249, "MAE": 0.04}
    assert found[2] == {"method": "e", "J&F": None, "MAE": -0.01}
    rows = list(csv.DictReader(io.StringIO(render(TABLE, "csv"))))
    assert rows[1] == {"method": "c|d", "J&F": "0.8125", "MAE": "0.0312", "notes": "toy@1|J:all; published: A & B"}


def test_numbers_compete_along_rows_where_methods_are_columns() -> None:
    table = Table(
        columns=("measure", "a", "b", "c"),
        rows=[("J", 0.5, 0.75, 0.25), ("T", 0.5, 0.75, 0.25)],
        better=("higher", "lower"),
        across=True,
    )
    lines = render(table, "latex").splitlines()
    assert lines[4] == r"J $\uparrow$ & \underline{0.500} & \textbf{0.750} & 0.250 \\"
    assert lines[5] == r"T $\downarrow$ & \underline{0.500} & 0.750 & \textbf{0.250} \\"


def test_a_rounded_zero_has_no_minus() -> None:
    table = Table(columns=("a",), rows=[(Number(-0.0001, 2, signed=True),), (Number(-0.0001, 2),)])
    assert [line.strip() for line in render(table, "table").splitlines()[2:]] == ["+0.00", "0.00"]


def test_latex_compiles(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    hostile = Table(
        columns=("a_b&c", "50 % ↑", "{#$~^\\}"),
        rows=[("[x] <y> | z", Number(-1.5, 1, signed=True), None), ("Δ β² × – … 雪 é", 0.25, 0.5)],
        notes=("a % b_c \\x\n\\undefined",),
        better=("", "higher", "lower"),
    )
    shown = "\n\n".join(render(table, "latex") for table in (TABLE, hostile))
    body = f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{shown}\n\\end{{document}}\n"
    (tmp_path / "a.tex").write_text(body, "utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_every_sign_of_latex_is_escaped() -> None:
    assert escape(r"\&%$#_{}~^") == (r"\textbackslash{}\&\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}")


def test_sorting_follows_the_direction_of_the_measure() -> None:
    found = [
        made("a", {"J_mean": 0.5, "T_mean": 0.3, "JF_mean": 0.6}),
        made("b", {"J_mean": 0.7, "T_mean": 0.4, "JF_mean": 0.5}),
        made("c", {"J_mean": 0.6, "T_mean": None, "JF_mean": 0.4}),
    ]

    def order(sort: str | None) -> list[object]:
        return [row[0] for row in leaderboard(found, sort=sort)[0].rows]

    assert order(None) == order("J&F") == ["a", "b", "c"]
    assert order("J_mean") == order("j mean") == ["b", "c", "a"]
    assert order("T") == ["a", "b", "c"]
    with pytest.raises(UsageError, match=r'no measure "J_men" in this table; did you mean "J_mean"\?'):
        order("J_men")
    assert leaderboard(found)[0].better == ("", "higher", "lower", "higher")


def number(**changes: str) -> Published:
    text = dict.fromkeys(Published.model_fields, "") | {
        "dataset": "davis16",
        "split": "val",
        "protocol": "davis16@1",
        "method": "FSEG",
        "measure": "J_mean",
        "value": "70.7",
        "unit": "%",
        "source": "F2Net Table 3",
    }
    return Published.model_validate(text | changes)


def test_published_numbers_beside_measured_ones() -> None:
    numbers = [
        number(),
        number(protocol="", source="AMC-Net Table 5", value="70.9"),
        number(protocol="vsod-davsod@1", value="10.0"),
        number(split="trainval", value="11.0"),
        number(measure="maxF", value="12.0"),
        number(category="cow", value="13.0"),
        number(method="ARP", value="76.2"),
    ]
    table, _ = leaderboard([made("fseg", {"J_mean": 0.70684})], numbers=numbers, diff=True)
    assert [(row["method"], row["from"], row["protocol"]) for row in columns(table)] == [
        ("ARP", "F2Net Table 3", "davis16@1"),
        ("FSEG", "AMC-Net Table 5", "not stated"),
        ("FSEG", "F2Net Table 3", "davis16@1"),
        ("fseg", "measured", "davis16@1"),
        ("fseg", "measured − F2Net Table 3", "davis16@1"),
    ]
    difference = columns(table)[4]["J mean"]
    assert (difference.value, difference.signed) == (pytest.approx(-0.00016), True)
    assert any(note == 'records: "fseg" is FSEG' for note in table.notes)
    assert any(note.startswith("3 published numbers are left out") for note in table.notes)


def test_published_numbers_alone() -> None:
    dataset = load_dataset("davis16")
    numbers = [each for each in published("f2net-3") if each.dataset == "davis16"]
    table = published_leaderboard(numbers, dataset.protocols[0], sort="T")
    assert [row[0] for row in table.rows][:2] == ["COSNet", "EpO+"]
    assert len(table.rows) == 13
    with pytest.raises(DataError, match="no number is published"):
        published_leaderboard([number(measure="maxF")], dataset.protocols[0])


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
    own = made("ours", {"J_mean": 0.5}, videos=videos, **fields)
    numbers = list(published("f2net-4"))
    beside, _ = grouped([own], dataset, View(by="category"), numbers)
    alone, _ = grouped([], dataset, View(by="category"), numbers)
    for table in (beside, alone):
        rows = {row["category"]: row for row in columns(table)}
        assert rows["cow"]["PDB (F2Net Table 4)"] == pytest.approx(0.641)
        assert rows["category mean"]["PDB (F2Net Table 4)"] == pytest.approx(0.6519)
        assert rows["sequence mean"]["PDB (F2Net Table 4)"] is None
        assert rows["mean as printed"]["PDB (F2Net Table 4)"] == pytest.approx(0.655)
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
    assert len({each["J_mean"] for each in record.videos.values()}) == 8
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
        family: [scores["J_mean"] for name, scores in record.videos.items() if name.startswith(family)]
        for family in ("animal", "blob", "polygon")
    }
    expected = {family: sum(v for v in values if v is not None) / len(values) for family, values in by_hand.items()}
    assert {family: means[family] for family in expected} == pytest.approx(expected)
    assert means["category mean"] == pytest.approx(sum(expected.values()) / 3)
    assert means["sequence mean"] == pytest.approx(record.scores["J_mean"])
    by_video, _ = grouped([record], dataset, View(by="video", measure="J_mean"))
    assert [row["video"] for row in columns(by_video)] == [*record.videos, "sequence mean"]


def test_groups_that_a_dataset_does_not_have() -> None:
    dataset = replace(load_dataset("davis16"), listing=lambda _: {"a": Listed(frames=1)})
    record = made("x", {"J_mean": 0.5}, videos={"a": {"J_mean": 0.5}})
    for by, problem in (("category", "has no categories"), ("attribute", "has no attributes")):
        with pytest.raises(DataError, match=problem):
            grouped([record], dataset, View(by=by))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match='no measure "S"'):
        grouped([record], dataset, View(by="video", measure="S"))


def test_columns_have_one_name_each() -> None:
    dataset = replace(load_dataset("davis16"), listing=lambda _: {"a": Listed(frames=1)})
    record = made("x", {"J_mean": 0.5}, videos={"a": {"J_mean": 0.5}})
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
    table, _ = grouped([made("x", {"J_mean": None}, videos=videos)], dataset, View(by="category"))
    assert [row[2] for row in table.rows] == [None, 0.25, None, None]


def test_methods_are_sorted_by_what_they_have_overall() -> None:
    dataset = replace(load_dataset("davis16"), listing=lambda _: {"a": Listed(frames=1)})
    found = [
        made("x", {"J_mean": 0.5, "T_mean": 0.1}, videos={"a": {"J_mean": 0.5, "T_mean": 0.1}}),
        made("y", {"J_mean": 0.7, "T_mean": 0.2}, videos={"a": {"J_mean": 0.7, "T_mean": 0.2}}),
    ]
    assert grouped(found, dataset, View(by="video"))[0].columns == ("video", "y", "x")
    assert grouped(found, dataset, View(by="video", sort="T"))[0].columns == ("video", "x", "y")


def saliency(method: str, dataset: str, **scores: float) -> Record:
    protocol = {"protocol": "vsod-davsod@1", "signature": "vsod-davsod@1|MAE:davsod|vosbench 0.1.0"}
    return made(method, scores, dataset=dataset, split={"davis16": "val"}.get(dataset, "test"), **protocol)


def test_saliency_over_all_datasets() -> None:
    found = [
        saliency("a", "davis16", MAE=0.02, maxF=0.9, S=0.9, maxE=0.95, wF=0.8),
        saliency("b", "davis16", MAE=0.03, maxF=0.8, S=0.8, maxE=0.85, wF=0.7),
        saliency("a", "visal", MAE=0.01, maxF=0.95),
        made("c", {"J_mean": 0.5}),
    ]
    table, left_out = saliency_table(found)
    assert table.columns == (
        "method",
        *(f"davis16 {k}" for k in ("MAE", "maxF", "S", "maxE")),
        "visal MAE",
        "visal maxF",
    )
    assert table.rows == [("a", 0.02, 0.9, 0.9, 0.95, 0.01, 0.95), ("b", 0.03, 0.8, 0.8, 0.85, None, None)]
    assert table.better[:3] == ("", "lower", "higher")
    assert not left_out
    with pytest.raises(DataError, match="no record under adnet-saliency"):
        saliency_table(found, "adnet-saliency")
    random = saliency("r", "davis16", MAE=0.5).model_copy(update={"missing": ["a"]})
    assert saliency_table([*found, random])[1] == ['"r" (davis16 val) is left out: 1 videos or frames missing']


def test_speed() -> None:
    about = {
        "frames": 10,
        "warmup": 2,
        "latency": 0.25,
        "stages": {},
        "peak_memory": 3 * 2**20,
        "size": "854x480",
        "device_name": "a processor",
        "threads": 2,
    }
    known = {name: value for name, value in about.items() if name in Speed.model_fields}
    fast = Speed.model_validate(known | {"fps": 4.0, "parameters": 79_000_000, "gmacs": 500.0})
    slow = Speed.model_validate(known | {"fps": 2.0, "parameters": 80_000_000, "gmacs": 600.0})
    cpu = {"provenance": {"device": "cpu", "precision": "fp32"}}
    found = [made("slow", {}, speed=slow, **cpu), made("fast", {}, speed=fast, **cpu), made("none", {})]
    table = speed_table(found)
    shown = columns(table)
    assert [row["method"] for row in shown] == ["fast", "slow"]
    assert shown[0]["device"] == "a processor, 2 threads"
    values = [shown[0][name].value for name in table.columns[5:]]
    assert values == [4.0, 250.0, 3.0, 79.0, 500.0]
    with pytest.raises(DataError, match="vosbench run --profile"):
        speed_table(found[2:])
