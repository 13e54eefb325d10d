"""The conventions under which the field measures saliency: named, frozen, and part of every number.

Conventions:
    Depending on the convention, the same maps have a maximum F from 0.66 to 0.73, so every number is printed with
    the signature of its convention. The codec says which pixels of a label file are the object, the protocol which
    frames count; everything else is defined here.

    ``davsod``: DAVSOD's evaluation toolbox, with E and weighted F as in FSNet's. Sources: Fan et al., "Shifting
    More Attention to Video Salient Object Detection", CVPR 2019; Ji et al., ICCV 2021. FSNet's script prepends a 0
    to a video's adaptive E, which lowers it by 1 / (n + 1); that is not reproduced. Neither is the toolbox's inexact
    ladder of thresholds; see below.
    ``pysod``: PySODMetrics; all frames have equal weight.
    ``adnet``: AD-Net's script (Yang et al., "Anchor Diffusion for Unsupervised Video Object Segmentation",
    ICCV 2019): all pixels of all videos are pooled, β² = 1. F is 0 where the script gives NaN because the highest
    score is a false positive.
    ``f-of-mean-pr``: F of the mean precision and the mean recall, as in AMC-Net's script; its S, and E at the adaptive
    threshold, are as here without the script's own ε, and its shared bin of the two highest levels is not reproduced.

    ``slt-net``: SLT-Net's script for MoCA-Mask (Cheng et al., "Implicit Motion Handling for Video Camouflaged Object
    Detection", CVPR 2022): as ``davsod``, but E compares with ``>=``, and with Dice and IoU, whose mean and maximum are
    over the 256 thresholds of the averaged curve; neither is at a threshold of one half.

    Thresholds of ``davsod`` are exactly k / 255. DAVSOD's toolbox compares s = level / 255 to the ladder ``1:-1/255:0``
    in double precision. Where a rung is above k / 255 by a rounding error, the pixels of level k do not pass it, and
    the F of that rung is the next one's. Which rungs these are depends on the program: Octave computes 1 − i · (1 /
    255), and 104 of the 256 rungs are not k / 255, 66 of them above; Matlab, as its maker describes it, builds the
    ladder from both ends, which makes 36 and 14. Published numbers do not say which was used, so neither ladder is
    reproduced. Masks of two levels have the same scores under all three. On DAVIS *blackswan*, with the annotations
    blurred by a Gaussian of σ = 5 pixels as maps, meanF is 0.92609 here, +3.8e-4 with Octave's ladder and −6.6e-5 with
    Matlab's; +9.4e-5 has been reported for other maps of it. maxF of these maps does not change.

    Perfect masks do not have a meanF of 1, since every pixel passes the lowest threshold, s ≥ 0. If the object covers
    the share p of the frame, F is (1 + β²)p / (β²p + 1) there and 1 at the 255 others. On *blackswan* that is 0.9966;
    it is above 255 / 256 for every p. meanE of perfect masks is 0.9971 for the same reason: at one threshold, all
    pixels are selected, or with ``>`` none, and E is 1 / 4. maxF and maxE are not limited.
"""

from dataclasses import dataclass
from typing import Literal

from vosbench.errors import MeasureError, UsageError
from vosbench.metrics.measures import DICE, SALIENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How saliency maps are measured and averaged.

    Attributes:
        name: as selected in a protocol and printed with every number.
        measures: the measures of `MAPS` in `vosbench.metrics.measures` that the convention defines.
        beta2: β², the weight of precision in F; weighted F always has β² = 1.
        normalise: ``"minmax"`` stretches each map to [0, 1] unless it is constant; ``"none"`` keeps maps unchanged.
        average: ``"video"`` is curve of a frame → mean of a video → mean of the dataset → maximum over thresholds;
            ``"frame"`` is curve of a frame → mean of all frames → maximum; ``"rates"`` averages precision and recall
            like ``"frame"`` and computes F from their means; ``"pixels"`` pools all pixels of all videos.
        alignment: how a map is compared to a threshold for E; for F it is always ``">="``.
        centroid: how S rounds half a pixel: ``"half-up"`` (Matlab) or ``"half-even"`` (NumPy).
        comparison: ``"exact"`` compares a stretched map to k / 255 in integers; ``"double"`` truncates 255·s in
            double precision, which can lose a level if a map's range is not 0…255.
    """

    name: str
    measures: tuple[str, ...] = SALIENCY
    beta2: float = 0.3
    normalise: Literal["minmax", "none"] = "minmax"
    average: Literal["video", "frame", "rates", "pixels"] = "video"
    alignment: Literal[">=", ">"] = ">="
    centroid: Literal["half-up", "half-even"] = "half-up"
    comparison: Literal["exact", "double"] = "exact"

    def check(self, names: tuple[str, ...]) -> None:
        """Check that the convention defines all of these measures.

        Raises:
            MeasureError: if it does not; the message lists those it defines.
        """
        for name in names:
            if name not in self.measures:
                raise MeasureError(
                    f'convention "{self.name}" does not define "{name}"; it has {", ".join(self.measures)}'
                )

    def signature(self) -> str:
        """The part of a protocol's signature that states how saliency was measured.

        >>> convention("adnet").signature()
        'saliency:adnet|β²:1|normalise:none|average:pixels'
        """
        parts = [f"saliency:{self.name}", f"β²:{self.beta2:g}", f"normalise:{self.normalise}"]
        return "|".join([*parts, f"average:{self.average}"])


CONVENTIONS = {
    convention.name: convention
    for convention in (
        Convention(name="davsod", alignment=">"),
        Convention(name="slt-net", measures=(*SALIENCY, *DICE)),
        Convention(name="pysod", average="frame", centroid="half-even", comparison="double"),
        Convention(name="adnet", measures=("MAE", "maxF", "meanF"), beta2=1.0, normalise="none", average="pixels"),
        Convention(
            name="f-of-mean-pr",
            measures=("MAE", "maxF", "meanF", "adpF", "S", "adpE"),
            normalise="none",
            average="rates",
        ),
    )
}


def convention(name: str) -> Convention:
    """Look up a convention by name.

    Raises:
        UsageError: if it does not exist; the message lists all names.

    >>> convention("davsod").average
    'video'
    """
    if name not in CONVENTIONS:
        raise UsageError(f'there is no saliency convention "{name}"; available: {", ".join(CONVENTIONS)}')
    return CONVENTIONS[name]
