"""Forms in which people have masks: encodings of pixels, names of files, and containers."""

import io
import json
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import py7zr
from backports import zstd
from numpy.typing import NDArray
from PIL import Image

Mask = NDArray[np.bool_]
Masks = Mapping[str, Sequence[Mask]]
Files = dict[str, bytes]


def saved(pixels: NDArray[Any] | Image.Image, suffix: str = "png", **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    target = io.BytesIO()
    kind = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "tif": "TIFF", "pgm": "PPM", "ppm": "PPM", "pbm": "PPM"}[suffix]
    image.save(target, kind, **options)
    return target.getvalue()


def levels(mask: Mask, background: int, level: int) -> NDArray[np.uint8]:
    return np.where(mask, level, background).astype(np.uint8)


def parts(mask: Mask, values: Sequence[int]) -> NDArray[np.uint8]:
    """The object in several parts, left to right, each with a value of its own."""
    columns = np.linspace(0, len(values), mask.shape[1], endpoint=False).astype(int)
    return np.where(mask, np.array(values)[columns], 0).astype(np.uint8)


def coloured(mask: Mask, colours: Sequence[tuple[int, int, int]]) -> NDArray[np.uint8]:
    return np.array([(0, 0, 0), *colours], np.uint8)[parts(mask, range(1, len(colours) + 1))]


def palette(indices: NDArray[np.uint8], colours: Sequence[int]) -> Image.Image:
    image = Image.fromarray(indices)
    image.putpalette(list(colours))
    return image


def soft(mask: Mask, low: int, middle: int, high: int) -> NDArray[np.int64]:
    """A map with many values: the background is up to the middle, the object above."""
    noise = (np.arange(mask.size).reshape(mask.shape) * 37) % 101 / 100
    return np.where(mask, middle + 1 + noise * (high - middle - 1), low + noise * (middle - low)).astype(np.int64)


DAVIS = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
GREYS = [level for level in range(256) for _ in range(3)]

Encoding = tuple[str, Callable[[Mask], bytes]]
"""A suffix, and how a mask becomes the file."""

