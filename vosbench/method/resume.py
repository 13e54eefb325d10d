"""Folders of maps that resume: a card next to the maps lists everything that they depend on."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from vosbench.errors import DataError, UsageError, one_line
from vosbench.files import content, hidden, write_new, write_whole
from vosbench.method.method import HEEDED, Method, Setup
from vosbench.method.options import resolve
from vosbench.method.sources import digest
from vosbench.records import provenance

LATER = ("threads",)
"""What cards of earlier versions do not tell; their maps are kept, and their records do not tell it either."""


def card_of(method: Method, setup: Setup) -> dict[str, object]:
    """Everything that the maps of a video depend on, besides its frames: equal cards mean equal maps."""
    untrained = setup.weights is None and method.needs_weights
    options = resolve(method.name, method.options, setup.options, setup.variant)
    return {
        "weights": digest(setup.weights) if setup.weights else None,
        "untrained": untrained,
        "seed": setup.seed if untrained else None,
        **{name: getattr(setup, name) if name in method.heeds else None for name in HEEDED},
        "threads": setup.threads,
        "options": options,
        "files": {key: content(Path(options[key])) for key in options if method.options[key].path and options[key]},
        "packages": provenance.package_versions(),
    }


def open_folder(path: Path, card: Mapping[str, object], old: Iterable[Path], *, overwrite: bool) -> dict[str, object]:
    """Start or resume a folder of maps.

    Args:
        path: of the card.
        card: what the maps depend on.
        old: maps and states, to be discarded if they are of another card; looked at only then.
        overwrite: discard them, instead of refusing.

    Returns:
        the card, with the day on which the folder was started.

    Raises:
        UsageError: if there is another card.
        DataError: if the card is damaged.
    """
    if path.is_file():
        found = read_card(path)
        differing = [key for key, value in card.items() if found.get(key, value if key in LATER else None) != value]
        if not differing:
            return found
        if not overwrite:
            key = differing[0]
            raise UsageError(
                f'"{path.parent}" contains maps of another run ({key} was {found.get(key)}, now {card[key]}); '
                "choose another --out, or discard them with --overwrite"
            )
        for each in [*old]:
            if each.is_file() and not hidden(each.parent.name):
                each.unlink()
    started = {**card, "date": provenance.today()}
    if path.is_file():
        write_card(path, started)
    elif not write_new(path, _text(started)):  # another shard of the run was first
        return open_folder(path, card, old, overwrite=overwrite)
    return started


def keep_frames(path: Path, card: Mapping[str, object], frames: Mapping[str, str], *, overwrite: bool) -> None:
    """Note which frames the maps of a folder are of, one hash for each video.

    Args:
        path: of the card.
        card: the card.
        frames: video → hash of its frames.
        overwrite: discard the maps of videos that had other frames, instead of refusing.

    Raises:
        UsageError: if there are maps of other frames.
    """
    noted = card.get("frames")
    known: Mapping[str, str] = noted if isinstance(noted, dict) else {}
    for video in [video for video in frames if known.get(video, frames[video]) != frames[video]]:
        if not overwrite:
            raise UsageError(
                f'"{path.parent}" contains maps of other frames of "{video}", perhaps of another dataset of that name; '
                "choose another --out, or discard them with --overwrite"
            )
        for old in path.with_name(video).iterdir():
            old.unlink()
    write_card(path, {**card, "frames": {**known, **frames}})


def write_card(path: Path, card: Mapping[str, object]) -> None:
    """Write a card."""
    write_whole(path, _text(card), durable=True)


def _text(card: Mapping[str, object]) -> bytes:
    return (json.dumps(card, indent=2) + "\n").encode()


def read_card(path: Path, of: str = "maps") -> dict[str, object]:
    """Read a card.

    Args:
        path: of the card.
        of: what is next to it, for the message.

    Raises:
        DataError: if it is damaged.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f'"{path}" is damaged ({one_line(error)}); delete it and the {of} next to it') from None
    if not isinstance(found, dict):
        raise DataError(f'"{path}" is damaged: it is not a mapping; delete it and the {of} next to it')
    return found
