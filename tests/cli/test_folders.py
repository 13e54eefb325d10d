"""Folders of frames and masks in place of a dataset, on the command line: run, scored, tabled, gated, trained on."""

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import vosbench
from factories import disk_mask, write_toy
from in_process import call
from vosbench.images import write_png
from vosbench.pytest_plugin import _dataset
from vosbench.records.record import read

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
RUN = ("run", "--method", "brightness", "--plugin", TOY)


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fine(*words: str | Path) -> subprocess.CompletedProcess[str]:
    done = call(*words)
    assert done.returncode == 0, done.stderr
    return done


def fails(code: int, said: str, *words: str | Path) -> None:
    done = call(*words)
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("note: ", "warning: "))]
    assert (done.returncode, len(lines)) == (code, 1), done.stderr
    assert said in lines[0]


def cycle(root: Path) -> None:
    """Run, score, table and gate, without a list or Python."""
    run = fine(*RUN, "--dataset", root)
    assert f'note: "{root}" is read in layout' in run.stderr
    path = Path("results", root.name, "brightness.json")
    maps = path.with_suffix("")
    assert fine("score", maps, "--dataset", root, "--name", "again", "--out", "results").stdout
    assert read(path).scores == read(path.with_name("again.json")).scores
    shown = json.loads(fine("table", root, "--format", "json").stdout)
    assert [row["method"] for row in shown["rows"]] == ["again", "brightness"]
    shutil.copy(path, "baseline.json")
    gate = ("check", "--method", "brightness", "--plugin", TOY, "--dataset", root, "--baseline", "baseline.json")
    assert "PASSED" in fine(*gate).stdout
    assert "sequences are complete" in fine("verify", root).stdout


def test_a_folder_made_by_hand() -> None:
    cycle(write_toy(Path("zoo")))
    assert json.loads(Path("results/zoo/brightness.json").read_text("utf-8"))["protocol"] == "generic@1"
    worse = read(Path("baseline.json")).to_json().replace('"J_mean": 1.0', '"J_mean": 2.0')
    Path("baseline.json").write_text(worse, "utf-8")
    assert call("check", "results/zoo/brightness.json", "--baseline", "baseline.json").returncode == 1
    fails(
        2,
        "is the run itself",
        *("check", "--method", "brightness", "--plugin", TOY, "--dataset", "zoo/", "--out", "results"),
        *("--baseline", "results/zoo/brightness.json"),
    )


def test_videos_of_several_lengths_and_sparse_masks_in_a_folder_with_a_description() -> None:
    root = write_toy(Path("data/zoo"), videos=3)
    for path in (root / "masks" / "v1").glob("*[13].png"):
        path.unlink()
    (root / "dataset.yaml").write_text("splits: {val: [v0, v1], train: ['*2']}\ncategories: {a: [v0], b: [v1, v2]}")
    cycle(root)
    assert read(Path("results/zoo/brightness.json")).split == "val"
    by_category = json.loads(fine("table", root, "--by", "category", "--format", "json").stdout)
    assert [row["category"] for row in by_category["rows"]][:2] == ["a", "b"]
    fine(*RUN, "--dataset", root, "--split", "train")
    assert Path("results/zoo/brightness+train.json").is_file()
    fails(2, "no split", *RUN, "--dataset", root, "--split", "test")


def test_real_data(real_data: Path) -> None:
    """Few frames of RealTrain, and few of its stills, as the folders that they are."""
    for name in ("fbms_cars7", "visal_cat"):
        for kind in ("JPEGImages", "Annotations"):
            shutil.copytree(real_data / "RealTrain" / kind / name, Path("RealTrain", kind, name))
    cycle(Path("RealTrain"))
    stills = real_data / "RealTrain" / "stills" / "ECSSD"
    for kind in ("images", "masks"):
        Path("ECSSD", kind).mkdir(parents=True)
        for path in sorted((stills / kind).iterdir())[:8]:
            shutil.copy(path, Path("ECSSD", kind))
    cycle(Path("ECSSD"))
    assert len(read(Path("results/ECSSD/brightness.json")).videos) == 8


