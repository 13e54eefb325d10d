"""AD-Net's options: scales and mirror, presets, masks, gating and pruning, as a user sets them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.images import read_frame
from vosbench.method import FloatMap, Resumable, Setup
from vosbench.method.nn.predictor import FramePredictor
from vosbench.method.nn.tta import Ensemble, EnsemblePredictor, Outputs, Views
from vosbench.method.nn.views import FULL_VIEW, TINY_VIEW, AlignedView, Frame, Resized
from vosbench.method.options import MOTION
from vosbench.methods.adnet import OPTIONS, method, network, predictor
from vosbench.methods.adnet import masks as runs
from vosbench.methods.adnet.detections import Detection
from vosbench.methods.adnet.masks import gated
from vosbench.methods.adnet.tta import PRESETS, SCALES

BASE = AlignedView(height=65, width=97)
SMALL = AlignedView(height=33, width=49)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the smallest variant even smaller inputs."""
    monkeypatch.setitem(predictor.PRESETS, "tiny", (partial(network.build, "ad", network.TINY), BASE))


@pytest.fixture(scope="module")
def tiny(shake: Callable[..., nn.Module]) -> Any:
    noise = torch.Generator().manual_seed(6)
    pair = [torch.randn(2, 3, 65, 65, generator=noise) * 60 for _ in range(2)]
    net: Any = shake(network.build("ad", network.TINY), *pair)
    return net.to(memory_format=torch.channels_last)


