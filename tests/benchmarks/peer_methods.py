"""AD-Net and F2Net against loops written as their authors run them, by turns in this process; no peer is installed.

The plain loops encode the anchor again with every frame (F2Net: twice, once for the centre and once for the mask), run
every auxiliary head, and build the whole matrix of attention; contiguous float32. Ours are the predictors as they
are: anchor encoded once, no idle head, fused attention, channels last. Weights are random.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from turns import Row

from vosbench import images
from vosbench.method import Predictor, Setup
from vosbench.methods import adnet, f2net
from vosbench.methods.adnet.network import AnchorDiffusion
from vosbench.methods.adnet.network import build as build_adnet
from vosbench.methods.deeplabv3 import weights
from vosbench.methods.deeplabv3.frames import AlignedView, SquashedView
from vosbench.methods.deeplabv3.layers import attend
from vosbench.methods.f2net.network import F2Net
from vosbench.methods.f2net.network import build as build_f2net
from vosbench.video import Video

FRAMES = 2
"""Frames behind the anchor, the first of the video; a full-size frame takes seconds on one core."""
Maps = list[NDArray[np.float32]]


def naive(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention with its whole matrix, as both papers print it."""
    q, k, v = (x.flatten(2) for x in (query, key, value))
    shares = torch.softmax(torch.bmm(q.transpose(1, 2), k) / q.shape[1] ** 0.5, dim=2)
    return torch.bmm(shares, v.transpose(1, 2)).transpose(1, 2).reshape(query.shape)


@torch.inference_mode()
def plain_adnet(net: AnchorDiffusion, video: Video) -> Maps:
    """AD-Net with the anchor encoded at every frame, and the auxiliary head run on both."""
    view, maps = AlignedView(height=481, width=857), []

    def encode(frame: Tensor) -> Tensor:
        idle: list[Tensor] = []
        hook = net.features.layer3.register_forward_hook(lambda _layer, _input, x: idle.append(net.features.dsn(x)))
        embedding = net.embed(frame)
        hook.remove()
        assert idle
        return embedding

    for path in video.frames:
        frame = images.read_frame(path)
        x0, xt = (encode(view.prepare(image)[None]) for image in (images.read_frame(video.frames[0]), frame))
        streams = torch.cat([naive(x0, xt, xt), naive(xt, xt, xt), xt], dim=1)
        maps.append(view.restore(net.cls(streams)[0], frame.shape[:2]))
    return maps


@torch.inference_mode()
def plain_f2net(net: F2Net, video: Video) -> Maps:
    """F2Net with both frames encoded for the centre, and both again for the mask; the release's variant."""
    view, maps = SquashedView(side=473), []
    previous = torch.zeros(1, 1, 119, 119)
    for path in video.frames:
        frame = images.read_frame(path)
        for _ in ("centre", "mask"):
            anchor = net.encode(view.prepare(images.read_frame(video.frames[0]))[None]).embedding
            features = net.encode(view.prepare(frame)[None])
            current = features.embedding
            net.locate(features.pyramid, previous)
            inter, intra = naive(anchor, current, current), naive(current, current, current)
            logits = net.cls(net.fuse(torch.stack([inter, intra, current], dim=1)))
        maps.append(view.restore(logits[0], frame.shape[:2]))
    return maps


def timed(work: Callable[[], Maps]) -> tuple[float, Maps]:
    """Processor seconds, and the result."""
    start = time.process_time()
    maps = work()
    return time.process_time() - start, maps


def rows(_peer: Path, _data: Path, rounds: int, frames: int = FRAMES) -> Iterator[Row]:
    """Measure time per frame of both methods, and memory of attention.

    The anchor's own encoding, which ours does once per video, is not counted against a few frames: ours is the time
    of the maps behind the first, the plain loops take as long for every frame.

    Args:
        rounds: counted ones; at most two, since each takes minutes.
        frames: frames behind the first.
    """
    rounds = min(rounds, 2)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        video = draw(Path(folder), frames + 1)
        setup, lower = Setup(seed=1), Setup(seed=1, precision="bf16")
        plain: Callable[[Video], Maps] = partial(
            plain_adnet, weights.ready(partial(build_adnet, "ad"), setup).to(memory_format=torch.contiguous_format)
        )
        for precision, wanted, target in (("fp32", setup, 2.5), ("bf16", lower, 5.0)):
            task = f"AD-Net, 857 × 481, one scale, {precision}"
            if precision == "bf16" and not computes_in_bfloat16():
                why = "not measured: no bfloat16 in this processor"
                yield Row(task, "–", "–", why, f"≥ {target}×", met=False, scores="–")
                continue
            ours = partial(behind_first, adnet.load(wanted), video)
            yield compare(task, ours, partial(plain, video), target, rounds)
        net = weights.ready(partial(build_f2net, "released"), setup).to(memory_format=torch.contiguous_format)
        ours = partial(behind_first, f2net.load(Setup(variant="released", seed=1)), video)
        yield compare("F2Net, 473 × 473, fp32", ours, partial(plain_f2net, net, video), 3.5, rounds)
    yield memory()


