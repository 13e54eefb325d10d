"""The examples on real video with the lite networks: their rows, the arithmetic of their tables, and one small run."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from factories import make_record
from vosbench.errors import UsageError
from vosbench.method import Setup
from vosbench.method.testing import sample_video
from vosbench.records import record
from vosbench.registry import load_method

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(EXAMPLES)
    yield importlib.import_module("ablations_lite")
    for name in {"ablations", "ablations_lite", "anchors", "resolutions"} - before:
        sys.modules.pop(name, None)


@pytest.fixture
def anchors(example: ModuleType) -> ModuleType:
    return sys.modules[example.score.__module__]


@pytest.fixture
def resolutions(example: ModuleType) -> ModuleType:
    assert example
    return importlib.import_module("resolutions")


def test_every_row_is_a_variant(example: ModuleType) -> None:
    rows = {name for family in example.FAMILIES.values() for name in family}
    for name in ("adnet", "f2net"):
        method, _ = load_method(name)
        lite = {f"{name}.{variant}" for variant in method.variants if variant.startswith("lite")}
        assert lite == {row for row in rows if row.startswith(name)}
    alone = {"adnet.lite-base", "adnet.lite-intra", "f2net.lite-base"}
    assert {row for row in rows if not example.is_anchored(row)} == alone


def test_foreign_frames_are_those_of_another_video(anchors: ModuleType) -> None:
    firsts = {name: Path(name) for name in "cabed"}
    assert anchors.front_frames(firsts, "own") == firsts
    found = [anchors.front_frames(firsts, "foreign", shift) for shift in range(4)]
    assert found[0] == {"a": Path("c"), "b": Path("d"), "c": Path("e"), "d": Path("a"), "e": Path("b")}
    for name in firsts:
        assert {front[name] for front in found} == {Path(other) for other in firsts if other != name}
    with pytest.raises(UsageError, match="needs two videos"):
        anchors.front_frames({"a": Path("a")}, "foreign")


def test_a_frame_in_front_is_the_anchor_and_has_no_map(anchors: ModuleType, tmp_path: Path) -> None:
    seen = []

    class Inner:
        def predict(self, video):  # noqa: ANN001, ANN202
            seen.append(video)
            yield from (np.full((48, 64), t / 9, np.float32) for t in range(len(video)))

    video = sample_video(tmp_path)
    maps = list(anchors.Preceded(Inner(), {"disk": video.frames[3]}).predict(video))
    assert [float(x.max()) for x in maps] == pytest.approx([t / 9 for t in range(1, 6)])
    assert seen[0].frames == (video.frames[3], *video.frames)
    assert not seen[0].annotations


def write(run: object, row: str, seed: int, anchor: str, values: tuple[float, ...]) -> None:
    videos = {f"v{i}": {"J_mean": value} for i, value in enumerate(values)}
    path = run.record(row, seed, "toy", anchor)  # type: ignore[attr-defined]
    record.write(path, make_record(row, {"J_mean": float(np.mean(values))}, videos), [])


def test_differences_are_paired_by_seed_and_video(example: ModuleType, tmp_path: Path) -> None:
    run = example.Run("", (), {"toy": None}, (), tmp_path)
    for seed in (0, 1):
        more = 0.1 * seed
        write(run, "deeplabv3.lite", seed, "none", (0.1, 0.2, 0.3))
        write(run, "f2net.lite-base", seed, "none", (0.2 + more, 0.3, 0.4))
        for anchor, values in {"none": (0.5, 0.5, 0.5), "own": (0.4, 0.5, 0.7), "foreign": (0.3, 0.4, 0.6)}.items():
            write(run, "f2net.lite", seed, anchor, values)
    found, sentences = example.table(run, "f2net", (0, 1), "toy", ["f2net.lite-base", "f2net.lite"])
    rows = {line[0]: line[1:] for line in found.rows}
    assert list(rows) == [
        "deeplabv3.lite, the start",
        "f2net.lite-base",
        "f2net.lite",
        "f2net.lite, own first frame in front",
        "f2net.lite, anchor of another video",
    ]
    assert rows["f2net.lite-base"] == ("0.317 ± 0.024", "+0.000 ± 0.000", "[+0.000, +0.000]", "+0.0000", None, None)
    # Seed 0: 0.5 − 0.3; seed 1: 0.5 − 1/3. Videos: 0.25, 0.2, 0.1. The paper has 83.1 and 77.6.
    assert rows["f2net.lite"][:2] == ("0.500 ± 0.000", "+0.183 ± 0.024")
    assert rows["f2net.lite"][3:] == ("+0.0550", None, None)
    assert rows["f2net.lite, own first frame in front"][4:] == ("+0.100 ± 0.000", "[+0.100, +0.100]")
    assert rows["f2net.lite, anchor of another video"][:2] == ("0.433 ± 0.000", "+0.117 ± 0.024")
    assert sentences[0].startswith("f2net.lite differs from the control by +0.217 [")
    assert ": +0.100 [+0.100, +0.100] is time, since it goes with the anchor of another video (its own" in sentences[0]
    assert "first frame helps), and +0.117 [" in sentences[0]
    assert found.notes[4].endswith("(Student's t): none")  # 0.2 and 0.167: two seeds are few


def test_sentences_claim_only_what_intervals_show(example: ModuleType) -> None:
    unclear, few = example.Difference([0.1], -0.1, 0.3), example.Difference([0.1], None, None)
    worse = example.Difference([-0.1], -0.2, -0.05)
    said = example.sentence("a row", few, unclear, worse)
    assert "+0.100 [-0.100, +0.300] is time" in said
    assert "no effect of time is shown" in said
    assert "the head harms" in said
    assert "+0.100 (too few videos for an interval)" in said
    assert "own first frame harms" in example.sentence("a row", few, worse, unclear)


def test_results_of_other_settings_are_refused(anchors: ModuleType, tmp_path: Path) -> None:
    keep = anchors.keep_setup
    keep(tmp_path / "out", {"steps": 1})
    keep(tmp_path / "out", {"steps": 1})
    with pytest.raises(UsageError, match="results of other settings"):
        keep(tmp_path / "out", {"steps": 2})


def write_weights(name: str, path: Path) -> Path:
    """Random weights, of heads too, which otherwise change nothing before they are trained."""
    torch = pytest.importorskip("torch")
    from vosbench.method.nn.weights import write as write_tensors

    method, variant = load_method(name)
    assert method.recipe is not None
    torch.manual_seed(0)
    net = method.recipe(variant, {}).build()
    for part, weight in net.named_parameters():
        if part.startswith(("diffusion", "decoder")) and weight.ndim > 1:
            torch.nn.init.kaiming_normal_(weight)
    write_tensors(path, net.state_dict(), {})
    return path


@pytest.mark.slow
@pytest.mark.torch
def test_two_rows_from_training_to_table(tmp_path: Path) -> None:
    start = write_weights("deeplabv3.lite", tmp_path / "w.safetensors")
    words = ["--first", str(start), "--data", "sample", "--on", "sample", "--videos", "blob-drift,animal-walk"]
    words += ["--steps", "1", "--set", "batch=2", "--set", "side=32", "--set", "first_side=32", "--run-set", "side=48"]
    words += ["--limit", "2", "--rows", "adnet.lite-concat", "--seeds", "0", "--out", str(tmp_path / "out")]
    command = [sys.executable, str(EXAMPLES / "ablations_lite.py"), *words]
    first = subprocess.run(command, check=False, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    lines = [line for line in first.stdout.splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in lines[1:]] == [
        "deeplabv3.lite, the start",
        "adnet.lite-base",
        "adnet.lite-concat",
        "adnet.lite-concat, own first frame in front",
        "adnet.lite-concat, anchor of another video",
    ]
    assert "adnet.lite-concat differs from the control by" in first.stdout
    assert not list((tmp_path / "out").rglob("*.png"))


@pytest.mark.torch
def test_without_a_state_an_own_frame_in_front_changes_nothing(
    example: ModuleType, anchors: ModuleType, tmp_path: Path
) -> None:
    """Which is why it is not run again."""
    run = example.Run("", (), {}, (), tmp_path)
    assert run.record("adnet.lite", 0, "x", "own") == run.record("adnet.lite", 0, "x", "none")
    assert run.record("f2net.lite", 0, "x", "own") != run.record("f2net.lite", 0, "x", "none")
    method, variant = load_method("adnet.lite-concat")
    weights = write_weights("adnet.lite-concat", tmp_path / "w.safetensors")
    predictor = method.load(Setup(variant=variant, weights=weights, options={"side": "48"}))
    video = replace(sample_video(tmp_path, 3), annotations={})
    own, foreign = (anchors.Preceded(predictor, {"disk": video.frames[t]}).predict(video) for t in (0, 2))
    for plain, same, other in zip(predictor.predict(video), own, foreign, strict=True):
        assert np.array_equal(plain, same)
        assert not np.array_equal(plain, other)


@pytest.mark.torch
def test_the_table_of_resolutions(
    resolutions: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start = write_weights("deeplabv3.lite", tmp_path / "w.safetensors")
    words = ["--weights", str(start), "--dataset", "sample", "--videos", "blob-drift", "--limit", "2"]
    words += ["--sides", "33", "48", "--usual", "48", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["resolutions.py", "deeplabv3.lite", *words])
    resolutions.main()
    printed = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines() if line.startswith("| ")]
    assert [row[:5] for row in rows[1:]] == [
        ["33", "", "", "", ""],
        ["48", "", "", "", ""],
        ["48", "off", "", "", ""],
        ["48", "", "yes", "", ""],
        ["48", "", "", "0.75,1,1.25", ""],
        ["48", "", "yes", "0.75,1,1.25", ""],
    ]
    assert all(float(row[-1]) > 0 and 0 <= float(row[5]) <= 1 for row in rows[1:])
    resolutions.main()
    assert capsys.readouterr().out == printed  # of the same results, with the same times
    rows = resolutions.settings(["224", "320"], "320", motion=True)
    assert len(rows) == 12
    assert [row.get("motion") for row in rows] == [None] * 6 + ["on"] * 6
