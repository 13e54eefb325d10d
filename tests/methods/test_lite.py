"""The lite variants of the three methods: their networks, predictors and recipes."""

import importlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.images import read_frame, write_png
from vosbench.method import Embedder, Material, Method, Recipe, Setup
from vosbench.method.nn.convert import BACKBONE
from vosbench.method.nn.export import export as export_network
from vosbench.method.nn.lite import LiteDeepLab
from vosbench.method.nn.weights import write
from vosbench.method.options import resolve
from vosbench.method.refine import refined
from vosbench.method.testing import check_predictor, sample_video
from vosbench.methods.f2net.network import LiteF2Net
from vosbench.records.provenance import weights_card
from vosbench.registry import load_method
from vosbench.train import Listener, Settings, train
from vosbench.train.checkpoint import export

PARAMETERS = {
    "deeplabv3.lite": 3_122_618,
    "adnet.lite": 3_188_410,
    "adnet.lite-base": 3_122_618,
    "adnet.lite-intra": 3_172_026,
    "adnet.lite-concat": 3_172_026,
    "adnet.lite-inter": 3_172_026,
    "f2net.lite": 3_315_919,
    "f2net.lite-base": 3_122_618,
    "f2net.lite-ad": 3_188_410,
    "f2net.lite-cgad": 3_344_191,
    "f2net.lite-cgad-sa": 3_311_807,
    "f2net.lite-cgad-ca": 3_315_535,
    "f2net.lite-cgad-sca": 3_315_919,
    "f2net.lite-cgad-csa-max": 3_315_919,
}
SINGLE = {"deeplabv3.lite", "adnet.lite-base", "adnet.lite-intra", "f2net.lite-base"}
"""Variants whose maps depend on no other frame."""
SMALL = {"side": "96"}


def recipe_of(name: str, **changes: str) -> Recipe:
    method, variant = load_method(name)
    assert method.recipe is not None
    return method.recipe(variant, changes)


def small(name: str, **changes: str) -> Recipe:
    return recipe_of(name, **{"side": "96", "first_side": "64", "first": "0.5", "frozen": "5", "batch": "2", **changes})


def follows(name: str) -> bool:
    """Whether a variant follows the object's centre from frame to frame."""
    return name == "f2net.lite" or "-cgad" in name


@torch.no_grad()
def shaken(name: str) -> nn.Module:
    """Random weights under which maps differ from pixel to pixel, and heads change the embedding."""
    torch.manual_seed(3)
    net = recipe_of(name, frozen="5").build()
    for part, layer in net.named_modules():
        if isinstance(layer, nn.Conv2d) and not part.startswith("encoder."):
            nn.init.kaiming_normal_(layer.weight)
    return net


@pytest.fixture
def weights(tmp_path: Path) -> Any:
    def make(name: str) -> Path:
        path = tmp_path / f"{name}.safetensors"
        write(path, shaken(name).state_dict(), {})
        return path

    return make


def load(name: str, **fields: Any) -> Any:
    method, variant = load_method(name)
    options = {**SMALL, **fields.pop("options", {})}
    return method.load(Setup(variant=variant, options=options, **fields))


@pytest.mark.parametrize("name", ["adnet", "deeplabv3", "f2net"])
def test_every_lite_variant_is_here(name: str) -> None:
    method: Method = importlib.import_module(f"vosbench.methods.{name}").method
    assert {f"{name}.{variant}" for variant in method.variants if variant.startswith("lite")} == {
        known for known in PARAMETERS if known.startswith(f"{name}.")
    }


# Networks


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_networks_are_small(name: str, parameters: int, tmp_path: Path) -> None:
    net = recipe_of(name).build()
    assert sum(x.numel() for x in net.parameters()) == parameters
    export(tmp_path / "half.safetensors", net.state_dict(), {}, half=True)
    assert (tmp_path / "half.safetensors").stat().st_size < 8_000_000


