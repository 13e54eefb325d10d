"""Profiles: the sums of stages and the costs of methods; durations are not asserted."""

import hashlib
import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vosbench import images
from vosbench.dataset import Video
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.engine.stages import is_collecting, is_rehearsal
from vosbench.errors import VideoError
from vosbench.method import FloatMap, Measurable, Method, Setup
from vosbench.method.nn.layers import attend
from vosbench.method.predict import write_maps
from vosbench.method.profile import _clip, _count, profile
from vosbench.method.testing import sample_video
from vosbench.records import record as records
from vosbench.records.record import Speed
from vosbench.registry import load_dataset, load_method
from vosbench.report.overview import stages_table
from vosbench.report.table import render
from vosbench.runner import run

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
NAMES = ["adnet", "deeplabv3", "f2net"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("frames", "batch", "timed", "warmup", "length"),
    [
        (100, 1, 10, 2, 12),
        (5, 1, 10, 2, 5),
        (3, 1, 10, 2, 3),
        (2, 1, 10, 1, 2),
        (1, 1, 10, 0, 1),
        (100, 4, 10, 4, 16),
        (100, 3, 10, 3, 15),
        (11, 4, 10, 4, 8),
        (6, 4, 10, 4, 6),
        (4, 4, 10, 0, 4),
    ],
)
def test_whole_batches_are_timed(frames: int, batch: int, timed: int, warmup: int, length: int) -> None:
    video = Video(name="v", frames=tuple(Path(f"{t}.png") for t in range(frames)))
    untimed, clip = _clip(video, batch, timed)
    assert (untimed, len(clip)) == (warmup, length)


def check(speed: Speed, frames: int, warmup: int) -> None:
    assert (speed.frames, speed.warmup) == (frames, warmup)
    assert list(speed.stages) == ["decode", "encoder", "matching", "post", "write", "other"]
    assert all(seconds >= 0 for seconds in speed.stages.values())
    assert speed.stages["decode"] > 0
    assert speed.stages["write"] > 0
    assert speed.fps > 0
    assert speed.latency > 0
    assert speed.threads == 1
    assert speed.device_name


