"""Frames per second of the full-size networks on a GPU, a section of `results/benchmarks.json`.

``python tests/benchmarks/gpu.py --frames DAVIS/JPEGImages/480p --json gpu.json`` measures, on a machine with a GPU,
with random weights: they take as long as trained ones. ``--read gpu.json --results results/benchmarks.json`` puts the
section there, on any machine. Frames per second are those of a predictor alone, from reading a frame to its map on the
CPU; the GPU is busy for the sum of its kernels' times, as torch's profiler has them.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Literal

import series
from measured import Network, Networks

from vosbench.dataset import Video
from vosbench.method import Predictor, Setup
from vosbench.registry import load_method

SETTINGS: list[tuple[str, Literal["fp32", "bf16"], int, bool]] = [
    ("adnet.ad", "fp32", 1, False),
    ("adnet.ad", "fp32", 8, False),
    ("adnet.ad", "bf16", 1, False),
    ("adnet.ad", "bf16", 8, False),
    ("adnet.ad", "bf16", 8, True),
    ("f2net.cgad-csa", "fp32", 1, False),
    ("f2net.cgad-csa", "bf16", 1, False),
    ("f2net.cgad-csa", "bf16", 1, True),
]
SIZE = 8192


def ceiling() -> float:
    """Operations per second of a bf16 product of two large random matrices."""
    import torch

    one, other = (torch.randn(SIZE, SIZE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for times in (3, 10):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(times):
            one @ other
        torch.cuda.synchronize()
    return 10 * 2 * SIZE**3 / (time.perf_counter() - start)


def random_weights(name: str, folder: Path) -> Path:
    """A checkpoint of a network as it is built."""
    import torch

    path = folder / f"{name}.pt"
    if not path.is_file():
        method, variant = load_method(name)
        assert method.recipe is not None
        torch.manual_seed(0)
        torch.save(method.recipe(variant, {}).build().state_dict(), path)
    return path


def measure(setting: tuple[str, Literal["fp32", "bf16"], int, bool], videos: list[Video], folder: Path) -> Network:
    """Measure a network on all videos but the first, which warms it up."""
    import torch
    from torch.profiler import ProfilerActivity, profile
    from torch.utils.flop_counter import FlopCounterMode

    name, precision, batch, compiled = setting
    method, variant = load_method(name)
    usual = {"variant": variant, "weights": random_weights(name, folder), "device": "cuda"}
    plain = method.load(Setup(**usual))
    with FlopCounterMode(display=False) as counter:
        run(plain, videos[:1])
    start = time.perf_counter()
    predictor = method.load(Setup(**usual, precision=precision, batch=batch, compile=compiled))
    run(predictor, videos[:1])
    first = time.perf_counter() - start
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    frames = run(predictor, videos[1:])
    rate = frames / (time.perf_counter() - start)
    memory = torch.cuda.max_memory_allocated()
    with profile(activities=[ProfilerActivity.CUDA]) as kernels:
        run(predictor, videos[1:2])
    busy = sum(event.self_device_time_total for event in kernels.key_averages()) / 1e6 / len(videos[1])
    work = counter.get_total_flops() / len(videos[0])
    return Network(
        network=name,
        precision=precision,
        batch=batch,
        compiled=compiled,
        rate=rate,
        first=first,
        work=work,
        busy=busy,
        memory=memory,
    )


def run(predictor: Predictor, videos: list[Video]) -> int:
    """Make the maps of videos, and count them."""
    return sum(1 for video in videos for _ in predictor.predict(video))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=Path, help="folder with a folder of frames for each video")
    parser.add_argument("--videos", type=int, default=4)
    parser.add_argument("--limit", type=int, default=30, help="frames of each video")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    parser.add_argument("--read", type=Path, help="what was measured before")
    parser.add_argument("--results", type=Path, help="the data whose section is replaced, and whose page is written")
    args = parser.parse_args()
    if args.read:
        section = Networks.model_validate_json(args.read.read_text("utf-8"))
    else:
        import torch

        folders = sorted(path for path in args.frames.iterdir() if path.is_dir())[: args.videos]
        videos = [Video(name=path.name, frames=tuple(sorted(path.iterdir())[: args.limit])) for path in folders]
        with tempfile.TemporaryDirectory() as folder:
            rows = [measure(setting, videos, Path(folder)) for setting in SETTINGS]
        section = Networks(
            kind="networks",
            title="Full-size networks on a GPU",
            script="tests/benchmarks/gpu.py",
            date=series.today(),
            machine=f"{torch.cuda.get_device_name()}, torch {torch.__version__}",
            frames=sum(map(len, videos[1:])),
            size=SIZE,
            ceiling=ceiling(),
            rows=rows,
        )
    if args.json:
        args.json.write_text(section.model_dump_json(indent=1) + "\n", "utf-8")
    if args.results:
        series.replace("gpu", section, args.results)


if __name__ == "__main__":
    main()
