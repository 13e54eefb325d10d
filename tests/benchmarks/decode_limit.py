"""The limit of decoding PNG files: read, inflate by zlib-ng into memory that is kept, and unfilter, both in C.

Nothing that decodes the same files can be faster than this, but for what it leaves out: whoever knows what pixels look
like, such as two values only, need not unfilter them byte by byte. A worker, see `turns`.
"""

import ctypes
import json
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("unfilter.c")


def compiled(folder: Path) -> Path | None:
    """Compile the filters with the C compiler at hand; None if there is none."""
    compiler = shutil.which("cc")
    library = folder / "unfilter.so"
    if compiler is None:
        return None
    subprocess.run([compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    return library


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of a PNG's chunks."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def decode(path: Path, library: Any, memory: bytearray, inflate: Any) -> None:
    """Decode a grey or palette image of at most 8 bits, not interlaced."""
    found = list(chunks(path.read_bytes()))
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", found[0][1])
    assert colour in {0, 3}
    assert not interlaced
    stride = (width * bits + 7) // 8
    parts = [content for kind, content in found if kind == b"IDAT"]
    out = memoryview(memory)[: height * (stride + 1)]
    inflate(parts[0] if len(parts) == 1 else b"".join(parts), out=out)
    rows = (ctypes.c_char * len(out)).from_buffer(out)
    assert not library.unfilter(rows, ctypes.c_size_t(height), ctypes.c_size_t(stride))


def task(library: Path, decoded: Iterable[Path], read: Iterable[Path] = ()) -> dict[str, Any]:
    """What to ask a worker: files to decode, and files to read alone."""
    return {"library": str(library), "decoded": [*map(str, decoded)], "read": [*map(str, read)]}


def main() -> None:
    from imagecodecs import zlibng_decode

    memory = bytearray(2**24)
    for line in sys.stdin:
        wanted = json.loads(line)
        library = ctypes.CDLL(wanted["library"])
        decoded, read = ([Path(name) for name in wanted[which]] for which in ("decoded", "read"))
        start = time.process_time()
        for path in decoded:
            decode(path, library, memory, zlibng_decode)
        for path in read:
            path.read_bytes()
        answer = {"seconds": time.process_time() - start, "scores": {}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
