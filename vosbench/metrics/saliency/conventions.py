"""The conventions under which the field takes saliency measures: named, frozen, and part of every number.

Conventions:
    The same maps score a maximum F of 0.66 to 0.73 by which of these is taken, so a number is printed with its
    convention's signature. Which pixels of a label file are the object is the codec's business, which frames
    count is the protocol's; everything else is here.

    ``davsod``: DAVSOD's evaluation toolbox, with E and weighted F as in FSNet's. Sources: Fan et al., "Shifting
    More Attention to Video Salient Object Detection", CVPR 2019; Ji et al., ICCV 2021. FSNet's script prepends a 0
    to a video's adaptive E, which lowers it by 1 / (n + 1); that is not reproduced.
    ``pysod``: PySODMetrics, every frame alike.
    ``adnet``: AD-Net's script (Yang et al., "Anchor Diffusion for Unsupervised Video Object Segmentation",
    ICCV 2019): all pixels of all videos in one pool, β² = 1. Its NaN, where the top score is a false positive, is
    F = 0 here.
    ``f-of-mean-pr``: F of the mean precision and the mean recall, as in AMC-Net's script; its S, and E at the adaptive
    threshold, are as here without the script's own ε, and its shared bin of the two highest levels is not reproduced.
"""

from dataclasses import dataclass
from typing import Literal

from vosbench.errors import MeasureError, UsageError
from vosbench.metrics.measures import SALIENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How saliency maps are measured and averaged.

    Attributes:
        name: as typed and as printed beside every number.
        measures: the measures that the convention defines, of `SALIENCY`.
        beta2: β², the weight of precision in F; weighted F has β² = 1 always.
        normalise: ``"minmax"`` stretches each map to [0, 1], but leaves a constant one as it is; ``"none"``.
        average: ``"video"`` is curve of a frame → mean of a video → mean of the dataset → maximum over thresholds;
            ``"frame"`` is curve of a frame → mean of all frames → maximum; ``"rates"`` is as ``"frame"`` for
            precision and recall, and F is of their means; ``"pixels"`` counts all pixels of all videos as one.
        alignment: how a map is compared with a threshold for E; for F it is always ``">="``.
        centroid: how S rounds half a pixel: ``"half-up"`` (Matlab) or ``"half-even"`` (NumPy).
        comparison: ``"exact"`` compares a stretched map with k / 255 in integers; ``"double"`` truncates 255·s in
            double precision, which can lose a level where a map's range is not 0…255.
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
        """Refuse measures that the convention does not define.

        Raises:
            MeasureError: with the names that it does.
        """
        for name in names:
            if name not in self.measures:
                raise MeasureError(
                    f'convention "{self.name}" does not define "{name}"; it has {", ".join(self.measures)}'
                )

    def signature(self) -> str:
        """The part of a protocol's signature that tells how saliency was measured.

        >>> convention("adnet").signature()
        'saliency:adnet|β²:1|normalise:none|average:pixels'
        """
        parts = [f"saliency:{self.name}", f"β²:{self.beta2:g}", f"normalise:{self.normalise}"]
        return "|".join([*parts, f"average:{self.average}"])


CONVENTIONS = {
    each.name: each
    for each in (
        Convention(name="davsod", alignment=">"),
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
    """Look a convention up.

    Raises:
        UsageError: with the names there are.

    >>> convention("davsod").average
    'video'
    """
    if name not in CONVENTIONS:
        raise UsageError(f'no saliency convention "{name}"; there are {", ".join(CONVENTIONS)}')
    return CONVENTIONS[name]
