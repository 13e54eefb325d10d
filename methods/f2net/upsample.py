"""The centre branch's decoder: from the encoder's pyramid to one map at stride 4 (Liu et al., AAAI 2021)."""

from torch import Tensor, nn
from torch.nn import functional

from vosbench.method.nn.layers import resize


class UpsampleUnit(nn.Module):
    """Add a level of the pyramid to what came from the deeper ones.

    Args:
        channels: of the level.
        width: of the output.
        deepest: whether nothing came before.
        out: channels of a last projection, in the shallowest unit alone.
    """

    def __init__(self, channels: int, width: int, *, deepest: bool = False, out: int = 0) -> None:
        super().__init__()
        self.u_skip = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        if not deepest:
            self.up_conv = nn.Conv2d(width, width, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
        if out:
            self.cross_conv = nn.Conv2d(width, out, 1, bias=False)
            self.bn5 = nn.BatchNorm2d(out)

    def forward(self, level: Tensor, deeper: Tensor | None) -> Tensor:
        """(B, channels, h, w) and the deeper units' (B, width, h', w') → (B, width or out, h, w)."""
        x: Tensor = self.bn1(self.u_skip(level))
        if deeper is not None:
            x = x + self.bn2(self.up_conv(resize(deeper, (level.shape[2], level.shape[3]))))
        x = functional.relu(x)
        return functional.relu(self.bn5(self.cross_conv(x))) if hasattr(self, "cross_conv") else x


class UpsampleModule(nn.Module):
    """Four units, from the deepest level to the shallowest.

    Args:
        channels: of the deepest level; each next level has half as many.
        width: of the units.
        out: channels of the output, *D*.
    """

    def __init__(self, channels: int, width: int, out: int) -> None:
        super().__init__()
        self.up1 = UpsampleUnit(channels, width, deepest=True)
        self.up2 = UpsampleUnit(channels // 2, width)
        self.up3 = UpsampleUnit(channels // 4, width)
        self.up4 = UpsampleUnit(channels // 8, width, out=out)

    def forward(self, pyramid: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
        """The pyramid, deepest first → (B, out, h, w) at stride 4, *U* in the paper."""
        res5, res4, res3, res2 = pyramid
        x: Tensor = self.up4(res2, self.up3(res3, self.up2(res4, self.up1(res5, None))))
        return x
