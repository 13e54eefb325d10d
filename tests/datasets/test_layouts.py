"""Every layout of every dataset, on trees of a few pixels."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from vosbench.dataset import Dataset, Listed
from vosbench.dataset.selection import Choice, select
from vosbench.errors import DataError
from vosbench.evaluate.score import all_rows, score
from vosbench.images import files as images
from vosbench.registry import load_dataset

Put = Callable[..., None]
Reduced = Callable[[str, Mapping[str, Listed]], Dataset]

LISTS = {
    "davis16": {"bear": Listed(frames=3), "cows": Listed(frames=3)},
    "fbms": {name: Listed(frames=4, annotated=(0, 3)) for name in ("cars1", "people1")},
    "ytobj": {f"{name}_0001": Listed(frames=None, category=name) for name in ("bird", "cow")},
    "visal": {name: Listed(frames=6, annotated=(0, 5)) for name in ("bird", "horse")},
}


@dataclass(frozen=True)
class Tree:
    """A tree: where frames and annotations are (``{v}`` video, ``{n}`` number), and what else is there."""

    dataset: str
    layout: str
    frames: str
    annotations: str
    kind: str
    first: int = 0
    also: tuple[str, ...] = ()
    sparse: bool = False
    names: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.dataset}:{self.layout}:{self.frames}"


def davis(layout: str, inside: str, kind: str, *also: str, masks: str = "Annotations/480p") -> Tree:
    where = f"{inside}JPEGImages/480p/{{v}}/{{n:05d}}.jpg"
    return Tree("davis16", layout, where, f"{inside}{masks}/{{v}}/{{n:05d}}.png", kind, also=also)


def rooms(dataset: str, inside: str, kind: str, frames: str, masks: str, layout: str) -> Tree:
    """A room per kind of file in each video's folder."""
    names = f"{inside}{{v}}/{frames}/{{v}}_{{n:05d}}.jpg", f"{inside}{{v}}/{masks}/{{v}}_{{n:05d}}.png"
    return Tree(dataset, layout, *names, kind, also=(f"{inside}x/{frames}/x", f"{inside}x/{masks}/x"))


FBMS33 = "{v}_{n:04d}.jpg", "GroundTruth/{v}_{n:04d}_gt.ppm"
BMS26 = "{v}_{n:02d}.jpg", "GroundTruth/{v}_{n:02d}.pgm"
SHOT = "{v}/data/0001/shots/001"
BY_SHOT = {f"{name}_0001": name for name in ("bird", "cow")}
NESTED = {f"{name}_0001": f"{name}/0001" for name in ("bird", "cow")}
JOINED = {f"{name}_0001": f"{name}0001" for name in ("bird", "cow")}
AFTER_FILES = {"horse": "horse2"}

