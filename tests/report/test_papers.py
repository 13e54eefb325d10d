"""The papers' tables, as printed and beside what was measured; and the page of results."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from factories import davis16_record
from vosbench import registry
from vosbench.dataset.selection import Choice, select
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.score import score
from vosbench.records.published import published
from vosbench.registry import load_dataset
from vosbench.report.figures.sources import read
from vosbench.report.grouped import View, grouped
from vosbench.report.page import results_page
from vosbench.report.paper_table import PaperView
from vosbench.report.papers import paper_table, papers, worst
from vosbench.report.table import Number, Table, render

REPOSITORY = Path(__file__).parents[2]
ZIPS = ("ags", "andiff", "epo+", "fseg", "osvos", "pdb", "sfls", "tis")


def lines(table: Table) -> dict[tuple[str, str], dict[str, Any]]:
    """A table whose methods are columns, by measure and kind of number."""
    return {
        (str(row[0]), str(row[1])): dict(zip(table.columns[2:], map(plain, row[2:]), strict=True)) for row in table.rows
    }


def plain(cell: object) -> object:
    return cell.value if isinstance(cell, Number) else cell


@pytest.mark.parametrize("name", papers())
def test_every_printed_cell_is_there(name: str) -> None:
    paper = papers()[name]
    table = paper_table(name, [], PaperView())
    numbers = [each for each in published(name) if not paper.only or each.label in paper.only]
    shown = sorted(f"{cell.value:.{cell.digits}f}" for row in table.rows for cell in row if isinstance(cell, Number))
    means = 7 if name == "f2net-4" else 0  # category means, which are ours
    assert len(shown) == len(numbers) + means
    left = list(shown)
    for each in numbers:
        left.remove(f"{each.number:.{each.digits}f}")
    assert len(left) == means


def test_the_layout_of_f2nets_tables_3_and_4() -> None:
    table = paper_table("f2net-3", [], PaperView())
    methods = ["FSEG", "UOVOS", "LVO", "ARP", "PDB", "LSMO", "MoA", "EpO", "AGS", "COS", "AnDiff", "MAT", "Ours"]
    assert table.columns == ("measure", "number", *methods)
    measures = ["J&F", "J mean", "J recall", "J decay", "F mean", "F recall", "F decay", "T"]
    assert [row[0] for row in table.rows] == measures
    assert table.better == ("higher", "higher", "higher", "lower", "higher", "higher", "lower", "lower")
    by_category = lines(paper_table("f2net-4", [], PaperView()))
    assert list(by_category)[-3:] == [
        ("mean as printed", "published"),
        ("category mean", "published"),
        ("sequence mean", "published"),
    ]
    assert by_category["category mean", "published"]["PDB"] == pytest.approx(65.19)
    assert set(by_category["sequence mean", "published"].values()) == {None}


def test_best_of_f2nets_table_3_in_latex() -> None:
    text = render(paper_table("f2net-3", [], PaperView()), "latex").splitlines()
    row = next(line for line in text if line.startswith(r"$\mathcal{J}$ decay"))
    # LVO and F2Net tie at 0.0, UOVOS follows with 0.6.
    assert row.count(r"\textbf{0.0}") == 2
    assert row.count(r"\underline{0.6}") == row.count(r"\underline") == 1


def test_groups_compete_apart() -> None:
    text = render(paper_table("adnet-2", [], PaperView()), "md").splitlines()
    best = [line.split("|")[1].strip() for line in text if line.split("|")[5:6] and "**" in line.split("|")[5]]
    assert best == ["PReMVOS", "AD-Net + I.Prun. (ours)"]


def test_measured_stand_beside_published() -> None:
    scores = {"J_mean": 0.70684, "F_mean": 0.6533, "JF_mean": 0.680, "T_mean": 0.3284}
    table = paper_table("f2net-3", [davis16_record("fseg", scores)], PaperView(diff=True))
    found = lines(table)
    assert found["J mean", "published"]["FSEG"] == 70.7
    assert found["J mean", "measured"]["FSEG"] == pytest.approx(70.684)
    assert found["J mean", "difference"]["FSEG"] == pytest.approx(-0.016)
    assert found["T", "difference"]["FSEG"] == pytest.approx(0.04)
    assert ("J recall", "measured") not in found
    assert {name for name, value in found["J mean", "measured"].items() if value is not None} == {"FSEG"}
    notes = "\n".join(table.notes)
    assert "measured: davis16 val, davis16@1|J:inner|F:0.008|T:gt-first|avg:video\n" in notes
    assert 'records: FSEG is "fseg"' in notes
    assert "no records on DAVIS of: UOVOS, LVO, ARP, PDB" in notes
    assert "largest difference, measured − published: +0.040 (FSEG, T)" in notes
    assert "AAAI 2021, Table 3" in notes
    without = paper_table("f2net-3", [davis16_record("fseg", scores)], PaperView(measured=False))
    assert {row[1] for row in without.rows} == {"published"}


def test_records_that_cannot_stand_there_are_named() -> None:
    found = [
        davis16_record("fseg", {"J_mean": 0.1}, provenance={"untrained": True}),
        davis16_record("ags", {"J_mean": 0.2}, protocol="davis17-unsup@1"),
        davis16_record("andiff", {"J_mean": 0.817}),
        davis16_record("AnDiff", {"J_mean": 0.3}),
        davis16_record("pdb", {"J_mean": 0.4}, split="trainval"),
        davis16_record("epo+", {"J_mean": 0.5}, dataset="fbms", split="test", protocol="fbms-seqmean@1"),
    ]
    table = paper_table("f2net-3", found, PaperView(diff=True))
    measured = lines(table)["J mean", "measured"]
    assert {name: value for name, value in measured.items() if value is not None} == {"AnDiff": pytest.approx(81.7)}
    left_out = [note for note in table.notes if note.startswith("records left out")]
    assert left_out == [
        'records left out, on davis16, untrained: "fseg"',
        'records left out, on davis16, under davis17-unsup@1, not davis16@1: "ags"',
        'records left out, on davis16, "andiff" is also AD-Net + I.Prun.: "AnDiff"',
    ]


def test_differences_within_an_ablation_are_measured_too() -> None:
    found = [
        davis16_record("adnet.base", {"J_mean": 0.75, "F_mean": 0.76}),
        davis16_record("adnet.intra", {"J_mean": 0.77, "F_mean": 0.75}),
    ]
    table = paper_table("adnet-1", found, PaperView(diff=True))
    rows = {row[0]: dict(zip(table.columns, map(plain, row), strict=True)) for row in table.rows}
    assert rows["Baseline"]["J mean, measured"] == pytest.approx(75.0)
    assert rows["Baseline"]["ΔJ, measured"] is None
    intra = rows["Baseline + intra-frame"]
    assert (intra["ΔJ, measured"], intra["ΔF, measured"]) == (pytest.approx(2.0), pytest.approx(-1.0))
    assert intra["ΔJ, difference"] == pytest.approx(2.0 - 0.76)
    assert rows["Baseline + anchor"]["J mean, measured"] is None
    full = paper_table(
        "f2net-1", [davis16_record("f2net", {"J_mean": 0.8}), davis16_record("f2net.ad", {"J_mean": 0.7})], PaperView()
    )
    rows = {row[0]: dict(zip(full.columns, map(plain, row), strict=True)) for row in full.rows}
    assert rows["+ AD"]["ΔJ, measured"] == pytest.approx(-10.0)


def test_options_choose_the_line_of_adnet() -> None:
    several = davis16_record("adnet", {"J_mean": 0.79}, provenance={"options": {"scales": "multi", "prune": ""}})
    table = paper_table("adnet-2", [several], PaperView())
    rows = {row[0]: dict(zip(table.columns, map(plain, row), strict=True)) for row in table.rows}
    assert rows["AD-Net (multiple scales)"]["DAVIS J mean, measured"] == pytest.approx(79.0)
    assert rows["AD-Net + I.Prun. (ours)"]["DAVIS J mean, measured"] is None


def test_units_are_those_of_the_paper() -> None:
    about = {"protocol": "adnet-saliency@1", "provenance": {"options": {"scales": "multi", "prune": ""}}}
    found = [
        davis16_record("adnet", {"MAE": 0.0441, "maxF": 0.8091}, **about),
        davis16_record("adnet", {"MAE": 0.0639, "maxF": 0.8107}, dataset="fbms", split="test", **about),
    ]
    table = paper_table("adnet-3", found, PaperView(diff=True))
    own = dict(zip(table.columns, map(plain, table.rows[-1]), strict=True))
    assert (own["DAVIS MAE, measured"], own["DAVIS MAE, difference"]) == (0.0441, pytest.approx(0.0001))
    assert (own["DAVIS maxF, measured"], own["DAVIS maxF, difference"]) == (pytest.approx(80.91), pytest.approx(0.11))
    assert own["FBMS maxF, difference"] == pytest.approx(-0.13)
    assert "ViSal MAE, measured" not in own
    assert "no measured numbers on ViSal" in table.notes
    assert "+0.0001" in render(table, "table")


def test_categories_are_measured_from_the_records_videos() -> None:
    listing = load_dataset("ytobj").listing("test")
    videos = {name: {"J_mean": 0.8 if each.category == "dog" else 0.6} for name, each in listing.items()}
    place = {"dataset": "ytobj", "split": "test", "protocol": "ytobj-category@1"}
    record = davis16_record("f2net", {"J_mean": 0.62}, videos=videos, **place)
    found = lines(paper_table("f2net-4", [record], PaperView(diff=True)))
    assert found["dog", "difference"]["Ours"] == pytest.approx(80 - 75.8)
    assert found["category mean", "measured"]["Ours"] == pytest.approx(62.0)
    assert found["category mean", "difference"]["Ours"] == pytest.approx(62.0 - 75.57)
    assert found["sequence mean", "measured"]["Ours"] == pytest.approx((27 * 80 + 99 * 60) / 126)
    assert ("mean as printed", "measured") not in found


def test_methods_are_sorted_by_a_printed_measure() -> None:
    assert paper_table("f2net-3", [], PaperView(sort="T")).columns[2:5] == ("COS", "EpO", "Ours")
    assert [row[0] for row in paper_table("f2net-5", [], PaperView(sort="J mean")).rows][:2] == ["Ours", "MAT"]
    with pytest.raises(UsageError, match=r'no measure "maxE".*did you mean "maxF"'):
        paper_table("adnet-3", [], PaperView(sort="maxE"))


def test_the_leaderboards_numbers_are_within_a_tenth_of_f2nets() -> None:
    """Three decimals against one: half-roundings apart, both papers copied the leaderboard."""
    official: dict[str, dict[str, float]] = {}
    for each in published("davis-leaderboard"):
        official.setdefault(each.label, {})[each.measure] = each.raw
    for scores in official.values():
        scores["JF_mean"] = (scores["J_mean"] + scores["F_mean"]) / 2
    found = [davis16_record(name, official[name]) for name in ZIPS]
    assert worst("f2net-3", found) == pytest.approx(0.05)
    assert worst("davis-leaderboard", found) == 0
    assert (difference := worst("adnet-2", found)) is not None
    assert difference < 0.05
    assert worst("f2net-5", found) is None


@pytest.mark.slow
def test_f2nets_table_3_and_adnets_table_2_are_reproduced(real_data: Path) -> None:
    """Every printed cell of the eight public submissions, from their masks."""
    selection = select(load_dataset("davis16"), Choice(root=real_data / "DAVIS"))
    found = [score(real_data / "davis16_results" / f"{name}.zip", selection, method=name)[0] for name in ZIPS]
    table = lines(paper_table("f2net-3", found, PaperView(diff=True)))
    differences = {
        (measure, method): value
        for (measure, kind), cells in table.items()
        for method, value in cells.items()
        if kind == "difference" and value is not None
    }
    assert {method for _, method in differences} == {"FSEG", "PDB", "EpO", "AGS", "AnDiff"}
    assert len(differences) == 5 * 8
    assert max(map(abs, differences.values())) < 0.1
    assert (difference := worst("adnet-2", found)) is not None
    assert difference < 0.1
    assert (difference := worst("davis-leaderboard", found)) is not None
    assert difference < 0.00051


def test_the_page_of_results_is_what_the_command_writes(own_results: Path) -> None:
    """Regenerated by ``vosbench table readme > results/README.md``."""
    page = own_results / "README.md"
    assert page.read_text("utf-8") == results_page(own_results), "vosbench table readme > results/README.md"


def test_kept_values_of_frames_are_small_and_those_of_their_records(own_results: Path) -> None:
    kept = sorted(own_results.glob("*/*.csv.gz"))
    assert {path.name for path in kept} >= {f"{name}.csv.gz" for name in ZIPS}
    for path in kept:
        assert path.stat().st_size < 20_000, f"{path.name}: vosbench score MASKS --per-frame {path.name} --compact"
        (shown,) = read([str(path.with_name(path.name.replace(".csv.gz", ".json")))], own_results)
        assert all(shown.of_frames(measure).keys() == shown.record.videos.keys() for measure in "JF")


def test_the_page_looks_up_plugins_as_often_for_many_records_as_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up reads the metadata of every installed package, which takes longer than a record."""
    looked, entry_points = [], registry.entry_points
    monkeypatch.setattr(registry, "entry_points", lambda **how: looked.append(how) or entry_points(**how))
    counts = []
    for count in (1, 9):
        for number in range(count):
            path = tmp_path / "davis16" / f"m{number}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(davis16_record(path.stem, {"J_mean": 0.7 + number / 100}).to_json(), "utf-8")
        looked.clear()
        assert f"m{count - 1}" in results_page(tmp_path)
        counts.append(len(looked))
    assert counts[0] == counts[1] > 0


