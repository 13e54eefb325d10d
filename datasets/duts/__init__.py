"""DUTS-TR: images with masks of their salient objects, for training."""

from dataclasses import replace

from vosbench.dataset import Dataset
from vosbench.dataset.layout import Layout, image_finder
from vosbench.dataset.protocol import IMAGES

TITLE = "DUTS-TR"
OFFICIAL = Layout(
    name="duts-official",
    frames="DUTS-TR-Image",
    annotations="DUTS-TR-Mask",
    codec="luma127",
    markers=("DUTS-TR-Image", "DUTS-TR-Mask"),
    below=("", "DUTS-TR", "DUTS-TR/DUTS-TR"),
)
LAYOUTS = (
    OFFICIAL,
    replace(
        OFFICIAL,
        name="duts-tmo",
        frames="JPEGImages",
        annotations="Annotations",
        markers=("JPEGImages", "Annotations"),
        below=("", "DUTS"),
    ),
    replace(OFFICIAL, name="duts-dpa", frames="RGB", annotations="GT", markers=("RGB", "GT"), below=("", "DUTS_train")),
    replace(
        OFFICIAL,
        name="duts-davsod",
        frames="img/*",
        annotations="gt/*",
        markers=("img", "gt"),
        below=("", "DUTS-train", "Training-Datasets/DUTS-train"),
    ),
)


dataset = Dataset(
    name="duts",
    title=TITLE,
    paper="Wang et al., Learning to Detect Salient Objects with Image-Level Supervision, CVPR 2017",
    licence="not stated in the sources that we could read; for research",
    splits=("train",),
    layouts=tuple(layout.name for layout in LAYOUTS),
    protocols=(IMAGES,),
    videos=image_finder(LAYOUTS, TITLE),
    folders=("DUTS-TR", "DUTS", "DUTS_train"),
    steps="Get DUTS-TR from its authors and unpack DUTS-TR-Image and DUTS-TR-Mask into one folder.",
)
