"""The sizes of a DeepLabv3 encoder."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """How deep and how wide an encoder is.

    Attributes:
        blocks: bottlenecks of the four stages; ResNet-101 is (3, 4, 23, 3).
        width: planes of the first stage; a stage of ``p`` planes gives ``4 p`` channels.
        aspp: channels of each of the five branches of the spatial pyramid.
        rates: dilations of its three 3×3 branches.
        grid: what the dilations of the last stage are multiplied by, block after block (multi-grid).
        embedding: channels of a pixel's embedding, *C*.
        stride_on_first: True puts a stage's stride on its first 1×1 convolution, as Caffe does,
            False on its 3×3 convolution, as torchvision does.
    """

    blocks: tuple[int, int, int, int] = (3, 4, 23, 3)
    width: int = 64
    aspp: int = 512
    rates: tuple[int, int, int] = (12, 24, 36)
    grid: tuple[int, ...] = (1, 2, 4)
    embedding: int = 128
    stride_on_first: bool = False


ADNET = EncoderConfig()
F2NET = EncoderConfig(rates=(6, 12, 18), grid=(1,), embedding=256, stride_on_first=True)
ADNET_TINY = EncoderConfig(blocks=(1, 2, 2, 3), width=8, aspp=32, rates=(3, 6, 9), embedding=64)
F2NET_TINY = EncoderConfig(
    blocks=(1, 2, 2, 3), width=8, aspp=32, rates=(2, 4, 6), grid=(1,), embedding=64, stride_on_first=True
)
