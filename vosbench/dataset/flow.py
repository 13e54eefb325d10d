"""Find the optical flow that packages of datasets contain, or that a folder of it holds.

Conventions:
    The flow of frame *t* is named after that frame, in its stem or in the last number of its name.
    Unless the name of a folder or file says otherwise, it is the flow to the next frame. Packages differ in the last
    frame, which has none, or the flow to the frame before; it is what the package has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vosbench.dataset.folders import Folders, files_of
from vosbench.dataset.stand_ins import number
from vosbench.dataset.video import FlowFiles, Video
from vosbench.errors import DataError
from vosbench.images.flow import SUFFIXES

GAPS = (1, 2, 3, 4)
SIBLINGS = {
    "jpegimages": "JPEGFlows|Flow|flow",
    "frame": "flow|OF_FlowNet2|Flow",
    "imgs": "Flow|OF_FlowNet2",
    "rgb": "FLOW",
}
"""Folder of frames, in lower case → folders of their flow next to it: TMO, HFAN and MTNet, FSNet and Isomer, DPA."""
FOLDER = "Flows_gap{step}"
"""Folder of the flow over some frames, such as ``Flows_gap1`` and ``Flows_gap-1``; of motiongrouping and RCF."""
PREFIXES = {1: "flow_img/fw_", -1: "flow_img/bw_"}
"""RTNet's files of all videos in one folder."""
MATNET = "davis*-flow/{video}|DAVIS2017/davis*-flow/{video}"


def beside_frames(base: Path, pattern: str, called: str, frames: Sequence[Path], folders: Folders) -> FlowFiles:
    """The flow that a package contains.

    Args:
        base: the folder of its tree.
        pattern: of the folder of a video's frames; see `vosbench.dataset.layout.Layout.frames`.
        called: the video's name in it.
        frames: its frames.
        folders: the cache of folder listings.
    """
    found: dict[int, Mapping[int, Path]] = {}
    for step, place in _places(pattern):
        if step not in found and (paired := _paired(frames, files_of(folders, base, place, called))):
            found[step] = paired
    return found


def _places(pattern: str) -> Iterator[tuple[int, str]]:
    """Steps and patterns of the flow next to frames."""
    for option in pattern.split("|"):
        parts = option.split("/")
        for index, part in enumerate(parts):
            before, after = parts[:index], parts[index + 1 :]
            # Some leave the resolution out.
            for rest in (after, after[1:]) if len(after) > 1 and "{" not in after[0] else (after,):
                for sibling in SIBLINGS.get(part.lower(), "").split("|"):
                    if sibling:
                        yield 1, "/".join([*before, sibling, *rest])
                if part.lower() == "jpegimages":
                    for step in (*GAPS, *(-gap for gap in GAPS)):
                        yield step, "/".join([*before, FOLDER.format(step=step), *rest])
            if part.lower() == "img":
                for step, prefix in PREFIXES.items():
                    yield step, "/".join([*before, prefix + "/".join(after)])
    yield 1, MATNET


def with_flow(video: Video, folder: Path) -> Video:
    """The video with the flow that a folder holds.

    The folder has ``Flows_gap1/<video>/`` and ``Flows_gap-1/<video>/`` (and other gaps), as `vosbench flow` writes it;
    or ``forward/<video>/`` and ``backward/<video>/``; or just ``<video>/``, of forward flow.

    Raises:
        DataError: if it holds none of the video, or of some of its frames only.
    """
    folders = Folders()
    found: dict[int, Mapping[int, Path]] = {}
    for step, place in (
        *((step, f"{FOLDER.format(step=step)}/{{video}}") for gap in GAPS for step in (gap, -gap)),
        (1, "forward/{video}|fw/{video}"),
        (-1, "backward/{video}|bw/{video}"),
        (1, "{video}|{video}/flow"),
    ):
        if step not in found and (paired := _paired(video.frames, files_of(folders, folder, place, video.name))):
            found[step] = paired
    if not found:
        there = ", ".join(sorted(folders.entries(folder))[:6]) or "nothing"
        raise DataError(
            f'"{folder}" has no optical flow of "{video.name}"; it contains {there}, but '
            f"Flows_gap1/{video.name}/*.png or {video.name}/*.flo (or .png, .jpg) is needed"
        )
    for step, files in found.items():
        expected = [t for t in range(len(video)) if 0 <= t + step < len(video)]
        absent = [t for t in expected if t not in files]
        if absent:
            raise DataError(
                f'"{folder}" has the flow over {step:+d} frames of {len(expected) - len(absent)} of '
                f'{len(expected)} frames of "{video.name}"; that of frame {absent[0]} '
                f'("{video.frames[absent[0]].name}") is missing'
            )
    return replace(video, flow=found)


def _paired(frames: Sequence[Path], files: Sequence[Path]) -> dict[int, Path]:
    """Frame index → flow, of the first suffix that exists; by stem, or by number if no stem fits."""
    for suffix in SUFFIXES:
        kind = [path for path in files if path.suffix.lower() == suffix]
        if not kind:
            continue
        by_stem = {path.stem: index for index, path in enumerate(frames)}
        by_number = {number(path.name): index for index, path in enumerate(frames)}
        paired = {by_stem[path.stem]: path for path in kind if path.stem in by_stem}
        paired = paired or {by_number[n]: path for path in kind if (n := number(path.name)) in by_number}
        if paired:
            return paired
    return {}
