"""J and F of masks against vos-benchmark: arrays, files of three encodings, 1080p, two processes, memory.

Real masks, DAVIS-2016 annotations and a method's results, are written in each encoding to a temporary folder,
``annotations/<video>/`` and ``results/<video>/``; the peer's own loop over a video's files reads them.
"""

import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from turns import Ask, Row, difference, take_turns, worker

WORKER = Path(__file__).with_name("peer_masks_worker.py")
VIDEOS = ("blackswan", "bmx-trees", "breakdance", "camel", "cows", "dog", "drift-chicane", "horsejump-high")
LIMIT = 60  # MB
Encode = Callable[[np.ndarray], bytes]


def by_pillow(mask: np.ndarray, palette: list[int] | None = None) -> bytes:
    """Grey, 0 and 255; with a palette, indices 0 and 1."""
    image = Image.fromarray(mask.astype(np.uint8) * np.uint8(1 if palette else 255))
    if palette:
        image.putpalette(palette)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


ENCODINGS: dict[str, tuple[str, Encode, int]] = {
    "palette PNG": ("palette", lambda mask: by_pillow(mask, [0, 0, 0, 128, 0, 0] + [64] * 762), 10),
    "grey PNG by OpenCV": ("binary255", lambda mask: cv2.imencode(".png", mask * np.uint8(255))[1].tobytes(), 6),
    "grey PNG by Pillow": ("binary255", by_pillow, 3),
}


def real_pairs(data: Path, step: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(name, annotation, result) of every ``step``-th frame of the videos."""
    root = data / "DAVIS" / "Annotations" / "480p"
    with zipfile.ZipFile(data / "davis16_results" / "osvos.zip") as archive:
        for video in VIDEOS:
            for path in sorted((root / video).iterdir())[::step]:
                name = f"{video}/{path.name}"
                result = np.array(Image.open(io.BytesIO(archive.read(name))).convert("L")) > 0
                yield name, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0, result


def write(folder: Path, pairs: list[tuple[str, np.ndarray, np.ndarray]], encode: Encode) -> Path:
    """Write the pairs' files."""
    for name, *masks in pairs:
        for part, mask in zip(("annotations", "results"), masks, strict=True):
            path = folder / part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(mask))
    return folder


def enlarged(mask: np.ndarray) -> np.ndarray:
    """Enlarge to 1080p with hard edges."""
    return cv2.resize(mask.view(np.uint8), (1920, 1080), interpolation=cv2.INTER_NEAREST_EXACT).view(bool)


def rows(peer: Path, data: Path, rounds: int) -> Iterator[Row]:
    """The lines of the table.

    Args:
        peer: an interpreter that has vos-benchmark.
        data: the folder of real data.
        rounds: number of counted rounds.
    """
    pairs = list(real_pairs(data, 3))
    large = [(name, enlarged(one), enlarged(other)) for name, one, other in pairs[::8]]
    with (
        tempfile.TemporaryDirectory() as name,
        worker(Path(sys.executable), WORKER, "ours") as ours,
        worker(peer, WORKER, "peer") as theirs,
    ):
        folder = Path(name)
        sizes = {"480p": pairs, "1080p": large}
        folders: dict[tuple[str, str], tuple[Path, str, int]] = {}
        for size, some in sizes.items():
            for encoding, (codec, encode, target) in ENCODINGS.items():
                if size == "480p" or target == 10:
                    place = write(folder / size / encoding.replace(" ", "-"), some, encode)
                    folders[size, encoding] = place, codec, target if size == "480p" else 20
        for size, some in sizes.items():
            place, codec, target = folders[size, "palette PNG"]
            yield compared(ours, theirs, f"arrays, {size}", (place, codec), (target, len(some), rounds), "arrays")
        for (size, encoding), (place, codec, target) in folders.items():
            task = f"{encoding}, {size}"
            yield compared(ours, theirs, task, (place, codec), (target, len(sizes[size]), rounds), "files")
        yield two_processes(ours, folders["480p", "palette PNG"][0], len(pairs), rounds)
        for encoding in ("palette PNG", "grey PNG by Pillow"):
            yield memory(*folders["480p", encoding][:2], f"peak memory, {encoding}, 480p")


def compared(ours: Ask, peer: Ask, task: str, place: tuple[Path, str], numbers: tuple[int, int, int], kind: str) -> Row:
    """One line of the comparison; ``numbers`` are the target, the frames and the rounds."""
    target, frames, rounds = numbers
    request = {"task": kind, "folder": str(place[0]), "codec": place[1]}
    timing = take_turns(ours, peer, (request, request), rounds)
    apart = difference(timing.answers[0]["scores"], timing.answers[1]["scores"])
    allowed = 0 if kind == "arrays" else 1e-12
    return Row(
        f"J and F from {task}, {frames} pairs",
        f"{timing.ours / frames * 1000:.3f} ms per pair",
        f"{timing.peer / frames * 1000:.2f} ms (vos-benchmark)",
        f"{timing.ratio:.1f}×",
        f"≥ {target}×",
        timing.ratio >= target and apart <= allowed,
        "all values bit-equal" if apart == 0 else f"video means within {apart:.0e}",
    )


def two_processes(ours: Ask, place: Path, frames: int, rounds: int) -> Row:
    """Two processes against one, in wall time; both pools start before the first counted round."""
    request = {"task": "pool", "folder": str(place), "codec": "palette", "repeat": 8}
    timing = take_turns(ours, ours, ({**request, "jobs": 2}, {**request, "jobs": 1}), rounds, "wall")
    loop = take_turns(
        ours, ours, ({**request, "jobs": 2, "spin": True}, {**request, "jobs": 1, "spin": True}), rounds, "wall"
    )
    apart = difference(timing.answers[0]["scores"], timing.answers[1]["scores"])
    return Row(
        f"two processes, palette PNG, 480p, 8 × {frames} pairs (wall time)",
        f"{timing.ours:.2f} s",
        f"{timing.peer:.2f} s (vosbench, one process)",
        f"{timing.ratio:.2f}× (a plain loop: {loop.ratio:.2f}×)",
        "≥ 1.7×",
        timing.ratio >= 1.7 and apart == 0,
        "all values bit-equal" if apart == 0 else f"{apart:.0e} apart",
    )


def memory(place: Path, codec: str, task: str) -> Row:
    """Peak memory of a process that scores few and many pairs, above that of an idle interpreter."""
    peaks = {}
    for repeat in (0, 1, 20):
        command = [sys.executable, str(WORKER), "--worker", "ours"]
        request = {"task": "peak", "folder": str(place), "codec": codec, "repeat": repeat}
        done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True)
        peaks[repeat] = json.loads(done.stdout)
    bare, short, long = (peaks[repeat]["peak"] for repeat in (0, 1, 20))
    return Row(
        f"{task}, {peaks[1]['frames']} and {peaks[20]['frames']} pairs",
        f"{short - bare:.0f} and {long - bare:.0f} MB",
        f"{bare:.0f} MB (bare interpreter)",
        f"{long - bare:.0f} MB above",
        f"≤ {LIMIT} MB",
        long - bare <= LIMIT,
        "–",
    )
