"""Measure the speed and the cost of a method on some frames of a video.

The stages of a run overlap: frames are decoded ahead, and maps written behind. The same frames are therefore processed
three times: as in a run, for frames per second and latency; without overlap, to time each stage, synchronising the
device at both of its ends; and to count multiply-accumulates.

Work done once per video, such as encoding an anchor, precedes the first map and is part of the untimed warm-up.
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

from vosbench.dataset import Video
from vosbench.engine.locks import scratch
from vosbench.engine.stages import collecting, rehearsing
from vosbench.images import size
from vosbench.method.method import Measurable, Predictor, Setup
from vosbench.method.predict import write_maps
from vosbench.records.record import Speed

WARMUP = 2
"""Least number of untimed frames, if the video has more."""
TIMED = {"cpu": 10}
TIMED_ELSEWHERE = 50
"""Greatest number of timed frames, by device."""


def profile(predictor: Predictor, setup: Setup, video: Video) -> Speed:
    """Measure a predictor on the first frames of a video; its maps are discarded.

    Args:
        predictor: the method, made from ``setup``; if it is `Measurable`, its parameters are counted.
        setup: gives the device and the batch.
        video: at least one frame; with no more frames than one batch there is no warm-up.

    Raises:
        VideoError: if the method fails.
    """
    import torch

    device = _Device(setup.device)
    batch = min(setup.batch, len(video))
    warmup, clip = _clip(video, batch, TIMED.get(device.kind, TIMED_ELSEWHERE))
    timed = len(clip) - warmup
    with rehearsing(), scratch("profile") as folder:
        times = _run(predictor, clip, folder / "overlapping")
        before, after = _time_stages(predictor, clip, warmup, folder / "stages", device.synchronise)
        peak = device.peak_memory()  # before counting, which needs other memory
        gmacs = _count(predictor, clip, warmup, batch)
    step = min(batch, timed)
    steps = [(later - sooner) / step for sooner, later in pairwise(times[warmup::step])]
    height, width = size(clip.frames[0])
    net = predictor.network if isinstance(predictor, Measurable) else None
    return Speed(
        frames=timed,
        warmup=warmup,
        fps=timed / (times[-1] - times[warmup]),
        latency=median(steps),
        stages={stage: (after[stage] - before[stage]) / timed for stage in after},
        peak_memory=peak,
        parameters=sum(x.numel() for x in net.parameters()) if net is not None else None,
        gmacs=gmacs,
        size=f"{width}x{height}",
        device_name=device.name(),
        threads=torch.get_num_threads(),
    )


def _clip(video: Video, batch: int, timed: int) -> tuple[int, Video]:
    """The number of warm-up frames, and the frames to process: whole batches, if there are several."""
    warmup = next((size for size in (batch * ceil(WARMUP / batch), batch) if size < len(video)), 0)
    rest = min(len(video) - warmup, batch * ceil(timed / batch))
    return warmup, video.first(warmup + max(rest - rest % batch, min(rest, batch)))


def _run(predictor: Predictor, video: Video, folder: Path) -> list[float]:
    """The times at which 0, 1, 2, … maps were written, as in a run."""
    times: list[float] = []
    write_maps(predictor, video, folder, lambda _: times.append(time.perf_counter()))
    return times


def _time_stages(
    predictor: Predictor, video: Video, warmup: int, folder: Path, synchronise: Callable[[], None]
) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of every stage, summed up to the end of the warm-up and up to the last frame."""
    sums: list[dict[str, float]] = []
    with collecting(synchronise) as collector:
        write_maps(predictor, video, folder, lambda _: sums.append(collector.seconds()))
    return sums[warmup], sums[-1]


def _count(predictor: Predictor, video: Video, warmup: int, batch: int) -> float | None:
    """10⁹ multiply-accumulates per frame, over the first batch after the warm-up; None if torch counted none."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    operations = torch.ops.aten
    fused = {
        getattr(operations, name): _attention
        for name in ("_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_fused_attention_overrideable")
        if hasattr(operations, name)
    }
    maps: Iterator[object] = iter(predictor.predict(video.unannotated()))
    for _ in islice(maps, warmup):
        pass
    with FlopCounterMode(display=False, custom_mapping=fused) as counter:
        counted = sum(1 for _ in islice(maps, batch))
    return counter.get_total_flops() / 2 / counted / 1e9 or None


def _attention(query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], *_: Any, **__: Any) -> int:  # noqa: ANN401 - called by torch
    """Floating-point operations of attention on shapes (B, heads, N, C), (B, heads, M, C) and (B, heads, M, D)."""
    batch, heads, n, c = query
    return 2 * batch * heads * n * key[2] * (c + value[3])


class _Device:
    """The functions of a torch device that have the same name for every kind, as far as it has them.

    Args:
        device: a torch device, such as ``"cuda:0"``.
    """

    def __init__(self, device: str) -> None:
        import torch

        self.kind = device.partition(":")[0]
        self._device = device
        self._module: Any = getattr(torch, self.kind, object())
        if self.kind != "cpu" and hasattr(self._module, "reset_peak_memory_stats"):
            self._module.reset_peak_memory_stats(device)

    def synchronise(self) -> None:
        """Wait until all work is done."""
        if self.kind == "cuda":
            self._module.synchronize(self._device)
        elif hasattr(self._module, "synchronize"):
            self._module.synchronize()

    def peak_memory(self) -> int:
        """Peak memory in bytes: the device's since this object was made, or the process's if the device has none."""
        if self.kind != "cpu" and hasattr(self._module, "max_memory_allocated"):
            return int(self._module.max_memory_allocated(self._device))
        import resource

        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return largest if sys.platform == "darwin" else 1024 * largest

    def name(self) -> str:
        """The name of the device."""
        if self.kind != "cpu" and hasattr(self._module, "get_device_name"):
            return str(self._module.get_device_name(self._device))
        return _processor() if self.kind == "cpu" else self._device


def _processor() -> str:
    """The processor's model, if known."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        models = []
    return next(iter(models), platform.processor() or platform.machine() or os.name)
