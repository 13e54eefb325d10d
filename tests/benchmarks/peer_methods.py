"""AD-Net and F2Net against plain loops that work as the released code does, alternating in this process.

The plain loops encode the anchor again with every frame (F2Net: twice, once for the centre and once for the mask), run
every auxiliary head, and build the whole attention matrix, in contiguous float32. Ours are the unchanged predictors:
anchor encoded once, no auxiliary head, fused attention, channels last. Random weights are scaled so that masks cover
half of a frame, which puts pixels near the threshold: masks of trained weights differ less.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from environments import Environment
from measured import Amount, Row, Scores, Target
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from vosbench import images
from vosbench.dataset import Video
from vosbench.errors import UsageError
from vosbench.method import Predictor, Setup
from vosbench.method.nn.layers import attend
from vosbench.method.nn.predictor import ready
from vosbench.method.nn.views import AlignedView, SquashedView, View
from vosbench.methods import adnet, f2net
from vosbench.methods.adnet.network import AnchorDiffusion
from vosbench.methods.adnet.network import build as build_adnet
from vosbench.methods.f2net.network import VARIANTS, F2Net
from vosbench.metrics.region import region_similarity

PEERS = ()
MOST_ROUNDS = 2
FRAMES = 2
"""Frames after the first one, which is the anchor; a full-size frame takes seconds on one core."""
Maps = list[NDArray[np.float32]]
Net = TypeVar("Net", bound=nn.Module)


def naive(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention with its whole matrix, as printed in both papers."""
    q, k, v = (x.flatten(2) for x in (query, key, value))
    shares = torch.softmax(torch.bmm(q.transpose(1, 2), k) / q.shape[1] ** 0.5, dim=2)
    return torch.bmm(shares, v.transpose(1, 2)).transpose(1, 2).reshape(query.shape)


@torch.inference_mode()
def plain_adnet(net: AnchorDiffusion, video: Video) -> Maps:
    """AD-Net that encodes the anchor with every frame and runs the auxiliary head on both."""
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
    """F2Net, variant ``released``, that encodes both frames for the centre and again for the mask."""
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


def rows(_peers: Mapping[str, Environment], data: Path, rounds: int, frames: int = FRAMES) -> Iterator[Row]:
    """Measure time per frame of both methods, also in lower precision and compiled, and memory of attention.

    Our time excludes the first map, since encoding the anchor once per video would weigh too much on a few frames; the
    plain loops take equally long for every frame.

    Args:
        data: the folder of real data; without it, a video is generated.
        rounds: number of counted rounds; at most `MOST_ROUNDS`, since each takes minutes.
        frames: number of frames after the first.
    """
    rounds = min(rounds, MOST_ROUNDS)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        video = real(data, frames + 1) or draw(Path(folder), frames + 1)
        yield from adnet_rows(video, Path(folder) / "adnet.safetensors", rounds)
        yield from f2net_rows(video, Path(folder) / "f2net.safetensors", rounds)
    yield memory()


def adnet_rows(video: Video, path: Path, rounds: int) -> Iterator[Row]:
    """AD-Net at one scale: in float32, in bfloat16 even if emulated, and compiled."""
    pair = [seen(AlignedView(height=481, width=857), video, t) for t in (0, -1)]
    save(revive(build_adnet("ad"), *(torch.cat([x, x.flip(3)]) for x in pair)), path)
    setup = Setup(weights=path)
    net = ready(partial(build_adnet, "ad"), setup).to(memory_format=torch.contiguous_format)
    plain = partial(plain_adnet, net)
    task = "AD-Net, 857 × 481, one scale"
    yield compare(f"{task}, fp32", setup, adnet.load, plain, video, target=2.5, rounds=rounds)
    native = "" if computes_in_bfloat16() else ", emulated on this processor"
    lower = replace(setup, precision="bf16")
    yield compare(f"{task}, bf16{native}", lower, adnet.load, plain, video, target=5.0, rounds=rounds)
    yield compare(
        f"{task}, fp32, compiled", replace(setup, compile=True), adnet.load, plain, video, target=None, rounds=1
    )


def f2net_rows(video: Video, path: Path, rounds: int) -> Iterator[Row]:
    """F2Net as released: in float32, and compiled."""
    pair = [seen(SquashedView(side=473), video, t) for t in (-1, 0)]
    inputs = (*(torch.cat([x, x.flip(3)]) for x in pair), torch.zeros(2, 1, 119, 119), torch.zeros(2, 2))
    save(revive(F2Net(VARIANTS["released"]), *inputs), path)
    setup = Setup(variant="released", weights=path)
    net = ready(partial(F2Net, VARIANTS["released"]), setup).to(memory_format=torch.contiguous_format)
    plain = partial(plain_f2net, net)
    yield compare("F2Net, 473 × 473, fp32", setup, f2net.load, plain, video, target=3.5, rounds=rounds)
    compiled = replace(setup, compile=True)
    yield compare("F2Net, 473 × 473, fp32, compiled", compiled, f2net.load, plain, video, target=None, rounds=1)


def seen(view: View, video: Video, index: int) -> Tensor:
    """A frame as a network sees it, (1, 3, h, w)."""
    return view.prepare(images.read_frame(video.frames[index]))[None]


