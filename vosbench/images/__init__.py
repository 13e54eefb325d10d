"""Frames, masks and maps as files: the only room that decodes or encodes an image."""

from vosbench.images.files import read_frame, read_mask, read_packed, size, write_map, write_png

__all__ = ["read_frame", "read_mask", "read_packed", "size", "write_map", "write_png"]
