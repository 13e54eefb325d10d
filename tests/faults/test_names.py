"""Names of records that cannot name a file, and names that are taken."""

import shutil

from injected import Lab, fault


def named(lab: Lab, name: str, *more: str) -> list[str]:
    """The words of scoring under a name."""
    return lab.score("--jobs", "1", "--out", "results", "--name", name, *more)


def other(lab: Lab) -> str:
    """Masks of the toy dataset in which videos are exchanged."""
    shutil.copytree(lab.root / "masks" / "v0", lab.root / "other" / "v1")
    shutil.copytree(lab.root / "masks" / "v1", lab.root / "other" / "v0")
    return "toy/other"


@fault("`--name ../../evil`")
def test_elsewhere(lab: Lab) -> None:
    lab.inject(*named(lab, "../../evil"))


@fault("`--name` with control characters")
def test_control_characters(lab: Lab) -> None:
    lab.inject(*named(lab, "a\x1b[2Jb"))


@fault("`--name` of a hidden file (`.x`)")
def test_hidden(lab: Lab) -> None:
    lab.inject(*named(lab, ".x"))


@fault("`--name` that ends with a dot")
def test_dot(lab: Lab) -> None:
    lab.inject(*named(lab, "a."))


@fault("`--name` that is reserved on Windows (`con`)")
def test_reserved(lab: Lab) -> None:
    lab.inject(*named(lab, "con"))


@fault("`--name` of more than 120 bytes")
def test_long(lab: Lab) -> None:
    lab.inject(*named(lab, "x" * 121))


@fault("a folder of masks that is called so")
def test_folder(lab: Lab) -> None:
    shutil.copytree(lab.root / "masks", lab.root / "con")
    lab.inject(*lab.score("--jobs", "1", "--out", "results", masks="toy/con"))


@fault("`--name F2Net` next to the record of `f2net`")
def test_twins(lab: Lab) -> None:
    lab.done(*named(lab, "f2net"))
    lab.inject(*named(lab, "F2Net"))


@fault("other masks are scored under the name of a record")
def test_other_masks(lab: Lab) -> None:
    lab.done(*named(lab, "masks"))
    lab.inject(*lab.score("--jobs", "1", "--out", "results", "--name", "masks", masks=other(lab)))


@fault("a method is run under the name of other masks")
def test_other_run(lab: Lab) -> None:
    lab.done(*lab.score("--jobs", "1", "--out", "results", "--name", "brightness", masks=other(lab)))
    lab.inject(*lab.run())


@fault("the file of a record is that of another protocol")
def test_other_protocol(lab: Lab) -> None:
    lab.done(*named(lab, "masks", "--protocol", "toy-inner"))
    folder = lab.folder / "results" / "toy"
    (folder / "masks@toy-inner.json").rename(folder / "masks.json")
    lab.inject(*named(lab, "masks"))


@fault("the file of a record is damaged when the record is written")
def test_damaged(lab: Lab) -> None:
    (lab.folder / "results" / "toy").mkdir(parents=True)
    (lab.folder / "results" / "toy" / "masks.json").write_text("{", "utf-8")
    lab.inject(*named(lab, "masks"))
