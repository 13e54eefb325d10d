"""Folder layouts of datasets with a folder per video: recognise one, and collect its videos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vosbench.dataset import Listed
from vosbench.errors import DataError, UsageError
from vosbench.video import Video

FRAME_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".ppm"})
MASK_SUFFIXES = frozenset({".png", ".bmp", ".pgm", ".ppm", ".jpg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a dataset's files lie below its root.

    Attributes:
        name: as forced by ``--layout`` and as recorded.
        frames: folder of a video's frames, with ``{video}`` for its name.
        annotations: folder of its annotations, likewise.
        codec: how the annotations are read.
        markers: paths below the root that tell the layout: all of them are there.
        without: paths that tell another layout: none of them is there.
    """

    name: str
    frames: str
    annotations: str
    codec: str
    markers: tuple[str, ...]
    without: tuple[str, ...] = ()

    def matches(self, root: Path) -> bool:
        """Say whether a root shows this layout's markers."""
        return all((root / each).exists() for each in self.markers) and not any(
            (root / each).exists() for each in self.without
        )


def recognise(root: Path, layouts: Sequence[Layout], title: str, forced: str | None = None) -> Layout:
    """Find the layout of a root.

    Args:
        root: the dataset's folder.
        layouts: those that the dataset knows.
        title: of the dataset, for errors.
        forced: the name of the layout to take, markers or not.

    Raises:
        DataError: where no layout fits, or more than one.
        UsageError: where the forced one is unknown.
    """
    names = ", ".join(layout.name for layout in layouts)
    if forced is not None:
        for layout in layouts:
            if layout.name == forced:
                return layout
        raise UsageError(f'{title} has no layout "{forced}"; there are: {names}')
    if not root.is_dir():
        raise DataError(f'the root "{root}" is no folder; give the folder that holds {title} with --root')
    fits = [layout for layout in layouts if layout.matches(root)]
    if len(fits) > 1:
        raise DataError(
            f'"{root}" looks like {" and ".join(layout.name for layout in fits)} at once; choose one with --layout'
        )
    if not fits:
        there = ", ".join(sorted(entry.name for entry in root.iterdir())[:6]) or "nothing"
        wanted = "; or ".join(f"{' and '.join(layout.markers)} ({layout.name})" for layout in layouts)
        raise DataError(f'"{root}" is not {title}: it holds {there}, where {wanted} is asked for')
    return fits[0]


def collect(root: Path, layout: Layout, listing: Mapping[str, Listed]) -> list[Video]:
    """Collect the listed videos whose frames are there, in list order; nothing is decoded.

    Frames and annotations are paired by stem.
    """
    videos = []
    for name, listed in listing.items():
        folder = root / layout.frames.format(video=name)
        if not folder.is_dir():
            continue
        frames = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in FRAME_SUFFIXES))
        position = {path.stem: index for index, path in enumerate(frames)}
        masks = root / layout.annotations.format(video=name)
        found = sorted(masks.iterdir()) if masks.is_dir() else []
        annotations = {
            position[path.stem]: path
            for path in found
            if path.stem in position and path.suffix.lower() in MASK_SUFFIXES
        }
        videos.append(
            Video(name=name, frames=frames, annotations=annotations, codec=layout.codec, category=listed.category)
        )
    return videos
