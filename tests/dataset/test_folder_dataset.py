"""Datasets that are just folders: their shapes, odd ones, and what ``dataset.yaml`` says of them."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

from factories import disk_mask
from vosbench.dataset.description import Description, ProtocolDescription, json_schema, read_description
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.dataset.verify import verify
from vosbench.errors import DataError, UsageError, VosbenchError
from vosbench.images import read_mask, write_png
from vosbench.metrics.saliency.conventions import CONVENTIONS
from vosbench.registry import load_dataset, load_folder

SIZE = (12, 16)
Pixels = NDArray[np.uint8]


def mask(number: int = 0) -> NDArray[np.bool_]:
    return disk_mask(*SIZE, 6, 4 + number % 8, 3)


def frame(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(path)


def annotate(path: Path, pixels: Pixels | None = None) -> None:
    write_png(path, mask() * np.uint8(255) if pixels is None else pixels)


def tree(root: Path, frames: str, masks: str, *, count: int = 3, suffix: str = ".jpg", every: int = 1) -> Path:
    """Write the files of one video, or stills, in two folders below the root."""
    for t in range(count):
        frame(root / frames / f"{t:05d}{suffix}")
        if t % every == 0:
            annotate(root / masks / f"{t:05d}.png")
    return root


def chosen(root: Path, **choice: object) -> Selection:
    return select(load_dataset(str(root)), Choice(**choice))  # type: ignore[arg-type]


def shape(selection: Selection) -> tuple[str, dict[str, list[int]]]:
    return selection.videos[0].layout, {video.name: sorted(video.annotations) for video in selection.videos}


# Shapes


@pytest.mark.parametrize(
    ("frames", "masks", "layout"),
    [
        ("JPEGImages/{}", "Annotations/{}", "videos"),
        ("JPEGImages/480p/{}", "Annotations/480p/{}", "videos"),
        ("frames/{}", "masks/{}", "videos"),
        ("images/{}", "GT/{}", "videos"),
        ("{}/Imgs", "{}/GT", "per-video"),
        ("{}/Imgs", "{}/ground-truth", "per-video"),
        ("{}/Frame", "{}/GT", "per-video"),
        ("{}/RGB", "{}/gt", "per-video"),
        ("{}", "{}/GroundTruth", "per-video"),
        ("{}", "{}", "per-video"),
    ],
)
def test_shapes_of_several_videos(tmp_path: Path, frames: str, masks: str, layout: str) -> None:
    for name, count in (("cow", 3), ("dog", 5)):
        tree(tmp_path / "zoo", frames.format(name), masks.format(name), count=count, every=2)
    selection = chosen(tmp_path / "zoo")
    assert shape(selection) == (layout, {"cow": [0, 2], "dog": [0, 2, 4]})
    assert [len(video) for video in selection.videos] == [3, 5]
    assert (selection.dataset.name, selection.split) == ("zoo", "all")
    assert selection.signature().startswith("generic@1|J:all|F:0.008|avg:video|")
    assert not verify(selection.dataset, tmp_path / "zoo", "all").findings


@pytest.mark.parametrize(
    ("frames", "masks"), [("frames", "masks"), ("frame", "Annotations"), ("", "masks"), ("", "GT"), ("", "")]
)
def test_one_video(tmp_path: Path, frames: str, masks: str) -> None:
    selection = chosen(tree(tmp_path / "cow", frames, masks, every=2))
    assert shape(selection) == ("one-video", {"cow": [0, 2]})
    assert len(selection.videos[0]) == 3


@pytest.mark.parametrize(("images", "masks"), [("images", "masks"), ("Imgs", "GT"), ("img", "label")])
def test_stills(tmp_path: Path, images: str, masks: str) -> None:
    selection = chosen(tree(tmp_path / "stills", images, masks))
    assert shape(selection) == ("stills", {"00000": [0], "00001": [0], "00002": [0]})
    assert "3 still images" in selection.notes()[0]
    with pytest.raises(UsageError, match="T compares masks of consecutive frames, but stills has no two consecutive"):
        chosen(tmp_path / "stills", measures=("J", "T"))


def test_annotations_without_frames_can_be_scored(tmp_path: Path) -> None:
    for t in (7, 8, 11):
        annotate(tmp_path / "zoo" / "Annotations" / "cow" / f"{t:03d}.png")
    (video,) = chosen(tmp_path / "zoo").videos
    assert video.frameless
    assert [path.stem for path in video.frames] == ["007", "008", "009", "010", "011"]
    assert sorted(video.annotations) == [0, 1, 4]


def test_gaps_of_numbers_are_bounded_and_other_names_have_one(tmp_path: Path) -> None:
    for name in ("1", "999999999999", "b", "c"):
        annotate(tmp_path / "gt" / f"{name}.png")
    (video,) = load_folder(tmp_path / "gt", masks=True).videos(tmp_path / "gt", "all")
    assert len(video) < 200
    assert all(after > before + 1 for before, after in itertools.pairwise(sorted(video.annotations)))


@pytest.mark.parametrize(
    ("name", "pixels", "codec"),
    [
        ("mask.png", mask() * np.uint8(255), "binary255"),
        ("mask.png", mask() * np.uint8(1), "binary01"),
        ("mask.png", mask() * np.uint8(7), "binary:0,7"),
        ("mask.png", np.stack([mask() * np.uint8(200), mask() * np.uint8(10), mask() * np.uint8(3)], 2), "colours"),
    ],
)
def test_codecs_are_recognised_and_noted(tmp_path: Path, name: str, pixels: Pixels, codec: str) -> None:
    frame(tmp_path / "zoo" / "frames" / name)
    annotate(tmp_path / "zoo" / "masks" / name, pixels)
    selection = chosen(tmp_path / "zoo")
    (video,) = selection.videos
    assert video.codec == codec
    assert f'its annotations as "{codec}"' in selection.notes()[0]
    assert (read_mask(video.annotations[0], codec) == mask()).all()


def test_a_palette_is_recognised(tmp_path: Path) -> None:
    frame(tmp_path / "zoo" / "frames" / "0.png")
    image = Image.fromarray(mask() * np.uint8(2), "P")
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    (tmp_path / "zoo" / "masks").mkdir()
    image.save(tmp_path / "zoo" / "masks" / "0.png")
    assert chosen(tmp_path / "zoo").videos[0].codec == "palette"


def test_numbers_pair_only_if_no_name_does(tmp_path: Path) -> None:
    for t in range(3):
        frame(tmp_path / "cow" / "frames" / f"img{t + 1}.jpg")
        annotate(tmp_path / "cow" / "masks" / f"{t + 1:04d}_gt.png")
    assert shape(chosen(tmp_path / "cow"))[1] == {"cow": [0, 1, 2]}


def test_a_name_comes_before_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path / "sample", "frames", "masks")
    tree(tmp_path / "zoo", "frames", "masks")
    monkeypatch.chdir(tmp_path)
    assert load_dataset("sample").root is None
    assert load_dataset("zoo").root == Path("zoo")
    assert load_dataset("zoo/").name == load_dataset("./zoo").name == "zoo"
    with pytest.raises(UsageError, match=r'"sample" has the name of the dataset "sample", .*--dataset sample --root'):
        load_dataset("./sample")
    (tmp_path / "sample" / "dataset.yaml").write_text("name: own-sample")
    assert load_dataset("./sample").name == "own-sample"
    with pytest.raises(UsageError, match='there is no dataset "zo"; available: davis16'):
        load_dataset("zo")
    with pytest.raises(DataError, match='"nowhere" is not a folder'):
        load_dataset("./nowhere")
    with pytest.raises(UsageError, match="leave out --root"):
        select(load_dataset("zoo"), Choice(root=tmp_path))


@pytest.mark.parametrize("name", ["train", "DAVIS16", "a:b", "con"])
def test_names_that_would_mix_records_are_refused(tmp_path: Path, name: str) -> None:
    tree(tmp_path / name, "frames", "masks")
    with pytest.raises(UsageError, match=r'"name: …" in its dataset\.yaml'):
        load_dataset(f"{tmp_path}/{name}")


# Odd folders


def both_levels(root: Path) -> None:
    for level in ("480p", "1080p"):
        tree(root, f"JPEGImages/{level}/cow", f"Annotations/{level}/cow")


def two_shapes(root: Path) -> None:
    tree(root, "frames", "masks")
    tree(root, "cow/Imgs", "cow/GT")


def lost_mask(root: Path) -> None:
    tree(root, "frames", "masks")
    annotate(root / "masks" / "00009.png")


def other_names(root: Path) -> None:
    frame(root / "frames" / "a.jpg")
    annotate(root / "masks" / "b.png")


def still_without_mask(root: Path) -> None:
    tree(root, "images", "masks")
    frame(root / "images" / "more.jpg")


def no_masks(root: Path) -> None:
    frame(root / "JPEGImages" / "cow" / "0.jpg")


def one_without_masks(root: Path) -> None:
    tree(root, "JPEGImages/cow", "Annotations/cow")
    frame(root / "JPEGImages" / "dog" / "0.jpg")


def two_kinds(root: Path) -> None:
    tree(root, "frames", "masks")
    Image.fromarray(mask()).save(root / "masks" / "00001.bmp")


def twins(root: Path) -> None:
    tree(root, "frames", "masks")
    frame(root / "frames" / "00001.jpeg")


def soft(root: Path) -> None:
    tree(root, "frames", "masks")
    annotate(root / "masks" / "00001.png", np.arange(192, dtype=np.uint8).reshape(SIZE))


def unclear(root: Path) -> None:
    tree(root, "frames", "masks")
    annotate(root / "masks" / "00001.png", np.where(mask(), 255, np.arange(16) % 3).astype(np.uint8))


def damaged(root: Path) -> None:
    tree(root, "frames", "masks")
    (root / "masks" / "00001.png").write_bytes(b"no image")


def inner(root: Path) -> None:
    tree(root / "stills" / "ECSSD", "images", "masks")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda root: root.mkdir(), "is not a dataset of a known shape: it contains nothing, but Annotations/<video>"),
        (no_masks, "it contains JPEGImages, but"),
        (both_levels, r"read in several ways: videos \(JPEGImages/.*name the folders in \"dataset.yaml\""),
        (
            two_shapes,
            r"several ways: per-video \(cow/Imgs and cow/GT\); one-video \(frames and masks\); choose one with",
        ),
        (lambda root: tree(root, "JPEGImages", "Annotations"), r"one-video .*; stills .*; choose one with --layout"),
        (lambda root: tree(root, "frames", "masks", every=9) and tree(root, "", "GT"), "has masks in GT and masks"),
        (lost_mask, r'1 mask of ".*" without a frame of the same name, such as ".*00009.png"'),
        (other_names, 'has the name or number of a frame: masks are named like "b.png", frames like "a.jpg"'),
        (still_without_mask, '1 image without a mask, such as "more.jpg"'),
        (one_without_masks, '"dog" has no annotations'),
        (two_kinds, "as .bmp and as .png; keep one kind"),
        (twins, 'two frames named "00001"'),
        (soft, r"soft maps or JPEG images, not masks; .* \"codec: map\" in dataset.yaml"),
        (unclear, r'choose "codec: map" in dataset.yaml or "codec: nonzero" in dataset.yaml'),
        (damaged, "00001.png"),
        (inner, r'is not a dataset, but .* "stills"|contains stills'),
    ],
)
def test_odd_folders_are_one_line(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path / "odd")
    with pytest.raises(DataError, match=said) as error:
        chosen(tmp_path / "odd")
    assert "\n" not in str(error.value)


def test_the_folder_that_was_meant_is_named(tmp_path: Path) -> None:
    inner(tmp_path)
    with pytest.raises(DataError, match=r'"stills" is not .* contains one: pass ".*ECSSD" instead|ECSSD" instead'):
        chosen(tmp_path / "stills")


def test_a_layout_settles_what_is_unclear(tmp_path: Path) -> None:
    tree(tmp_path / "odd", "JPEGImages", "Annotations")
    assert shape(chosen(tmp_path / "odd", layout="one-video")) == ("one-video", {"odd": [0, 1, 2]})
    assert len(chosen(tmp_path / "odd", layout="stills").videos) == 3
    with pytest.raises(DataError, match='does not have the layout "videos"'):
        chosen(tmp_path / "odd", layout="videos")
    with pytest.raises(UsageError, match='no layout "video"; available: videos'):
        chosen(tmp_path / "odd", layout="video")


# dataset.yaml


ZOO = """
title: Our zoo
paper: none
licence: CC0
codec: binary255
splits: {val: [cow, "do*"], train: [no]}
categories: {hoofed: [cow], other: [dog, no]}
attributes: {OCC: [cow, dog], FM: [dog]}
unstable: [dog]
annotated: {cow: [00000, 00002]}
protocols:
  inner:
    measures: [T, J]
    frames: inner
    t_first: gt
  soft: {measures: [MAE, S], saliency: pysod, about: soft maps}
