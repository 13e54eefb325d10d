"""Fuse three embeddings into one by attention over channels and positions (Liu et al., AAAI 2021, eq. 9 to 11).

Streams are (B, 3, C, h, w), in the order of the released weights: inter, intra, current.
"""

from collections.abc import Callable

from torch import Tensor

Layer = Callable[[Tensor], Tensor]


def channel_weights(streams: Tensor, squeeze: Layer, excite: Layer) -> Tensor:
    """Weigh the streams channel by channel.

    Args:
        streams: (B, 3, C, h, w).
        squeeze: (B, C, 1, 1) → (B, C / 16, 1, 1).
        excite: (B, C / 16, 1, 1) → (B, 3 C, 1, 1).

    Returns:
        (B, 3, C, 1, 1); the three weights of a channel sum to 1.
    """
    pooled = streams.sum(dim=1).mean(dim=(2, 3), keepdim=True)
    logits = excite(squeeze(pooled))
    return logits.reshape(len(streams), 3, -1, 1, 1).softmax(dim=1)


def spatial_weights(streams: Tensor, score: Layer) -> Tensor:
    """Weigh the streams position by position.

    Args:
        streams: (B, 3, C, h, w).
        score: (B, C, h, w) → (B, 3, h, w).

    Returns:
        (B, 3, 1, h, w); the three weights of a position sum to 1.
    """
    return score(streams.sum(dim=1)).softmax(dim=1).unsqueeze(2)
