"""Writing files atomically, hashing them, and which files are looked at."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

LEFTOVERS = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir"}
"""Names, in lower case, that operating systems leave in folders and archives."""


def hidden(name: str) -> bool:
    """Whether a file or folder is not looked at: it starts with a dot, or is a leftover of an operating system.

    >>> hidden(".ipynb_checkpoints"), hidden("__MACOSX"), hidden("Thumbs.db"), hidden("cows")
    (True, True, True, False)
    """
    return name.startswith(".") or name.lower() in LEFTOVERS


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def combined(digests: Iterable[str]) -> str:
    """SHA-256 of several digests, in order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
