"""A contribution is packed, and checked against its masks; what is wrong with it is found."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cards import CARD, card_file
from in_process import call
from vosbench.images import write_png
from vosbench.records import record as records
from vosbench.records.card import MethodCard, read_card, write_card
from vosbench.records.store import find_records

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Change = Callable[[Path], object]


def submit(root: Path, out: Path, *more: str | Path, card: Path | None = None) -> Any:
    words = ("--dataset", "toy", "--root", root, "--plugin", TOY, "--jobs", "1", "--out", out, *more)
    return call("submit", root / "other", "--method-card", card or card_file(root / "card.yaml"), *words)


def verify(root: Path, out: Path, *more: str | Path) -> Any:
    return call("verify", out, "--root", root, "--plugin", TOY, "--jobs", "1", *more)


@pytest.fixture
def other(toy_root: Path) -> Path:
    """The toy dataset, with masks that are a pixel off."""
    for path in (toy_root / "masks").rglob("*.png"):
        mask = np.roll(np.asarray(Image.open(path)), 1, axis=1)
        write_png(toy_root / "other" / path.parent.name / path.name, mask)
    return toy_root


@pytest.fixture
def packed(other: Path, tmp_path: Path) -> Path:
    """A contribution with its masks."""
    done = submit(other, tmp_path / "contribution", "--pack-masks")
    assert done.returncode == 0, done.stderr
    return tmp_path / "contribution"


def test_a_contribution_has_card_record_values_and_thumbnails(other: Path, packed: Path) -> None:
    files = {path.relative_to(packed).as_posix() for path in packed.rglob("*") if path.is_file()}
    thumbnails = {"thumbnails/toy/v0.jpg", "thumbnails/toy/v1.jpg"}
    assert files == {"card.yaml", "toy/mynet.json", "toy/mynet.csv.gz", "masks/toy.zip", *thumbnails}
    record = records.read(packed / "toy" / "mynet.json")
    assert 0.5 < (record.scores["J_mean"] or 0) < 0.95
    assert {row.measure for row in records.read_rows(packed / "toy" / "mynet.csv.gz")} == {"J", "F"}
    with Image.open(packed / "thumbnails" / "toy" / "v0.jpg") as picture:
        assert picture.format == "JPEG"
        assert picture.width == 240
    assert read_card(packed / "card.yaml") == MethodCard.model_validate(CARD)
    done = verify(other, packed)
    assert done.returncode == 0, done.stderr
    assert "MyNet: Doe, MyNet, ICCV 2025" in done.stdout
    assert "toy val: scored again under toy@1|" in done.stdout


def test_masks_may_be_elsewhere(other: Path, tmp_path: Path) -> None:
    out = tmp_path / "contribution"
    assert submit(other, out).returncode == 0
    done = verify(other, out)
    assert done.returncode == 2
    assert "the masks on toy are needed to score them again, and none are packed in it; pass them with" in done.stderr
    assert verify(other, out, "--masks", other / "other").returncode == 0
    done = verify(other, out, "--no-score")
    assert done.returncode == 0
    assert "the masks were not scored again" in done.stdout
    done = verify(other, out, "--masks", other / "masks")
    assert done.returncode == 3
    assert "says that it was of masks " in done.stdout


def changed_record(**changes: object) -> Change:
    def change(folder: Path) -> None:
        path = folder / "toy" / "mynet.json"
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")

    return change


def better_numbers(folder: Path) -> None:
    path = folder / "toy" / "mynet.json"
    told = json.loads(path.read_text("utf-8"))
    told["scores"]["J_mean"] = 0.99
    told["videos"]["v1"]["F_mean"] += 1e-6
    path.write_text(json.dumps(told), "utf-8")


def better_rows(folder: Path) -> None:
    path = folder / "toy" / "mynet.csv.gz"
    records.write_rows(path, [row._replace(value=min(1, row.value + 0.01)) for row in records.read_rows(path)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (better_numbers, "says that scores.J_mean is 0.99; it is 0."),
        (better_numbers, "says that videos.v1.F_mean is "),
        (better_rows, " values are not those of the masks, such as "),
        (changed_record(failed=["v0"]), "is not for a leaderboard: incomplete, since the method failed on 1 video"),
        (
            changed_record(signature="toy@2|J:all|vosbench 0.1.0"),
            "says that it was scored under toy@2|J:all, not toy@1|",
        ),
        (changed_record(method="other"), 'is of the method "other", the card of "mynet"'),
        (lambda folder: (folder / "run.sh").write_text("rm"), "does not belong into a contribution"),
        (lambda folder: (folder / "toy" / "a.py").write_text("1"), "does not belong into a contribution"),
        (lambda folder: os.mkfifo(folder / "thumbnails/toy/v2.jpg"), "is not a file"),
        (lambda folder: (folder / "link").symlink_to("/etc/passwd"), "is a link"),
        (lambda folder: (folder / "thumbnails/toy/v0.jpg").write_bytes(b"<svg>"), "is not a JPEG image"),
        (lambda folder: (folder / "thumbnails/toy/v0.jpg").write_bytes(bytes(70_000)), "is larger than 60000 bytes"),
        (lambda folder: (folder / "toy/mynet.csv.gz").unlink(), "has no values of frames next to it"),
        (lambda folder: (folder / "toy/mynet.json").rename(folder / "toy/net.json"), "should be toy/mynet.json"),
    ],
)
def test_what_is_wrong_is_found(change: Change, said: str, other: Path, packed: Path) -> None:
    change(packed)
    done = verify(other, packed)
    assert done.returncode == 3, done.stdout
    assert said in done.stdout
    assert "is not what it says: " in done.stderr


def test_a_contribution_without_a_record_or_with_a_damaged_one(other: Path, packed: Path) -> None:
    (packed / "toy" / "mynet.json").write_text("{}")
    assert verify(other, packed).returncode == 3
    shutil.rmtree(packed / "toy")
    done = verify(other, packed)
    assert done.returncode == 3
    assert "has no record, <dataset>/mynet.json" in done.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "../evil"}, "cannot name a file: it contains /"),
        ({"url": 'https://example.org/"onclick'}, "url: Value error, links begin with https://"),
        ({"title": "My\u202eNet"}, "title: Value error, invisible characters are not allowed"),
        ({"year": "soon"}, "year: Input should be a valid integer"),
        ({"task": "video"}, "task: Input should be 'unsupervised'"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_cards_are_checked_before_the_work(changes: dict[str, object], said: str, other: Path, tmp_path: Path) -> None:
    done = submit(other, tmp_path / "out", card=card_file(tmp_path / "card.yaml", **changes))
    assert done.returncode == 3
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a: [", b"- 1", b"a: " + b"b" * 70_000, b"[" * 5000])
def test_files_that_are_no_cards(content: bytes, other: Path, tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_bytes(content)
    done = submit(other, tmp_path / "out", card=tmp_path / "card.yaml")
    assert done.returncode == 3
    assert "is not a card: " in done.stderr


def test_datasets_join_a_contribution_but_nothing_else_is_overwritten(
    other: Path, packed: Path, tmp_path: Path
) -> None:
    assert submit(other, packed, "--protocol", "toy-inner").returncode == 0
    assert {path.name for path in (packed / "toy").glob("*.json")} == {"mynet.json", "mynet@toy-inner.json"}
    assert verify(other, packed).returncode == 0
    done = submit(other, packed, card=card_file(tmp_path / "new.yaml", title="Other"))
    assert done.returncode == 2
    assert "says something else than the card" in done.stderr
    assert submit(other, packed, "--overwrite", card=tmp_path / "new.yaml").returncode == 0
    done = submit(other, packed, card=card_file(tmp_path / "new.yaml", method="else"))
    assert 'is the contribution of "mynet"' in done.stderr
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    done = submit(other, tmp_path / "notes")
    assert done.returncode == 2
    assert "is not an earlier contribution" in done.stderr


def test_records_of_contributions_are_found(packed: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(packed, results / "contributions" / "mynet")
    shutil.copytree(packed / "toy", results / "toy")
    (results / "toy" / "mynet.json").rename(results / "toy" / "net.json")
    assert [record.method for record in find_records(results, "toy")] == ["mynet", "mynet"]
    done = call("table", "toy", "--results", results, "--plugin", TOY)
    assert done.stdout.count("mynet") >= 2
    done = call("figure", "videos", "mynet", "--results", results, "--plugin", TOY, "--out", tmp_path / "figure.svg")
    assert done.returncode == 0 or "matplotlib" in done.stderr, done.stderr


def test_the_site_says_what_the_card_does(other: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    card = card_file(tmp_path / "card.yaml", paper="<script>alert(1)</script>", venue="ICCV", notes="three scales")
    assert submit(other, tmp_path / "results" / "contributions" / "mynet", card=card).returncode == 0
    done = call("report", tmp_path / "results", "--out", tmp_path / "site", "--plugin", TOY, "--no-published")
    assert done.returncode == 0, done.stderr
    (page,) = (tmp_path / "site" / "method").glob("mynet-*.html")
    text = page.read_text("utf-8")
    for said in ("ICCV 2025", "DUTS-TR", 'href="https://example.org/mynet"', "&lt;script&gt;alert(1)", "three scales"):
        assert said in text
    assert "<script>alert" not in text


def test_git_takes_contributions() -> None:
    words = ["git", "check-ignore", "-q", "results/contributions/mynet/toy/mynet.json"]
    assert subprocess.run(words, cwd=TOY.parents[2], check=False).returncode != 0


def test_folders_of_ones_own_are_not_for_others(other: Path, tmp_path: Path) -> None:
    card = card_file(tmp_path / "card.yaml")
    (other / "masks").rename(other / "Annotations")
    words = ("--method-card", card, "--out", tmp_path / "out", "--dataset", other)
    done = call("submit", other / "other", *words)
    assert done.returncode == 2
    assert "is a folder of your own" in done.stderr


def test_options_of_contributions_are_not_for_datasets(other: Path) -> None:
    done = call("verify", "toy", "--root", other, "--plugin", TOY, "--no-score")
    assert done.returncode == 2
    assert "are for a contribution" in done.stderr


def test_cards_are_written_as_they_are_read(tmp_path: Path) -> None:
    card = MethodCard.model_validate({**CARD, "title": "Größe: «x» #1", "notes": "- a"})
    write_card(tmp_path / "card.yaml", card)
    assert read_card(tmp_path / "card.yaml") == card
    assert "venue: ICCV\n" in (tmp_path / "card.yaml").read_text("utf-8")
