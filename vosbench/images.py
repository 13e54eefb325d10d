"""Read and write frames, masks and maps: the only module that touches image files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vosbench.errors import DataError


def read_frame(path: Path) -> NDArray[np.uint8]:
    """Read a video frame.

    Args:
        path: any image file that OpenCV reads.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        DataError: where the file is missing or is no image.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise DataError(f'frame "{path}" cannot be read as an image; copy it again from the dataset')
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def size(path: Path) -> tuple[int, int]:
    """Read the (height, width) of an image from its header alone.

    Raises:
        DataError: where the file is missing or is no image.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f'"{path}" cannot be read as an image; copy it again from the dataset') from error
