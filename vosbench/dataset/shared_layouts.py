"""Folder layouts that other projects use for several datasets."""

from collections.abc import Callable

from vosbench.dataset.layout import Layout

FRAME_FOLDERS = ("jpegimages", "frames", "frame", "images", "image", "imgs", "img", "rgb")
MASK_FOLDERS = (
    *("annotations", "annotation", "masks", "mask", "gt", "ground-truth", "groundtruth", "ground_truth"),
    *("labels", "label"),
)
"""What folders of frames and of masks are called, in lower case."""


def repacks(
    folders: tuple[str, ...],
    dpa: str = "",
    *,
    codec: str,
    names: Callable[[str], str] = str,
    labelled_only: bool = False,
) -> tuple[Layout, ...]:
    """The layouts with a folder for each video and, in it, folders for frames and annotations.

    ``vsod-seq`` is that of DAVSOD (Fan et al., CVPR 2019), ``fsnet-test`` that of FSNet (Ji et al., ICCV 2021), and
    ``dpa`` that of DPA (Cho et al., CVPR 2024), which keeps all training videos in one folder. All renumber the files.

    Args:
        folders: possible names of the dataset's folder.
        dpa: its name in DPA, before ``_train`` and ``_test``; empty if it is not in DPA.
        codec: how annotations are read.
        names: as `Layout.names`.
        labelled_only: as `Layout.labelled_only`.
    """
    below = ("", *folders, *(f"TestSet/{folder}" for folder in folders))

    def per_video(name: str, frames: str, annotations: str) -> Layout:
        return Layout(
            name=name,
            frames=f"{{video}}/{frames}",
            annotations=f"{{video}}/{annotations}",
            codec=codec,
            markers=(f"*/{frames}", f"*/{annotations}"),
            below=below,
            pair="number",
            names=names,
            labelled_only=labelled_only,
        )

    layouts = per_video("vsod-seq", "Imgs", "ground-truth"), per_video("fsnet-test", "Frame", "GT")
    if not dpa:
        return layouts
    return (
        *layouts,
        Layout(
            name="dpa",
            frames=f"{dpa}_test/{{video}}/RGB|{dpa}_train/RGB/{{video}}_{{frame}}",
            annotations=f"{dpa}_test/{{video}}/GT|{dpa}_train/GT/{{video}}_{{frame}}",
            codec=codec,
            markers=(f"{dpa}_test/*/RGB|{dpa}_train/RGB",),
            pair="number",
            names=names,
            labelled_only=labelled_only,
        ),
    )
