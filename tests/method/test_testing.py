"""The conformance check passes good methods and says what is wrong with others."""

import importlib
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vosbench import images
from vosbench.dataset import Video
from vosbench.errors import UsageError, VideoError
from vosbench.method import FloatMap, Predictor, Setup, State
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


class Narrow(Forgetful):
    def state(self) -> State:
        return {"mean": np.zeros(1, np.float32)}  # type: ignore[dict-item]


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
        (Narrow(), '"mean" of the state after map 0 is float32'),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Good) else "",
)
def test_errors_say_how_a_method_breaks_the_contract(broken: Predictor, said: str, video: Video) -> None:
    with pytest.raises(VideoError, match=said) as caught:
        check_predictor(broken, video)
    assert "\n" not in str(caught.value)


def test_good_methods_pass(video: Video) -> None:
    check_predictor(Good(), video)
    with pytest.raises(UsageError, match="has 2 frames"):
        check_predictor(Good(), video.first(2))


@pytest.mark.torch
@pytest.mark.parametrize(("name", "batch"), [("adnet", 1), ("deeplabv3", 3), ("f2net", 1)])
def test_our_methods_pass(name: str, batch: int, video: Video) -> None:
    method = importlib.import_module(f"vosbench.methods.{name}").method
    check_predictor(method.load(Setup(variant="tiny", batch=batch)), video.first(3))


def test_the_example_passes_and_runs(video: Video, tmp_path: Path) -> None:
    method, _ = load_method("median", [EXAMPLE])
    check_predictor(method.load(Setup()), video)
    words = ["run", "--plugin", EXAMPLE, "--method", "median", "--dataset", "sample", "--out", tmp_path / "out"]
    command = [sys.executable, "-m", "vosbench", *map(str, words), "--limit", "3"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out" / "sample" / "median+limit3").glob("*/00002.png"))
