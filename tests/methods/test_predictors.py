"""The contract of predictors, for the three methods."""

import importlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.images import read_frame
from vosbench.method import Embedder, Method, Resumable, Setup
from vosbench.method.nn.deeplab import ADNET_TINY, AdnetDeepLab
from vosbench.method.nn.predictor import FramePredictor, Pass
from vosbench.method.nn.views import AlignedView, SquashedView
from vosbench.methods.adnet import network as adnet
from vosbench.methods.f2net import network as f2net

Shake = Callable[..., nn.Module]
NAMES = ["deeplabv3", "adnet", "f2net"]


def method_of(name: str) -> Method:
    return importlib.import_module(f"vosbench.methods.{name}").method


@pytest.fixture(scope="module")
def weights(shake: Shake, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random weights of the tiny networks under which maps differ from pixel to pixel."""
    noise = torch.Generator().manual_seed(6)
    pair = [torch.randn(2, 3, 65, 65, generator=noise) * 60 for _ in range(2)]
    nets = {
        "deeplabv3": shake(AdnetDeepLab(ADNET_TINY), pair[0]),
        "adnet": shake(adnet.build("ad", adnet.TINY), *pair),
        "f2net": shake(f2net.F2Net(f2net.VARIANTS["tiny"]), *pair, torch.rand(2, 1, 17, 17), torch.full((2, 2), 30.0)),
    }
    folder = tmp_path_factory.mktemp("weights")
    for name, net in nets.items():
        save_file(net.state_dict(), folder / f"{name}.safetensors")
    return {name: folder / f"{name}.safetensors" for name in nets}


@pytest.fixture(params=NAMES)
def setup(request: pytest.FixtureRequest, weights: dict[str, Path]) -> tuple[Method, Setup]:
    return method_of(request.param), Setup(variant="tiny", weights=weights[request.param])


@pytest.mark.parametrize("name", NAMES)
def test_every_declared_variant_exists(name: str) -> None:
    module = importlib.import_module(f"vosbench.methods.{name}")
    if name == "f2net":
        known = f2net.VARIANTS.keys()
    else:
        known = importlib.import_module(f"vosbench.methods.{name}.predictor")
        known = known.PRESETS.keys()
    assert list(module.VARIANTS) == list(known)
    assert module.method.name == name


def test_maps_keep_the_contract(setup: tuple[Method, Setup], clip: Video) -> None:
    method, wanted = setup
    predictor = method.load(wanted)
    assert isinstance(predictor, Resumable)
    maps = list(predictor.predict(clip))
    assert len(maps) == len(clip)
    for saliency in maps:
        assert saliency.dtype == np.float32
        assert saliency.shape == (70, 110)
        assert 0 <= saliency.min() < saliency.max() <= 1
    assert not np.array_equal(maps[0], maps[-1])


def test_maps_are_lazy_and_leave_the_caller_s_modes_unchanged(setup: tuple[Method, Setup], clip: Video) -> None:
    method, wanted = setup
    torch.manual_seed(11)
    expected = torch.random.get_rng_state()
    predictor = method.load(wanted)
    broken = replace(clip, frames=(*clip.frames[:2], Path("absent.png")))
    maps = predictor.predict(broken)
    next(maps)
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()
    next(maps)
    with pytest.raises(DataError, match=r"absent\.png"):
        next(maps)
    assert torch.equal(torch.random.get_rng_state(), expected)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_resumed_run_gives_the_same_bits(setup: tuple[Method, Setup], clip: Video, batch: int) -> None:
    method, wanted = setup
    wanted = replace(wanted, batch=batch)
    predictor = method.load(wanted)
    maps, states = [], [{}]
    for saliency in predictor.predict(clip):
        maps.append(saliency)
        states.append({name: value.copy() for name, value in predictor.state().items()})
    for start in (0, 2, 3, len(clip)):
        assert all(value.dtype == np.float64 and value.size < 10_000 for value in states[start].values())
        again = list(method.load(wanted).resume(clip, start, states[start]))
        assert len(again) == len(clip) - start
        assert all(np.array_equal(a, b) for a, b in zip(again, maps[start:], strict=True))


def test_batches_change_little(setup: tuple[Method, Setup], clip: Video) -> None:
    method, wanted = setup
    singly, together = (list(method.load(replace(wanted, batch=batch)).predict(clip)) for batch in (1, 4))
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(singly, together, strict=True))


def test_two_videos_of_one_predictor_do_not_mix(setup: tuple[Method, Setup], clip: Video) -> None:
    method, wanted = setup
    predictor = method.load(wanted)
    backwards = replace(clip, frames=clip.frames[:1:-1])
    clip = clip.first(3)
    alone = [list(predictor.predict(video)) for video in (clip, backwards)]
    mixed = zip(predictor.predict(clip), predictor.predict(backwards), strict=True)
    for t, (first, second) in enumerate(mixed):
        assert np.array_equal(first, alone[0][t])
        assert np.array_equal(second, alone[1][t])


def test_annotations_are_never_read(setup: tuple[Method, Setup], clip: Video, tmp_path: Path) -> None:
    method, wanted = setup
    annotated = replace(clip, annotations=dict.fromkeys(range(len(clip)), tmp_path / "gone.png"))
    moved = shutil.copytree(clip.frames[0].parent, tmp_path / "elsewhere" / "only-frames")
    alone = replace(clip, frames=tuple(moved / path.name for path in clip.frames))
    for a, b in zip(method.load(wanted).predict(annotated), method.load(wanted).predict(alone), strict=True):
        assert np.array_equal(a, b)


def test_a_video_without_frames_has_no_maps(setup: tuple[Method, Setup], clip: Video) -> None:
    method, wanted = setup
    assert list(method.load(wanted).predict(clip.first(0))) == []


@pytest.mark.parametrize("name", NAMES)
def test_untrained_networks_depend_only_on_the_seed(name: str, clip: Video) -> None:
    method = method_of(name)
    torch.manual_seed(1)
    once, again, other = (next(method.load(Setup(variant="tiny", seed=seed)).predict(clip)) for seed in (7, 7, 8))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


@pytest.mark.parametrize("variant", ["base", "ad", "released", "cgad"])
def test_f2net_processes_frames_in_order_only_if_it_follows_a_centre(
    variant: str, clip: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(f2net.VARIANTS[variant], encoder=f2net.VARIANTS["tiny"].encoder, side=97)
    monkeypatch.setitem(f2net.VARIANTS, variant, small)
    predictor = method_of("f2net").load(Setup(variant=variant, batch=2))
    assert len(list(predictor.predict(clip))) == len(clip)
    assert bool(predictor.state()) == (variant == "cgad")


def test_f2net_requires_its_state(clip: Video) -> None:
    predictor = method_of("f2net").load(Setup(variant="tiny"))
    with pytest.raises(DataError, match="centres"):
        next(predictor.resume(clip, 2, {}))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Setup(variant="hat"), "hat"),
        (Setup(variant="tiny", device="abacus"), 'device "abacus"'),
        (Setup(variant="tiny", device="meta"), 'device "meta"'),
        (Setup(variant="tiny", batch=0), "batch must be at least 1, not 0"),
    ],
)
def test_unavailable_setups_are_reported_in_one_line(name: str, wanted: Setup, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        method_of(name).load(wanted)
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_are_named(weights: dict[str, Path], tmp_path: Path) -> None:
    method = method_of("adnet")
    with pytest.raises(DataError, match=r"missing: cls\.0\.bias.*and \d+ more; unknown: "):
        method.load(Setup(variant="tiny", weights=weights["deeplabv3"]))
    net = adnet.build("ad", adnet.TINY).state_dict() | {"cls.0.weight": torch.zeros(2, 3)}
    save_file(net, tmp_path / "odd.safetensors")
    with pytest.raises(DataError, match=r"of another shape: cls\.0\.weight \(2, 3\) for \(64, 192, 1, 1\)"):
        method.load(Setup(variant="tiny", weights=tmp_path / "odd.safetensors"))
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(DataError, match=r"text\.safetensors"):
        method.load(Setup(variant="tiny", weights=tmp_path / "text.safetensors"))
    with pytest.raises(UsageError, match=r"absent\.safetensors"):
        method.load(Setup(variant="tiny", weights=tmp_path / "absent.safetensors"))


def test_weights_without_counters_of_batches_fit(tmp_path: Path, clip: Video) -> None:
    net = adnet.build("ad", adnet.TINY).state_dict()
    save_file({k: v for k, v in net.items() if not k.endswith("num_batches_tracked")}, tmp_path / "w.safetensors")
    assert list(method_of("adnet").load(Setup(variant="tiny", weights=tmp_path / "w.safetensors")).predict(clip))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", ["deeplabv3", "adnet"])
def test_maps_are_equal_if_a_batch_is_begun_ahead(
    name: str, batch: int, weights: dict[str, Path], clip: Video, tmp_path: Path
) -> None:
    predictor = method_of(name).load(Setup(variant="tiny", weights=weights[name], batch=batch))
    assert isinstance(predictor, FramePredictor)
    plain = list(predictor.predict(clip))
    predictor.overlapping = True
    for start in range(len(clip)):
        assert np.array_equal(list(predictor.resume(clip, start, {})), plain[start:])
    # What stands in front of a frame that cannot be read is used, whatever was begun.
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    maps = predictor.predict(replace(clip, frames=(*clip.frames[:3], broken)))
    for expected in plain[:3]:
        assert np.array_equal(next(maps), expected)
    with pytest.raises(DataError, match=r"broken\.jpg"):
        next(maps)


def test_maps_wait_until_they_have_arrived() -> None:
    arriving = torch.zeros(4, 6)
    begun = Pass([arriving], [(4, 6)], lambda: arriving.fill_(0.5))
    (saliency,) = begun.maps(AlignedView(height=33, width=49))
    assert np.array_equal(saliency, np.full((4, 6), 0.5, np.float32))


def test_frames_enter_as_centred_bgr() -> None:
    frame = np.zeros((480, 854, 3), dtype=np.uint8)
    frame[..., 0] = 200  # red
    for view, size in ((AlignedView(height=481, width=857), (481, 857)), (SquashedView(side=473), (473, 473))):
        seen = view.prepare(frame)
        assert seen.shape == (3, *size)
        assert seen.mean(dim=(1, 2)).tolist() == pytest.approx([-104.00698793, -116.66876762, 200 - 122.67891434])


def test_maps_are_the_logistic_function_of_logits() -> None:
    logits = torch.full((1, 61, 108), 0.5)
    for view in (AlignedView(height=481, width=857), SquashedView(side=473)):
        assert np.allclose(view.restore(logits, (480, 854)), 0.62246, rtol=0, atol=1e-5)


def test_aligned_maps_keep_the_corners() -> None:
    logits = torch.randn(1, 5, 7)
    saliency = AlignedView(height=33, width=49).restore(logits, (33, 49))
    corners = torch.sigmoid(logits[0, [0, 0, -1, -1], [0, -1, 0, -1]])
    assert saliency[[0, 0, -1, -1], [0, -1, 0, -1]] == pytest.approx(corners.numpy())
    assert saliency[8, 8] == pytest.approx(torch.sigmoid(logits[0, 1, 1]).item(), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adnet", "f2net"])
def test_full_size_methods_run(name: str, clip: Video) -> None:
    maps = list(method_of(name).load(Setup()).predict(clip.first(2)))
    assert [saliency.shape for saliency in maps] == [(70, 110)] * 2


def test_embeddings_are_those_that_maps_are_made_of(setup: tuple[Method, Setup], clip: Video) -> None:
    method, chosen = setup
    predictor = method.load(chosen)
    assert isinstance(predictor, Embedder)
    grids = list(predictor.embeddings(clip))
    assert len(grids) == len(clip)
    assert {(grid.dtype, grid.shape) for grid in grids} == {(grids[0].dtype, grids[0].shape)}
    assert grids[0].dtype == np.float32
    size = next(iter(predictor.inputs))
    view = SquashedView(side=size[0]) if method.name == "f2net" else AlignedView(height=size[1], width=size[0])
    with torch.inference_mode():
        wanted = predictor.network.embed(view.prepare(read_frame(clip.frames[3]))[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(grids[3], wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize("options", [{"output": "mask"}, {"scales": "multi"}])
def test_ensembles_and_masks_of_adnet_offer_no_embeddings(weights: dict[str, Path], options: dict[str, str]) -> None:
    chosen = Setup(variant="tiny", weights=weights["adnet"], options=options)
    assert not isinstance(method_of("adnet").load(chosen), Embedder)
