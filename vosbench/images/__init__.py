"""Reading and writing frames, masks and maps; no other package decodes or encodes images."""

from vosbench.images.files import read_mask, read_packed, write_map, write_png
from vosbench.images.frames import read_frame, size

__all__ = ["read_frame", "read_mask", "read_packed", "size", "write_map", "write_png"]
