"""Contributions that are not what they should be."""

import json
import shutil
from pathlib import Path

from cards import card_file
from injected import Lab, fault


def submit(lab: Lab, out: str = "contribution", card: Path | None = None, **changes: object) -> list[str]:
    """The words of submitting the toy masks, with a card of which some lines are changed."""
    if card is None:
        card = card_file(lab.folder / "card.yaml", **changes)
    more = ("--method-card", str(card), "--jobs", "1", "--out", out)
    return ["submit", "toy/masks", *lab.data, *more]


@fault("`submit`: a card that is missing")
def test_no_card(lab: Lab) -> None:
    lab.inject(*submit(lab, card=Path("nowhere.yaml")))


@fault("`submit`: a card that is not YAML")
def test_no_yaml(lab: Lab) -> None:
    (lab.folder / "card.yaml").write_text("a: [", "utf-8")
    lab.inject(*submit(lab, card=Path("card.yaml")))


@fault("`submit`: a card that is incomplete")
def test_incomplete_card(lab: Lab) -> None:
    lab.inject(*submit(lab, paper=None))


@fault("`submit`: a card with a link that is not https")
def test_link(lab: Lab) -> None:
    lab.inject(*submit(lab, code="javascript:alert(1)"))


@fault("`submit`: a mask is missing")
def test_mask(lab: Lab) -> None:
    shutil.copytree(lab.root / "masks", lab.root / "others")
    (lab.root / "others" / "v1" / "00002.png").unlink()
    words = submit(lab)
    words[1] = "toy/others"
    lab.inject(*words)


@fault("`submit`: the folder holds something else")
def test_folder(lab: Lab) -> None:
    (lab.folder / "notes").mkdir()
    (lab.folder / "notes" / "a.txt").write_text("mine", "utf-8")
    lab.inject(*submit(lab, "notes"))


@fault("`submit`: the folder holds the contribution of another method")
def test_other(lab: Lab) -> None:
    lab.done(*submit(lab))
    lab.inject(*submit(lab, method="else"))


@fault("`verify`: numbers of a contribution that are not what scoring gives")
def test_numbers(lab: Lab) -> None:
    lab.done(*submit(lab))
    path = lab.folder / "contribution" / "toy" / "mynet.json"
    told = json.loads(path.read_text("utf-8"))
    told["scores"]["J_mean"] = 0.99
    path.write_text(json.dumps(told), "utf-8")
    lab.inject("verify", "contribution", *lab.data[2:], "--masks", "toy/masks", "--jobs", "1")


@fault("`verify`: a file in a contribution that does not belong there")
def test_file(lab: Lab) -> None:
    lab.done(*submit(lab))
    (lab.folder / "contribution" / "run.sh").write_text("rm", "utf-8")
    lab.inject("verify", "contribution", *lab.data[2:], "--masks", "toy/masks", "--jobs", "1")
