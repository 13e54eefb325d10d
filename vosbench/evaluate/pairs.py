"""Predictions and annotations without a registered dataset: two folders of masks, or arrays.

Conventions:
    A flat folder contains the masks of one video, a folder of folders those of several. Files are paired by video
    and file name. Frames are in the order of the annotations' names, and all of them are scored.
    Arrays are (H, W), one per frame: booleans; integers 0 and 1, or 0 and 255, for background and object; or other
    integers as labels, with 0 for background. 8-bit integers are rejected if they could also be grey levels: if they
    are above `HIGHEST_LABEL`, many, or several without 0. Floats and grey levels are maps, which only saliency
    protocols accept.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.dataset.selection import Selection
from vosbench.errors import DataError
from vosbench.evaluate.containers import IMAGES, Folder
from vosbench.evaluate.predictions import Predictions, located, surveyed
from vosbench.images import write_png
from vosbench.images.recognition import distinct

Kind = Literal["mask", "labels", "map"]
Masks = Iterable[ArrayLike]

PROTOCOL = DatasetProtocol(name="pairs", measures=("J", "F", "T"), t_first="skip")
"""J, F and T of all frames; the first pair of frames for T are the first two."""
USUAL = PROTOCOL.only(("J", "F"))
"""What is scored if no measures are named."""
HIGHEST_LABEL = 99
DEEPEST = 2  # a folder of videos, and the masks
FLAT = ""
VIDEO = "video"
"""The name of the only video if arrays are given without names."""


def pair_folders(
    predictions: Path,
    annotations: Path,
    protocol: DatasetProtocol = PROTOCOL,
    *,
    codec: str | None = None,
    annotation_codec: str | None = None,
) -> tuple[Predictions, Selection]:
    """Pair the masks of two folders.

    Args:
        predictions: a folder of masks or maps.
        annotations: a folder of masks with the same videos and file names.
        protocol: how they are scored.
        codec: the codec that reads predictions; recognised if None.
        annotation_codec: the codec that reads annotations; recognised if None.

    Returns:
        The predictions, and all videos of the annotations.

    Raises:
        DataError: if a folder contains no masks, or a video or file is missing from one of them.
    """
    theirs, ours = _masks(predictions), _masks(annotations)
    if FLAT in theirs and FLAT in ours:
        name = annotations.resolve().name
        theirs, ours = {name: theirs[FLAT]}, {name: ours[FLAT]}
    elif FLAT in theirs or FLAT in ours:
        flat, other = (predictions, annotations) if FLAT in theirs else (annotations, predictions)
        raise DataError(f'"{flat}" is one video, but "{other}" is a folder of videos; both must be the same')
    _refuse_unpaired(theirs, ours, (predictions, annotations), "video")
    for video, files in ours.items():
        _refuse_unpaired(theirs[video], files, (predictions, annotations), f'file of "{video}"')
    named = {video: [files[stem] for stem in sorted(files)] for video, files in ours.items()}
    unit = {"objects": "ids", "regions": "nonzero"}.get(protocol.unit)
    paired = {video: {t: theirs[video][stem] for t, stem in enumerate(sorted(files))} for video, files in ours.items()}
    read = annotation_codec or unit
    if read is None:
        masks = located(annotations, {video: dict(enumerate(files)) for video, files in named.items()}, None)
        codecs = {video: "binary255" if name == "map" else name for video, name in surveyed(masks).codecs.items()}
    else:
        codecs = dict.fromkeys(named, read)
    videos = tuple(
        Video(
            name=video,
            frames=tuple(annotations / file for file in files),
            annotations={t: annotations / file for t, file in enumerate(files)},
            codec=codecs[video],
        )
        for video, files in named.items()
    )
    return located(predictions, paired, codec or unit), _selection(annotations.resolve().name, videos, protocol)


def pair_arrays(
    predictions: Masks | Mapping[str, Masks],
    annotations: Masks | Mapping[str, Masks],
    folder: Path,
    protocol: DatasetProtocol = PROTOCOL,
) -> tuple[Predictions, Selection]:
    """Pair arrays, which are written to files so that they are scored like any other masks.

    Args:
        predictions: (H, W) arrays of one video, or video → arrays; see the conventions above.
        annotations: likewise.
        folder: the folder for the files, which must exist until they are scored.
        protocol: how they are scored.

    Raises:
        DataError: if videos, counts or sizes differ, or an array is not a mask or is ambiguous.
    """
    theirs, ours = _videos(predictions, annotations)
    _refuse_unpaired(theirs, ours, (Path("predictions"), Path("annotations")), "video")
    labels: Kind = "mask" if protocol.unit == "foreground" else "labels"
    soft: Kind = "map" if protocol.saliency else labels
    for video in ours:
        pairs = list(theirs[video]), list(ours[video])
        if len(pairs[0]) != len(pairs[1]):
            raise DataError(f'"{video}" has {len(pairs[0])} predictions and {len(pairs[1])} annotations')
        if not pairs[0]:
            raise DataError(f'"{video}" has no frames')
        for index, (one, other) in enumerate(zip(*pairs, strict=True)):
            where = f'frame {index} of "{video}"'
            prediction = _pixels(one, f"the prediction of {where}", soft)
            annotation = _pixels(other, f"the annotation of {where}", labels)
            if prediction.shape != annotation.shape and protocol.resize == "refuse":
                raise DataError(f"{where}: the prediction is {_size(prediction)}, the annotation {_size(annotation)}")
            write_png(folder / "arrays" / video / f"{index:05d}.png", prediction)
            write_png(folder / "annotations" / video / f"{index:05d}.png", annotation)
    codecs: dict[Kind, str | None] = {"mask": "binary255", "labels": None, "map": "map"}
    masks, selection = pair_folders(
        folder / "arrays", folder / "annotations", protocol, codec=codecs[soft], annotation_codec=codecs[labels]
    )
    return masks, _selection("arrays", selection.videos, protocol)


def _selection(name: str, videos: tuple[Video, ...], protocol: DatasetProtocol) -> Selection:
    listing = {video.name: Listed(frames=len(video)) for video in videos}
    dataset = Dataset(
        name=name,
        title=name,
        paper="–",
        licence="–",
        splits=("all",),
        layouts=(),
        protocols=(USUAL, protocol),
        listing=lambda _: listing,
        videos=lambda *_: videos,
    )
    return Selection(dataset=dataset, split="all", protocol=protocol, videos=videos, listing=listing, limit=None)


def _masks(folder: Path) -> dict[str, dict[str, str]]:
    """Video → file's stem → its path below the folder; the only video of a flat folder is `FLAT`."""
    if not folder.is_dir():
        raise DataError(f'"{folder}" is not a folder of masks')
    videos: dict[str, dict[str, str]] = {}
    for path in sorted(Folder(folder, folder).names()):
        if path.suffix.lower() in IMAGES and len(path.parts) <= DEEPEST:
            stems = videos.setdefault(path.parent.name, {})
            if path.stem in stems:
                raise DataError(f'"{folder}" has both "{stems[path.stem]}" and "{path}"; keep one')
            stems[path.stem] = str(path)
    if not videos:
        raise DataError(f'"{folder}" contains no images; pass a folder of masks, or a folder of such folders')
    if FLAT in videos and len(videos) > 1:
        raise DataError(f'"{folder}" contains both masks and folders of masks; keep one of the two')
    return videos


