"""Files that once did harm, as code, since they differ from whole files in a few bytes: they are always tried.

Most were found by `mutations`; the others are what a clever enemy would make, and chance does not.
"""

import bz2
import gzip
import io
import json
import re
import struct
import tarfile
import zipfile
import zlib

import numpy as np

from fuzz import seeds


def files() -> dict[str, bytes]:
    """Damaged files by name; all are refused."""
    return {**_images(), **_archives(), **_stacks()}


def large() -> dict[str, bytes]:
    """Whole images about as large as masks and frames may be, whose colours were copied in 32 bits a channel."""
    return {f"png/{side}": _flat(side) for side in (5700, 8100)}


def tagged(data: bytes, tag: int, count: int, value: int) -> bytes:
    """A TIFF file, of little endian, with another count and value of a tag."""
    (first,) = struct.unpack_from("<I", data, 4)
    (length,) = struct.unpack_from("<H", data, first)
    at = next(
        at for at in range(first + 2, first + 2 + 12 * length, 12) if struct.unpack_from("<H", data, at) == (tag,)
    )
    return data[: at + 4] + struct.pack("<II", count, value) + data[at + 8 + 4 :]


def _images() -> dict[str, bytes]:
    whole = seeds.images()
    grey, colour = whole["tiff/L"], whole["tiff/RGB"]
    jpeg = whole["jpeg/progressive"]
    last = jpeg.rindex(b"\xff\xda")
    return {
        "tiff/samples": tagged(colour, 277, 1, 7),  # Pillow logged an error, which was printed
        "tiff/three widths": tagged(grey, 256, 3, 32),  # Pillow warned, and the warning was printed
        "tiff/tall": tagged(grey, 257, 1, 2**20),  # rows without pixels were read as black
        "tiff/wide and tall": tagged(tagged(colour, 256, 1, 2**12), 257, 1, 2**13),  # likewise, in a gigabyte
        "jpeg/scans": jpeg[:last] + jpeg[last:-2] * 900 + jpeg[-2:],  # seconds a megapixel for a few hundred KB
    }


def _flat(side: int) -> bytes:
    packer = zlib.compressobj(1)
    row = b"\0" + b"\x80\0\0" * side
    stream = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = seeds.chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + seeds.chunk(b"IDAT", stream) + seeds.chunk(b"IEND", b"")


def _archives() -> dict[str, bytes]:
    entries = seeds.masks()
    first = next(iter(entries))
    nameless = seeds.zipped(entries).replace(first.encode(), bytes(len(first)))
    bomb = bz2.compress(bytes(2**25))
    return {
        "no name.zip": nameless,  # IndexError of zipfile
        "control.zip": seeds.zipped(entries | {"v0/0000\x11.png": entries[first]}),  # in the message, as such
        "bzip2.zip": _with_stream(entries, first, bomb),  # all at once, whatever size was declared
        "pax.tar.gz": gzip.compress(_header_of(tarfile.XHDTYPE, 2**33)),  # read whole
        "name.tar.bz2": bz2.compress(_header_of(tarfile.GNUTYPE_LONGNAME, 2**33)),  # likewise
    }


def _with_stream(entries: dict[str, bytes], name: str, stream: bytes) -> bytes:
    """A zip file with an entry of another, bzip2-compressed stream."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each, data in entries.items():
            archive.writestr(each, stream if each == name else data)
        archive.getinfo(name).compress_type = zipfile.ZIP_BZIP2
        archive.getinfo(name).file_size = len(entries[name])
    return file.getvalue().replace(b"PK\3\4\x14\0\0\0\0\0", b"PK\3\4\x14\0\0\0\x0c\0", 1)


def _header_of(kind: bytes, size: int) -> bytes:
    entry = tarfile.TarInfo("v0/00000.png")
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT) + bytes(2**20)


def _stacks() -> dict[str, bytes]:
    maps = np.stack([seeds.MASK / np.float32(255)] * seeds.FRAMES)
    maps[3, 0, 0] = np.nan
    file = io.BytesIO()
    np.save(file, maps)
    absurd = re.sub(rb"\(5, 24, 32\), \}  ", b"(5, 24, %d), }" % 2**62, file.getvalue()[:-9])
    runs = seeds.runs()
    large = {"size": [5000, 5000], "counts": [25_000_000]}
    return {
        "nan.npy": file.getvalue(),  # NaN was cast to a whole number, as it was not in the first mask
        "absurd.npy": absurd,  # NumPy warned of an overflow
        "digits.json": json.dumps({"v0": [{"size": [24, 32], "counts": "o" * 2_000_000}] * 5}).encode(),  # hours
        "frames.json": json.dumps(runs | {"v0": [large] * 5000}).encode(),  # all written before one was matched: hours
    }
