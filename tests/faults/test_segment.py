"""Videos that cannot be segmented, and masks and overlays that are in the way."""

import shutil
from pathlib import Path

import pytest

from injected import Lab, fault
from toys import TOY
from vosbench.images import write_png

videos = pytest.importorskip("videos", reason="needs the extra video", exc_type=ImportError)
FRAMES = 6


def segment(*more: str | Path, method: str = "brightness") -> list[str | Path]:
    """The words of segmenting by a method of the toys."""
    return ["segment", *more, "--method", method, "--plugin", TOY, "--quiet"]


def clip(lab: Lab, name: str = "clip.mp4", frames: int = FRAMES) -> Path:
    """A video among the data."""
    return Path(videos.encode(lab.root / name, [videos.scene(t) for t in range(frames)]))


@fault("`segment`: a video is missing")
def test_missing(lab: Lab) -> None:
    lab.inject(*segment("none.mp4"))


@fault("`segment`: a file that is not a video")
def test_no_video(lab: Lab) -> None:
    (lab.root / "a.mp4").write_text("once upon a time", "utf-8")
    lab.inject(*segment("toy/a.mp4"))


@fault("`segment`: the second of two videos is cut off")
def test_cut(lab: Lab) -> None:
    path = clip(lab, "a.mp4", 30)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    lab.inject(*segment(clip(lab), path))


@fault("`segment`: a folder without frames")
def test_no_frames(lab: Lab) -> None:
    (lab.root / "empty").mkdir()
    lab.inject(*segment("toy/empty"))


@fault("`segment`: a playlist")
def test_playlist(lab: Lab) -> None:
    (lab.root / "list.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\n{clip(lab)}\n", "utf-8")
    lab.inject(*segment("toy/list.mp4"))


@fault("`segment`: masks of another threshold")
def test_threshold(lab: Lab) -> None:
    path = clip(lab)
    lab.done(*segment(path))
    lab.inject(*segment(path, "--threshold", "0.9"))


@fault("`segment`: masks of another method")
def test_method(lab: Lab) -> None:
    path = clip(lab)
    lab.done(*segment(path))
    lab.inject(*segment(path, method="brightness.average"))


@fault("`segment`: masks of another video of that name")
def test_video(lab: Lab) -> None:
    path = clip(lab)
    lab.done(*segment(path))
    clip(lab, frames=4)
    lab.inject(*segment(path))


@fault("`segment`: masks of somebody else")
def test_somebody(lab: Lab) -> None:
    write_png(Path("masks/clip/00002.png"), videos.scene(0))
    lab.inject(*segment(clip(lab)))


@fault("`segment`: an overlay that exists")
def test_overlay(lab: Lab) -> None:
    Path("overlay.mp4").write_bytes(b"mine")
    lab.inject(*segment(clip(lab), "--overlay", "overlay.mp4"))


@fault("`segment`: masks of two videos would be in one folder")
def test_two(lab: Lab) -> None:
    path = clip(lab)
    (lab.root / "more").mkdir()
    lab.inject(*segment(path, shutil.copy(path, lab.root / "more" / "CLIP.mov")))


@fault("`segment`: masks would be among the frames")
def test_among(lab: Lab) -> None:
    for t in range(FRAMES):
        write_png(lab.root / "masks" / "clip" / f"{t}.png", videos.scene(t))
    lab.inject(*segment("toy/masks/clip", "--out", "toy/masks"))


@fault("`segment`: the folder for temporary files is full")
def test_full(lab: Lab) -> None:
    usual = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if lab.scratch in path.parents and path.suffix == ".bmp":
            raise OSError(28, "No space left on device", str(path))
        return usual(path, data)

    path = clip(lab)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        lab.inject(*segment(path))
    lab.done(*segment(path))
