"""Recipes: values, examples, gradients of the losses, and that networks learn."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.images import write_png
from vosbench.method import Example, Material, Recipe
from vosbench.method.nn.augment import read, turned
from vosbench.method.nn.recipes import SquarePlan, sample_box
from vosbench.methods.adnet import recipe as adnet
from vosbench.methods.deeplabv3 import recipe as deeplabv3
from vosbench.methods.f2net import recipe as f2net
from vosbench.methods.f2net.centre import splat_mask
from vosbench.methods.f2net.network import F2Net
from vosbench.registry import load_method

RECIPES = {"adnet": adnet.recipe, "deeplabv3": deeplabv3.recipe, "f2net": f2net.recipe}
FULL = [
    *(("adnet", name) for name in ("base", "intra", "concat", "inter", "ad")),
    *(("deeplabv3", name) for name in ("adnet", "f2net")),
    *(
        ("f2net", name)
        for name in ("base", "ad", "cgad", "cgad-sa", "cgad-ca", "cgad-sca", "cgad-csa", "cgad-csa-max", "released")
    ),
]
TINY = [
    *(("adnet", name) for name in ("tiny", "tiny-base", "tiny-intra", "tiny-concat", "tiny-inter")),
    ("deeplabv3", "tiny"),
    *(
        ("f2net", f"tiny{name}")
        for name in ("", "-base", "-ad", "-cgad", "-cgad-sa", "-cgad-ca", "-cgad-sca", "-cgad-csa-max")
    ),
]


def small(method: str, variant: str, **changes: str) -> Recipe:
    """A recipe whose examples are small squares."""
    shape = {"side": "65"} if method == "f2net" or variant == "f2net" else {"height": "65", "width": "65"}
    return RECIPES[method](variant, {**shape, **changes})


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """Two videos of a moving disk, and two images of one; each with its masks."""

    def write(name: str, count: int) -> Video:
        rng = np.random.default_rng(len(name))
        frames, masks = [], {}
        for t in range(count):
            picture = rng.integers(0, 90, (48, 72, 3), dtype=np.uint8)
            mask = np.zeros((48, 72), dtype=np.uint8)
            cv2.circle(mask, (18 + 8 * t, 20 + 3 * t), 9, 255, -1)
            picture[mask > 0] += 120
            frames.append(tmp_path / name / "frames" / f"{t:05d}.png")
            masks[t] = tmp_path / name / "masks" / f"{t:05d}.png"
            write_png(frames[-1], picture)
            write_png(masks[t], mask)
        return Video(name=name, frames=tuple(frames), annotations=masks)

    videos, images = (
        tuple(write(name, count) for name in names) for names, count in ((("a", "bb"), 5), (("c", "dd"), 1))
    )
    return Material(videos=videos, images=images)


def batch(recipe: Recipe, material: Material, step: int, size: int = 2) -> dict[str, Tensor]:
    examples = [recipe.example(material, step, np.random.default_rng([step, i])) for i in range(size)]
    return {name: torch.from_numpy(np.stack([example[name] for example in examples])) for name in examples[0]}


def total(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


@pytest.mark.parametrize("name", ["adnet", "deeplabv3", "f2net"])
def test_every_variant_has_a_recipe(name: str) -> None:
    method, _ = load_method(name)
    assert method.recipe is not None
    own = {variant for variant in method.variants if not variant.startswith("lite")}  # see test_lite.py
    assert {variant for method, variant in FULL + TINY if method == name} == own
    for variant in ("", *method.variants):
        assert method.recipe(variant, {}).plan.steps > 0


@pytest.mark.parametrize(("method", "variant"), [("adnet", name) for name in ("base", "intra", "ad")])
def test_adnet_has_the_values_of_the_paper(method: str, variant: str) -> None:
    plan = RECIPES[method](variant, {}).plan
    assert (plan.lr, plan.momentum, plan.weight_decay, plan.power) == (5e-3, 0.9, 5e-4, 0.9)
    assert (plan.steps, plan.horizon, plan.batch) == (30_000, 40_000, 8)
    assert plan.lr * plan.rate(30_000) == pytest.approx(1.44e-3, abs=1e-5)
    values = plan.model_dump()
    assert (values["height"], values["width"], values["upright"], values["mirror"]) == (481, 481, 0.51, 0)
    assert values["whole"] == values["recolour"] == values["auxiliary"] == 0


def test_f2net_has_the_values_of_the_paper_and_of_the_code() -> None:
    values = f2net.recipe("", {}).plan.model_dump()
    assert (values["lr"], values["batch"], values["side"], values["cycle"]) == (2.5e-4, 16, 473, 3)
    assert values["steps"] == values["horizon"] == 60 * (2079 // 16 + 1)
    assert values["truth"] * values["steps"] == pytest.approx(20 * 130)
    assert (values["heads"], values["auxiliary"], values["mask_loss"]) == (10, 0.1, "bce")


def test_baselines_are_trained_like_the_rows_of_the_tables() -> None:
    rooms = {name: Path(RECIPES[name].__code__.co_filename).with_name("recipe.yaml") for name in RECIPES}
    values = {name: yaml.safe_load(path.read_text("utf-8")) for name, path in rooms.items()}
    assert values["deeplabv3"]["adnet"] == values["adnet"]["full"]
    fewer = {"steps", "horizon"}  # AD-Net's small one starts from its baseline's ResNet
    assert values["deeplabv3"]["tiny"].keys() == values["adnet"]["tiny"].keys()
    assert all(values["adnet"]["tiny"][key] == x for key, x in values["deeplabv3"]["tiny"].items() if key not in fewer)
    assert values["deeplabv3"]["f2net"].items() <= values["f2net"]["full"].items()


def test_values_are_changed_by_name_and_as_text() -> None:
    changed = adnet.recipe("tiny", {"lr": "0.5", "steps": "3", "upright": "1"}).plan
    assert (changed.lr, changed.steps, changed.model_dump()["upright"]) == (0.5, 3, 1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": "1"}, '"f2net.tiny" has no hyper-parameter "rate"; available: steps, batch, lr'),
        ({"lr": "fast"}, '"lr" of "f2net.tiny" cannot be \'fast\': Input should be a valid number'),
        (
            {"mask_loss": "dice"},
            "\"mask_loss\" of \"f2net.tiny\" cannot be 'dice': Input should be 'bce' or 'official'",
        ),
        ({"side": "100"}, '"side" of "f2net.tiny" cannot be .100.: a side must be 8 n \\+ 1 pixels, such as 97'),
    ],
)
def test_invalid_changes_are_named(changes: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        f2net.recipe("tiny", changes)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_an_unknown_variant_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=f'there is no "{name}.large"'):
        RECIPES[name]("large", {})


@pytest.mark.parametrize(("method", "variant"), [("adnet", "tiny"), ("deeplabv3", "f2net"), ("f2net", "tiny")])
def test_examples_depend_only_on_their_seed(method: str, variant: str, material: Material) -> None:
    recipe = small(method, variant)
    for step in (0, 1):
        first, again, other = (recipe.example(material, step, np.random.default_rng(seed)) for seed in (5, 5, 6))
        assert all(np.array_equal(first[name], again[name]) for name in first)
        assert not all(np.array_equal(first[name], other[name]) for name in first)
        assert {name: (x.shape, x.dtype) for name, x in first.items()} == {
            name: (x.shape, np.dtype(np.float32)) for name, x in other.items()
        }


def still(tmp_path: Path) -> Material:
    """A video of identical frames, all foreground, so that every crop is the whole frame."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    write_png(tmp_path / "f.png", picture)
    write_png(tmp_path / "m.png", np.full((40, 40), 255, dtype=np.uint8))
    masks = dict.fromkeys(range(3), tmp_path / "m.png")
    return Material(videos=(Video(name="v", frames=(tmp_path / "f.png",) * 3, annotations=masks),))


