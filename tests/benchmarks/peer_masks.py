"""J and F of masks against its peers: arrays, files of four encodings, 1080p, two processes, memory.

Real masks, DAVIS-2016 annotations and a method's results, are written in each encoding to a temporary folder,
``annotations/<video>/`` and ``results/<video>/``; the peer's own loop over a video's files reads them.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import cv2
import decode_limit
import numpy as np
from environments import Environment
from measured import Amount, Row, Scores, Target
from PIL import Image
from turns import Ask, difference, take_turns, worker, workers

WORKER = Path(__file__).with_name("peer_masks_worker.py")
PEERS = ("vos-benchmark", "davis2017-evaluation", "TrackEval", "scikit-learn", "decode limit")
LIMIT = "decode limit"
VIDEOS = ("blackswan", "bmx-trees", "breakdance", "camel", "cows", "dog", "drift-chicane", "horsejump-high")
MOST = 60  # MB
KEPT = "annotations kept"
NOTES = [
    (
        "TrackEval gets run lengths, as its own readers make them, and returns means of videos; davis2017-evaluation "
        "is called frame by frame; scikit-learn has J alone; means differ in the last digits by the order of summation"
    ),
    (
        f'"{KEPT}": annotations were decoded by an earlier run; the decode limit is that of the same files, read, '
        "inflated by zlib-ng and unfiltered in C; if annotations are kept, they are only read"
    ),
]
Encode = Callable[[np.ndarray], bytes]
Pairs = list[tuple[str, np.ndarray, np.ndarray]]


def by_pillow(mask: np.ndarray, palette: list[int] | None = None) -> bytes:
    """Grey, 0 and 255; with a palette, indices 0 and 1."""
    image = Image.fromarray(mask.astype(np.uint8) * np.uint8(1 if palette else 255))
    if palette:
        image.putpalette(palette)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def bilevel(mask: np.ndarray) -> bytes:
    """One bit per pixel."""
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()


class Encoding(NamedTuple):
    """How masks are stored.

    Attributes:
        codec: what reads them.
        encode: writes a file's bytes.
        first: the target where nothing is kept; None if there is none.
        kept: the target where annotations are kept.
        large: the target at 1080p; None if it is not measured there.
    """

    codec: str
    encode: Encode
    first: float | None
    kept: float
    large: float | None = None


ENCODINGS = {
    "palette PNG": Encoding("palette", lambda mask: by_pillow(mask, [0, 0, 0, 128, 0, 0] + [64] * 762), 15, 15, 20),
    "grey PNG by OpenCV": Encoding("binary255", lambda m: cv2.imencode(".png", m * np.uint8(255))[1].tobytes(), 8, 10),
    "grey PNG by Pillow": Encoding("binary255", by_pillow, 6.5, 10),
    "1-bit PNG by Pillow": Encoding("binary255", bilevel, None, 10),
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


def write(folder: Path, pairs: Pairs, encode: Encode) -> Path:
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


def rows(peers: Mapping[str, Environment], data: Path, rounds: int) -> Iterator[Row]:
    """The rows of the table.

    Args:
        peers: the environments of `PEERS`.
        data: the folder of real data.
        rounds: number of counted rounds.
    """
    pairs = list(real_pairs(data, 3))
    sizes = {"480p": pairs, "1080p": [(name, enlarged(one), enlarged(other)) for name, one, other in pairs[::8]]}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        stack.enter_context(patch.dict(os.environ, {"VOSBENCH_CACHE": str(folder / "cache")}))
        asks = stack.enter_context(workers(WORKER, {name: peer for name, peer in peers.items() if name != LIMIT}))
        library = decode_limit.compiled(folder)
        if library is not None and not peers[LIMIT].missing:
            script = Path(decode_limit.__file__)
            asks[LIMIT] = stack.enter_context(worker(peers[LIMIT].python, script, LIMIT))
        folders: dict[tuple[str, str], Path] = {}
        for size, some in sizes.items():
            for encoding, how in ENCODINGS.items():
                if size == "480p" or how.large:
                    folders[size, encoding] = write(folder / size / encoding.replace(" ", "-"), some, how.encode)
        for size, some in sizes.items():
            yield from on_arrays(asks, size, folders[size, "palette PNG"], len(some), rounds)
        for (size, encoding), place in folders.items():
            yield from on_files(asks, library, (size, encoding), place, rounds)
        yield two_processes(asks["ours"], folders["480p", "palette PNG"], len(pairs), rounds)
        for encoding in ("palette PNG", "grey PNG by Pillow"):
            yield memory(folders["480p", encoding], ENCODINGS[encoding].codec, f"peak memory, {encoding}, 480p")


def on_arrays(asks: Mapping[str, Ask], size: str, place: Path, frames: int, rounds: int) -> Iterator[Row]:
    """J and F, and J alone, of all that can do it; only the first peer does the large ones."""
    target = Target(bound="≥", value=10 if size == "480p" else 20)
    for task, what, names in (
        ("arrays", "J and F", PEERS[:3] if size == "480p" else PEERS[:1]),
        ("regions", "J alone", PEERS[3:4] if size == "480p" else ()),
    ):
        request = {"task": task, "folder": str(place)}
        sides = {name: (asks[name], request) for name in ("ours", *names) if name in asks}
        if len(sides) < 2:
            continue
        turns = take_turns(sides, rounds)
        for name in list(sides)[1:]:
            ours, theirs = turns.answers["ours"]["scores"], turns.answers[name]["scores"]
            means = name == "TrackEval"
            apart = difference(averaged(ours), theirs) if means else difference(ours, theirs)
            yield Row(
                task=f"{what} from arrays, {size}, {frames} pairs",
                ours=each(turns.seconds("ours"), frames),
                peer=name,
                theirs=each(turns.seconds(name), frames),
                measured=Amount(value=turns.ratio(name), unit="×"),
                target=target if name == "vos-benchmark" else None,
                scores=Scores(
                    what="video means" if means else "all values", apart=apart, allowed=1e-12 if means else 0
                ),
            )


def on_files(
    asks: Mapping[str, Ask], library: Path | None, what: tuple[str, str], place: Path, rounds: int
) -> Iterator[Row]:
    """From files of one encoding, with and without annotations that are kept."""
    size, encoding = what
    how = ENCODINGS[encoding]
    request = {"task": "files", "folder": str(place), "codec": how.codec}
    sides: dict[str, tuple[Ask, dict[str, Any]]] = {
        "ours": (asks["ours"], {**request, "cached": False}),
        KEPT: (asks["ours"], {**request, "cached": True}),
        "vos-benchmark": (asks["vos-benchmark"], request),
    }
    annotations, results = (sorted((place / part).rglob("*.png")) for part in ("annotations", "results"))
    if LIMIT in asks and library:
        sides[LIMIT] = (asks[LIMIT], decode_limit.task(library, [*annotations, *results]))
        sides[f"{LIMIT} of {KEPT}"] = (asks[LIMIT], decode_limit.task(library, results, annotations))
    turns = take_turns(sides, rounds)
    frames = len(annotations)
    for side in ("ours", KEPT):
        limit = LIMIT if side == "ours" else f"{LIMIT} of {KEPT}"
        goal = how.large if size != "480p" else how.first if side == "ours" else how.kept
        yield Row(
            task=f"J and F from {encoding}, {size}, {frames} pairs{'' if side == 'ours' else f', {KEPT}'}",
            ours=each(turns.seconds(side), frames),
            peer="vos-benchmark",
            theirs=each(turns.seconds("vos-benchmark"), frames),
            measured=Amount(value=turns.ratio("vos-benchmark", side), unit="×"),
            target=Target(bound="≥", value=goal) if goal else None,
            scores=Scores(what="video means", apart=turns.apart("vos-benchmark", side), allowed=1e-12),
            limit=each(turns.seconds(limit), frames) if limit in sides else None,
        )


def each(seconds: float, frames: int) -> Amount:
    """Per pair."""
    return Amount(value=1000 * seconds / frames, unit="ms per pair")


def averaged(scores: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """The means of frames' values."""
    return {name: [sum(values) / len(values)] for name, values in scores.items()}