TREES = [
    davis("davis16-official", "", "binary255", "ImageSets/480p/val.txt", "Annotations/db_info.yml"),
    davis("davis16-official", "DAVIS/", "binary255", "DAVIS/ImageSets/480p/val.txt"),
    davis("davis16-official", "", "binary255", "ImageSets/480p/val.txt", "Flows_gap1/480p/bear/0.flo", "val_vid.npy"),
    davis("davis16-official", "", "binary255", "ImageSets/480p/val.txt", "ImageSets/2016/val.txt"),
    davis("davis17-trainval", "", "palette", "ImageSets/2016/val.txt", "ImageSets/2017/val.txt"),
    davis("davis17-trainval", "", "palette", "ImageSets/2016/val.txt", "Annotations_unsupervised/480p/bear/00000.png"),
    davis(
        "davis-480p_2016",
        "",
        "binary255",
        "Annotations/480p/bear/00000.png",
        "Flow/480p/bear.png",
        "ImageSets/2016/frame.txt",
        masks="Annotations/480p_2016",
    ),
    davis("cosnet", "", "binary255", "val_seqs.txt", "train_seqs.txt", "ImageSets/480p/val.txt"),
    davis("matnet", "data/DAVIS2017/", "palette", "data/davis2017-flow/bear/00000.png", "data/davis2017-hed/x"),
    davis("matnet", "DAVIS/", "palette", "DAVIS/davis-flow/bear/00000.png", "DAVIS/ImageSets/2016/val.txt"),
    davis("tmo", "DAVIS/", "binary255", "DAVIS/JPEGFlows/480p/bear/0.jpg", "DAVIS/ImageSets/480p/val.txt"),
    davis("tmo-2017", "DAVIS/", "palette", "DAVIS/JPEGFlows/480p/bear/0.jpg", "DAVIS/ImageSets/2016/val.txt"),
    Tree(
        "davis16",
        "davis16-official-1080p",
        "JPEGImages/1080p/{v}/{n:05d}.jpg",
        "Annotations/1080p/{v}/{n:05d}.png",
        "binary255",
        also=("ImageSets/1080p/val.txt",),
    ),
    Tree(
        "davis16",
        "davis17-trainval-full",
        "JPEGImages/Full-Resolution/{v}/{n:05d}.jpg",
        "Annotations/Full-Resolution/{v}/{n:05d}.png",
        "palette",
        also=("ImageSets/2016/val.txt",),
    ),
    Tree(
        "davis16",
        "xseg-split",
        "DAVIS2SEG/frame/val/{v}/{n:05d}.jpg",
        "DAVIS2SEG/mask/val/{v}/{n:05d}.png",
        "binary01",
        also=("DAVIS2SEG/flow/val/bear/00000.png", "DAVIS2SEG/frame/train/dog/00000.jpg"),
    ),
    Tree(
        "davis16",
        "xseg-split-mtnet",
        "val/frame/{v}/{n:05d}.jpg",
        "val/mask/{v}/{n:05d}.png",
        "binary01",
        also=("val/flow/bear/00000.png",),
    ),
    Tree(
        "davis16",
        "rtnet-flat",
        "DAVIS/val/img/{v}_{n:05d}.jpg",
        "DAVIS/val/label/{v}_{n:05d}.png",
        "binary255",
        also=("DAVIS/val/flow_img/fw_bear_00000.png", "DAVIS/val/img/bear-2_00000.jpg"),
    ),
    Tree(
        "davis16",
        "rcf-list",
        "JPEGImages/{v}/{n:05d}.jpg",
        "Annotations/{v}/{n:05d}.png",
        "binary255",
        also=("val_ann.txt",),
    ),
    rooms("davis16", "", "binary255", "Imgs", "ground-truth", "vsod-seq"),
    rooms("davis16", "DAVIS/", "rgb255", "Imgs", "ground-truth", "vsod-seq"),
    rooms("davis16", "TestSet/DAVIS/", "rgb255", "Frame", "GT", "fsnet-test"),
    Tree("davis16", "dpa", "DAVIS_test/{v}/RGB/{n:05d}.jpg", "DAVIS_test/{v}/GT/{n:05d}.png", "binary255"),
    Tree("davis16", "dpa", "DAVIS_train/RGB/{v}_{n:05d}.jpg", "DAVIS_train/GT/{v}_{n:05d}.png", "binary255"),
    *(
        Tree("fbms", "fbms-official", f"{inside}{{v}}/{frame}", f"{inside}{{v}}/{mask}", kind, first=1)
        for inside in ("Testset/", "TrainingSet/", "trainset/", "TestSet/Data/", "Data/", "", "FBMS/TESTSET/")
        for (frame, mask), kind in ((FBMS33, "colour"), (BMS26, "labels"))
    ),
    *(
        Tree(
            "fbms",
            "bms26-official",
            f"{inside}{{v}}/{{v}}_{{n:02d}}.{suffix}",
            f"{inside}{{v}}/{{v}}_{{n:02d}}.pgm",
            "labels",
            first=1,
            also=(f"{inside}cars1/cars1Def.dat", f"{inside}people1/people1.bmf"),
        )
        for inside in ("moseg_dataset/", "", "Trainingset/", "BMS-26/Data/")
        for suffix in ("jpg", "ppm")
    ),
    Tree(
        "fbms",
        "fbms-3dc",
        "Testset/{v}/{v}_{n:04d}.jpg",
        "inst/test/{v}/{v}_{n:04d}.png",
        "labels",
        first=1,
        also=("Testset/cars1/GroundTruth/cars1_0001_gt.ppm",),
    ),
    Tree(
        "fbms",
        "fbms-tmo",
        "FBMS/TestSet/JPEGImages/{v}/{n:05d}.jpg",
        "FBMS/TestSet/Annotations/{v}/{n:05d}.png",
        "binary255",
        sparse=True,
        also=("FBMS/TestSet/JPEGFlows/cars1/0.jpg",),
    ),
    Tree("fbms", "fbms-mg", "JPEGImages/{v}/{n:05d}.jpg", "Annotations/{v}/{n:05d}.png", "binary255", first=1),
    Tree(
        "fbms",
        "fbms-rcf",
        "JPEGImages/{v}/{n:05d}.jpg",
        "Annotations/{v}/{n:05d}.png",
        "binary255",
        also=("test_ann.txt",),
    ),
    Tree(
        "fbms",
        "fbms-xseg",
        "FBMS-59/test/frame/{v}/{n:05d}.jpg",
        "FBMS-59/test/mask/{v}/{n:05d}.png",
        "binary255",
        also=("FBMS-59/test/flow/cars1/00000.png",),
    ),
    Tree("fbms", "fbms-xseg", "test/frame/{v}/{n:05d}.jpg", "test/mask/{v}/{n:05d}.png", "binary255", sparse=True),
    Tree(
        "fbms", "fbms-davis-like", "JPEGImages/480p/{v}/{n:05d}.jpg", "Annotations/480p/{v}/{n:05d}.png", "inverted255"
    ),
    rooms("fbms", "FBMS/", "binary255", "Imgs", "ground-truth", "vsod-seq"),
    rooms("fbms", "TestSet/FBMS/", "rgb255", "Frame", "GT", "fsnet-test"),
    Tree("fbms", "dpa", "FBMS_test/{v}/RGB/{n:05d}.jpg", "FBMS_test/{v}/GT/{n:05d}.png", "binary255"),
    Tree(
        "ytobj",
        "yto-masks",
        f"youtube_masks/{SHOT}/images/{{n:05d}}.png",
        f"youtube_masks/{SHOT}/labels/{{n:05d}}.jpg",
        "binary255",
        first=1,
        sparse=True,
        names=BY_SHOT,
    ),
    Tree(
        "ytobj",
        "yto-masks-full",
        f"{SHOT}/images/frame{{n:04d}}.jpg",
        f"{SHOT}/labels/{{n:05d}}.jpg",
        "binary255",
        first=1,
        names=BY_SHOT,
        also=(SHOT.format(v="bird") + "/images/00001.png",),
    ),
    Tree("ytobj", "yto-frames", f"{SHOT}/frame{{n:04d}}.jpg", "", "", first=1, names=BY_SHOT),
    Tree(
        "ytobj",
        "yto-tmo",
        "YTOBJ/JPEGImages/{v}/{n:05d}.jpg",
        "YTOBJ/Annotations/{v}/{n:05d}.png",
        "binary255",
        sparse=True,
        names=NESTED,
        also=("YTOBJ/JPEGFlows/bird/0001/00000.jpg",),
    ),
    Tree(
        "ytobj",
        "yo2seg",
        "YO2SEG/val/frame/{v}/{n:05d}.jpg",
        "YO2SEG/val/mask/{v}/{n:05d}.png",
        "binary01",
        names=JOINED,
    ),
    Tree(
        "ytobj",
        "yo2seg-480p",
        "YO2SEG/JPEGImages/480p/{v}/{n:05d}.png",
        "YO2SEG/Annotations/{v}/{n:05d}.png",
        "binary255",
        names=JOINED,
    ),
    Tree(
        "ytobj",
        "osmn",
        "Images/{v}/{n:05d}.jpg",
        "Labels/{v}/{n:05d}.jpg",
        "binary255",
        names=JOINED,
        also=("all.txt",),
    ),
    Tree("ytobj", "dpa", "YTobj_test/{v}/RGB/{n:05d}.jpg", "YTobj_test/{v}/GT/{n:05d}.png", "binary255"),
    rooms("ytobj", "YTOBJ/", "binary255", "Imgs", "ground-truth", "vsod-seq"),
    rooms("ytobj", "TestSet/YouTube-Objects/", "rgb255", "Frame", "GT", "fsnet-test"),
    Tree(
        "visal",
        "visal-official",
        "ViSal/{v}/{f}_frame{n:04d}.bmp",
        "GroundTruth/{f}_frame{n:04d}.bmp",
        "rgb255",
        first=2,
    ),
    Tree(
        "visal",
        "visal-3dc",
        "ViSal/{f}/{f}_frame{n:04d}.bmp",
        "GroundTruth/{f}_frame{n:04d}.bmp",
        "rgb255",
        first=1,
        also=("ViSal/cow4/cow4_frame0001.bmp",),
    ),
    Tree("visal", "visal-xseg", "ViSal/test/frame/{v}/{n:05d}.jpg", "ViSal/test/mask/{v}/{n:05d}.png", "binary255"),
    rooms("visal", "ViSal/", "rgb255", "Imgs", "ground-truth", "vsod-seq"),
    rooms("visal", "TestSet/ViSal/", "binary255", "Frame", "GT", "fsnet-test"),
    Tree("visal", "dpa", "ViSal_test/{v}/RGB/{n:05d}.jpg", "ViSal_test/{v}/GT/{n:05d}.png", "binary255"),
]


