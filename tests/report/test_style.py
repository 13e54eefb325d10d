"""What a user may ask of a table: methods, measures, percent, decimals, ranks; and how it fits a terminal."""

import csv
import io
import json
from pathlib import Path

import pytest

from vosbench.errors import UsageError
from vosbench.report.data import write_parquet
from vosbench.report.style import Style, styled, without_blanks
from vosbench.report.table import Number, Table, render

BOARD = Table(
    columns=("method", "from", "J mean", "J decay", "MAE", "mine"),
    rows=[
        ("COS", "a", 0.7049, 0.04, 0.0312, 7.5),
        ("PDB (A)", "a", 0.8172, None, 0.05, None),
        ("PDB (B)", "b", 0.8174, 0.02, None, 2.5),
    ],
    better=("", "", "higher", "lower", "lower", ""),
    keys=("", "", "J_mean", "J_decay", "MAE", "mine"),
    labels=2,
)
ACROSS = Table(
    columns=("video", "a", "b"),
    rows=[("cows", 0.5, None), ("dog", None, None), ("mean", 0.5, 0.25)],
    better=("higher",) * 3,
    keys=("J_mean",) * 3,
    across=True,
    named=False,
)


def test_percent_and_digits() -> None:
    table = styled(BOARD, Style(percent=True))
    assert render(table, "table").splitlines()[2].split() == ["COS", "a", "70.5", "4.0", "0.031", "7.500"]
    assert table.notes == ("in percent, except MAE, mine",)
    two = styled(BOARD, Style(percent=True, digits=2))
    assert render(two, "table").splitlines()[2].split() == ["COS", "a", "70.49", "4.00", "0.03", "7.50"]
    row = next(csv.DictReader(io.StringIO(render(two, "csv"))))
    assert (row["J mean"], row["MAE"]) == ("70.49", "0.0312")
    with pytest.raises(UsageError, match="no fractions"):
        styled(Table(columns=("a",), rows=[(1.0,)]), Style(percent=True))


def test_methods_are_known_by_all_their_names() -> None:
    assert [row[0] for row in styled(BOARD, Style(methods=["cosnet", "PDB"])).rows] == ["COS", "PDB (A)", "PDB (B)"]
    assert [row[0] for row in styled(BOARD, Style(methods=["pdb (b)"])).rows] == ["PDB (B)"]
    assert styled(ACROSS, Style(methods=["b"])).columns == ("video", "b")
    with pytest.raises(UsageError, match='no method "PBD" in this table; available: COS, PDB'):
        styled(BOARD, Style(methods=["PBD"]))


def test_measures() -> None:
    table = styled(BOARD, Style(measures=["mae", "J decay"]))
    assert table.columns == ("method", "from", "J decay", "MAE")
    assert table.better == ("", "", "lower", "lower")
    with pytest.raises(UsageError, match='no measure "J_men"'):
        styled(BOARD, Style(measures=["J_men"]))
    with pytest.raises(UsageError, match="see --measure"):
        styled(ACROSS, Style(measures=["J_mean"]))


def test_ranks_within_groups_and_their_mean() -> None:
    table = styled(BOARD, Style(ranks=True, measures=["J_mean", "J_decay"]))
    rows = json.loads(render(table, "json"))["rows"]
    assert [(row["J mean rank"], row["J decay rank"], row["mean rank"]) for row in rows] == [
        (2, 2, 2.0),
        (1, None, None),
        (1, 1, 1.0),
    ]
    assert "0.817 (1)" in render(table, "table")
    assert "mean rank ↓" not in render(table, "table")
    lines = styled(ACROSS, Style(ranks=True)).rows
    assert lines[-1] == ("mean rank", Number(1.0, 1), Number(2.0, 1))
    assert lines[2] == ("mean", Number(0.5, 3, rank=1), Number(0.25, 3, rank=2))
    with pytest.raises(UsageError, match="no ranks"):
        styled(Table(columns=("a",), rows=[(1.0,)]), Style(ranks=True))


def test_lines_without_any_number_are_left_out() -> None:
    table = without_blanks(ACROSS)
    assert [row[0] for row in table.rows] == ["cows", "mean"]
    assert table.better == ("higher",) * 2
    empty = Table(columns=("a", "b"), rows=[("x", None)])
    assert without_blanks(empty) == empty


