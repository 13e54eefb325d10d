"""Downloads that are something else, change, are damaged or interrupted."""

import io
import shutil
import signal
import tarfile
import time
import zipfile
from collections.abc import Iterator

import pytest

import mirrors
from in_process import call
from injected import Lab, fault
from mirrors import CONTENT, Server, serving
from vosbench.engine.locks import locked

FETCHED = """
import toy
from dataclasses import replace
from vosbench.dataset import Download

fetched = replace(toy.toy, name="fetched", downloads=(Download(name="{name}", mirrors=("{url}",), {more}),))
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def fetch(lab: Lab, server: Server, path: str, name: str = "toy.zip", more: str = "") -> list[str]:
    """The words of fetching a dataset whose only mirror serves something."""
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    plugin = lab.plugin(FETCHED.format(name=name, url=url, more=more), f"of{path.replace('/', '_')}.py")
    return ["fetch", "fetched", *lab.data[4:], "--plugin", str(plugin), "--to", "data", "--accept-licence", "--quiet"]


def archive(lab: Lab, server: Server, data: bytes, name: str = "toy.zip") -> None:
    """Fetch an archive of these bytes."""
    lab.patch(mirrors, "CONTENT", data)
    lab.inject(*fetch(lab, server, "/toy.zip", name))


def tarred(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar file with one entry that is empty."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "../target" if kind == tarfile.SYMTYPE else ""
        file.addfile(info)
    return buffer.getvalue()


@fault("`fetch` gets a page")
def test_page(lab: Lab, server: Server) -> None:
    lab.inject(*fetch(lab, server, "/page"))


@fault("`fetch` gets another file")
def test_other_file(lab: Lab, server: Server) -> None:
    lab.inject(*fetch(lab, server, "/bad.zip"))


@fault("`fetch` gets nothing")
def test_gone(lab: Lab, server: Server) -> None:
    lab.inject(*fetch(lab, server, "/gone"))


@fault("`fetch` gets a wrong size")
def test_size(lab: Lab, server: Server) -> None:
    lab.inject(*fetch(lab, server, "/toy.zip", more="size=1000"))


@fault("`fetch` gets a wrong checksum")
def test_checksum(lab: Lab, server: Server) -> None:
    lab.inject(*fetch(lab, server, "/toy.zip", more=f"checksum='sha256:{'0' * 64}'"))


@fault("a download is no longer what was first downloaded")
def test_changed(lab: Lab, server: Server) -> None:
    lab.done(*fetch(lab, server, "/toy.zip"))
    (lab.folder / "data" / "toy.zip").unlink()
    lab.inject(*fetch(lab, server, "/other/toy.zip"))


@fault("an archive that `fetch` downloads is cut off")
def test_cut(lab: Lab, server: Server) -> None:
    archive(lab, server, CONTENT[: len(CONTENT) // 2])


@fault("an archive that `fetch` downloads leads outside")
def test_outside(lab: Lab, server: Server) -> None:
    archive(lab, server, mirrors.zipped({"../../evil.bin": b"evil"}))


@fault("an archive that `fetch` downloads holds links")
def test_links(lab: Lab, server: Server) -> None:
    archive(lab, server, tarred("link", tarfile.SYMTYPE), "toy.tar")


@fault("an archive that `fetch` downloads holds devices")
def test_devices(lab: Lab, server: Server) -> None:
    archive(lab, server, tarred("device", tarfile.CHRTYPE), "toy.tar")


@fault("an archive that `fetch` downloads unpacks to too much")
def test_bomb(lab: Lab, server: Server) -> None:
    lab.patch("vosbench.dataset.unpack.SMALL", 1_000_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.txt", bytes(2_000_000))
    archive(lab, server, buffer.getvalue())


@fault("the disk is full when `fetch` unpacks")
def test_full(lab: Lab, server: Server) -> None:
    usage = shutil.disk_usage(lab.folder)._replace(free=1000)
    lab.patch(shutil, "disk_usage", lambda _: usage)
    lab.inject(*fetch(lab, server, "/toy.zip"))


@fault("a second `fetch` into the same folder")
def test_second(lab: Lab, server: Server) -> None:
    lab.begin()
    with locked(lab.folder / "data"):
        done = call(*fetch(lab, server, "/toy.zip"))
    lab.end(done.returncode, done.stderr)


def sent(lab: Lab, server: Server, name: signal.Signals) -> None:
    """Send a signal in the middle of a download; the same command then resumes."""
    words = fetch(lab, server, "/slow/toy.zip")
    process = lab.process(*words)
    assert server.waiting.wait(20)
    part = lab.folder / "data" / ".toy.zip.part"
    while not (part.is_file() and part.stat().st_size):
        time.sleep(0.01)
    process.send_signal(name)
    lab.ended(process)
    server.proceed.set()
    lab.done(*words)
    assert server.asked[-1][1] is not None
    assert {path.name for path in (lab.folder / "data").iterdir()} == {"toy", "toy.zip", "toy.zip.sha256"}


@fault("`fetch` is interrupted (Ctrl-C)")
def test_interrupted(lab: Lab, server: Server) -> None:
    sent(lab, server, signal.SIGINT)


@pytest.mark.slow
@fault("`fetch` is terminated (SIGTERM)")
def test_terminated(lab: Lab, server: Server) -> None:
    sent(lab, server, signal.SIGTERM)


@pytest.mark.slow
@fault("`fetch` is killed (SIGKILL)")
def test_killed(lab: Lab, server: Server) -> None:
    sent(lab, server, signal.SIGKILL)
