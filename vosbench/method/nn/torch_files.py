"""Read torch's files of any version without running code, one tensor at a time.

Two formats exist. Since torch 1.6 a file is a zip archive of a pickle, ``data.pkl``, and an uncompressed entry per
storage. Older ones are a sequence of pickles, followed by the storages.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from vosbench.method.nn import pickles
from vosbench.method.nn.pickles import Maker, Name, Object, Value

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of the older format."""
TYPES = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "Untyped": torch.uint8,
}
DTYPES = {str(dtype): dtype for dtype in TYPES.values()}


@dataclass(slots=True, eq=False)
class Storage:
    """The bytes of one or more tensors, on disk until they are needed.

    Attributes:
        path: the file.
        dtype: of the elements.
        size: number of bytes.
        start: where they begin in the file; −1 if that is not known yet.
        checksum: their CRC-32; 0 if the file has none.
        data: the bytes, once read.
    """

    path: Path
    dtype: torch.dtype
    size: int
    start: int = -1
    checksum: int = 0
    data: bytearray | None = None

    def read(self) -> bytearray:
        """Read the bytes.

        Raises:
            ValueError: if they are cut off or damaged.
        """
        if self.data is None:
            if self.start < 0 or self.start + self.size > self.path.stat().st_size:
                raise ValueError("it is cut off: a tensor is incomplete")
            data = bytearray(self.size)
            with self.path.open("rb") as file:
                file.seek(self.start)
                file.readinto(data)
            if self.checksum and zlib.crc32(data) != self.checksum:
                raise ValueError("it is damaged: the checksum of a tensor differs")
            self.data = data
        return self.data


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor that is not read yet.

    Attributes:
        storage: its bytes.
        dtype: of its elements.
        offset: of the first element.
        shape: as of a tensor.
        stride: as of a tensor.
    """

    storage: Storage
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def load(self) -> Tensor:
        """Read the tensor.

        Raises:
            ValueError: if its bytes are cut off or damaged, or it lies outside of them.
        """
        data = self.storage.read()
        flat = torch.frombuffer(data, dtype=self.dtype) if data else torch.empty(0, dtype=self.dtype)
        elements = 1
        for side in self.shape:
            elements *= side
        if elements > max(flat.numel(), 2**20):
            raise ValueError("it is damaged: a tensor is larger than its bytes")
        try:
            return flat.as_strided(self.shape, self.stride, self.offset)
        except RuntimeError:
            raise ValueError("it is damaged: a tensor lies outside of its bytes") from None


def is_zip(head: bytes) -> bool:
    """Whether a file's first bytes are those of a zip archive."""
    return head.startswith(b"PK\x03\x04")


def read(path: Path) -> Value:
    """Read a file that torch saved; tensors are `Stored`, and objects `vosbench.method.nn.pickles.Object`.

    Raises:
        ValueError: if it is damaged; as of `vosbench.method.nn.pickles.load`, other errors are possible then.
    """
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        return _read_zip(path, file) if is_zip(head) else _read_sequence(path, file)


def _read_zip(path: Path, file: IO[bytes]) -> Value:
    if not zipfile.is_zipfile(file):
        raise ValueError("it is cut off: a zip archive without its end")
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        main = min((name for name in entries if f"/{name}".endswith("/data.pkl")), key=len, default=None)
        if main is None:
            inside = next(iter(entries), "nothing")
            raise ValueError(f"it is a zip archive without a checkpoint (it begins with {inside}); unpack it first")
        folder = main.removesuffix("data.pkl")
        if f"{folder}byteorder" in entries and _entry(path, entries[f"{folder}byteorder"]) == b"big":
            raise ValueError("it was saved on a machine of another byte order")

        def persistent(key: Value) -> Value:
            _, kind, name, _, count = key[:5]
            dtype = _dtype(kind)
            entry = entries[f"{folder}data/{name}"]
            size = count * dtype.itemsize
            if entry.file_size < size:
                raise ValueError("it is damaged: a tensor is incomplete")
            whole = entry.CRC if entry.file_size == size else 0
            return Storage(path, dtype, size, _start(path, entry), whole)

        return pickles.load(_entry(path, entries[main]), MAKERS, persistent)


