import hashlib
import io
import os
import random
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mirrors import CONTENT, OTHER, Handler, Server, serving, zipped
from vosbench.dataset import Dataset, Download
from vosbench.dataset.fetch import fetch
from vosbench.engine.locks import locked
from vosbench.errors import DataError, UsageError
from vosbench.registry import load_dataset

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def toy(
    server: Server, *paths: str, checksum: str | None = None, name: str = "toy.zip", size: int | None = None
) -> Dataset:
    mirrors = tuple(f"http://127.0.0.1:{server.server_address[1]}{path}" for path in paths)
    download = Download(name=name, mirrors=mirrors, checksum=checksum, size=size)
    return replace(load_dataset("toy", [TOY]), downloads=(download,), licence="for tests only.")


SHA = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


def test_fetched_checked_and_unpacked(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    fetch(toy(server, "/toy.zip", checksum=SHA), tmp_path, accepted=True, advance=lambda *at: seen.append(at))
    assert (tmp_path / "toy" / "frames" / "a.txt").stat().st_size == 300_000
    assert seen[-1] == ("toy.zip", len(CONTENT), len(CONTENT))


def test_the_next_mirror_is_tried(server: Server, tmp_path: Path) -> None:
    fetch(toy(server, "/gone", "/toy.zip", checksum=SHA), tmp_path, accepted=True)
    assert [path for path, _ in server.asked] == ["/gone", "/toy.zip"]


def test_an_interrupted_download_resumes(server: Server, tmp_path: Path) -> None:
    fetch(toy(server, "/short/toy.zip", "/toy.zip", checksum=SHA), tmp_path, accepted=True)
    (_, first), (_, second) = server.asked
    assert first is None
    assert second is not None
    assert int(second.removeprefix("bytes=").removesuffix("-")) > 0
    assert (tmp_path / "toy.zip").read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not be fetched from any mirror"):
        fetch(toy(server, "/toy.zip", checksum="md5:" + "0" * 32), tmp_path, accepted=True)
    assert not (tmp_path / "toy").exists()


def test_a_file_that_is_not_an_archive(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"bad\.zip: it is not an archive"):
        fetch(toy(server, "/bad.zip", name="bad.zip"), tmp_path, accepted=True)
    assert not list(tmp_path.iterdir())


def test_a_page_is_discarded_and_the_next_mirror_asked(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"/page: it is an HTML page, not toy\.zip; open it in a browser to see why"):
        fetch(toy(server, "/page"), tmp_path, accepted=True)
    assert not list(tmp_path.iterdir())
    fetch(toy(server, "/page", "/toy.zip"), tmp_path, accepted=True)
    assert (tmp_path / "toy" / "frames" / "a.txt").read_bytes() == b"x" * 300_000


def test_a_published_size_is_checked(server: Server, tmp_path: Path) -> None:
    fetch(toy(server, "/toy.zip", size=len(CONTENT)), tmp_path / "right", accepted=True)
    with pytest.raises(DataError, match=f"it has {len(CONTENT):,} bytes; 1,000 are published"):
        fetch(toy(server, "/toy.zip", size=1000), tmp_path / "wrong", accepted=True)
    assert not list((tmp_path / "wrong").iterdir())


def test_connections_are_encrypted(server: Server, tmp_path: Path) -> None:
    download = Download(name="toy.zip", mirrors=("http://example.invalid/toy.zip",))
    dataset = replace(load_dataset("toy", [TOY]), downloads=(download,))
    with pytest.raises(DataError, match=r"\(https://example\.invalid/toy\.zip: "):
        fetch(dataset, tmp_path, accepted=True)
    with pytest.raises(DataError, match=r"InvalidSchema: http://example\.invalid/toy\.zip is not encrypted"):
        fetch(toy(server, "/away/toy.zip"), tmp_path, accepted=True)


@pytest.mark.parametrize("left", [b"<html>no", OTHER[:1000], OTHER, CONTENT + b"more", b""])
def test_bad_parts_are_not_reused(server: Server, tmp_path: Path, left: bytes) -> None:
    (tmp_path / ".toy.zip.part").write_bytes(left)
    fetch(toy(server, "/toy.zip", checksum=SHA if left == OTHER else None), tmp_path, accepted=True)
    assert (tmp_path / "toy" / "frames" / "a.txt").read_bytes() == b"x" * 300_000
    assert (tmp_path / "toy.zip").read_bytes() == CONTENT


def test_the_first_download_is_remembered(server: Server, tmp_path: Path) -> None:
    fetch(toy(server, "/toy.zip"), tmp_path, accepted=True)
    assert (tmp_path / "toy.zip.sha256").read_text() == f"{hashlib.sha256(CONTENT).hexdigest()}  toy.zip\n"
    fetch(toy(server, "/toy.zip"), tmp_path, accepted=True)
    assert len(server.asked) == 1
    (tmp_path / "toy.zip").unlink()
    with pytest.raises(DataError, match=r"it has changed since it was first downloaded \(sha256:.+, was sha256:"):
        fetch(toy(server, "/other/toy.zip"), tmp_path, accepted=True)
    assert (tmp_path / "toy" / "frames" / "a.txt").read_bytes() == b"x" * 300_000
    fetch(toy(server, "/other/toy.zip", "/toy.zip"), tmp_path, accepted=True)
    (tmp_path / "toy.zip").write_bytes(OTHER)
    with pytest.raises(DataError, match=r'toy\.zip": it has changed since it was first downloaded'):
        fetch(toy(server, "/toy.zip"), tmp_path, accepted=True)
    (tmp_path / "toy.zip.sha256").unlink()
    fetch(toy(server, "/toy.zip"), tmp_path, accepted=True)
    assert (tmp_path / "toy" / "frames" / "a.txt").read_bytes() == b"y" * 300_000


def test_a_published_checksum_is_not_remembered(server: Server, tmp_path: Path) -> None:
    (tmp_path / "toy.zip").write_bytes(OTHER)  # of an older version
    fetch(toy(server, "/toy.zip", checksum=SHA), tmp_path, accepted=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy", "toy.zip"]
    assert (tmp_path / "toy.zip").read_bytes() == CONTENT


def test_one_fetch_per_folder(server: Server, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(DataError, match=f"is in use by process {os.getpid()} on .+ since"):
        fetch(toy(server, "/toy.zip"), tmp_path, accepted=True)
    assert not server.asked


def test_a_full_disk_is_not_the_mirrors_fault(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match="No space left on device"):
        fetch(toy(server, "/toy.zip", "/toy.zip"), tmp_path, accepted=True)
    assert len(server.asked) == 1
    assert [path.name for path in tmp_path.iterdir()] == [".toy.zip.part"]


def test_the_licence_comes_first(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"for tests only\. Accept it with --accept-licence"):
        fetch(toy(server, "/toy.zip"), tmp_path, accepted=False)
    with pytest.raises(UsageError, match="allows no connection"):
        fetch(toy(server, "/toy.zip"), tmp_path, accepted=True, offline=True)
    assert not server.asked


def test_steps_are_given_without_downloads(tmp_path: Path) -> None:
    dataset = replace(load_dataset("toy", [TOY]), steps="Fill in the form.")
    with pytest.raises(DataError, match=r"cannot be downloaded automatically\. Fill in the form"):
        fetch(dataset, tmp_path, accepted=True)


KINDS = ("zip", "tar", "tar.gz", "tgz", "tar.bz2", "tar.xz")


def archive(kind: str, names: Sequence[str], link: str = "") -> bytes:
    """An archive of files of 100 000 bytes that compress badly, and of a symbolic link named ``link`` to a target."""
    if kind == "zip":
        entries = {name: random.Random(name).randbytes(100_000) for name in names}
        buffer = io.BytesIO(zipped(entries))
        if link:
            with zipfile.ZipFile(buffer, "a") as file:
                info = zipfile.ZipInfo(link)
                info.external_attr = 0o120777 << 16
                file.writestr(info, "../target")
        return buffer.getvalue()
    buffer = io.BytesIO()
    compression = {"tar": "", "tgz": "gz"}.get(kind, kind.removeprefix("tar."))
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as file:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 100_000
            file.addfile(info, io.BytesIO(random.Random(name).randbytes(100_000)))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "../target"
            file.addfile(info)
    return buffer.getvalue()


Unpack = Callable[[str, bytes], None]


@pytest.fixture
def unpack(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unpack:
    def fetch_it(kind: str, data: bytes) -> None:
        monkeypatch.setitem(Handler.do_GET.__globals__, "CONTENT", data)
        fetch(toy(server, "/toy.zip", name=f"toy.{kind}"), tmp_path / "deep" / "folder", accepted=True)

    return fetch_it


def unpacked(folder: Path) -> list[str]:
    """The files below a folder, besides the archive."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if not name.startswith("deep/folder/toy."))


FILES = ("toy/a.bin", "toy/deep/b.bin", "other.bin")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_unpacked(unpack: Unpack, kind: str, tmp_path: Path) -> None:
    there = tmp_path / "deep" / "folder" / "toy" / "deep"
    there.mkdir(parents=True)
    (there / "kept.bin").touch()
    (there / "b.bin").write_text("old")
    unpack(kind, archive(kind, FILES))
    assert unpacked(tmp_path) == [f"deep/folder/{name}" for name in sorted([*FILES, "toy/deep/kept.bin"])]
    assert (there / "b.bin").stat().st_size == 100_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["start", "middle", "end", "cut", "cut short", "nothing", "text", "no files"])
def test_a_damaged_archive_is_one_line_and_leaves_nothing(
    unpack: Unpack, kind: str, damage: str, tmp_path: Path
) -> None:
    data = bytearray(archive(kind, FILES))
    half = len(data) // 2
    if damage == "middle" and kind == "tar":  # whose files have no checksums, but its headers
        half = 100_864 + 20
    damaged = {
        "start": b"x" * 300 + data[300:],
        "middle": data[:half] + bytes(value ^ 255 for value in data[half : half + 50]) + data[half + 50 :],
        "end": data[:-1100] + b"y" * 1100 if kind != "tar" else data[: -tarfile.RECORDSIZE],
        "cut": data[:half],
        "cut short": data[:100_864] if kind == "tar" else data[:-1],  # a tar between two files
        "nothing": b"",
        "text": b"<html>404 Not found</html>",
        "no files": archive(kind, []),
    }[damage]
    with pytest.raises(DataError) as caught:
        unpack(kind, bytes(damaged))
    assert f"toy.{kind}" in str(caught.value)
    assert "\n" not in str(caught.value)
    said = "cannot be unpacked: .|cannot be read from the zip: .|contains no files|it is not an archive|it is empty"
    assert re.search(f"{said}|it is an HTML page", str(caught.value))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["../../evil.bin", "/evil.bin", "toy/../../../evil.bin", "..\\evil.bin", "C:/evil.bin"]
)
def test_entries_that_escape_are_not_unpacked(unpack: Unpack, kind: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="which escapes from it; it is not read"):
        unpack(kind, archive(kind, ["toy/a.bin", name]))
    assert unpacked(tmp_path) == []
    assert not Path("/evil").exists()
    assert not list(tmp_path.glob("**/.toy*"))


@pytest.mark.parametrize("kind", KINDS)
def test_links_that_escape_are_not_unpacked(unpack: Unpack, kind: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match='contains the link "link"; it is not unpacked'):
        unpack(kind, archive(kind, ["toy/a.bin"], link="link"))
    assert unpacked(tmp_path) == []


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bombs_are_not_unpacked(unpack: Unpack, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vosbench.dataset.unpack.SMALL", 1_000_000)
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("a.txt", bytes(2_000_000))
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            info = tarfile.TarInfo("a.txt")
            info.size = 2_000_000
            tar.addfile(info, io.BytesIO(bytes(2_000_000)))
    with pytest.raises(DataError, match=r"unpacks to more than 1,000,000 bytes or 4,194,304 files; it is not unpacked"):
        unpack(kind, buffer.getvalue())
    assert unpacked(tmp_path) == []


def test_fetch_by_command(cli: Cli) -> None:
    offline = cli("fetch", "davis16", "--to", "data", "--offline", "--accept-licence")
    assert offline.returncode == 2
    assert "--offline allows no connection" in offline.stderr
    unaccepted = cli("fetch", "davis16", "--to", "data")
    assert unaccepted.returncode == 2
    assert "CC BY-NC 4.0" in unaccepted.stderr
