"""Suites on the command line: run, scored and tabled in place of a dataset."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import vosbench
from factories import write_toy
from in_process import call
from vosbench.dataset import Suite
from vosbench.errors import DataError
from vosbench.records.record import read

PLUGIN = Path(__file__).parents[1] / "plugins" / "suite.py"
RUN = ("run", "--method", "brightness", "--suite", "toys", "--plugin", PLUGIN)
TOY, OTHER = Path("results/toy/brightness@toy-inner.json"), Path("results/other/brightness@toy-saliency.json")


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOSBENCH_DATA", "data")
    write_toy(Path("data/toy"))
    write_toy(Path("data/Others"), size=(30, 40))
    return Path("data")


def fine(*words: str | Path) -> subprocess.CompletedProcess[str]:
    done = call(*words)
    assert done.returncode == 0, done.stderr
    return done


def fails(code: int, said: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    done = call(*words)
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("note: ", "warning: "))]
    assert (done.returncode, len(lines)) == (code, 1), done.stderr
    assert said in lines[0]
    return done


def score(masks: str | Path, *words: str | Path) -> tuple[str | Path, ...]:
    return ("score", masks, "--suite", "toys", "--plugin", PLUGIN, "--jobs", "1", *words)


def test_a_suite_is_run_as_its_datasets_are_one_by_one_and_resumes() -> None:
    shown = fine(*RUN)
    assert "note: maps and records are in results/toy, results/other\n" in shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["method", "Toy", "J", "mean", "↑", "Toy", "F", "mean", "↑", "Other", "MAE", "↓"]
    toy, other = read(TOY), read(OTHER)
    cells = [f"{value:.3f}" for value in (toy.scores["J_mean"], toy.scores["F_mean"], other.scores["MAE"])]  # type: ignore[str-format]
    assert lines[2].split() == ["brightness", *cells]
    assert lines[4:] == [f"toy val, {toy.signature}", f"other val, {other.signature}"]
    suite_wide = {path: path.read_bytes() for path in (TOY, OTHER)}
    maps = {path: path.stat().st_mtime_ns for path in Path("results").rglob("*.png")}
    OTHER.unlink()
    assert fine(*RUN).stdout == shown.stdout
    assert {path: path.stat().st_mtime_ns for path in Path("results").rglob("*.png")} == maps
    shutil.rmtree("results")
    for dataset, protocol in (("toy", "toy-inner"), ("other", "toy-saliency")):
        fine("run", "--method", "brightness", "--dataset", dataset, "--protocol", protocol, "--plugin", PLUGIN)
    assert {path: path.read_bytes() for path in (TOY, OTHER)} == suite_wide


def test_a_root_contains_the_datasets(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOSBENCH_DATA")
    fails(2, 'error: 2 of the 2 datasets of the suite "toys" cannot be used: Toy: not found; Other: not found', *RUN)
    fails(3, '"dta" is not a folder', *RUN, "--root", "dta")
    whole = json.loads(fine(*RUN, "--root", data, "--format", "json").stdout)
    assert [record["dataset"] for record in whole["records"]] == ["toy", "other"]
    assert whole["left_out"] == whole["failures"] == {}


def test_missing_datasets_are_named_before_the_work_and_left_out_on_request() -> None:
    shutil.rmtree("data/Others")
    refused = 'error: 1 of the 2 datasets of the suite "toys" cannot be used: Other: not found; set VOSBENCH_DATA'
    assert "--available leaves them out" in fails(2, refused, *RUN).stderr
    assert not Path("results").exists()
    done = fine(*RUN, "--available")
    assert 'note: 1 of the 2 datasets of the suite "toys" is left out: Other: not found' in done.stderr
    assert done.stdout.splitlines()[2].split()[-1] == "–"
    assert done.stdout.splitlines()[-2:] == ["1 of the 2 datasets of toys", "left out: Other: not found"]
    shutil.rmtree("data/toy")
    fails(2, "2 of the 2 datasets", *RUN, "--available")


def test_incomplete_datasets_are_left_out_likewise() -> None:
    Path("data/Others/frames/v1/00004.png").unlink()
    refused = fails(3, 'cannot be used: Other val in "data/Others" is incomplete: "v1" has 4 of 5 frames', *RUN)
    assert not refused.stdout
    assert "left out: Other val in" in fine(*RUN, "--available", "--quiet").stdout
    assert fine(*RUN, "--available", "--quiet").stderr == ""


def test_a_damaged_dataset_ends_only_itself() -> None:
    frame = Path("data/toy/frames/v1/00002.png")
    whole = frame.read_bytes()
    frame.write_bytes(whole[:60])
    done = fails(4, 'error: Toy: "data/toy/frames/v1/00002.png" is corrupt', *RUN)
    assert "left out: Toy: " in done.stdout
    assert not read(OTHER).shortcomings
    assert read(TOY).failed == ["v1"]
    frame.write_bytes(whole)
    fine(*RUN)
    assert not read(TOY).shortcomings


@pytest.mark.parametrize(("failing", "title"), [(TOY, "Toy"), (OTHER, "Other")])
def test_a_failure_of_the_method_ends_only_its_dataset(
    failing: Path, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = OTHER if failing == TOY else TOY
    fine(*RUN)
    records = {path: path.read_bytes() for path in (failing, good)}
    failing.unlink()
    good.unlink()
    shutil.rmtree(failing.parent / "brightness")
    monkeypatch.setenv("TOY_FAIL", "v1/00002")
    done = fails(4, f"error: {title}: ", *RUN)
    assert f"left out: {title}: " in done.stdout
    assert read(failing).failed == ["v1"]
    assert good.read_bytes() == records[good]
    monkeypatch.delenv("TOY_FAIL")
    fine(*RUN)
    assert failing.read_bytes() == records[failing]


def test_maps_of_another_setup_are_a_failure_of_their_dataset() -> None:
    fine(*RUN)
    card = Path("results/other/brightness/run.json")
    card.write_text(card.read_text("utf-8").replace('"limit": null', '"limit": 3'), "utf-8")
    TOY.unlink()
    fails(2, "error: Other: ", *RUN)
    assert TOY.exists()


def test_results_are_scored_and_a_name_chooses_the_method() -> None:
    fine(*RUN)
    again = fine(*score("results", "--out", "again"))
    for path in (TOY, OTHER):
        assert read("again" / path.relative_to("results")).scores == read(path).scores
    shutil.copytree("results/toy/brightness", "results/toy/twin")
    card = Path("results/toy/twin/run.json")
    card.write_text(card.read_text("utf-8").replace('"brightness"', '"twin"'), "utf-8")
    fails(2, "has maps of several methods: brightness, twin", *score("results"))
    assert fine(*score("results", "--name", "brightness")).stdout == again.stdout
    fails(3, "Other: \"results/other\" has no maps of 'twin'", *score("results", "--name", "twin"))
    assert fine(*score("results", "--name", "twin", "--available")).stdout.splitlines()[2].split()[0] == "twin"


def test_masks_lie_in_a_folder_or_archive_for_each_dataset() -> None:
    shutil.copytree("data/toy/masks", "mine/toy")
    shutil.make_archive("mine/Others", "zip", "data/Others/masks")
    fine(*score("mine", "--out", "results"))
    toy, other = read(Path("results/toy/mine@toy-inner.json")), read(Path("results/other/mine@toy-saliency.json"))
    assert toy.scores["J_mean"] == 1
    assert other.scores["MAE"] == 0
    shutil.copytree("mine/toy", "mine/other")
    fails(3, 'Other: its masks may be "mine/Others.zip" or "mine/other"', *score("mine"))
    shutil.rmtree("mine/other")
    Path("mine/toy/v1/00002.png").unlink()
    done = fails(3, "error: Toy: 1 mask is missing", *score("mine", "--out", "partly"))
    assert done.stdout.splitlines()[2].split() == ["mine", "–", "–", "0.000"]
    assert "toy val: not for a leaderboard: 1 videos or frames missing" in done.stdout
    assert {path.parent.name for path in Path("partly").rglob("*.json")} == {"toy", "other"}
    Path("mine/Others.zip").unlink()
    fails(3, 'Other: "mine" has no masks of it; call their folder or archive "other"', *score("mine"))
    fails(3, "should be a folder with a folder or archive of masks for each dataset", *score(PLUGIN))


def test_a_record_of_other_masks_is_not_replaced_and_the_others_are_written() -> None:
    shutil.copytree("data/toy/masks", "mine/toy")
    shutil.copytree("data/Others/masks", "mine/other")
    fine(*score("mine", "--out", "results"))
    shutil.copyfile("mine/toy/v0/00001.png", "mine/toy/v0/00002.png")
    Path("results/other/mine@toy-saliency.json").unlink()
    fails(2, "error: Toy: ", *score("mine", "--out", "results"))
    assert Path("results/other/mine@toy-saliency.json").exists()
    fine(*score("mine", "--out", "results", "--overwrite"))


def test_measures_are_those_that_each_protocol_has() -> None:
    fine(*RUN, "--measures", "J,MAE", "--limit", "4")
    assert list(read(Path("results/toy/brightness@toy-inner+limit4+J.json")).scores) == [
        "J_mean",
        "J_recall",
        "J_decay",
    ]
    assert list(read(Path("results/other/brightness@toy-saliency+limit4+MAE.json")).scores) == ["MAE"]
    fails(2, 'protocol "toy-saliency" of other val has none of J', *RUN, "--measures", "J")
    fails(2, 'no protocol of the suite "toys" has "wF"', *RUN, "--measures", "wF,J")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("--videos is for a single dataset", (*RUN, "--videos", "v0")),
        ("--protocol is for a single dataset", (*RUN, "--protocol", "toy")),
        ("--split is for a single dataset", score("data", "--split", "val")),
        ("--layout is for a single dataset", score("data", "--layout", "toy")),
        ("--by is for a single dataset", score("data", "--by", "video")),
        ("--pr is for a single dataset", score("data", "--pr", "curve.csv")),
        ("--per-frame is for a single dataset", score("data", "--per-frame", "rows.csv")),
        ("pass either --dataset or --suite", (*RUN, "--dataset", "toy")),
        ("pass either --dataset or --suite", ("run", "--method", "brightness", "--plugin", PLUGIN)),
        ("pass one of --dataset, --suite, and --gt", score("data", "--gt", "data")),
        ("--available requires --suite", ("run", "--method", "f2net.tiny", "--dataset", "sample", "--available")),
        ("--available requires --suite", ("score", "data", "--dataset", "sample", "--available")),
        ('there is no suite "toy"; did you mean "toys"?', ("table", "--suite", "toy", "--plugin", PLUGIN)),
        ("pass --suite toys", ("table", "toys", "--plugin", PLUGIN)),
        ("pass --suite uvos", ("run", "--method", "brightness", "--dataset", "uvos", "--plugin", PLUGIN)),
        ("pass either the name of a table or --suite", ("table",)),
        ("--by is for tables of one dataset", ("table", "--suite", "uvos", "--by", "video")),
        ("--diff is for tables of one dataset", ("table", "--suite", "uvos", "--diff")),
        ('brightness has no variant "x"', ("run", "--method", "brightness.x", "--suite", "toys", "--plugin", PLUGIN)),
        ("the limit must be at least 1 frame", (*RUN, "--limit", "0")),
    ],
)
def test_what_is_for_one_dataset_or_unknown_is_refused(said: str, words: tuple[str | Path, ...]) -> None:
    fails(2, said, *words)
    assert not Path("results").exists()


def test_a_table_of_methods_and_datasets() -> None:
    fine(*RUN)
    shutil.copytree("data/toy/masks", "mine/toy")
    shutil.copytree("data/Others/masks", "mine/other")
    fine(*score("mine", "--out", "results"))
    OTHER.unlink()
    table = ("table", "--suite", "toys", "--plugin", PLUGIN, "--format", "csv")
    rows = [line.split(",") for line in fine(*table).stdout.splitlines()]
    assert rows[0] == ["method", "Toy J mean", "Toy F mean", "Other MAE", "notes"]
    assert {row[0]: row[3] for row in rows[1:]} == {"mine": "0.0", "brightness": ""}
    fails(3, "nothing to show", *table, "--results", "nowhere")
    fails(3, "nothing is measured", *table, "--results", "nowhere", "--measured")


def test_suites_are_listed() -> None:
    shown = json.loads(fine("list", "suites", "--plugin", PLUGIN, "--format", "json").stdout)["rows"]
    assert [row["suite"] for row in shown] == ["toys", "uvos", "vsod"]
    assert [row["here"] for row in shown] == ["2 of 2", "0 of 3", "0 of 6"]
    long = json.loads(fine("list", "suites", "--long", "--plugin", PLUGIN, "--format", "json").stdout)["rows"]
    assert long[1] == {
        "suite": "",
        "dataset": "other",
        "split": "val",
        "protocol": "toy-saliency",
        "shown": "MAE",
        "here": "data/Others",
    }


def test_from_python(data: Path) -> None:
    suite = vosbench.load_suite("toys", [PLUGIN])
    assert isinstance(suite, Suite)
    done = vosbench.run_suite("brightness", suite, plugins=[PLUGIN], root=data)
    assert done.problem is None
    assert list(done.to_frame().index) == ["toy val", "other val"]
    assert done.to_frame().loc["other val", "MAE"] == done.records[1].scores["MAE"]
    assert "<table>" in done._repr_html_()
    assert repr(done).startswith("method")
    shutil.rmtree(data / "Others/masks/v1")
    with pytest.raises(DataError, match="1 of the 2 datasets"):
        vosbench.score_suite("data", suite, plugins=[PLUGIN])
    part = vosbench.score_suite("data", suite, plugins=[PLUGIN], available=True)
    assert [entry.dataset for entry in part.left_out] == ["other"]
    with pytest.raises(TypeError, match='has no option "videos"'):
        vosbench.run_suite("brightness", suite, videos="v0")  # type: ignore[call-arg]


def test_uvos_on_the_datasets_that_are_here(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOSBENCH_DATA", str(real_data))
    Path("masks").mkdir()
    Path("masks/DAVIS.zip").symlink_to(real_data / "davis16_results" / "osvos.zip")
    words = (
        "score",
        "masks",
        "--suite",
        "uvos",
        "--name",
        "osvos",
        "--measures",
        "J",
        "--jobs",
        "1",
        "--out",
        "results",
    )
    fails(3, '2 of the 3 datasets of the suite "uvos" cannot be used: FBMS-59 test in ', *words)
    shown = fine(*words, "--available").stdout
    assert shown.splitlines()[2].split() == ["osvos", "–", "0.798", "–", "–", "–"]
    assert "1 of the 3 datasets of uvos\n" in shown
    table = fine("table", "--suite", "uvos", "--sort", "davis16 J_mean", "--format", "json").stdout
    assert json.loads(table)["rows"][0]["DAVIS-2016 J mean"] == pytest.approx(0.798, abs=0.0005)
    run = (*RUN[:3], "--suite", "uvos", "--plugin", PLUGIN, "--limit", "2", "--measures", "J", "--available")
    assert "davis16 val: not for a leaderboard: only 2 frames of each video" in fine(*run).stdout