def multiply_accumulates(net: nn.Module, work: Iterator[object], monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the operations of one more map by hand: every convolution by a hook, attention by its shapes."""
    counted = []

    def convolved(layer: nn.Conv2d, _: tuple[Tensor, ...], out: Tensor) -> None:
        height, width = layer.kernel_size
        counted.append(out.numel() * layer.in_channels // layer.groups * height * width)

    def attended(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        channels, positions = query.shape[1], query.shape[2] * query.shape[3]
        counted.append(2 * positions * key.shape[2] * key.shape[3] * channels)
        return attend(query, key, value)

    hooks = [each.register_forward_hook(convolved) for each in net.modules() if isinstance(each, nn.Conv2d)]
    for module in ("vosbench.methods.adnet.network", "vosbench.methods.f2net.attention"):
        monkeypatch.setattr(f"{module}.attend", attended)
    next(work)
    for hook in hooks:
        hook.remove()
    assert len(counted) > 20
    return sum(counted)


@pytest.mark.parametrize("name", NAMES)
def test_costs_of_the_methods(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method: Method = importlib.import_module(f"vosbench.methods.{name}").method
    setup = Setup(variant="tiny")
    predictor = method.load(setup)
    video = sample_video(tmp_path)
    undisturbed = [values.copy() for values in predictor.predict(video)]
    speed = profile(predictor, setup, video)
    check(speed, frames=3, warmup=2)
    assert speed.size == "64x48"
    assert speed.stages["encoder"] > 0
    assert speed.stages["post"] > 0
    assert speed.peak_memory > 2**20
    assert isinstance(predictor, Measurable)
    assert speed.parameters == sum(each.numel() for each in predictor.network.parameters())
    maps = predictor.predict(video)
    next(maps)
    assert speed.gmacs == multiply_accumulates(predictor.network, maps, monkeypatch) / 1e9
    again = list(predictor.predict(video))
    assert all(np.array_equal(one, other) for one, other in zip(undisturbed, again, strict=True))


@pytest.mark.parametrize("options", [{"scales": "multi"}, {"scales": "multi", "output": "mask", "gating": "on"}])
def test_six_views_are_all_counted(options: Mapping[str, str], tmp_path: Path) -> None:
    from vosbench.methods.adnet import method

    video = sample_video(tmp_path)
    one, six = (method.load(Setup(variant="tiny", options=each)) for each in ({}, options))
    assert isinstance(six, Measurable)
    assert six.inputs == [(177, 97), (241, 137), (361, 201)]
    single, multiple = (_count(predictor, video, warmup=1, batch=1) for predictor in (one, six))
    assert single is not None
    assert multiple is not None
    assert 6 * single < multiple < 10 * single  # 2 (0.75² + 1 + 1.5²) = 7.6 and somewhat more


def test_cost_per_frame_is_the_same_in_batches(tmp_path: Path) -> None:
    from vosbench.methods.adnet import method

    video = sample_video(tmp_path)
    singly, together = (
        profile(method.load(setup), setup, video) for setup in (Setup(variant="tiny"), Setup(variant="tiny", batch=2))
    )
    check(together, frames=2, warmup=2)
    assert together.gmacs == singly.gmacs


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch's compiler warns of torch
def test_a_compiled_network_is_measured(tmp_path: Path) -> None:
    from vosbench.errors import UsageError
    from vosbench.methods.deeplabv3 import method

    setup = Setup(variant="tiny", compile=True)
    try:
        predictor = method.load(setup)
    except UsageError as error:
        pytest.skip(str(error))
    plain = profile(method.load(Setup(variant="tiny")), Setup(variant="tiny"), sample_video(tmp_path))
    assert profile(predictor, setup, sample_video(tmp_path)).gmacs == plain.gmacs


def toys(root: Path) -> Selection:
    return select(load_dataset("toy", [TOY]), Choice(root=root))


def test_a_third_party_method_that_is_not_measurable(toy_root: Path) -> None:
    method, _ = load_method("brightness.average", [TOY])
    speed = profile(method.load(Setup(variant="average")), Setup(variant="average"), toys(toy_root).videos[0])
    check(speed, frames=3, warmup=2)
    assert speed.parameters is None
    assert speed.gmacs is None
    assert speed.stages["encoder"] == 0
    shown = json.loads(render(stages_table(speed), "json"))
    values = {row["what"]: row["value"] for row in shown["rows"]}
    assert values["parameters"] is None
    assert values["all stages, without overlap"] == pytest.approx(1000 * sum(speed.stages.values()))
    assert values["speed, as in a run"] == pytest.approx(speed.fps)
    assert shown["notes"][0].startswith("mean of 3 frames of 32x24 after 2 of warm-up")


def test_a_video_of_one_frame_has_no_warm_up(toy_root: Path) -> None:
    method, _ = load_method("brightness", [TOY])
    speed = profile(method.load(Setup()), Setup(), toys(toy_root).videos[0].first(1))
    check(speed, frames=1, warmup=0)
    assert "once per video" not in stages_table(speed).notes[0]


def test_a_method_that_fails_is_named(toy_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method, _ = load_method("brightness", [TOY])
    monkeypatch.setenv("TOY_FAIL", "v0/00003")
    with pytest.raises(VideoError, match='fails on frame 3 of "v0"'):
        profile(method.load(Setup()), Setup(), toys(toy_root).videos[0])
    assert not is_collecting()
    assert not is_rehearsal()


def test_a_gpu_is_synchronised_and_queried(toy_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's functions for GPUs are called on the chosen device; the test needs no GPU."""
    asked: list[tuple[str, object]] = []

    def pretend(name: str, answer: object) -> None:
        monkeypatch.setattr(torch.cuda, name, lambda device=None: asked.append((name, device)) or answer)

    pretend("reset_peak_memory_stats", None)
    pretend("synchronize", None)
    pretend("max_memory_allocated", 3 * 2**30)
    pretend("get_device_name", "Imaginary 3000")
    method, _ = load_method("brightness", [TOY])
    speed = profile(method.load(Setup()), Setup(device="cuda:1"), toys(toy_root).videos[0])
    assert (speed.peak_memory, speed.device_name) == (3 * 2**30, "Imaginary 3000")
    assert {device for _, device in asked} == {"cuda:1"}
    names = [name for name, _ in asked]
    assert names[0] == "reset_peak_memory_stats"
    assert names.count("synchronize") >= 2 * 2 * 5  # before and after the reading and the writing of each of 5 frames


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_profile_changes_nothing_but_the_record_s_speed(toy_root: Path, tmp_path: Path) -> None:
    method, _ = load_method("brightness.average", [TOY])
    setup = Setup(variant="average")
    plain = run(method, setup, toys(toy_root), tmp_path / "plain").record
    profiled = run(method, setup, toys(toy_root), tmp_path / "timed", profile=True)
    timed, path = profiled.record, profiled.path
    name = "toy/brightness.average.json"
    differing = dict(digest(tmp_path / "plain").items() ^ digest(tmp_path / "timed").items())
    assert list(differing) == [name]
    assert plain.speed is None
    assert timed.speed is not None
    assert timed.model_copy(update={"speed": None}) == plain
    assert path is not None
    jsonschema.validate(json.loads(path.read_bytes()), json.loads(records.json_schema()))
    assert records.read(path) == timed
    run(method, setup, toys(toy_root), tmp_path / "timed")
    assert digest(tmp_path / "timed") == digest(tmp_path / "plain")


def test_the_record_has_inputs_and_options(toy_root: Path, tmp_path: Path) -> None:
    from vosbench.methods.adnet import method

    setup = Setup(variant="tiny", options={"scales": "multi"})
    record = run(method, setup, toys(toy_root), tmp_path).record
    assert record.provenance.inputs == ["177x97", "241x137", "361x201"]
    assert record.provenance.options == {
        "scales": "multi",
        "preset": "paper",
        "output": "map",
        "gating": "preset",
        "prune": "",
        "size": "241x137",
        "anchor_align": "anchor",
    }


class Noting:
    """Writes a file for every frame, except in a rehearsal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def predict(self, video: Video) -> Iterator[FloatMap]:
        for path in video.frames:
            if not is_rehearsal():
                (self.folder / path.name).touch()
            yield np.zeros(images.size(path), np.float32)


def test_a_method_can_tell_a_rehearsal(tmp_path: Path) -> None:
    video = sample_video(tmp_path)
    notes = tmp_path / "notes"
    notes.mkdir()
    profile(Noting(notes), Setup(), video)
    assert not list(notes.iterdir())
    write_maps(Noting(notes), video, tmp_path / "out", lambda _: None)
    assert len(list(notes.iterdir())) == len(video)


def test_profiling_leaves_heat_maps_unchanged(toy_root: Path, tmp_path: Path) -> None:
    from vosbench.methods.f2net import method

    setup = Setup(variant="tiny", options={"heatmaps": str(tmp_path / "heat")})
    chosen = replace(toys(toy_root), videos=toys(toy_root).videos[:1])
    run(method, setup, chosen, tmp_path / "out")
    before = digest(tmp_path / "heat")
    assert before
    run(method, setup, replace(chosen, videos=chosen.videos), tmp_path / "out", profile=True)
    assert digest(tmp_path / "heat") == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"), [("adnet", 521.2), ("f2net", 303.8), ("deeplabv3", 498.6 - 127 * 512 * 61 * 108 / 1e9)]
)
def test_full_size_costs(name: str, expected: float, tmp_path: Path) -> None:
    """Encoder, both attentions, classifier and centre branch, the anchor encoded once: the sums of the papers' layers.

    AD-Net's encoder takes 498.6, with 128 output channels instead of the one of the baseline.
    """
    method: Method = importlib.import_module(f"vosbench.methods.{name}").method
    assert _count(method.load(Setup()), sample_video(tmp_path), warmup=1, batch=1) == pytest.approx(expected, abs=0.1)