def _start(path: Path, entry: zipfile.ZipInfo) -> int:
    """Where an entry's bytes begin; its own header says how long the header is."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise ValueError("it was compressed or encrypted after it was saved; unpack it, and save it with torch again")
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(30)
    if len(header) < 30 or not is_zip(header):
        raise ValueError("it is damaged: its archive contradicts itself")
    return entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")


def _entry(path: Path, entry: zipfile.ZipInfo) -> bytes:
    # Not read by zipfile, since torch can save without checksums.
    return bytes(Storage(path, torch.uint8, entry.file_size, _start(path, entry), entry.CRC).read())


def _read_sequence(path: Path, file: IO[bytes]) -> Value:
    first = pickles.load(file, MAKERS)
    if first != MAGIC:
        return first
    pickles.load(file)  # the version of the format
    system = pickles.load(file)
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise ValueError("it was saved on a machine of another byte order")
    storages: dict[Any, Storage] = {}

    def persistent(key: Value) -> Value:
        if key[0] == "module":
            return key[1]
        _, kind, name, _, count, view = (*key, None)[:6]
        dtype = _dtype(kind)
        root = storages.setdefault(name, Storage(path, dtype, count * dtype.itemsize))
        if view is None:
            return root
        raise ValueError("it holds views of storages, as in torch before 0.4; save it with a newer torch")

    content = pickles.load(file, MAKERS, persistent)
    _locate(storages, pickles.load(file), file)
    size = path.stat().st_size
    if any(storage.start < 0 or storage.start + storage.size > size for storage in storages.values()):
        raise ValueError("it is cut off: a tensor is incomplete")
    return content


def _locate(storages: Mapping[Any, Storage], order: Value, file: IO[bytes]) -> None:
    """Find where each storage begins: they follow each other, each after its number of elements."""
    for name in order:
        length = file.read(8)
        if len(length) < 8:
            break
        count = int.from_bytes(length, "little")
        start = file.tell()
        if name in storages:
            storage = storages[name]
            if count * storage.dtype.itemsize < storage.size:
                raise ValueError("it is damaged: a tensor is incomplete")
            storage.start = start
            file.seek(start + count * storage.dtype.itemsize)


def _dtype(kind: Value) -> torch.dtype:
    """The dtype of a storage, by the name of its class or its own."""
    name = kind.name.removesuffix("Storage") if isinstance(kind, Name) else ""
    if isinstance(kind, Name) and name in TYPES:
        return TYPES[name]
    if isinstance(kind, Name) and str(kind) in DTYPES:
        return DTYPES[str(kind)]
    raise ValueError(f"it holds tensors of an unsupported type, {kind}")


def _tensor(storage: Value, offset: int, shape: Value, stride: Value, *rest: Value) -> Value:
    """Stand in for ``torch._utils._rebuild_tensor`` and ``_rebuild_tensor_v2``."""
    del rest
    if not isinstance(storage, Storage):
        raise ValueError("it is damaged: a tensor without bytes")  # noqa: TRY004 - as of any other damage
    sizes, steps = tuple(int(side) for side in shape), tuple(int(step) for step in stride)
    if len(sizes) != len(steps) or min((*sizes, *steps, offset), default=0) < 0:
        raise ValueError("it is damaged: a tensor of an impossible shape")
    return Stored(storage, storage.dtype, offset, sizes, steps)


def _typed_tensor(storage: Value, offset: int, shape: Value, stride: Value, *rest: Value) -> Value:
    """Stand in for ``torch._utils._rebuild_tensor_v3``, whose storages have no type."""
    stored = _tensor(storage, offset, shape, stride)
    return Stored(stored.storage, _dtype(rest[2]), stored.offset, stored.shape, stored.stride)


def _first(value: Value, *rest: Value) -> Value:
    """Stand in for what wraps a tensor, as ``torch._utils._rebuild_parameter`` does."""
    del rest
    return value


def _of_type(rebuild: Value, kind: Value, args: Value, *rest: Value) -> Value:
    """Stand in for ``torch._tensor._rebuild_from_type_v2``, which makes tensors of a subclass."""
    del kind, rest
    maker = MAKERS.get(str(rebuild))
    return maker(*args) if maker else Object(rebuild, tuple(args))


def _dictionary(*args: Value) -> Value:
    """Stand in for an ordered dictionary; very old pickles pass its items."""
    items = args[0] if args and isinstance(args[0], (list, tuple)) else ()
    return {key: value for key, value in items if isinstance(key, pickles.KEYS)}


def _sequence(*args: Value) -> Value:
    return tuple(args[0]) if args and isinstance(args[0], (list, tuple)) else ()


MAKERS: Mapping[str, Maker] = {
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": lambda *_: {},
    "collections.Counter": lambda *_: {},
    "torch.Size": _sequence,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _typed_tensor,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type": _of_type,
    "torch._tensor._rebuild_from_type_v2": _of_type,
    "torch.nn.parameter.Parameter": _first,
}
"""What torch's pickles call → what is called instead; everything else is inert."""
