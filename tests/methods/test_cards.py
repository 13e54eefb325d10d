"""The commands by which the cards reproduce the papers' tables."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from vosbench.method.options import resolve
from vosbench.records.published import canonical, published
from vosbench.registry import load_method

CARDS = Path(__file__).parents[2] / "methods"


def commands(card: str) -> list[tuple[str, list[str]]]:
    """The rows of the table of commands: what it is, and the words of the command."""
    text = (CARDS / card / "README.md").read_text("utf-8").split("## Reproduce")[1].split("\n## ")[0]
    return [
        (row, shlex.split(command))
        for row, command in re.findall(r"^\| (Table [^|]+) \| `([^`]+)` \|$", text, re.MULTILINE)
    ]


@pytest.mark.parametrize(("card", "tables"), [("adnet", ("adnet-1", "adnet-2")), ("f2net", ("f2net-1", "f2net-2"))])
def test_every_row_has_a_command_whose_record_is_that_row(card: str, tables: tuple[str, ...], tmp_path: Path) -> None:
    found = {}
    for row, words in commands(card):
        method, variant = load_method(words[words.index("--method") + 1])
        settings = dict(word.split("=") for flag, word in pairwise(words) if flag == "--set")
        settings = {key: str(tmp_path) if value == "PATH" else value for key, value in settings.items()}
        name = f"{method.name}.{variant}"
        found[canonical(name, resolve(method.name, method.options, settings, variant))] = row
    rows = [{each.method for each in published(table)} for table in tables]
    assert rows[0] <= found.keys() <= rows[0] | rows[1]
