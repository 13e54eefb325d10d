"""What is known to be odd in the datasets, each by its name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vosbench.dataset import Video
from vosbench.dataset.selection import Choice, select
from vosbench.dataset.verify import verify
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.score import score
from vosbench.images import files as images
from vosbench.images import read_frame
from vosbench.images.codecs import BLACK, codec
from vosbench.registry import load_dataset

Put = Callable[..., None]


def find(name: str, root: Path, split: str | None = None, layout: str | None = None) -> dict[str, Video]:
    dataset = load_dataset(name)
    return {video.name: video for video in dataset.videos(root, split or dataset.splits[0], layout)}


def listed(name: str, video: str) -> tuple[int, ...]:
    dataset = load_dataset(name)
    for split in dataset.splits:
        if video in dataset.listing(split):
            return dataset.listing(split)[video].annotated or ()
    raise AssertionError(video)


@pytest.mark.parametrize(
    ("name", "stem", "first", "frames"),
    [
        ("marple4", "marple4_{n:03d}", 324, 43),
        ("tennis", "tennis{n:03d}", 454, 466),
        ("people1", "people1_{n:02d}", 1, 40),
        ("marple2", "marple2_{n:03d}", 1, 250),
    ],
)
def test_bms26_numbers(put: Put, root: Path, name: str, stem: str, first: int, frames: int) -> None:
    positions = listed("fbms", name)
    put(f"Testset/{name}/{stem}.jpg", numbers=range(first, first + frames))
    put(f"Testset/{name}/GroundTruth/{stem}.pgm", "labels", [first + position for position in positions])
    put(f"Testset/{name}/{name}.bmf")
    put(f"Testset/{name}/GroundTruth/{name}Def.dat")
    found = select(load_dataset("fbms"), Choice(root=root, videos=(name,))).videos[0]
    assert (len(found), tuple(found.annotations), found.codec) == (frames, positions, "nonzero")
    assert all(found.frames[index].stem == path.stem for index, path in found.annotations.items())


@pytest.mark.parametrize(("name", "first", "frames"), [("marple4", 324, 43), ("tennis", 454, 466)])
def test_motiongrouping_renumbers_only_the_frames(put: Put, root: Path, name: str, first: int, frames: int) -> None:
    positions = listed("fbms", name)
    put(f"JPEGImages/{name}/{{n:05d}}.jpg", numbers=range(1, 1 + frames))
    put(f"Annotations/{name}/{{n:05d}}.png", "binary255", [first + position for position in positions])
    found = find("fbms", root)[name]
    assert {index: int(path.stem) - first for index, path in found.annotations.items()} == {n: n for n in positions}


def test_horses05_has_no_annotation_219(put: Put, root: Path) -> None:
    assert 219 not in listed("fbms", "horses05")
    put("Testset/horses05/horses05_{n:04d}.jpg", numbers=range(1, 457))
    put("Testset/horses05/GroundTruth/horses05_{n:04d}_gt.ppm", "colour", [1 + n for n in listed("fbms", "horses05")])
    (found,) = select(load_dataset("fbms"), Choice(root=root, videos=("horses05",))).videos
    assert (len(found.annotations), found.codec, 219 in found.annotations) == (23, "ppm_nonwhite", False)


def test_missing_first_annotation_is_not_a_renumbering(put: Put, root: Path) -> None:
    put("Testset/cars10/cars10_{n:02d}.jpg", numbers=range(1, 31))
    put("Testset/cars10/GroundTruth/cars10_{n:02d}.pgm", "labels", [10, 20, 30])
    assert list(find("fbms", root)["cars10"].annotations) == [9, 19, 29]
    selection = select(load_dataset("fbms"), Choice(root=root, videos=("cars10",)))
    assert selection.unannotated == {"cars10": (0,)}
    assert selection.signature().startswith("videos:1of30|annotated:3of4|fbms-seqmean@1|")


def test_fbms_companions_are_not_labels_and_white_is_background(put: Put, root: Path) -> None:
    truth = "Trainingset/bear01/GroundTruth/bear01_{n:04d}_gt"
    put("Trainingset/bear01/bear01_{n:04d}.jpg", numbers=range(1, 101))
    numbers = [1 + n for n in listed("fbms", "bear01")]
    put(f"{truth}.ppm", "colour", numbers)
    for companion in (f"{truth}.pgm", f"{truth}PROB.ppm", f"{truth}_PROB.pgm"):
        put(companion, "inverted255", numbers)
    found = find("fbms", root, "train")["bear01"]
    assert {path.name for path in found.annotations.values()} == {f"bear01_{n:04d}_gt.ppm" for n in numbers}
    assert images.read_mask(found.annotations[0], found.codec).sum() == 12
    assert np.unique(images.read_regions(found.annotations[0], found.codec)).tolist() == [0, 0x00FFFF]


def test_antonilo_reads_fbms_differently(put: Put, root: Path) -> None:
    for name in ("marple2", "marple7", "cars1"):
        put(f"Testset/{name}/{name}_{{n:03d}}.jpg", numbers=(1, 2))
        put(f"Testset/{name}/GroundTruth/{name}_{{n:03d}}.pgm", "labels", (1, 2))
    found = find("fbms", root, layout="fbms-official-antonilo")
    codecs = {"marple2": "fbms_antonilo_marple2", "marple7": "fbms_antonilo_marple7", "cars1": "fbms_antonilo"}
    assert {name: video.codec for name, video in found.items()} == codecs
    assert {video.codec for video in find("fbms", root).values()} == {"nonzero"}
    greys = np.array([[0, 10, 20, 40, 100, 255]], np.uint8)
    seen = {name: codec(name).decode(greys, "L").astype(int).tolist()[0] for name in ["nonzero", *codecs.values()]}
    assert seen == {
        "nonzero": [0, 1, 1, 1, 1, 1],
        "fbms_antonilo": [0, 0, 0, 1, 1, 1],
        "fbms_antonilo_marple2": [0, 0, 0, 0, 0, 1],
        "fbms_antonilo_marple7": [0, 0, 1, 1, 1, 1],
    }
    colours = np.array([[[255, 255, 255], [0, 0, 255], [255, 255, 0], [0, 0, 0]]], np.uint8)
    assert codec("fbms_antonilo").decode(colours, "RGB").tolist() == [[False, True, True, False]]
    assert codec("ppm_nonwhite").decode(colours, "RGB").tolist() == [[False, True, True, True]]
    assert codec("ppm_nonwhite").regions(colours, "RGB").tolist() == [[0, 255, 0xFFFF00, BLACK]]


def test_a_folder_named_fbms_that_contains_davis(put: Put, root: Path) -> None:
    put("FBMS-59/test/frame/bear/{n:05d}.jpg", numbers=range(3))
    put("FBMS-59/test/mask/bear/{n:05d}.png", "binary255", range(3))
    with pytest.raises(DataError, match="30 of 30 videos are missing"):
        select(load_dataset("fbms"), Choice(root=root))


def test_labelled_only_copies_have_all_annotated_frames_or_are_incomplete(put: Put, root: Path) -> None:
    for kind, room in (("frame", "JPEGImages"), ("binary255", "Annotations")):
        put(f"TestSet/{room}/cars10/cars10_{{n:02d}}.png", kind, (1, 10, 20, 30))
        put(f"TestSet/{room}/cars1/cars1_{{n:02d}}.png", kind, (1, 10))
    (video,) = select(load_dataset("fbms"), Choice(root=root, videos=("cars10",))).videos
    assert (video.labelled_only, list(video.annotations)) == (True, [0, 1, 2, 3])
    with pytest.raises(DataError, match='"cars1" has 2 of 3 frames'):
        select(load_dataset("fbms"), Choice(root=root, videos=("cars1",)))
    said = [each.message for each in verify(load_dataset("fbms"), root, "test").findings if each.video == "cars10"]
    assert said == []


def write_visal(put: Put, folders: dict[str, str]) -> None:
    for folder, files in folders.items():
        put(f"ViSal/{folder}/{files}_frame{{n:04d}}.bmp", numbers=range(1, 51))
        put(f"GroundTruth/{files}_frame{{n:04d}}.bmp", "rgb255", range(1, 51, 5))


def test_visal_horse2_is_another_video_in_other_copies(put: Put, root: Path) -> None:
    write_visal(put, {"horse": "horse2", "horse2": "horse3", "cow": "cow4", "lion": "lion"})
    put("ViSal/gokart/gokart{n}.bmp", numbers=range(56, 100))
    put("GroundTruth/gokart{n}.bmp", "rgb255", range(56, 100, 5))
    found = find("visal", root)
    assert list(found) == ["cow", "gokart", "horse", "horse2", "lion"]
    assert {video.layout for video in found.values()} == {"visal-official"}
    assert found["horse2"].frames[0].name == "horse3_frame0001.bmp"
    assert found["horse"].annotations[45].name == "horse2_frame0046.bmp"
    assert read_frame(found["horse"].frames[0]).shape == (6, 8, 3)
    (root / "ViSal").rename(root / "old")
    write_visal(put, {"horse2": "horse2", "horse3": "horse3", "cow4": "cow4"})
    renamed = find("visal", root)
    assert renamed["horse2"].frames[0].name == "horse3_frame0001.bmp"
    assert renamed["horse"].layout == "visal-3dc"
    (root / "ViSal" / "horse3").rename(root / "a")
    (root / "ViSal" / "cow4").rename(root / "b")
    with pytest.raises(DataError, match='is not a frame of "horse2", whose files begin with "horse3"'):
        find("visal", root)
    assert list(find("visal", root, layout="visal-3dc")) == ["horse"]


SHOT = "youtube_masks/cow/data/{id}/shots/001"


def test_cow_0019_has_one_label(put: Put, root: Path) -> None:
    shot = SHOT.format(id="0019")
    put(f"{shot}/images/frame{{n:04d}}.jpg", numbers=range(1, 12))
    put(f"{shot}/labels/{{n:05d}}.jpg", "binary255", (11,))
    (video,) = select(load_dataset("ytobj"), Choice(root=root, videos=("cow_0019",))).videos
    assert (len(video), list(video.annotations), video.category) == (11, [10], "cow")


def test_labels_belong_to_the_frame_of_their_number(put: Put, root: Path) -> None:
    shot = SHOT.format(id="0001")
    put(f"{shot}/images/frame{{n:04d}}.jpg", numbers=range(5, 60))
    put(f"{shot}/labels/{{n:05d}}.jpg", "binary255", (11, 31, 41, 99))
    video = find("ytobj", root)["cow_0001"]
    assert {video.frames[index].stem for index in video.annotations} == {"frame0011", "frame0031", "frame0041"}


def test_labels_of_half_the_frames_size(put: Put, root: Path, tmp_path: Path) -> None:
    shot = SHOT.format(id="0001")
    put(f"{shot}/labels/{{n:05d}}.jpg", "binary255", (1,))
    Image.new("RGB", (16, 12)).save(root / shot / "frame.png")
    (root / shot / "images").mkdir()
    (root / shot / "frame.png").rename(root / shot / "images" / "00001.png")
    dataset = load_dataset("ytobj")
    notes = [each for each in verify(dataset, root, "test").findings if each.video == "cow_0001"]
    assert [(each.level, each.message) for each in notes] == [
        ("note", 'annotation "00001.jpg" is 8×6, its frame 16×12')
    ]
    (video,) = select(dataset, Choice(root=root, videos=("cow_0001",))).videos
    mask = images.read_mask(video.annotations[0], video.codec).repeat(2, axis=0).repeat(2, axis=1)
    images.write_png(tmp_path / "maps" / "cow_0001" / "00001.png", mask * np.uint8(255))
    record, _, _ = score(tmp_path / "maps", select(dataset, Choice(root=root, videos=("cow_0001",))))
    assert record.videos["cow_0001"]["J_mean"] == 1


@pytest.mark.parametrize("inside", ["", "YTO/", "YTOdevkit/YTO/"])
def test_youtube_objects_2_has_no_masks(put: Put, root: Path, inside: str) -> None:
    for path in ("ImageSets/Main/cow.txt", "Annotations/cow_1.xml", "JPEGImages/cow_1.jpg"):
        put(f"{inside}{path}")
    with pytest.raises(DataError, match="boxes instead of masks"):
        find("ytobj", root)


def test_unsupervised_annotations_are_other_objects(put: Put, root: Path) -> None:
    put("Annotations_unsupervised/480p/bear/00000.png", "palette")
    with pytest.raises(DataError, match="objects of DAVIS-2017 Unsupervised"):
        find("davis16", root)


def test_ags_has_no_annotations(put: Put, root: Path) -> None:
    put("davis16-test/cows/{n:05d}.jpg", numbers=range(104))
    video = find("davis16", root)["cows"]
    assert (len(video), len(video.annotations), video.layout) == (104, 0, "ags")
    with pytest.raises(DataError, match='"cows" has no annotations, in layout "ags"'):
        select(load_dataset("davis16"), Choice(root=root, videos=("cows",)))


def test_flipped_copies_are_never_recognised(put: Put, root: Path) -> None:
    for kind, room in (("frame", "JPEGImages"), ("binary255", "Annotations")):
        put(f"{room}/480p/cars1/{{n:05d}}.png", kind, range(19))
    assert find("fbms", root)["cars1"].codec == "inverted255"
    assert find("fbms", root, layout="fbms-davis-like-flipped")["cars1"].codec == "binary255"


def test_two_layouts_at_once(put: Put, root: Path) -> None:
    for path in ("JPEGImages/480p/bear/0.jpg", "Annotations/480p/bear/0.png", "ImageSets/480p/val.txt"):
        put(path)
    put("cows/Imgs/cows_{n:05d}.png", numbers=range(2))
    put("cows/ground-truth/cows_{n:05d}.png", "rgb255", range(2))
    with pytest.raises(DataError, match="davis16-official and vsod-seq at once; choose one with --layout"):
        find("davis16", root)
    assert list(find("davis16", root, layout="vsod-seq")) == ["cows"]
    with pytest.raises(UsageError, match='no layout "vsod"; available: davis16-official'):
        find("davis16", root, layout="vsod")
    with pytest.raises(DataError, match="is not a folder"):
        find("davis16", root / "none", layout="vsod-seq")


def test_frames_with_and_without_the_labelled_ones_are_two_layouts(put: Put, root: Path) -> None:
    put("cow/data/0001/shots/001/frame{n:04d}.jpg", numbers=range(1, 12))
    put(f"{SHOT.format(id='0001')}/images/{{n:05d}}.png", numbers=(1, 11))
    put(f"{SHOT.format(id='0001')}/labels/{{n:05d}}.jpg", "binary255", (1, 11))
    with pytest.raises(DataError, match="yto-masks and yto-frames at once"):
        find("ytobj", root)
    assert list(find("ytobj", root, layout="yto-frames")["cow_0001"].annotations) == [0, 10]
    assert list(find("ytobj", root, layout="yto-masks")["cow_0001"].annotations) == [0, 1]


@pytest.mark.parametrize(
    ("layout", "frames", "masks"),
    [
        ("duts-official", "DUTS-TR/DUTS-TR-Image/a_{n}.jpg", "DUTS-TR/DUTS-TR-Mask/a_{n}.png"),
        ("duts-tmo", "DUTS/JPEGImages/a_{n}.jpg", "DUTS/Annotations/a_{n}.png"),
        ("duts-dpa", "DUTS_train/RGB/a_{n}.jpg", "DUTS_train/GT/a_{n}.png"),
        ("duts-davsod", "DUTS-train/img/part_000/a_{n}.jpg", "DUTS-train/gt/part_000/a_{n}.png"),
        ("msra10k-official", "MSRA10K_Imgs_GT/Imgs/a_{n}.jpg", "MSRA10K_Imgs_GT/Imgs/a_{n}.png"),
        ("msra10k-masks", "Imgs/a_{n}.jpg", "Masks/a_{n}.png"),
        ("msra10k-cosnet", "images/a_{n}.jpg", "saliencymaps/a_{n}.jpg"),
    ],
)
def test_images_are_videos_of_one_frame(
    put: Put, root: Path, tmp_path: Path, layout: str, frames: str, masks: str
) -> None:
    put(frames, numbers=range(12))
    put(masks, "binary255", range(12))
    dataset = load_dataset(layout.partition("-")[0])
    videos = dataset.videos(root, "train")
    assert [video.name for video in videos] == sorted(f"a_{n}" for n in range(12))
    assert {video.layout for video in videos} == {layout}
    assert all(video.frames[0].stem == video.annotations[0].stem == video.name for video in videos)
    for video in videos:
        mask = images.read_mask(video.annotations[0], video.codec)
        images.write_png(tmp_path / "maps" / video.name / f"{video.name}.png", mask * np.uint8(255))
    record, _, _ = score(tmp_path / "maps", select(dataset, Choice(root=root)))
    assert (record.scores["J_mean"], record.scores["MAE"]) == (1, 0)
    assert verify(dataset, root, "train").complete == 12
    next(iter(root.rglob("a_7.png")), root / masks.format(n=7)).unlink()
    with pytest.raises(DataError, match='"a_7" is an image without a mask, one of 1'):
        dataset.videos(root, "train")


def test_hidden_files_are_not_looked_at(put: Put, root: Path) -> None:
    put("Testset/cars10/cars10_{n:02d}.jpg", numbers=range(1, 31))
    put("Testset/cars10/GroundTruth/cars10_{n:02d}.pgm", "labels", [1, 10, 20, 30])
    before = find("fbms", root)["cars10"]
    put("Testset/cars10/._cars10_{n:02d}.jpg", numbers=range(1, 31))
    put("Testset/cars10/Thumbs.db")
    put("Testset/cars10/GroundTruth/._cars10_{n:02d}.ppm", "colour", [1, 10])
    put("Testset/cars10/.ipynb_checkpoints/cars10_{n:02d}.jpg")
    put("__MACOSX/frame/test/cars10/{n:05d}.jpg")
    put("__MACOSX/mask/test/cars10/{n:05d}.png", "binary255")
    put("__MACOSX/GroundTruth/{n:05d}.png", "binary255")
    assert find("fbms", root) == {"cars10": before}
    put("Testset/.Trash/{n:05d}.jpg")
    put("Testset/__MACOSX/{n:05d}.jpg")
    put("Testset/strangers.txt")
    messages = [each.message for each in verify(load_dataset("fbms"), root, "test").findings if each.level == "note"]
    assert not messages
    put("Testset/elephant/{n:05d}.jpg")
    messages = [each.message for each in verify(load_dataset("fbms"), root, "test").findings if each.level == "note"]
    assert messages == ["1 sequences are not part of FBMS-59: elephant"]


def test_links_are_followed_and_loops_end(put: Put, root: Path) -> None:
    put("elsewhere/cars10_{n:02d}.JPG", numbers=range(1, 31))
    put("elsewhere/GroundTruth/cars10_{n:02d}.PGM", "labels", [1, 10, 20, 30])
    (root / "Testset").mkdir()
    (root / "Testset" / "cars10").symlink_to("../elsewhere", target_is_directory=True)
    (root / "elsewhere" / "GroundTruth" / "again").symlink_to("..", target_is_directory=True)
    (root / "Testset" / "Data").symlink_to("..", target_is_directory=True)
    (root / "Testset" / "itself").symlink_to("itself")
    (root / "Testset" / "lost").symlink_to("nowhere")
    found = find("fbms", root)["cars10"]
    assert (len(found), sorted(found.annotations)) == (30, [0, 9, 19, 29])
