"""MoCA-Mask: videos of camouflaged animals with masks of every fifth frame."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video, read_sequences
from vosbench.dataset.layout import Layout, collect, recognise
from vosbench.metrics.measures import DICE

TITLE = "MoCA-Mask"
LAYOUT = Layout(
    name="moca-mask-official",
    frames="T*Dataset_per_sq/{video}/Imgs",
    annotations="T*Dataset_per_sq/{video}/GT",
    codec="above:128",
    markers=("T*Dataset_per_sq/*/Imgs", "T*Dataset_per_sq/*/GT"),
    below=("", "MoCA_Video", "MoCA-Mask", "MoCA-Mask/MoCA_Video"),
)


@cache
def listing(split: str) -> Mapping[str, Listed]:
    """The sequences of ``"test"`` or ``"train"``."""
    return {row["name"]: Listed(frames=int(row["frames"])) for row in read_sequences(__file__) if row["split"] == split}


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the videos of a split; see `vosbench.dataset.dataset.VideoFinder`."""
    return collect(root, recognise(root, (LAYOUT,), TITLE, layout), listing(split))


dataset = Dataset(
    name="moca-mask",
    title=TITLE,
    paper="Cheng et al., Implicit Motion Handling for Video Camouflaged Object Detection, CVPR 2022",
    licence="not verified",
    splits=("test", "train"),
    layouts=(LAYOUT.name,),
    protocols=(
        DatasetProtocol(
            name="moca-mask-slt-net",
            measures=("S", "wF", "meanE", "maxE", "MAE", *DICE),
            frames="before-last-two",
            resize="prediction",
            saliency="slt-net",
            about="S, weighted F, E, MAE, Dice and IoU without the last two annotated frames, as SLT-Net",
        ),
    ),
    listing=listing,
    videos=videos,
    folders=("MoCA-Mask", "MoCA_Mask", "moca-mask"),
    steps="Get MoCA-Mask from xueliancheng.github.io/SLT-Net-project.",
)