def test_the_frames_of_a_pair_have_the_same_rotation_and_colours(tmp_path: Path) -> None:
    recipe, rotated = small("adnet", "tiny", upright="0", mirror="0.5", recolour="0.5"), 0
    for seed in range(20):
        example = recipe.example(still(tmp_path), 0, np.random.default_rng(seed))
        assert np.array_equal(example["anchor"], example["frame"])
        rotated += int((example["weight"] == 0).any())
    assert 5 <= rotated <= 17  # diagonals are four of seven


def test_pairs_without_crops_are_whole_frames(material: Material) -> None:
    video, look = material.videos[0], {"upright": "1", "mirror": "0", "recolour": "0"}
    whole, cropped = (small("adnet", "tiny", whole=chance, **look) for chance in ("1", "0"))
    anchor = turned(read(video, 0), (65, 65), 0).frame
    anchors = [
        [recipe.example(Material(videos=(video,)), 0, np.random.default_rng(seed))["anchor"] for seed in range(10)]
        for recipe in (whole, cropped)
    ]
    assert all(np.array_equal(anchor, x) for x in anchors[0])
    assert not any(np.array_equal(anchor, x) for x in anchors[1])


def test_the_anchor_is_the_first_frame_and_the_other_never_is(material: Material) -> None:
    recipe = small("adnet", "tiny", upright="1", mirror="0", recolour="0", whole="0")
    whole = Material(videos=(material.videos[0],))
    seen = set()
    for seed in range(40):
        example = recipe.example(whole, 0, np.random.default_rng(seed))
        assert example["mask"].sum() > 0
        seen.add(example["frame"].tobytes())
        assert not np.array_equal(example["anchor"], example["frame"])
    assert len(seen) > 30  # crops of frame and anchor are sampled independently


