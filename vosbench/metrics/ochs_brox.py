"""The region F-measure of motion segmentation: how well clusters of pixels separate the regions of a shot.

Conventions:
    Pixels are counted over all labelled frames of a shot. Regions are the visible regions of the ground truth,
    including the background; clusters are those of the prediction, none of which is marked as background. For region
    g and cluster c, P = |c ∩ g| / |c|, R = |c ∩ g| / |g|, F = 2PR / (P + R), where |c| and |g| count pixels that
    have a cluster. Regions and clusters are paired one to one to maximise the sum of F. A region left without a
    cluster has P = 1 and R = 0; one paired with a cluster that it does not overlap has P = R = 0; unpaired clusters
    are ignored. For a shot, P and R are means over its regions and F is their harmonic mean. For a dataset, P and R
    are means over shots and F is again their harmonic mean, not the mean of F. Range [0, 1], higher is better.
    Source: Ochs, Malik and Brox, "Segmentation of Moving Objects by Long Term Video Analysis", TPAMI 2014; zero
    overlap and the number of objects are handled as in the authors' tool. That tool pairs by F truncated to four
    decimals, weights pixels of some shots by an annotated certainty, and treats unused cluster numbers as clusters;
    here F is exact, all pixels have equal weight, and the values of cluster numbers do not matter.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vosbench.errors import MeasureError
from vosbench.metrics.arrays import Labels, check_labels
from vosbench.metrics.boundary import harmonic_mean

NO_CLUSTER = -1


@dataclass(frozen=True, slots=True)
class RegionScore:
    """One region of the ground truth and the cluster it is paired with, or None."""

    region: int
    cluster: int | None
    precision: float
    recall: float
    f: float


@dataclass(frozen=True, slots=True)
class ObjectScores:
    """The scores of a shot or a dataset.

    Attributes:
        precision: mean over regions; for a dataset, over shots.
        recall: likewise.
        f: the harmonic mean of precision and recall.
        extracted: number of regions with F above the threshold, minus one for the background, which the authors
            subtract whether it is one of them or not; at least 0. For a dataset, the sum.
        visible: number of regions minus one for the background. For a dataset, the sum.
        density: the fraction of a region's pixels that have a cluster, averaged over regions; 1 for dense clusters.
        regions: by number; empty for a dataset.
    """

    precision: float
    recall: float
    f: float
    extracted: int
    visible: int
    density: float
    regions: tuple[RegionScore, ...] = ()


class Overlap:
    """The number of pixels that each region and cluster of a shot share, counted frame by frame.

    >>> overlap = Overlap()
    >>> overlap.add(np.array([[0, 0, 7, 7]]), np.array([[3, 3, 5, 5]]))
    >>> overlap.result().f
    1.0
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, int]] = Counter()

    def add(self, regions: Labels, clusters: Labels) -> None:
        """Count one labelled frame.

        Args:
            regions: (H, W) integers from 0, the region numbers of the ground truth.
            clusters: (H, W) integers, the cluster numbers; negative for pixels without a cluster.

        Raises:
            MeasureError: if the arrays are not label maps of the same size, or a region's number is negative.
        """
        check_labels(regions, clusters, ("regions", "clusters"))
        if regions.min() < 0:
            raise MeasureError(f"regions: label {regions.min()} is negative; every pixel belongs to a region")
        shifted = np.maximum(clusters.astype(np.int64), NO_CLUSTER) + 1
        span = int(shifted.max()) + 1
        codes, counts = np.unique(regions.astype(np.int64) * span + shifted, return_counts=True)
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
            region, cluster = divmod(code, span)
            self._counts[region, cluster - 1] += count

    def result(self, threshold: float = 0.75) -> ObjectScores:
        """Pair regions with clusters and score the shot.

        Args:
            threshold: a region is extracted if its F is strictly above this.

        Raises:
            MeasureError: if no frame was added.
        """
        from scipy.optimize import linear_sum_assignment

        if not self._counts:
            raise MeasureError("the shot has no labelled frame")
        regions = sorted({region for region, _ in self._counts})
        clusters = sorted({cluster for _, cluster in self._counts} - {NO_CLUSTER})
        table = np.array([[self._counts[region, cluster] for cluster in clusters] for region in regions], np.int64)
        clustered = table.sum(axis=1)
        precision = table / table.sum(axis=0)
        recall = table / np.maximum(clustered, 1)[:, None]
        both = precision + recall
        f = 2 * precision * recall / np.where(both == 0, 1, both)
        paired = dict(zip(*(side.tolist() for side in linear_sum_assignment(f, maximize=True)), strict=True))
        scores = tuple(
            RegionScore(region, clusters[c], float(precision[g, c]), float(recall[g, c]), float(f[g, c]))
            if (c := paired.get(g)) is not None
            else RegionScore(region, cluster=None, precision=1.0, recall=0.0, f=0.0)
            for g, region in enumerate(regions)
        )
        sizes = clustered + np.array([self._counts[region, NO_CLUSTER] for region in regions], np.int64)
        densities = (clustered / sizes).tolist()
        return _shot(scores, densities, threshold)


def _shot(regions: tuple[RegionScore, ...], densities: Sequence[float], threshold: float) -> ObjectScores:
    precision, recall, f = precision_recall_f([g.precision for g in regions], [g.recall for g in regions])
    return ObjectScores(
        precision=precision,
        recall=recall,
        f=f,
        extracted=max(0, sum(region.f > threshold for region in regions) - 1),
        visible=len(regions) - 1,
        density=math.fsum(densities) / len(densities),
        regions=regions,
    )


def precision_recall_f(precisions: Sequence[float], recalls: Sequence[float]) -> tuple[float, float, float]:
    """Mean precision, mean recall and their harmonic mean, over the regions of a shot or the shots of a dataset.

    >>> precision_recall_f([1.0, 0.5], [0.5, 0.5])
    (0.75, 0.5, 0.6)
    """
    precision, recall = math.fsum(precisions) / len(precisions), math.fsum(recalls) / len(recalls)
    return precision, recall, harmonic_mean(precision, recall)


def dataset_objects(shots: Sequence[ObjectScores]) -> ObjectScores:
    """Score a dataset: mean P and R over shots, their harmonic mean, and the total numbers of objects.

    Raises:
        MeasureError: if there are no shots.

    >>> one, other = ObjectScores(1.0, 0.5, 2 / 3, 1, 2, 1.0), ObjectScores(0.5, 0.5, 0.5, 0, 1, 1.0)
    >>> dataset_objects([one, other])
    ObjectScores(precision=0.75, recall=0.5, f=0.6, extracted=1, visible=3, density=1.0, regions=())
    """
    if not shots:
        raise MeasureError("the dataset has no shot")
    precision, recall, f = precision_recall_f([shot.precision for shot in shots], [shot.recall for shot in shots])
    return ObjectScores(
        precision=precision,
        recall=recall,
        f=f,
        extracted=sum(shot.extracted for shot in shots),
        visible=sum(shot.visible for shot in shots),
        density=math.fsum(shot.density for shot in shots) / len(shots),
    )
