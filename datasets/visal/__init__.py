"""ViSal: 17 videos for video saliency, every fifth frame annotated."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, recognise
from vosbench.dataset.protocol import SALIENCY
from vosbench.dataset.shared_layouts import repacks
from vosbench.errors import DataError

TITLE = "ViSal"


def _files(name: str) -> str:
    """The prefix of a video's file names."""
    return {row["name"]: row["files"] for row in read_sequences(__file__)}[name]


# In the authors' archive, five folders have other names than their files: files of ``horse`` begin with ``horse2``,
# those of ``horse2`` with ``horse3``. In copies that name folders after files, ``horse2`` is another video. The names
# here are those of the authors' folders.
_AFTER_FILES = "ViSal/cow4|ViSal/cow5|ViSal/horse3|ViSal/motorbike2"
OFFICIAL = Layout(
    name="visal-official",
    frames="ViSal/{video}",
    annotations="GroundTruth",
    codec="luma127",
    markers=("ViSal", "GroundTruth"),
    without=(_AFTER_FILES,),
    below=("", "ViSal"),
)
LAYOUTS = (
    OFFICIAL,
    # Without frames, the prefix of its files tells which video an annotation is of.
    replace(
        OFFICIAL,
        name="visal-annotations",
        frames="",
        annotations="|".join(f"GroundTruth/{{video}}{infix}{{frame}}" for infix in ("", "_frame", "_image")),
        markers=("GroundTruth",),
        without=("ViSal",),
        names=_files,
    ),
    replace(OFFICIAL, name="visal-3dc", markers=(_AFTER_FILES, "GroundTruth"), without=(), names=_files),
    Layout(
        name="visal-xseg",
        frames="*/frame/{video}",
        annotations="*/mask/{video}",
        codec="luma127",
        markers=("*/frame", "*/mask"),
        below=("", "ViSal"),
        pair="number",
        labelled_only=True,
    ),
    *repacks(("ViSal",), "ViSal", codec="luma127", labelled_only=True),
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"test"``, the only split."""
    del split
    return {
        row["name"]: Listed(frames=int(row["frames"]), annotated=tuple(range(0, int(row["frames"]), int(row["step"]))))
        for row in read_sequences(__file__)
    }


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos; see `vosbench.dataset.dataset.VideoFinder`.

    Raises:
        DataError: also if a folder contains the frames of another video.
    """
    chosen = recognise(root, LAYOUTS, TITLE, layout)
    found = collect(root, chosen, listing(split))
    if chosen.annotations == "GroundTruth":
        for video in found:
            first = video.frames[0]
            if first.stem.rstrip("0123456789").removesuffix("_frame").removesuffix("_image") != _files(video.name):
                raise DataError(
                    f'"{first}" is not a frame of "{video.name}", whose files begin with "{_files(video.name)}" in '
                    f'layout "{chosen.name}"; choose the layout that fits these folder names with --layout'
                )
    return found


dataset = Dataset(
    name="visal",
    title=TITLE,
    paper="Wang, Shen and Shao, Consistent Video Saliency Using Local Gradient Flow Optimization and Global "
    "Refinement, TIP 2015",
    licence="free for research, with citation",
    splits=("test",),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(
        *SALIENCY,
        DatasetProtocol(
            name="visal-all",
            measures=("J", "F", *SALIENCY[0].measures),
            saliency=SALIENCY[0].saliency,
            frames="all",
            about="J, F and saliency as in DAVSOD's toolbox, of all annotated frames",
        ),
    ),
    listing=listing,
    videos=videos,
    folders=("ViSal", "visal"),
    steps="Unpack DataViSal.rar of github.com/shenjianbing/videosalData; ViSal and GroundTruth lie in one folder.",
)
