"""Read mutated files in a process of its own, which may crash, hang or grow: one line of JSON for each file.

The last line that a reader of its output sees names the file at fault, since each is announced before it is read.
"""

import faulthandler
import io
import json
import os
import resource
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from factories import write_toy
from fuzz import corpus, seeds
from fuzz.memory import peak
from fuzz.mutations import mutated
from vosbench import face, registry
from vosbench.dataset import Dataset
from vosbench.errors import DataError, VosbenchError
from vosbench.images import files, frames, levels

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
SECONDS = 20
"""After which reading a file hangs, on however slow a machine."""
BYTES = 2**30
"""That no file may take, above what whole files take."""
ADDRESSES = 8 * 2**30
"""Of virtual memory: for the sake of the machine."""
CODECS = ("map", "binary255", "nonzero", "palette", "colours", "ids", "luma127", "inverted255", "ppm_nonwhite")


def readers(path: Path, data: bytes) -> Iterator[tuple[str, Callable[[], Any]]]:
    """All ways in which an image is read."""

    def check(shape: tuple[int, int]) -> None:
        if shape != (seeds.HEIGHT, seeds.WIDTH):
            raise DataError("it has another size")

    def look(*_: object) -> None:
        pass

    for codec in CODECS:
        yield f"mask {codec}", partial(files.read_mask, data, codec, "a.png", check)
        yield f"packed {codec}", partial(files.read_packed, data, codec, "a.png")
    yield "looked at", partial(files.read_packed, path, "map", None, None, look)
    yield "levels", partial(files.read_levels, data, "map", "a.png", None, look)
    yield "levels, soon", partial(levels.read_levels, data, "map", "a.png", None, look)
    yield "regions", partial(files.read_regions, data, "nonzero", "a.png", None, look)
    yield "colours", partial(files.read_regions, data, "colours", "a.png")
    yield "labels", partial(files.read_labels, path)
    yield "frame", partial(frames.read_frame, path)
    yield "size", partial(frames.size, path)


class Scorer:
    """Scores masks of the toy dataset, of which one is given as a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = write_toy(folder / "toy")
        self._toy: Dataset = registry.load_dataset("toy", [TOY])
        self._whole = seeds.masks()

    def score(self, name: str, data: bytes) -> Any:
        """Score a file, as the masks of a video, or as one mask, if it is no archive."""
        shutil.rmtree(self._folder / "masks", ignore_errors=True)
        place = self._folder / "masks"
        suffix = name.partition(".")[2]
        if "/" in name:
            self._write(place, self._whole | {"v0/00002.png": data})
        elif suffix.endswith(("npy", "npz", *seeds.VIDEO_CODECS)):
            self._write(place, {f"{video}.{suffix}": data for video in seeds.VIDEOS})
        else:
            self._write(place, {f"a.{suffix}": data})
            place /= f"a.{suffix}"
        done = face.score(place, dataset=self._toy, root=self._root, measures=("J",))
        for line in done.notes:
            check_line(line)
        check_line(done.render().replace("\n", " "))
        return done.scores

    def _write(self, folder: Path, entries: dict[str, bytes]) -> None:
        for name, data in entries.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


def check_line(line: str) -> None:
    """What is said is one line that can be printed."""
    assert line.isprintable(), ascii(line)


def attempt(read: Callable[[], Any]) -> tuple[str, str]:
    """The outcome of reading a file, and what is wrong with it."""
    outcome, problem, printed = "read", "", io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(printed), redirect_stderr(printed):
        try:
            read()
        except VosbenchError as error:
            outcome, said = "refused", str(error)
            problem = "" if said and said.isprintable() else f"says {said!a}"
        except BaseException:  # noqa: BLE001 - that of Rust and C code, too
            outcome, problem = "failed", traceback.format_exc(limit=-12)
    return outcome, problem or (f"prints {printed.getvalue()}" if printed.getvalue() else "")


def main() -> None:
    """Read files of numbers FIRST to FIRST + COUNT - 1 of a kind, or those of the corpus, or large ones."""
    kind, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    report = sys.__stdout__
    errors = os.fdopen(os.dup(2), "w")
    sys.stderr = errors
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libtiff and libpng print what they find
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    with tempfile.TemporaryDirectory(prefix="vosbench-fuzz-") as named:
        folder = Path(named)
        tempfile.tempdir = named
        scorer = Scorer(folder)
        whole = seeds.images() if kind == "images" else seeds.archives(folder)
        most = 0
        for number, name, data in chosen(kind, whole, first, count):
            print(json.dumps({"number": number, "name": name}), file=report, flush=True)
            keep(f"{number}-{name}", data)
            outcomes, problems = set(), []
            for way, read in ways(name, data, scorer, folder):
                faulthandler.dump_traceback_later(SECONDS, exit=True, file=errors)
                outcome, problem = attempt(read)
                faulthandler.cancel_dump_traceback_later()
                outcomes.add(outcome)
                if problem:
                    problems.append(f"{way}: {problem}")
            used = peak()
            most = most or used + BYTES
            if used > most:
                problems.append(f"takes {used - most + BYTES:,} bytes more than the first")
                most = used + BYTES
            outcome = "read" if "read" in outcomes else "refused"
            line = {"number": number, "name": name, "outcome": outcome, "problems": problems, "bytes": used}
            print(json.dumps(line), file=report, flush=True)


def chosen(kind: str, whole: dict[str, bytes], first: int, count: int) -> Iterator[tuple[int, str, bytes]]:
    """Whole files come first, with negative numbers, for the memory that they take."""
    for at, (name, data) in enumerate(whole.items()):
        yield at - len(whole), name, data
    if kind in {"corpus", "large"}:
        kept = corpus.files() if kind == "corpus" else corpus.large()
        yield from ((at, name, data) for at, (name, data) in enumerate(kept.items()))
        return
    for number in range(first, first + count):
        random = Random(f"{kind} {number}")
        name = random.choice(list(whole))
        yield number, name, mutated(name, whole[name], random)


def ways(name: str, data: bytes, scorer: Scorer, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """All ways in which a file is read."""
    if "/" in name:
        path = folder / "image.png"
        path.write_bytes(data)
        yield from readers(path, data)
    yield "score", partial(scorer.score, name, data)


def keep(name: str, data: bytes) -> None:
    """Write the file at hand to the folder of the environment, if there is one."""
    kept = os.environ.get("VOSBENCH_FUZZ_KEEP")
    if kept:
        Path(kept, name.replace("/", "-").replace(" ", "_")).write_bytes(data)


if __name__ == "__main__":
    main()