@pytest.mark.slow
def test_the_whole_of_realtrain(real_data: Path) -> None:
    cycle(real_data / "RealTrain")
    cycle(real_data / "RealTrain" / "stills" / "ECSSD")


def test_folders_of_one_name_are_not_mixed() -> None:
    one, other = write_toy(Path("one/zoo")), write_toy(Path("other/zoo"))
    pixels = np.full((24, 32, 3), 60, np.uint8)
    write_png(other / "frames" / "v1" / "00002.png", pixels)
    fine(*RUN, "--dataset", one)
    fails(2, 'maps of other frames of "v1", perhaps of another dataset', *RUN, "--dataset", other)
    fine(*RUN, "--dataset", one, "--videos", "v0")
    fine(*RUN, "--dataset", one)
    fine(*RUN, "--dataset", other, "--videos", "v0")  # whose frames are the same
    fine(*RUN, "--dataset", other, "--overwrite")
    assert read(Path("results/zoo/brightness.json")).videos["v1"]["J_mean"] != 1


def test_records_against_other_annotations_are_not_mixed() -> None:
    one, other = write_toy(Path("one/zoo")), write_toy(Path("other/zoo"))
    write_png(other / "masks" / "v1" / "00002.png", disk_mask(24, 32, 6, 6, 4) * np.uint8(255))
    fine(*RUN, "--dataset", one)
    fails(2, "holds scores against other annotations", *RUN, "--dataset", other)
    fine("score", "results/zoo/brightness", "--dataset", other, "--name", "another", "--out", "results")
    fails(3, "these records are of other annotations", "table", other)
    fails(3, "annotations differ", "check", "results/zoo/another.json", "--baseline", "results/zoo/brightness.json")


def test_score_against_a_folder() -> None:
    root = write_toy(Path("zoo"))
    for path in (root / "masks").glob("*/*[13].png"):
        path.unlink()
    fine(*RUN, "--dataset", root)
    shutil.make_archive("brightness", "zip", "results/zoo/brightness")
    words = ("score", "brightness.zip", "--gt", root / "masks")
    done = fine(*words, "--out", "results", "--per-frame", "rows.csv", "--format", "json", "--jobs", "1")
    found = json.loads(done.stdout)
    assert (found["dataset"], found["method"], found["scores"]["J_mean"]) == ("masks", "brightness", 1.0)
    assert found["signature"].startswith("generic@1|J:all|F:0.008|avg:video|")
    assert 'layout "masks", 2 videos; its annotations as "binary255"' in done.stderr
    assert "4 masks without an annotation of that name" in done.stderr
    assert Path("results/masks/brightness.json").is_file()
    assert Path("rows.csv").read_text("utf-8").count(",J,") == 6
    assert json.loads(fine(*words, "--measures", "J,MAE", "--format", "json").stdout)["scores"]["MAE"] is not None
    fails(2, "no two consecutive frames", *words, "--measures", "J,T")
    fails(2, "pass one of --dataset, --suite, and --gt", *words, "--dataset", "sample")
    fails(2, "pass one of --dataset, --suite, and --gt", "score", "brightness.zip")
    fails(2, "root needs a dataset", *words, "--root", root)
    fails(3, "is not a folder", "score", "brightness.zip", "--gt", "nowhere")
    (root / "masks" / "v2").mkdir()
    write_png(root / "masks" / "v2" / "00000.png", np.zeros((24, 32), np.uint8))
    fails(3, "1 mask is missing", *words)


def test_temporal_stability_of_a_folder_needs_consecutive_masks() -> None:
    root = write_toy(Path("zoo"))
    done = fine("score", root / "masks", "--gt", root / "masks", "--measures", "T", "--format", "json", "--jobs", "1")
    assert json.loads(done.stdout)["scores"]["T_mean"] is not None


