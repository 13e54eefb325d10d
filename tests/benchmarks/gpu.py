"""Frames per second of the full-size networks on a GPU, as a section of `results/benchmarks.md`.

``python tests/benchmarks/gpu.py --frames DAVIS/JPEGImages/480p --json gpu.json`` measures, on a machine with a GPU,
with random weights: they take as long as trained ones. ``--read gpu.json --write results/benchmarks.md`` makes the
section, on any machine. Frames per second are those of a predictor alone, from reading a frame to its map on the CPU;
the GPU is busy for the sum of its kernels' times, as torch's profiler has them.
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from peers import write_section

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


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured of a network.

    Attributes:
        network: method and variant.
        precision: of convolutions and products.
        batch: frames at a time.
        compiled: by ``torch.compile``.
        rate: frames per second.
        first: seconds to the first map, building and compiling included.
        work: floating-point operations per frame.
        busy: seconds per frame that the GPU was busy.
        memory: the most bytes that tensors had.
    """

    network: str
    precision: str
    batch: int
    compiled: bool
    rate: float
    first: float
    work: float
    busy: float
    memory: int


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


def measure(setting: tuple[str, Literal["fp32", "bf16"], int, bool], videos: list[Video], folder: Path) -> Speed:
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
    return Speed(name, precision, batch, compiled, rate, first, work, busy, memory)


def run(predictor: Predictor, videos: list[Video]) -> int:
    """Make the maps of videos, and count them."""
    return sum(1 for video in videos for _ in predictor.predict(video))


def text(measured: dict[str, Any]) -> str:
    """The section."""
    top = measured["ceiling"]
    columns = ("network", "precision", "batch", "compiled", "frames per second", "GPU busy", "of its rate", "memory")
    cells = [
        (
            row.network,
            row.precision,
            f"{row.batch}",
            "yes" if row.compiled else "no",
            f"{row.rate:.0f}",
            f"{1e3 * row.busy:.1f} ms per frame",
            f"{row.work / row.busy / top:.0%}",
            f"{row.memory / 2**20:.0f} MiB",
        )
        for row in (Speed(**each) for each in measured["rows"])
    ]
    where = (
        f"{measured['machine']}; {measured['frames']} frames of DAVIS-2016 at 854×480; random weights; "
        f"{measured['date']}. Frames per second: from reading a frame to its map on the CPU, in one process. Its rate "
        f"is that of a bf16 product of matrices of {SIZE}×{SIZE}, {top / 1e12:.0f} TFLOP/s, while it is busy."
    )
    table = "\n".join(f"| {' | '.join(line)} |" for line in (columns, ["---"] * len(columns), *cells))
    return f"## Full-size networks on a GPU\n\n{table}\n\n{where}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=Path, help="folder with a folder of frames for each video")
    parser.add_argument("--videos", type=int, default=4)
    parser.add_argument("--limit", type=int, default=30, help="frames of each video")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    parser.add_argument("--read", type=Path, help="what was measured before")
    parser.add_argument("--write", type=Path, help="the file whose section is replaced")
    args = parser.parse_args()
    if args.read:
        measured = json.loads(args.read.read_text())
    else:
        import torch

        folders = sorted(path for path in args.frames.iterdir() if path.is_dir())[: args.videos]
        videos = [Video(name=path.name, frames=tuple(sorted(path.iterdir())[: args.limit])) for path in folders]
        with tempfile.TemporaryDirectory() as folder:
            rows = [asdict(measure(setting, videos, Path(folder))) for setting in SETTINGS]
        measured = {
            "machine": f"{torch.cuda.get_device_name()}, torch {torch.__version__}",
            "date": time.strftime("%Y-%m-%d"),
            "frames": sum(map(len, videos[1:])),
            "ceiling": ceiling(),
            "rows": rows,
        }
    if args.json:
        args.json.write_text(json.dumps(measured, indent=1) + "\n")
    if args.write:
        write_section(args.write, "gpu", text(measured), "gpu.py")


if __name__ == "__main__":
    main()
