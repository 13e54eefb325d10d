"""``vosbench table`` as a user types it."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from in_process import call

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command line in this process, in an empty folder: there are many short calls."""
    monkeypatch.chdir(tmp_path)
    return call


def record(method: str, **scores: float) -> str:
    """A record of DAVIS-2016, as a file holds it."""
    provenance = {"date": "2026-01-01", "vosbench": "0.1.0", "packages": {}, "annotations": "0", "codec": "map"}
    fields = {
        "schema": "vosbench/record@1",
        "method": method,
        "dataset": "davis16",
        "split": "val",
        "protocol": "davis16@1",
        "signature": "davis16@1|J:inner|F:0.008|T:gt-first|avg:video|vosbench 0.1.0",
        "scores": scores,
        "videos": {},
        "provenance": provenance,
    }
    return json.dumps(fields)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "davis16"
    folder.mkdir(parents=True)
    (folder / "fseg.json").write_text(record("fseg", J_mean=0.7068, F_mean=0.6533, JF_mean=0.68005), "utf-8")
    (folder / "andiff.json").write_text(record("andiff", J_mean=0.8172, F_mean=0.8048, JF_mean=0.811), "utf-8")
    return folder.parent


def test_a_papers_table_with_differences(cli: Cli, results: Path) -> None:
    done = cli("table", "f2net-3", "--measured", "--diff", "--format", "json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    rows = {(row["measure"], row["number"]): row for row in shown["rows"]}
    assert rows["J mean", "published"]["AnDiff"] == 81.7
    assert rows["J mean", "measured"]["AnDiff"] == pytest.approx(81.72)
    assert rows["J mean", "difference"]["AnDiff"] == pytest.approx(0.02)
    assert 'AnDiff is "andiff"' in "\n".join(shown["notes"])
    assert results.is_dir()


def test_a_papers_table_without_records(cli: Cli) -> None:
    done = cli("table", "f2net-5")
    assert done.returncode == 0, done.stderr
    assert "no measured numbers on FBMS" in done.stdout
    assert "76.1" in done.stdout
    alone = cli("table", "f2net-5", "--published")
    assert "no measured numbers" not in alone.stdout
    insisted = cli("table", "f2net-5", "--measured")
    assert (insisted.returncode, insisted.stdout) == (3, "")
    assert 'no folder "results" of records' in insisted.stderr


def test_published_numbers_in_a_leaderboard(cli: Cli, results: Path) -> None:
    assert results.is_dir()
    done = cli("table", "davis16", "--published", "--sort", "J_mean", "--format", "csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    measured = [row["method"] for row in rows if row["from"] == "measured"]
    assert measured == ["andiff", "fseg"]
    values = [float(row["J mean"]) for row in rows if row["J mean"]]
    assert values == sorted(values, reverse=True)
    assert {"DAVIS leaderboard, val 2016", "F2Net Table 3", "AD-Net Table 2"} <= {
        source for row in rows for source in row["from"].split("; ")
    }
    assert not [row for row in rows for name, value in row.items() if name != "notes" and "000000" in value]
    assert sum(row["method"] == "AD-Net + I.Prun." for row in rows) == 1
    assert [bool(row["notes"]) for row in rows] == [True] + [False] * (len(rows) - 1)
    assert not [row for row in rows if row["from"] in {"F2Net Table 1", "AD-Net Table 1"}]


def test_differences_of_a_leaderboard(cli: Cli, results: Path) -> None:
    assert results.is_dir()
    done = cli("table", "davis16", "--diff", "--format", "csv")
    rows = {(row["method"], row["from"]): row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert float(rows["fseg", "measured − F2Net Table 3"]["J mean"]) == pytest.approx(0.7068 - 0.707)
    assert {method for method, _ in rows} == {"fseg", "FSEG", "andiff", "AD-Net + I.Prun."}


def test_only_published_numbers(cli: Cli) -> None:
    done = cli("table", "ytobj", "--by", "category", "--published", "--format", "md")
    assert done.returncode == 0, done.stderr
    heading = done.stdout.splitlines()[0]
    names = [cell.strip() for cell in heading.strip("|").split("|")]
    assert {"PDB (F2Net)", "PDB (AMC-Net)", "AGS"} <= set(names)  # of PDB the two print different numbers
    assert names.count("AGS") == 1
    assert "| mean as printed " in done.stdout
    assert "AGS: F2Net Table 4, AMC-Net Table 6" in done.stdout
    assert "* J mean ↑ on ytobj test by category" in done.stdout
    assert "Isomer" in cli("table", "davis16", "--published").stdout


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("f2net3",), 2, 'no dataset or table "f2net3"; did you mean "f2net-3"?'),
        (("davsi16",), 2, 'did you mean "davis16"?'),
        (("davis16", "--sort", "J_men"), 2, 'no measure "J_men" in this table; did you mean "J_mean"?'),
        (("f2net-3", "--sort", "J_men"), 2, 'no measure "J_men" in this table; did you mean "J_mean"?'),
        (("f2net-3", "--by", "category"), 2, 'the table "f2net-3" does not support --by'),
        (("f2net-3", "--protocol", "davis16"), 2, 'the table "f2net-3" does not support --protocol'),
        (("speed", "--diff"), 2, 'the table "speed" does not support --diff'),
        (("davis16", "--measure", "J_mean"), 2, "--measure requires --by"),
        (("davis16", "--by", "category"), 3, "DAVIS-2016 has no categories"),
        (("davis16", "--by", "video", "--published"), 2, "no published numbers by video"),
        (("davis16", "--by", "video", "--diff"), 2, "--diff cannot be used with --by"),
        (("davis16", "--split", "test"), 2, 'davis16 has no split "test"'),
        (("fbms",), 3, "holds no such record"),
        (("fbms", "--published", "--protocol", "nonsense"), 2, 'fbms has no protocol "nonsense"'),
        (("sample", "--published"), 3, "no published numbers under"),
        (("speed",), 3, "vosbench run --profile"),
        (("saliency",), 3, "no records under"),
        (("readme", "--format", "csv"), 2, "readme is a page in Markdown"),
        (("f2net-3", "--percent"), 2, "in the units of its paper"),
        (("f2net-3", "--interval"), 2, 'the table "f2net-3" does not support --interval'),
        (("davis16", "--by", "video", "--mark", "±"), 2, "--mark ± cannot be used with --by"),
        (("ytobj", "--by", "category", "--published", "--measures", "J_mean"), 2, "choose it with --measure"),
        (("davis16", "--methods", "fsge"), 2, 'no method "fsge" in this table; did you mean "fseg"?'),
        (("davis16", "--label", "a"), 2, "--label is for --format latex"),
        (("davis16", "--caption", "a", "--format", "csv"), 2, "--caption is for readers"),
        (("davis16", "--format", "parquet"), 2, "pass a file with --out"),
        (("davis16", "--with", "absent.json"), 3, 'the record "absent.json" cannot be read'),
        (("fbms", "--with", "results/davis16/fseg.json"), 3, '"fseg" is a record of davis16 val, not of fbms'),
        (("davis16", "--out", "results"), 2, "cannot be written"),
        (("fbms", "--published", "--interval"), 3, "published numbers have no intervals"),
    ],
)
def test_mistakes_are_one_line(cli: Cli, results: Path, words: tuple[str, ...], code: int, problem: str) -> None:
    assert results.is_dir()
    done = cli("table", *words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_a_record_is_a_warning(cli: Cli, results: Path) -> None:
    tables = ("davis16",), ("f2net-3",), ("readme",), ("davis16", "--published"), ("davis16", "--quiet")
    shown = [cli("table", *words).stdout for words in tables]
    (results / "davis16" / "broken.json").write_text("{}")
    (results / "davis16" / "empty.json").write_bytes(b"")
    for words, before in zip(tables, shown, strict=True):
        done = cli("table", *words)
        assert (done.returncode, done.stdout) == (0, before)
        first, second = done.stderr.splitlines()[:2]
        assert first.startswith('warning: "results/davis16/broken.json" is not a vosbench record: method: ')
        assert second.startswith('warning: "results/davis16/empty.json" is not a vosbench record: the file: ')
    for path in (results / "davis16").glob("[!be]*.json"):
        path.unlink()
    assert cli("table", "davis16").returncode == 3


def test_the_page(cli: Cli, results: Path, own_results: Path) -> None:
    done = cli("table", "readme", "--results", own_results)
    assert done.stdout == (own_results / "README.md").read_text("utf-8")
    assert "## davis16 val, davis16@1" in cli("table", "readme", "--results", results).stdout


def test_no_heavy_import(cli: Cli, results: Path) -> None:
    import sys

    code = (
        "import sys\n"
        f"sys.argv = ['vosbench', 'table', 'f2net-3', '--diff', '--results', {str(results)!r}]\n"
        "from vosbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert not {'torch', 'scipy.stats', 'pandas', 'matplotlib'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert cli("table", "--help").returncode == 0


def test_tasks_are_told_apart_and_compete_apart(cli: Cli, results: Path) -> None:
    assert results.is_dir()
    done = cli("table", "davis16", "--published", "--format", "md", "--measures", "J&F")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines() if "|" in line]
    assert lines[0] == ["method", "from", "task", "protocol", "J&F ↑"]
    best = {line[0]: line[2] for line in lines[2:] if line[-1].startswith("**")}
    assert {"STM": "semi-supervised", "Isomer": "unsupervised"}.items() <= best.items()
    alone = cli("table", "davis16", "--published", "--task", "unsupervised", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(alone.stdout)))
    assert "task" not in rows[0]
    assert {"fseg", "andiff", "F2Net"} <= {row["method"] for row in rows}
    assert not {"STM", "OSVOS", "MCG"} & {row["method"] for row in rows}