def two_processes(ours: Ask, place: Path, frames: int, rounds: int) -> Row:
    """Two processes against one, in wall time; both pools start before the first counted round."""
    request = {"task": "pool", "folder": str(place), "codec": "palette", "repeat": 8}
    spin = {**request, "spin": True}
    sides = {"ours": (ours, {**request, "jobs": 2}), "one process": (ours, {**request, "jobs": 1})}
    turns = take_turns(sides, rounds, "wall")
    loop = take_turns({"ours": (ours, {**spin, "jobs": 2}), "one": (ours, {**spin, "jobs": 1})}, rounds, "wall")
    return Row(
        task=f"two processes, palette PNG, 480p, 8 × {frames} pairs (wall time)",
        ours=Amount(value=turns.seconds("ours"), unit="s"),
        peer="vosbench, one process",
        theirs=Amount(value=turns.seconds("one process"), unit="s"),
        measured=Amount(value=turns.ratio("one process"), unit="×", note=f"a plain loop: {loop.ratio('one'):.2f}×"),
        target=Target(bound="≥", value=1.7),
        scores=Scores(what="all values", apart=turns.apart("one process"), allowed=0),
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
        task=f"{task}, {peaks[1]['frames']} and {peaks[20]['frames']} pairs",
        ours=Amount(value=long, unit="MB", note=f"{short:.0f} MB for the fewer"),
        peer="bare interpreter",
        theirs=Amount(value=bare, unit="MB"),
        measured=Amount(value=long - bare, unit="MB above"),
        target=Target(bound="≤", value=MOST),
    )