SURE: dict[str, Encoding] = {
    "0 and 255": ("png", lambda m: saved(levels(m, 0, 255))),
    "0 and 1": ("png", lambda m: saved(levels(m, 0, 1))),
    "0 and 2": ("png", lambda m: saved(levels(m, 0, 2))),
    "0 and 38": ("png", lambda m: saved(levels(m, 0, 38))),
    "3 and 9": ("png", lambda m: saved(levels(m, 3, 9))),
    "200 and 210": ("png", lambda m: saved(levels(m, 200, 210))),
    "0 and 254": ("png", lambda m: saved(levels(m, 0, 254))),
    "bilevel": ("png", saved),
    "ids": ("png", lambda m: saved(parts(m, (1, 2)))),
    "many ids": ("png", lambda m: saved(parts(m, range(1, 12)))),
    "greys of colours": ("png", lambda m: saved(parts(m, (38, 75)))),
    "white": ("png", lambda m: saved(coloured(m, [(255, 255, 255)]))),
    "dark red": ("png", lambda m: saved(coloured(m, [(128, 0, 0)]))),
    "blue": ("png", lambda m: saved(coloured(m, [(0, 0, 255)]))),
    "colours of ids": ("png", lambda m: saved(coloured(m, [(128, 0, 0), (0, 128, 0), (1, 0, 0)]))),
    "dark grey in colour": ("png", lambda m: saved(coloured(m, [(1, 1, 1)]))),
    "opaque colour": ("png", lambda m: saved(Image.fromarray(coloured(m, [(255, 255, 255)])).convert("RGBA"))),
    "opaque grey": ("png", lambda m: saved(Image.fromarray(levels(m, 0, 255)).convert("LA"))),
    "palette": ("png", lambda m: saved(palette(levels(m, 0, 1), DAVIS))),
    "palette of ids": ("png", lambda m: saved(palette(parts(m, (1, 2, 3)), DAVIS))),
    "palette of few bits": ("png", lambda m: saved(palette(parts(m, (1, 3)), DAVIS), bits=2)),
    "palette 0 and 255": ("png", lambda m: saved(palette(levels(m, 0, 255), GREYS))),
    "palette without colours": ("png", lambda m: saved(palette(levels(m, 0, 1), [0] * 768))),
    "palette, white first": ("png", lambda m: saved(palette(levels(m, 1, 0), [255, 255, 255, 0, 0, 0]))),
    "palette, red first": ("png", lambda m: saved(palette(levels(m, 1, 0), [200, 0, 0, 0, 0, 0]))),
    "quantized": ("png", lambda m: saved(Image.fromarray(levels(m, 0, 255)).convert("RGB").quantize(2))),
    "quantized colour": ("png", lambda m: saved(Image.fromarray(coloured(m, [(9, 90, 9)])).quantize(2))),
    "palette of a soft map": ("png", lambda m: saved(palette(soft(m, 0, 127, 255).astype(np.uint8), GREYS))),
    "16 bits": ("png", lambda m: saved(m * np.uint16(65535))),
    "16 bits, 0 and 1": ("png", lambda m: saved(m * np.uint16(1))),
    "16 bits, 0 and 255": ("png", lambda m: saved(m * np.uint16(255))),
    "16 bits, ids": ("png", lambda m: saved(parts(m, (1, 2)).astype(np.uint16))),
    "soft map": ("png", lambda m: saved(soft(m, 0, 127, 255).astype(np.uint8))),
    "sharp soft map": ("png", lambda m: saved(soft(m, 100, 127, 160).astype(np.uint8))),
    "soft map of 16 bits": ("png", lambda m: saved(soft(m, 0, 32767, 65535).astype(np.uint16))),
    "JPEG": ("jpg", lambda m: saved(levels(m, 0, 255), "jpg", quality=95)),
    "JPEG in colour": ("jpg", lambda m: saved(coloured(m, [(255, 255, 255)]), "jpg", quality=95)),
    "BMP": ("bmp", lambda m: saved(levels(m, 0, 255), "bmp")),
    "BMP, bilevel": ("bmp", lambda m: saved(m, "bmp")),
    "TIFF": ("tif", lambda m: saved(levels(m, 0, 255), "tif")),
    "TIFF, compressed": ("tif", lambda m: saved(levels(m, 0, 1), "tif", compression="tiff_lzw")),
    "TIFF of floats": ("tif", lambda m: saved(m.astype(np.float32), "tif")),
    "PGM": ("pgm", lambda m: saved(levels(m, 0, 255), "pgm")),
    "PBM": ("pbm", lambda m: saved(m, "pbm")),
    "PPM": ("ppm", lambda m: saved(coloured(m, [(0, 128, 0)]), "ppm")),
}
"""Encodings that are read without options."""

UNSURE: dict[str, Encoding] = {
    "ids and void": ("png", lambda m: saved(parts(m, (1, 255)))),
    "three greys": ("png", lambda m: saved(parts(m, (60, 250)))),
    "faint JPEG": ("jpg", lambda m: saved(levels(m, 0, 38), "jpg")),
    "faint map of 16 bits": ("png", lambda m: saved(soft(m, 0, 127, 255).astype(np.uint16))),
    "colour on white": ("ppm", lambda m: saved(255 - coloured(m, [(255, 0, 0), (0, 90, 0)]), "ppm")),
    "picture": ("png", lambda m: saved(np.stack([soft(m, 0, 127, 255)] * 2 + [soft(m, 0, 9, 99)], 2).astype(np.uint8))),
    "transparent": ("png", lambda m: saved(np.dstack([coloured(m, [(255,) * 3]), levels(m, 0, 255)]))),
    "GIF called PNG": ("png", lambda m: b"GIF89a" + saved(levels(m, 0, 255))[6:]),
    "floats beyond 1": ("tif", lambda m: saved(m.astype(np.float32) * 7, "tif")),
}
"""Encodings that could be meant in several ways, or are no masks: refused."""

Naming = Callable[[str, int, str], str]
"""Video, frame counted from 0, suffix → path."""