@pytest.fixture(scope="module")
def trained(tiny: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    path = tmp_path_factory.mktemp("weights") / "adnet.safetensors"
    save_file({name: value.contiguous() for name, value in tiny.state_dict().items()}, path)
    return Setup(variant="tiny", weights=path)


def maps_of(setup: Setup, clip: Video, **options: str) -> list[FloatMap]:
    return list(method.load(replace(setup, options=options)).predict(clip))


class Position:
    """A network whose logits are the frame's brightness less its anchor's and a slope along x."""

    anchored = True

    def embed(self, frames: Tensor) -> Tensor:
        return frames.mean(dim=1, keepdim=True)[:, :, ::8, ::8] / 50

    def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:
        assert anchor is not None
        return current - anchor + torch.linspace(-1, 1, current.shape[3])


class Bright(Position):
    """A network that finds the bright disk."""

    def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:
        assert anchor is not None
        return current * 5 + 3


@pytest.fixture
def bright(monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.setattr(predictor, "ready", lambda *_: Bright())
    return Setup(variant="tiny")


# Scales and mirror


def logits(ensemble: Ensemble, anchor: Frame, frames: list[Frame]) -> list[Tensor]:
    first, *others = (Resized.of(frame, ensemble.views.sizes) for frame in (anchor, *frames))
    return [outputs.logits() for outputs in ensemble.outputs(ensemble.anchors(first), others)]


def test_there_are_three_sizes() -> None:
    sizes = [(view.width, view.height) for view in (FULL_VIEW.rescaled(scale) for scale in SCALES)]
    assert sizes == [(641, 353), (857, 481), (1281, 721)]
    assert [(v.width, v.height) for v in (TINY_VIEW.rescaled(s) for s in SCALES)] == [
        (177, 97),
        (241, 137),
        (361, 201),
    ]


def test_mirrored_views_are_mirrored_back(clip: Video, tiny: Any) -> None:
    frames = [read_frame(path) for path in clip.frames[:3]]
    views = (SMALL, AlignedView(height=41, width=65))
    for net in (Position(), tiny):
        both = Ensemble(net, Views(views, mirror=True), CPU)
        single = Ensemble(net, Views(views), CPU)
        flipped = [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]
        upright = logits(single, frames[0], frames[1:])
        mirrored = logits(single, flipped[0], flipped[1:])
        for actual, a, b in zip(logits(both, frames[0], frames[1:]), upright, mirrored, strict=True):
            assert actual.shape == (4, 70, 110)
            assert torch.allclose(actual[:2], a, atol=1e-4)
            # OpenCV resizes bytes, and rounds a mirrored half the other way
            right, unflipped, upright_again = ((actual[2:] - x).abs().max() for x in (b.flip(2), b, a))
            assert right < 0.2
            assert min(unflipped, upright_again) > 2 * right


def test_anchors_are_encoded_once_per_view(clip: Video, tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    embed = tiny.embed
    monkeypatch.setattr(tiny, "embed", lambda frames: sizes.append(tuple(frames.shape)) or embed(frames))
    views = (SMALL, AlignedView(height=41, width=65))
    frames = [Resized.read(path, views) for path in clip.frames]
    ensemble = Ensemble(tiny, Views(views, mirror=True), CPU)
    actual = list(EnsemblePredictor(ensemble, PRESETS["paper"].saliency).predict(clip))
    assert sizes == [(2, 3, 33, 49), (2, 3, 41, 65)] * 5
    for frame, cached in zip(frames, actual, strict=True):
        (again,) = ensemble.outputs(ensemble.anchors(frames[0]), [frame])
        assert np.array_equal(PRESETS["paper"].average(again).saliency, cached)


def test_multi_is_the_mean_over_three_scales_and_mirror(clip: Video, tiny: Any, trained: Setup) -> None:
    clip = clip.first(2)
    views = tuple(BASE.rescaled(scale) for scale in SCALES)
    ensemble = Ensemble(tiny, Views(views, mirror=True), CPU)
    (found,) = logits(ensemble, read_frame(clip.frames[0]), [read_frame(clip.frames[1])])
    assert found.shape == (6, 70, 110)
    probability = torch.sigmoid(found).mean(dim=0).numpy()
    assert np.allclose(maps_of(trained, clip, scales="multi")[1], probability, atol=1e-6)
    logit = torch.sigmoid(found.mean(dim=0)).numpy()
    assert np.allclose(maps_of(trained, clip, scales="multi", preset="official", output="map")[1], logit, atol=1e-6)
    assert not np.allclose(logit, probability, atol=1e-3)


def test_networks_without_an_anchor_are_given_none(clip: Video) -> None:
    class Alone(Bright):
        anchored = False

        def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:
            assert anchor is None
            return current

    ensemble = Ensemble(Alone(), Views((SMALL, BASE), mirror=True), CPU)
    frames = [read_frame(path) for path in clip.frames[:2]]
    assert [x.shape for x in logits(ensemble, frames[0], frames)] == [(4, 70, 110)] * 2


# Presets


def outputs_of(logits: Tensor) -> Outputs:
    """(V, H, W) logits as those of V views, of the frame's size."""
    height, width = logits.shape[1:]
    views = Views((AlignedView(height=height, width=width),) * len(logits))
    return Outputs(views, list(logits[:, None, None]), 0, (height, width))


def test_presets_average_and_threshold_in_their_space() -> None:
    logits = torch.tensor([3.0, -1.5])[:, None, None]
    paper, official = (PRESETS[name].average(outputs_of(logits)) for name in ("paper", "official"))
    assert paper.saliency.item() == pytest.approx((0.9525741 + 0.1824255) / 2)
    assert official.saliency.item() == pytest.approx(0.6791787)  # of 0.75
    assert paper.mask.item()
    assert official.mask.item()


def test_thresholds_are_strict_and_logit_half_is_probability_0_62246() -> None:
    steps = torch.tensor([[-1e-3, 0, 1e-3, 0.499, 0.5, 0.501]])[None]
    paper, official = (PRESETS[name].average(outputs_of(steps)) for name in ("paper", "official"))
    assert paper.mask.tolist() == [[False, False, True, True, True, True]]
    assert official.mask.tolist() == [[False, False, False, False, False, True]]
    assert official.saliency[0, 4] == pytest.approx(0.62246, abs=1e-5)
    assert np.array_equal(official.mask, official.saliency > official.saliency[0, 4])
    assert (PRESETS["paper"].gating, PRESETS["official"].gating) == (False, True)


# Options


def test_defaults_are_maps_at_one_scale(clip: Video, trained: Setup) -> None:
    assert {name: option.default for name, option in OPTIONS.items()} == {
        "scales": "single",
        "flip": "no",
        "preset": "paper",
        "output": "map",
        "gating": "preset",
        "prune": "",
        "size": "857x481",
        "side": "320",
        "anchor_align": "anchor",
        "motion": "off",
        "motion_weight": MOTION,
        "refine": "on",
    }
    default = method.load(trained)
    assert isinstance(default, FramePredictor)
    plain = list(default.predict(clip))
    for preset in ("paper", "official"):
        defaults = {name: option.default for name, option in OPTIONS.items() if not option.variants}
        actual = maps_of(trained, clip, **defaults | {"preset": preset})
        assert all(np.array_equal(a, b) for a, b in zip(actual, plain, strict=True))


def test_masks_are_the_thresholded_maps(clip: Video, bright: Setup) -> None:
    maps = maps_of(bright, clip)
    for options, threshold in (({}, 0.5), ({"preset": "official", "gating": "off"}, 1 / (1 + np.exp(-0.5)))):
        for mask, values in zip(maps_of(bright, clip, output="mask", **options), maps, strict=True):
            assert mask.dtype == np.float32
            assert np.array_equal(mask, values > threshold)
            assert 0 < mask.mean() < 1


def test_the_official_preset_gates_masks_and_never_maps(clip: Video, bright: Setup) -> None:
    free = maps_of(bright, clip, preset="official", output="mask", gating="off")
    expected = [gated(b > 0, a > 0) for a, b in pairwise(free)]
    for options in ({}, {"gating": "on"}):
        actual = maps_of(bright, clip, preset="official", output="mask", **options)
        assert np.array_equal(actual[0], free[0])
        assert all(np.array_equal(a, b) for a, b in zip(actual[1:], expected, strict=True))
    forced = maps_of(bright, clip, output="mask", gating="on")
    plain = maps_of(bright, clip, output="mask")
    assert any(not np.array_equal(a, b) for a, b in zip(forced, plain, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(actual, free, strict=True))


def detections_of(clip: Video, tmp_path: Path) -> Path:
    """Write four boxes per frame; frame 1 has a person who suppresses a box that covers most of the frame's right."""
    away = np.zeros((70, 110), dtype=np.bool_)
    away[:, 40:] = True

    def one(box: Sequence[float], category: int = 9) -> dict[str, Any]:
        segmentation = {"size": [70, 110], "counts": runs.encode(away).tolist()}
        return {"bbox": list(box), "score": 1, "category_id": category, "segmentation": segmentation}

    still = [one([5 * i, 5, 5 * i + 4, 9]) for i in range(4)] * 2
    frames = [still, [one([5, 5, 35, 45], 1), one([60, 50, 66, 56], 1)], still, still, still]
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"videos": {clip.name: frames}}))
    return path


def test_pruning_removes_pixels_from_masks_before_gating(clip: Video, bright: Setup, tmp_path: Path) -> None:
    path = str(detections_of(clip, tmp_path))
    free = maps_of(bright, clip, output="mask")
    pruned = maps_of(bright, clip, output="mask", prune=path)
    assert free[1][:, 40:].any()
    assert not pruned[1][:, 40:].any()
    assert np.array_equal(pruned[1][:, :40], free[1][:, :40])
    both = maps_of(bright, clip, output="mask", prune=path, gating="on")
    assert np.array_equal(both[2], gated(pruned[2] > 0, pruned[1] > 0))
    assert not np.array_equal(both[2], gated(free[2] > 0, free[1] > 0))


def test_videos_without_detections_are_not_pruned(clip: Video, bright: Setup, tmp_path: Path) -> None:
    other = replace(clip, name="other")
    actual = maps_of(bright, other, output="mask", prune=str(detections_of(clip, tmp_path)))
    assert all(np.array_equal(a, b) for a, b in zip(actual, maps_of(bright, other, output="mask"), strict=True))


def test_a_detector_replaces_a_file(clip: Video, bright: Setup, tmp_path: Path) -> None:
    path = detections_of(clip, tmp_path)
    seen: list[NDArray[np.uint8]] = []

    class Known:
        def detect(self, frame: NDArray[np.uint8]) -> list[Detection]:
            seen.append(frame)
            entries = json.loads(path.read_text())["videos"][clip.name][len(seen) - 1]
            mask = runs.decode(np.array(entries[0]["segmentation"]["counts"]), (70, 110))
            return [Detection(box=tuple(x["bbox"]), score=1, category=x["category_id"] - 1, mask=mask) for x in entries]

    wanted = replace(bright, options={"output": "mask"})
    entries = list(predictor.load(wanted, Known()).predict(clip))
    assert [np.array_equal(a, read_frame(b)) for a, b in zip(seen, clip.frames, strict=True)] == [True] * 5
    from_file = maps_of(bright, clip, output="mask", prune=str(path))
    assert all(np.array_equal(a, b) for a, b in zip(entries, from_file, strict=True))
    with pytest.raises(UsageError, match="two sources"):
        predictor.load(replace(bright, options={"output": "mask", "prune": str(path)}), Known())


@pytest.mark.parametrize("options", [{"prune": "some.json"}, {"gating": "on"}])
def test_options_of_masks_require_masks(options: dict[str, str], bright: Setup, tmp_path: Path) -> None:
    if "prune" in options:
        (tmp_path / "some.json").write_text('{"videos": {}}')
        options = {"prune": str(tmp_path / "some.json")}
    with pytest.raises(UsageError, match="output=mask"):
        method.load(replace(bright, options=options))


# Resuming


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"preset": "official", "output": "mask"},
        {"output": "mask", "prune": "file"},
        {"output": "mask"},
        {"scales": "multi", "preset": "official", "output": "mask"},
        {"scales": "multi"},
    ],
    ids=" ".join,
)
def test_a_resumed_run_gives_the_same_bits(
    options: dict[str, str], batch: int, clip: Video, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if "prune" in options:
        options = options | {"prune": str(detections_of(clip, tmp_path))}
    setup = request.getfixturevalue("bright" if "output" in options else "trained")
    wanted = replace(setup, options=options, batch=batch)
    undisturbed = method.load(wanted)
    assert isinstance(undisturbed, Resumable)
    actual, states = [], [undisturbed.state()]
    for values in undisturbed.predict(clip):
        actual.append(values)
        states.append(undisturbed.state())
    needs_state = "prune" in options or (options.get("preset") == "official" and "output" in options)
    assert [sorted(state) for state in states] == [[], *[["runs", "size"] if needs_state else []] * 5]
    for start in (0, 2, 3, 5):
        assert all(value.dtype == np.float64 and value.size < 10_000 for value in states[start].values())
        again = list(method.load(wanted).resume(clip, start, states[start]))
        assert len(again) == 5 - start
        assert all(np.array_equal(a, b) for a, b in zip(again, actual[start:], strict=True))


def test_masks_require_their_state(clip: Video, trained: Setup) -> None:
    masks = method.load(replace(trained, options={"preset": "official", "output": "mask"}))
    for state in ({}, {"runs": np.array([3.0]), "size": np.array([2.0, 2.0])}):
        with pytest.raises(DataError, match="last mask"):
            next(masks.resume(clip, 2, state))
