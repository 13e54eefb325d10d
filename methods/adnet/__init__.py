"""AD-Net: anchor diffusion for unsupervised video object segmentation. The card is `README.md`."""

from vosbench.method import Method, Predictor, Setup

VARIANTS = {
    "base": "DeepLabv3 alone: the current frame by itself",
    "intra": "+ intra-frame attention",
    "concat": "+ the anchor's embedding beside the current one",
    "inter": "+ anchor diffusion: attention between the anchor and the current frame",
    "ad": "the full model, anchor diffusion and intra-frame attention (the default)",
    "tiny": "`ad` with few and narrow layers, 241×137: seconds on a CPU",
}


def load(setup: Setup) -> Predictor:
    """Make the predictor of a variant.

    Args:
        setup: variant, weights, device and batch.

    Returns:
        a predictor that works frame by frame; it is also `Resumable`.

    Raises:
        UsageError: where the variant, the device or the batch is not to be had.
        DataError: where the weights do not fit the network.
    """
    from vosbench.methods.adnet import predictor

    return predictor.load(setup)


method = Method(
    name="adnet",
    title="AD-Net",
    paper="Z. Yang, Q. Wang, L. Bertinetto, W. Hu, S. Bai, P. H. S. Torr. Anchor Diffusion for Unsupervised Video "
    "Object Segmentation. ICCV 2019",
    licence="MIT",
    load=load,
    variants=VARIANTS,
)