def test_numbers_of_masks_against_a_folder() -> None:
    """Annotations tell only which frames they are of; masks may be of more, or be counted otherwise."""
    root = write_toy(Path("zoo"), videos=1, frames=4)
    gt, other = root / "masks" / "v0", Path("masks")

    def scored(*names: str, more: tuple[str, ...] = ()) -> dict[str, object]:
        shutil.rmtree(other, ignore_errors=True)
        other.mkdir()
        for source, name in zip(sorted(gt.iterdir()), names, strict=False):
            shutil.copy(source, other / name)
        done = call("score", other, "--gt", gt, "--format", "json", *more)
        assert done.returncode in {0, 3}, done.stderr
        return json.loads(done.stdout)

    for names in ([f"{t}.png" for t in (1, 2, 3, 4)], [f"v0_{t:03d}.png" for t in range(4)]):
        assert scored(*names)["scores"]["J_mean"] == 1  # type: ignore[index]
    counted = [f"{t:05d}.png" for t in (1, 2, 3, 4)]
    assert scored(*counted, more=("--numbering", "1"))["missing"] == []
    assert scored(*counted)["scores"]["J_mean"] == 1  # type: ignore[index]
    assert scored("00000.png", "00001.png", "00009.png", "00003.png")["missing"] == ["v0/00002"]
    for path in gt.glob("*[13].png"):
        path.unlink()
    shutil.rmtree(other)
    shutil.copytree(root / "frames" / "v0", other)  # one for each frame: bright is the object
    done = call("score", other, "--gt", gt, "--codec", "map", "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["scores"]["J_mean"]) == (0, 1)


def test_stills_and_annotations_alone() -> None:
    stills = Path("stills")
    for t in range(3):
        write_png(stills / "images" / f"s{t}.png", np.full((24, 32, 3), 60, np.uint8))
        write_png(stills / "masks" / f"s{t}.png", disk_mask(24, 32, 12, 8 + t, 5) * np.uint8(255))
    assert '"J_mean": 1.0' in fine("score", stills / "masks", "--dataset", stills, "--format", "json").stdout
    fails(
        2, "T compares masks of consecutive frames", "score", stills / "masks", "--dataset", stills, "--measures", "T"
    )
    root = write_toy(Path("zoo"))
    shutil.rmtree(root / "frames")
    assert '"J_mean": 1.0' in fine("score", root / "masks", "--dataset", root, "--format", "json").stdout
    fails(3, "has annotations but no frames", *RUN, "--dataset", root)


def test_t_says_which_videos_it_leaves_out() -> None:
    root = write_toy(Path("zoo"))
    for path in (root / "masks" / "v1").glob("*[13].png"):
        path.unlink()
    done = fine("score", root / "masks", "--dataset", root, "--measures", "T", "--jobs", "1")
    assert 'T leaves out 1 video without two consecutive scored frames, such as "v1"' in done.stderr


def test_paths_in_python(workplace: Path) -> None:
    root = write_toy(Path("sample"))
    (root / "dataset.yaml").write_text("name: own", "utf-8")
    assert vosbench.score(root / "masks", dataset=root).record.dataset == "own"
    assert vosbench.run("brightness", workplace / root, plugins=[TOY]).record.dataset == "own"
    config: Any = SimpleNamespace(rootpath=workplace)
    assert _dataset(config, "sample", ()) == "sample"  # a registered name comes first
    write_toy(Path("zoo"))
    assert _dataset(config, "zoo", ()) == str(workplace / "zoo")


@pytest.mark.torch
def test_training_on_folders(real_data: Path) -> None:
    plugins = ("--plugin", TOY, "--plugin", TOY.with_name("toy_training.py"))
    for kind in ("images", "masks"):
        Path("ECSSD", kind).mkdir(parents=True)
        for path in sorted((real_data / "RealTrain" / "stills" / "ECSSD" / kind).iterdir())[:3]:
            shutil.copy(path, Path("ECSSD", kind))
    root = write_toy(Path("zoo"))
    words = ("train", "toynet", *plugins, "--data", root, "--data", "./ECSSD", "--out", "out", "--set", "steps=2")
    done = fine(*words)
    assert "3 still images" in done.stderr
    frame = next((root / "frames" / "v0").iterdir())
    write_png(frame, np.zeros((24, 32, 3), np.uint8))
    fails(2, "holds another training (files was", *words)