def test_intervals_of_a_leaderboard(cli: Cli, own_results: Path) -> None:
    done = cli("table", "davis16", "--results", own_results, "--interval", "--mark", "±", "--format", "json")
    row = json.loads(done.stdout)["rows"][0]
    assert row["J&F 95% low"] < row["J&F"] < row["J&F 95% high"]
    assert row["J&F ±"] == pytest.approx((row["J&F 95% high"] - row["J&F 95% low"]) / 2)
    assert "BCa bootstrap over videos" in done.stdout
    text = cli("table", "davis16", "--results", own_results, "--mark", "±", "--percent", "--measures", "J_mean")
    assert " ± " in text.stdout


def test_a_record_of_ones_own_joins_every_table(cli: Cli, results: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.json"
    own.write_text(record("mine", J_mean=0.9, F_mean=0.9, JF_mean=0.9), "utf-8")
    for words in (("f2net-3",), ("adnet-1",), ("davis16",), ("--suite", "uvos")):
        assert "mine" in cli("table", *words, "--with", own).stdout, words
    assert results.is_dir()


def test_a_pipe_gets_the_whole_table_and_a_file_its_format(cli: Cli, results: Path) -> None:
    done = cli(
        "table", "davis16", "--published", "--out", "a.tex", "--format", "latex", "--caption", "C", "--label", "t"
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert Path("a.tex").read_text("utf-8").startswith("\\begin{table}[t]")
    assert max(map(len, cli("table", "f2net-3").stdout.splitlines())) > 100
    assert results.is_dir()
