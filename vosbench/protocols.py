"""Protocols that several datasets share: saliency measures under the conventions of the field.

See `vosbench.metrics.saliency.conventions` for what each convention is. As in DAVSOD's toolbox and AD-Net's script,
the first and the last annotated frame do not count, and a map of another size is resized to the annotation.
"""

from vosbench.protocol import SALIENCY_MEASURES, DatasetProtocol

_POOLED, _RATES = ("MAE", "maxF", "meanF"), ("MAE", "maxF", "meanF", "adpF", "S", "adpE")

SALIENCY = tuple(
    DatasetProtocol(name=name, measures=measures, frames="annotated-inner", resize="prediction", saliency=convention)
    for name, convention, measures in (
        ("vsod-davsod", "davsod", SALIENCY_MEASURES),
        ("vsod-pysod", "pysod", SALIENCY_MEASURES),
        ("vsod-f-of-mean-pr", "f-of-mean-pr", _RATES),
        ("adnet-saliency", "adnet", _POOLED),
    )
)

# Still images, each a video of one frame: all of them count.
IMAGES = DatasetProtocol(name="image-saliency", measures=("J", *SALIENCY_MEASURES), saliency="davsod")
