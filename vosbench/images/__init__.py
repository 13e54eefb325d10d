"""Reading and writing frames, masks and maps; no other package decodes or encodes images."""

from vosbench.images.files import read_frame, read_mask, read_packed, size, write_map, write_png

__all__ = ["read_frame", "read_mask", "read_packed", "size", "write_map", "write_png"]