def test_the_page_names_what_it_leaves_out(tmp_path: Path) -> None:
    folder = tmp_path / "davis16"
    folder.mkdir()
    for name, record in {
        "fseg": davis16_record("fseg", {"J_mean": 0.707}),
        "random": davis16_record("random", {"J_mean": 0.5}, provenance={"untrained": True}),
    }.items():
        (folder / f"{name}.json").write_text(record.to_json(), "utf-8")
    page = results_page(tmp_path)
    assert "## davis16 val, davis16@1" in page
    assert '## Left out\n\n* "random" on davis16: untrained\n' in page
    assert "| fseg " in page
    assert "No records yet" not in page
    assert page != results_page(REPOSITORY / "results")


def test_the_page_keeps_protocols_apart(tmp_path: Path) -> None:
    other = {"protocol": "davis17-unsup@1", "signature": "davis17-unsup@1|J:all|vosbench 0.1.0"}
    saliency = {"protocol": "vsod-davsod@1", "signature": "vsod-davsod@1|MAE:davsod|vosbench 0.1.0"}
    folder = tmp_path / "davis16"
    folder.mkdir()
    for record in (
        davis16_record("a", {"J_mean": 0.5}),
        davis16_record("b", {"J_mean": 0.6}, **other),
        davis16_record("c", {"MAE": 0.01}, **saliency),
        davis16_record("d", {"MAE": 0.02}, **saliency | {"signature": "vsod-davsod@1|MAE,S:other|vosbench 0.1.0"}),
    ):
        (folder / f"{record.method}.json").write_text(record.to_json(), "utf-8")
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "e.json").write_text(davis16_record("e", {"J_mean": 0.7}).to_json(), "utf-8")
    page = results_page(tmp_path)
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings[:4] == [
        "## davis16 val, davis16@1",
        "## davis16 val, davis17-unsup@1",
        "## davis16 val, vsod-davsod@1",
        "## davis16 val, vsod-davsod@1",
    ]
    assert "This table cannot be made: these records are not comparable" in page
    assert "| e " in page  # a baseline is a result