NAMINGS: dict[str, Naming] = {
    "frames": lambda v, t, s: f"{v}/{t:05d}.{s}",
    "few digits": lambda v, t, s: f"{v}/{t}.{s}",
    "from 1": lambda v, t, s: f"{v}/{t + 1:05d}.{s}",
    "from 1, few digits": lambda v, t, s: f"{v}/{t + 1:03d}.{s}",
    "word before": lambda v, t, s: f"{v}/frame_{t:05d}.{s}",
    "word after": lambda v, t, s: f"{v}/{t:05d}_mask.{s}",
    "number after": lambda v, t, s: f"{v}/{t:05d}_object1.{s}",
    "glued": lambda v, t, s: f"{v}/img{t}.{s}",
    "upper case": lambda v, t, s: f"{v.upper()}/{t:05d}.{s.upper()}",
    "video before": lambda v, t, s: f"{v}/{v}_{t:05d}.{s}",
    "flat": lambda v, t, s: f"{v}_{t:05d}.{s}",
    "flat, dashes": lambda v, t, s: f"{v}-{t:04d}.{s}",
    "deep": lambda v, t, s: f"results/480p/{v}/{t:05d}.{s}",
    "deeper": lambda v, t, s: f"{v}/masks/{t:05d}.{s}",
    "every fifth": lambda v, t, s: f"{v}/{100 + 5 * t}.{s}",
}


def to_folder(files: Files, target: Path) -> Path:
    for name, data in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return target


def to_linked_folder(files: Files, target: Path) -> Path:
    """Folders that are links, one of which leads back."""
    real = to_folder(files, target.with_name(f"{target.name}-real"))
    target.mkdir()
    for entry in real.iterdir():
        (target / entry.name).symlink_to(entry)
    (real / "back").symlink_to(target)
    (target / "again").symlink_to(target)
    (target / ".ipynb_checkpoints").mkdir()
    for name, data in list(files.items())[:1]:
        (target / ".ipynb_checkpoints" / os.path.basename(name)).write_bytes(data)  # noqa: PTH119
    return target


def to_zip(files: Files, target: Path, method: int = zipfile.ZIP_DEFLATED, spell: Callable[[str], str] = str) -> Path:
    path = target.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("__MACOSX/._x.png", b"")
        for name, data in files.items():
            entry = zipfile.ZipInfo("spelled below")
            entry.filename, entry.compress_type = spell(name), method
            archive.writestr(entry, data)
    return path


def to_tar(files: Files, target: Path, mode: str) -> Path:
    path = target.with_suffix(f".tar.{mode}" if mode else ".tar")
    with tarfile.open(path, f"w:{mode}") as archive:
        add_all(archive, files)
    return path


def add_all(archive: tarfile.TarFile, files: Files) -> None:
    for name, data in files.items():
        entry = tarfile.TarInfo(f"./{name}")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))


def to_zst(files: Files, target: Path) -> Path:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        add_all(archive, files)
    path = target.with_suffix(".tar.zst")
    path.write_bytes(zstd.compress(plain.getvalue()))
    return path


def to_seven(files: Files, target: Path) -> Path:
    path = target.with_suffix(".7z")
    with py7zr.SevenZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return path


def to_lzma(files: Files, target: Path) -> Path:
    path = target.with_suffix(".tar.lzma")
    plain = to_tar(files, target, "")
    path.write_bytes(lzma.compress(plain.read_bytes(), lzma.FORMAT_ALONE))
    plain.unlink()
    return path


CONTAINERS: dict[str, Callable[[Files, Path], Path]] = {
    "folder": to_folder,
    "folder of links": to_linked_folder,
    "zip": to_zip,
    "zip, stored": lambda files, target: to_zip(files, target, zipfile.ZIP_STORED),
    "zip, bzip2": lambda files, target: to_zip(files, target, zipfile.ZIP_BZIP2),
    "zip, lzma": lambda files, target: to_zip(files, target, zipfile.ZIP_LZMA),
    "zip with dots": lambda files, target: to_zip(files, target, spell=lambda name: f"./a/..//{name}"),
    "zip of Windows": lambda files, target: to_zip(files, target, spell=lambda name: name.replace("/", "\\")),
    "tar": lambda files, target: to_tar(files, target, ""),
    "tar.gz": lambda files, target: to_tar(files, target, "gz"),
    "tar.xz": lambda files, target: to_tar(files, target, "xz"),
    "tar.lzma": to_lzma,
    "tar.zst": to_zst,
    "7z": to_seven,
}

