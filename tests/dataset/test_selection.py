"""Some videos of a split, and videos of which annotations are missing: their means are marked, and kept apart."""

import itertools
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from factories import write_toy
from vosbench.dataset import Dataset, DatasetProtocol, Listed
from vosbench.dataset.layout import Layout, collect, recognise
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError
from vosbench.evaluate.score import score
from vosbench.metrics.statistics import mean
from vosbench.records.check import check
from vosbench.records.compare import frames_apart, unlike
from vosbench.records.record import Record, read, write
from vosbench.records.tolerance import Tolerances
from vosbench.registry import load_dataset
from vosbench.report.grouped import ByOne, View, breakdown, grouped
from vosbench.report.leaderboard import comparable
from vosbench.report.page import results_page

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]

LAYOUT = Layout(
    name="toy", frames="frames/{video}", annotations="masks/{video}", codec="binary255", markers=("frames",)
)
LISTING = {
    "v0": Listed(frames=5, category="cow", attributes=("OCC",)),
    "v1": Listed(frames=5, category="cow", stable=False),
    "v2": Listed(frames=5, category="dog"),
    "v3": Listed(frames=5, category="cat", attributes=("OCC",)),
}
PROTOCOLS = (
    DatasetProtocol(name="video", measures=("J", "F", "T"), frames="inner"),
    DatasetProtocol(name="category", average="category"),
    DatasetProtocol(name="frame", average="frame"),
    DatasetProtocol(name="saliency", measures=("MAE", "maxF", "meanF"), saliency="adnet"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_toy(tmp_path / "toy", videos=4)


@pytest.fixture
def masks(root: Path, tmp_path: Path) -> Path:
    """Masks that are as good as the number of their video is high: those of the previous frame, or right ones."""
    for path in (root / "masks").rglob("*.png"):
        video, frame = int(path.parent.name[1:]), int(path.stem)
        source = path.with_name(f"{max(frame - 1, 0):05d}.png") if frame > video else path
        target = tmp_path / "method" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return tmp_path / "method"


def dataset(listing: dict[str, Listed] = LISTING) -> Dataset:
    toy = load_dataset("toy", [TOY])
    return replace(
        toy,
        protocols=PROTOCOLS,
        listing=lambda _: listing,
        videos=lambda root, _split, name=None: collect(root, recognise(root, (LAYOUT,), "Toy", name), listing),
    )


def chosen(root: Path, *videos: str, **more: object) -> Selection:
    return select(dataset(), Choice(root=root, videos=videos, **more))  # type: ignore[arg-type]


def of_videos(root: Path, masks: Path, *videos: str, **more: object) -> Record:
    return score(masks, chosen(root, *videos, **more))[0]


def test_the_mean_of_some_videos(root: Path, masks: Path) -> None:
    whole = of_videos(root, masks)
    some = of_videos(root, masks, "v3", "v0")
    assert list(some.videos) == ["v0", "v3"], "in the list's order"
    assert some.videos == {name: whole.videos[name] for name in some.videos}
    for key in ("J_mean", "F_recall", "J_decay"):
        assert some.scores[key] == mean([some.videos[name][key] for name in some.videos])  # type: ignore[misc]
    assert (some.split_size, some.missing, some.place) == (4, [], "toy val over 2 of 4 videos")
    assert some.signature.startswith("videos:2of4|video@1|J:inner|")
    assert some.shortcomings == ["only 2 of 4 videos"]
    assert "videos:" not in whole.signature
    assert whole.split_size is None


def test_all_videos_by_name_are_the_split(root: Path, masks: Path) -> None:
    assert of_videos(root, masks, "v2", "v0", "v1", "v3", "v0").to_json() == of_videos(root, masks).to_json()
    assert of_videos(root, masks, "v0", "v0").signature.startswith("videos:1of4|"), "said twice, scored once"


@pytest.mark.parametrize("protocol", [protocol.name for protocol in PROTOCOLS])
def test_every_protocol_averages_some_videos_as_it_averages_a_split_of_these(
    root: Path, masks: Path, protocol: str
) -> None:
    """A dataset whose list has only these videos gives the same scores, but without a mark."""
    for names in itertools.combinations(LISTING, 2):
        some = of_videos(root, masks, *names, protocol=protocol)
        alone = dataset({name: LISTING[name] for name in names})
        whole, _, _ = score(masks, select(alone, Choice(root=root, protocol=protocol)))
        assert some.scores == whole.scores
        assert any(value is not None for value in some.scores.values())
        assert some.signature == f"videos:2of4|{whole.signature}"


@pytest.mark.parametrize("by", ["video", "category", "attribute", "average", "interval"])
def test_breakdowns_are_over_the_chosen_videos(root: Path, masks: Path, by: ByOne) -> None:
    selection = chosen(root, "v0", "v3", measures=("J", "F"))
    record, scored, _ = score(masks, selection)
    table = breakdown(record, scored, selection, by)
    assert table.notes[0].startswith(f"method: toy val over 2 of 4 videos by {by}, videos:2of4|video@1|")
    lines = {row[0]: row for row in table.rows}
    shown = {
        "video": lambda: lines["sequence mean"][1],
        "category": lambda: lines["category mean"][2],
        "attribute": lambda: lines["OCC"][2],
        "average": lambda: lines["J"][2],
        "interval": lambda: lines["J mean"][2],
    }
    assert shown[by]() == pytest.approx(record.scores["J_mean"])
    if by == "category":
        assert list(lines) == ["cow", "cat", "category mean", "sequence mean"]


def test_no_stable_video_is_noted(root: Path, masks: Path) -> None:
    record, _, notes = score(masks, chosen(root, "v1"))
    assert record.scores["T_mean"] is None
    assert record.scores["T_all_mean"] is not None
    assert "T has no mean: it is averaged over stable videos, and none of the chosen ones is" in notes


def test_missing_masks_of_chosen_videos_stay_an_error(root: Path, masks: Path) -> None:
    (masks / "v0" / "00002.png").unlink()
    assert of_videos(root, masks, "v1", "v3").scores["J_mean"] is not None, "of another video"
    record = of_videos(root, masks, "v0", "v3")
    assert set(record.scores.values()) == {None}
    assert (record.missing, record.split_size) == (["v0/00002"], 4)


def test_codes_and_words_of_the_command(cli: Cli, root: Path, masks: Path) -> None:
    write_toy(root, videos=2)
    words = ("score", masks, "--dataset", "toy", "--root", root, "--plugin", TOY, "--videos", "v1")
    done = cli(*words, "--out", "results")
    assert done.returncode == 0, done.stderr
    assert "toy val over 1 of 2 videos, videos:1of2|toy@1|J:all|" in done.stdout
    assert "not for a leaderboard: only 1 of 2 videos" in done.stdout
    for kind in ("md", "csv", "latex"):
        assert "toy val over 1 of 2 videos" in cli(*words, "--format", kind).stdout
    table = cli("table", "toy", "--plugin", TOY)
    assert (table.returncode, table.stdout) == (3, "")
    assert '"method+1video-3bfc2695" is left out: only 1 of 2 videos' in table.stderr
    (masks / "v1" / "00001.png").unlink()
    short = cli(*words)
    assert short.returncode == 3
    assert "1 mask is missing that protocol" in short.stderr


def test_marked_records_stay_out_of_tables(root: Path, masks: Path, tmp_path: Path) -> None:
    whole, some = of_videos(root, masks), of_videos(root, masks, "v0", "v3").model_copy(update={"method": "some"})
    fit, left_out = comparable([whole, some])
    assert (fit, left_out) == ([whole], [f'"some{some.apart}" is left out: only 2 of 4 videos'])
    table, left_out = grouped([whole, some], dataset(), View(by="video", measure="J_mean"))
    assert table.columns == ("video", "method")
    assert len(left_out) == 1
    write(tmp_path / "results" / "toy" / "some.json", some, [])
    page = results_page(tmp_path / "results")
    assert f'* "some{some.apart}" on toy: only 2 of 4 videos' in page
    assert "| some" not in page


def test_old_records_are_written_as_before(root: Path, masks: Path, tmp_path: Path) -> None:
    whole, some = of_videos(root, masks), of_videos(root, masks, "v0")
    assert {"split_size", "unannotated"}.isdisjoint(json.loads(whole.to_json()))
    for record in (whole, some):
        write(tmp_path / "record.json", record, [])
        assert read(tmp_path / "record.json") == record
    old = json.loads(whole.to_json()) | {"missing": ["v3"]}
    assert Record.model_validate(old).incomplete == {"v3"}


def test_only_the_same_videos_are_comparable(root: Path, masks: Path) -> None:
    whole, some = of_videos(root, masks), of_videos(root, masks, "v0", "v3")
    other = of_videos(root, masks, "v2", "v3")
    assert unlike(some, some) == frames_apart(some, some) == []
    (line,) = unlike(some, other)
    assert line == (
        'videos differ: means over 2 of 4 videos and over 2 of 4 videos (only the first has "v0", '
        'only the second has "v2")'
    )
    (line,) = unlike(some, whole)
    assert line == 'videos differ: means over 2 of 4 videos and over all videos (only the second has "v1", "v2")'
    assert frames_apart(some, whole) == [], "said once"
    with pytest.raises(DataError, match="not comparable: videos differ: means over all videos and over 2 of 4"):
        check(whole, some, Tolerances())
    assert check(some, some, Tolerances()).passed


def without(root: Path, video: str, *frames: int) -> None:
    for frame in frames:
        (root / "masks" / video / f"{frame:05d}.png").unlink()


def test_a_partly_annotated_video_is_scored_on_what_it_has(root: Path, masks: Path) -> None:
    before = of_videos(root, masks, "v0", "v2")
    rows = {row.frame: row.value for row in score(masks, chosen(root, "v2"))[1][0].rows if row.measure == "J"}
    without(root, "v2", 0, 3)
    record, scored, notes = score(masks, chosen(root, "v0", "v2"))
    assert record.videos["v0"] == before.videos["v0"]
    assert record.videos["v2"]["J_mean"] == mean([rows[1], rows[2]])
    assert record.unannotated == {"v2": [0, 3]}
    assert record.signature.startswith("videos:2of4|annotated:8of10|video@1|")
    assert record.shortcomings == ["only 2 of 4 videos", "2 annotations missing"]
    assert notes[1:3] == [
        '"v2" has 3 of 5 annotations; only these are used, so the scores are not for a leaderboard',
        'T of "v2" starts with its first two scored masks, since frame 0 has no annotation',
    ]
    assert [row.frame for row in scored[1].rows if row.measure == "T"] == [2]
    everything = of_videos(root, masks, *LISTING)
    assert everything.signature.startswith("annotated:18of20|video@1|")
    assert everything.shortcomings == ["2 annotations missing"]
    with pytest.raises(
        DataError, match=r'2 of 5 annotations of "v2" are missing \(frames 0, 3\); run: vosbench verify'
    ):
        of_videos(root, masks)


def test_other_annotated_frames_are_not_comparable(root: Path, masks: Path) -> None:
    """Also if the scored annotations are the same: T may start with the one of frame 0, which is not scored."""
    without(root, "v0", 0)
    first = of_videos(root, masks, "v0")
    (root / "masks" / "v0" / "00000.png").write_bytes((root / "masks" / "v0" / "00001.png").read_bytes())
    without(root, "v0", 4)
    second = of_videos(root, masks, "v0")
    assert first.signature == second.signature
    assert first.provenance.annotations == second.provenance.annotations
    said = 'annotated frames differ: only in the first are missing "v0/0", only in the second are missing "v0/4"'
    assert unlike(first, second) == [said]
    with pytest.raises(DataError, match="not comparable: annotated frames differ"):
        check(first, second, Tolerances())
    assert unlike(first, first) == []


def test_annotations_beyond_the_limit_do_not_matter(root: Path, masks: Path) -> None:
    whole = of_videos(root, masks, "v0", limit=3)
    without(root, "v0", 4)
    assert of_videos(root, masks, "v0", limit=3).to_json() == whole.to_json()


def test_a_video_without_an_annotation_to_score_is_refused(root: Path, masks: Path) -> None:
    without(root, "v0", 1, 2, 3)
    said = r'annotations of "v0" are missing \(frames 1, 2, 3\), and protocol "video" scores none of the others'
    with pytest.raises(DataError, match=said):
        of_videos(root, masks, "v0")
    assert of_videos(root, masks, "v0", protocol="category").scores["J_mean"] is not None
    without(root, "v0", 0, 4)
    with pytest.raises(DataError, match='"v0" has no annotations, in layout "toy"'):
        of_videos(root, masks, "v0")
