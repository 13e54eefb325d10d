import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import vosbench
from factories import disk_mask, write_toy
from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError, UsageError
from vosbench.images import overlay, read_frame, read_mask, write_png
from vosbench.registry import load_dataset
from vosbench.report import overlays, showing
from vosbench.report.overlays import Overlays, Style

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
SIZE, FRAMES, VIDEOS = (24, 32), 5, ("v0", "v1")


def masks_of(root: Path, shift: int = 1) -> Path:
    """Disks beside the annotated ones, the farther the later."""
    for video in range(len(VIDEOS)):
        for frame in range(FRAMES):
            mask = disk_mask(*SIZE, 12, 8 + 3 * frame - shift * frame, 5 + video)
            write_png(root / f"v{video}" / f"{frame:05d}.png", mask * np.uint8(255))
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_toy(tmp_path / "data")


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    return masks_of(tmp_path / "mine")


def selection_of(data: Path) -> Selection:
    return select(load_dataset("toy", (TOY,)), Choice(root=data))


@pytest.fixture
def shown(data: Path, masks: Path) -> Iterator[Overlays]:
    plain = Style(labels=False, numbers=False)
    with overlays.opened({"mine": masks}, selection_of(data), style=plain) as opened:
        yield opened


def test_tiles_show_annotation_and_mask(shown: Overlays, data: Path, masks: Path) -> None:
    assert shown.names == ("annotation", "mine")
    (tiles,) = shown.tiles("v1", [3])
    frame = read_frame(data / "frames" / "v1" / "00003.png")
    for tile, path in zip(tiles, (data / "masks" / "v1" / "00003.png", masks / "v1" / "00003.png"), strict=True):
        mask = read_mask(path, "binary255")
        inside = np.abs(tile[mask] - (0.5 * frame[mask] + 0.5 * np.array((128, 0, 0))))
        assert inside.max() <= 0.5
        changed = (tile != frame).any(axis=2)
        assert mask[changed].sum() == mask.sum() < changed.sum() < 0.5 * mask.size


def test_errors_have_three_colours(shown: Overlays) -> None:
    style = Style(colours="errors", opacity=1, contour=0, annotation=False)
    (tiles,) = Overlays(shown.selection, shown.layers, style).tiles("v0", [4])
    assert len(tiles) == 1
    truth = disk_mask(*SIZE, 12, 8 + 3 * 4, 5)
    mask = disk_mask(*SIZE, 12, 8 + 3 * 4 - 4, 5)
    for region, colour in (
        (truth & mask, overlay.RIGHT),
        (mask & ~truth, overlay.TOO_MUCH),
        (truth & ~mask, overlay.MISSED),
    ):
        assert region.any()
        assert (tiles[0][region] == colour).all()


def test_numbers_are_those_of_scoring(shown: Overlays, data: Path, masks: Path) -> None:
    result = vosbench.score(masks, dataset="toy", root=data, plugins=[TOY], measures="J,F")
    values = {(row.video, row.frame, row.measure): row.value for row in result.rows}
    for video in VIDEOS:
        for frame in range(FRAMES):
            expected = [f"{m} {values[video, frame, m]:.3f}" for m in "JF" if (video, frame, m) in values]
            assert shown.numbers(0, video, frame) == "  ".join(expected)


def test_frames_are_picked(shown: Overlays) -> None:
    values = {place: of["J"] for place, of in shown.layers[0].values.items()}
    worst = showing.pick(shown, "worst:3")
    chosen = {(video, index) for video, frames in worst.items() for index in frames}
    assert len(chosen) == 3
    assert max(values[place] for place in chosen) <= min(values[place] for place in values.keys() - chosen)
    best = showing.pick(shown, "best:2")
    chosen = {(video, index) for video, frames in best.items() for index in frames}
    assert min(values[place] for place in chosen) >= max(values[place] for place in values.keys() - chosen)
    assert showing.pick(shown, "every:2") == {"v0": [0, 2, 4], "v1": [0, 2, 4]}
    assert showing.pick(shown, "4, 1,99") == {"v0": [1, 4], "v1": [1, 4]}
    assert showing.pick(shown, "all") == {"v0": [0, 1, 2, 3, 4], "v1": [0, 1, 2, 3, 4]}
    for wrong in ("worst", "worst:0", "every:x", "-1", "", "1;2", "99"):
        with pytest.raises(UsageError, match="frames"):
            showing.pick(shown, wrong)


