"""Packages to begin with: a method or a dataset of one's own, with its entry point, card and a test that passes.

Conventions:
    In the texts below, ``NAME`` is the name to type, ``MODULE`` the module and ``CLASS`` the class made of it.
"""

import importlib.util
import keyword
import re
import sys
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Literal

from vosbench.errors import UsageError
from vosbench.records.naming import check_name

Kind = Literal["method", "dataset"]
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

PROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "NAME"
version = "0.1.0"
description = "A KIND for vosbench"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["vosbench"]

[project.entry-points."vosbench.KINDs"]
NAME = "MODULE:KIND"

[tool.setuptools]
py-modules = ["MODULE"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]

[tool.ruff]
line-length = 120
"""

METHOD = '''\
"""NAME: a method for vosbench that takes pixels unlike the rest of their frame for the object."""

from collections.abc import Iterator

import numpy as np
from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.method import FloatMap, Method, Setup


class CLASS:
    """Finds the object in a video; replace what it does by your own."""

    def predict(self, video: Video) -> Iterator[FloatMap]:
        """Yield a (H, W) float32 map in [0, 1] for each frame: lazily, in order, and of the frame's size.

        The frames are files, `read_frame` gives (H, W, 3) RGB; annotations are never seen.
        """
        for path in video.frames:
            frame = read_frame(path).astype(np.float32)
            difference = np.abs(frame - frame.mean(axis=(0, 1))).max(axis=2)
            yield difference / np.float32(255)


def load(setup: Setup) -> CLASS:
    """Make the predictor; weights, device and options are in the setup. Import torch here rather than above."""
    del setup
    return CLASS()


method = Method(
    name="NAME",
    title="NAME",
    paper="unpublished",
    licence="not decided",
    load=load,
    needs_weights=False,
)
'''

METHOD_TEST = '''\
"""The predictor keeps the contract of vosbench."""

from pathlib import Path

from vosbench.method import Setup
from vosbench.method.testing import check_predictor, sample_video

from MODULE import method


def test_the_predictor_keeps_its_contract(tmp_path: Path) -> None:
    check_predictor(method.load(Setup()), sample_video(tmp_path), needs=method.needs)
'''

METHOD_CARD = """\
# NAME

What it does, in a line. Paper: …. Licence: ….

| variant | what it is | input (W×H) | parameters |
|---|---|---|---|
| `NAME` | pixels unlike the rest of their frame | that of the frame | 0 |

Try it: `vosbench run --plugin MODULE.py --method NAME --dataset sample`; after `pip install -e .`, without `--plugin`.

## Decisions

What the paper leaves open, and how it was decided here.

## Weights

Where they are from, what they were trained on, and their licence.
"""

DATASET = '''\
"""NAME: a dataset for vosbench."""

from collections.abc import Mapping
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.dataset.layout import Layout, collect, recognise

LAYOUTS = (
    Layout(
        name="NAME-official",
        frames="JPEGImages/{video}",
        annotations="Annotations/{video}",
        codec="binary255",
        markers=("JPEGImages", "Annotations"),
    ),
)


def listing(split: str) -> Mapping[str, Listed]:
    """Return the videos of a split: their numbers of frames and, if not all are, which are annotated."""
    del split
    return {
        "cat": Listed(frames=4),
        "dog": Listed(frames=6, annotated=(0, 5)),
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`."""
    return collect(root, recognise(root, LAYOUTS, dataset.title, layout), listing(split))


dataset = Dataset(
    name="NAME",
    title="NAME",
    paper="unpublished",
    licence="not decided",
    splits=("test",),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(DatasetProtocol(name="NAME", measures=("J", "F"), about="J and F of all annotated frames"),),
    listing=listing,
    videos=videos,
)
'''

DATASET_TEST = '''\
"""The dataset is found, complete and scored in a tree that is written here."""

from pathlib import Path

import numpy as np
import vosbench
from vosbench.dataset.verify import verify
from vosbench.images import write_png

from MODULE import dataset


def write(root: Path) -> Path:
    """Write a tree like the real one, of small pictures."""
    mask = np.zeros((24, 32), np.uint8)
    mask[8:16, 8:20] = 255
    for name, listed in dataset.listing("test").items():
        for t in range(listed.frames or 0):
            write_png(root / "JPEGImages" / name / f"{t:05d}.png", np.stack([mask, mask, mask], axis=2))
            if listed.annotated is None or t in listed.annotated:
                write_png(root / "Annotations" / name / f"{t:05d}.png", mask)
    return root


def test_a_written_tree_is_complete(tmp_path: Path) -> None:
    report = verify(dataset, write(tmp_path), "test")
    assert not report.findings
    assert report.complete == len(dataset.listing("test"))


def test_perfect_masks_have_perfect_scores(tmp_path: Path) -> None:
    root = write(tmp_path)
    assert vosbench.score(root / "Annotations", dataset=dataset, root=root).scores["J_mean"] == 1
'''

DATASET_CARD = """\
# NAME

How many videos, what they show. Paper: …. Licence of frames and annotations: ….

| layout | tree | masks |
|---|---|---|
| `NAME-official` | `JPEGImages/<video>` and `Annotations/<video>` | `binary255` |

Protocols: `NAME` scores J and F of all annotated frames.

Try it: `vosbench verify NAME --plugin MODULE.py --root FOLDER`; after `pip install -e .`, without `--plugin`.

## Irregularities

What is odd in the authors' files, and how it is read.
"""

FILES: Mapping[Kind, Mapping[str, str]] = {
    "method": {
        "pyproject.toml": PROJECT,
        "README.md": METHOD_CARD,
        "MODULE.py": METHOD,
        "tests/test_MODULE.py": METHOD_TEST,
    },
    "dataset": {
        "pyproject.toml": PROJECT,
        "README.md": DATASET_CARD,
        "MODULE.py": DATASET,
        "tests/test_MODULE.py": DATASET_TEST,
    },
}


def write_skeleton(kind: Kind, name: str, parent: Path, taken: Container[str]) -> list[Path]:
    """Write a package into a new folder of its name.

    Args:
        kind: what it declares.
        name: the name to type.
        parent: the folder in which to make that folder.
        taken: names of plugins that exist.

    Returns:
        the files.

    Raises:
        UsageError: if the name is not a valid one or is taken, or the folder exists.
    """
    module = _module(kind, name, taken)
    folder = parent / name
    if folder.exists() or folder.is_symlink():
        raise UsageError(f'"{folder}" exists already; choose another name or --to')
    words = {"NAME": name, "MODULE": module, "CLASS": module.title().replace("_", ""), "KIND": kind}
    written = []
    for path, text in FILES[kind].items():
        target = folder / _filled(path, words)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(text, words), "utf-8", newline="\n")
        written.append(target)
    return written


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(words), lambda found: words[found[0]], text)


def _module(kind: Kind, name: str, taken: Container[str]) -> str:
    """The name of the module; refuses a name that cannot be typed, imported or kept apart."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f'"{name}" cannot be the name of a {kind}; it should consist of small letters, digits and hyphens, such as '
            '"my-net"'
        )
    check_name(name, "package")
    if name in taken:
        raise UsageError(f'there is a {kind} "{name}" already; choose another name')
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or importlib.util.find_spec(module) is not None:
        raise UsageError(f'"{name}" cannot be the name of a {kind}: Python has a module or word "{module}"')
    return module
