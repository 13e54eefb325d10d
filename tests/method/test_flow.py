"""Optical flow is made once, kept by content, resumed, and never taken for that of other frames."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.images import read_frame, write_png
from vosbench.images.flow import read_flow
from vosbench.method import Method, Setup, estimators, flow
from vosbench.method.testing import sample_video


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def video(tmp_path: Path) -> Video:
    return replace(sample_video(tmp_path / "sample", frames=4), flow={})


DIS = estimators.Estimation("dis", {"preset": "medium", "finest": "preset", "size": "frame"})
NEEDY = Method(name="needy", title="", paper="", licence="", load=lambda _setup: None, needs={"flow"})  # type: ignore[arg-type,return-value]


def test_dis_is_that_of_opencv(video: Video) -> None:
    (made,) = flow.make([video], DIS, flow.in_cache(DIS))
    assert {step: list(files) for step, files in made.flow.items()} == {1: [0, 1, 2], -1: [1, 2, 3]}
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(read_frame(path), cv2.COLOR_RGB2GRAY) for path in video.frames]
    for step, t in ((1, 0), (1, 2), (-1, 3)):
        expected = dis.calc(grey[t], grey[t + step], None)
        assert np.abs(read_flow(made.flow[step][t]) - expected).max() <= 1 / 128


def test_flow_is_made_once_and_resumed(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    (made,) = flow.make([video], DIS, flow.in_cache(DIS))
    before = {path: path.read_bytes() for files in made.flow.values() for path in files.values()}
    calls = []
    real = estimators.METHODS["dis"]

    def counting(options: object, device: str) -> estimators.Estimator:
        estimate = real.load(options, device)  # type: ignore[arg-type]
        return lambda one, other: calls.append(1) or estimate(one, other)  # type: ignore[func-returns-value]

    monkeypatch.setattr(flow, "METHODS", {"dis": replace(real, load=counting)})
    flow.make([video], DIS, flow.in_cache(DIS))
    assert not calls
    made.flow[1][1].unlink()
    made.flow[-1][3].write_bytes(b"cut off")
    flow.make([video], DIS, flow.in_cache(DIS))
    assert len(calls) == 2
    assert {path: path.read_bytes() for path in before} == before


def test_the_key_of_the_cache_is_content_and_settings(video: Video) -> None:
    keys = {DIS.key(estimators.hashed(video)), estimators.estimation("dis:preset=fast").key(estimators.hashed(video))}  # type: ignore[union-attr]
    (folder, _) = flow.in_cache(DIS)(video, estimators.hashed(video))
    write_png(video.frames[1], 255 - read_frame(video.frames[1]))
    keys.add(DIS.key(estimators.hashed(video)))
    assert len(keys) == 3
    assert flow.in_cache(DIS)(video, estimators.hashed(video))[0] != folder


def test_a_folder_of_flow_is_not_that_of_other_frames(video: Video, tmp_path: Path) -> None:
    out = tmp_path / "flow"

    def place(video: Video, _hashes: object) -> tuple[Path, str]:
        return out, video.name

    (made,) = flow.make([video], DIS, place)
    setup = Setup(flow=str(out))
    (found,) = flow.supply(NEEDY, setup, [video])
    assert found.flow == made.flow
    flow.make([video], DIS, place, steps=(2, -2))
    (found,) = flow.supply(NEEDY, setup, [video])
    assert sorted(found.flow) == [-2, -1, 1, 2]
    with pytest.raises(DataError, match=r"has flow of other frames or options for 'disk'"):
        flow.make([video], replace(DIS, options={**DIS.options, "preset": "fast"}), place)
    write_png(video.frames[1], 255 - read_frame(video.frames[1]))
    with pytest.raises(DataError, match='has the flow of other frames of "disk"'):
        flow.supply(NEEDY, setup, [video])
    (out / ".disk.flow.json").write_text("[]")
    with pytest.raises(DataError, match="is damaged"):
        flow.supply(NEEDY, setup, [video])


def test_flow_at_another_size(video: Video) -> None:
    small = estimators.estimation("dis:size=32x24")
    assert small is not None
    (made,) = flow.make([video], small, flow.in_cache(small))
    assert read_flow(made.flow[1][0]).shape == (24, 32, 2)
    card = json.loads((flow.folder_of(made) / "flow.json").read_text())
    assert card["flow"] == small.description == "dis:size=32x24"


def test_frames_of_two_sizes_have_no_flow(video: Video) -> None:
    write_png(video.frames[2], np.zeros((40, 64, 3), np.uint8))
    with pytest.raises(DataError, match="has another size than the frame before"):
        flow.make([video], DIS, flow.in_cache(DIS))


def test_needs_are_checked_before_the_work(video: Video, tmp_path: Path) -> None:
    idle = replace(NEEDY, name="idle", needs=())
    with pytest.raises(UsageError, match='"idle" uses no optical flow; omit --flow'):
        flow.check(idle, Setup(flow="dis"), [video])
    with pytest.raises(UsageError, match=r'"needy" needs optical flow, and the dataset contains none of "disk"'):
        flow.check(NEEDY, Setup(), [video])
    with pytest.raises(UsageError, match='no folder or flow method "diss"; did you mean "dis"'):
        flow.check(NEEDY, Setup(flow="diss"), [video])
    with pytest.raises(UsageError, match='dis has no preset "slow"'):
        flow.check(NEEDY, Setup(flow="dis:preset=slow"), [video])
    with pytest.raises(UsageError, match="not of the form name=value"):
        flow.check(NEEDY, Setup(flow="dis:fast"), [video])
    flow.check(NEEDY, Setup(flow=str(tmp_path)), [video])
    flow.check(NEEDY, Setup(), [replace(video, flow={1: {}})])
    assert flow.supply(idle, Setup(), [replace(video, flow={1: {0: tmp_path}})])[0].flow == {}


@pytest.mark.parametrize("gaps", ["0", "5", "1,x", "", "-1"])
def test_gaps_are_small_numbers(gaps: str) -> None:
    with pytest.raises(UsageError, match="gaps are numbers from 1 to 4"):
        estimators.steps(gaps)


@pytest.mark.torch
def test_raft_without_torchvision_says_what_it_needs(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torchvision.models", None)
    raft = estimators.estimation("raft")
    assert raft is not None
    with pytest.raises(UsageError, match="raft needs the torchvision that fits torch"):
        flow.make([video], raft, flow.in_cache(raft))
