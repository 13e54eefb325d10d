"""Region similarity J: the Jaccard index of two masks.

Conventions:
    J = |A ∩ P| / |A ∪ P| in pixels, and 1 if both masks are empty. Range [0, 1], higher is better.
    Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation",
    CVPR 2016, section 5; the empty case as in the authors' tools and in davis2017-evaluation.
"""

import numpy as np

from vosbench.metrics.arrays import Mask, check_pair


def region_similarity(annotation: Mask, prediction: Mask) -> float:
    """Measure the region similarity J of one frame.

    Args:
        annotation: (H, W) bool.
        prediction: (H, W) bool.

    Returns:
        J in [0, 1].

    Raises:
        MeasureError: if the arrays are not masks of the same size.

    >>> region_similarity(np.array([[True, True]]), np.array([[True, False]]))
    0.5
    """
    check_pair(annotation, prediction)
    union = int(np.count_nonzero(annotation | prediction))
    if union == 0:
        return 1.0
    return int(np.count_nonzero(annotation & prediction)) / union