ARRAYS: dict[str, Callable[[NDArray[np.bool_]], NDArray[Any]]] = {
    "booleans": lambda stack: stack,
    "bytes": lambda stack: stack * np.uint8(255),
    "ones": lambda stack: stack.astype(np.int64),
    "floats": lambda stack: stack.astype(np.float64),
    "halves": lambda stack: (stack * 0.4 + 0.3).astype(np.float16),
    "whole floats": lambda stack: stack * np.float32(255),
    "a channel": lambda stack: stack[:, None].astype(np.uint16),
    "a last channel": lambda stack: stack[..., None].astype(np.int32) * 3,
    "by columns": np.asfortranarray,
}
"""Stacks of masks (T, H, W)."""


def array_file(stack: NDArray[Any], kind: str) -> bytes:
    target = io.BytesIO()
    if kind == "npy":
        np.save(target, stack)
    else:
        np.savez_compressed(target, masks=stack)
    return target.getvalue()


def run_lengths(mask: Mask) -> list[int]:
    """Uncompressed run lengths, as pycocotools counts them."""
    flat = np.concatenate([[False], mask.T.ravel(), [not mask.T.ravel()[-1]]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], ends]))
    return counts.tolist()


def compressed(counts: Sequence[int]) -> str:
    text = ""
    for at, count in enumerate(counts):
        value = int(count) - (int(counts[at - 2]) if at > 2 else 0)
        while True:
            group, value = value & 31, value >> 5
            more = value != (-1 if group & 16 else 0)
            text += chr((group | 32 * more) + 48)
            if not more:
                break
    return text


def runs_of(mask: Mask, *, as_text: bool) -> dict[str, Any]:
    counts = run_lengths(mask)
    return {"size": list(mask.shape), "counts": compressed(counts) if as_text else counts}


def json_forms(masks: Masks) -> dict[str, str]:
    """The same masks in each form of JSON that is read."""
    named = {v: {f"{t:05d}": runs_of(m, as_text=True) for t, m in enumerate(ms)} for v, ms in masks.items()}
    listed = {v: [runs_of(m, as_text=False) for m in ms] for v, ms in masks.items()}
    images = [
        {"id": 100 * at + t, "file_name": f"{v}/{t:05d}.jpg"}
        for at, (v, ms) in enumerate(masks.items())
        for t in range(len(ms))
    ]
    whole = [m for ms in masks.values() for m in ms]
    annotations = [
        {"image_id": image["id"], "segmentation": runs_of(part, as_text=bool(at))}
        for image, mask in zip(images, whole, strict=True)
        for at, part in enumerate(halves(mask))
    ]
    return {
        "video, frame": json.dumps(named),
        "video, list": json.dumps(listed),
        "COCO": json.dumps({"images": images, "annotations": annotations}),
        "COCO results": json.dumps(
            [
                {"image_id": f"{v}/{t:05d}", "segmentation": runs_of(m, as_text=True)}
                for v, ms in masks.items()
                for t, m in enumerate(ms)
            ]
        ),
        "YouTube-VIS results": json.dumps(
            [{"video_id": v, "segmentations": [runs_of(m, as_text=True) for m in ms]} for v, ms in masks.items()]
        ),
    }


def halves(mask: Mask) -> tuple[Mask, Mask]:
    left = mask.copy()
    left[:, mask.shape[1] // 2 :] = False
    return left, mask & ~left


def video_file(masks: Sequence[Mask], path: Path) -> Path:
    """A lossless video of masks."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "0", "preset": "ultrafast"})
        stream.height, stream.width = masks[0].shape
        stream.pix_fmt = "gray"
        for mask in masks:
            frame = av.VideoFrame.from_ndarray(levels(mask, 0, 255), format="gray")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path
