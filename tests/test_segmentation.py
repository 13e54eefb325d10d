"""``vosbench segment``: from video files and folders to masks and overlays."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vosbench
from in_process import call
from vosbench.errors import UsageError, VideoError
from vosbench.face.segmenting import default_method
from vosbench.images import read_frame, read_mask, write_png
from vosbench.images.files import read_levels
from vosbench.segmentation import CARD

videos = pytest.importorskip("videos", reason="needs the extra video", exc_type=ImportError)

TOY = Path(__file__).parent / "plugins" / "toy.py"
BRIGHT = ("--method", "brightness", "--plugin", TOY)
SEQUENTIAL = ("--method", "brightness.average", "--plugin", TOY)
Cli = Callable[..., subprocess.CompletedProcess[str]]
Mask = NDArray[np.bool_]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def clip(name: str = "clip.mp4", frames: int = 6, size: tuple[int, int] = (48, 64)) -> Path:
    return videos.encode(Path(name), [videos.scene(t, *size) for t in range(frames)])


def folder(name: str = "clip", frames: int = 6) -> Path:
    for t in range(frames):
        write_png(Path(name, f"{t}.png"), videos.scene(t))
    return Path(name)


def masks(place: str = "masks/clip") -> list[Mask]:
    paths = sorted(Path(place).glob("*.png"), key=lambda path: (len(path.stem), path.stem))
    assert all(np.isin(read_levels(path, "map"), (0, 255)).all() for path in paths)
    return [read_mask(path, "binary255") for path in paths]


def in_folder(name: str) -> list[str]:
    return sorted(path.name for path in Path(name).iterdir())


def square(frame: int, size: tuple[int, int] = (48, 64)) -> Mask:
    return videos.scene(frame, *size).min(axis=2) > 200


def agree(found: Sequence[Mask], expected: Sequence[Mask]) -> bool:
    """Whether masks are the same but for the losses of encoding."""
    pairs = list(zip(found, expected, strict=True))
    return all(one.shape == other.shape and (one != other).mean() < 0.02 for one, other in pairs)


def test_a_video_becomes_masks_and_an_overlay() -> None:
    done = call("segment", clip(), *BRIGHT, "--overlay", "out.mp4")
    assert (done.returncode, done.stdout) == (0, "clip: 6 masks in masks/clip, overlay in out.mp4\n"), done.stderr
    assert in_folder("masks/clip") == [CARD, *(f"{t:05d}.png" for t in range(6))]
    assert agree(masks(), [square(t) for t in range(6)])
    pictures = videos.decoded(Path("out.mp4"), lambda frame: frame.to_ndarray(format="rgb24").astype(int))
    assert len(pictures) == 6
    for t, picture in enumerate(pictures):
        inside, outside = picture[24:32, t + 18 : t + 26], picture[2:8, 2:8]
        assert (inside[..., 0] > inside[..., 1] + 40).all()  # tinted
        assert (outside[..., 0] > 150).all()
        assert picture[28, t + 30].min() > 120  # the outline
        assert abs(picture[44, 60] - 60).max() < 20


def test_a_folder_of_images_keeps_its_names_and_needs_no_video_packages(cli: Cli, tmp_path: Path) -> None:
    source = folder(frames=12)
    (source / ".DS_Store").write_bytes(b"")
    (source / "notes.txt").write_bytes(b"")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules.update(av=None, torch=None)\n", "utf-8")
    path = os.pathsep.join(filter(None, (str(hidden), os.environ.get("PYTHONPATH"))))
    done = cli("segment", source, *BRIGHT, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in Path("masks/clip").glob("*.png")} == {f"{t}.png" for t in range(12)}
    assert all(np.array_equal(one, square(t)) for t, one in enumerate(masks()))
    refused = cli("segment", clip("film.mp4"), *BRIGHT, PYTHONPATH=path)
    assert (refused.returncode, refused.stderr) == (
        2,
        'error: av is not installed; run: pip install "vosbench[video]"\n',
    )


def test_an_image_is_a_video_of_one_frame() -> None:
    write_png(Path("photo.png"), videos.scene(3))
    assert call("segment", "photo.png", *BRIGHT).returncode == 0
    assert np.array_equal(masks("masks/photo")[0], square(3))


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_masks_and_overlay_lie_as_the_video_is_shown(orientation: int) -> None:
    from vosbench.images.frames import turned

    path = videos.turn(clip(), orientation)
    assert call("segment", path, *BRIGHT, "--overlay", "out.mov").returncode == 0
    expected = [turned(square(t).astype(np.uint8), orientation).astype(bool) for t in range(6)]
    assert agree(masks(), expected)
    sizes = videos.decoded(Path("out.mov"), lambda frame: (frame.height, frame.width))
    assert sizes == [expected[0].shape] * 6


def test_sound_is_ignored_and_times_are_kept() -> None:
    times = [0, 100, 110, 500, 900, 930]
    path = videos.encode(Path("clip.mp4"), [videos.scene(t) for t in range(6)], times=times, sound=True)
    done = call("segment", path, *BRIGHT, "--overlay", "out.mkv")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(masks()) == 6
    assert videos.decoded(Path("out.mkv"), lambda frame: round(1000 * frame.time)) == times
    import av

    with av.open("out.mkv") as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_odd_sides_and_gifs() -> None:
    videos.encode(Path("clip.gif"), [videos.scene(t, 47, 63) for t in range(4)], "gif", "rgb8")
    assert call("segment", "clip.gif", *BRIGHT, "--overlay", "out.mp4", "--threshold", "0.6").returncode == 0
    assert agree(masks(), [square(t, (47, 63)) for t in range(4)])
    assert videos.decoded(Path("out.mp4"), lambda frame: (frame.height, frame.width)) == [(48, 64)] * 4


def test_soft_maps_and_thresholds() -> None:
    source = folder()
    assert call("segment", source, *BRIGHT, "--soft", "--out", "soft").returncode == 0
    levels = [read_levels(Path(f"soft/clip/{t}.png"), "map") for t in range(6)]
    assert {60, 230} <= set(np.unique(levels[0]))
    for threshold in (0.2, 0.25, 1.0):
        words = ("--threshold", f"{threshold}", "--out", f"at-{threshold}")
        assert call("segment", source, *BRIGHT, *words).returncode == 0
        found = masks(f"{words[3]}/clip")
        assert all(np.array_equal(one, level >= threshold * 255) for one, level in zip(found, levels, strict=True))
    refused = call("segment", source, *BRIGHT, "--threshold", "1.5")
    assert (refused.returncode, refused.stderr) == (2, "error: the threshold is a probability from 0 to 1, not 1.5\n")


def test_an_unfinished_segmentation_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip(frames=12)
    assert call("segment", path, *SEQUENTIAL, "--out", "whole").returncode == 0
    monkeypatch.setenv("TOY_FAIL", "clip/00007")
    failed = call("segment", path, *SEQUENTIAL)
    assert (failed.returncode, 'frame 7 of "clip": RuntimeError: out of luck' in failed.stderr) == (4, True)
    assert len(masks()) == 7
    monkeypatch.setenv("TOY_FAIL", "clip/00003")  # which is not computed again
    assert call("segment", path, *SEQUENTIAL, "--overlay", "out.mp4").returncode == 0
    for one in sorted(Path("whole/clip").glob("*.png")):
        assert one.read_bytes() == Path("masks/clip", one.name).read_bytes()
    before = {each: each.stat().st_mtime_ns for each in [Path("out.mp4"), *Path("masks/clip").glob("*.png")]}
    assert call("segment", path, *SEQUENTIAL, "--overlay", "out.mp4").returncode == 0
    assert before == {each: each.stat().st_mtime_ns for each in before}


def test_a_killed_segmentation_resumes_and_leaves_nothing(tmp_path: Path) -> None:
    path, temporary = clip(frames=20), tmp_path / "temporary"
    temporary.mkdir()
    words = [sys.executable, "-m", "vosbench", "segment", str(path), *map(str, SEQUENTIAL), "--overlay", "out.mp4"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(words, env={**environment, "TOY_SECONDS": "0.2"}, stdout=subprocess.DEVNULL) as process:
        while not Path("masks/clip/00003.png").exists():
            time.sleep(0.05)
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert len(list(temporary.iterdir())) == 1
    assert not Path("out.mp4").exists()
    assert subprocess.run(words, env=environment, check=True, capture_output=True, text=True).returncode == 0
    assert not list(temporary.iterdir())
    assert in_folder("masks/clip") == [CARD, *(f"{t:05d}.png" for t in range(20))]
    assert call("segment", path, *SEQUENTIAL, "--out", "whole").returncode == 0
    assert all(np.array_equal(*pair) for pair in zip(masks(), masks("whole/clip"), strict=True))


def test_masks_of_others_are_not_replaced() -> None:
    path = clip()
    assert call("segment", path, *BRIGHT).returncode == 0
    other = call("segment", path, *SEQUENTIAL)
    assert (other.returncode, "(method was brightness, now brightness.average)" in other.stderr) == (2, True)
    harder = call("segment", path, *BRIGHT, "--threshold", "0.9")
    assert (harder.returncode, "(threshold was 0.5, now 0.9)" in harder.stderr) == (2, True)
    clip(frames=4)
    changed = call("segment", path, *BRIGHT)
    assert (changed.returncode, "(input was" in changed.stderr) == (2, True)
    assert len(masks()) == 6
    assert call("segment", path, *BRIGHT, "--overwrite").returncode == 0
    assert len(masks()) == 4
    write_png(Path("mine/clip/00002.png"), np.full((48, 64), 255, np.uint8))
    refused = call("segment", path, *BRIGHT, "--out", "mine")
    assert refused.returncode == 2
    assert '"mine/clip/00002.png" is not of an earlier segmentation' in refused.stderr
    assert call("segment", path, *BRIGHT, "--out", "mine", "--overwrite").returncode == 0
    assert agree(masks("mine/clip"), [square(t) for t in range(4)])


def test_overlays_of_others_are_not_replaced() -> None:
    path = clip()
    Path("out.mp4").write_bytes(b"mine")
    refused = call("segment", path, *BRIGHT, "--overlay", "out.mp4")
    assert (refused.returncode, '"out.mp4" exists' in refused.stderr) == (2, True)
    assert Path("out.mp4").read_bytes() == b"mine"
    assert not Path("masks/clip/00000.png").exists()
    assert call("segment", path, *BRIGHT, "--overlay", "out.mp4", "--overwrite").returncode == 0
    assert len(videos.decoded(Path("out.mp4"), lambda frame: frame.pts)) == 6
    itself = call("segment", path, *BRIGHT, "--overlay", path, "--overwrite")
    assert (itself.returncode, "is a video to segment" in itself.stderr) == (2, True)


def test_several_videos() -> None:
    one, other = clip("one.mp4"), folder("other")
    words = ("segment", one, other, *BRIGHT)
    refused = call(*words, "--overlay", "out.mp4")
    assert (refused.returncode, "name a folder for them" in refused.stderr) == (2, True)
    assert call(*words, "--overlay", "overlays").returncode == 0
    assert in_folder("overlays") == ["one.mp4", "other.mp4"]
    assert len(masks("masks/one")) == len(masks("masks/other")) == 6
    assert call(*words, "--overlay", "overlays").returncode == 0
    Path("more").mkdir()
    clash = call("segment", one, shutil.copy(one, "more/ONE.mov"), *BRIGHT)
    assert (clash.returncode, clash.stderr.count("\n")) == (2, 1)
    assert 'the masks of "one.mp4" and "more/ONE.mov" would be in one folder, "masks/ONE"' in clash.stderr


def test_one_of_several_videos_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_FAIL", "one/00002")
    done = call("segment", clip("one.mp4"), clip("two.mp4"), *BRIGHT)
    assert (done.returncode, 'frame 2 of "one"' in done.stderr) == (4, True)
    assert len(masks("masks/two")) == 6


def test_maps_that_break_the_contract_do_not_become_masks(tmp_path: Path) -> None:
    lines = (
        "import numpy as np",
        "from vosbench.images import size",
        "from vosbench.method import Method",
        "class Broken:",
        "    def predict(self, video):",
        "        yield from (np.full(size(path), np.nan, np.float32) for path in video.frames)",
        "method = Method(name='broken', title='', paper='', licence='', load=lambda _: Broken(), needs_weights=False)",
    )
    (tmp_path / "broken.py").write_text("\n".join(lines), "utf-8")
    done = call("segment", clip(), "--method", "broken", "--plugin", "broken.py")
    assert (done.returncode, 'map 0 of "clip" ranges from nan to nan' in done.stderr) == (4, True)
    assert not Path("masks/clip/00000.png").exists()


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def no_video(path: Path) -> Path:
    import av

    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=8000)
        heard = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        heard.sample_rate = 8000
        container.mux(audio.encode(heard))
        container.mux(audio.encode(None))
    return path


def images(*named: str) -> Path:
    for name in named:
        write_png(Path("odd", f"{name}.png"), videos.scene(0))
        Path("odd", f"{name}.png").rename(Path("odd", name))
    Path("odd").mkdir(exist_ok=True)
    return Path("odd")


BROKEN: dict[str, tuple[Callable[[], str | Path], int, str]] = {
    "empty": (lambda: Path("a.mp4").write_bytes(b"") or "a.mp4", 3, '"a.mp4" cannot be read as a video'),
    "sound alone": (lambda: no_video(Path("a.mp4")), 3, '"a.mp4" contains no video'),
    "half a webm": (
        lambda: cut(videos.encode(Path("a.webm"), [videos.scene(0)] * 2, "libvpx-vp9")),
        3,
        '"a.webm" cannot be read as a video',
    ),
    "two kinds": (lambda: images("1.png", "1.jpg"), 3, '"odd" contains .jpg and .png images'),
    "one name": (lambda: images("1.jpg", "1.jpeg"), 3, 'two images in "odd" are called "1"'),
    "hidden": (lambda: clip("a.mp4").rename(".a.mp4"), 2, 'masks cannot be in a folder called ".a"'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_odd_inputs_are_one_line(name: str, cli: Cli) -> None:
    make, code, message = BROKEN[name]
    made = make()
    done = cli("segment", made, *BRIGHT)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done.stderr
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert not list(Path().glob("masks/*/*.json")) + list(Path().glob(f"masks/*/{CARD}"))


def test_a_video_shorter_than_its_header_is_noted() -> None:
    path = videos.encode(Path("a.webm"), [videos.scene(t) for t in range(200)], "libvpx-vp9")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    done = call("segment", path, *BRIGHT)
    assert 'note: "a.webm" ends after' in done.stderr or done.returncode == 3, done.stderr


def test_progress_says_what_is_done() -> None:
    from vosbench.face import Listener

    heard: list[tuple[str, int, int]] = []
    listener = Listener(advance=lambda *said: heard.append(said))
    done = vosbench.segment(
        [clip("one.mp4"), folder("two")], "brightness", overlay="over", plugins=[TOY], listener=listener
    )
    assert [each.name for each in done] == ["one", "two"]
    assert ("looking through one", 6, 6) in heard
    counts = [(done, of) for what, done, of in heard if what in {"one", "two"}]
    assert (counts[0], counts[-1]) == ((0, 12), (12, 12))
    assert counts == sorted(counts)
    assert ("overlay of two", 6, 6) in heard


def test_from_python() -> None:
    done = vosbench.segment(clip(), "brightness", plugins=[TOY], soft=True)
    assert repr(done) == "clip: 6 masks in masks/clip"
    assert (done[0].name, done[0].frames, done[0].folder, done[0].overlay) == ("clip", 6, Path("masks/clip"), None)
    assert json.loads((done[0].folder / CARD).read_text("utf-8"))["method"] == "brightness"
    with pytest.raises(TypeError, match=r"segment\(\) has no option"):
        vosbench.segment("clip.mp4", weihgts="a")  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="at least one video"):
        vosbench.segment([], "brightness", plugins=[TOY])
    os.environ["TOY_FAIL"] = "clip/00000"
    try:
        with pytest.raises(VideoError, match="out of luck"):
            vosbench.segment("clip.mp4", "brightness", plugins=[TOY], out="other")
    finally:
        del os.environ["TOY_FAIL"]


PEAK = """
import sys
sys.path.insert(0, sys.argv[1])
from fuzz.memory import peak
import vosbench
vosbench.segment(sys.argv[2], "brightness", plugins=[sys.argv[3]], overlay=sys.argv[2] + "-overlay.mp4")
print(peak())
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_video() -> None:
    peaks = []
    for frames in (1000, 3000):
        path = videos.encode(Path(f"{frames}.mp4"), (videos.scene(t) for t in range(frames)))
        words = [sys.executable, "-c", PEAK, str(Path(__file__).parent), str(path), str(TOY)]
        peaks.append(int(subprocess.run(words, check=True, capture_output=True, text=True).stdout))
    assert peaks[1] - peaks[0] < 9 * 2**20, peaks  # half of what 2000 frames take