"""


def zoo(root: Path, text: str = ZOO) -> Path:
    for name in ("cow", "dog", "no"):
        tree(root, f"JPEGImages/{name}", f"Annotations/{name}", count=5)
    (root / "dataset.yaml").write_text(text, "utf-8")
    return root


def test_a_description(tmp_path: Path) -> None:
    root = zoo(tmp_path / "zoo")
    selection = chosen(root)
    dataset = selection.dataset
    assert (dataset.title, dataset.paper, dataset.licence) == ("Our zoo", "none", "CC0")
    assert dataset.splits == ("val", "train")
    assert [protocol.name for protocol in dataset.protocols][:3] == ["inner", "soft", "generic"]
    assert dataset.protocols[0].measures == ("J", "T")
    assert selection.signature().startswith("inner@1|J:inner|T:gt-first|avg:video|")
    assert chosen(root, protocol="soft").signature().startswith("soft@1|MAE,S:pysod,all|vosbench")
    assert shape(selection)[1] == {"cow": [0, 2], "dog": [0, 1, 2, 3, 4]}
    assert [video.name for video in chosen(root, split="train").videos] == ["no"]
    listed = dataset.listing("val")
    assert (listed["cow"].category, listed["dog"].attributes, listed["dog"].stable) == ("hoofed", ("OCC", "FM"), False)
    assert set(ProtocolDescription.model_json_schema()["properties"]["saliency"]["enum"]) == set(CONVENTIONS)
    jsonschema.validate(yaml.load(ZOO, yaml.BaseLoader) | {"protocols": {}}, json.loads(json_schema()))


def test_the_documented_description(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "own-data.md").read_text("utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "dataset.yaml").write_text(example, "utf-8")
    description = read_description(tmp_path)
    assert description.model_fields_set == set(Description.model_fields)
    assert description.protocols["zoo-inner"].frames == "inner"


def test_folders_may_be_named(tmp_path: Path) -> None:
    both_levels(tmp_path / "zoo")
    (tmp_path / "zoo" / "dataset.yaml").write_text(
        "frames: JPEGImages/*/{video}\nannotations: Annotations/480p/{video}"
    )
    with pytest.raises(DataError, match=r'is both ".*1080p/cow" and ".*480p/cow"; keep one'):
        chosen(tmp_path / "zoo")
    (tmp_path / "zoo" / "dataset.yaml").write_text("annotations: Annotations/480p/{video}")
    assert chosen(tmp_path / "zoo").videos[0].frameless
    tree(tmp_path / "odd", "left", "right")
    (tmp_path / "odd" / "dataset.yaml").write_text("frames: left\nannotations: right\nlayout: stills")
    assert len(chosen(tmp_path / "odd").videos) == 3
    (tmp_path / "odd" / "dataset.yaml").write_text("frames: left\nannotations: middle")
    with pytest.raises(DataError, match='no masks in "middle"'):
        chosen(tmp_path / "odd")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("titel: x", 'no key "titel"; did you mean "title"'),
        ("protocols: {p: {frame: all}}", 'no key "protocols.p.frame"; did you mean "frames"'),
        ("protocols: {p: {measures: [J, K]}}", 'protocols.p: there is no measure "K" of foreground'),
        ("protocols: {p: {measures: [J, J]}}", "named twice"),
        ("protocols: {p: {measures: [S], saliency: adnet}}", 'does not define "S"'),
        ("protocols: {p: {unit: objects, measures: [T]}}", 'no measure "T" of objects'),
        ("protocols: {p: {tolerance: 2}}", "protocols.p.tolerance: Input should be less than 1"),
        ("protocols: {p: {tolerance: .nan}}", "protocols.p.tolerance"),
        ("protocols: {p: {frames: outer}}", "protocols.p.frames: Input should be 'inner'"),
        ('protocols: {"p|q": {}}', "names consist of letters"),
        ("splits: {'../x': [cow]}", "names consist of letters"),
        ("splits: {val: []}", "splits.val: List should have at least 1 item"),
        ("splits: {val: cow}", "splits.val: Input should be a valid list"),
        ("splits: {val: [cat]}", 'splits.val: there is no video "cat"; available: cow, dog, no'),
        ("categories: {a: [cow], b: ['c*']}", '"cow" is in several categories: a, b'),
        ("attributes: {a: [bird]}", 'attributes.a: there is no video "bird"'),
        ("unstable: [bird]", "unstable: there is no video"),
        ("annotated: {cow: [0]}", 'annotated.cow: there is no annotation "0"'),
        ("codec: bits", 'codec: there is no codec "bits"'),
        ("layout: flat", "layout: Input should be 'videos'"),
        ("annotations: ../other/{video}", "a path below the dataset's folder"),
        ("annotations: /etc", "a path below the dataset's folder"),
        ("annotations: 'C:\\data'", "a path below the dataset's folder"),
        ("annotations: '{video}/{video}'", "stands for the whole name of a folder, once"),
        ("annotations: 'a/{0}'", "no masks in"),
        ("frames: JPEGImages/{video}", "frames needs annotations"),
        ("frames: a\nannotations: 'b/{video}'", "both need"),
        ("layout: stills\nannotations: 'b/{video}'", "contradict each other"),
        ("- a", "Input should be a valid dictionary"),
        ("just text", "Input should be a valid dictionary"),
        ("a: b: c", "is not YAML in line 1"),
        ("a: [", "is not YAML in line"),
        ("title: x\ntitle: y", 'line 2: the key "title" is given twice'),
        ("? [a]\n: b", "a key is not a name"),
        ("title: &x a\npaper: *x", "has an alias"),
        ("a: &a [x]\nb: &b [*a, *a]", "has an alias"),
        ("a: " + "[" * 3000, "nested too deeply|is not YAML"),
        ("title: \x07", "is not YAML"),
        ("!!python/object/apply:os.system ['true']", "Input should be a valid dictionary"),
    ],
)
def test_hostile_descriptions_are_one_line(tmp_path: Path, text: str, said: str) -> None:
    root = zoo(tmp_path / "zoo", text)
    with pytest.raises(DataError, match=said) as error:
        chosen(root)
    assert "dataset.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_descriptions_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_bytes(b"title: \xff")
    with pytest.raises(DataError, match="not text in UTF-8"):
        read_description(tmp_path)
    (tmp_path / "dataset.yaml").write_bytes(b"#" * 2**21)
    with pytest.raises(DataError, match="more than 1,048,576 bytes"):
        read_description(tmp_path)
    (tmp_path / "dataset.yaml").write_bytes(b"# nothing")
    assert read_description(tmp_path).title == ""


@pytest.mark.parametrize("name", ["generic", "davis16", "vsod-davsod", "image-saliency"])
def test_known_protocols_cannot_be_redefined(tmp_path: Path, name: str) -> None:
    root = zoo(tmp_path / "zoo", f"protocols: {{{name}: {{frames: inner}}}}")
    with pytest.raises(UsageError, match=f'protocol "{name}" of its own, but there is one of that name'):
        load_dataset(str(root))


def test_errors_of_names_escape_control_characters(tmp_path: Path) -> None:
    root = zoo(tmp_path / "zoo", '"\\e[31mx": y')
    with pytest.raises(VosbenchError) as error:
        chosen(root)
    assert str(error.value).isprintable()


# Real data


def test_realtrain(real_data: Path) -> None:
    selection = chosen(real_data / "RealTrain")
    assert shape(selection)[0] == "videos"
    assert (len(selection.videos), sum(len(video) for video in selection.videos)) == (31, 1782)
    assert sum(len(video.annotations) for video in selection.videos) == 349
    assert {video.codec for video in selection.videos} == {"binary255"}
    stills = chosen(real_data / "RealTrain" / "stills" / "ECSSD")
    assert (shape(stills)[0], len(stills.videos)) == ("stills", 1000)
    with pytest.raises(DataError, match=r'stills" is not a dataset, but contains one: pass ".*ECSSD" instead'):
        chosen(real_data / "RealTrain" / "stills")
