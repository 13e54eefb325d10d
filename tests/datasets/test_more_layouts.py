"""Every layout of the datasets beyond the papers' four, on trees of a few pixels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from vosbench.dataset import Dataset, Listed
from vosbench.dataset.selection import Choice, select
from vosbench.dataset.verify import verify
from vosbench.errors import DataError
from vosbench.evaluate.score import score
from vosbench.images import files as images
from vosbench.images import read_annotation
from vosbench.metrics.packed import unpack
from vosbench.registry import load_dataset

Put = Callable[..., None]
Reduced = Callable[[str, Mapping[str, Listed]], Dataset]
THREE = Listed(frames=3)
LISTS = {
    "segtrack2": {"frog": THREE, "bmx": Listed(frames=None)},
    "davsod": {"select_0606": THREE, "select_0616_1": THREE},
    "vos": {"3": Listed(frames=None), "36": Listed(frames=None)},
    "longvideos": {"rat": Listed(frames=4, labels=2), "blueboy": Listed(frames=4, labels=2)},
    "moca": {"crab": THREE, "fossa": THREE},
    "moca-mask": {"ibex": THREE, "moth": THREE},
    "ytvos": {"003234408d": Listed(frames=None), "0043f083b5": Listed(frames=None)},
}


@dataclass(frozen=True)
class Tree:
    """Where frames and annotations are, as in ``test_layouts``; annotations of several objects have several places."""

    dataset: str
    layout: str
    frames: str
    annotations: str | tuple[str, ...]
    kind: str = "binary255"
    numbers: tuple[int, ...] = (0, 1, 2)
    labelled: tuple[int, ...] = (0, 1, 2)
    also: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.dataset}:{self.layout}:{self.frames}"


def rooms(dataset: str, inside: str, frames: str, masks: str, layout: str, **names: str) -> Tree:
    places = f"{inside}{{v}}/{frames}/{{v}}_{{n:05d}}.jpg", f"{inside}{{v}}/{masks}/{{v}}_{{n:05d}}.png"
    return Tree(dataset, layout, *places, "rgb255", names=names)


UNIFIED = {"select_0606": "select0606", "select_0616_1": "select0616-1"}
SPARSE = {"numbers": (3, 6, 9, 12), "labelled": (3, 12)}
TREES = [
    Tree(
        "segtrack2",
        "segtrack2-official",
        "JPEGImages/{v}/{v}_{n:05d}.png",
        "GroundTruth/{v}/{v}_{n:05d}.bmp",
        "rgb255",
        also=("ImageSets/all.txt",),
    ),
    Tree(
        "segtrack2",
        "segtrack2-official",
        "SegTrackv2/JPEGImages/{v}/{v}_{n:05d}.bmp",
        ("SegTrackv2/GroundTruth/{v}/1/{v}_{n:05d}.bmp", "SegTrackv2/GroundTruth/{v}/2/{v}_{n:05d}.png"),
        "rgb255",
    ),
    Tree("segtrack2", "segtrack2-merged", "JPEGImages/{v}/{n:05d}.jpg", "Annotations/{v}/{n:05d}.png", "rgb255"),
    Tree("segtrack2", "segtrack2-xseg", "test/frame/{v}/{n:05d}.jpg", "test/mask/{v}/{n:05d}.png"),
    rooms("segtrack2", "SegTrack-v2/", "Imgs", "ground-truth", "vsod-seq"),
    rooms("segtrack2", "", "Frame", "GT", "fsnet-test"),
    rooms("davsod", "TestSet/Easy-35/", "Imgs", "GT_object_level", "davsod-official"),
    rooms("davsod", "DAVSOD/", "Imgs", "ground-truth", "vsod-seq", **UNIFIED),
    rooms("davsod", "DAVSOD/test/", "Imgs", "ground-truth", "vsod-seq"),
    rooms("davsod", "DAVSOD/", "Frame", "GT", "fsnet-test"),
    Tree("davsod", "davsod-flat", "DAVSOD/RGB/{v}_{n:04d}.jpg", "DAVSOD/GT/{v}_{n:04d}.png", names=UNIFIED),
    Tree("davsod", "davsod-xseg", "Easy-35/test/frame/{v}/{n:05d}.png", "Easy-35/test/mask/{v}/{n:05d}.png"),
    Tree(
        "davsod",
        "davsod-jpegimages",
        "DAVSOD/TestSet/JPEGImages/{v}/{n:05d}.jpg",
        "DAVSOD/TestSet/Annotations/{v}/{n:05d}.png",
    ),
    Tree("vos", "vos-rcrnet", "VOS/JPEGImages/{v}/{n:05d}.jpg", "VOS/Annotations/{v}/{n:05d}.png", **SPARSE),  # type: ignore[arg-type]
    rooms("vos", "VOS_test/", "Imgs", "ground-truth", "vsod-seq"),
    rooms("vos", "", "Frame", "GT", "fsnet-test"),
    *(
        Tree(
            "longvideos",
            "longvideos-official",
            f"{inside}JPEGImages/{{v}}/{{n:05d}}.jpg",
            f"{inside}Annotations/{{v}}/{{n:05d}}.png",
            "palette",
            also=also,
            **SPARSE,  # type: ignore[arg-type]
        )
        for inside, also in (
            ("", ("videos.txt",)),
            ("long_video_set/long_video/", ("long_video_set/long_video_x3/JPEGImages/rat/0.jpg",)),
        )
    ),
    Tree(
        "longvideos",
        "longvideos-tmo",
        "LVID/JPEGImages/{v}/{n:05d}.jpg",
        "LVID/Annotations/{v}/{n:05d}.png",
        numbers=(0, 1),
        labelled=(0, 1),
        also=("LVID/JPEGFlows/rat/00000.jpg",),
    ),
    Tree(
        "longvideos",
        "longvideos-mtnet",
        "LongVideos/JPEGImages/{v}/{n:05d}.jpg",
        "LongVideos/Annotations/{v}/{n:05d}.png",
        also=("LongVideos/Flow/rat/00000.jpg",),
        **SPARSE,  # type: ignore[arg-type]
    ),
    Tree("moca", "moca-masks", "MoCA_filtered/JPEGImages/{v}/{n:05d}.jpg", "MoCA_filtered/Annotations/{v}/{n:05d}.png"),
    Tree(
        "moca-mask",
        "moca-mask-official",
        "MoCA-Mask/MoCA_Video/TestDataset_per_sq/{v}/Imgs/{n:05d}.jpg",
        "MoCA-Mask/MoCA_Video/TestDataset_per_sq/{v}/GT/{n:05d}.png",
        numbers=(0, 5, 10),
        labelled=(0, 5, 10),
    ),
    Tree(
        "ytvos",
        "ytvos-official",
        "YouTubeVOS_2018/train/JPEGImages/{v}/{n:05d}.jpg",
        "YouTubeVOS_2018/train/Annotations/{v}/{n:05d}.png",
        "palette",
        numbers=(0, 50, 100),
        labelled=(0, 50, 100),
        also=("YouTubeVOS_2018/train/meta.json", "YouTubeVOS_2018/YouTubeVOS_2018-flow/0043f083b5/00000.png"),
    ),
    Tree(
        "ytvos",
        "ytvos-all-frames",
        "train_all_frames/JPEGImages/{v}/{n:05d}.jpg",
        "train/Annotations/{v}/{n:05d}.png",
        "palette",
        numbers=tuple(range(11)),
        labelled=(0, 5, 10),
    ),
    Tree("ytvos", "ytvos-xseg", "YouTube2SEG/frame/{v}/{n:05d}.jpg", "YouTube2SEG/mask/{v}/{n:05d}.png", "labels"),
    Tree(
        "ytvos",
        "ytvos-fsnet",
        "TrainSet/SampleYTBVOS-30/{v}/Frame/{n:05d}.jpg",
        "TrainSet/SampleYTBVOS-30/{v}/GT/{n:05d}.png",
    ),
]


def write(tree: Tree, put: Put) -> None:
    places = (tree.annotations,) if isinstance(tree.annotations, str) else tree.annotations
    for name in LISTS[tree.dataset]:
        called = tree.names.get(name, name)
        for number in tree.numbers:
            put(tree.frames.format(v=called, n=number))
        for number in tree.labelled:
            for place in places:
                put(place.format(v=called, n=number), tree.kind)
    for path in tree.also:
        put(path)


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_layout(tree: Tree, put: Put, reduced: Reduced, root: Path, tmp_path: Path) -> None:
    dataset = reduced(tree.dataset, LISTS[tree.dataset])
    write(tree, put)
    videos = dataset.videos(root, dataset.splits[0])
    assert [video.name for video in videos] == list(LISTS[tree.dataset])
    objects = 1 if isinstance(tree.annotations, str) else len(tree.annotations)
    for video in videos:
        assert (video.layout, len(video)) == (tree.layout, len(tree.numbers))
        assert sorted(video.annotations) == [tree.numbers.index(number) for number in tree.labelled]
        for annotation in video.annotations.values():
            assert (len(annotation) if isinstance(annotation, tuple) else 1) == objects
            mask = unpack(read_annotation(annotation, video.codec))
            assert (mask.sum(), mask[2:5, 2:6].all()) == (12, True)
    assert dataset.videos(root, dataset.splits[0], tree.layout) == videos
    selection = select(dataset, Choice(root=root, split=dataset.splits[0]))
    for video in selection.videos:
        for index, annotation in video.annotations.items():
            mask = unpack(read_annotation(annotation, video.codec))
            called = tree.names.get(video.name, video.name)
            images.write_png(tmp_path / "maps" / called / f"{video.frames[index].stem}.png", mask * np.uint8(255))
    protocols = [each for each in dataset.protocols if each.saliency != "adnet" and any(each.scored(videos[0]))]
    for protocol in protocols:
        record, _, _ = score(
            tmp_path / "maps", select(dataset, Choice(root=root, protocol=protocol.name, split=dataset.splits[0]))
        )
        perfect = {"J_mean": 1, "box_J": 1, "MAE": 0}
        shared = perfect.keys() & record.scores.keys()
        assert shared
        assert {name: record.scores[name] for name in shared} == {name: perfect[name] for name in shared}
    report = verify(dataset, root, dataset.splits[0])
    assert (report.errors, report.complete, report.layout) == ([], 2, tree.layout)


def test_every_layout_has_a_tree() -> None:
    for name in LISTS:
        there = {tree.layout for tree in TREES if tree.dataset == name}
        assert set(load_dataset(name).layouts) - there <= {"moca-motiongrouping", "moca-official"}


@pytest.mark.parametrize("name", LISTS)
def test_another_dataset_is_refused(name: str, put: Put, root: Path) -> None:
    put("frames/elephant/{n:05d}.jpg", numbers=range(3))
    put("labels/elephant/{n:05d}.png", "binary255", range(3))
    with pytest.raises(DataError, match=f"is not {load_dataset(name).title}.*it contains frames, labels, but"):
        load_dataset(name).videos(root, load_dataset(name).splits[0])


@pytest.mark.parametrize(
    ("name", "split", "videos", "frames"),
    [
        ("segtrack2", "vsod13", 13, None),
        ("segtrack2", "all", 14, None),
        ("davsod", "easy", 35, 5332),
        ("davsod", "train", 61, None),
        ("davsod", "normal", 0, 0),
        ("vos", "test", 40, None),
        ("vos", "val", 40, None),
        ("vos", "train", 119, None),
        ("longvideos", "test", 3, 7411),
        ("moca", "filtered", 88, 4803),
        ("moca-mask", "test", 16, 745),
        ("moca-mask", "train", 71, 3946),
        ("davis17", "val", 30, 1999),
        ("davis17", "train", 60, 4209),
        ("davis17", "test-dev", 30, None),
        ("ytvos", "train", 3471, None),
        ("ytvos", "part", 0, 0),
    ],
)
def test_lists(name: str, split: str, videos: int, frames: int | None) -> None:
    listing = load_dataset(name).listing(split)
    counts = [listed.frames for listed in listing.values()]
    assert len(listing) == videos
    assert (None in counts) == (frames is None)
    assert frames is None or sum(count or 0 for count in counts) == frames


def test_every_protocol_says_what_it_is() -> None:
    for name in (*LISTS, "davis17"):
        for protocol in load_dataset(name).protocols:
            assert protocol.about
            assert protocol.split in {None, *load_dataset(name).splits}


def test_difficulties_of_vos_are_categories() -> None:
    vos = load_dataset("vos")
    kinds = [each.category for split in vos.splits for each in vos.listing(split).values()]
    assert (kinds.count("easy"), kinds.count("normal"), len(kinds)) == (96, 103, 199)


def test_frames_of_segtrack_on_which_sources_differ_are_not_listed() -> None:
    listing = load_dataset("segtrack2").listing("all")
    assert {name for name, listed in listing.items() if listed.frames is None} == {
        "bird_of_paradise",
        "penguin",
        "worm",
    }
    assert "penguin" not in load_dataset("segtrack2").listing("vsod13")
