"""What is asked of figures: inputs in all forms, and mistakes, which name the command that helps."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from drawn import mask_record, write_heatmaps, write_results
from factories import write_toy
from vosbench.errors import DataError, UsageError
from vosbench.records import record as records
from vosbench.records.record import read_rows, write_rows
from vosbench.report.figures import sources
from vosbench.report.figures.frames import _over_time
from vosbench.report.figures.sources import alike, chosen, labelled, measured, origin, read

pytest.importorskip("matplotlib", reason="the extra plot is not installed")

from vosbench.face.figures import figure
from vosbench.report.figures.named import KINDS
from vosbench.report.figures.style import legible, style_sheet, wrapped

TESTS = Path(__file__).parents[2]
TOY, EMBEDDER = TESTS / "plugins" / "toy.py", TESTS / "plugins" / "embedder.py"
Toy = Callable[..., object]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """Draw a figure of the toy dataset."""
    root = write_toy(tmp_path / "toy")

    def call(name: str, what: str | list[str], **options: object) -> object:
        out = tmp_path / "figure.png"
        return figure(name, what, out, dataset="toy", root=root, plugins=[TOY, EMBEDDER], **options)  # type: ignore[arg-type]

    return call


def test_sources_are_paths_folders_and_names(results: Path) -> None:
    one = str(results / "davis16" / "alpha.json")
    assert [each.label for each in read([one], results)] == ["alpha"]
    assert len(read([str(results)], Path("none"))) == 9
    assert len(read([str(results / "davis16"), one], Path("none"))) == 6
    assert [each.record.method for each in read(["alpha", "davis16/beta"], results)] == ["alpha", "beta"]
    assert {each.record.dataset for each in read(["gamma@vsod-davsod"], results)} == {"davis16", "fbms"}
    with pytest.raises(UsageError, match=r'"alpa" is not a record, a folder of records, .*did you mean "alpha"'):
        read(["alpa"], results)


def test_a_folder_without_records(tmp_path: Path) -> None:
    (tmp_path / "davis16").mkdir()
    (tmp_path / "davis16" / "broken.json").write_text("{}")
    lines: list[str] = []
    with pytest.raises(DataError, match="holds no records; make some with vosbench run"):
        read([str(tmp_path)], tmp_path, lines.append)
    assert len(lines) == 1
    assert "is not a vosbench record" in lines[0]


def test_methods_of_several_protocols_are_told_apart_within_one(results: Path) -> None:
    shown = read([str(results)], results)
    assert {each.label for each in shown} == {"alpha", "beta", "gamma"}
    assert len(chosen(shown, "davis16", None, "davis16")) == 3
    with pytest.raises(DataError, match="none of these records is of dataset davis16, protocol other"):
        chosen(shown, "davis16", None, "other")
    with pytest.raises(DataError, match="these records are of davis16 val, fbms val; choose one"):
        alike(shown)
    with pytest.raises(DataError, match="not comparable"):
        alike(chosen(shown, "davis16", None, None))


def test_records_of_the_same_choice_of_videos_are_alike(results: Path) -> None:
    shown = read(["alpha", "beta"], results)
    some = [sources.Shown(each.label, each.record.model_copy(update={"split_size": 50}), each.path) for each in shown]
    assert alike(some) == (some, [])
    assert "20 of 50 videos" in origin(some)


def test_labels_are_for_each_record(results: Path) -> None:
    shown = read(["alpha", "beta"], results)
    assert [each.label for each in labelled(shown, ["A", "B"], [])] == ["A", "B"]
    with pytest.raises(UsageError, match="--labels is for each record, and these are 2: alpha, beta"):
        labelled(shown, ["A"], [])
    with pytest.raises(UsageError, match="--per-frame is for each record"):
        labelled(shown, [], [Path("a.csv")])


def test_the_measure_is_one_that_all_have(results: Path) -> None:
    shown = read(["alpha", "beta"], results)
    assert measured(shown, None) == "JF_mean"
    assert measured(shown, "f mean") == "F_mean"
    with pytest.raises(UsageError, match='no measure "MAE"'):
        measured(shown, "MAE")


def test_values_of_frames_are_found_and_checked(results: Path, tmp_path: Path) -> None:
    (shown,) = read(["alpha"], results)
    values = shown.of_frames("J")
    assert list(values) == list(shown.record.videos)
    assert list(values["cows"]) == list(range(1, 25))
    for name in ("rows.csv", "rows.parquet"):
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
        rows = read_rows(results / "davis16" / "alpha.csv.gz")
        write_rows(tmp_path / name, rows)
        assert read_rows(tmp_path / name) == rows
        assert labelled([shown], [], [tmp_path / name])[0].of_frames("J") == values
    stale = labelled([shown], [], [results / "davis16" / "beta.csv.gz"])[0]
    with pytest.raises(DataError, match=r'does not hold the values of .*alpha\.json": J of "blackswan" differs'):
        stale.of_frames("J")


def test_values_of_frames_that_are_not_there_name_the_command(results: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(results / "davis16" / "alpha.json", tmp_path))
    with pytest.raises(DataError, match="vosbench score MASKS --dataset davis16 --split val --protocol davis16 --name"):
        figure("success", alone, tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()
    figure("success", alone, tmp_path / "a.pdf", per_frame=[results / "davis16" / "alpha.csv.gz"])
    assert (tmp_path / "a.pdf").exists()


@pytest.mark.parametrize("content", [b"", b"video,frame\n", b"video,frame,measure,value\nv,x,J,1\n", b"\x1f\x8b\x00"])
def test_what_does_not_hold_values_of_frames(tmp_path: Path, content: bytes) -> None:
    for name in ("rows.csv", "rows.csv.gz", "rows.parquet"):
        if not content and name == "rows.csv":
            continue
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=r"hold values of frames|cannot be read"):
            read_rows(tmp_path / name)


def test_infinite_values_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"video,frame,measure,value\nv,0,J,nan\n"))
    with pytest.raises(DataError, match="not finite"):
        read_rows(tmp_path / "rows.csv.gz")


def test_curves_of_videos_of_different_lengths_are_averaged_over_relative_time() -> None:
    mean = _over_time({"a": {0: 0.0, 1: 1.0}, "b": {0: 1.0, 5: 1.0, 7: 1.0}})
    assert mean[0] == 0.5
    assert mean[50] == pytest.approx(0.75)
    assert mean[-1] == 1


def test_figures_refuse_what_they_do_not_use(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.pdf"
    with pytest.raises(UsageError, match='there is no figure "frame"; did you mean "frames"'):
        figure("frame", "alpha", out, results=results)
    with pytest.raises(UsageError, match='"jf" does not use --point; these do: similarity'):
        figure("jf", "alpha", out, results=results, point=(1, 1))
    with pytest.raises(UsageError, match=r"should end in \.pdf, \.svg or \.png"):
        figure("jf", "alpha", tmp_path / "a.eps", results=results)
    with pytest.raises(UsageError, match="name at least one"):
        figure("jf", [], out)
    with pytest.raises(UsageError, match=r"qualitative.* shows frames; name their dataset with --dataset"):
        figure("qualitative", "masks", out)
    assert not [*tmp_path.iterdir()]


def test_records_without_what_a_figure_shows(results: Path, tmp_path: Path) -> None:
    out, plain = tmp_path / "a.pdf", tmp_path / "plain.json"
    with pytest.raises(DataError, match=r'alpha.json" holds no curves; score the soft maps again'):
        figure("pr", "alpha", out, results=results)
    record, rows = mask_record(0, speed=None)
    scores = {"J_mean": record.scores["J_mean"]}
    records.write(plain, record.model_copy(update={"scores": scores}), rows)
    with pytest.raises(DataError, match="has no speed; measure it with: vosbench run --method alpha"):
        figure("speed", plain, out)
    with pytest.raises(DataError, match="has no F mean"):
        figure("jf", plain, out)
    with pytest.raises(UsageError, match='no values of frames of "F"; available: J'):
        figure("frames", plain, out, measure="J,F")
    with pytest.raises(UsageError, match='no values of a video "cow"; did you mean "cows"'):
        figure("frames", plain, out, measure="J", videos="cow")
    with pytest.raises(UsageError, match='"alpha" has no video "cow"; did you mean "cows"'):
        figure("heatmap", plain, out, videos="cow", measure="J_mean")


def test_pictures_refuse_frames_and_pixels_that_are_not_there(toy: Toy, tmp_path: Path) -> None:
    masks = str(tmp_path / "toy" / "masks")
    with pytest.raises(UsageError, match='"v0" has no frame 5; its frames are 0 to 4'):
        toy("similarity", "colours", frames="0,5")
    with pytest.raises(UsageError, match='"worst" names no frames'):
        toy("similarity", "colours", frames="worst")
    with pytest.raises(UsageError, match="frames are all, every:10, worst:5"):
        toy("qualitative", masks, frames="worst")
    with pytest.raises(UsageError, match=r'the pixel 32,0 is outside of "v0", which is 32×24'):
        toy("similarity", "colours", point=(32, 0))
    with pytest.raises(UsageError, match="similarity is of frames of one video"):
        toy("similarity", "colours", videos="v0,v1")
    with pytest.raises(UsageError, match='are both called "masks"'):
        toy("qualitative", [masks, masks])
    shutil.rmtree(tmp_path / "toy" / "masks" / "v1")
    with pytest.raises(DataError, match="incomplete"):
        toy("qualitative", masks)


def test_a_missing_mask_is_named(toy: Toy, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tmp_path / "toy" / "masks", tmp_path / "copy"))
    (copy / "v0" / "00002.png").unlink()
    with pytest.raises(DataError, match='"copy" has no mask of frame 2 of "v0"'):
        toy("qualitative", str(copy))
    toy("qualitative", str(copy), frames="every:4")
    toy("qualitative", str(copy), frames="worst:2")


def test_embeddings_come_from_methods_that_offer_them(toy: Toy) -> None:
    with pytest.raises(UsageError, match='"plain" offers no embeddings'):
        toy("drift", "plain")
    with pytest.raises(DataError, match='"single" has no embeddings: it ends in one number'):
        toy("drift", "single")
    toy("drift", ["colours"], videos="v0")


def test_heat_maps_that_are_not_there_name_the_command(toy: Toy, tmp_path: Path) -> None:
    heat = write_heatmaps(tmp_path / "heat")
    with pytest.raises(DataError, match=r'there are no centres of "v1".*make them with: vosbench run --method f2net'):
        toy("centres", str(heat), videos="v1")
    (heat / "v0" / "00004.png").unlink()
    with pytest.raises(DataError, match="there is no heat map of this frame"):
        toy("centres", str(heat), videos="v0")
    (heat / "v0" / "centres.csv").write_text("frame,x\n0,a\n")
    with pytest.raises(DataError, match="is not a table of centres"):
        toy("centres", str(heat), videos="v0")


def test_drift_of_embeddings_is_the_mean_cosine_of_all_pairs() -> None:
    import numpy as np

    from vosbench.report.figures.embeddings import _means

    rng = np.random.default_rng(0)
    grids = [rng.normal(size=(4, 5, 3)).astype(np.float32) for _ in range(2)]
    grids = [grid / np.linalg.norm(grid, axis=2, keepdims=True) for grid in grids]
    mask = np.zeros((8, 10), np.bool_)
    mask[2:6, 2:8] = True
    first, second = (_means(grid, mask) for grid in grids)
    assert first is not None
    assert second is not None
    one, other = (grid[1:3, 1:4].reshape(-1, 3) for grid in grids)
    assert first[0] @ second[0] == pytest.approx((one @ other.T).mean(), abs=1e-6)
    assert _means(grids[0], np.ones((8, 10), np.bool_)) is None


def test_text_that_a_font_lacks_is_escaped() -> None:
    assert legible("a 雪_$x$\n") == "a \\u96ea_$x$\\u000a".replace("\\u000a", "\\n")
    assert legible("_hidden") == " _hidden"


def test_captions_are_wrapped_to_their_width() -> None:
    with style_sheet("column"):
        lines = wrapped("MAE,maxF,meanF,adpF,S,maxE,meanE " * 3, 4.5, 1.0)
        assert len(lines) > 3
        assert "".join(lines).replace(" ", "") == "MAE,maxF,meanF,adpF,S,maxE,meanE" * 3
        assert wrapped("", 4.5, 1.0) == []


def test_the_users_own_style_changes_nothing(results: Path, tmp_path: Path) -> None:
    import matplotlib as mpl

    figure("jf", "alpha", tmp_path / "a.png", results=results)
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30}):
        figure("jf", "alpha", tmp_path / "b.png", results=results)
        assert mpl.rcParams["font.size"] == 30
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_names_of_methods_may_be_anything(results: Path, tmp_path: Path) -> None:
    for name in ("jf", "success", "videos"):
        figure(name, ["alpha", "beta"], tmp_path / "a.pdf", results=results, labels=["$x_{", "_雪\u202e"])


@pytest.mark.parametrize("name", KINDS)
def test_every_figure_is_in_the_gallery(name: str) -> None:
    docs = TESTS.parent / "docs"
    picture = docs / "figures" / f"{name}.png"
    assert f"figures/{name}.png" in (docs / "figures.md").read_text("utf-8")
    assert picture.stat().st_size <= 40_000


def test_the_gallery_is_small() -> None:
    pictures = [*(TESTS.parent / "docs" / "figures").iterdir()]
    assert sum(path.stat().st_size for path in pictures) <= 400_000
