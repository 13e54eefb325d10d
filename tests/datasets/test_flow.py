"""The flow that packages contain is found next to frames, by step and frame."""

import struct
from pathlib import Path

import pytest

from vosbench.dataset import Listed, Video
from vosbench.dataset.flow import beside_frames, with_flow
from vosbench.dataset.folders import Folders
from vosbench.dataset.layout import Layout, collect
from vosbench.errors import DataError

FLO = b"PIEH" + struct.pack("<ii", 1, 1) + bytes(8)


def put(root: Path, pattern: str, numbers: range) -> None:
    for number in numbers:
        path = root / pattern.format(n=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FLO)


@pytest.mark.parametrize(
    ("frames", "place", "flow", "step"),
    [
        ("JPEGImages/480p/{video}", "JPEGImages/480p/bear/{n:05d}.jpg", "JPEGFlows/480p/bear/{n:05d}.jpg", 1),
        ("JPEGImages/480p/{video}", "JPEGImages/480p/bear/{n:05d}.jpg", "davis2017-flow/bear/{n:05d}.png", 1),
        ("JPEGImages/480p/{video}", "JPEGImages/480p/bear/{n:05d}.jpg", "Flow/480p/bear/{n:05d}.png", 1),
        ("JPEGImages/480p/{video}", "JPEGImages/480p/bear/{n:05d}.jpg", "Flows_gap-2/480p/bear/{n:05d}.flo", -2),
        ("JPEGImages/480p/{video}", "JPEGImages/480p/bear/{n:05d}.jpg", "Flows_gap1/bear/{n:05d}.flo", 1),
        ("JPEGImages/{video}", "JPEGImages/bear/{n:05d}.jpg", "Flows_gap-1/bear/{n:05d}.flo", -1),
        ("frame/*/{video}", "frame/val/bear/{n:05d}.jpg", "flow/val/bear/{n:05d}.jpg", 1),
        ("*/frame/{video}", "val/frame/bear/{n:05d}.jpg", "val/flow/bear/{n:05d}.png", 1),
        ("{video}/Frame", "bear/Frame/bear_{n:05d}.jpg", "bear/OF_FlowNet2/bear_{n:05d}.png", 1),
        ("{video}/Frame", "bear/Frame/bear_{n:05d}.jpg", "bear/Flow/{n:05d}.png", 1),
        ("{video}/Imgs", "bear/Imgs/bear_{n:05d}.jpg", "bear/Flow/bear_{n:05d}.png", 1),
        ("*/RGB/{video}_{frame}", "DAVIS_train/RGB/bear_{n:05d}.jpg", "DAVIS_train/FLOW/bear_{n:05d}.png", 1),
        ("*/img/{video}_{frame}", "val/img/bear_{n:05d}.jpg", "val/flow_img/fw_bear_{n:05d}.png", 1),
        ("*/img/{video}_{frame}", "val/img/bear_{n:05d}.jpg", "val/flow_img/bw_bear_{n:05d}.png", -1),
    ],
)
def test_known_places(frames: str, place: str, flow: str, step: int, tmp_path: Path) -> None:
    put(tmp_path, place, range(4))
    put(tmp_path, flow, range(3))
    layout = Layout(name="l", frames=frames, annotations="", codec="binary255", markers=())
    (video,) = collect(tmp_path, layout, {"bear": Listed(frames=4)})
    assert len(video) == 4
    assert {s: list(files) for s, files in video.flow.items()} == {step: [0, 1, 2]}
    assert video.flow[step][2] == tmp_path / flow.format(n=2)


def test_flow_is_cut_with_the_video_and_ends_before_its_last_frame() -> None:
    frames = tuple(Path(f"{t}.jpg") for t in range(4))
    files = {step: {t: Path(f"{step}/{t}.flo") for t in range(4)} for step in (1, -1, 2)}
    video = Video(name="v", frames=frames, flow=files)
    assert {step: list(kept) for step, kept in video.first(3).flow.items()} == {1: [0, 1], -1: [0, 1, 2], 2: [0]}
    assert video.first(4) is video


def test_no_flow_is_none(tmp_path: Path) -> None:
    put(tmp_path, "JPEGImages/bear/{n:05d}.jpg", range(2))
    frames = tuple(sorted((tmp_path / "JPEGImages/bear").iterdir()))
    assert beside_frames(tmp_path, "JPEGImages/{video}", "bear", frames, Folders()) == {}


@pytest.mark.parametrize(
    ("pattern", "step"),
    [("{video}/{n:05d}.flo", 1), ("Flows_gap-1/{video}/{n:05d}.flo", -1), ("backward/{video}/x{n}.flo", -1)],
)
def test_a_folder_of_flow(pattern: str, step: int, tmp_path: Path) -> None:
    video = Video(name="bear", frames=tuple(Path(f"{t:05d}.jpg") for t in range(4)))
    numbers = range(3) if step == 1 else range(1, 4)
    put(tmp_path, pattern.replace("{video}", "bear"), numbers)
    assert list(with_flow(video, tmp_path).flow[step]) == list(numbers)
    with pytest.raises(DataError, match='no optical flow of "wolf"; it contains'):
        with_flow(Video(name="wolf", frames=video.frames), tmp_path)
    next(tmp_path.rglob("*2.flo")).unlink()
    with pytest.raises(DataError, match=r'2 of 3 frames of "bear"; that of frame 2 .*is missing'):
        with_flow(video, tmp_path)