@torch.no_grad()
@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - SINGLE | {"adnet.lite-intra"}))
def test_heads_change_nothing_before_they_are_trained(name: str) -> None:
    """With the weights of the single-frame network, every variant segments like it."""
    net, base = recipe_of(name).build().eval(), shaken("deeplabv3.lite").eval()
    assert isinstance(net, LiteDeepLab)
    assert isinstance(base, LiteDeepLab)
    net.load_state_dict(base.state_dict(), strict=False)
    anchor, current = (net.embed(torch.randn(1, 3, 96, 96)) for _ in range(2))
    extra = (torch.ones(1, 1, 6, 6),) if isinstance(net, LiteF2Net) and net.guided else ()
    logits = net.segment(anchor, current, *extra)
    assert logits.shape == (1, 1, 24, 24)
    assert logits.std() > 0.1
    assert torch.equal(logits, base.segment(None, current))


@torch.no_grad()
def test_the_baselines_of_all_methods_are_one_network() -> None:
    nets = [recipe_of(name).build() for name in ("deeplabv3.lite", "adnet.lite-base", "f2net.lite-base")]
    first, *others = ({name: x.shape for name, x in net.state_dict().items()} for net in nets)
    assert all(each == first for each in others)


# Predictors


@pytest.mark.parametrize("name", PARAMETERS)
def test_predictors_keep_the_contract(name: str, weights: Any, tmp_path: Path) -> None:
    check_predictor(
        load(name, weights=weights(name)),
        sample_video(tmp_path / "video"),
        needs={"previous"} if follows(name) else set(),
    )


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_first_frame_matters_to_variants_with_an_anchor(name: str, weights: Any, clip: Video) -> None:
    predictor = load(name, weights=weights(name))
    other = replace(clip, frames=(clip.frames[4], *clip.frames[1:]))
    maps = [list(predictor.predict(video))[2] for video in (clip, other)]
    assert maps[0].std() > 0.01
    assert np.array_equal(*maps) == (name in SINGLE)


@pytest.mark.parametrize("flip", ["no", "yes"])
@pytest.mark.parametrize("name", ["deeplabv3.lite", "adnet.lite", "f2net.lite-ad", "f2net.lite"])
def test_batches_change_little(name: str, flip: str, weights: Any, clip: Video) -> None:
    path = weights(name)
    singly, together = (
        list(load(name, weights=path, batch=batch, options={"flip": flip}).predict(clip)) for batch in (1, 4)
    )
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(singly, together, strict=True))


@pytest.mark.parametrize("flip", ["no", "yes"])
@pytest.mark.parametrize("name", ["deeplabv3.lite", "adnet.lite", "f2net.lite-ad", "f2net.lite"])
def test_every_frame_is_encoded_once(name: str, flip: str, weights: Any, clip: Video) -> None:
    predictor = load(name, weights=weights(name), options={"flip": flip})
    encoder = predictor.network.encoder  # type: ignore[attr-defined]
    calls: list[int] = []
    handle = encoder.register_forward_hook(lambda *_: calls.append(1))
    maps = list(predictor.predict(clip))
    handle.remove()
    assert len(calls) == len(maps) == len(clip)


def test_an_object_is_followed_from_the_middle_of_a_batch(weights: Any, clip: Video) -> None:
    path = weights("f2net.lite")
    predictor = load("f2net.lite", weights=path, batch=4)
    frames, states = [], []
    for values in predictor.predict(clip):
        frames.append(values)
        states.append(predictor.state())  # type: ignore[attr-defined]
    again = load("f2net.lite", weights=path, batch=4)
    resumed = again.resume(clip, 2, states[1])  # type: ignore[attr-defined]
    assert all(np.array_equal(a, b) for a, b in zip(resumed, frames[2:], strict=True))


def mirrored(clip: Video) -> Video:
    folder = Path(clip.frames[0]).parent.with_name("mirrored")
    for path in clip.frames:
        write_png(folder / path.name, np.ascontiguousarray(read_frame(path)[:, ::-1]))
    return replace(clip, frames=tuple(folder / path.name for path in clip.frames))


