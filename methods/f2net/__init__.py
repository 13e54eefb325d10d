"""F2Net: learning to focus on the foreground for unsupervised VOS; see `README.md`."""

from collections.abc import Mapping
from pathlib import Path

from vosbench.method import Method, Option, Predictor, Recipe, Setup
from vosbench.method.method import HEEDED
from vosbench.method.options import positive, stage_options, view_options, whole

TINY, LITE = (Path(__file__).with_name(f"{variant}.safetensors") for variant in ("tiny", "lite"))

VARIANTS = {
    "base": "DeepLabv3 alone: the current frame by itself",
    "ad": "+ anchor diffusion and intra-frame attention, concatenated",
    "cgad": "+ centre-guided attention, concatenated",
    "cgad-sa": "centre-guided attention, fused by spatial attention",
    "cgad-ca": "centre-guided attention, fused by channel attention",
    "cgad-sca": "centre-guided attention, fused by spatial, then channel attention",
    "cgad-csa": "the full model: fused by channel, then spatial attention (the default)",
    "cgad-csa-max": "`cgad-csa` with the highest peak as the centre, whatever the motion (Table 2)",
    "released": "the authors' code as it runs: channel attention, no guidance, all modules",
    "tiny": "`cgad-csa` with few and narrow layers, 177×177: seconds on a CPU",
    "tiny-base": "`base` with the layers of `tiny`",
    "tiny-ad": "`ad` with the layers of `tiny`",
    "tiny-cgad": "`cgad` with the layers of `tiny`",
    "tiny-cgad-sa": "`cgad-sa` with the layers of `tiny`",
    "tiny-cgad-ca": "`cgad-ca` with the layers of `tiny`",
    "tiny-cgad-sca": "`cgad-sca` with the layers of `tiny`",
    "tiny-cgad-csa-max": "`tiny` with the highest peak as the centre, whatever the motion",
    "lite": "`cgad-csa` on a small encoder with ImageNet weights, 320×320, for real video on a CPU",
    "lite-base": "`base` on the encoder of `lite`",
    "lite-ad": "`ad` on the encoder of `lite`",
    "lite-cgad": "`cgad` on the encoder of `lite`",
    "lite-cgad-sa": "`cgad-sa` on the encoder of `lite`",
    "lite-cgad-ca": "`cgad-ca` on the encoder of `lite`",
    "lite-cgad-sca": "`cgad-sca` on the encoder of `lite`",
    "lite-cgad-csa-max": "`lite` with the highest peak as the centre, whatever the motion",
}


def _of(kind: str, value: str) -> dict[str, str]:
    """A default of all variants of a kind."""
    return {name: value for name in VARIANTS if name.startswith(kind)}


UNGUIDED = dict.fromkeys(name for name in VARIANTS if name.endswith(("base", "-ad", "released")) or name == "ad")
"""Variants that follow no centre, and so have no options for it."""

OPTIONS = {
    "heatmaps": Option("", "a folder for the heat maps of the centre and a table of centres per video"),
    "side": Option(
        "473",
        "side of the square input, in pixels; 177 for tiny, 320 for lite",
        read=whole(33),
        variants={**_of("tiny", "177"), **_of("lite", "320")},
    ),
    **view_options(name for name in ("", *VARIANTS) if not name.startswith("lite")),
    "guidance": Option(
        "pre", "where the prior around the centre acts: before or after the softmax", ("pre", "post"), variants=UNGUIDED
    ),
    "sigma": Option(
        "15",
        "width of the prior, in pixels of the input; 6 for tiny, 30 for lite",
        read=positive,
        variants={**_of("tiny", "6"), **_of("lite", "30"), **UNGUIDED},
    ),
    "peaks": Option("5", "peaks of the heat map that may be the centre, K", read=whole(1), variants=UNGUIDED),
    "history": Option("10", "velocities to average, n", read=whole(1), variants=UNGUIDED),
    "distance": Option(
        "l1", "distance of a peak from the point that the motion leads to", ("l1", "l2"), variants=UNGUIDED
    ),
    "previous": Option(
        "mask",
        "the previous frame's Gauss map: from its predicted mask, from its centre, or zero",
        ("mask", "centre", "zero"),
        variants=UNGUIDED,
    ),
    **stage_options([name for name in ("", *VARIANTS) if not name.startswith("lite")]),
}


def load(setup: Setup) -> Predictor:
    """Make the predictor of a variant; see `vosbench.methods.f2net.predictor.load`."""
    from vosbench.methods.f2net import predictor

    return predictor.load(setup)


def make_recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant; see `vosbench.methods.f2net.recipe`."""
    from vosbench.methods.f2net.recipe import recipe

    return recipe(variant, changes)


method = Method(
    name="f2net",
    title="F2Net",
    paper="D. Liu, D. Yu, C. Wang, P. Zhou. F2Net: Learning to Focus on the Foreground for Unsupervised Video Object "
    "Segmentation. AAAI 2021",
    licence="MIT",
    load=load,
    variants=VARIANTS,
    weights={"tiny": TINY, "tiny-cgad-csa-max": TINY, "lite": LITE, "lite-cgad-csa-max": LITE},
    recipe=make_recipe,
    options=OPTIONS,
    heeds=HEEDED,
    needs={"previous"},
)