def _refuse_unpaired(
    theirs: Mapping[str, object], ours: Mapping[str, object], names: tuple[Path, Path], what: str
) -> None:
    for one, other, (source, target) in ((theirs, ours, names), (ours, theirs, names[::-1])):
        unpaired = sorted(one.keys() - other.keys())
        if unpaired:
            listed = ", ".join(f'"{name}"' for name in unpaired[:5]) + (", …" if len(unpaired) > 5 else "")
            raise DataError(f'{what} without a partner: {listed} is in "{source}", but not in "{target}"')


def _videos(
    predictions: Masks | Mapping[str, Masks], annotations: Masks | Mapping[str, Masks]
) -> tuple[Mapping[str, Masks], Mapping[str, Masks]]:
    if isinstance(predictions, Mapping) != isinstance(annotations, Mapping):
        raise DataError("predictions and annotations must both be mappings of videos, or both be sequences")
    if isinstance(predictions, Mapping) and isinstance(annotations, Mapping):
        return predictions, annotations
    assert not isinstance(predictions, Mapping)
    assert not isinstance(annotations, Mapping)
    return {VIDEO: predictions}, {VIDEO: annotations}


def _pixels(values: ArrayLike, where: str, kind: Kind) -> NDArray[np.uint8]:
    """Convert an array to pixels: a mask to 0 and 255, labels to numbers, a map to levels."""
    array: NDArray[Any] = np.asarray(values)
    if array.ndim != 2 or array.size == 0:
        raise DataError(f"{where} is an array of shape {array.shape}; pass one of shape (H, W) per frame")
    if np.issubdtype(array.dtype, np.floating):
        return _levels(array, where, kind)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(1 if kind == "labels" else 255)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{where} is an array of {array.dtype}; pass booleans, integers or, for a map, floats")
    if kind == "map" and array.dtype == np.uint8:
        return np.asarray(array * np.uint8(255) if array.max() == 1 else array, np.uint8)
    low, high = int(array.min()), int(array.max())
    binary = high == 255 and not ((array != 0) & (array != 255)).any()
    few = array.dtype.itemsize > 1 or (high <= HIGHEST_LABEL and distinct(array) is not None)
    if low < 0 or not (binary or few) or (array.dtype.itemsize == 1 and low > 0 and low != high):
        raise DataError(
            f"{where} has {array.dtype} values from {low} to {high}, which may be labels or grey levels; pass a mask "
            "of booleans, such as map > 127, or labels from 0 as int32"
        )
    if kind != "labels":
        return np.asarray((array != 0) * np.uint8(255), np.uint8)
    if high > 254 and not binary:
        raise DataError(f"{where} has label {high}; labels must be at most 254")
    return np.asarray(array != 0 if binary else array, np.uint8)


def _levels(array: NDArray[Any], where: str, kind: Kind) -> NDArray[np.uint8]:
    if kind != "map":
        raise DataError(f"{where} has floats; pass a mask of booleans, such as map > 0.5, or use a saliency protocol")
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise DataError(f"{where} is a map with values outside [0, 1]")
    return np.asarray(np.rint(array.astype(np.float64) * 255), np.uint8)


def _size(array: NDArray[np.uint8]) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"