def test_still_images_are_sampled_as_often_as_set_and_are_their_own_anchors(material: Material) -> None:
    look = {"upright": "1", "mirror": "0", "recolour": "0", "whole": "1"}
    stills = {turned(read(image, 0), (65, 65), 0).frame.tobytes() for image in material.images}

    def sampled(chance: str, data: Material) -> list[bool]:
        recipe = small("adnet", "tiny", images=chance, **look)
        pairs = [recipe.example(data, 0, np.random.default_rng(seed)) for seed in range(40)]
        assert all(np.array_equal(x["anchor"], x["frame"]) for x in pairs if x["frame"].tobytes() in stills)
        return [x["frame"].tobytes() in stills for x in pairs]

    assert not any(sampled("0", material))
    assert 10 < sum(sampled("0.5", material)) < 30
    assert all(sampled("0.5", Material(images=material.images)))
    assert not any(sampled("0.5", Material(videos=material.videos)))


def test_every_third_step_uses_images_or_frames_if_there_are_none(material: Material) -> None:
    recipe = small("f2net", "tiny", recolour="0", mirror="0")
    names = [set(recipe.example(material, step, np.random.default_rng(0))) for step in range(6)]
    image, video = {"frame", "mask", "heat"}, {"frame", "mask", "heat", "anchor", "previous", "centre"}
    assert names == [image, video, video] * 2
    alone = Material(videos=material.videos)
    assert set(recipe.example(alone, 0, np.random.default_rng(0))) == image
    frames = {recipe.example(alone, 0, np.random.default_rng(seed))["frame"].tobytes() for seed in range(80)}
    assert len(frames) == 10  # images are not cropped, and all ten frames are sampled
    with pytest.raises(DataError, match="annotated videos"):
        recipe.example(Material(images=material.images), 1, np.random.default_rng(0))


