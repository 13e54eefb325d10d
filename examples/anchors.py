"""What does a method gain from its own first frame? The control: the first frame of another video.

`score` can put a frame in front of each video, its anchor then; it drops the map of it and scores the others as usual.
The frame is the first one of another video (``foreign``), or, to compare with, the video's own once more (``own``).
`ablations_lite.py` makes its tables of it, and `resolutions.py` shares `evaluate`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import vosbench
from vosbench.dataset.selection import Choice, select
from vosbench.method import FloatMap


class Preceded:
    """A predictor that sees another frame in front of each video.

    Args:
        predictor: of a method.
        front: video → that frame.
    """

    def __init__(self, predictor: vosbench.Predictor, front: Mapping[str, Path]) -> None:
        self._predictor = predictor
        self._front = front

    def predict(self, video: vosbench.Video) -> Iterator[FloatMap]:
        """The maps of the video's own frames."""
        longer = vosbench.Video(name=video.name, frames=(self._front[video.name], *video.frames))
        with closing(self._predictor.predict(longer)) as maps:
            yield from islice(maps, 1, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a method runs on.

    Attributes:
        dataset: its name, or the path of a folder.
        root: its folder, if it has a name and needs one.
        videos: some of its videos; all if empty.
        limit: the first frames of each video; all if None.
    """

    dataset: str
    root: Path | None = None
    videos: tuple[str, ...] = ()
    limit: int | None = None

    @classmethod
    def parse(cls, text: str, videos: tuple[str, ...] = (), limit: int | None = None) -> "Material":
        """Read NAME or NAME=FOLDER."""
        name, _, root = text.partition("=")
        return cls(dataset=name, root=Path(root) if root else None, videos=videos, limit=limit)


def front_frames(firsts: Mapping[str, Path], anchor: str, shift: int = 0) -> dict[str, Path]:
    """Which frame to put in front of each video.

    Args:
        firsts: video → its first frame.
        anchor: ``"own"`` or ``"foreign"``.
        shift: changes which video is the other one; near names are often near videos, so it starts half the list away.
    """
    names = sorted(firsts)
    if anchor == "own":
        return dict(firsts)
    if len(names) < 2:
        raise vosbench.UsageError("the first frame of another video needs two videos")
    away = 1 + (len(names) // 2 - 1 + shift) % (len(names) - 1)
    return {name: firsts[names[(at + away) % len(names)]] for at, name in enumerate(names)}


def evaluate(  # noqa: PLR0913, PLR0917 - what is scored, and how
    name: str,
    material: Material,
    weights: Path,
    options: Mapping[str, str],
    wrap: Callable[[vosbench.Predictor], vosbench.Predictor],
    measures: Sequence[str] = ("J",),
    device: str = "cpu",
) -> vosbench.Record:
    """Run a method, with something around its predictor, and score it; maps are not kept."""
    method, variant = vosbench.load_method(name)
    wrapped = replace(method, load=lambda setup: wrap(method.load(setup)))
    result = vosbench.run(
        (wrapped, variant),
        material.dataset,
        root=material.root,
        videos=material.videos,
        limit=material.limit,
        measures=measures,
        weights=weights,
        options=options,
        device=device,
    )
    return result.record


def score(  # noqa: PLR0913, PLR0917 - what is scored, and how
    name: str,
    material: Material,
    weights: Path,
    options: Mapping[str, str],
    anchor: str,
    shift: int = 0,
    device: str = "cpu",
) -> vosbench.Record:
    """Score a method by J, with a frame in front of each video, ``"own"`` or ``"foreign"``, or ``"none"``."""
    front: dict[str, Path] = {}
    if anchor != "none":
        choice = Choice(root=material.root, videos=material.videos)
        videos = select(vosbench.load_dataset(material.dataset), choice).videos
        front = front_frames({video.name: video.frames[0] for video in videos}, anchor, shift)
    wrap = (lambda predictor: Preceded(predictor, front)) if front else (lambda predictor: predictor)
    return evaluate(name, material, weights, options, wrap, device=device)


def keep_setup(out: Path, setup: Mapping[str, object]) -> None:
    """Write the settings into the folder.

    Raises:
        UsageError: if it has results of others.
    """
    path = out / "setup.json"
    text = json.dumps(setup, indent=2, default=str)
    if path.is_file() and path.read_text("utf-8") != text:
        raise vosbench.UsageError(f'"{out}" has results of other settings, see "{path}"; choose another --out')
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
