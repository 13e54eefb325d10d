"""Protocols in words, for the pages of datasets."""

from collections.abc import Sequence
from dataclasses import dataclass

import vosbench
from vosbench.dataset import DatasetProtocol
from vosbench.dataset.protocol import HALF
from vosbench.metrics.measures import DICE
from vosbench.report.protocols import CHOICES, NEEDS, in_words, otherwise
from vosbench.report.site.keys import shown

_STATISTICS = "of each video mean, recall (share of frames above 0.5) and decay (first quarter minus last)"
MEASURES = {
    "J": f"region similarity, |M ∩ G| / |M ∪ G| of mask M and annotation G; {_STATISTICS}",
    "F": "contour accuracy, 2PR / (P + R) of the precision P and recall R of contours within the tolerance; "
    f"{_STATISTICS}",
    "T": "temporal instability, the cost of matching the contours of consecutive masks, over videos without heavy "
    "occlusion; “T all” over all of them; less is better",
    "OB": "regions matched one to one to annotated regions of the video (Ochs–Brox): precision, recall, F, and the "
    "number of objects with F above 0.75",
    "box": "boxes around masks: mean overlap and success rates",
    "MAE": "mean absolute error between soft map and annotation, less is better",
    "maxF": "F of a soft map at the best of 256 thresholds",
    "meanF": "F of a soft map, mean over 256 thresholds",
    "adpF": "F at twice the mean of the map",
    "S": "structure measure: agreement of objects and regions",
    "maxE": "enhanced alignment at the best of 256 thresholds",
    "meanE": "enhanced alignment, mean over 256 thresholds",
    "adpE": "enhanced alignment at twice the mean of the map",
    "wF": "weighted F: errors weighted by their place",
}
"""Symbol of a measure → what it is."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A protocol in words.

    Attributes:
        name: with its version.
        about: in a line; may be empty.
        signature: without the version of vosbench.
        apart: what it does otherwise than the dataset's first protocol; empty for that one.
        choices: what is chosen, and what for.
        measures: symbols with what they are.
    """

    name: str
    about: str
    signature: str
    apart: str
    choices: Sequence[tuple[str, str]]
    measures: Sequence[tuple[str, str]]


def explain(protocol: DatasetProtocol, usual: DatasetProtocol | None) -> Explained:
    """Put a protocol into words.

    Args:
        protocol: the protocol.
        usual: the dataset's first one, if that is another.
    """
    usual_values = {"maps_above": HALF, "annotations_above": None, "saliency": None, "junctions": "gcc4"}
    choices = []
    for name, label in CHOICES.items():
        concerned = name not in NEEDS or set(NEEDS[name]) & {*protocol.measures}
        if concerned and (name not in usual_values or getattr(protocol, name) != usual_values[name]):
            choices.append(
                (
                    label.rstrip(",").capitalize() if label[:2] not in {"F ", "T "} else label.rstrip(","),
                    in_words(name, protocol),
                )
            )
    measures = [(name, MEASURES[name]) for name in protocol.measures if name in MEASURES]
    measures += [(name, "overlap of soft maps at 256 thresholds") for name in protocol.measures if name in DICE]
    measures += [(family.name, shown(family.conventions)) for family in protocol.families]
    return Explained(
        name=f"{protocol.name}@{protocol.version}",
        about=shown(protocol.about),
        signature=protocol.signature(vosbench.__version__).rpartition("|vosbench ")[0],
        apart=otherwise(protocol, usual) if usual is not None else "",
        choices=choices,
        measures=measures,
    )
