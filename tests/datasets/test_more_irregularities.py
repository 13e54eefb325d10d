"""What is odd in the datasets beyond the papers' four, each by its name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import Dataset, Listed, Video
from vosbench.dataset.selection import Choice, select
from vosbench.dataset.verify import verify
from vosbench.errors import DataError
from vosbench.evaluate.score import score
from vosbench.images import Box, paths_of, read_annotation
from vosbench.metrics.packed import unpack
from vosbench.registry import load_dataset

Put = Callable[..., None]
Reduced = Callable[[str, Mapping[str, Listed]], Dataset]


def find(name: str, root: Path, split: str | None = None, layout: str | None = None) -> dict[str, Video]:
    dataset = load_dataset(name)
    return {video.name: video for video in dataset.videos(root, split or dataset.splits[0], layout)}


def save(path: Path, rows: Sequence[Sequence[int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(rows, np.uint8)).convert("RGB").save(path)


# SegTrack-v2


def test_masks_of_objects_are_united_on_booleans_and_their_suffixes_differ(
    put: Put, root: Path, reduced: Reduced
) -> None:
    dataset = reduced("segtrack2", {"cheetah": Listed(frames=2)})
    put("ImageSets/all.txt")
    for t in range(2):
        save(root / f"JPEGImages/cheetah/cheetah_{t}.bmp", [[9, 9, 9, 9]])
        save(root / f"GroundTruth/cheetah/1/cheetah_{t}.bmp", [[255, 129, 128, 1]])
        save(root / f"GroundTruth/cheetah/2/cheetah_{t}.png", [[255, 127, 128, 255]])
    (video,) = dataset.videos(root, "all")
    assert [path.name for path in paths_of(video.annotations[1])] == ["cheetah_1.bmp", "cheetah_1.png"]
    for protocol, expected in (
        ("vsod-davsod", [True, True, False, True]),  # 255 + 255 would wrap to 254, 128 + 128 to 0
        ("segtrack2-rcf", [True, True, True, True]),
        ("segtrack2-tokencut", [True, True, True, True]),
    ):
        (read,) = select(dataset, Choice(root=root, split="all", protocol=protocol)).videos
        assert unpack(read_annotation(read.annotations[0], read.codec)).tolist() == [expected]


def test_an_object_without_its_mask_leaves_the_frame_unannotated(put: Put, root: Path, reduced: Reduced) -> None:
    dataset = reduced("segtrack2", {"bmx": Listed(frames=3)})
    put("JPEGImages/bmx/bmx_{n:05d}.png", numbers=range(3))
    put("GroundTruth/bmx/1/bmx_{n:05d}.png", "rgb255", range(3))
    put("GroundTruth/bmx/2/bmx_{n:05d}.png", "rgb255", (0, 2))
    with pytest.raises(DataError, match=r'1 of 3 annotations of "bmx" are missing \(frames 1\)'):
        select(dataset, Choice(root=root, split="all"))
    assert [each.message for each in verify(dataset, root, "all").errors] == ["is missing annotations of frames 1"]


def test_objects_without_frames_can_be_scored(put: Put, root: Path, reduced: Reduced) -> None:
    dataset = reduced("segtrack2", {"bmx": Listed(frames=3)})
    put("GroundTruth/bmx/{n}/bmx_00006.png", "rgb255", (1, 2))
    put("GroundTruth/bmx/{n}/bmx_00007.png", "rgb255", (1, 2))
    put("GroundTruth/bmx/{n}/bmx_00008.png", "rgb255", (1, 2))
    (video,) = dataset.videos(root, "all")
    assert (video.frameless, len(video), video.frames[0].name) == (True, 3, "bmx_00006.jpg")
    assert all(len(paths_of(annotation)) == 2 for annotation in video.annotations.values())
    put("GroundTruth/bmx/2/bmx_00009.png", "rgb255")
    with pytest.raises(DataError, match="the list does not tell"):
        dataset.videos(root, "all")


def test_frames_are_those_of_the_list(put: Put, root: Path, reduced: Reduced) -> None:
    dataset = reduced("segtrack2", {"worm": Listed(frames=None)})
    put("JPEGImages/worm/worm_{n:05d}.png", numbers=range(5))
    put("GroundTruth/worm/worm_{n:05d}.png", "rgb255", range(5))
    assert len(dataset.videos(root, "all")[0]) == 5
    path = root / "ImageSets" / "worm.txt"
    path.parent.mkdir()
    path.write_text("*worm\nworm_00001\nworm_00002.png\nworm_00003\n")
    (video,) = dataset.videos(root, "all")
    assert ([frame.stem for frame in video.frames], list(video.annotations)) == (
        ["worm_00001", "worm_00002", "worm_00003"],
        [0, 1, 2],
    )
    assert all(video.frames[t].stem == paths_of(each)[0].stem for t, each in video.annotations.items())
    path.write_text("header\nworm_00001\nworm_00009\n")
    with pytest.raises(DataError, match=r'worm.txt" lists the frame "worm_00009", which is not next to'):
        dataset.videos(root, "all")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r'the list ".*worm.txt" cannot be read'):
        dataset.videos(root, "all")


def test_protocols_of_segtrack_name_their_split(put: Put, root: Path) -> None:
    names = load_dataset("segtrack2").listing("all")
    for name, listed in names.items():
        put(f"JPEGImages/{name}/{name}_{{n:05d}}.png", numbers=range(listed.frames or 3))
        put(f"GroundTruth/{name}/{name}_{{n:05d}}.png", "rgb255", range(listed.frames or 3))
    dataset = load_dataset("segtrack2")
    assert len(select(dataset, Choice(root=root)).videos) == 13
    one = select(dataset, Choice(root=root, protocol="segtrack2-rcf"))
    assert (len(one.videos), one.split) == (14, "all")
    assert one.signature().startswith("split:all|segtrack2-rcf@1|J:all|empty:skip-both|")
    assert select(dataset, Choice(root=root, split="all")).protocol.name == "segtrack2-rcf"
    assert select(dataset, Choice(root=root, split="vsod13")).protocol.name == "vsod-davsod"


def test_protocols_of_segtrack_differ(root: Path, tmp_path: Path, reduced: Reduced) -> None:
    dataset = reduced("segtrack2", {"frog": Listed(frames=3), "girl": Listed(frames=1)})
    truth = {"frog": [[255, 128, 60, 0], [0, 0, 0, 0], [255, 255, 0, 0]], "girl": [[255, 255, 255, 0]]}
    maps = {"frog": [[255, 255, 100, 0], [0, 0, 0, 0], [255, 0, 0, 0]], "girl": [[255, 128, 90, 0]]}
    for name, rows in truth.items():
        for t, row in enumerate(rows):
            save(root / f"JPEGImages/{name}/{t:05d}.png", [[7, 7, 7, 7]])
            save(root / f"GroundTruth/{name}/{t:05d}.png", [row])
            save(tmp_path / f"maps/{name}/{t:05d}.png", [maps[name][t]])
    expected = {
        "segtrack2-rcf": (2 / 3 + 1 / 2 + 1) / 3,  # annotations 1100, maps 1110; both empty left out; 1110 and 1110
        "segtrack2-tokencut": (2 / 3 + 1 + 1 / 2 + 2 / 3) / 4,
        "segtrack2-dattt": (1 / 2 + 1 + 1 / 2 + 1 / 3) / 4,
    }
    for protocol, value in expected.items():
        selection = select(dataset, Choice(root=root, protocol=protocol))
        record, _, _ = score(tmp_path / "maps", selection, codec="map")
        assert record.scores["J_mean"] == pytest.approx(value), protocol
    assert len({round(value, 6) for value in expected.values()}) == 3


# DAVSOD


def test_splits_without_a_list_are_what_is_in_their_folder(put: Put, root: Path, tmp_path: Path) -> None:
    for split, names in (
        ("DAVSOD-Normal-25", ("select_0700", "select0701-1")),
        ("DAVSOD-Difficult-20", ("select_0800",)),
    ):
        for name in names:
            put(f"{split}/{name}/Frame/{{n:04d}}.jpg", numbers=(240, 241, 242))
            put(f"{split}/{name}/GT/{{n:04d}}.png", "binary255", (240, 241, 242))
    put("DAVSOD/select_0606/Frame/{n:04d}.jpg", numbers=range(390, 631))
    put("DAVSOD/select_0606/GT/{n:04d}.png", "binary255", range(390, 631))
    dataset = load_dataset("davsod")
    assert list(find("davsod", root, "normal")) == ["select_0700", "select_0701_1"]
    assert list(find("davsod", root / "DAVSOD-Normal-25", "normal")) == ["select_0700", "select_0701_1"]
    assert list(find("davsod", root, "difficult")) == ["select_0800"]
    assert list(find("davsod", root)) == ["select_0606"]
    with pytest.raises(DataError, match="is not DAVSOD validation"):
        find("davsod", root, "validation")
    selection = select(dataset, Choice(root=root, split="normal"))
    for video in selection.videos:
        for t, frame in enumerate(video.frames):
            mask = unpack(read_annotation(video.annotations[t], video.codec))
            save(tmp_path / "maps" / video.name.replace("_", "") / f"{frame.stem}.png", mask * 255)
    record, _, _ = score(tmp_path / "maps", selection)  # select07011, without the signs between its numbers
    assert (record.scores["MAE"], record.split, record.signature.split("|")[0]) == (0, "normal", "split:normal")
    (root / "DAVSOD-Normal-25" / "select_0700" / "GT" / "0241.png").unlink()
    with pytest.raises(DataError, match='1 of 3 annotations of "select_0700" are missing'):
        select(dataset, Choice(root=root, split="normal"))


def test_frames_of_the_easy_split_are_counted(put: Put, root: Path) -> None:
    for name, first, count in (("select0698", 1, 25), ("select0616-1", 745, 36), ("select0616", 40, 26)):
        put(f"RGB/{name}_{{n:04d}}.jpg", numbers=range(first, first + count))
        put(f"GT/{name}_{{n:04d}}.png", "binary255", range(first, first + count))
    found = find("davsod", root)
    assert {name: len(video) for name, video in found.items()} == {
        "select_0616": 26,
        "select_0616_1": 36,
        "select_0698": 25,
    }
    videos = ("select_0616", "select_0698")
    assert len(select(load_dataset("davsod"), Choice(root=root, videos=videos)).videos) == 2
    (root / "RGB" / "select0698_0025.jpg").unlink()
    with pytest.raises(DataError, match='"select_0698" has 24 of 25 frames'):
        select(load_dataset("davsod"), Choice(root=root, videos=videos))


# VOS and Long-Videos


def test_the_first_and_last_label_of_vos_drop_out(put: Put, root: Path) -> None:
    put("JPEGImages/3/{n:05d}.jpg", numbers=range(46))
    put("Annotations/3/{n:05d}.png", "binary255", (0, 15, 30, 45))
    selection = select(load_dataset("vos"), Choice(root=root, videos=("3",)))
    assert selection.protocol.scored(selection.videos[0]) == [15, 30]
    assert not selection.unannotated
    with pytest.raises(DataError, match="39 of 40 videos are missing"):
        select(load_dataset("vos"), Choice(root=root))


def test_labels_of_clvos23_are_not_those_of_long_videos(put: Put, root: Path, reduced: Reduced) -> None:
    dataset = reduced("longvideos", {"rat": Listed(frames=9, labels=3)})
    put("JPEGImages/rat/{n:05d}.jpg", numbers=range(9))
    put("Annotations/rat/{n:05d}.png", "palette", (0, 4, 8))
    assert len(select(dataset, Choice(root=root)).videos) == 1
    put("Annotations/rat/{n:05d}.png", "palette", (2,))
    with pytest.raises(DataError, match='"rat" has 4 of 3 annotations'):
        select(dataset, Choice(root=root))
    assert [each.message for each in verify(dataset, root, "test").errors] == ["has 4 annotations; the list says 3"]
    for path in (root / "Annotations" / "rat").iterdir():
        path.unlink()
    with pytest.raises(DataError, match='"rat" has no annotations'):
        select(dataset, Choice(root=root))


def test_the_lengthened_long_videos_are_another_dataset(put: Put, root: Path) -> None:
    for inside in ("long_video", "long_video_x3"):
        put(f"{inside}/JPEGImages/rat/{{n:05d}}.jpg", numbers=range(1416 if inside == "long_video" else 1420))
        put(f"{inside}/Annotations/rat/{{n:05d}}.png", "palette", range(0, 1416, 70))
    dataset, some = load_dataset("longvideos"), ("rat",)
    assert len(select(dataset, Choice(root=root, videos=some)).videos[0]) == 1416
    with pytest.raises(DataError, match='"rat" has 1420 of 1416 frames'):
        select(dataset, Choice(root=root / "long_video_x3", videos=some))


def test_the_five_protocols_of_long_videos_differ(root: Path, tmp_path: Path, reduced: Reduced) -> None:
    dataset = reduced("longvideos", {"rat": Listed(frames=9, labels=5), "dressage": Listed(frames=9, labels=3)})
    full, half, none = [255] * 4, [255, 255, 0, 0], [0] * 4
    truth = {"rat": [full, full, none, full, full], "dressage": [full] * 3}
    maps = {"rat": [[255, 128, 0, 0], half, none, full, none], "dressage": [none, half, half]}
    for name, rows in truth.items():
        for t in range(9):
            save(root / f"JPEGImages/{name}/{t:05d}.png", [[7] * 4])
        for place, row in enumerate(rows):
            stem = f"{place * 2:05d}.png"
            (root / "Annotations" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.array([row], np.uint8)).save(root / "Annotations" / name / stem)
            save(tmp_path / f"maps/{name}/{stem}", [maps[name][place]])
    rat, dressage = [1 / 2, 1 / 2, 1, 1, 0], [0, 1 / 2, 1 / 2]
    expected = {
        "longvideos-hfan": (sum(rat[1:-1]) / 3 + dressage[1]) / 2,
        "longvideos-mtnet": (sum(rat[:-1]) / 4 + sum(dressage[:-1]) / 2) / 2,
        "longvideos-afb-urr": (sum(rat[1:]) / 4 + sum(dressage[1:]) / 2) / 2,
        "longvideos-tmo": ((1 / 2 + 1 / 2 + 1 + 0) / 4 + sum(dressage) / 3) / 2,
        "longvideos-dattt": (1 / 4 + 1 / 2 + 1 + 1 + 0 + sum(dressage)) / 8,
    }
    assert len({round(value, 6) for value in expected.values()}) == 5
    assert {protocol.name for protocol in dataset.protocols} == expected.keys()
    for protocol, value in expected.items():
        record, _, _ = score(tmp_path / "maps", select(dataset, Choice(root=root, protocol=protocol)), codec="map")
        assert record.scores["J_mean"] == pytest.approx(value), protocol
        assert ("F_mean" in record.scores) == (protocol != "longvideos-tmo")


# MoCA


TABLE = """,file_list,spatial_coordinates,metadata
1,/crab/00000.jpg,"[2,1.5,-1,4,3]","{'1': '0'}"
2,/crab/00001.jpg,"[2,0,0,2,2]",{}
3,/crab/00002.jpg,[],{}
4,/fossa/00000.jpg,"[2,2,1,3,4]","{'1': '1'}"
"""


def test_boxes_of_the_filtered_moca(put: Put, root: Path, reduced: Reduced) -> None:
    dataset = reduced("moca", {"crab": Listed(frames=3, annotated=(0, 1)), "fossa": Listed(frames=1)})
    put("JPEGImages/crab/{n:05d}.jpg", numbers=range(3))
    put("JPEGImages/fossa/00000.jpg")
    put("Annotations/crab/{n:05d}.png", "binary255", range(3))  # drawn from the boxes
    (root / "annotations.csv").write_text(TABLE)
    crab, fossa = select(dataset, Choice(root=root)).videos
    frame, table = root / "JPEGImages/crab/00000.jpg", root / "annotations.csv"
    assert crab.annotations[0] == Box(table, frame, 1.5, 0, 5.5, 3, "locomotion")
    assert [each.motion for each in crab.annotations.values() if isinstance(each, Box)] == ["locomotion", "locomotion"]
    assert (list(fossa.annotations), crab.layout) == ([0], "moca-motiongrouping")
    mask = unpack(read_annotation(crab.annotations[0], crab.codec))
    assert (mask.shape, mask.sum(), mask[0:3, 1:5].all()) == ((6, 8), 12, True)
    before = verify(dataset, root, "filtered")
    assert (before.errors, before.complete) == ([], 2)
    table.write_text(TABLE.replace("1.5", "1.6"))
    assert verify(dataset, root, "filtered").annotations != before.annotations
    for old, new, message in (
        ("[2,2,1,3,4]", "[1,2,3]", r'has the box \[1,2,3\] of "/fossa/00000.jpg"; it should be'),
        ("[2,2,1,3,4]", "[2,2,1,3,x]", r"has the box"),
        ("/fossa/00000.jpg", "fossa.jpg", r'names the file "fossa.jpg"; it should be /<video>/<number>.jpg'),
        ("file_list", "files", r'has no column "file_list"'),
        ("metadata", "more", r'has no column "metadata"'),
    ):
        table.write_text(TABLE.replace(old, new))
        with pytest.raises(DataError, match=message):
            dataset.videos(root, "filtered")


def test_boxes_of_the_whole_moca_are_interpolated(put: Put, root: Path) -> None:
    put("JPEGImages/new_animal/{n:05d}.jpg", numbers=range(8))
    put("JPEGImages/other/{n:05d}.jpg", numbers=range(2))
    comments = "".join(f"# comment {line}\n" for line in range(9))
    heading = "# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata\n"
    rows = (
        'a,/new_animal/00001.jpg,0,[],"[2,0,0,10,20]","{""1"":""2""}"\n'
        'b,/new_animal/00005.jpg,0,[],"[2,4,8,30,20]","{""1"":""0""}"\n'
        'c,/other/00000.jpg,0,[],"[2,0,0,1,1]",{}\n'
    )
    (root / "Annotations").mkdir()
    (root / "Annotations" / "annotations.csv").write_text(comments + heading + rows)
    selection = select(load_dataset("moca"), Choice(root=root, split="all"))
    video = selection.videos[0]
    assert [each.name for each in selection.videos] == ["new_animal", "other"]
    boxes = {t: each for t, each in video.annotations.items() if isinstance(each, Box)}
    assert list(boxes) == [0, 1, 2, 3, 4, 5]
    assert boxes[0].edges == boxes[1].edges == (0, 0, 10, 20)
    assert boxes[2].edges == (1, 2, 16, 22)
    assert boxes[4].edges == (3, 6, 28, 26)
    assert [each.motion for each in boxes.values()] == ["static"] * 5 + ["locomotion"]


def test_the_evaluation_of_motion_grouping_by_hand(root: Path, tmp_path: Path, reduced: Reduced) -> None:
    dataset = reduced("moca", {"crab": Listed(frames=3), "fossa": Listed(frames=1)})
    rows = ["", "file_list", "spatial_coordinates", "metadata"]
    lines = [",".join(rows)]
    boxes = {
        ("crab", 0): ("[2,0,0,8,8]", "0"),
        ("crab", 1): ("[2,0,0,8,8]", "1"),
        ("crab", 2): ("[2,0,0,8,8]", "0"),
        ("fossa", 0): ("[2,2,2,4,4]", "2"),
    }
    maps = {place: np.zeros((8, 16), np.uint8) for place in boxes}
    maps["crab", 0][:, :5] = 26  # IoU 5/8
    maps["crab", 0][7, 15] = 255
    maps["crab", 1][:, :4] = 255  # IoU 1/2: not above 0.5
    maps["crab", 2][:, :8] = 25  # nothing above a tenth of 255
    maps["fossa", 0] = np.full((4, 8), 255, np.uint8)  # half the size; bright border, so inverted
    maps["fossa", 0][1:3, 1:3] = 0
    for (name, t), (box, motion) in boxes.items():
        save(root / f"JPEGImages/{name}/{t:05d}.jpg", np.full((8, 16), 90).tolist())
        save(tmp_path / f"maps/{name}/{t:05d}.png", maps[name, t].tolist())
        lines.append(f"""1,/{name}/{t:05d}.jpg,"{box}","{{'1': '{motion}'}}\"""")
    (root / "annotations.csv").write_text("\n".join(lines))
    record, scored, _ = score(tmp_path / "maps", select(dataset, Choice(root=root)), codec="map")
    assert record.scores == {
        "box_J": pytest.approx(((5 / 8 + 1 / 2 + 0) / 3 + 1) / 2),
        "box_S50": 2 / 4,
        "box_S60": 2 / 4,
        "box_S70": 1 / 4,
        "box_S80": 1 / 4,
        "box_S90": 1 / 4,
        "box_J_locomotion": pytest.approx(5 / 16),
        "box_J_deformation": 1 / 2,
        "box_J_static": 1,
    }
    assert record.videos["fossa"]["box_J_locomotion"] is None
    assert record.videos["crab"]["box_S50"] == pytest.approx(1 / 3)
    assert [row.value for row in scored[0].rows if row.measure == "box"] == [5 / 8, 1 / 2, 0]
    (tmp_path / "maps" / "crab" / "00001.png").unlink()
    record, _, _ = score(tmp_path / "maps", select(dataset, Choice(root=root)), codec="map")
    assert set(record.scores.values()) == {None}