def test_the_previous_map_is_that_of_the_previous_mask(material: Material) -> None:
    recipe = small("f2net", "tiny", crop="1", enclose="0", mirror="1", recolour="0")
    video = material.videos[0]
    maps = []
    for index in range(5):
        mask = cv2.imread(str(video.annotations[index]), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        square = cv2.resize(np.ascontiguousarray(mask[:, ::-1]), (65, 65), interpolation=cv2.INTER_NEAREST)
        target = splat_mask(square > 0, (17, 17))
        assert target is not None
        maps.append(target[0])
    seen = set()
    for seed in range(40):
        example = recipe.example(Material(videos=(video,)), 1, np.random.default_rng(seed))
        place = next(i for i in range(5) if np.array_equal(example["heat"][0], maps[i]))
        assert np.array_equal(example["previous"][0], maps[max(place - 1, 0)])
        seen.add(place)
    assert seen == set(range(5))


def test_an_enclosing_crop_keeps_the_object_in_every_frame_of_an_example(material: Material) -> None:
    shots = [read(material.videos[0], index) for index in (0, 2, 4)]
    plans = [cast("SquarePlan", small("f2net", "tiny", enclose=chance, crop="0.5").plan) for chance in ("1", "0")]
    kept = []
    for plan in plans:
        boxes = [sample_box(plan, shots, np.random.default_rng(seed)) for seed in range(20)]
        assert len(set(boxes)) > 10
        kept.append([box.cut(shot).mask.sum() == shot.mask.sum() for box in boxes for shot in shots])
    assert all(kept[0])
    assert not all(kept[1])


def reached(recipe: Recipe, net: nn.Module, material: Material) -> set[str]:
    """Names of the parameters with a gradient from the losses of two successive steps."""
    for step in (0, 1):
        total(recipe.losses(net, batch(recipe, material, step), step)).backward()  # type: ignore[no-untyped-call]
    return {name for name, x in net.named_parameters() if x.grad is not None and bool(x.grad.abs().sum() > 0)}


@pytest.mark.parametrize(("method", "variant"), [*TINY, ("adnet", "tiny-base+auxiliary")])
def test_every_parameter_in_a_group_has_a_gradient_and_no_other_needs_one(
    method: str, variant: str, material: Material
) -> None:
    variant, _, extra = variant.partition("+")
    recipe = small(method, variant, **({extra: "0.4"} if extra else {}))
    torch.manual_seed(0)
    net = recipe.build().train()
    for x in (x for group in recipe.groups(net) for x in group["params"]):
        if x.ndim == 4:  # weights of N(0, 0.01²) let hardly anything through so few layers
            nn.init.kaiming_normal_(x)
    named = {id(x): name for name, x in net.named_parameters()}
    grouped = [named[id(x)] for group in recipe.groups(net) for x in group["params"]]
    assert len(grouped) == len(set(grouped))
    trained = reached(recipe, net, material)
    assert not sorted(set(grouped) - trained)
    left = {name for name in named.values() if name not in grouped}
    allowed = (".downsample.1.", "features.dsn", "dsn.", "spatial_attention_conv")
    assert all(any(part in f".{name}" for part in allowed) for name in left)
    assert not any("dsn." in name for name in trained) or extra == "auxiliary"


@pytest.mark.parametrize(("method", "variant"), FULL)
def test_groups_of_full_size_networks(method: str, variant: str) -> None:
    recipe = RECIPES[method](variant, {})
    with torch.device("meta"):
        net = recipe.build()
    groups = recipe.groups(net)
    grouped = [id(x) for group in groups for x in group["params"]]
    assert len(grouped) == len(set(grouped)) > 200
    scales = {
        name.split(".")[0]: group.get("scale", 1)
        for group in groups
        for name, x in net.named_parameters()
        if any(x is y for y in group["params"])
    }
    heads = {name: scale for name, scale in scales.items() if name != "encoder"}
    if method == "f2net" and variant != "base":
        assert scales["encoder"] == 1
        assert set(heads.values()) == {10}
    else:
        assert set(scales.values()) == {1}


def test_the_soft_jaccard_loss_is_added_to_an_auxiliary_one(material: Material) -> None:
    recipe = small("adnet", "tiny-base", auxiliary="0.4", overlap="0.5")
    losses = recipe.losses(recipe.build(), batch(recipe, material, 0), 0)
    assert list(losses) == ["mask", "auxiliary", "overlap"]
    assert 0 < losses["overlap"].item() < 0.5


@pytest.mark.parametrize(
    ("variant", "step", "terms"),
    [
        ("tiny", 0, ["auxiliary", "overlap", "centre"]),
        ("tiny", 1, ["centre", "mask", "overlap"]),
        ("tiny-base", 0, ["mask", "overlap"]),
    ],
)
def test_the_soft_jaccard_loss_is_a_separate_term_in_f2net_too(
    variant: str, step: int, terms: list[str], material: Material
) -> None:
    losses = []
    for weight in ("0.5", "1.0", "0.0"):
        recipe = small("f2net", variant, overlap=weight, auxiliary="0.5")
        torch.manual_seed(0)
        losses.append(recipe.losses(recipe.build(), batch(recipe, material, step), step))
    half, whole, none = losses
    assert list(half) == list(whole) == terms
    assert half["overlap"].item() == pytest.approx(whole["overlap"].item() / 2)
    assert list(none) == [name for name in terms if name != "overlap"]


def test_anchors_and_frames_share_a_batch_and_gradients_flow_through_both(material: Material) -> None:
    recipe = small("adnet", "tiny")
    net = recipe.build().train()
    seen: list[Tensor] = []
    net.get_submodule("features").register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    data = batch(recipe, material, 0)
    data["anchor"].requires_grad_()
    total(recipe.losses(net, data, 0)).backward()  # type: ignore[no-untyped-call]
    assert [len(x) for x in seen] == [4]
    assert data["anchor"].grad is not None
    assert bool(data["anchor"].grad.abs().sum() > 0)


def test_pixels_outside_the_picture_do_not_matter(material: Material) -> None:
    recipe = small("adnet", "tiny", upright="0")
    net = recipe.build().eval()
    data = batch(recipe, material, 0, size=6)
    before = total(recipe.losses(net, data, 0))
    outside = data["weight"] == 0
    assert bool(outside.any())
    data["mask"] = torch.where(outside, 1 - data["mask"], data["mask"])
    assert torch.equal(before, total(recipe.losses(net, data, 0)))


@pytest.fixture
def centres(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Tensor]]:
    """The centres that F2Net's prior was placed around."""
    seen: list[Tensor] = []
    prior = F2Net.prior

    def spy(self: F2Net, points: Tensor, *others: Any) -> Tensor:
        seen.append(points)
        return prior(self, points, *others)

    monkeypatch.setattr(F2Net, "prior", spy)
    return iter([seen])


