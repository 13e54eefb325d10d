"""Sites of results: masks that are not those of a record, folders and ports that others use, and damaged records."""

import shutil
import socket
from pathlib import Path

import pytest

from factories import make_record
from injected import Lab, fault
from toys import TOY
from vosbench.records.store import save
from vosbench.report.site import live
from vosbench.report.site.model import SiteOptions

pytest.importorskip("jinja2", reason="needs the extra site")


def shown(lab: Lab, *more: str) -> list[str]:
    """The words of a site of a record."""
    save(lab.folder / "results", make_record("mynet", {"J_mean": 0.5}, {"v0": {"J_mean": 0.5}}), [])
    return ["report", "--no-published", "--jobs", "1", "--quiet", *lab.data[2:], *more]


@fault("`report`: masks that are not those of a record")
def test_other_masks(lab: Lab) -> None:
    shutil.copytree(lab.root / "masks" / "v0", lab.root / "others" / "v1")
    shutil.copytree(lab.root / "masks" / "v1", lab.root / "others" / "v0")
    lab.done(*lab.score("--jobs", "1", "--out", "results", "--name", "mynet"))
    lab.inject("report", "--no-published", "--jobs", "1", "--quiet", *lab.data[2:], "--masks", "mynet=toy/others")


@fault("`report`: masks of no record")
def test_no_record(lab: Lab) -> None:
    lab.inject(*shown(lab, "--masks", "yournet=toy/masks"))


@fault("`report`: masks of one record from two places")
def test_two_places(lab: Lab) -> None:
    lab.inject(*shown(lab, "--masks", "mynet=toy/masks", "--masks", "mynet=toy/frames"))


@fault("`report`: masks of records of several datasets")
def test_several(lab: Lab) -> None:
    save(lab.folder / "results", make_record("mynet", {"J_mean": 0.5}, dataset="another"), [])
    lab.inject(*shown(lab, "--masks", "mynet=toy/masks"))


@fault("`report --out` is a folder of something else")
def test_folder(lab: Lab) -> None:
    words = shown(lab, "--out", "notes")
    (lab.folder / "notes").mkdir()
    (lab.folder / "notes" / "a.txt").write_text("mine", "utf-8")
    lab.inject(*words)


@fault("`serve`: a port that another program uses")
def test_port(lab: Lab) -> None:
    words = shown(lab)
    lab.setenv("VOSBENCH_CACHE", str(lab.root / "cache"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        lab.inject("serve", *words[1:], "--media", "none", "--port", str(other.getsockname()[1]))


@fault("`serve`: records that are damaged while it runs")
def test_damaged(lab: Lab) -> None:
    shown(lab)
    lab.patch("vosbench.report.site.serve.EVERY", 0.0)
    notes: list[str] = []
    options = SiteOptions(published=False, jobs=1, plugins=(TOY,))
    site = live.live(["results"], Path("results"), Path("site"), options, note=notes.append)
    before = site.content()
    lab.begin()
    (lab.folder / "results" / "toy" / "mynet.json").write_text("{", "utf-8")
    assert site.content() is before
    lab.end("–", notes[-1])
