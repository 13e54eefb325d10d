"""SegTrack-v2: 14 videos whose objects have a folder of masks each."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video, read_sequences
from vosbench.dataset.layout import FRAME_SUFFIXES, Layout, collect, recognise
from vosbench.dataset.protocol import SALIENCY
from vosbench.dataset.shared_layouts import repacks
from vosbench.errors import DataError

TITLE = "SegTrack-v2"
NAMES = ("SegTrackv2", "SegTrack-v2", "SegTrack2")
ALL = "all"

# Masks are RGB with grey edges, and their suffix may differ from that of the frames and between objects.
OFFICIAL = Layout(
    name="segtrack2-official",
    frames="JPEGImages/{video}",
    annotations="GroundTruth/{video}",
    objects="GroundTruth/{video}/[0-9]",
    codec="above:128",
    markers=("JPEGImages", "GroundTruth"),
    below=("", *NAMES),
)
LAYOUTS = (
    OFFICIAL,
    replace(
        OFFICIAL,
        name="segtrack2-merged",
        annotations="Annotations/{video}",
        objects="",
        markers=("JPEGImages", "Annotations"),
        without=("GroundTruth", "JPEGImages/480p"),
        pair="number",
    ),
    replace(
        OFFICIAL,
        name="segtrack2-xseg",
        frames="*/frame/{video}",
        annotations="*/mask/{video}",
        objects="",
        markers=("*/frame", "*/mask"),
        pair="number",
    ),
    *repacks(NAMES, codec="above:128"),
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"vsod13"``, all but *penguin*, or ``"all"``; counts on which sources differ are not listed."""
    return {
        row["name"]: Listed(frames=int(row["frames"]) if row["frames"] else None)
        for row in read_sequences(__file__)
        if split == ALL or row["vsod13"] == "true"
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`.

    Raises:
        DataError: also if a frame of a video's list in ``ImageSets`` is missing.
    """
    chosen = recognise(root, LAYOUTS, TITLE, layout)
    found = collect(root, chosen, listing(split))
    return [_listed(root, video) for video in found] if chosen.name == OFFICIAL.name else found


def _listed(root: Path, video: Video) -> Video:
    """A video with only the frames of its list, if it has one: a line about the list, then a stem a line."""
    base = next((root / name for name in ("", *NAMES) if (root / name / "ImageSets").is_dir()), root)
    path = base / "ImageSets" / f"{video.name}.txt"
    if video.frameless or not path.is_file():
        return video
    try:
        lines = path.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'the list "{path}" cannot be read: {error}') from None
    stems = [_stem(line) for line in lines]
    place = {frame.stem: t for t, frame in enumerate(video.frames)}
    if stems and stems[0] not in place:
        stems = stems[1:]
    missing = next((stem for stem in stems if stem not in place), None)
    if missing is not None:
        raise DataError(f'"{path}" lists the frame "{missing}", which is not next to "{video.frames[0]}"')
    kept = sorted({place[stem] for stem in stems})
    annotations = {t: video.annotations[old] for t, old in enumerate(kept) if old in video.annotations}
    return replace(video, frames=tuple(video.frames[t] for t in kept), annotations=annotations) if kept else video


def _stem(line: str) -> str:
    path = Path(line)
    return path.stem if path.suffix.lower() in FRAME_SUFFIXES else path.name


dataset = Dataset(
    name="segtrack2",
    title=TITLE,
    paper="Li et al., Video Segmentation by Tracking Many Figure-Ground Segments, ICCV 2013",
    licence="not stated in the sources that we could read",
    splits=("vsod13", ALL),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(
        *SALIENCY,
        DatasetProtocol(
            name="segtrack2-rcf",
            measures=("J",),
            split=ALL,
            average="frame",
            empty="skip-both",
            resize="prediction",
            annotations_above=127,
            maps_above=89,
            about="J, mean over all frames: maps above 0.35, without frames that have no object in both, as RCF",
        ),
        DatasetProtocol(
            name="segtrack2-tokencut",
            measures=("J",),
            split=ALL,
            average="frame",
            resize="prediction",
            annotations_above=0,
            about="J, mean over all frames: every annotated pixel that is not black is the object, as TokenCut",
        ),
        DatasetProtocol(
            name="segtrack2-dattt",
            split=ALL,
            average="frame",
            resize="prediction",
            maps_above=128,
            about="J and F, mean over all frames, annotations and maps above 128, as DATTT",
        ),
    ),
    listing=listing,
    videos=videos,
    folders=(*NAMES, "SegTrack-V2", "segtrack2"),
    steps="Unpack SegTrackv2.zip of web.engr.oregonstate.edu/~lif/SegTrack2/dataset.html: JPEGImages, GroundTruth and "
    "ImageSets lie in one folder.",
)
