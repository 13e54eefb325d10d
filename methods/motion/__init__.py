"""Motion: a baseline without weights, for what needs no learning."""

from collections.abc import Collection

from vosbench.method import Method, Option, Predictor, Setup
from vosbench.method.options import positive, whole

OPTIONS = {
    "pixels": Option("102720", "about how many pixels flow is estimated at", read=whole(1024)),
    "preset": Option("medium", "of DIS flow: medium (at full size) or fast", ("medium", "fast")),
}

WEIGHT, PIXELS = "0.5", "51360"
"""Of motion as a stage of a lite network: the weight of its log odds, and the size; chosen as its card tells."""


def stage_options(without: Collection[str]) -> dict[str, Option]:
    """The options of a method that can add motion to its maps; see `vosbench.methods.motion.stage`.

    Args:
        without: its variants that cannot, ``""`` among them if the default one cannot.
    """
    none = dict.fromkeys(without)
    return {
        "motion": Option(
            "off",
            "adds the log odds of method `motion`, which reads the whole video first, to the map's",
            ("off", "on"),
            variants=none,
        ),
        "motion_weight": Option(WEIGHT, "weight of those log odds, with motion=on", read=positive, variants=none),
    }


def load(setup: Setup) -> Predictor:
    """Make the predictor; see `vosbench.methods.motion.predictor.load`."""
    from vosbench.methods.motion import predictor

    return predictor.load(setup)


method = Method(
    name="motion",
    title="Motion",
    paper="none: a baseline of known steps, after A. Papazoglou and V. Ferrari. Fast Object Segmentation in "
    "Unconstrained Video. ICCV 2013",
    licence="MIT",
    load=load,
    options=OPTIONS,
    needs={"previous", "whole-video"},
    needs_weights=False,
)
