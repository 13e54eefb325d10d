"""Damage files, at random and where their formats hurt."""

import bz2
import gzip
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

from fuzz.seeds import chunk

EXTREMES = (0, 1, 2, 3, 7, 8, 16, 127, 128, 254, 255, 256, 257, 2**15, 2**16 - 1, 2**16, 2**24, 2**31 - 1, 2**31)
EXTREMES += (2**32 - 1, 2**32, 2**47, 2**63 - 1, 2**63, 2**64 - 1)
NUMBERS = (*map(str, EXTREMES), "-1", "-99999999999", "9" * 400, "1e999", "0x10", "nan", "", "3.5")
VALUES = (None, True, -1, 0, 3, 0.5, 2**31, 2**63, 2**70, 1e300, "", "a", "../v0", "v0/00000", [], {}, [[]], [[1, 2]])
UNREAD = (ValueError, LookupError, EOFError, OSError, StopIteration, TypeError, NotImplementedError, RuntimeError)
UNREAD += (struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What the mutations of a format raise if a file is no longer of it."""
Mutation = Callable[[bytes, Random], bytes]


def mutated(name: str, data: bytes, random: Random) -> bytes:
    """Damage a file one to three times.

    Args:
        name: of a seed; what stands before ``/`` or after ``.`` is its format.
        data: the file.
        random: what decides; the same state gives the same file.
    """
    kind = name.partition("/")[0] if "/" in name else name.rpartition(".")[2]
    special = BY_KIND.get(kind, [])
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        way = random.choice(special if special and random.random() < 0.6 else GENERAL)
        try:
            data = way(data, random)
        except UNREAD:
            data = overwritten(data, random)  # no longer of its format
    return data


def flipped(data: bytes, random: Random) -> bytes:
    """Some bits are wrong."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 8, 40)) if data else 0):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def overwritten(data: bytes, random: Random) -> bytes:
    """A number is an extreme one."""
    size, order = random.choice((1, 2, 4, 8)), random.choice(("little", "big"))
    number = random.choice(EXTREMES) % 256**size
    at = random.randrange(max(1, len(data) if random.random() < 0.5 else min(len(data), 80)))
    return data[:at] + number.to_bytes(size, "little" if order == "little" else "big") + data[at + size :]


def truncated(data: bytes, random: Random) -> bytes:
    """The end is missing."""
    return data[: random.randrange(len(data) + 1)]


def rearranged(data: bytes, random: Random) -> bytes:
    """A part is missing, doubled, or elsewhere; or there is noise in its place."""
    first, last = sorted(random.randrange(len(data) + 1) for _ in range(2))
    last = min(last, first + random.choice((1, 4, 64, 4096)))
    part, at = data[first:last], random.randrange(len(data) + 1)
    way = random.randrange(4)
    if way == 0:
        return data[:first] + data[last:]
    if way == 1:
        return data[:at] + part + data[at:]
    return data[:first] + (random.randbytes(len(part)) if way == 2 else bytes(len(part))) + data[last:]


GENERAL: list[Mutation] = [flipped, overwritten, truncated, rearranged]


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        found.append((name, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png_chunks(data: bytes, random: Random) -> bytes:
    """A chunk is damaged, though its checksum is right; or missing, doubled, new, or elsewhere."""
    chunks = _chunks(data)
    at = random.randrange(len(chunks))
    name, body = chunks[at]
    way = random.randrange(6)
    if way == 0:
        chunks[at] = (name, random.choice(GENERAL)(body, random))
    elif way == 1:
        del chunks[at]
    elif way == 2:
        chunks.insert(at, chunks[at])
    elif way == 3:
        chunks.insert(random.randrange(len(chunks)), chunks.pop(at))
    elif way == 4:
        new = random.choice(b"eXIf tRNS PLTE zTXt iTXt iCCP acTL fcTL fdAT IDAT abCD".split())
        chunks.insert(at, (new, random.randbytes(random.choice((0, 1, 3, 8, 26, 300)))))
    else:
        chunks[at] = (random.choice((b"IDAT", b"IEND", b"PLTE", bytes(4), random.randbytes(4))), body)
    return data[:8] + b"".join(chunk(*each) for each in chunks)


def png_header(data: bytes, random: Random) -> bytes:
    """Size, depth, colour type or interlacing of a PNG file is another."""
    chunks = _chunks(data)
    at = next(at for at, (name, _) in enumerate(chunks) if name == b"IHDR")
    fields = list(struct.unpack(">IIBBBBB", chunks[at][1]))
    field = random.randrange(7)
    fields[field] = random.choice(EXTREMES) % 2**32 if field < 2 else random.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    chunks[at] = (b"IHDR", struct.pack(">IIBBBBB", *fields))
    return data[:8] + b"".join(chunk(*each) for each in chunks)


def png_stream(data: bytes, random: Random) -> bytes:
    """The rows of a PNG file are damaged before they are deflated; or are many more."""
    chunks = _chunks(data)
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    raw = raw * min(20_000, 2**25 // (len(raw) + 1)) if random.random() < 0.1 else random.choice(GENERAL)(raw, random)
    rest = [each for each in chunks if each[0] != b"IDAT"]
    rest.insert(-1, (b"IDAT", zlib.compress(raw, 1)))
    return data[:8] + b"".join(chunk(*each) for each in rest)


def png_bomb(data: bytes, random: Random) -> bytes:
    """A PNG file of absurd size whose rows are all there, or whose texts are long."""
    chunks = _chunks(data)
    if random.random() < 0.5:
        text = b"a\0\0" + zlib.compress(bytes(2**25))
        chunks.insert(1, random.choice(((b"zTXt", text), (b"iCCP", text), (b"iTXt", b"a\0\1\0\0\0" + text[3:]))))
        return data[:8] + b"".join(chunk(*each) for each in chunks)
    side = random.choice((6000, 12_000, 30_000))
    packer = zlib.compressobj(1)
    rows = [packer.compress(bytes(1 + side // 8)) for _ in range(side if side < 30_000 else 900)]
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    whole = ((b"IHDR", header), (b"IDAT", b"".join([*rows, packer.flush()])), (b"IEND", b""))
    return data[:8] + b"".join(chunk(*each) for each in whole)


def jpeg_segments(data: bytes, random: Random) -> bytes:
    """A segment of a JPEG file has another length, size or table; or another place, or none."""
    starts = [at.start() for at in re.finditer(rb"\xff[\xc0-\xfe]", data)]
    at = random.choice(starts)
    way = random.randrange(4)
    if way == 0:
        return data[: at + 1] + bytes([random.randrange(0xC0, 0xFF)]) + data[at + 2 :]
    if way == 1:
        size = random.choice((1, 2))
        field = at + random.randrange(2, 16)
        return data[:field] + (random.choice(EXTREMES) % 256**size).to_bytes(size, "big") + data[field + size :]
    end = random.choice([start for start in starts if start > at] or [len(data)])
    return data[:at] + data[at:end] * (0 if way == 2 else 2) + data[end:]


def tiff_tags(data: bytes, random: Random) -> bytes:
    """A tag of a TIFF file has another name, type, count or value."""
    order = "<" if data[:1] == b"I" else ">"
    (first,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, first)
    at = first + 2 + 12 * random.randrange(count)
    fields = list(struct.unpack_from(order + "HHII", data, at))
    field = random.randrange(4)
    fields[field] = random.choice(EXTREMES) % 256 ** (2 if field < 2 else 4)
    if random.random() < 0.3:
        fields[field] = random.randrange(20)
    return data[:at] + struct.pack(order + "HHII", *fields) + data[at + 12 :]


def other_number(data: bytes, random: Random) -> bytes:
    """A number in a text is an absurd one."""
    numbers = list(re.finditer(rb"\d+", data))
    found = random.choice(numbers[:4] if random.random() < 0.7 else numbers)
    return data[: found.start()] + random.choice(NUMBERS).encode() + data[found.end() :]


ZIP_FIELDS = {
    b"PK\3\4": (4, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2),
    b"PK\1\2": (4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4),
    b"PK\5\6": (4, 2, 2, 2, 2, 4, 4, 2),
    b"PK\6\6": (4, 8, 2, 2, 4, 4, 8, 8, 8, 8),
    b"PK\6\7": (4, 4, 8, 4),
}


def zip_fields(data: bytes, random: Random) -> bytes:
    """A field of a zip file's headers is an extreme or plausible one."""
    kind = random.choice([sign for sign in ZIP_FIELDS if sign in data])
    at = random.choice([found.start() for found in re.finditer(re.escape(kind), data)])
    sizes = ZIP_FIELDS[kind]
    field = random.randrange(1, len(sizes))
    at, size = at + sum(sizes[:field]), sizes[field]
    number = random.choice((*EXTREMES, 1, 8, 9, 12, 14, 93, 95, 99)) % 256**size
    return data[:at] + number.to_bytes(size, "little") + data[at + size :]


def zip_names(data: bytes, random: Random) -> bytes:
    """A name in a zip file is another of its length: undecodable, hidden, twice there, or leading outside."""
    found = random.choice(list(re.finditer(rb"v\d[/\\]\d{5}\.png", data)))
    length = len(found[0])
    new = random.choice((b"v0/00000.png", b"../../../../", b"/abs/0000.png", b"C:/00000.png", b"\xff" * 12, bytes(12)))
    new = random.choice((new, b"v0/\n\x1b[31m0.png", b"con/aux.png ", random.randbytes(length), b" " * 12))
    new = new.ljust(length, b"x")[:length]
    return data.replace(found[0], new, random.choice((1, -1)))


def zip_entry(data: bytes, random: Random) -> bytes:
    """An entry of a zip file is damaged, though its checksum is right; or inflates to much."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {entry: archive.read(entry) for entry in archive.infolist()}
    chosen = random.choice(list(entries))
    if random.random() < 0.1:
        entries[chosen] += bytes(2**26 + random.choice((-999, 999)))
        chosen.compress_type = zipfile.ZIP_DEFLATED
    else:
        entries[chosen] = mutated(random.choice((chosen.filename, "png/x")), entries[chosen], random)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for entry, body in entries.items():
            archive.writestr(entry, body, compress_type=entry.compress_type)
    return file.getvalue()


TAR_FIELDS = ((0, 100), (100, 8), (108, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (345, 155))


def tar_header(data: bytes, random: Random) -> bytes:
    """A field of a tar file's header is another, though the checksum is right."""
    headers = [at for at in range(0, len(data), 512) if data[at + 257 : at + 262] == b"ustar"]
    at = random.choice(headers)
    header = bytearray(data[at : at + 512])
    start, size = random.choice(TAR_FIELDS)
    choices = (
        b"\x80" + (random.choice(EXTREMES) % 256 ** max(size - 1, 1)).to_bytes(max(size - 1, 1), "big"),
        b"%o" % random.choice(EXTREMES),
        random.choice((b"0", b"1", b"2", b"3", b"5", b"6", b"7", b"g", b"x", b"L", b"K", b"S", b"V", b"\0")),
        random.choice((b"../v0/00000.png", b"/v0/00000.png", b"v0/00000.png", b"v0", b"\xff\xfe.png", b"")),
        random.randbytes(size),
    )
    header[start : start + size] = random.choice(choices).ljust(size, b"\0")[:size]
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return data[:at] + bytes(header) + data[at + 512 :]


PACKERS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gz": (gzip.compress, gzip.decompress),
    "bz2": (bz2.compress, bz2.decompress),
    "xz": (lzma.compress, lzma.decompress),
}


def inside(kind: str) -> Mutation:
    """A compressed tar file is damaged before it is compressed."""

    def change(data: bytes, random: Random) -> bytes:
        pack, unpack = PACKERS[kind]
        return pack(mutated("a.tar", unpack(data), random))

    return change


def inside_zst(data: bytes, random: Random) -> bytes:
    """As `inside`."""
    from backports import zstd

    try:
        return zstd.compress(mutated("a.tar", zstd.decompress(data), random))
    except zstd.ZstdError as error:
        raise ValueError from error


def seven_header(data: bytes, random: Random) -> bytes:
    """The list of a 7z file is damaged, though its checksums are right."""
    offset, size = struct.unpack_from("<QQ", data, 12)
    start = 32 + offset
    listed = random.choice(GENERAL)(data[start : start + size], random)
    begin = struct.pack("<QQI", offset, len(listed), zlib.crc32(listed))
    return data[:8] + struct.pack("<I", zlib.crc32(begin)) + begin + data[32:start] + listed


def npy_header(data: bytes, random: Random) -> bytes:
    """The header of an array has another shape, type or order."""
    (length,) = struct.unpack_from("<H", data, 8)
    header = data[10 : 10 + length].decode("latin1")
    shapes = ("()", "(5,)", "(0, 24, 32)", "(5, 0, 32)", "(5, 24, 32, 1)", "(5, 1, 24, 32)", "(5, 24, 32, 3)")
    shapes += ("(9999999999, 24, 32)", "(5, 2**31, 2**31)", f"(5, {2**31}, {2**31})", "(-1, 24, 32)", "(5.0, 24, 32)")
    shapes += (f"(5, {2**13}, {2**13})", "('a',)", "None", "(" * 300, "(5, 24)", "(5, 1, 1)", f"(5, 1, {2**62})")
    types = ("|O", "|V8", "<U9", "<c16", "<M8[s]", "<f2", ">f8", "|i1", "|S1", "|u9", "<f16", ">u2", "abc", "")
    way = random.randrange(4)
    if way == 0:
        header = re.sub(r"\(.*\)", lambda _: random.choice(shapes), header)
    elif way == 1:
        header = re.sub(r"'descr': '[^']*'", lambda _: f"'descr': '{random.choice(types)}'", header)
    elif way == 2:
        header = header.replace("False", random.choice(("True", "1", "None", "[[]]")))
    else:
        header = random.choice(GENERAL)(header.encode("latin1"), random).decode("latin1")
    start = data[:6] + bytes([random.choice((1, 1, 1, 2, 3, 9)), 0])
    return start + struct.pack("<H", min(len(header), 65535)) + header.encode("latin1") + data[10 + length :]


def json_value(data: bytes, random: Random) -> bytes:
    """A value of a JSON file is another."""
    content = json.loads(data)
    holder: Any = content
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = random.choice(keys)
        if not isinstance(holder[key], (dict, list)) or not holder[key] or random.random() < 0.2:
            break
        holder = holder[key]
    if random.random() < 0.15:
        del holder[key]
    elif isinstance(holder, dict) and random.random() < 0.15:
        holder[random.choice(("../../x", "", "a/b/c", "v0", "\n", "size", "é" * 300, "\ud800"))] = holder.pop(key)
    else:
        holder[key] = random.choice(VALUES)
    text = json.dumps(content)
    return (text if random.random() < 0.9 else "[" * random.choice((99, 99_999)) + text).encode()


_IMAGES: dict[str, list[Mutation]] = {
    "png": [png_chunks, png_chunks, png_header, png_stream, png_bomb],
    "jpeg": [jpeg_segments],
    "tiff": [tiff_tags],
    "bmp": [overwritten],
    "pnm": [other_number],
}
_ARCHIVES: dict[str, list[Mutation]] = {
    "zip": [zip_fields, zip_fields, zip_names, zip_entry],
    "npz": [zip_fields, zip_entry],
    "tar": [tar_header],
    "7z": [seven_header],
    "npy": [npy_header],
    "json": [json_value, json_value, other_number],
    "zst": [inside_zst],
    **{kind: [inside(kind)] for kind in PACKERS},
}
BY_KIND = _IMAGES | _ARCHIVES