def test_the_prior_uses_the_true_centre_first_and_the_predicted_one_later(
    material: Material, centres: Iterator[list[Tensor]]
) -> None:
    recipe = small("f2net", "tiny", steps="30", truth="0.3333333333333333")
    seen, net = next(centres), recipe.build().eval()
    data = batch(recipe, material, 1)
    for step in (8, 11):
        recipe.losses(net, data, step)
    assert torch.equal(seen[0], data["centre"])
    assert not torch.equal(seen[1], data["centre"])
    assert not seen[1].requires_grad
    recipe.losses(net, batch(recipe, material, 0), 9)
    assert len(seen) == 2  # images have no prior


def test_the_official_loss_differs(material: Material) -> None:
    losses = []
    for kind in ("bce", "official"):
        recipe = small("f2net", "tiny", mask_loss=kind)
        torch.manual_seed(0)
        losses.append(recipe.losses(recipe.build().eval(), batch(recipe, material, 1), 1)["mask"].item())
    assert losses[1] > 2 * losses[0]


def learn(recipe: Recipe, examples: list[list[Example]], rate: float, steps: int) -> tuple[float, float]:
    """The sum of the losses of some fixed batches before and after steps of SGD on them."""
    torch.manual_seed(0)
    net = recipe.build().train()
    for layer in net.modules():
        if isinstance(layer, nn.Dropout2d):
            layer.p = 0.0
    groups = [{"params": g["params"], "lr": rate * g.get("scale", 1)} for g in recipe.groups(net)]
    optimiser = torch.optim.SGD(groups, lr=rate, momentum=0.9, weight_decay=recipe.plan.weight_decay)
    batches = [{name: torch.from_numpy(np.stack([e[name] for e in part])) for name in part[0]} for part in examples]
    sums = []
    for turn in range(steps + 1):
        value = 0.0
        for step, data in enumerate(batches):
            loss = total(recipe.losses(net, data, step))
            value += loss.item()
            if turn < steps:
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
        sums.append(value)
    return sums[0], sums[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "variant", "rate", "steps"),
    [("deeplabv3", "adnet", 0.01, 30), ("adnet", "ad", 0.01, 30), ("f2net", "cgad-csa", 0.0005, 25)],
)
def test_full_size_networks_learn_a_few_frames_of_a_real_sequence(
    method: str, variant: str, rate: float, steps: int, real_data: Path
) -> None:
    folders = [real_data / "DAVIS" / room / "480p" / "car-shadow" for room in ("JPEGImages", "Annotations")]
    frames, masks = (sorted(folder.iterdir())[:30:10] for folder in folders)
    video = Video(name="car-shadow", frames=tuple(frames), annotations=dict(enumerate(masks)))
    recipe = small(method, variant, **({} if method == "f2net" else {"upright": "1"}))
    rngs = [np.random.default_rng(seed) for seed in range(2)]
    kinds = 2 if method == "f2net" else 1  # an image step and a video step
    examples = [[recipe.example(Material(videos=(video,)), step, rng) for rng in rngs] for step in range(kinds)]
    first, last = learn(recipe, examples, rate, steps)
    assert last < first / 10
