"""Reading ahead, writing behind, precision and compilation."""

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError, VideoError
from vosbench.method import FloatMap, Method, Setup
from vosbench.method.nn import precision as speed
from vosbench.method.predict import read_ahead, write_maps
from vosbench.methods.adnet import network as adnet
from vosbench.methods.deeplabv3.presets import TINY_VIEW

NAMES = ["deeplabv3", "adnet", "f2net"]


def method_of(name: str) -> Method:
    return importlib.import_module(f"vosbench.methods.{name}").method


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("vosbench-")]


def test_frames_come_in_order_and_errors_in_their_turn(clip: Video) -> None:
    frames = read_ahead([*clip.frames, Path("absent.png")], depth=9)
    for path, frame in zip(clip.frames, frames, strict=False):
        assert np.array_equal(frame, next(read_ahead([path])))
    with pytest.raises(DataError, match=r"absent\.png"):
        next(frames)
    assert list(read_ahead([])) == []
    assert not ours()


def test_a_dropped_reader_ends_its_thread(clip: Video) -> None:
    frames = read_ahead(clip.frames)
    next(frames)
    del frames
    assert not ours()


class Failing:
    """Gives the same array again and again, then fails."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        values = np.zeros((70, 110), np.float32)
        for t in range(len(video) - 1):
            values[:] = t / 5
            yield values
        raise RuntimeError("out of luck")


def test_maps_before_a_failure_are_kept_and_are_not_overtaken(clip: Video, tmp_path: Path) -> None:
    seen: list[int] = []
    with pytest.raises(VideoError, match="fails on frame 4"):
        write_maps(Failing(), clip, tmp_path / "out", seen.append)
    assert seen == [0, 1, 2, 3, 4]
    for t in range(4):
        levels = next(read_ahead([tmp_path / "out" / f"{t:05d}.png"]))
        assert (levels == 51 * t).all()
    assert not ours()


def test_a_full_disk_is_not_overlooked(clip: Video, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="out"):
        write_maps(method_of("deeplabv3").load(Setup(variant="tiny")), clip, tmp_path / "out", lambda _: None)
    assert not ours()


@pytest.mark.parametrize("name", NAMES)
def test_lower_precision_changes_maps_a_little(name: str, clip: Video) -> None:
    exact, lower = (
        list(method_of(name).load(Setup(variant="tiny", precision=precision)).predict(clip.first(2)))
        for precision in ("fp32", "bf16")
    )
    for one, other in zip(exact, lower, strict=True):
        assert other.dtype == np.float32
        assert np.allclose(one, other, atol=0.05)
    assert not all(np.array_equal(one, other) for one, other in zip(exact, lower, strict=True))
    assert not torch.is_autocast_enabled("cpu")


def test_lower_precision_of_a_network_that_is_not_flat(shake: object, clip: Video, tmp_path: Path) -> None:
    seen = torch.stack([TINY_VIEW.prepare(frame) for frame in read_ahead(clip.frames)])
    net = shake(adnet.build("ad", adnet.TINY), seen[[0, 0]], seen[[0, 3]])  # type: ignore[operator]
    path = tmp_path / "w.safetensors"
    save_file(net.state_dict(), path)
    exact, lower = (
        next(method_of("adnet").load(Setup(variant="tiny", weights=path, precision=precision)).predict(clip))
        for precision in ("fp32", "bf16")
    )
    assert exact.std() > 0.01
    assert np.abs(exact - lower).mean() < 0.04


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_works_or_is_refused(name: str, clip: Video) -> None:
    try:
        predictor = method_of(name).load(Setup(variant="tiny", precision="fp16"))
    except UsageError as error:
        assert "cannot compute in fp16" in str(error)  # noqa: PT017
    else:
        found = next(predictor.predict(clip))
        assert found.dtype == np.float32
        assert np.isfinite(found).all()


@pytest.mark.parametrize("name", NAMES)
def test_precisions_that_are_not_to_be_had_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match='no precision "fp8"; choose one of fp32, bf16, fp16'):
        method_of(name).load(Setup(variant="tiny", precision="fp8"))

    def refuse(*_: object) -> None:
        raise RuntimeError("no such number\nhere")

    monkeypatch.setattr(nn.Conv2d, "forward", refuse)
    with pytest.raises(UsageError, match=r'in fp16 on "cpu" \(no such number\); try fp32'):
        method_of(name).load(Setup(variant="tiny", precision="fp16"))


@pytest.mark.parametrize("name", NAMES)
def test_what_encodes_is_compiled_on_request(name: str, clip: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []

    def note(step: object) -> object:
        compiled.append(step.__name__)  # type: ignore[attr-defined]
        return step

    monkeypatch.setattr(torch, "compile", note)
    plain = next(method_of(name).load(Setup(variant="tiny")).predict(clip))
    assert not compiled
    found = next(method_of(name).load(Setup(variant="tiny", compile=True)).predict(clip))
    assert compiled == ["_increment", "encode" if name == "f2net" else "embed"]
    assert np.array_equal(plain, found)


def test_a_missing_compiler_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("No working C++ compiler found.\nSet CXX")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(UsageError, match=r"\(No working C\+\+ compiler found\); install a compiler") as caught:
        method_of("adnet").load(Setup(variant="tiny", compile=True))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_compiled_networks_give_the_same_maps(name: str, clip: Video) -> None:
    try:
        predictor = method_of(name).load(Setup(variant="tiny", compile=True))
    except UsageError as error:
        pytest.skip(str(error))
    plain = method_of(name).load(Setup(variant="tiny")).predict(clip.first(2))
    for one, other in zip(plain, predictor.predict(clip.first(2)), strict=True):
        assert np.allclose(one, other, atol=1e-4)


def test_float32_is_given_back_whatever_the_shape() -> None:
    low = torch.zeros(2, dtype=torch.float16)
    assert speed.full((low, (low, None)))[1][0].dtype == torch.float32


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
