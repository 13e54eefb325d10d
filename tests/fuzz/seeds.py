"""Whole files of every kind that is read, and some that are not: what `mutations` damages."""

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import warnings
import zipfile
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

HEIGHT, WIDTH = 24, 32
"""Of the toy dataset."""
VIDEOS, FRAMES = ("v0", "v1"), 5
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
RANDOM = np.random.default_rng(7)
GREY = RANDOM.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
MASK = np.zeros((HEIGHT, WIDTH), np.uint8)
MASK[6:15, 9:22] = 255


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(header: tuple[int, ...], raw: bytes, *extra: bytes) -> bytes:
    """A PNG file of an IHDR, deflated rows, and chunks before them."""
    ihdr = chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    return b"\x89PNG\r\n\x1a\n" + ihdr + b"".join(extra) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def rows(pixels: np.ndarray, depth: int = 8) -> bytes:
    """Unfiltered rows of a PNG file."""
    bits = np.unpackbits(pixels[..., None], axis=2)[..., 8 - depth :].reshape(len(pixels), -1)
    return b"".join(b"\0" + row.tobytes() for row in np.packbits(bits, axis=1))


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture.save(file, kind, **options)
    return file.getvalue()


def turned() -> Image.Exif:
    """Metadata of an image that lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    return exif


def images() -> dict[str, bytes]:
    """Image files by name."""
    grey, colour = Image.fromarray(GREY), Image.fromarray(COLOUR)
    palette = Image.fromarray(MASK // 255)
    palette.putpalette([0, 0, 0, 128, 0, 0])
    wide = Image.fromarray(GREY.astype(np.uint16) * 200)
    whole = {"1": Image.fromarray(MASK > 0), "L": grey, "P": palette, "RGB": colour, "I;16": wide}
    found = {f"png/{mode}": saved(image, "PNG") for mode, image in whole.items()}
    found |= {f"png/{mode}": saved(colour.convert(mode), "PNG") for mode in ("RGBA", "LA")}
    found["png/mask"] = saved(Image.fromarray(MASK), "PNG")
    header = (WIDTH, HEIGHT, 8, 0, 0, 0)
    for depth in (1, 2, 4):
        found[f"png/grey {depth}"] = png((WIDTH, HEIGHT, depth, 0, 0, 0, 0), rows(GREY >> (8 - depth), depth))
    passes = (MASK[y::down, x::right] for x, y, right, down in ADAM7)
    found["png/interlaced"] = png((*header, 1), b"".join(rows(each) for each in passes))
    filtered = b"".join(bytes([y % 5]) + row.tobytes() for y, row in enumerate(GREY))
    found["png/filtered"] = png((*header, 0), filtered)
    found["png/transparent"] = png((*header, 0), rows(MASK), chunk(b"tRNS", b"\0\0"))
    found["png/turned"] = saved(colour, "PNG", exif=turned())
    texts = PngInfo()
    texts.add_text("a", "b" * 60, zip=True)
    texts.add_itxt("c", "d", zip=True)
    found["png/texts"] = saved(grey, "PNG", pnginfo=texts)
    found["png/animated"] = saved(grey, "PNG", save_all=True, append_images=[grey.rotate(90)])
    found |= {f"jpeg/{mode}": saved(colour.convert(mode), "JPEG") for mode in ("L", "RGB", "CMYK")}
    found["jpeg/progressive"] = saved(colour, "JPEG", progressive=True)
    found["jpeg/turned"] = saved(colour, "JPEG", exif=turned(), subsampling=0)
    found["jpeg/mpo"] = saved(colour, "MPO", save_all=True, append_images=[colour])
    found |= {f"bmp/{mode}": saved(image, "BMP") for mode, image in whole.items() if mode != "I;16"}
    found |= {f"pnm/{mode}": saved(image, "PPM") for mode, image in whole.items() if mode in {"1", "L", "RGB"}}
    found["pnm/16 bits"] = f"P5 {WIDTH} {HEIGHT} 65535\n".encode() + (GREY.astype(">u2") * 200).tobytes()
    for kind, pixels in ((1, MASK // 255), (2, GREY), (3, COLOUR)):
        numbers = " ".join(map(str, pixels.ravel()))
        found[f"pnm/plain {kind}"] = (
            f"P{kind}\n# made by hand\n{WIDTH} {HEIGHT}\n{'255 ' * (kind > 1)}{numbers}\n".encode()
        )
    found |= _tiffs(whole)
    found |= {f"other/{kind}": saved(colour, kind) for kind in ("EPS", "GIF", "WEBP", "ICO", "JPEG2000", "TGA")}
    found["other/svg"] = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    return found


def _tiffs(whole: dict[str, Image.Image]) -> dict[str, bytes]:
    found = {f"tiff/{mode}": saved(image, "TIFF") for mode, image in whole.items()}
    for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        found[f"tiff/{kind}"] = saved(whole["RGB"], "TIFF", compression=kind)
    found["tiff/group4"] = saved(whole["1"], "TIFF", compression="group4")
    found["tiff/floats"] = saved(Image.fromarray(GREY.astype(np.float32) / 255), "TIFF")
    found["tiff/integers"] = saved(Image.fromarray(GREY.astype(np.int32)), "TIFF")
    found["tiff/pages"] = saved(whole["L"], "TIFF", save_all=True, append_images=[whole["L"]])
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112] = 6
    found["tiff/turned"] = saved(whole["RGB"], "TIFF", tiffinfo=tags)
    return found


def masks() -> dict[str, bytes]:
    """The masks of the toy dataset by their names in an archive."""
    pictures = [np.roll(MASK, 2 * frame, axis=1) for frame in range(FRAMES)]
    return {
        f"{video}/{frame:05d}.png": saved(Image.fromarray(pictures[frame]), "PNG")
        for video in VIDEOS
        for frame in range(FRAMES)
    }


def archives(folder: Path) -> dict[str, bytes]:
    """Archives and other files of masks by name; their suffix is that of the name. Those of extras, if installed."""
    entries = masks()
    found = _zips(entries) | _tars(entries) | _stacks(folder)
    if find_spec("py7zr") is not None:
        import py7zr

        file = io.BytesIO()
        with py7zr.SevenZipFile(file, "w") as archive:
            for name, data in entries.items():
                archive.writestr(data, name)
        found["a.7z"] = file.getvalue()
    return found


def _zips(entries: dict[str, bytes]) -> dict[str, bytes]:
    kinds = {"stored": 0, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}
    found = {f"{name}.zip": zipped(entries, method) for name, method in kinds.items()}
    found["streamed.zip"] = zipped(entries, zipfile.ZIP_DEFLATED, streamed=True)
    found["large.zip"] = zipped(entries, 0, large=True)
    some = dict(list(entries.items())[2:])
    odd = {"./v0/00000.png": "v0/00000.png", "v0\\00001.png": "v0/00001.png"}
    found["spelled.zip"] = zipped({name: entries[usual] for name, usual in odd.items()} | some)
    for name, path in {"absolute": "/v0/00009.png", "above": "../v0/00009.png", "accents": "v0/é\u4e00.png"}.items():
        found[f"{name}.zip"] = zipped(entries | {path: entries["v0/00000.png"]})
    found["nested.zip"] = zipped({"inner.zip": zipped(entries), "v0/notes.txt": b"notes"} | entries)
    found["array.npz.zip"] = zipped({f"{video}.npz": _npz() for video in VIDEOS})
    link = zipfile.ZipInfo("v0/00007.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    file = io.BytesIO(zipped(entries))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(link, "00000.png")
    found["linked.zip"] = file.getvalue()
    return found


def zipped(entries: dict[str, bytes], method: int = 0, *, streamed: bool = False, large: bool = False) -> bytes:
    """A zip file, if need be with data descriptors, or with the fields of large files."""

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += data
            return len(data)

    file: Any = Stream() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            with archive.open(entry, "w", force_zip64=large) as target:
                target.write(data)
    return bytes(file.data) if streamed else file.getvalue()


def _tars(entries: dict[str, bytes]) -> dict[str, bytes]:
    found = {"ustar.tar": tarred(entries, tarfile.USTAR_FORMAT), "gnu.tar": tarred(entries, tarfile.GNU_FORMAT)}
    found["pax.tar"] = plain = tarred(entries, tarfile.PAX_FORMAT, comment="é" * 200)
    found["links.tar"] = tarred(entries, tarfile.PAX_FORMAT, special=True)
    found["long.tar"] = tarred({f"{'deep/' * 40}{name}": data for name, data in entries.items()}, tarfile.GNU_FORMAT)
    found |= {"a.tar.gz": gzip.compress(plain), "a.tar.bz2": bz2.compress(plain), "a.tar.xz": lzma.compress(plain)}
    if find_spec("backports") is not None and find_spec("backports.zstd") is not None:
        from backports import zstd

        found["a.tar.zst"] = zstd.compress(plain)
    return found


def tarred(entries: dict[str, bytes], kind: int, comment: str = "", *, special: bool = False) -> bytes:
    """A tar file, if need be with links and devices."""
    file = io.BytesIO()
    headers = {"comment": comment} if comment else {}
    with tarfile.open(fileobj=file, mode="w", format=kind, pax_headers=headers) as archive:
        for name, data in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            if comment:
                entry.pax_headers = {"mtime": "1.5", "comment": comment}
            archive.addfile(entry, io.BytesIO(data))
        links = {
            tarfile.SYMTYPE: "00000.png",
            tarfile.LNKTYPE: "v0/00000.png",
            tarfile.CHRTYPE: "",
            tarfile.FIFOTYPE: "",
        }
        for number, (link, target) in enumerate(links.items() if special else ()):
            entry = tarfile.TarInfo(f"v0/0000{5 + number}.png" if target else f"v0/device{number}")
            entry.type, entry.linkname = link, target
            archive.addfile(entry)
    return file.getvalue()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, masks=np.stack([MASK] * FRAMES))
    return file.getvalue()


def _stacks(folder: Path) -> dict[str, bytes]:
    """Files of all masks: they are those of both videos, as two files in a zip or as one JSON file."""
    found = {"runs.json": json.dumps(runs()).encode(), "coco.json": json.dumps(coco()).encode()}
    kinds = {"bool": MASK > 0, "float": MASK / np.float32(255), "wide": MASK.astype(np.int64), "fortran": MASK.T}
    for name, plane in kinds.items():
        stack = np.stack([plane] * FRAMES)
        file = io.BytesIO()
        np.save(file, stack.transpose(0, 2, 1) if name == "fortran" else stack)
        found[f"{name}.npy"] = file.getvalue()
    found["a.npz"] = _npz()
    if find_spec("av") is not None:
        found |= {f"a.{kind}": _video(folder / f"seed.{kind}", codec) for kind, codec in VIDEO_CODECS.items()}
    return found


VIDEO_CODECS = {"mp4": "mpeg4", "avi": "mjpeg", "mkv": "ffv1"}


def _video(path: Path, codec: str) -> bytes:
    import av

    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=5)
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = {"mjpeg": "yuvj420p", "ffv1": "gray"}.get(codec, "yuv420p")
        for _ in range(FRAMES):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(MASK, "gray")))
        file.mux(stream.encode())
    return path.read_bytes()


COUNTS = [9 * 24 + 6, 9] + [15, 9] * 12 + [(WIDTH - 22) * 24 + 9]
"""Run lengths of `MASK`."""


def runs() -> dict[str, Any]:
    """Run lengths by video and frame."""
    mask = {"size": [HEIGHT, WIDTH], "counts": COUNTS}
    return {video: {f"{frame:05d}": [mask] for frame in range(FRAMES)} for video in VIDEOS}


def coco() -> dict[str, Any]:
    """Run lengths as COCO's annotation files have them."""
    names = [f"{video}/{frame:05d}.png" for video in VIDEOS for frame in range(FRAMES)]
    listed = [{"id": number, "file_name": name, "height": HEIGHT, "width": WIDTH} for number, name in enumerate(names)]
    mask = {"size": [HEIGHT, WIDTH], "counts": COUNTS}
    return {"images": listed, "annotations": [{"image_id": at, "segmentation": mask} for at in range(len(names))]}
