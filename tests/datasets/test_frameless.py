"""Annotations without frames: masks are scored alike, and whoever needs frames is told."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from vosbench.dataset import Dataset, Listed
from vosbench.dataset.selection import Choice, select, with_frames
from vosbench.dataset.verify import verify
from vosbench.errors import DataError
from vosbench.evaluate.score import all_rows, score
from vosbench.images import files as images
from vosbench.registry import load_dataset

Put = Callable[..., None]
Reduced = Callable[[str, Mapping[str, Listed]], Dataset]
LIST = {"bear": Listed(frames=3), "cows": Listed(frames=3)}


def annotations_only(real: Path, root: Path, names: Iterable[str]) -> Path:
    root.mkdir()
    for name in names:
        (root / name).symlink_to(real / name, target_is_directory=True)
    return root


def test_real_davis_is_scored_alike(real_data: Path, tmp_path: Path) -> None:
    dataset, names = load_dataset("davis16"), ("blackswan", "bmx-trees")
    root = annotations_only(real_data / "DAVIS", tmp_path / "alone", ("Annotations", "ImageSets"))
    found = []
    for place in (real_data / "DAVIS", root):
        selection = select(dataset, Choice(root=place, videos=names, measures=("J", "F")))
        record, scored, _ = score(real_data / "davis16_results" / "osvos.zip", selection)
        found.append((all_rows(scored), record.videos, record.provenance.layout, record.provenance.annotations))
    assert found[0] == found[1]
    assert len(found[0][0]) > 200


def test_stand_ins_are_named_like_the_frames(put: Put, root: Path) -> None:
    positions = load_dataset("fbms").listing("test")["marple4"].annotated or ()
    put("Testset/marple4/GroundTruth/marple4_{n:03d}.pgm", "labels", [324 + position for position in positions])
    (video,) = load_dataset("fbms").videos(root, "test")
    assert (video.frames[0].name, video.frames[-1].name, len(video)) == ("marple4_324.jpg", "marple4_366.jpg", 43)
    assert tuple(video.annotations) == positions


def test_annotations_of_all_videos_in_one_folder(put: Put, root: Path) -> None:
    put("GroundTruth/horse2_frame{n:04d}.bmp", "rgb255", range(1, 51, 5))
    put("GroundTruth/horse3_frame{n:04d}.bmp", "rgb255", range(1, 51, 5))
    put("GroundTruth/gokart{n}.bmp", "rgb255", range(56, 100, 5))
    put("GroundTruth/lion_image{n:03d}.bmp", "rgb255", range(90, 140, 5))
    found = {video.name: video for video in load_dataset("visal").videos(root, "test")}
    assert {name: video.frames[1].stem for name, video in found.items()} == {
        "gokart": "gokart57",
        "horse": "horse2_frame0002",
        "horse2": "horse3_frame0002",
        "lion": "lion_image091",
    }
    assert all(images.read_mask(video.annotations[5], video.codec).sum() == 12 for video in found.values())


def test_what_the_list_does_not_tell(put: Put, root: Path) -> None:
    put("Testset/cars10/GroundTruth/cars10_{n:02d}.pgm", "labels", [10, 20, 30])  # the first is missing
    with pytest.raises(DataError, match=r"contains annotations but no frames in layout .*; copy the frames too"):
        load_dataset("fbms").videos(root, "test")
    put("youtube_masks/cow/data/0001/shots/001/labels/{n:05d}.jpg", "binary255", [1, 11, 21])
    with pytest.raises(DataError, match="the list does not tell which frames they are of"):
        load_dataset("ytobj").videos(root, "test")


def test_whoever_needs_frames_is_told(put: Put, root: Path, reduced: Reduced) -> None:
    put("ImageSets/480p/val.txt")
    for name in LIST:
        put(f"Annotations/480p/{name}/{{n:05d}}.png", "binary255", range(3))
    put("Annotations/480p/elephant/{n:05d}.png", "binary255", range(3))
    dataset = reduced("davis16", LIST)
    with pytest.raises(DataError, match=r'no frames, such as ".*480p/bear/00000.jpg"; they suffice for scoring'):
        with_frames(select(dataset, Choice(root=root)))
    report = verify(dataset, root, "val")
    assert [(each.level, each.video, each.message) for each in report.findings] == [
        ("error", "*", "has no frames: its annotations can be scored, but nothing else"),
        ("note", "*", "1 sequences are not part of DAVIS-2016: elephant"),
    ]
    assert (report.complete, report.layout) == (0, "davis16-official")


def test_two_layouts_at_once(put: Put, root: Path) -> None:
    positions = load_dataset("fbms").listing("test")["cars10"].annotated or ()
    put("Annotations/480p/cars10/{n:05d}.png", "inverted255", positions)
    with pytest.raises(DataError, match="looks like fbms-mg and fbms-davis-like at once; choose one with --layout"):
        load_dataset("fbms").videos(root, "test")
    (video,) = load_dataset("fbms").videos(root, "test", "fbms-davis-like")
    assert (len(video), video.codec, video.frameless) == (30, "inverted255", True)


def test_some_frames_are_not_none(put: Put, root: Path, reduced: Reduced) -> None:
    put("ImageSets/480p/val.txt")
    for name in LIST:
        put(f"Annotations/480p/{name}/{{n:05d}}.png", "binary255", range(3))
    put("JPEGImages/480p/cows/{n:05d}.jpg", numbers=range(3))
    (found,) = reduced("davis16", LIST).videos(root, "val")
    assert (found.name, found.frameless) == ("cows", False)