def computes_in_bfloat16() -> bool:
    """Whether the processor does; where it does not, torch emulates it ten times as slowly as float32."""
    info = Path("/proc/cpuinfo")
    words = set(info.read_text("utf-8").split()) if info.exists() else set()
    return bool(words & {"avx512_bf16", "amx_bf16", "bf16"})


def behind_first(predictor: Predictor, video: Video) -> Iterator[float | Maps]:
    """The time of the maps behind the first, then all maps."""
    maps = predictor.predict(video)
    found = [next(maps)]
    start = time.process_time()
    found += maps
    yield time.process_time() - start
    yield found


def compare(
    task: str, ours: Callable[[], Iterator[float | Maps]], plain: Callable[[], Maps], target: float, rounds: int
) -> Row:
    """Take turns; per frame."""
    taken: list[tuple[float, float]] = []
    apart = 0.0
    for _ in range(rounds):
        seconds, maps = ours()
        total, expected = timed(plain)
        assert isinstance(seconds, float)
        assert isinstance(maps, list)
        taken.append((seconds / (len(maps) - 1), total / len(maps)))
        apart = max(float(np.abs(one - other).max()) for one, other in zip(maps, expected, strict=True))
    ratio = statistics.median(other / one for one, other in taken)
    first, second = (statistics.median(pair[side] for pair in taken) for side in (0, 1))
    return Row(
        task=task,
        ours=f"{first:.2f} s a frame",
        peer=f"{second:.2f} s (plain loop, fp32)",
        measured=f"{ratio:.1f}×",
        target=f"≥ {target}×",
        met=ratio >= target,
        scores=f"maps within {apart:.0e}",
    )


def memory() -> Row:
    """Peak memory of one attention at 857 × 481, each form in a process of its own."""
    ours, plain = (
        int(subprocess.run([sys.executable, __file__, form], check=True, capture_output=True, text=True).stdout)
        for form in ("attend", "naive")
    )
    return Row(
        task="attention between 6588 positions, C = 128",
        ours=f"{ours / 1024:.0f} MiB",
        peer=f"{plain / 1024:.0f} MiB (whole matrix)",
        measured=f"{plain / max(ours, 1):.0f}×",
        target="≥ 10×",
        met=plain >= 10 * ours,
        scores="–",
    )


def growth(form: str) -> int:
    """Peak memory, in KiB, that one attention adds to what a small one needs."""
    torch.set_num_threads(1)
    attention = {"attend": attend, "naive": naive}[form]
    noise = torch.Generator().manual_seed(0)
    x = torch.randn(1, 128, 61, 108, generator=noise)
    with torch.inference_mode():
        attention(x[:, :, :8, :8], x[:, :, :8, :8], x[:, :, :8, :8])
        before = peak()
        attention(x, x, x)
    return peak() - before


def peak() -> int:
    """Peak memory of this process, in KiB; getrusage would count that of the process it was started from."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def draw(folder: Path, frames: int) -> Video:
    """A video of 854 × 480 pixels: smooth noise that drifts."""
    noise = torch.rand(1, 3, 15, 27, generator=torch.Generator().manual_seed(0))
    large = functional.interpolate(noise, size=(480, 900), mode="bilinear")[0].permute(1, 2, 0).numpy()
    paths = tuple(folder / f"{t:05d}.png" for t in range(frames))
    for t, path in enumerate(paths):
        images.write_png(path, (255 * large[:, 4 * t : 4 * t + 854]).astype(np.uint8))
    return Video(name="drift", frames=paths)


if __name__ == "__main__":
    sys.stdout.write(f"{growth(sys.argv[1])}\n")
