"""Reading and writing frames, masks and maps; no other package decodes or encodes images."""

from vosbench.images.annotations import Annotation, Box, paths_of, read_annotation, read_numbers, read_objects
from vosbench.images.files import read_mask, read_packed, write_map, write_png
from vosbench.images.frames import read_frame, size

__all__ = [
    "Annotation",
    "Box",
    "paths_of",
    "read_annotation",
    "read_frame",
    "read_mask",
    "read_numbers",
    "read_objects",
    "read_packed",
    "size",
    "write_map",
    "write_png",
]
