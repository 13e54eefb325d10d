"""Names of records: refused if they cannot name a file, and apart if what they are of is apart."""

from dataclasses import replace
from pathlib import Path

import pytest

from factories import make_record, write_toy
from toys import toy
from vosbench.dataset import DatasetProtocol, Listed
from vosbench.dataset.selection import Choice, select
from vosbench.errors import UsageError
from vosbench.records.naming import LONGEST, check_name, labels, twin


@pytest.mark.parametrize("name", ["f2net", "model.v1", "epo+", "AD-Net, multiple scales", "雪", "a@b", "x" * LONGEST])
def test_usual_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("../../evil", "contains /"),
        ("/evil", "contains /"),
        ("..\\evil", r"contains \\"),
        ("C:evil", "contains :"),
        ("what?", r"contains \?"),
        (".", "is that of a hidden file"),
        ("..", "is that of a hidden file"),
        (".hidden", "is that of a hidden file"),
        ("Thumbs.db", "is that of a hidden file"),
        ("a\nb", r"invisible character U\+000A"),
        ("a\0b", r"invisible character U\+0000"),
        ("a\x1b[2Jb", r"invisible character U\+001B"),
        ("a\u202eb", r"invisible character U\+202E"),
        ("a\udc80b", r"invisible character U\+DC80"),
        (" a", "starts or ends with a space"),
        ("a.", "ends with a dot"),
        ("con", "reserved"),
        ("COM1.v2", "reserved"),
        ("x" * (LONGEST + 1), "has 121 bytes; at most 120"),
        ("雪" * 41, "has 123 bytes"),
    ],
)
def test_names_that_cannot_name_a_file(name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as error:
        check_name(name)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


def test_names_that_some_file_systems_take_for_one() -> None:
    assert twin("a.json", ["b.json", "a.json"]) is None
    assert twin("Stra\u00dfe", ["STRASSE"]) == "STRASSE"
    assert twin("net\u00e9", ["nete\u0301"]) == "nete\u0301"


def test_labels_tell_records_of_one_method_apart() -> None:
    records = [make_record("a"), make_record("b"), make_record("b", apart="+J")]
    assert labels(records) == ["a", "b", "b+J"]


def test_what_differs_from_the_defaults_is_in_the_name(tmp_path: Path) -> None:
    root = write_toy(tmp_path, videos=2)
    data = toy(splits=("val", "train set/1"))
    other = DatasetProtocol(name="odd/name: 1", measures=("J",))
    choices = {
        "": Choice(),
        "@toy-inner": Choice(protocol="toy-inner"),
        "+limit3": Choice(limit=3),
        "+J": Choice(measures=("J",)),
        "@toy-saliency+MAE-S": Choice(protocol="toy-saliency", measures=("S", "MAE")),
        "+1video-3bfc2695": Choice(videos=("v1",)),
        "+1video-": Choice(videos=("v0",)),
        "+train-set-1-": Choice(split="train set/1"),
        "@odd-name--1-": Choice(protocol=other),
        "@toy-": Choice(protocol=replace(data.protocols[0], tolerance=0.1)),
    }
    found = {name: select(data, replace(choice, root=root), {}).apart for name, choice in choices.items()}
    assert all(apart.startswith(name) for name, apart in found.items()), found
    assert found[""] == ""
    assert len(set(found.values())) == len(found)
    assert all(check_name(f"x{apart}") for apart in found.values())
    all_named = select(data, Choice(root=root, videos=("v1", "v0"), measures=("F", "J"), protocol="toy"))
    assert all_named.apart == ""


def test_missing_annotations_are_in_the_name(tmp_path: Path) -> None:
    root = write_toy(tmp_path, videos=2)
    (root / "masks" / "v1" / "00003.png").unlink()
    data = toy(listing=lambda _: {"v0": Listed(frames=5), "v1": Listed(frames=5)})
    chosen = select(data, Choice(root=root, videos=("v0", "v1")))
    assert chosen.apart.startswith("+without1annotation-")


def test_a_long_difference_is_hashed(tmp_path: Path) -> None:
    root = write_toy(tmp_path, videos=2)
    data = toy(splits=("val", "s" * 90))
    apart = select(data, Choice(root=root, split="s" * 90)).apart
    assert len(apart) == 9
