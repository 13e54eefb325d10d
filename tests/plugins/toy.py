"""A dataset of two videos, and methods that need no network."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.dataset.layout import Layout, collect, recognise
from vosbench.images import read_frame
from vosbench.method import FloatMap, Method, Predictor, Setup, State
from vosbench.method.predict import Stateless

LAYOUT = Layout(
    name="toy", frames="frames/{video}", annotations="masks/{video}", codec="binary255", markers=("frames",)
)


SALIENCY = DatasetProtocol(name="toy-saliency", measures=("MAE", "maxF", "S"), saliency="davsod")


def listing(_split: str) -> Mapping[str, Listed]:
    return {"v0": Listed(frames=5), "v1": Listed(frames=5)}


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    return collect(root, recognise(root, (LAYOUT,), "Toy", layout), listing(split))


toy = Dataset(
    name="toy",
    title="Toy",
    paper="none",
    licence="MIT",
    splits=("val",),
    layouts=("toy",),
    protocols=(DatasetProtocol(name="toy"), DatasetProtocol(name="toy-inner", frames="inner"), SALIENCY),
    listing=listing,
    videos=videos,
)


class Brightness:
    """Bright is foreground; the environment makes it slow, or fail on a frame, or die there while a file exists."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames:
            time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
            if os.environ.get("TOY_FAIL") == f"{video.name}/{path.stem}":
                raise RuntimeError("out of luck")
            flag = Path(os.environ.get("TOY_KILL", "/no/such/file"))
            if flag.is_file() and flag.read_text() == f"{video.name}/{path.stem}":
                flag.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            if os.environ.get("TOY_POISON") == f"{video.name}/{path.stem}":
                os.kill(os.getpid(), signal.SIGKILL)
            yield read_frame(path).mean(axis=2).astype(np.float32) / 255


class Apart(Stateless):
    """The same, and may begin anywhere."""

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        assert not state
        return Brightness().predict(Video(name=video.name, frames=video.frames[start:]))


class Average(Brightness):
    """A sequential one: the running mean of brightness, resumable."""

    def __init__(self) -> None:
        self.mean = np.zeros((), np.float64)

    def predict(self, video: Video) -> Iterator[FloatMap]:
        return self.resume(video, 0, {})

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        self.mean = np.array(state.get("mean", 0.0))
        frames = Video(name=video.name, frames=video.frames[start:])
        for values in super().predict(frames):
            self.mean = 0.5 * self.mean + 0.5 * values
            yield self.mean.astype(np.float32)

    def state(self) -> State:
        return {"mean": self.mean}


def load(setup: Setup) -> Predictor:
    return {"average": Average, "apart": Apart}.get(setup.variant, Brightness)()


brightness = Method(
    name="brightness",
    title="Brightness",
    paper="none",
    licence="MIT",
    load=load,
    variants={"average": "running mean", "apart": "each frame by itself"},
    needs_weights=False,
)