def test_arrows_are_for_measures_alone() -> None:
    assert "↑" not in render(ACROSS, "table")
    assert "J mean ↑" in render(BOARD, "table")
    assert "mine ↑" not in render(BOARD, "table")


def test_marks_can_be_left_out() -> None:
    assert "**" in render(BOARD, "md")
    assert "**" not in render(styled(BOARD, Style(marked=False)), "md")


def test_a_terminal_shows_what_fits() -> None:
    names = ["J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay", "T_mean", "JF_mean"]
    heads = [name.replace("_", " ") for name in names]
    table = Table(
        columns=("method", "from", "protocol", *heads),
        rows=[("a method", "a long source of several; and more", "davis16@1", *[0.5] * 8)] * 2,
        better=("", "", "", *["higher"] * 8),
        keys=("", "", "", *names),
        labels=3,
    )
    assert render(table, "table", 500) == render(table, "table")
    for width in (100, 80, 60, 40):
        text = render(table, "table", width)
        shown, _, note = text.partition("\n\n")
        assert max(map(len, shown.splitlines())) <= width
        assert "--wide shows all" in note
        assert "JF" in shown
        assert "from" in note
    assert "J recall" in note
    assert render(table, "csv", 40) == render(table, "csv")


def test_folded_headings_are_never_wrapped_cells() -> None:
    table = Table(columns=("method", "a very long heading ↑", "another one"), rows=[("m" * 60, 0.5, 0.25)])
    lines = render(table, "table", 40).partition("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= 40
    assert [line.strip() for line in lines[:2]] == ["a very", "long"]
    assert lines[-1].split() == ["m" * 28 + "…", "0.500"]


def test_html_and_parquet(tmp_path: Path) -> None:
    text = render(styled(BOARD, Style(caption="A <b>")), "html")
    assert text.startswith("<table><caption>A &lt;b&gt;</caption>")
    assert "<b>0.817</b>" in text
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    write_parquet(path, Table(columns=("method", "J"), rows=[("a", 0.25), ("b", None)], notes=("x", "y")))
    table = parquet.read_table(path)
    assert table.to_pydict() == {"method": ["a", "b"], "J": [0.25, None]}
    assert table.schema.metadata[b"notes"] == b"x\ny"


def test_latex_is_what_papers_print() -> None:
    table = Table(
        columns=("method", "group", "from", "DAVIS J mean", "DAVIS J&F", "FBMS MAE"),
        rows=[("a", "one", "x; y", 0.5, 0.5, 0.1), ("b", "two", "x; y", 0.25, 0.5, None)],
        better=("", "", "", "higher", "higher", "lower"),
        keys=("", "", "", "J_mean", "JF_mean", "MAE"),
        labels=3,
        over=("", "", "", "DAVIS", "DAVIS", "FBMS"),
        caption=r"On $\mathcal{J}$.",
        label="tab:a",
    )
    lines = render(table, "latex").splitlines()
    assert lines[:4] == [r"\begin{table}[t]", r"\centering", r"\caption{On $\mathcal{J}$.}", r"\label{tab:a}"]
    assert r" & \multicolumn{2}{c}{DAVIS} & \multicolumn{1}{c}{FBMS} \\" in lines
    assert r"\cmidrule(lr){2-3} \cmidrule(lr){4-4}" in lines
    assert (
        r"method & $\mathcal{J}$ mean $\uparrow$ & $\mathcal{J}$\&$\mathcal{F}$ $\uparrow$ & MAE $\downarrow$ \\"
        in lines
    )
    assert lines.count(r"\midrule") == 2
    assert r"\multicolumn{4}{l}{\emph{two}} \\" in lines
    assert "% from: x; y" in lines


def test_wide_latex_is_set_smaller_and_at_last_scaled() -> None:
    def table(columns: int) -> str:
        return render(Table(columns=("method", *("ABCDE",) * columns), rows=[("a", *[0.5] * columns)]), "latex")

    assert table(3).startswith(r"\begin{tabular}")
    assert table(8).startswith(r"{\small\setlength{\tabcolsep}{4pt}") or table(8).startswith(r"{\footnotesize")
    assert table(30).startswith(r"{\resizebox{\linewidth}{!}{%")
    assert table(30).count("{") == table(30).count("}")