def revive(net: Net, *inputs: Tensor) -> Net:
    """Give a network random weights that keep activations in range and mark half of the pixels as object.

    Untrained networks predict 0.5 everywhere, which makes comparisons meaningless.
    """
    noise = torch.Generator().manual_seed(0)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.data.normal_(0, layer.weight[0].numel() ** -0.5, generator=noise)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.weight.data.uniform_(0.5, 1, generator=noise)
            layer.bias.data.normal_(0, 0.3, generator=noise)
            layer.momentum = None
    with torch.inference_mode():
        net.train()(*inputs)
        out = net.eval()(*inputs)
        last: nn.Conv2d = net.get_submodule("cls.3")  # type: ignore[assignment]
        assert last.bias is not None
        last.bias -= (out if isinstance(out, Tensor) else out.mask).median()
    return net


def save(net: nn.Module, path: Path) -> None:
    """Write weights to a file that a setup can load."""
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, path)


def computes_in_bfloat16() -> bool:
    """Whether the processor supports it; otherwise torch emulates it ten times more slowly than float32."""
    info = Path("/proc/cpuinfo")
    words = set(info.read_text("utf-8").split()) if info.exists() else set()
    return bool(words & {"avx512_bf16", "amx_bf16", "bf16"})


def after_first(predictor: Predictor, video: Video) -> tuple[float, float, Maps]:
    """Wall seconds to the first map (compilers are other processes), processor seconds of the rest, and all maps."""
    start = time.perf_counter()
    maps = predictor.predict(video)
    found = [next(maps)]
    first_map = time.perf_counter() - start
    first = time.process_time()
    found += maps
    return first_map, time.process_time() - first, found


def compare(
    task: str,
    setup: Setup,
    load: Callable[[Setup], Predictor],
    plain: Callable[[Video], Maps],
    video: Video,
    *,
    target: float | None,
    rounds: int,
) -> Row:
    """Alternate between ours and the plain loop; times are per frame."""
    goal = None if target is None else Target(bound="≥", value=target)
    try:
        predictor = load(setup)
    except UsageError as error:
        return Row(task=task, ours=None, measured=None, target=goal, failed=str(error))
    times: list[tuple[float, float]] = []
    for _ in range(rounds):
        first_map, seconds, maps = after_first(predictor, video)
        total, expected = timed(partial(plain, video))
        times.append((seconds / (len(maps) - 1), total / len(maps)))
        start = f"first map after {first_map:.0f} s" if setup.compile else ""
    ratio = statistics.median(other / one for one, other in times)
    ours, peer = (statistics.median(pair[side] for pair in times) for side in (0, 1))
    return Row(
        task=task,
        ours=Amount(value=ours, unit="s per frame", note=start),
        peer="plain loop, fp32",
        theirs=Amount(value=peer, unit="s per frame"),
        measured=Amount(value=ratio, unit="×"),
        target=goal,
        scores=difference(maps, expected),
    )


def difference(maps: Maps, expected: Maps) -> Scores:
    """How much maps differ, and the masks made from them."""
    apart = np.abs(np.array(maps) - np.array(expected))
    overlap = [region_similarity(other > 0.5, one > 0.5) for one, other in zip(maps, expected, strict=True)]
    masks = f"J of the masks above 0.5: {statistics.mean(overlap):.4f}"
    return Scores(what="maps", apart=float(apart.max()), note=f"{apart.mean():.0e} on average; {masks}")


def memory() -> Row:
    """Peak memory of one attention at 857 × 481, each form in its own process."""
    ours, plain = (
        int(subprocess.run([sys.executable, __file__, form], check=True, capture_output=True, text=True).stdout)
        for form in ("attend", "naive")
    )
    return Row(
        task="attention between 6588 positions, C = 128",
        ours=Amount(value=ours / 1024, unit="MiB"),
        peer="whole matrix",
        theirs=Amount(value=plain / 1024, unit="MiB"),
        measured=Amount(value=plain / max(ours, 1), unit="×"),
        target=Target(bound="≥", value=10),
    )


def growth(form: str) -> int:
    """Peak memory in KiB that one attention needs beyond a small one."""
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
    """Peak memory of this process in KiB; getrusage would include that of its parent."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def real(data: Path, frames: int) -> Video | None:
    """The first frames of a DAVIS video; None if there are too few."""
    paths = sorted((data / "DAVIS" / "JPEGImages" / "480p" / "dog").glob("*.jpg"))[:frames]
    return Video(name="dog", frames=tuple(paths)) if len(paths) == frames else None


def draw(folder: Path, frames: int) -> Video:
    """A video of 854 × 480 pixels: drifting smooth noise."""
    noise = torch.rand(1, 3, 15, 27, generator=torch.Generator().manual_seed(0))
    large = functional.interpolate(noise, size=(480, 900), mode="bilinear")[0].permute(1, 2, 0).numpy()
    paths = tuple(folder / f"{t:05d}.png" for t in range(frames))
    for t, path in enumerate(paths):
        images.write_png(path, (255 * large[:, 4 * t : 4 * t + 854]).astype(np.uint8))
    return Video(name="drift", frames=paths)


if __name__ == "__main__":
    sys.stdout.write(f"{growth(sys.argv[1])}\n")
