"""Tables: marks, formats, and the overviews of saliency and speed."""

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from factories import davis16_record
from vosbench.errors import DataError
from vosbench.records.record import Record, Speed
from vosbench.report.escape import latex
from vosbench.report.overview import saliency_table, speed_table
from vosbench.report.table import Number, Table, mark, render


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
    assert rows[0]["notes"] == "toy@1|J:all; published: A & B"
    assert rows[1] == {"method": "c|d", "J&F": "0.8125", "MAE": "0.0312", "notes": ""}


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
    assert latex(r"\&%$#_{}~^") == (r"\textbackslash{}\&\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}")


def saliency(method: str, dataset: str, **scores: float) -> Record:
    protocol = {"protocol": "vsod-davsod@1", "signature": "vsod-davsod@1|MAE:davsod|vosbench 0.1.0"}
    return davis16_record(method, scores, dataset=dataset, split={"davis16": "val"}.get(dataset, "test"), **protocol)


def test_saliency_over_all_datasets() -> None:
    found = [
        saliency("a", "davis16", MAE=0.02, maxF=0.9, S=0.9, maxE=0.95, wF=0.8),
        saliency("b", "davis16", MAE=0.03, maxF=0.8, S=0.8, maxE=0.85, wF=0.7),
        saliency("a", "visal", MAE=0.01, maxF=0.95),
        davis16_record("c", {"J_mean": 0.5}),
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
    with pytest.raises(DataError, match="no records under adnet-saliency"):
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
    found = [
        davis16_record("slow", {}, speed=slow, **cpu),
        davis16_record("fast", {}, speed=fast, **cpu),
        davis16_record("none", {}),
    ]
    table = speed_table(found)
    shown = columns(table)
    assert [row["method"] for row in shown] == ["fast", "slow"]
    assert shown[0]["device"] == "a processor, 2 threads"
    values = [shown[0][name].value for name in table.columns[5:]]
    assert values == [4.0, 250.0, 3.0, 79.0, 500.0]
    with pytest.raises(DataError, match="vosbench run --profile"):
        speed_table(found[2:])


def test_tables_render_alike() -> None:
    table = Table(columns=("method", "J&F"), rows=[("a_b", 0.25), ("c", None)], notes=("toy@1",))
    assert render(table, "csv").splitlines() == ["method,J&F,notes", "a_b,0.25,toy@1", "c,,"]
    assert json.loads(render(table, "json"))["rows"] == [{"method": "a_b", "J&F": 0.25}, {"method": "c", "J&F": None}]
    latex = render(table, "latex")
    assert r"a\_b" in latex
    assert r"J\&F" in latex
    assert r"\toprule" in latex
    assert "% toy@1" in latex
    assert "0.250" in render(table, "table")
