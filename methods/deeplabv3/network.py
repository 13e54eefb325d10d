"""The encoders as segmentation networks."""

from torch import Tensor

from vosbench.methods.deeplabv3.adnet_encoder import AdnetEncoder
from vosbench.methods.deeplabv3.config import ADNET, EncoderConfig
from vosbench.methods.deeplabv3.f2net_encoder import F2netEncoder


class AdnetDeepLab(AdnetEncoder):
    """AD-Net's baseline: the encoder with one output channel, the logit."""

    anchored = False

    def __init__(self, config: EncoderConfig = ADNET) -> None:
        super().__init__(1, config)

    def embed(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, 1, h, w), the logits already."""
        return AdnetEncoder.forward(self, frames)

    def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:  # noqa: ARG002 - looks at no anchor
        """The logits, (B, 1, h, w), as `embed` gave them."""
        return current


class F2netDeepLab(F2netEncoder):
    """F2Net's baseline: the encoder and its own classifier."""

    anchored = False

    def embed(self, frames: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, C, h, w)."""
        return self(frames).embedding  # type: ignore[no-any-return]

    def segment(self, anchor: Tensor | None, current: Tensor) -> Tensor:  # noqa: ARG002 - looks at no anchor
        """(B, C, h, w) → logits, (B, 1, h, w)."""
        logits: Tensor = self.main_classifier(current)
        return logits
