"""MSRA10K: 10 000 images with one mask of the salient object each, for training."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vosbench.dataset import Dataset, Download, Listed, Video
from vosbench.dataset.layout import Layout, pairs, recognise
from vosbench.dataset.protocol import IMAGES

TITLE = "MSRA10K"
OFFICIAL = Layout(
    name="msra10k-official",
    frames="Imgs",
    annotations="Imgs",
    codec="luma127",
    markers=("Imgs",),
    without=("Masks",),
    below=("", "MSRA10K_Imgs_GT", "MSRA10K_Imgs_GT/MSRA10K_Imgs_GT", "MSRA10K"),
)
LAYOUTS = (
    OFFICIAL,
    replace(OFFICIAL, name="msra10k-masks", annotations="Masks", markers=("Imgs", "Masks"), without=()),
    replace(
        OFFICIAL,
        name="msra10k-cosnet",
        frames="images",
        annotations="saliencymaps",
        markers=("images", "saliencymaps"),
        without=(),
    ),
)


def listing(split: str) -> Mapping[str, Listed]:
    """Nothing: names are those of the files."""
    del split
    return {}


def videos(root: Path, split: str, layout: str | None = None) -> list[Video]:
    """Find the images, each as a video of one frame; see `vosbench.dataset.dataset.VideoFinder`."""
    del split
    return pairs(root, recognise(root, LAYOUTS, TITLE, layout))


dataset = Dataset(
    name="msra10k",
    title=TITLE,
    paper="Cheng et al., Global Contrast Based Salient Region Detection, TPAMI 2015",
    licence="not stated in the sources that we could read",
    splits=("train",),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(IMAGES,),
    listing=listing,
    videos=videos,
    folders=("MSRA10K_Imgs_GT", "MSRA10K"),
    downloads=(Download(name="MSRA10K_Imgs_GT.zip", mirrors=("http://mftp.mmcheng.net/Data/MSRA10K_Imgs_GT.zip",)),),
)
