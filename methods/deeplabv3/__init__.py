"""The two DeepLabv3 networks that AD-Net and F2Net start from.

They are the *Baseline* rows of the two papers' ablation tables, and differ from each other; see `README.md`.
"""

from collections.abc import Mapping
from pathlib import Path

from vosbench.method import Method, Option, Predictor, Recipe, Setup
from vosbench.method.method import HEEDED
from vosbench.method.options import aligned_size, stage_options, view_options, whole

TINY, LITE = (Path(__file__).with_name(f"{variant}.safetensors") for variant in ("tiny", "lite"))

VARIANTS = {
    "adnet": "baseline of AD-Net: deep stem, multi-grid, rates 12/24/36, 857×481 (the default)",
    "f2net": "baseline of F2Net: 7×7 stem, stride on the 1×1, rates 6/12/18, 473×473",
    "tiny": "the network of `adnet` with few and narrow layers, 241×137: seconds on a CPU",
    "lite": "baseline of the lite variants: a small encoder with ImageNet weights, 320×320, for real video on a CPU",
}


OPTIONS = {
    "size": Option(
        "857x481",
        "size of the input of `adnet` and `tiny`, each side 8 n + 1 pixels; 241x137 for tiny",
        read=aligned_size,
        variants={"tiny": "241x137", "f2net": None, "lite": None},
    ),
    "side": Option(
        "473",
        "side of the square input of `f2net` and `lite`, in pixels; 320 for lite",
        read=whole(33),
        variants={**dict.fromkeys(("", "adnet", "tiny")), "lite": "320"},
    ),
    **view_options(("", "adnet", "f2net", "tiny")),
    **stage_options(("", "adnet", "f2net", "tiny")),
}


def load(setup: Setup) -> Predictor:
    """Make the predictor of a variant; see `vosbench.methods.deeplabv3.predictor.load`."""
    from vosbench.methods.deeplabv3 import predictor

    return predictor.load(setup)


def make_recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant; see `vosbench.methods.deeplabv3.recipe`."""
    from vosbench.methods.deeplabv3.recipe import recipe

    return recipe(variant, changes)


method = Method(
    name="deeplabv3",
    title="DeepLabv3",
    paper="L.-C. Chen, G. Papandreou, F. Schroff, H. Adam. Rethinking Atrous Convolution for Semantic Image "
    "Segmentation. arXiv:1706.05587, 2017",
    licence="MIT",
    load=load,
    variants=VARIANTS,
    weights={"tiny": TINY, "lite": LITE},
    options=OPTIONS,
    heeds=HEEDED,
    recipe=make_recipe,
)
