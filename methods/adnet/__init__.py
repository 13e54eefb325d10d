"""AD-Net: anchor diffusion for unsupervised video object segmentation; see `README.md`."""

from collections.abc import Mapping
from pathlib import Path

from vosbench.method import Method, Option, Predictor, Recipe, Setup
from vosbench.method.method import HEEDED
from vosbench.method.options import SCALES, aligned_size, scales, stage_options, view_options, whole

TINY, LITE = (Path(__file__).with_name(f"{variant}.safetensors") for variant in ("tiny", "lite"))

VARIANTS = {
    "base": "DeepLabv3 alone: the current frame by itself",
    "intra": "+ intra-frame attention",
    "concat": "+ the anchor's embedding next to the current one",
    "inter": "+ anchor diffusion: attention between the anchor and the current frame",
    "ad": "the full model, anchor diffusion and intra-frame attention (the default)",
    "tiny": "`ad` with few and narrow layers, 241×137: seconds on a CPU",
    "tiny-base": "`base` with the layers of `tiny`",
    "tiny-intra": "`intra` with the layers of `tiny`",
    "tiny-concat": "`concat` with the layers of `tiny`",
    "tiny-inter": "`inter` with the layers of `tiny`",
    "lite": "`ad` on a small encoder with ImageNet weights, 320×320, for real video on a CPU",
    "lite-base": "`base` on the encoder of `lite`",
    "lite-intra": "`intra` on the encoder of `lite`",
    "lite-concat": "`concat` on the encoder of `lite`",
    "lite-inter": "`inter` on the encoder of `lite`",
}

LITES = tuple(name for name in VARIANTS if name.startswith("lite"))
WITHOUT_LITE = tuple(name for name in ("", *VARIANTS) if name not in LITES)
WITHOUT_DIFFUSION = tuple(name for name in VARIANTS if name.endswith(("base", "intra", "concat")))


def _scales(text: str) -> str:
    """Read the scales: words, or numbers as of `vosbench.method.options.scales`."""
    try:
        return "1" if text == "single" else text if text == "multi" else scales(text)
    except ValueError as error:
        raise ValueError(f"{error}; single, 1 alone; or multi, 0.75,1,1.5") from None


OPTIONS = {
    "scales": Option(
        "single",
        "one scale; or multi, three and mirrored (six views); or numbers such as 0.75,1,1.25",
        read=_scales,
        variants=dict.fromkeys(LITES, SCALES),
        implies={"multi": {"flip": "yes"}},
    ),
    "flip": view_options(WITHOUT_LITE)["flip"],
    "preset": Option(
        "paper",
        "mean of probabilities, mask above 0.5; or as released: mean of logits, mask above logit 0.5 (probability "
        "0.6225), gated",
        ("paper", "official"),
        implies={"official": {"output": "mask", "refine": "off"}},
    ),
    "output": Option(
        "map",
        "the soft map, or the mask (0 and 1) after pruning and gating; mask for official",
        ("map", "mask"),
        implies={"mask": {"refine": "off"}},
    ),
    "gating": Option(
        "preset",
        "gating of each mask by the previous one; by preset: off for paper, on for official",
        ("preset", "on", "off"),
    ),
    "prune": Option(
        "", "detections for instance pruning of masks: a .json file or a folder of <video>.pkl files", path=True
    ),
    "size": Option(
        "857x481",
        "size of the network's input at scale 1, each side 8 n + 1 pixels; 241x137 for tiny",
        read=aligned_size,
        variants={**{name: "241x137" for name in VARIANTS if name.startswith("tiny")}, **dict.fromkeys(LITES)},
    ),
    "side": Option(
        "320",
        "side of the square input of `lite`, in pixels",
        read=whole(33),
        variants=dict.fromkeys(WITHOUT_LITE),
    ),
    "anchor_align": Option(
        "anchor",
        "whose positions the diffused embeddings have: the anchor's (eq. 1 and 2) or the current frame's",
        ("anchor", "current"),
        variants=dict.fromkeys(WITHOUT_DIFFUSION),
    ),
    **stage_options(WITHOUT_LITE),
}


def load(setup: Setup) -> Predictor:
    """Make the predictor of a variant; see `vosbench.methods.adnet.predictor.load`."""
    from vosbench.methods.adnet import predictor

    return predictor.load(setup)


def make_recipe(variant: str, changes: Mapping[str, str]) -> Recipe:
    """Make the recipe of a variant; see `vosbench.methods.adnet.recipe`."""
    from vosbench.methods.adnet.recipe import recipe

    return recipe(variant, changes)


method = Method(
    name="adnet",
    title="AD-Net",
    paper="Z. Yang, Q. Wang, L. Bertinetto, W. Hu, S. Bai, P. H. S. Torr. Anchor Diffusion for Unsupervised Video "
    "Object Segmentation. ICCV 2019",
    licence="MIT",
    load=load,
    variants=VARIANTS,
    weights={"tiny": TINY, "lite": LITE},
    options=OPTIONS,
    heeds=HEEDED,
    needs={"previous"},  # with gating=on
    recipe=make_recipe,
)
