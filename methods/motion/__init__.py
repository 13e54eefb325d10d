"""Motion: a baseline without weights, for what needs no learning."""

from vosbench.method import Method, Option, Predictor, Setup
from vosbench.method.options import resolve, whole

OPTIONS = {
    "pixels": Option("102720", "about how many pixels flow is estimated at", read=whole(1024)),
    "preset": Option("medium", "of DIS flow: medium (at full size) or fast", ("medium", "fast")),
}


def load(setup: Setup) -> Predictor:
    """Make the predictor, `vosbench.method.motion.predictor.Motion`."""
    from vosbench.method.motion.predictor import Motion

    options = resolve("motion", OPTIONS, setup.options, setup.variant)
    return Motion(int(options["pixels"]), options["preset"])


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
