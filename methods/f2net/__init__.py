"""F2Net: learning to focus on the foreground for unsupervised VOS; see `README.md`."""

from collections.abc import Mapping
from pathlib import Path

from vosbench.method import Method, Option, Predictor, Recipe, Setup

TINY = Path(__file__).with_name("tiny.safetensors")

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
}

OPTIONS = {
    "heatmaps": Option("", "a folder for the heat maps of the centre and a table of centres per video"),
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
    weights={"tiny": TINY, "tiny-cgad-csa-max": TINY},
    recipe=make_recipe,
    options=OPTIONS,
)
