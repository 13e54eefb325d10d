"""Files with all masks of a video: NumPy arrays, videos, and run lengths as JSON. They are written out as images.

Conventions:
    The masks are in the order of the frames, one for each: another number is an error.
    An array is (T, H, W), or has an axis of length 1 more. Booleans and whole numbers are kept as they are; floats are
    maps in [0, 1], or whole numbers up to 255.
    Run lengths are those of COCO: down the columns, beginning with background; as numbers, or compressed as text.
    Source: T.-Y. Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014, and its published annotation files.
"""

import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError, VosbenchError, one_line
from vosbench.images import write_png
from vosbench.images.archives import PIECE, unzipped
from vosbench.images.files import MOST_PIXELS
from vosbench.images.films import check_size, opened

Pictures = Iterator[NDArray[np.uint8] | NDArray[np.uint16]]
LONGEST = 60  # bits of a number in run lengths; far longer ones would take forever
HIGHEST = {np.uint8: 255, np.uint16: 65535}


def write_out(file: Path, name: str, frames: int, folder: Path) -> dict[int, Path]:
    """Write the masks of a video as images.

    Args:
        file: the file with all of them.
        name: its name in errors.
        frames: how many the video has.
        folder: the folder for the images.

    Returns:
        Frame index → image.

    Raises:
        DataError: if the file is damaged, or has masks for more or fewer frames.
        UsageError: if a video cannot be decoded because a package is not installed.
    """
    suffix = file.suffix.lower()
    try:
        if suffix == ".npz":
            pictures = _of_archive(file, name, frames, folder)
        elif suffix == ".npy":
            pictures = _of_array(file, name, frames)
        else:
            pictures = _of_video(file, name)
        return _write(pictures, name, frames, folder)
    except VosbenchError:
        raise
    except Exception as error:  # headers of arrays and videos fail in many ways
        raise DataError(f'"{name}" cannot be read as the masks of a video: {one_line(error)}') from error


def _write(pictures: Pictures, name: str, frames: int, folder: Path) -> dict[int, Path]:
    written: dict[int, Path] = {}
    for index, picture in enumerate(pictures):
        if index == frames:
            raise DataError(f'"{name}" has masks for more than the {frames} frames of its video')
        written[index] = folder / f"{index:05d}.png"
        write_png(written[index], picture)
    if len(written) < frames:
        raise DataError(f'"{name}" has {len(written)} masks, but its video has {frames} frames')
    return written


def _of_archive(file: Path, name: str, frames: int, folder: Path) -> Pictures:
    """The only array of an .npz file."""
    with zipfile.ZipFile(file) as archive:
        arrays = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
        if len(arrays) != 1:
            listed = ", ".join(entry.filename for entry in arrays[:5]) or "none"
            raise DataError(f'"{name}" contains {len(arrays)} arrays ({listed}); a video is one array')
        path = folder / "array.npy"
        with unzipped(archive, arrays[0], name, frames * MOST_PIXELS) as entry, path.open("wb") as target:
            shutil.copyfileobj(entry, target, PIECE)
    yield from _of_array(path, name, frames)


def _of_array(file: Path, name: str, frames: int) -> Pictures:
    with np.errstate(over="ignore"):  # of an absurd shape, which the file is too small for
        array: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    shape = array.shape
    if array.ndim == 4 and 1 in {shape[1], shape[3]}:
        array = array[:, 0] if shape[1] == 1 else array[..., 0]
    elif array.ndim == 2 and frames == 1:
        array = array[None]
    if array.ndim != 3 or array.size == 0:
        raise DataError(f'"{name}" is an array of shape {shape}; the masks of a video are (frames, height, width)')
    if len(array) != frames:
        raise DataError(f'"{name}" is an array of shape {shape}: {len(array)} masks, but its video has {frames} frames')
    if array.shape[1] * array.shape[2] > MOST_PIXELS:
        raise DataError(
            f'"{name}" is an array of shape {shape}; masks of more than {MOST_PIXELS:,} pixels are not read'
        )
    return _pixels(array, name)


def _pixels(array: NDArray[Any], name: str) -> Pictures:
    """The planes of an array of masks or maps as pixels."""
    if array.dtype.kind not in "buif":
        raise DataError(f'"{name}" is an array of {array.dtype}; pass booleans, whole numbers or floats')
    low, high = np.min([plane.min() for plane in array]), np.max([plane.max() for plane in array])  # NaN if one is
    if array.dtype == np.bool_:
        return (plane.astype(np.uint8) * np.uint8(255) for plane in array)
    if np.issubdtype(array.dtype, np.floating):
        if 0 <= low <= high <= 1:
            return (np.rint(plane.astype(np.float64) * HIGHEST[np.uint16]).astype(np.uint16) for plane in array)
        if not (0 <= low <= high <= HIGHEST[np.uint8] and all((plane == np.rint(plane)).all() for plane in array)):
            raise DataError(f'"{name}" is an array of floats from {low} to {high}; a soft map is in [0, 1]')
    if low < 0 or high > HIGHEST[np.uint16]:
        raise DataError(f'"{name}" is an array of values from {low} to {high}; masks are from 0 to 65535')
    kind = np.uint8 if high <= HIGHEST[np.uint8] and array.dtype != np.uint16 else np.uint16
    return (plane.astype(kind) for plane in array)


def _of_video(file: Path, name: str) -> Pictures:
    with opened(file, name) as (container, stream):
        for frame in container.decode(stream):
            check_size(frame.width, frame.height, name, MOST_PIXELS)
            yield frame.to_ndarray(format="gray").astype(np.uint8, copy=False)


