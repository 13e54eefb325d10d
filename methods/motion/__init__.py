"""Motion: a baseline without weights, for what needs no learning."""

from vosbench.method import Method, Option, Predictor, Setup
from vosbench.method.options import whole

OPTIONS = {
    "pixels": Option("102720", "about how many pixels flow is estimated at", read=whole(1024)),
    "preset": Option("medium", "of DIS flow: medium (at full size) or fast", ("medium", "fast")),
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