@pytest.mark.parametrize("name", ["deeplabv3.lite", "adnet.lite", "f2net.lite-ad"])
def test_options_of_views_are_means_of_maps(name: str, weights: Any, clip: Video) -> None:
    path = weights(name)

    def maps(video: Video, **options: str) -> list[Any]:
        return list(load(name, weights=path, options={"refine": "off", **options}, batch=2).predict(video))

    upright = maps(clip)
    assert all(np.array_equal(a, b) for a, b in zip(maps(clip, scales="1", flip="no"), upright, strict=True))
    turned = [x[:, ::-1] for x in maps(mirrored(clip))]
    for mean, one, other in zip(maps(clip, flip="yes"), upright, turned, strict=True):
        assert np.abs(mean - (one + other) / 2).max() < 1e-4
        assert np.abs(one - other).max() > 1e-3  # padding is not symmetric
    for mean, one, other in zip(maps(clip, scales="1,0.5"), upright, maps(clip, side="48"), strict=True):
        assert np.abs(mean - (one + other) / 2).max() < 1e-6


def test_scales_and_mirrored_views(weights: Any, clip: Video) -> None:
    guided = {"scales": "1,0.5", "flip": "yes", "previous": "centre", "sigma": "9"}
    for name, options in (("adnet.lite", {"scales": "multi"}), ("f2net.lite", guided)):
        predictor = load(name, weights=weights(name), options=options)
        assert predictor.inputs == [(64, 64), (96, 96), (144, 144)] if name == "adnet.lite" else [(96, 96), (48, 48)]
        maps = list(predictor.predict(clip))
        for a, b in zip(maps, predictor.predict(mirrored(clip)), strict=True):
            assert np.abs(a - b[:, ::-1]).max() < 1e-3
    check_predictor(predictor, clip, needs={"previous"})


def test_views_follow_one_centre(weights: Any, clip: Video) -> None:
    path = weights("f2net.lite")
    plain, turned, both = (
        list(load("f2net.lite", weights=path, options={"flip": flip}).unrefined.follow(video))
        for flip, video in (("no", clip), ("no", mirrored(clip)), ("yes", clip))
    )
    first = (plain[0].heat + turned[0].heat[:, ::-1]) / 2  # before centres can differ
    assert np.abs(both[0].heat - first).max() < 1e-4
    assert np.abs(both[0].heat - plain[0].heat).max() > 1e-3
    assert all(a.heat.shape == b.heat.shape for a, b in zip(plain, both, strict=True))