@pytest.mark.torch
def test_methods_that_need_flow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))
    two = (
        "--method",
        "two-stream",
        "--plugin",
        Path(__file__).parents[1] / "examples" / "flow_method.py",
        "--untrained",
    )
    refused = call("segment", clip(), *two)
    assert (refused.returncode, '"two-stream" needs optical flow' in refused.stderr) == (2, True)
    done = call("segment", "clip.mp4", *two, "--flow", "dis:preset=fast", "--soft")
    assert done.returncode == 0, done.stderr
    assert len(in_folder("masks/clip")) == 7


@pytest.mark.parametrize("frames", [6, pytest.param(40, marks=pytest.mark.slow)])
def test_the_default_method_on_a_real_video(real_data: Path, frames: int) -> None:
    source = sorted((real_data / "DAVIS" / "JPEGImages" / "480p" / "car-shadow").glob("*.jpg"))[:frames]
    pictures = [read_frame(path) for path in source]
    videos.encode(Path("car-shadow.mp4"), pictures)
    done = call("segment", "car-shadow.mp4", "--overlay", "out.mp4")
    assert done.returncode == 0, done.stderr
    assert f"the method is {default_method()}" in done.stderr
    found = masks("masks/car-shadow")
    assert [mask.shape for mask in found] == [(480, 854)] * len(source)
    car = (pictures[0].shape[0] // 3, pictures[0].shape[1] // 4)
    assert all(mask[car[0] - 20 : car[0] + 130, car[1] : car[1] + 300].mean() > mask.mean() for mask in found)
    shown = videos.decoded(Path("out.mp4"), lambda frame: frame.to_ndarray(format="rgb24").astype(int))
    for picture, mask, overlay in zip(pictures, found, shown, strict=True):
        pinker = (overlay[..., 0] - overlay[..., 1]) - (picture[..., 0].astype(int) - picture[..., 1])
        assert pinker[mask].mean() > 60
        assert abs(pinker[~mask].mean()) < 15
