"""The recipe of the ``lite`` variants: stills and videos mixed, on an encoder with ImageNet weights.

`LiteRecipe` trains any `LiteDeepLab`. What F2Net adds is in `vosbench.methods.f2net.recipe`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from vosbench.dataset import Video
from vosbench.images import read_frame
from vosbench.method.nn.augment import Floats, Look, Mask, Shot, pick, read
from vosbench.method.nn.camera import Light, Window, capped, coverage, degraded, resized
from vosbench.method.nn.deeplab import Features
from vosbench.method.nn.distractors import distracted, sample_donor
from vosbench.method.nn.lite import LiteDeepLab, halves
from vosbench.method.nn.losses import enlarge, mask_loss, overlap_loss
from vosbench.method.nn.views import Frame, scaled, squash
from vosbench.method.recipe import Example, Material, Plan


class LitePlan(Plan):
    """Hyper-parameters of the recipe."""

    side: int = Field(ge=32, multiple_of=16, description="of the square, in pixels; a multiple of 16")
    first_side: int = Field(ge=32, multiple_of=16, description="of the square in the first steps")
    first: float = Field(ge=0, le=1, description="share of the steps that are the first ones")
    longest: int = Field(
        ge=32, description="longest side of a picture as it is read, in pixels; larger ones are reduced"
    )
    images: float = Field(ge=0, le=1, description="probability that an example is a still image, if there are any")
    frozen: int = Field(ge=0, description="blocks of the encoder that are not trained, with the stem")
    heads: float = Field(
        gt=0, description="learning rate of everything but the encoder, as a multiple of the encoder's"
    )
    base: float = Field(
        default=1.0,
        gt=0,
        description="learning rate of context and decoder, as a multiple of that of all but the encoder",
    )
    auxiliary: float = Field(ge=0, description="weight of the loss of the embedding's own logit")
    overlap: float = Field(ge=0, description="weight of the soft Jaccard loss next to the cross-entropy")
    zoom_out: float = Field(ge=0, le=1, description="probability that a square shows more than the frame, reflected")
    whole: float = Field(ge=0, le=1, description="probability that a square shows the whole frame; else it is a crop")
    mirror: float = Field(ge=0, le=1, description="probability that an example is mirrored")
    light: float = Field(ge=0, le=1, description="probability of another light and other colours")
    grey: float = Field(ge=0, le=1, description="probability of no colours")
    blur: float = Field(ge=0, le=1, description="probability of blur")
    noise: float = Field(ge=0, le=1, description="probability of noise")
    jpeg: float = Field(ge=0, le=1, description="probability of compression")
    distractor: float = Field(
        ge=0, le=1, description="probability of an object that does not move in a pair of a video; variants with anchor"
    )

    def side_at(self, step: int) -> int:
        """The side of the squares of a step."""
        return self.first_side if step < self.first * self.steps else self.side


class Scene(NamedTuple):
    """What an example shows, framed and lit but not yet squashed.

    Attributes:
        current: the frame to segment.
        anchor: the first frame of its video, or the same still image framed and lit anew; None if none is needed.
        previous: the mask of the annotated frame before it; None if there is none.
    """

    current: Shot
    anchor: Shot | None = None
    previous: Mask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteRecipe:
    """Annotated frames of videos and still images, with their anchors if the network needs them.

    The anchor of a video is its first frame, as at inference; that of a still image is another view of itself. The two
    frames of a video are framed, mirrored and lit alike.

    Attributes:
        plan: the hyper-parameters.
        make: builds the network.
        anchored: whether it needs anchors.
    """

    plan: LitePlan
    make: Callable[[], LiteDeepLab]
    anchored: bool = False

    def build(self) -> nn.Module:
        """See `vosbench.method.Recipe`."""
        net = self.make()
        net.encoder.freeze(self.plan.frozen)
        return net

    def groups(self, net: nn.Module) -> list[dict[str, Any]]:
        """The encoder above its frozen blocks, context and decoder, and the method's heads; each has its own rate."""
        unused = () if self.plan.auxiliary else ("decoder.auxiliary.",)
        trained = [(name, x) for name, x in net.named_parameters() if x.requires_grad and not name.startswith(unused)]
        parts: dict[str, list[nn.Parameter]] = {"encoder": [], "base": [], "heads": []}
        for name, x in trained:
            part = name.partition(".")[0]
            parts["base" if part in {"context", "decoder"} else part if part == "encoder" else "heads"].append(x)
        scales = {"encoder": 1.0, "base": self.plan.heads * self.plan.base, "heads": self.plan.heads}
        return [{"params": parts[part], "scale": scales[part]} for part in parts if parts[part]]

    def example(self, material: Material, step: int, rng: np.random.Generator) -> Example:
        """Sample a frame, and its anchor if needed; see `vosbench.method.Recipe`.

        Returns:
            ``frame`` and ``anchor``, (3, side, side), and ``mask``, (1, side / 4, side / 4): the share of the
            foreground in each cell.
        """
        scene = sample_scene(material, self.plan, rng, anchored=self.anchored)
        return pictured(scene, self.plan, self.plan.side_at(step), rng)

    def losses(self, net: nn.Module, batch: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Cross-entropy and soft Jaccard loss at stride 4; anchors and frames are encoded in one batch."""
        network = cast("LiteDeepLab", net)
        anchor, current = embedded(network, batch)
        return lite_terms(network, current, network.segment(anchor, current), batch["mask"], self.plan)


def sample_scene(
    material: Material, plan: LitePlan, rng: np.random.Generator, *, anchored: bool, previous: bool = False
) -> Scene:
    """Sample a still image or an annotated frame of a video.

    Args:
        material: the training data.
        plan: the hyper-parameters.
        rng: the generator.
        anchored: whether an anchor is needed.
        previous: whether the mask of the annotated frame before is needed.
    """
    look = Look(mirrored=rng.random() < plan.mirror)
    if material.images and (not material.videos or rng.random() < plan.images):
        still = pick(material.images, rng, "images")
        shot = look.at(_read(still, min(still.annotations), plan))
        (current,) = _viewed([shot], plan, rng)
        return Scene(current, _viewed([shot], plan, rng)[0] if anchored else None)
    video = pick(material.videos, rng)
    indices = sorted(video.annotations)
    place = int(rng.integers(len(indices)))
    shots = [_read(video, indices[place], plan)]
    if anchored:
        shots = [*_distracted(material, video, shots[0], plan, rng)]
    if previous and place:
        shots.append(_read(video, indices[place - 1], plan))
    current, *others = _viewed([look.at(shot) for shot in shots], plan, rng)
    before = others.pop().mask if previous and place else None
    return Scene(current, others[0] if anchored else None, before)


def _read(video: Video, index: int, plan: LitePlan) -> Shot:
    return capped(read(video, index), plan.longest)


def _distracted(
    material: Material, video: Video, current: Shot, plan: LitePlan, rng: np.random.Generator
) -> tuple[Shot, Shot]:
    """A frame and the first one of its video, perhaps with an object pasted into both."""
    if 0 in video.annotations:
        anchor = _read(video, 0, plan)
    else:
        frame = read_frame(video.frames[0])
        anchor = capped(Shot(frame, np.zeros(frame.shape[:2], dtype=np.bool_)), plan.longest)
    height, width = current.mask.shape
    if anchor.mask.shape != (height, width):
        anchor = resized(anchor, (height, width))
    if rng.random() >= plan.distractor:
        return current, anchor
    donor = sample_donor((*material.videos, *material.images), video, plan.longest, rng)
    if donor is not None:
        anchor, current = distracted(anchor, current, donor, rng)
    return current, anchor


def _viewed(shots: Sequence[Shot], plan: LitePlan, rng: np.random.Generator) -> list[Shot]:
    """Frame and light shots alike, by what the first one shows."""
    window = Window.sample(shots[0].mask, plan.zoom_out, plan.whole, rng)
    light = Light.sample(plan.light, plan.grey, rng)
    return [Shot(light.at(cut.frame), cut.mask) for cut in map(window.cut, shots)]


def pictured(scene: Scene, plan: LitePlan, side: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Squash a scene to what the network sees: ``frame``, ``mask`` and, if there is one, ``anchor``."""
    frames = {"frame": scene.current, "anchor": scene.anchor}
    chances = (plan.blur, plan.noise, plan.jpeg)
    example: dict[str, Floats] = {
        name: _input(degraded(squash(np.ascontiguousarray(shot.frame), side), chances, rng))
        for name, shot in frames.items()
        if shot is not None
    }
    cells = (side // 4, side // 4)
    return {**example, "mask": coverage(scene.current.mask, cells)[None]}


def _input(frame: Frame) -> Floats:
    """(H, W, 3) → (3, H, W), as `scaled` normalises."""
    return np.ascontiguousarray(scaled(torch.from_numpy(np.array(frame))).numpy())


def embedded(network: LiteDeepLab, batch: Mapping[str, Tensor]) -> tuple[Features | None, Features]:
    """Encode anchors and frames in one batch, so that both share statistics; without anchors, the frames alone."""
    if "anchor" not in batch:
        return None, network.embed(batch["frame"])
    return halves(network.embed(torch.cat([batch["anchor"], batch["frame"]])))


def lite_terms(
    network: LiteDeepLab, current: Features, logits: Tensor, mask: Tensor, plan: LitePlan
) -> dict[str, Tensor]:
    """The losses of logits at stride 4 and of the embedding's own logit, against the share of the foreground."""
    terms = {"mask": mask_loss(logits, mask), "overlap": plan.overlap * overlap_loss(logits, mask)}
    if plan.auxiliary:
        coarse = enlarge(network.auxiliary(current), (mask.shape[2], mask.shape[3]), aligned=False)
        terms["auxiliary"] = plan.auxiliary * mask_loss(coarse, mask)
    return terms
