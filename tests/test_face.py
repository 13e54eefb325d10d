"""What users call from Python."""

import ast
import inspect
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vosbench
from vosbench.dataset.selection import Choice, select
from vosbench.errors import DataError, UsageError
from vosbench.images import write_png
from vosbench.metrics import contour_accuracy, region_similarity, temporal_stability

REPOSITORY = Path(__file__).parents[1]
TOY = REPOSITORY / "tests" / "plugins" / "toy.py"
Masks = list[NDArray[Any]]


def disks(shift: int = 0, frames: int = 4) -> Masks:
    y, x = np.mgrid[:40, :60]
    return [(y - 20) ** 2 + (x - 20 - 4 * t - shift) ** 2 <= 100 for t in range(frames)]


GOOD, BAD = disks(), disks(2)


def fresh(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, in a folder."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done


# The package


def test_names_are_exported_typed_and_found() -> None:
    tree = ast.parse(Path(vosbench.__file__).read_text("utf-8"))
    checked = next(each for each in tree.body if isinstance(each, ast.If))
    imported = {alias.name: each.module for each in checked.body for alias in each.names}  # type: ignore[attr-defined]
    assert sorted(imported) == sorted(vosbench.__all__)
    rooms = {name: f"vosbench.{room}" for room, names in vosbench._ROOMS.items() for name in names}
    assert rooms == imported
    for name in vosbench.__all__:
        found = getattr(vosbench, name)
        assert inspect.isclass(found) or inspect.isfunction(found), name
        assert found.__doc__, name
    assert set(vosbench.__all__) <= set(dir(vosbench))
    with pytest.raises(AttributeError, match='has no attribute "scoer"'):
        vosbench.scoer  # type: ignore[attr-defined]  # noqa: B018


def test_import_loads_nothing(tmp_path: Path) -> None:
    code = """
import sys
bare = set(sys.modules)
import vosbench
added = {name for name in set(sys.modules) - bare if name.startswith("vosbench")}
assert added == {"vosbench"}, added
assert not {"numpy", "torch", "pandas", "pydantic"} & sys.modules.keys()
vosbench.UsageError
assert not {"numpy", "torch", "pandas", "pydantic"} & sys.modules.keys()
vosbench.score
assert not {"torch", "pandas"} & sys.modules.keys()
"""
    fresh(code, tmp_path)


# Arrays and folders


def test_two_sequences_of_arrays() -> None:
    result = vosbench.score(BAD, GOOD)
    region = [region_similarity(one, other) for one, other in zip(GOOD, BAD, strict=True)]
    contour = [contour_accuracy(one, other) for one, other in zip(GOOD, BAD, strict=True)]
    assert result.scores["J_mean"] == pytest.approx(np.mean(region), abs=1e-15)
    assert result.scores["F_mean"] == pytest.approx(np.mean(contour), abs=1e-15)
    assert 0 < result.scores["J_mean"] < 1
    assert result.record.signature.startswith("generic@1|J:all|F:0.008|avg:video|vosbench ")
    assert "T_mean" not in result.scores
    assert "T_mean" in vosbench.score(BAD, GOOD, measures="J,T").scores


@pytest.mark.parametrize(
    "same",
    [
        lambda mask: mask.astype(np.uint8),
        lambda mask: mask.astype(np.uint8) * 255,
        lambda mask: mask.astype(int) * 7,
        lambda mask: mask.astype(np.uint8) * 3,
        lambda mask: mask.astype(np.int32) * 1000,
    ],
)
def test_masks_may_be_booleans_integers_or_labels(same: Callable[[NDArray[np.bool_]], NDArray[Any]]) -> None:
    expected = vosbench.score(BAD, GOOD).record.videos
    assert vosbench.score([same(mask) for mask in BAD], GOOD).record.videos == expected
    assert (
        vosbench.score(np.stack([same(mask) for mask in BAD]), [same(mask) for mask in GOOD]).record.videos == expected
    )


def test_a_mapping_of_videos() -> None:
    result = vosbench.score({"b": BAD, "a": GOOD}, {"a": GOOD, "b": GOOD}, name="mine")
    assert result.record.method == "mine"
    assert list(result.record.videos) == ["a", "b"]
    assert result.record.videos["a"]["J_mean"] == 1
    alone = vosbench.score({"b": BAD, "a": GOOD}, {"a": GOOD, "b": GOOD}, videos=["a"], limit=2)
    assert alone.scores["J_mean"] == 1
    assert (alone.record.missing, alone.record.split_size) == ([], 2)
    assert alone.record.signature.startswith("limit:2|videos:1of2|generic@1")
    assert "over 1 of 2 videos" in repr(alone)


def test_objects_and_maps_are_scored_by_protocols_that_take_them() -> None:
    labels = [mask.astype(np.uint8) + 2 * other for mask, other in zip(GOOD, disks(25), strict=True)]
    renamed = [np.choose(each, [0, 2, 1, 3]) for each in labels]
    objects = vosbench.score(renamed, labels, protocol="davis17-objects")
    assert objects.scores["J_mean"] == 1
    assert "unit:objects" in objects.record.signature
    soft = [mask * np.float32(0.8) for mask in BAD]
    maps = vosbench.score(soft, GOOD, protocol="vsod-davsod")
    levels = vosbench.score([mask * np.uint8(204) for mask in BAD], GOOD, protocol="vsod-davsod")
    assert maps.scores == levels.scores
    assert maps.scores["MAE"] is not None
    mine = vosbench.DatasetProtocol(name="mine", version=3, measures=("J",), frames="inner")
    assert vosbench.score(BAD, GOOD, protocol=mine).record.signature.startswith("mine@3|J:inner|")


@pytest.mark.parametrize(
    ("masks", "annotations", "said"),
    [
        ([mask * np.float32(0.9) for mask in BAD], GOOD, "has floats; pass a mask of booleans"),
        ([mask.astype(np.uint8) * 200 for mask in BAD], GOOD, "from 0 to 200, which may be labels or grey levels"),
        (
            [(mask * 50 + np.arange(60) // 2).astype(np.uint8) for mask in BAD],
            GOOD,
            "which may be labels or grey levels",
        ),
        ([(mask * 6 + 3).astype(np.uint8) for mask in BAD], GOOD, "from 3 to 9, which may be labels or grey levels"),
        ([mask.astype(int) - 1 for mask in BAD], GOOD, "from -1 to 0"),
        (BAD, [mask * 1.0 for mask in GOOD], 'the annotation of frame 0 of "video" has floats'),
        (BAD[1:], GOOD, '"video" has 3 predictions and 4 annotations'),
        ([mask[1:] for mask in BAD], GOOD, "the prediction is 60×39, the annotation 60×40"),
        (BAD[0], GOOD[0], r"shape \(60,\); pass one of shape \(H, W\)"),
        ([np.array([["x"]])], GOOD[:1], "array of <U1"),
        ([], [], "has no frames"),
        ({"a": BAD}, {"b": GOOD}, 'video without a partner: "a" is in the predictions, but not in the annotations'),
        ({"a": BAD}, GOOD, "must both be mappings of videos, or both be sequences"),
    ],
)
def test_ambiguous_and_unpaired_arrays_are_refused(masks: Any, annotations: Any, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        vosbench.score(masks, annotations)
    assert "\n" not in str(error.value)


def test_maps_are_in_the_unit_interval() -> None:
    with pytest.raises(DataError, match=r"outside \[0, 1\]"):
        vosbench.score([mask * 2.0 for mask in BAD], GOOD, protocol="vsod-davsod")


def write(folder: Path, masks: Masks, value: int = 255) -> Path:
    for index, mask in enumerate(masks):
        write_png(folder / f"{index:05d}.png", mask * np.uint8(value))
    return folder


def test_two_folders(tmp_path: Path) -> None:
    expected = vosbench.score({"cow": BAD}, {"cow": GOOD}).record.videos["cow"]
    flat = vosbench.score(write(tmp_path / "mine", BAD), str(write(tmp_path / "cow", GOOD, 1)))
    assert flat.record.videos == {"cow": expected}
    assert flat.record.method == "mine"
    write(tmp_path / "predictions" / "cow", BAD)
    write(tmp_path / "annotations" / "cow", GOOD)
    nested = vosbench.score(tmp_path / "predictions", tmp_path / "annotations")
    assert nested.record.videos == {"cow": expected}
    assert nested.record.dataset == "annotations"
    both = vosbench.score(tmp_path / "mine", tmp_path / "annotations")  # flat, of the only video
    assert both.record.videos == {"cow": expected}
    with pytest.raises(DataError, match="has no masks of the selected video"):
        vosbench.score(tmp_path / "predictions", tmp_path / "mine")
    (tmp_path / "predictions" / "cow" / "00002.png").rename(tmp_path / "predictions" / "cow" / "00009.png")
    lost = vosbench.score(tmp_path / "predictions", tmp_path / "annotations")
    assert (lost.record.missing, lost.scores["J_mean"]) == (["cow/00002"], None)
    assert any('1 mask without an annotation of that name, such as "cow/00009.png", is not' in n for n in lost.notes)


def test_folders_of_other_sizes_or_contents_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a", [mask[1:] for mask in BAD])
    write(tmp_path / "b", GOOD)
    with pytest.raises(DataError, match=r'a:00000.png" is 60×39, but its annotation is 60×40'):
        vosbench.score(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "b", [np.where(mask, 200, np.arange(60) * 2) for mask in GOOD], 1)
    with pytest.raises(DataError, match=r'00000.png", are soft maps or JPEG .* write "codec: map" in'):
        vosbench.score(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "b", GOOD)
    with pytest.raises(DataError, match='"nowhere" do not exist'):
        vosbench.score("nowhere", tmp_path / "b")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="it contains no images"):
        vosbench.score(tmp_path / "empty", tmp_path / "b")
    with pytest.raises(DataError, match="contains no images; pass a folder of masks"):
        vosbench.score(tmp_path / "a", tmp_path / "empty")
    write(tmp_path / "b" / "more", GOOD)
    with pytest.raises(DataError, match="contains both masks and folders of masks"):
        vosbench.score(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: vosbench.score(BAD), "either a dataset or annotations"),
        (lambda: vosbench.score(BAD, GOOD, dataset="sample"), "either a dataset or annotations"),
        (lambda: vosbench.score(BAD, dataset="sample"), "pass annotations to score arrays"),
        (lambda: vosbench.score("folder", GOOD), "two folders, or arrays"),
        (lambda: vosbench.score(BAD, GOOD, split="val"), "split needs a dataset"),
        (lambda: vosbench.score(BAD, GOOD, codec="map"), "a codec applies only to files"),
        (lambda: vosbench.score(BAD, GOOD, protocol="davis61"), 'did you mean "davis16"'),
        (lambda: vosbench.score(BAD, GOOD, measures="OB"), 'has no measure "OB"'),
        (lambda: vosbench.score(BAD, GOOD, curve="pr.csv"), "the curve needs saliency measures"),
        (lambda: vosbench.check("run.json", "baseline.json", max_drop=-1), "a tolerance is 0 or more"),
    ],
)
def test_contradictory_requests_are_refused(call: Callable[[], object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call()


def test_unknown_keywords_are_refused_as_python_does() -> None:
    with pytest.raises(TypeError, match=r'score\(\) has no option "limits"; did you mean "limit"'):
        vosbench.score(BAD, GOOD, limits=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match='did you mean "device"'):
        vosbench.run("brightness", "toy", devise="cpu")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match='did you mean "tolerance"'):
        vosbench.check("a.json", "b.json", tolerances=1)  # type: ignore[call-arg]


# Results


def test_a_result_has_a_repr_and_html() -> None:
    result = vosbench.score({"b": BAD, "a": GOOD}, {"a": GOOD, "b": GOOD}, name="x<y")
    shown = repr(result)
    for part in ("x<y", "arrays all", "generic@1|J:all", "J mean", f"{result.scores['J_mean']:.3f}"):
        assert part in shown
    page = result._repr_html_()
    assert page.startswith("<table>")
    assert "x&lt;y" in page
    assert "generic@1|J:all" in page
    assert result.to_latex() == result.render("latex")
    assert r"\toprule" in result.to_latex()
    assert result.to_json() == result.record.to_json()
    assert result.notes == ('masks are read as "binary255" (0 as background and 255 as object)',)
    assert "by video" in result.render(by="video")


def test_data_frames() -> None:
    result = vosbench.score({"b": BAD, "a": GOOD}, {"a": GOOD, "b": GOOD}, measures=("J", "T"))
    videos = result.to_frame()
    assert videos.index.name == "video"
    assert list(videos.index) == ["a", "b"]
    assert videos.loc["b", "J_mean"] == result.record.videos["b"]["J_mean"]
    frames = result.frames()
    assert frames.index.names == ["video", "frame"]
    assert list(frames.columns) == ["J", "T"]
    assert len(frames) == 2 * len(GOOD)
    assert frames.loc[("b", 0), "J"] == region_similarity(GOOD[0], BAD[0])
    assert np.isnan(frames.loc[("b", 0), "T"])
    assert videos["J_mean"].to_dict() == pytest.approx(frames["J"].groupby("video").mean().to_dict())


def test_frames_of_objects() -> None:
    labels = [mask.astype(np.uint8) + 2 * other for mask, other in zip(GOOD, disks(25), strict=True)]
    frames = vosbench.score(labels, labels, protocol="davis17-objects").frames()
    assert {"J.1", "J.2", "F.1", "F.2"} == set(frames.columns)


@pytest.fixture
def run(toy_root: Path) -> vosbench.Result:
    return vosbench.run("brightness.average", "toy", root=toy_root, plugins=[TOY])


def test_run_keeps_the_record_and_nothing_else(run: vosbench.Result, toy_root: Path, tmp_path: Path) -> None:
    assert run.path is None
    assert run.record.method == "brightness.average"
    assert len(run.rows) == len(run.frames()) * 2
    method, variant = vosbench.load_method("brightness.average", [str(TOY)])
    dataset = vosbench.load_dataset("toy", [TOY])
    same = vosbench.run((method, variant), dataset, root=str(toy_root), out=tmp_path / "out")
    assert same.record == run.record
    assert same.path == tmp_path / "out" / "toy" / "brightness.average.json"
    assert vosbench.read_record(same.path) == run.record
    assert vosbench.read_records(tmp_path / "out") == [run.record]
    assert run.save(tmp_path / "saved").read_bytes() == same.path.read_bytes()
    rows = "toy/brightness.average.csv.gz"
    assert (tmp_path / "saved" / rows).read_bytes() == (tmp_path / "out" / rows).read_bytes()
    plain = vosbench.run(method, dataset, root=toy_root, videos="v0", measures=["J"])
    assert plain.record.method == "brightness"
    assert list(plain.record.videos) == ["v0"]


def test_calls_print_nothing_and_keep_notes(toy_root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = vosbench.run("brightness", "toy", root=toy_root, plugins=[TOY], untrained=True, seed=3)
    assert result.notes == ("brightness runs with random weights (seed 3); its scores mean nothing",)
    assert capfd.readouterr() == ("", "")


def test_a_listener_receives_progress(toy_root: Path) -> None:
    from vosbench.face import Listener

    seen: list[tuple[str, int, int]] = []
    listener = Listener(advance=lambda *each: seen.append(each))
    vosbench.run("brightness", "toy", root=toy_root, plugins=[TOY], listener=listener)
    assert seen[-1] == ("v1", 10, 10)
    vosbench.score(toy_root / "masks", dataset="toy", root=toy_root, plugins=[TOY], listener=listener)
    assert seen[-2:] == [("masks", 1, 2), ("masks", 2, 2)]


def test_missing_masks_are_reported(toy_root: Path) -> None:
    partial = toy_root / "partial" / "v0"
    partial.mkdir(parents=True)
    (partial / "00000.png").write_bytes((toy_root / "masks" / "v0" / "00000.png").read_bytes())
    result = vosbench.score(toy_root / "partial", dataset="toy", root=toy_root, plugins=[TOY], videos="v0")
    assert result.scores["J_mean"] is None
    assert '4 masks are missing that protocol "toy" scores (v0/00001, ' in result.notes[-1]


def test_compare(run: vosbench.Result, toy_root: Path, tmp_path: Path) -> None:
    perfect = vosbench.score(toy_root / "masks", dataset="toy", root=toy_root, plugins=[TOY])
    path = perfect.save(tmp_path)
    found = vosbench.compare(run, path, measures="J_mean", resamples=200, plugins=[TOY])
    assert "reference: brightness.average" in repr(found)
    assert "brightness.average − masks" in repr(found)
    assert "<table>" in found._repr_html_()
    table = found.to_frame()
    assert list(table.index) == ["J_mean"]
    assert table.loc["J_mean", "videos"] == 2
    assert table.loc["J_mean", "difference"] == pytest.approx(run.scores["J_mean"] - 1)
    assert not found.notes
    assert "there is no dataset" in vosbench.compare(run.record, perfect, resamples=200).notes[0]
    short = vosbench.run("brightness", "toy", root=toy_root, plugins=[TOY], limit=2)
    with pytest.raises(DataError, match="the records are not comparable: limits of frames differ"):
        vosbench.compare(run, short)
    assert vosbench.compare(run, short, force=True, resamples=200).warnings
    three = vosbench.compare(run, perfect, run, measures="J_mean", resamples=200, plugins=[TOY])
    frame = three.to_frame()
    assert [method for method, _ in frame.index] == ["masks", "brightness.average (2)"]
    assert list(frame["holm"]) == [min(1, 2 * frame["p"].iloc[0]), 1.0]
    assert "p, Holm" in repr(three)
    with pytest.raises(UsageError, match="at least two records"):
        vosbench.compare(run)


def test_check(run: vosbench.Result, toy_root: Path, tmp_path: Path) -> None:
    perfect = vosbench.score(toy_root / "masks", dataset="toy", root=toy_root, plugins=[TOY])
    passed = vosbench.check(run, run)
    assert passed
    assert "PASSED" in repr(passed)
    failed = vosbench.check(run, perfect.save(tmp_path))
    assert not failed.passed
    assert "FAILED" in repr(failed)
    table = failed.to_frame()
    assert set(table["status"]) == {"failed", "held"}
    assert set(table["video"].dropna()) <= {"v0", "v1"}
    assert vosbench.check(run, perfect, tolerance=1, video_tolerance=1)
    missing = vosbench.check(run, tmp_path / "nowhere.json")
    assert not missing
    assert "there is no baseline" in repr(missing)


# In a fresh process


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a zip of perfect masks of the sample dataset."""
    folder = tmp_path_factory.mktemp("sample")
    with zipfile.ZipFile(folder / "masks.zip", "w") as file:
        for video in select(vosbench.load_dataset("sample"), Choice()).videos:
            for index, path in video.annotations.items():
                file.write(path, f"{video.name}/{video.frames[index].stem}.png")
    return folder


def test_one_line_scores_a_zip(sample: Path) -> None:
    code = "import vosbench; print(vosbench.score('masks.zip', dataset='sample', measures='J,F').scores['JF_mean'])"
    done = fresh(code, sample)
    assert done.stdout == "1.0\n"
    assert done.stderr == ""


@pytest.mark.torch
def test_the_documented_example_runs(sample: Path) -> None:
    text = (REPOSITORY / "docs" / "python.md").read_text("utf-8")
    example = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    assert "vosbench.run(" in example
    done = fresh(example, sample)
    assert "sample val, sample@1|J:all|F:0.008|T:gt-first|avg:video" in done.stdout
    assert done.stderr == ""


def test_davis16_gcc5_has_the_other_junction_order() -> None:
    """The orders differ for masks whose parts touch diagonally."""
    rng = np.random.default_rng(8)
    masks = [np.zeros((24, 32), np.bool_) for _ in range(4)]
    for mask in masks:
        mask[4:20, 4:20] = True
        for row, column in zip(rng.integers(0, 18, 3), rng.integers(0, 26, 3), strict=True):
            mask[row : row + 5, column : column + 5] ^= True
    default, other = (vosbench.score(masks, masks, protocol=name) for name in ("davis16", "davis16-gcc5"))
    assert default.record.signature.startswith("davis16@1|J:inner|F:0.008|T:gt-first|avg:video|")
    assert other.record.signature.startswith("davis16-gcc5@1|J:inner|F:0.008|T:gt-first,gcc5|avg:video|")
    assert default.scores["T_mean"] != other.scores["T_mean"]
    assert {**default.scores, "T_mean": 0, "T_all_mean": 0} == {**other.scores, "T_mean": 0, "T_all_mean": 0}
    pairs = [temporal_stability(masks[t], masks[t + 1], "gcc5") for t in (0, 1)]
    assert other.scores["T_mean"] == pytest.approx(np.mean([pair for pair in pairs if pair is not None]))