def write(tree: Tree, put: Put) -> None:
    for name, listed in LISTS[tree.dataset].items():
        length = listed.frames or 5
        annotated = range(length) if listed.annotated is None else listed.annotated
        numbers = [tree.first + index for index in (annotated if tree.sparse else range(length))]
        called = tree.names.get(name, name)
        rename = {"v": called, "f": AFTER_FILES.get(name, called)}
        for number in numbers:
            put(tree.frames.format(n=number, **rename))
        for index in annotated if tree.annotations else ():
            put(tree.annotations.format(n=tree.first + index, **rename), tree.kind)
    for path in tree.also:
        put(path)


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_layout(tree: Tree, put: Put, reduced: Reduced, root: Path, tmp_path: Path) -> None:
    dataset = reduced(tree.dataset, LISTS[tree.dataset])
    write(tree, put)
    videos = dataset.videos(root, dataset.splits[0])
    assert [video.name for video in videos] == list(LISTS[tree.dataset])
    for video in videos:
        listed = LISTS[tree.dataset][video.name]
        assert (video.layout, video.category) == (tree.layout, listed.category)
        assert [path.name for path in video.frames] == sorted(path.name for path in video.frames)
        everything = tuple(range(len(video)))
        expected = everything if tree.sparse or listed.annotated is None else listed.annotated
        assert tuple(sorted(video.annotations)) == (expected if tree.annotations else ())
        assert len(video) == (len(listed.annotated or everything) if tree.sparse else listed.frames or 5)
        for path in video.annotations.values():
            mask = images.read_mask(path, video.codec)
            assert (mask.sum(), mask[2:5, 2:6].all()) == (12, True)
    assert dataset.videos(root, dataset.splits[0], tree.layout) == videos
    choice = Choice(root=root, protocol=next(each.name for each in dataset.protocols if "J" in each.measures))
    if not tree.annotations:
        with pytest.raises(DataError, match="no annotations, in layout"):
            select(dataset, choice)
        return
    for video in videos:
        for index, path in video.annotations.items():
            mask = images.read_mask(path, video.codec)
            images.write_png(tmp_path / "maps" / video.name / f"{video.frames[index].stem}.png", mask * np.uint8(255))
    record, _, _ = score(tmp_path / "maps", select(dataset, choice))
    assert record.scores["J_mean"] == 1


