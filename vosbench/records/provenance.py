"""Where a number comes from: the day, the source, the packages, the files."""

import json
import os
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

MOST_HEAD = 2**27
"""Bytes of a safetensors file's head, at most; what claims more is another file."""
STAMP = "vosbench"
"""The entry of a safetensors file's metadata, JSON, in which vosbench says how it made the file."""
PACKAGES = ("numpy", "opencv-python", "pillow", "scipy", "torch")


def today() -> str:
    """The day, UTC; that of ``SOURCE_DATE_EPOCH`` if it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.strftime("%Y-%m-%d")


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that numbers depend on; they are looked up once."""
    return dict(_versions())


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = []
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def source_state() -> tuple[str | None, bool | None]:
    """The git commit of vosbench's source and whether tracked files differ; (None, None) outside a checkout."""
    folder = Path(__file__).resolve().parents[1]
    if not (folder.parent / ".git").exists():
        return None, None
    try:
        commit = _git(folder, "rev-parse", "HEAD").strip()
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".", "../methods", "../datasets")
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return commit, bool(changed.strip())


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603, S607


def weights_card(path: Path) -> dict[str, Any]:
    """What vosbench wrote into a safetensors file about its weights; empty for a file that it has not made.

    Only the head of the file is read, and neither torch nor safetensors is needed.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            head = json.loads(file.read(size)) if size < MOST_HEAD else {}
        found = json.loads(head["__metadata__"][STAMP])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
