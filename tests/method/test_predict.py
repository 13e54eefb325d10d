"""Reading ahead and writing behind."""

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vosbench.dataset import Video
from vosbench.errors import DataError, VideoError
from vosbench.images.files import read_levels
from vosbench.method import FloatMap, Method, Setup, State
from vosbench.method.predict import one_ahead, read_ahead, write_maps

NAMES = ["deeplabv3", "adnet", "f2net"]


def method_of(name: str) -> Method:
    return importlib.import_module(f"vosbench.methods.{name}").method


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("vosbench-")]


def test_frames_and_errors_come_in_order(clip: Video) -> None:
    frames = read_ahead([*clip.frames, Path("absent.png")], depth=9)
    for path, frame in zip(clip.frames, frames, strict=False):
        assert np.array_equal(frame, next(read_ahead([path])))
    with pytest.raises(DataError, match=r"absent\.png"):
        next(frames)
    assert list(read_ahead([])) == []
    assert not ours()


def test_each_result_is_begun_before_the_one_in_front_is_used() -> None:
    begun: list[int] = []

    def results() -> Iterator[int]:
        for index in range(4):
            if index == 3:
                raise ValueError("the fourth")
            begun.append(index)
            yield index

    ahead = one_ahead(results())
    assert not begun
    assert (next(ahead), begun) == (0, [0, 1])
    assert (next(ahead), begun) == (1, [0, 1, 2])
    assert next(ahead) == 2
    with pytest.raises(ValueError, match="the fourth"):
        next(ahead)
    assert list(one_ahead(iter([5]))) == [5]
    assert list(one_ahead(iter([]))) == []


def test_a_dropped_reader_ends_its_thread(clip: Video) -> None:
    frames = read_ahead(clip.frames)
    next(frames)
    del frames
    assert not ours()


class Failing:
    """Yields the same array repeatedly, then fails."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        values = np.zeros((70, 110), np.float32)
        for t in range(len(video) - 1):
            values[:] = t / 5
            yield values
        raise RuntimeError("out of luck")


def test_maps_before_a_failure_are_kept_in_order(clip: Video, tmp_path: Path) -> None:
    seen: list[int] = []
    with pytest.raises(VideoError, match="fails on frame 4"):
        write_maps(Failing(), clip, tmp_path / "out", seen.append)
    assert seen == [0, 1, 2, 3, 4]
    for t in range(4):
        levels = next(read_ahead([tmp_path / "out" / f"{t:05d}.png"]))
        assert (levels == 51 * t).all()
    assert not ours()


@pytest.mark.torch
def test_errors_of_the_writing_thread_are_raised(clip: Video, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="out"):
        write_maps(method_of("deeplabv3").load(Setup(variant="tiny")), clip, tmp_path / "out", lambda _: None)
    assert not ours()


PEAK = """
import itertools, sys
from dataclasses import replace
from pathlib import Path
import torch
from vosbench.method import Setup
from vosbench.methods import adnet, deeplabv3, f2net
from vosbench.method.predict import write_maps
from vosbench.method.testing import sample_video
torch.set_num_threads(1)
method = {"adnet": adnet, "deeplabv3": deeplabv3, "f2net": f2net}[sys.argv[1]]
folder, count = Path(sys.argv[2]), int(sys.argv[3])
video = sample_video(folder)
frames = tuple(folder / f"{t:05d}.png" for t in range(count))
for path, source in zip(frames, itertools.cycle(video.frames)):
    path.hardlink_to(source)
write_maps(method.load(Setup(variant="tiny")), replace(video, frames=frames), folder / "out", lambda _: None)
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
@pytest.mark.parametrize("name", NAMES)
def test_memory_does_not_grow_with_the_video(name: str, tmp_path: Path) -> None:
    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-c", PEAK, name, str(tmp_path / str(count)), str(count)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for count in (1, 100, 1000)
    ]
    assert max(peaks) < 1.05 * min(peaks), peaks


class Counting:
    """A resumable method whose state is of several dtypes; it fails once, at frame 3."""

    def __init__(self, *, fails: bool) -> None:
        self._fails = fails
        self._state: State = {}

    def predict(self, video: Video) -> Iterator[FloatMap]:
        return self.resume(video, 0, {})

    def state(self) -> State:
        return self._state

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        kinds = {"count": "i8", "half": "f2", "seen": "b1", "word": "U1"}
        assert {name: value.dtype.str[1:] for name, value in state.items()} == ({} if not start else kinds)
        count = int(state["count"]) if start else 0
        for t in range(start, len(video)):
            if self._fails and t == 3:
                raise RuntimeError("out of luck")
            count += t
            self._state = {
                "count": np.array(count, np.int64),
                "half": np.array([count / 8], np.float16),
                "seen": np.array([True]),
                "word": np.array("a"),
            }
            yield np.full((70, 110), count / 255, np.float32)


def test_states_of_any_dtype_resume(clip: Video, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="out of luck"):
        write_maps(Counting(fails=True), clip, tmp_path / "out", lambda _: None)
    write_maps(Counting(fails=False), clip, tmp_path / "out", lambda _: None)
    levels = [int(read_levels(tmp_path / "out" / f"{frame.stem}.png", "map")[0, 0]) for frame in clip.frames]
    assert levels == np.cumsum(range(len(clip))).tolist()


def test_objects_in_a_state_are_refused(clip: Video, tmp_path: Path) -> None:
    class Objects(Counting):
        def state(self) -> State:
            return {"mean": np.array([None])}

    with pytest.raises(VideoError, match='"mean" of the state before frame 1 holds objects'):
        write_maps(Objects(fails=False), clip, tmp_path / "out", lambda _: None)