def test_the_last_two_masks_of_moca_mask_drop_out(put: Put, root: Path, reduced: Reduced) -> None:
    dataset = reduced("moca-mask", {"ibex": Listed(frames=5)})
    put("TestDataset_per_sq/ibex/Imgs/{n:05d}.jpg", numbers=range(0, 25, 5))
    put("TestDataset_per_sq/ibex/GT/{n:05d}.png", "binary255", range(0, 25, 5))
    selection = select(dataset, Choice(root=root))
    assert selection.protocol.scored(selection.videos[0]) == [0, 1, 2]


# YouTube-VOS


def test_some_videos_of_youtube_vos_are_a_part(put: Put, root: Path) -> None:
    for name in ("003234408d", "another"):
        put(f"train/JPEGImages/{name}/{{n:05d}}.jpg", numbers=(0, 50, 100))
        put(f"train/Annotations/{name}/{{n:05d}}.png", "palette", (0, 100))
    dataset = load_dataset("ytvos")
    with pytest.raises(DataError, match="3470 of 3471 videos are missing"):
        select(dataset, Choice(root=root, split="train"))
    selection = select(dataset, Choice(root=root, split="part"))
    assert [video.name for video in selection.videos] == ["003234408d", "another"]
    assert [sorted(video.annotations) for video in selection.videos] == [[0, 2]] * 2
    put("train_all_frames/JPEGImages/another/{n:05d}.jpg", numbers=range(101))
    with pytest.raises(DataError, match="ytvos-official and ytvos-all-frames at once"):
        dataset.videos(root, "part")
    (video,) = dataset.videos(root, "part", "ytvos-all-frames")
    assert (len(video), sorted(video.annotations)) == (101, [0, 100])
