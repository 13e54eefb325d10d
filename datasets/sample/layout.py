"""The dataset on disk: writing it and finding its videos.

Conventions:
    ``<root>/frames/<video>/00000.png`` is RGB; ``<root>/annotations/<video>/00000.png`` is grey, 255 where the object
    is visible and 0 elsewhere. ``<root>/sample.json`` is the marker, written last: with it, the dataset is complete.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vosbench.dataset import Video
from vosbench.datasets.sample.sequences import SPLITS, VERSION, Script, scripts
from vosbench.errors import DataError, UsageError

MARKER = "sample.json"
LAYOUT = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The content of the marker.

    Attributes:
        version: version of the sequences.
        annotate_every: frames 0, n, 2n, … are annotated.
        videos: names of the written videos.
    """

    version: int
    annotate_every: int
    videos: tuple[str, ...]

    def annotated(self, script: Script) -> Sequence[int]:
        """The annotated frames of a sequence, 0-based."""
        return range(0, script.frames, self.annotate_every)


def generate(root: Path, *, annotate_every: int = 1, videos: Collection[str] | None = None) -> None:
    """Write the dataset, the same bytes every time.

    Args:
        root: the target folder; existing files are replaced.
        annotate_every: write only the masks of frames 0, n, 2n, ….
        videos: names of the sequences to write, or None for all.

    Raises:
        UsageError: if a sequence is unknown or the step is below 1.
    """
    from vosbench.datasets.sample.scene import render
    from vosbench.images import write_png

    everything = [script for split in SPLITS for script in scripts(split)]
    unknown = set(videos or ()) - {script.name for script in everything}
    if unknown:
        raise UsageError(f'"{min(unknown)}" is not a sequence of the sample dataset')
    if annotate_every < 1:
        raise UsageError(f"annotate_every must be at least 1, not {annotate_every}")
    chosen = [script for script in everything if videos is None or script.name in videos]
    marker = Marker(version=VERSION, annotate_every=annotate_every, videos=tuple(script.name for script in chosen))
    (root / MARKER).unlink(missing_ok=True)
    for script in chosen:
        annotated = marker.annotated(script)
        for index, (frame, mask) in enumerate(render(script)):
            write_png(_file(root, "frames", script, index), frame)
            if index in annotated:
                write_png(_file(root, "annotations", script, index), mask)
    (root / MARKER).write_text(json.dumps(asdict(marker), indent=2) + "\n", encoding="utf-8")


def find(root: Path, split: str, layout: str | None = None) -> Sequence[Video]:
    """Find the written videos of a split, without decoding anything.

    Args:
        root: the folder that `generate` wrote.
        split: ``"val"`` or ``"train"``.
        layout: ``"sample"``, the only layout, or None.

    Raises:
        UsageError: if the split or layout is unknown.
        DataError: if the root is not a sample dataset, has another version, or is incomplete.
    """
    listed = scripts(split)
    if layout not in {None, LAYOUT}:
        raise UsageError(f'sample has no layout "{layout}"; available: {LAYOUT}')
    marker = _read_marker(root)
    videos = [_video(root, script, marker) for script in listed if script.name in marker.videos]
    if not videos:
        raise DataError(f'"{root}" was written without the split "{split}"; delete the folder to generate it again')
    return videos


def _read_marker(root: Path) -> Marker:
    try:
        text = (root / MARKER).read_text(encoding="utf-8")
    except OSError:
        message = f'"{root}" is not a sample dataset: {MARKER} is missing; generate it in a new folder'
        raise DataError(message) from None
    try:
        said = json.loads(text)
        marker = Marker(
            version=int(said["version"]),
            annotate_every=max(int(said["annotate_every"]), 1),
            videos=tuple(said["videos"]),
        )
    except (ValueError, TypeError, KeyError):
        raise DataError(f'"{root / MARKER}" is damaged; delete the folder to generate it again') from None
    if marker.version != VERSION:
        found = f'"{root}" is version {marker.version} of the sample dataset; version {VERSION} is needed'
        raise DataError(f"{found}; delete the folder to generate it again")
    return marker


def _video(root: Path, script: Script, marker: Marker) -> Video:
    """A video, after checking that all its files exist."""
    frames = tuple(_file(root, "frames", script, index) for index in range(script.frames))
    annotations = {index: _file(root, "annotations", script, index) for index in marker.annotated(script)}
    missing = [path for path in (*frames, *annotations.values()) if not path.is_file()]
    if missing:
        found = f'{len(missing)} files of "{script.name}" are missing, the first is "{missing[0]}"'
        raise DataError(f"{found}; delete the folder to generate it again")
    return Video(name=script.name, frames=frames, annotations=annotations, category=script.category, layout=LAYOUT)


def _file(root: Path, kind: str, script: Script, index: int) -> Path:
    return root / kind / script.name / f"{index:05d}.png"