@pytest.mark.parametrize("name", ["deeplabv3.lite", "adnet.lite-base", "f2net.lite"])
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("flip", "maybe", 'no flip "maybe"; available: yes, no'),
        ("scales", "big", 'no scales "big": it must be different numbers from 0.25 to 4'),
        ("scales", "0.1,1", "from 0.25 to 4"),
        ("scales", "1,1.0", "different numbers"),
        ("scales", "", "different numbers"),
        ("scales", "nan", "different numbers"),
    ],
)
def test_wrong_views(name: str, option: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        load(name, options={option: value})
    assert "\n" not in str(error.value)


def test_half_precision_weights_are_read(weights: Any, clip: Video, tmp_path: Path) -> None:
    path = weights("adnet.lite")
    export(tmp_path / "half.safetensors", load_file(path), {}, half=True)
    whole, half = (list(load("adnet.lite", weights=w).predict(clip)) for w in (path, tmp_path / "half.safetensors"))
    assert all(0 < np.abs(a - b).max() < 0.05 for a, b in zip(whole, half, strict=True))


# That of ONNX takes half a minute of processor time; tests of the tiny networks cover the form by default.
@pytest.mark.parametrize("form", [pytest.param("onnx", marks=pytest.mark.slow), "torchscript"])
@pytest.mark.parametrize("name", ["deeplabv3.lite", "adnet.lite"])
def test_exported_networks_give_the_same_maps(name: str, form: Any, weights: Any, clip: Video, tmp_path: Path) -> None:
    if form == "onnx":
        pytest.importorskip("onnxscript", reason="needs the extra onnx")
        pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    predictor = load(name, weights=weights(name))
    export_network(predictor, name, tmp_path / "net.file", form, {})
    again = load_method(form)[0].load(Setup(weights=tmp_path / "net.file"))
    for a, b in zip(predictor.predict(clip), again.predict(clip), strict=True):
        assert np.abs(a - b).max() <= 1e-4


def test_options_are_those_that_act() -> None:
    for name, side in (("deeplabv3", "320"), ("adnet", "320"), ("f2net", "320")):
        method, _ = load_method(name)
        options = resolve(name, method.options, {}, "lite")
        assert (options["side"], options["scales"], options["flip"]) == (side, "1", "no")
        assert "flip" not in resolve(name, method.options, {}, "tiny")
        assert "size" not in options
    adnet, _ = load_method("adnet")
    assert "side" not in resolve("adnet", adnet.options, {}, "ad")
    assert "anchor_align" not in resolve("adnet", adnet.options, {}, "lite-intra")
    assert load("f2net.lite").network.config.guide.sigma == 30
    with pytest.raises(UsageError, match="no option"):
        resolve("f2net", load_method("f2net")[0].options, {"sigma": "3"}, "lite-ad")


# Motion as a stage


@pytest.mark.parametrize("name", ["deeplabv3.lite", "adnet.lite", "f2net.lite"])
def test_motion_is_added_as_log_odds(name: str, weights: Any, tmp_path: Path) -> None:
    path, video = weights(name), sample_video(tmp_path / "frames")
    alone, moved = (load(name, weights=path, options={"refine": "off", "motion": way}) for way in ("off", "on"))
    moving = load_method("motion")[0].load(Setup(options={"pixels": "51360"}))
    for map_, fused, motion in zip(*(p.predict(video) for p in (alone, moved, moving)), strict=True):
        clipped = np.clip(map_.astype(np.float64), 1e-6, 1 - 1e-6)
        expected = np.log(clipped / (1 - clipped)) + 0.5 * np.log((motion + 0.02) / (1.02 - motion))
        np.testing.assert_allclose(fused, 1 / (1 + np.exp(-expected)), atol=1e-5)
    assert moved.inputs == alone.inputs
    check_predictor(moved, video, needs={"previous", "whole-video"})


def test_a_weight_of_motion_needs_motion(weights: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"motion_weight=0\.7 needs motion=on"):
        load("deeplabv3.lite", options={"motion_weight": "0.7"})
    with pytest.raises(UsageError, match="motion is added to maps"):
        load("adnet.lite", options={"motion": "on", "output": "mask"})
    with pytest.raises(UsageError, match='no option "motion"'):
        load_method("adnet")[0].load(Setup(variant="tiny", options={"motion": "on"}))
    path, video = weights("adnet.lite"), sample_video(tmp_path / "frames")
    strong, usual = (
        list(load("adnet.lite", weights=path, options={"motion": "on", **more}).predict(video))
        for more in ({"motion_weight": "3"}, {})
    )
    assert not np.array_equal(strong[1], usual[1])


@pytest.mark.parametrize("name", ["deeplabv3.lite", "adnet.lite", "f2net.lite"])
@pytest.mark.parametrize("more", [{}, {"motion": "on"}, {"flip": "yes"}])
def test_maps_are_refined_by_their_frames(name: str, more: dict[str, str], weights: Any, tmp_path: Path) -> None:
    path, video = weights(name), sample_video(tmp_path / "frames")
    plain, drawn = (load(name, weights=path, options={"refine": way, **more}) for way in ("off", "on"))
    maps = list(drawn.predict(video))
    for map_, before, frame in zip(maps, plain.predict(video), video.frames, strict=True):
        np.testing.assert_array_equal(map_, refined(before, read_frame(frame)))
    assert not np.array_equal(maps[0], next(iter(plain.predict(video))))
    np.testing.assert_array_equal(next(iter(load(name, weights=path, options=more).predict(video))), maps[0])
    assert drawn.inputs == plain.inputs
    assert isinstance(drawn, Embedder) == isinstance(plain, Embedder)
    if not more:
        check_predictor(drawn, video, needs=load_method(name)[0].needs)


def test_masks_are_not_refined() -> None:
    adnet, _ = load_method("adnet")
    assert resolve("adnet", adnet.options, {"output": "mask"}, "lite")["refine"] == "off"
    assert resolve("adnet", adnet.options, {"preset": "official"}, "lite")["refine"] == "off"
    assert "refine" not in resolve("adnet", adnet.options, {"output": "mask"}, "ad")
    with pytest.raises(UsageError, match="refine changes maps"):
        load("adnet.lite", options={"refine": "on", "output": "mask"})


# Recipes


def test_the_recipes_differ_only_in_what_pairs_need() -> None:
    rooms = Path(__file__).parents[2] / "methods"
    values = {
        name: yaml.safe_load((rooms / name / "recipe.yaml").read_text("utf-8"))["lite"]
        for name in ("deeplabv3", "adnet", "f2net")
    }
    single, pairs = values["deeplabv3"], values["adnet"]
    trained = {"steps", "horizon", "lr", "base", "frozen", "first_side", "first"}  # the single-frame network is
    assert {name for name in single if single[name] != pairs[name]} == trained | {"images"}
    assert pairs["frozen"] == len(LiteDeepLab().encoder._blocks)
    assert values["adnet"].items() <= values["f2net"].items()
    assert values["f2net"].keys() - values["adnet"].keys() == {"truth", "centre"}


def test_the_rate_is_a_cosine_down_to_its_floor() -> None:
    plan = recipe_of("deeplabv3.lite").plan
    assert plan.rate(0) == pytest.approx(1 / 20)
    assert plan.rate(plan.steps // 2) == pytest.approx(0.51, abs=1e-3)
    assert plan.rate(plan.steps) == pytest.approx(0.02)
    assert plan.rate(2 * plan.steps) == pytest.approx(0.02)
    assert (plan.optimiser, plan.lr, plan.weight_decay, plan.clip, plan.ema) == ("adamw", 2e-4, 1e-4, 5, 0.99)


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """Two videos of a moving disk, of which one is annotated from frame 1 on, and two stills."""

    def make(name: str, count: int, first: int = 0) -> Video:
        rng = np.random.default_rng(len(name))
        frames, masks = [], {}
        for t in range(count):
            picture, mask = rng.integers(0, 90, (48, 72, 3), dtype=np.uint8), np.zeros((48, 72), dtype=np.uint8)
            cv2.circle(mask, (18 + 8 * t, 20 + 3 * t), 9, 255, -1)
            picture[mask > 0] += 120
            frames.append(tmp_path / name / "frames" / f"{t:05d}.png")
            write_png(frames[-1], picture)
            if t >= first:
                masks[t] = tmp_path / name / "masks" / f"{t:05d}.png"
                write_png(masks[t], mask)
        return Video(name=name, frames=tuple(frames), annotations=masks)

    return Material(videos=(make("a", 5), make("bb", 5, first=1)), images=(make("c", 1), make("dd", 1)))


PLAIN = dict.fromkeys(("zoom_out", "mirror", "light", "grey", "blur", "noise", "jpeg", "distractor"), "0") | {
    "whole": "1"
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_examples(name: str, material: Material) -> None:
    recipe = small(name)
    anchored = name not in SINGLE
    for step, side in ((0, 64), (recipe.plan.steps - 1, 96)):
        cells = (1, side // 4, side // 4)
        expected: dict[str, tuple[int, ...]] = {"frame": (3, side, side), "mask": cells}
        if anchored:
            expected["anchor"] = (3, side, side)
        if name.startswith("f2net") and anchored:
            expected |= {"heat": cells, "previous": cells, "centre": (2,)}
        for seed in range(6):
            first, again = (recipe.example(material, step, np.random.default_rng(seed)) for _ in range(2))
            assert {key: x.shape for key, x in first.items()} == expected
            assert {x.dtype for x in first.values()} == {np.dtype(np.float32)}
            assert all(np.array_equal(first[key], again[key]) for key in first)
            assert -1 <= first["frame"].min() < first["frame"].max() <= 1
            assert 0 <= first["mask"].min() < first["mask"].max() <= 1


def test_masks_are_shares_and_frames_are_as_at_inference(material: Material) -> None:
    recipe = small("deeplabv3.lite", images="0", **PLAIN)
    video = material.videos[0]
    example = recipe.example(Material(videos=(video,)), recipe.plan.steps - 1, np.random.default_rng(0))
    view = load("deeplabv3.lite").unrefined.view
    pictures = {view.prepare(read_frame(path)).numpy().tobytes(): t for t, path in enumerate(video.frames)}
    shown = pictures[example["frame"].tobytes()]
    mask = cv2.imread(str(video.annotations[shown]), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    assert example["mask"].mean() == pytest.approx((mask > 0).mean(), rel=1e-3)
    assert len(np.unique(example["mask"])) > 2


def test_anchors_are_first_frames_and_stills_their_own(material: Material) -> None:
    view = load("deeplabv3.lite").unrefined.view
    recipe = small("adnet.lite", **PLAIN)
    firsts = {view.prepare(read_frame(video.frames[0])).numpy().tobytes() for video in material.videos}
    stills = {view.prepare(read_frame(video.frames[0])).numpy().tobytes() for video in material.images}
    seen = [recipe.example(material, recipe.plan.steps - 1, np.random.default_rng(seed)) for seed in range(60)]
    videos = [x for x in seen if x["frame"].tobytes() not in stills]
    assert {x["anchor"].tobytes() for x in videos} == firsts  # also of the video whose first frame has no mask
    assert 20 < len(videos) < 40  # half
    assert all(np.array_equal(x["anchor"], x["frame"]) for x in seen if x["frame"].tobytes() in stills)


def test_distractors_are_pasted_into_pairs_of_videos_alone(material: Material) -> None:
    changes = {**PLAIN, "distractor": "1"}
    differs = []
    for images in ("0", "1"):
        pair = [small("adnet.lite", images=images, **PLAIN), small("adnet.lite", images=images, **changes)]
        examples = [[recipe.example(material, 0, np.random.default_rng(seed)) for seed in range(8)] for recipe in pair]
        differs.append([not np.array_equal(a["anchor"], b["anchor"]) for a, b in zip(*examples, strict=True)])
    assert sum(differs[0]) > 4
    assert not any(differs[1])


def test_the_previous_map_is_empty_for_stills_and_first_masks(material: Material) -> None:
    stills = small("f2net.lite", images="1")
    assert not stills.example(material, 0, np.random.default_rng(0))["previous"].any()
    videos = small("f2net.lite", images="0", **PLAIN)
    maps = [videos.example(material, 0, np.random.default_rng(seed))["previous"] for seed in range(30)]
    assert 2 <= sum(not x.any() for x in maps) <= 14  # one of five, and one of four
    assert all(x.max() == 1 for x in maps if x.any())


def total(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def batch(recipe: Recipe, material: Material, step: int) -> dict[str, Tensor]:
    examples = [recipe.example(material, step, np.random.default_rng([step, i])) for i in range(2)]
    return {name: torch.from_numpy(np.stack([example[name] for example in examples])) for name in examples[0]}


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_is_trained_has_a_gradient_and_the_rest_is_frozen(name: str, material: Material) -> None:
    recipe = small(name)
    net = shaken(name).train()
    names = {id(x): each for each, x in net.named_parameters()}
    scales = {names[id(x)]: group["scale"] for group in recipe.groups(net) for x in group["params"]}
    grouped = set(scales)
    base = 10.0 if name == "deeplabv3.lite" else 0.5  # otherwise context and decoder are trained already
    known = {"encoder": 1.0, "context": base, "decoder": base}
    assert all(scale == known.get(each.partition(".")[0], 10.0) for each, scale in scales.items())
    data = batch(recipe, material, 0)
    losses = recipe.losses(net, {**data, "previous": data.get("heat", data["mask"])}, 0)  # stills have no previous one
    assert list(losses)[-3:] == ["mask", "overlap", "auxiliary"]
    total(losses).backward()  # type: ignore[no-untyped-call]
    assert {each for each, x in net.named_parameters() if x.grad is not None and x.grad.abs().sum() > 0} == grouped
    frozen = ("encoder._conv_stem", "encoder._bn0", *(f"encoder._blocks.{i}." for i in range(5)))
    assert {each for each in names.values() if each not in grouped} == {
        each for each in names.values() if each.startswith(frozen)
    }
    assert not any(layer.training for layer in net.get_submodule("encoder").modules())
    assert net.get_submodule("context").training


def test_the_auxiliary_loss_can_be_left_out(material: Material) -> None:
    recipe = small("deeplabv3.lite", auxiliary="0")
    net = recipe.build()
    names = {id(x): each for each, x in net.named_parameters()}
    grouped = {names[id(x)] for group in recipe.groups(net) for x in group["params"]}
    assert not any("auxiliary" in each for each in grouped)
    assert list(recipe.losses(net, batch(recipe, material, 0), 0)) == ["mask", "overlap"]


def test_the_prior_uses_the_true_centre_first(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    prior = LiteF2Net.prior
    monkeypatch.setattr(LiteF2Net, "prior", lambda self, x, *more: seen.append(x) or prior(self, x, *more))
    recipe = small("f2net.lite", steps="30")
    net, data = recipe.build().eval(), batch(recipe, material, 0)
    for step in (9, 10):
        recipe.losses(net, data, step)
    assert torch.equal(seen[0], data["centre"])
    assert not torch.equal(seen[1], data["centre"])


@pytest.mark.parametrize("name", ["deeplabv3.lite", "f2net.lite"])
def test_training_starts_from_an_encoder_and_resumes(name: str, material: Material, tmp_path: Path) -> None:
    encoder = tmp_path / "encoder.safetensors"
    about = {"training": "ImageNet (a package 1.0)", "encoder": {"licence": "Apache-2.0", "sha256": "1"}}
    write(encoder, shaken(name).get_submodule("encoder").state_dict(), about)
    recipe = small(name, steps="4", horizon="4", warmup="0")
    settings = Settings(name=name, data="disks", weights=Path(f"encoder={encoder}"), save_every=1, half=True)

    def stop(done: int, _losses: Mapping[str, float]) -> None:
        if done == 2:
            raise ZeroDivisionError

    whole = train(recipe, material, tmp_path / "whole", settings)
    with pytest.raises(ZeroDivisionError):
        train(recipe, material, tmp_path / "parts", settings, listener=Listener(step=stop))
    parts = train(recipe, material, tmp_path / "parts", settings)
    assert parts.last.read_bytes() == whole.last.read_bytes()
    card = weights_card(whole.last)
    assert card["training"] == "disks, from weights of ImageNet (a package 1.0)"
    assert card["encoder"] == about["encoder"]
    assert (card["plan decay"], card["plan floor"]) == ("cosine", 0.02)
    before, after = load_file(encoder), load_file(whole.last)
    frozen = "_blocks.4._project_conv.weight"
    assert torch.equal(after[f"encoder.{frozen}"], before[frozen].half())
    moved = "_blocks.14._project_conv.weight"
    assert not torch.equal(after[f"encoder.{moved}"], before[moved].half())
    again = Settings(name=name, data="disks", weights=whole.last)
    more = train(small(name, steps="1", horizon="1"), material, tmp_path / "more", again)
    assert weights_card(more.last)["encoder"] == about["encoder"]


def test_training_starts_from_the_single_frame_network(material: Material, tmp_path: Path) -> None:
    write(tmp_path / "w.safetensors", shaken("deeplabv3.lite").state_dict(), {"training": "disks"})
    start = Path(",".join(f"{part}={tmp_path / 'w.safetensors'}" for part in ("encoder", "context", "decoder")))
    notes: list[str] = []
    recipe = small("adnet.lite", steps="1", horizon="1")
    done = train(
        recipe, material, tmp_path / "out", Settings(data="disks", weights=start), None, Listener(note=notes.append)
    )
    count = len(load_file(tmp_path / "w.safetensors"))
    assert notes == [f'starts from {count} tensors of "{start}"']
    assert weights_card(done.last)["training"] == "disks, from weights of the same data"


def test_a_resnet_does_not_fit(material: Material, tmp_path: Path) -> None:
    torch.save({"layer1.0.conv1.weight": torch.ones(1)}, tmp_path / "resnet.pth")
    with pytest.raises(UsageError, match=f"--{BACKBONE}-weights needs a network with a ResNet"):
        train(small("adnet.lite"), material, tmp_path / "out", Settings(backbone=tmp_path / "resnet.pth"))
    weights = Path(f"encoder={tmp_path / 'resnet.pth'}")
    with pytest.raises(DataError, match="do not fit the part"):
        train(small("adnet.lite"), material, tmp_path / "out", Settings(weights=weights))
