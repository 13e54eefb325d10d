import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vosbench
from factories import disk_mask, write_toy
from vosbench.errors import DataError, UsageError
from vosbench.images import read_frame, write_png

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
SIZE, FRAMES = (24, 32), 5


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_toy(tmp_path / "data", frames=FRAMES)


@pytest.fixture
def masks(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data / "masks", tmp_path / "mine"))


def look(masks: Path, data: Path, **options: object) -> vosbench.Inspection:
    return vosbench.inspect(masks, "toy", root=data, plugins=[TOY], **options)  # type: ignore[arg-type]


def test_perfect_masks_are_not_suspicious(masks: Path, data: Path) -> None:
    found = look(masks, data)
    assert (found.suspicions, found.problem) == ([], "")
    text = repr(found)
    assert '"mine": 10 masks of 2 videos of toy' in text
    assert "5 of 5   32×24" in text
    assert "L 0 255" in text
    assert "nothing is suspicious" in text
    assert "\\n" not in text
    assert [(video.empty, video.full, video.missing) for video in found.videos] == [([], [], ())] * 2
    expected = [disk_mask(*SIZE, 12, 8 + 3 * frame, 5).mean() for frame in range(FRAMES)]
    assert [seen.coverage for seen in found.videos[0].masks] == pytest.approx(expected)


def test_what_is_wrong_is_found(masks: Path, data: Path) -> None:
    write_png(masks / "v0" / "00003.png", np.zeros(SIZE, np.uint8))
    write_png(masks / "v0" / "00001.png", np.full(SIZE, 255, np.uint8))
    write_png(masks / "v1" / "00002.png", disk_mask(*SIZE, 12, 4, 1) * np.uint8(255))
    (masks / "v1" / "00004.png").unlink()
    found = look(masks, data)
    first, second = found.videos
    assert (first.empty, first.full, second.missing) == ([3], [1], (4,))
    top = {(each.video, each.index): each.reason for each in found.suspicions}
    assert top["v0", 3] == "empty, but its neighbours are not"
    assert top["v0", 1] == "covers every pixel"
    assert "its neighbours" in top["v1", 2]
    assert found.suspicions[0].level >= found.suspicions[-1].level
    assert len(found.suspicions) <= 10
    assert "1 scored frame is without a mask, such as v1/4" in repr(found)
    assert found.problem == ""


@pytest.mark.parametrize("kind", ["damaged", "size"])
def test_what_scoring_refuses_is_told_as_scoring_does(masks: Path, data: Path, kind: str) -> None:
    wrong = masks / "v1" / "00003.png"
    if kind == "damaged":
        wrong.write_bytes(wrong.read_bytes()[:60])
    else:
        write_png(wrong, np.zeros((12, 16), np.uint8))
    with pytest.raises(DataError) as refused:
        vosbench.score(masks, dataset="toy", root=data, plugins=[TOY])
    found = look(masks, data)
    assert found.problem == str(refused.value)
    assert (found.suspicions[0].video, found.suspicions[0].index) == ("v1", 3)
    assert f"scoring would refuse these masks: {refused.value}" in repr(found)


def test_frames_that_are_not_scored_are_looked_at_but_do_not_matter(masks: Path, data: Path) -> None:
    (masks / "v0" / "00004.png").write_bytes(b"")
    found = look(masks, data, protocol="toy-inner")
    assert found.problem == ""
    assert found.suspicions[0].reason.endswith("(the protocol does not score this frame)")
    assert vosbench.score(masks, dataset="toy", root=data, plugins=[TOY], protocol="toy-inner").scores["J_mean"] == 1


FORMS = {
    "binary01": lambda mask: Image.fromarray(mask.astype(np.uint8)),
    "bilevel": Image.fromarray,
    "black": lambda mask: Image.fromarray(np.where(mask, 0, 255).astype(np.uint8)),
    "soft": lambda mask: Image.fromarray((mask * 150 + np.arange(32) * 3).astype(np.uint8)),
    "colours": lambda mask: Image.fromarray((mask[..., None] * np.array([0, 200, 7])).astype(np.uint8)),
}


@pytest.mark.parametrize("form", FORMS)
def test_masks_are_read_as_scoring_reads_them(masks: Path, data: Path, form: str) -> None:
    """The codec, and the notes on it; numbers count from 1 here."""
    folder = masks.with_name("other")
    for path in masks.rglob("*.png"):
        mask = np.array(Image.open(path)) > 0
        target = folder / path.parent.name / f"{int(path.stem) + 1}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        FORMS[form](mask).save(target)
    scored = vosbench.score(folder, dataset="toy", root=data, plugins=[TOY], measures="J,F")
    found = look(folder, data)
    assert found.masks.codec == scored.record.provenance.codec
    assert set(found.notes) <= set(scored.notes)
    assert any("numbered from 1" in line for line in found.notes)


def test_contact_sheet(masks: Path, data: Path, tmp_path: Path) -> None:
    write_png(masks / "v0" / "00003.png", np.zeros(SIZE, np.uint8))
    look(masks, data, sheet=tmp_path / "sheet.png")
    sheet = read_frame(tmp_path / "sheet.png")
    assert sheet.shape == (3 * 120 + 2 * 4, 5 * 160 + 120 + 5 * 4, 3)
    with pytest.raises(UsageError, match="exists; overwrite replaces it"):
        look(masks, data, sheet=tmp_path / "sheet.png")
    with pytest.raises(UsageError, match=r"should end in \.png"):
        look(masks, data, sheet=tmp_path / "sheet.jpg")


def test_annotations_are_not_needed(masks: Path, data: Path) -> None:
    """As in splits whose annotations are not public; then all frames count."""
    from dataclasses import replace

    from vosbench.dataset import Listed
    from vosbench.registry import load_dataset

    toy = load_dataset("toy", (TOY,))
    bare = replace(
        toy,
        listing=lambda _: {name: Listed(frames=FRAMES, annotated=()) for name in ("v0", "v1")},
        videos=lambda root, split, layout=None: [
            replace(video, annotations={}) for video in toy.videos(root, split, layout)
        ],
    )
    (masks / "v0" / "00000.png").unlink()
    found = vosbench.inspect(masks, bare, root=data)
    assert [video.missing for video in found.videos] == [(0,), ()]


def test_the_command_prints_and_refuses(masks: Path, data: Path) -> None:
    from in_process import call

    words = ("inspect", masks, "--dataset", "toy", "--plugin", TOY, "--root", data, "--quiet")
    done = call(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing is suspicious" in done.stdout
    (masks / "v0" / "00001.png").write_bytes(b"")
    done = call(*words)
    assert done.returncode == 3
    assert "look at:" in done.stdout
    assert done.stderr.startswith("error: scoring would refuse these masks: ")
    assert done.stderr.count("\n") == 1