def read_runs(file: Path, name: str) -> Mapping[str, Mapping[str, Sequence[Any]]]:
    """Read a JSON file of run lengths.

    It is that of COCO or of its results, whose images are named ``<video>/<frame>``; that of YouTube-VIS results, whose
    videos are named; or simply video → frame → run lengths, or video → a list of them, one for each frame.

    Returns:
        Video → name of the frame → the run lengths of its objects.

    Raises:
        DataError: if it is none of these.
    """
    try:
        content = json.loads(file.read_bytes())
        return _runs(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f'"{name}" is not a JSON file of masks as run lengths: {one_line(error)}') from None


def _runs(content: Any) -> dict[str, dict[str, list[Any]]]:  # noqa: ANN401 - parsed JSON
    found: dict[str, dict[str, list[Any]]] = {}
    if isinstance(content, dict) and "annotations" in content:
        names = {image["id"]: image["file_name"] for image in content["images"]}
        for image in names.values():
            _place(found, image)
        entries = [(names[entry["image_id"]], entry["segmentation"]) for entry in content["annotations"]]
    else:
        entries = list(_results(content) if isinstance(content, list) else _by_name(content))
    for image, runs in entries:
        if not isinstance(image, str):
            raise TypeError(f"image {image!r} is a number; without its file name its video is not known")
        place = _place(found, image)
        if runs is not None:
            place.append(runs)
    return found


def _results(content: list[Any]) -> Iterator[tuple[Any, Any]]:
    """The images and run lengths of a list of results, of images or of videos."""
    for entry in content:
        if "segmentations" in entry:
            for index, runs in enumerate(entry["segmentations"]):
                yield f"{entry['video_id']}/{index:05d}", runs
        else:
            yield entry["image_id"], entry["segmentation"]


def _by_name(content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The images and run lengths of a mapping of videos."""
    for video, masks in content.items():
        listed = masks.items() if isinstance(masks, dict) else ((f"{at:05d}", runs) for at, runs in enumerate(masks))
        for frame, runs in listed:
            objects = runs if isinstance(runs, list) else [runs]
            for each in objects or [None]:
                yield f"{video}/{frame}", each


def _place(found: dict[str, dict[str, list[Any]]], image: str) -> list[Any]:
    video, _, frame = image.replace("\\", "/").rpartition("/")
    return found.setdefault(video, {}).setdefault(frame, [])


def write_runs(frames: Mapping[int, Sequence[Any]], name: str, folder: Path) -> dict[int, Path]:
    """Write the run lengths of a video as images: the union of its objects, in each frame.

    Args:
        frames: frame index → the run lengths of its objects; a frame without any is empty.
        name: the file's name in errors.
        folder: the folder for the images.

    Returns:
        Frame index → image.

    Raises:
        DataError: if they are damaged, of several sizes, or not known to be of any size.
    """
    try:
        written: dict[int, Path] = {}
        height, width = _size_of(frames) if frames else (0, 0)
        for index, objects in frames.items():
            mask = np.zeros((height, width), bool)
            for runs in objects:
                mask |= decode_runs(runs["counts"], height, width)
            written[index] = folder / f"{index:05d}.png"
            write_png(written[index], mask * np.uint8(255))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise DataError(f'"{name}" is not a JSON file of masks as run lengths: {one_line(error)}') from None
    return written


def _size_of(frames: Mapping[int, Sequence[Any]]) -> tuple[int, int]:
    sizes = {tuple(map(int, runs["size"])) for objects in frames.values() for runs in objects}
    if len(sizes) != 1:
        raise ValueError(f"a video has masks of {len(sizes)} sizes" if sizes else "all masks of a video are empty")
    height, width = next(iter(sizes))
    if min(height, width) < 1 or height * width > MOST_PIXELS:
        raise ValueError(f"it has masks of {width}×{height}")
    return height, width


def decode_runs(counts: str | Iterable[int], height: int, width: int) -> NDArray[np.bool_]:
    """Decode the run lengths of a mask.

    Args:
        counts: lengths of runs down the columns, alternately of background and object; or the same as text, in which
            each is the difference to the run before the last, in groups of five bits, the lowest first, with a sixth
            that says whether more follow.
        height: rows.
        width: columns.

    Raises:
        ValueError: if they do not fill the mask.

    >>> decode_runs([1, 2, 1], 2, 2).tolist(), decode_runs("121", 2, 2).tolist()
    ([[False, True], [True, False]], [[False, True], [True, False]])
    """
    lengths = np.array(_lengths(counts) if isinstance(counts, str) else list(counts), np.int64)
    whole = height * width
    if lengths.ndim != 1 or ((lengths < 0) | (lengths > whole)).any() or lengths.sum() != whole:
        raise ValueError(f"runs of {lengths.sum()} pixels do not fill {width}×{height}")
    values = np.arange(lengths.size) % 2 == 1
    return np.repeat(values, lengths).reshape(width, height).T


def _lengths(text: str) -> list[int]:
    lengths: list[int] = []
    value = shift = 0
    for sign in text:
        group = ord(sign) - 48
        if not 0 <= group < 64:
            raise ValueError(f"{sign!r} is not in the alphabet of run lengths")
        value |= (group & 31) << shift
        shift += 5
        if shift > LONGEST:
            raise ValueError("a number is too long")
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("the text ends inside a number")
    return lengths
