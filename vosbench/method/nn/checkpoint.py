"""One reader for whatever holds weights: any tensors, under whatever names and in whatever containers they lie.

All of a file's dictionaries, lists and objects become one mapping of dotted names, such as
``state_dict.module.conv1.weight``. So a wrapper in the file and a prefix of a name are the same thing, and a network's
weights are found by one rule; see `vosbench.method.nn.weights`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vosbench.errors import DataError
from vosbench.method.nn import torch_files
from vosbench.method.nn.pickles import Object, Value
from vosbench.method.nn.torch_files import Stored
from vosbench.records.provenance import weights_card

HTML = "an HTML page, such as that of a download that asks for a login or a confirmation"
DEPTH = 24
"""Levels of a file's containers that are looked into."""
MODULE = ("_parameters", "_buffers", "_modules")
"""Where a pickled module has its tensors; these levels are not part of their names."""

MAGIC = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"RIFF", "a WebP image or a WAVE or AVI file"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"version https://git-lfs", 'a pointer of Git LFS, not the file; run "git lfs pull"'),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"\x89HDF", "an HDF5 file, as Keras writes them"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "a GGUF file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x00\x00\x00\x18ftyp", "a video"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor of a file.

    Attributes:
        stored: the tensor, possibly not read yet.
        home: the dotted name of the dictionary or module that holds it; ``""`` for the file itself.
    """

    stored: Tensor | Stored
    home: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(self.stored.shape)

    def load(self) -> Tensor:
        """Read it."""
        return self.stored.load() if isinstance(self.stored, Stored) else self.stored


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file of weights holds.

    Attributes:
        path: the file.
        tensors: dotted name → tensor.
        card: what vosbench wrote into the file about its origin; empty if it did not make it.
    """

    path: Path
    tensors: Mapping[str, Held]
    card: Mapping[str, object]

    def load(self, names: Mapping[str, str]) -> dict[str, Tensor]:
        """Read some tensors.

        Args:
            names: the names to give them → their names in the file.

        Raises:
            DataError: if the file is damaged.
        """
        try:
            return {name: self.tensors[theirs].load() for name, theirs in names.items()}
        except (OSError, ValueError, MemoryError) as error:
            raise unreadable(self.path, error) from error


def unreadable(path: Path, error: Exception) -> DataError:
    """The one message about a file that cannot be read."""
    said = " ".join(((error.strerror if isinstance(error, OSError) else "") or str(error)).split())
    ours = said.startswith("it ") or isinstance(error, OSError)
    reason = said if ours else f"it is damaged or cut off ({said or type(error).__name__})"
    return DataError(f'weights "{path}" cannot be read: {reason}')


def read(path: Path) -> Checkpoint:
    """Read a checkpoint; no code in it is run.

    Args:
        path: safetensors, or a file of any version of torch, by whatever name.

    Raises:
        DataError: if it cannot be read, is something else, or holds no tensors.
    """
    try:
        head = _head(path)
        content = _safetensors(path) if is_safetensors(path) else _torch_file(path, head)
        tensors = dict(_flat(content))
        if not tensors:
            raise ValueError("it holds no mapping of names to tensors")  # noqa: TRY301 - reported like the others
    except Exception as error:  # a damaged file may cause almost any
        raise unreadable(path, error) from error
    return Checkpoint(path, tensors, weights_card(path))


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise ValueError("it is a folder")
    with path.open("rb") as file:
        return file.read(1024)


def is_safetensors(path: Path) -> bool:
    """Whether a file is safetensors, by its first bytes: the length of the header, then JSON."""
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < 2**32


def _safetensors(path: Path) -> Value:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = file.read(size)
        rest = path.stat().st_size - 8 - size
    try:
        known = json.loads(header) if rest >= 0 else {}
        ends = [entry["data_offsets"][1] for name, entry in known.items() if name != "__metadata__"]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise ValueError("it is damaged: the header of safetensors is not valid") from None
    if rest < max(ends, default=0):
        raise ValueError("it is cut off: safetensors without all of its bytes")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"it is damaged safetensors ({' '.join(str(error).split())})") from error


def _torch_file(path: Path, head: bytes) -> Value:
    if torch_files.is_zip(head):
        return torch_files.read(path)
    other = _other(head)
    if other:
        raise ValueError(f"it is {other}")
    return torch_files.read(path)


def _other(head: bytes) -> str:
    """What a file is that is not a checkpoint, by its first bytes; ``""`` if it may be a pickle."""
    if not head:
        return "empty"
    start = head.lstrip().lower()
    kinds = (
        *((head.startswith(magic), name) for magic, name in MAGIC),
        (head[257:262] == b"ustar", "a tar archive; unpack it first"),
        (b"<html" in start or start.startswith(b"<!doctype html"), HTML),
        (start.startswith(b"<"), "an XML file"),
        (head.startswith(b"\x80"), ""),
        (_is_text(head), "a JSON file" if start.startswith((b"{", b"[")) else "a text file"),
    )
    return next((name for matches, name in kinds if matches), "neither safetensors nor a file that torch wrote")


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:  # fine if only the last letter is incomplete
        text = head[: error.start].decode("utf-8") if len(head) - error.start < 4 else ""
    return bool(text) and all(letter.isprintable() or letter in "\r\n\t" for letter in text)


def _flat(content: Value) -> Iterator[tuple[str, Held]]:
    """Yield all tensors of containers in their order, each with its dotted name."""
    seen: set[int] = set()
    waiting: list[tuple[str, str | None, Value, int]] = [("", None, content, 0)]
    while waiting:
        name, outer, value, depth = waiting.pop()
        if isinstance(value, (Tensor, Stored)):
            yield name, Held(value, outer or "")
            continue
        children = list(_children(value)) if depth < DEPTH and id(value) not in seen else []
        if children:
            seen.add(id(value))  # what is held twice is one thing; and containers may hold themselves
        home = name if outer is None else outer
        for key, child, is_part in reversed(children):
            inherited = home if is_part or isinstance(child, (Tensor, Stored)) else None
            waiting.append((f"{name}.{key}" if name else key, inherited, child, depth + 1))


def _children(value: Value) -> Iterator[tuple[str, Value, bool]]:
    """Yield the named contents of a container, and whether they belong to the same module as their parent."""
    if isinstance(value, dict):
        yield from ((str(key), child, False) for key, child in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((str(index), child, False) for index, child in enumerate(value))
    elif isinstance(value, Object):
        state = [part for part in (value.state if isinstance(value.state, tuple) else (value.state,)) if part]
        for attributes in (*state, value.entries):
            for key, child in attributes.items() if isinstance(attributes, dict) else ():
                if key in MODULE:
                    yield from ((str(inner), grand, True) for inner, grand in _children_of_part(child))
                else:
                    yield str(key), child, False
        yield from ((str(index), child, False) for index, child in enumerate((*value.args, *value.listed)))


def _children_of_part(part: Value) -> Iterator[tuple[str, Value]]:
    yield from ((str(key), child) for key, child in part.items()) if isinstance(part, dict) else ()