BY_FRAMES = {"visal-official", "visal-3dc"}
"""Layouts whose annotations lie in one folder, so that frames tell which video they are of."""
ALONE = [tree for tree in TREES if tree.annotations and tree.dataset != "ytobj" and tree.layout not in BY_FRAMES]
"""Trees that can be scored without frames; the list of YouTube-Objects has no numbers of frames."""
UNCLEAR = {"xseg-split", "dpa", "fbms-davis-like"}
"""Layouts that look like others without their frames, and are chosen with ``--layout``."""


@pytest.mark.parametrize("tree", ALONE, ids=str)
def test_scores_without_frames_are_the_same(tree: Tree, put: Put, reduced: Reduced, root: Path, tmp_path: Path) -> None:
    dataset = reduced(tree.dataset, LISTS[tree.dataset])
    write(tree, put)
    choice = Choice(root=root, protocol=next(each.name for each in dataset.protocols if "J" in each.measures))
    whole = select(dataset, choice)
    rng = np.random.default_rng(0)
    for video in whole.videos:
        for index in video.annotations:
            mask = rng.integers(0, 2, (6, 8), np.uint8) * np.uint8(255)
            images.write_png(tmp_path / "maps" / video.name / f"{video.frames[index].stem}.png", mask)
    record, scored, _ = score(tmp_path / "maps", whole)
    assert not any(video.frameless for video in whole.videos)
    for path in (path for video in whole.videos for path in video.frames):
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    for room in ("JPEGImages", "img", "frame", "Frame", "Imgs", "RGB"):
        for folder in sorted(root.rglob(room)):
            shutil.rmtree(folder)
    alone = select(dataset, replace(choice, layout=tree.layout) if tree.layout in UNCLEAR else choice)
    again, rows, _ = score(tmp_path / "maps", alone)
    assert all(video.frameless and video.layout == tree.layout for video in alone.videos)
    assert (again.scores, again.videos) == (record.scores, record.videos)
    if not tree.sparse:  # such annotations may also be numbered as in the whole video
        assert [(len(video), video.annotations) for video in alone.videos] == [
            (len(video), video.annotations) for video in whole.videos
        ]
        assert all_rows(rows) == all_rows(scored)
        assert again.provenance.annotations == record.provenance.annotations


ELSEWHERE = {"ags", "fbms-official-antonilo", "fbms-davis-like-flipped", "visal-annotations"}
"""Layouts that other tests are about."""


def test_every_layout_has_a_tree() -> None:
    for name in LISTS:
        there = {tree.layout for tree in TREES if tree.dataset == name}
        assert set(load_dataset(name).layouts) - there <= {
            "ags",
            "fbms-official-antonilo",
            "fbms-davis-like-flipped",
            "visal-annotations",
        }
