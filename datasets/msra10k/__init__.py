"""MSRA10K: 10 000 images, each with a mask of its salient object, for training."""

from dataclasses import replace

from vosbench.dataset import Dataset, Download
from vosbench.dataset.layout import Layout, image_finder
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


dataset = Dataset(
    name="msra10k",
    title=TITLE,
    paper="Cheng et al., Global Contrast Based Salient Region Detection, TPAMI 2015",
    licence="not stated in the sources that we could read",
    splits=("train",),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(IMAGES,),
    videos=image_finder(LAYOUTS, TITLE),
    folders=("MSRA10K_Imgs_GT", "MSRA10K"),
    downloads=(Download(name="MSRA10K_Imgs_GT.zip", mirrors=("https://mftp.mmcheng.net/Data/MSRA10K_Imgs_GT.zip",)),),
)