def test_all_forms_of_masks_give_the_same_picture(data: Path, masks: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as file:
        for path in masks.rglob("*.png"):
            file.write(path, f"top/{path.parent.name}/{int(path.stem) + 1}.png")
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    for video in VIDEOS:
        found = [read_mask(path, "binary255") for path in sorted((masks / video).iterdir())]
        np.save(stacks / f"{video}.npy", np.stack(found).astype(float))
    pictures = []
    for origin in (masks, tmp_path / "zipped.zip", stacks):
        out = tmp_path / f"{origin.stem}-out.png"
        vosbench.overlay(origin, "toy", root=data, plugins=[TOY], out=out, frames="every:2", names="m")
        pictures.append(read_frame(out))
    assert all((picture == pictures[0]).all() for picture in pictures)
    assert pictures[0].shape[1] == 2 * 32 + 4


def test_files_of_a_folder_and_films(data: Path, masks: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="needs the extra video")
    other = masks_of(tmp_path / "other", 2)
    options = {"root": data, "plugins": [TOY]}
    done = vosbench.overlay([masks, other], "toy", out=tmp_path / "out", frames="1,3", **options)  # type: ignore[arg-type]
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in done.files) == [
        "v0/00001.png",
        "v0/00003.png",
        "v1/00001.png",
        "v1/00003.png",
    ]
    assert repr(done).splitlines() == [f"{tmp_path / 'out' / video}: 2 pictures" for video in VIDEOS]
    style = Style(columns=3, height=48)
    vosbench.overlay([masks, other], "toy", out=tmp_path / "out", kind="mp4", style=style, **options)  # type: ignore[arg-type]
    for video in VIDEOS:
        with av.open(str(tmp_path / "out" / f"{video}.mp4")) as container:
            sizes = [(frame.height, frame.width) for frame in container.decode(video=0)]
        assert sizes == [(48, 3 * 64 + 2 * 4)] * FRAMES


def test_what_cannot_be_shown_is_refused(data: Path, masks: Path, tmp_path: Path) -> None:
    options = {"root": data, "plugins": [TOY]}
    film = tmp_path / "a.gif"
    with pytest.raises(UsageError, match="one film, but there are 2 videos"):
        vosbench.overlay(masks, "toy", out=film, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"should end in \.png, \.gif"):
        vosbench.overlay(masks, "toy", out=tmp_path / "a.webp", **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match='both called "mine"'):
        vosbench.overlay([masks, masks], "toy", out=film, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="2 names for 1 methods"):
        vosbench.overlay(masks, "toy", out=film, names="a,b", **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="opacity must be from 0 to 1"):
        Style(opacity=1.5)
    with pytest.raises(UsageError, match="columns must be at least 1"):
        Style(columns=0)
    vosbench.overlay(masks, "toy", out=film, videos="v0", **options)  # type: ignore[arg-type]
    before = film.read_bytes()
    with pytest.raises(UsageError, match="exists; overwrite replaces it"):
        vosbench.overlay(masks, "toy", out=film, videos="v0", frames="1", **options)  # type: ignore[arg-type]
    assert film.read_bytes() == before
    shutil.rmtree(data / "frames" / "v1")
    (data / "frames" / "v1").mkdir()
    with pytest.raises(DataError):
        vosbench.overlay(masks, "toy", out=tmp_path / "b.png", **options)  # type: ignore[arg-type]


def test_numbered_objects_have_the_colours_of_the_palette(tmp_path: Path) -> None:
    labels = np.zeros(SIZE, np.uint8)
    labels[4:10, 4:10], labels[12:20, 15:28] = 1, 3
    for name in ("frames", "masks", "mine"):
        write_png(
            tmp_path / name / "v" / "00000.png", np.repeat(labels[..., None] * 0, 3, 2) if name == "frames" else labels
        )
    paths = {name: tmp_path / name / "v" / "00000.png" for name in ("frames", "masks")}
    video = Video(name="v", frames=(paths["frames"],), annotations={0: paths["masks"]}, codec="ids")
    dataset = Dataset(
        name="numbered",
        title="Numbered",
        paper="–",
        licence="–",
        splits=("val",),
        layouts=("numbered",),
        protocols=(DatasetProtocol(name="numbered", unit="objects"),),
        listing=lambda _: {"v": Listed(frames=1)},
        videos=lambda _root, _split, _layout=None: [video],
    )
    selection = select(dataset, Choice(root=tmp_path))
    with overlays.opened({"mine": tmp_path / "mine"}, selection, style=Style(opacity=1, contour=0)) as opened:
        (tiles,) = opened.tiles("v", [0])
        assert opened.numbers(0, "v", 0) == "J 1.000  F 1.000"
    for tile in tiles:
        assert (tile[labels == 1] == (128, 0, 0)).all()
        assert (tile[labels == 3] == (128, 128, 0)).all()
        assert (tile[labels == 0] == 0).all()


def test_a_frame_without_mask_says_so(data: Path, masks: Path) -> None:
    (masks / "v0" / "00002.png").unlink()
    with overlays.opened({"mine": masks}, selection_of(data)) as opened:
        assert opened.numbers(0, "v0", 2) == "no mask"
        (tiles,) = opened.tiles("v0", [2])
        assert (tiles[1] == read_frame(data / "frames" / "v0" / "00002.png")).all()


def test_scoring_loads_nothing_of_this(data: Path, masks: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import json, sys; from pathlib import Path; from vosbench.cli import app\n"
        f"words = ['score', {str(masks)!r}, '--dataset', 'toy', '--plugin', {str(TOY)!r}, '--root', {str(data)!r}]\n"
        "try: app(words)\nexcept SystemExit: pass\n"
        f"Path({str(tmp_path / 'modules.json')!r}).write_text(json.dumps(sorted(sys.modules)))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    loaded = set(json.loads((tmp_path / "modules.json").read_text()))
    assert "vosbench.evaluate.score" in loaded
    names = (
        "face.looking",
        "report.overlays",
        "report.showing",
        "report.inspection",
        "evaluate.inspection",
        "images.sheets",
    )
    assert not loaded & {f"vosbench.{name}" for name in names}
