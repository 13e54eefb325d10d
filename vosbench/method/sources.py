"""What ``--weights`` names: a file, an entry of a file, or a file for each part of a network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vosbench.errors import UsageError
from vosbench.files import combined, sha256

PART = re.compile(r"([A-Za-z_][\w.]*)=(.+)", re.DOTALL)
SEPARATOR = re.compile(r",(?=[A-Za-z_][\w.]*=)")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of weights.

    Attributes:
        path: the file.
        part: the part of the network that it is for, such as ``"encoder"``; ``""`` for all of it.
        entry: which of several networks in the file; ``""`` if there is only one.
    """

    path: Path
    part: str = ""
    entry: str = ""


def sources(weights: Path) -> tuple[Source, ...]:
    """Find the files that ``--weights`` names.

    Args:
        weights: a file; ``file#entry``, to choose one of several networks in a file; or ``encoder=file,decoder=file``,
            a file for each part of the network. A file of that very name comes first.

    Raises:
        UsageError: if a file does not exist, or a part is named twice.
    """
    if weights.is_file():
        return (Source(weights),)
    found = [_source(text) for text in SEPARATOR.split(str(weights))]
    parts = [source.part for source in found]
    twice = next((part for part in parts if parts.count(part) > 1), None)
    if twice is not None:
        raise UsageError(f'"{weights}" names two files for the part "{twice}"')
    return tuple(found)


def joined(weights: Path | Mapping[str, Path]) -> Path:
    """Weights as `sources` reads them: a file, or a file for each part.

    >>> str(joined({"encoder": Path("a.pt"), "decoder": Path("b.pt")}))
    'encoder=a.pt,decoder=b.pt'
    """
    return (
        Path(",".join(f"{part}={path}" for part, path in weights.items())) if isinstance(weights, Mapping) else weights
    )


def _source(text: str) -> Source:
    named = PART.fullmatch(text)
    part, rest = (named[1], named[2]) if named and not Path(text).is_file() else ("", text)
    path, entry = Path(rest), ""
    if not path.is_file() and "#" in rest:
        before, _, entry = rest.rpartition("#")
        path = Path(before)
    if path.is_dir():
        raise UsageError(f'the weights "{path}" are a folder, not a file')
    if not path.is_file():
        raise UsageError(f'the weights "{path}" do not exist')
    return Source(path, part, entry)


def digest(weights: Path) -> str:
    """A SHA-256 of what ``--weights`` names: the file's, or one of all files, parts and entries together."""
    found = sources(weights)
    if len(found) == 1 and not found[0].part and not found[0].entry:
        return _digest(found[0].path)
    return combined(f"{source.part}={_digest(source.path)}#{source.entry}" for source in found)


def _digest(path: Path) -> str:
    status = path.stat()
    return _digest_of(path, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest_of(path: Path, *_state: int) -> str:
    """A plan asks for the hash of the same large file again and again."""
    return sha256(path)
