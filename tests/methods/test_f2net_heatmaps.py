"""Heat maps and centres of F2Net, on request."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.method import FloatMap, Setup, State
from vosbench.method.predict import write_maps
from vosbench.methods.f2net import OPTIONS, method, network
from vosbench.methods.f2net.centre import Guide
from vosbench.methods.f2net.heatmaps import Heatmaps, Sighting, candidates
from vosbench.runner import resolve_options

CELLS, SIDE = 25, 97
"""The grid of the heat map at an input of 97 × 97."""


@pytest.fixture
def trained(
    shake: Callable[..., nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Guide], Setup]:
    """Random weights under which heat maps differ from cell to cell, and how the centre is chosen."""
    noise = torch.Generator().manual_seed(6)
    pair = [torch.randn(2, 3, SIDE, SIDE, generator=noise) * 60 for _ in range(2)]
    config = replace(network.VARIANTS["tiny"], side=SIDE)
    net = shake(network.F2Net(config), *pair, torch.rand(2, 1, CELLS, CELLS), torch.full((2, 2), 30.0))
    save_file(net.state_dict(), tmp_path / "w.safetensors")

    def choose(guide: Guide) -> Setup:
        monkeypatch.setitem(network.VARIANTS, "tiny", replace(config, guide=guide))
        return Setup(variant="tiny", weights=tmp_path / "w.safetensors")

    return choose


def asked(setup: Setup, folder: Path) -> Setup:
    return replace(setup, options={"heatmaps": str(folder)})


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def cell_of(x: float, y: float) -> tuple[int, int]:
    """The cell (row, column) around a pixel of the frame, which is 70 × 110 and covered by 25 × 25 cells."""
    return int((y + 0.5) * CELLS / 70), int((x + 0.5) * CELLS / 110)


@pytest.mark.parametrize("select", ["max", "motion"])
def test_a_picture_and_a_table_of_every_frame(select: Any, trained: Any, clip: Video, tmp_path: Path) -> None:
    setup = trained(Guide(sigma=8, select=select))
    plain = list(method.load(setup).predict(clip))
    maps = list(method.load(asked(setup, tmp_path / "heat")).predict(clip))
    assert all(np.array_equal(one, other) for one, other in zip(plain, maps, strict=True))
    names = [path.stem for path in clip.frames]
    assert set(files_of(tmp_path / "heat")) == {"disk/centres.csv", *(f"disk/{name}.png" for name in names)}
    lines = table_of(tmp_path / "heat" / "disk" / "centres.csv")
    assert list(dict.fromkeys(line["frame"] for line in lines)) == names
    moved = 0
    for name, sighting in zip(names, method.load(setup).follow(clip), strict=True):
        with Image.open(tmp_path / "heat" / "disk" / f"{name}.png") as picture:
            assert (picture.mode, picture.size) == ("L", (CELLS, CELLS))
            levels = np.array(picture)
        assert np.abs(levels / 255 - sighting.heat).max() <= 0.5 / 255 + 1e-6
        assert levels.min() < levels.max()
        rows = [line for line in lines if line["frame"] == name]
        scores = [float(line["score"]) for line in rows]
        assert 1 <= len(rows) <= 5
        assert scores == sorted(scores, reverse=True)
        assert [line["chosen"] for line in rows].count("1") == 1
        for line, score in zip(rows, scores, strict=True):
            x, y = float(line["x"]), float(line["y"])
            assert -0.5 <= x <= 109.5
            assert -0.5 <= y <= 69.5
            assert sighting.heat[cell_of(x, y)] == pytest.approx(score, abs=1e-6)
            if line["chosen"] == "1":
                assert sighting.centre == pytest.approx([x, y], abs=0.01)
        first = cell_of(float(rows[0]["x"]), float(rows[0]["y"]))
        assert sighting.heat[first] == sighting.heat.max()
        assert levels[first] == levels.max()
        moved += rows[0]["chosen"] == "0"
        if select == "max":
            assert rows[0]["chosen"] == "1"
    assert select == "max" or moved, "the motion never chose another peak: this shows nothing"


def test_sightings_have_the_maps_heat_maps_and_centres(trained: Any, clip: Video) -> None:
    setup = trained(Guide(sigma=8))
    predictor = method.load(setup)
    states: list[State] = [{}]
    seen: list[Sighting] = []
    for sighting in predictor.follow(clip):
        seen.append(sighting)
        states.append(predictor.state())
    for sighting, expected in zip(seen, method.load(setup).predict(clip), strict=True):
        assert np.array_equal(sighting.probability, expected)
        assert sighting.heat.shape == (CELLS, CELLS)
        assert sighting.heat.dtype == np.float32
        assert 0 <= sighting.heat.min() <= sighting.heat.max() <= 1
    for t, sighting in enumerate(method.load(setup).follow(clip, 3, states[3]), 3):
        assert np.array_equal(sighting.heat, seen[t].heat)
        assert np.array_equal(sighting.centre, seen[t].centre)
    with pytest.raises(DataError, match="centres"):
        next(method.load(setup).follow(clip, 2))


class Stopping:
    """A predictor that is stopped before a map."""

    def __init__(self, inner: Any, before: int) -> None:
        self._inner = inner
        self._before = before

    def predict(self, video: Video) -> Iterator[FloatMap]:
        return self.resume(video, 0, {})

    def state(self) -> State:
        return dict(self._inner.state())

    def resume(self, video: Video, start: int, state: State) -> Iterator[FloatMap]:
        for index, values in enumerate(self._inner.resume(video, start, state), start):
            if index == self._before:
                raise KeyboardInterrupt
            yield values


@pytest.mark.parametrize("before", [0, 1, 3, 4])
def test_an_interrupted_run_is_completed_with_the_same_bytes(
    before: int, trained: Any, clip: Video, tmp_path: Path
) -> None:
    setup = trained(Guide(sigma=8))
    write_maps(method.load(asked(setup, tmp_path / "a")), clip, tmp_path / "maps-a", lambda _: None)
    predictor = method.load(asked(setup, tmp_path / "b"))
    with pytest.raises(KeyboardInterrupt):
        write_maps(Stopping(predictor, before), clip, tmp_path / "maps-b", lambda _: None)
    with (tmp_path / "b" / "disk" / "centres.csv").open("a") as file:
        file.write("00004,12")
    write_maps(method.load(asked(setup, tmp_path / "b")), clip, tmp_path / "maps-b", lambda _: None)
    for name in ("maps-", ""):
        assert files_of(tmp_path / f"{name}a") == files_of(tmp_path / f"{name}b")


def test_lines_of_names_with_a_common_prefix_are_distinguished(tmp_path: Path) -> None:
    video = Video(name="v", frames=tuple(Path(f"{name}.png") for name in ("1", "10", 'a "b", c', "2")))
    sighting = Sighting(np.zeros((4, 8), np.float32), np.eye(2, dtype=np.float32), np.array([1.5, 0.5]))
    whole = Heatmaps(tmp_path / "whole", video, 0, 5)
    for _ in video.frames:
        whole.write(sighting)
    expected = (tmp_path / "whole" / "centres.csv").read_bytes()
    assert expected.splitlines()[1:3] == [b"1,1.50,0.50,1.000000,1", b"1,5.50,2.50,1.000000,0"]
    torn = tmp_path / "torn" / "centres.csv"
    torn.parent.mkdir()
    for end in range(len(expected)):
        torn.write_bytes(expected[:end])
        lines = expected[:end].count(b"\n")
        start = max(0, (lines - 1) // 2)
        again = Heatmaps(torn.parent, video, start, 5)
        for _ in video.frames[start:]:
            again.write(sighting)
        assert torn.read_bytes() == expected


def test_without_a_peak_the_expected_point_is_listed(tmp_path: Path) -> None:
    video = Video(name="v", frames=(Path("0.png"),))
    blank = Sighting(np.zeros((4, 8), np.float32), np.zeros((2, 2), np.float32), np.array([3.5, 1.5]))
    Heatmaps(tmp_path, video, 0, 5).write(blank)
    assert (tmp_path / "centres.csv").read_text() == "frame,x,y,score,chosen\n0,3.50,1.50,,1\n"
    points, scores = candidates(blank, 5)
    assert (points.shape, scores.shape) == ((0, 2), (0,))


@pytest.mark.parametrize("variant", ["base", "ad", "released"])
def test_variants_that_follow_no_centre_refuse_heat_maps(variant: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf'"f2net\.{variant}" follows no centre.*cgad') as caught:
        method.load(asked(Setup(variant=variant), tmp_path / "heat"))
    assert "\n" not in str(caught.value)
    assert OPTIONS["heatmaps"].default == ""


def test_heat_maps_never_overwrite_maps(trained: Any, clip: Video, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        method.load(asked(Setup(variant="tiny"), tmp_path / "file"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    predictor = method.load(asked(trained(Guide(sigma=8)), tmp_path / "run"))
    with pytest.raises(UsageError, match="a folder of their own"):
        write_maps(predictor, clip, tmp_path / "run" / "disk", lambda _: None)
    assert not list(tmp_path.glob("run/disk/*.png"))


def test_heat_maps_are_requested_by_set(tmp_path: Path) -> None:
    assert resolve_options(method, {"heatmaps": f"{tmp_path}/a=b"})["heatmaps"] == f"{tmp_path}/a=b"
    assert resolve_options(method, {})["heatmaps"] == ""
