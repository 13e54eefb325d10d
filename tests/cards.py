"""The card of a method, as `vosbench submit` takes it."""

from pathlib import Path

import yaml

CARD = {
    "method": "mynet",
    "title": "MyNet",
    "paper": "Doe, MyNet, ICCV 2025",
    "year": 2025,
    "venue": "ICCV",
    "task": "unsupervised",
    "training": "DUTS-TR",
    "contact": "jane.doe@example.org",
    "code": "https://example.org/mynet",
}


def card_file(path: Path, **changes: object) -> Path:
    """Write the card with some lines changed; those of None are left out."""
    said = {name: value for name, value in {**CARD, **changes}.items() if value is not None}
    path.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    return path