def test_a_record_joins_a_papers_table() -> None:
    own = davis16_record("mine", {"J_mean": 0.8, "F_mean": 0.9, "JF_mean": 0.85})
    table = paper_table("f2net-3", [], PaperView(measured=False, own=[own]))
    assert table.columns[-1] == "mine"
    assert lines(table)["J&F", "published"]["mine"] == pytest.approx(85.0)
    assert lines(table)["J recall", "published"]["mine"] is None
    assert r"\textbf{85.0}" in render(table, "latex")
    assert any('"mine" is a record of davis16 val' in note for note in table.notes)
    ablation = paper_table("adnet-1", [], PaperView(measured=False, own=[own]))
    assert [plain(cell) for cell in ablation.rows[-1]] == [
        "mine",
        80.0,
        pytest.approx(80 - 75.41),
        90.0,
        pytest.approx(90 - 75.58),
    ]
    grouped = paper_table("adnet-2", [], PaperView(measured=False, own=[own]))
    assert grouped.rows[-1][:2] == ("mine", "unsupervised")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"protocol": "davis17-unsup@1"},
            "is of davis16 val under davis17-unsup@1; this table is of davis16 under davis16",
        ),
        ({"dataset": "visal", "split": "test"}, "is of visal test under davis16@1"),
        ({"provenance": {"untrained": True}}, "cannot join a table: untrained"),
    ],
)
def test_a_record_that_cannot_join_is_refused(changes: dict[str, Any], problem: str) -> None:
    own = davis16_record("mine", {"J_mean": 0.8}, **changes)
    with pytest.raises(DataError, match=problem):
        paper_table("f2net-3", [], PaperView(own=[own]))
    with pytest.raises(DataError, match='two records of "mine"'):
        paper_table("f2net-3", [], PaperView(own=[davis16_record("mine", {"J_mean": 0.8})] * 2))


