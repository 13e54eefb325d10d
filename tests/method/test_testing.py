"""The conformance check passes good methods and says what is wrong with others."""

import importlib
import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vosbench import images
from vosbench.dataset import Video
from vosbench.errors import UsageError, VideoError
from vosbench.images.flow import read_flow
from vosbench.method import FloatMap, Method, Predictor, Setup, State
from vosbench.method.testing import check_predictor, sample_video
from vosbench.registry import load_method

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "median.py"


@pytest.fixture
def video(tmp_path: Path) -> Video:
    return sample_video(tmp_path / "sample", frames=4)


def grey(path: Path) -> FloatMap:
    return images.read_frame(path).mean(axis=2).astype(np.float32) / 255


class Good:
    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames:
            yield grey(path)


class Short(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        return super().predict(video.first(len(video) - 1))


class Long(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        yield from super().predict(video)
        yield grey(video.frames[0])


class Doubled(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        return (values.repeat(2, axis=0) for values in super().predict(video))


class Precise(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        return (values.astype(np.float64) for values in super().predict(video))


class Levels(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        return (values * 255 for values in super().predict(video))


class Fickle(Good):
    def __init__(self) -> None:
        self.runs = itertools.count()

    def predict(self, video: Video) -> Iterator[FloatMap]:
        return (values / (1 + next(self.runs)) for values in super().predict(video))


class Eager(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        return iter(list(super().predict(video)))


class Reversed(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames[::-1]:
            yield grey(path)


class Peeping(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        return (values / (1 + len(video.annotations)) for values in super().predict(video))


class Sneaking(Good):
    """Looks for the masks next to the frames."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames:
            mask = Path(str(path).replace("frames", "masks"))
            yield grey(mask if mask.exists() else path)


class Failing(Good):
    def predict(self, video: Video) -> Iterator[FloatMap]:
        yield grey(video.frames[0])
        raise RuntimeError("out of luck")


class Forgetful(Good):
    """The running mean, restarted when resumed."""

    def state(self) -> State:
        return {}

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        mean = np.float32(state.get("mean", 0))
        for path in video.frames[start:]:
            mean = (mean + grey(path)) / 2
            yield mean

    def predict(self, video: Video) -> Iterator[FloatMap]:
        return self.resume(video, 0, {})


class Objects(Forgetful):
    def state(self) -> State:
        return {"mean": np.array([None])}


class Gazing(Good):
    """Reads flow."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        for t, path in enumerate(video.frames):
            files = video.flow[1] if t in video.flow[1] else video.flow[-1]
            yield (grey(path) + np.tanh(np.abs(read_flow(files[t])).mean(axis=2))) / 2


class Smooth(Good):
    """The running mean of frames, a few of which are lost when it resumes."""

    def __init__(self, lost: float = 0) -> None:
        self._lost = lost
        self._mean = np.zeros(1, np.float32)

    def state(self) -> State:
        return {"mean": self._mean, "count": np.array(1, np.int64), "name": np.array("a")}

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        mean = state["mean"] * np.float32(1 - self._lost) if start else grey(video.frames[0])
        for path in video.frames[start:]:
            mean = (mean + grey(path)) / 2
            self._mean = mean
            yield mean

    def predict(self, video: Video) -> Iterator[FloatMap]:
        return self.resume(video, 0, {})


class Whole(Good):
    """The difference from the mean of all frames, as methods of whole videos."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        mean = np.mean([grey(path) for path in video.frames], axis=0)
        for path in video.frames:
            yield np.abs(grey(path) - mean).astype(np.float32)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Short(), "yields 3 maps for 4 frames"),
        (Long(), "more maps than the 4 frames"),
        (Doubled(), r"map 0 is float32 \(96, 64\)"),
        (Precise(), "map 0 is float64"),
        (Levels(), "map 0 ranges from"),
        (Fickle(), "second run .* different map of frame 0"),
        (Eager(), "first map of 64 frames comes only after the last"),
        (Reversed(), "out of order: frame 3 was changed, and map 0 differs"),
        (Peeping(), "reads the video's annotations"),
        (Sneaking(), "without annotations, .* different map of frame 0"),
        (Failing(), 'fails on frame 1 of "disk": RuntimeError: out of luck'),
        (Forgetful(), "resumed at frame 1, .* different map of frame 1"),
        (Objects(), '"mean" of the state after map 0 holds objects'),
        (Gazing(), 'fails on frame 0 of "disk": KeyError'),
        (Smooth(), r'frame \d was changed, and map 3 differs: declare the need "previous"'),
        (Whole(), 'declare the need "(previous|whole-video)"'),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Good) else "",
)
def test_errors_say_how_a_method_breaks_the_contract(broken: Predictor, said: str, video: Video) -> None:
    with pytest.raises(VideoError, match=said) as caught:
        check_predictor(broken, video)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("broken", "needs", "said"),
    [
        (Eager(), {"whole-video"}, "reads a video before its first map is requested"),
        (Good(), {"flow"}, "other flow gives equal maps"),
        (Whole(), {"previous"}, "first map of 64 frames comes only after the last frame was read"),
        (Smooth(lost=1e-3), {"previous"}, "resumed at frame 1, .* equal to the last bit"),
    ],
)
def test_what_is_declared_is_true(broken: Predictor, needs: set[str], said: str, video: Video) -> None:
    with pytest.raises(VideoError, match=said):
        check_predictor(broken, video, needs=needs)


def test_methods_that_declare_their_needs_pass(video: Video) -> None:
    check_predictor(Gazing(), video, needs={"flow"})
    check_predictor(Smooth(), video, needs={"previous"})
    check_predictor(Whole(), video, needs={"whole-video"})
    check_predictor(Smooth(lost=1e-3), video, needs={"previous"}, tolerance=1e-2)
    with pytest.raises(VideoError, match=r"maps must be equal within 1e-05"):
        check_predictor(Smooth(lost=1e-3), video, needs={"previous"}, tolerance=1e-5)
    with pytest.raises(UsageError, match="no optical flow to check"):
        check_predictor(Gazing(), replace(video, flow={}), needs={"flow"})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"needs": {"luck"}}, "cannot need"), ({"tolerance": -1.0}, "tolerance"), ({"heeds": ("x",)}, "heed")],
)
def test_what_a_method_declares_is_known(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Method(name="m", title="", paper="", licence="", load=lambda _setup: Good(), **wrong)


def test_good_methods_pass(video: Video) -> None:
    check_predictor(Good(), video)
    with pytest.raises(UsageError, match="has 2 frames"):
        check_predictor(Good(), video.first(2))


@pytest.mark.torch
@pytest.mark.parametrize(("name", "batch"), [("adnet", 1), ("deeplabv3", 3), ("f2net", 1)])
def test_our_methods_pass(name: str, batch: int, video: Video) -> None:
    method = importlib.import_module(f"vosbench.methods.{name}").method
    check_predictor(method.load(Setup(variant="tiny", batch=batch)), video.first(3), needs=method.needs)


def test_the_example_passes_and_runs(video: Video, tmp_path: Path) -> None:
    method, _ = load_method("median", [EXAMPLE])
    check_predictor(method.load(Setup()), video, needs=method.needs)
    words = ["run", "--plugin", EXAMPLE, "--method", "median", "--dataset", "sample", "--out", tmp_path / "out"]
    command = [sys.executable, "-m", "vosbench", *map(str, words), "--limit", "3"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out" / "sample" / "median+limit3").glob("*/00002.png"))