def test_methods_and_tasks_of_a_papers_table() -> None:
    table = paper_table("adnet-2", [], PaperView(task="semi-supervised"))
    assert {row[1] for row in table.rows} == {"semi-supervised"}
    assert [row[0] for row in paper_table("adnet-2", [], PaperView(methods=["andiff", "FSEG"])).rows] == [
        "FSEG",
        "AD-Net + I.Prun. (ours)",
    ]
    with pytest.raises(DataError, match="no methods of the task image-saliency"):
        paper_table("f2net-3", [], PaperView(task="image-saliency"))
    with pytest.raises(UsageError, match='no method "MATT"'):
        paper_table("f2net-3", [], PaperView(methods=["MATT"]))


def test_latex_of_every_table_compiles_and_fits_the_text(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    own = davis16_record("mine_1", {"J_mean": 0.8, "F_mean": 0.9, "JF_mean": 0.85, "T_mean": 0.2})
    shown = [
        replace(
            paper_table(
                name, [], PaperView(measured=False, own=[own] if name in {"adnet-1", "f2net-1", "f2net-3"} else [])
            ),
            caption=r"On $\mathcal{J}$.",
            label=f"tab:{name}",
        )
        for name in papers()
    ]
    numbers = [each for each in published() if each.dataset == "ytobj" and each.task == "unsupervised"]
    shown.append(grouped([], load_dataset("ytobj"), View(by="category"), numbers)[0])
    text = "\n\n\\clearpage\n".join(f"\\noindent {render(table, 'latex')}" for table in shown)
    packages = "\\usepackage{booktabs}\n\\usepackage{graphicx}\n"
    whole = f"\\documentclass{{article}}\n{packages}\\begin{{document}}\n{text}\n\\end{{document}}\n"
    (tmp_path / "a.tex").write_text(whole, "utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
