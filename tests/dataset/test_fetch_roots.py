"""Fetching from a local server, and knowing where datasets are."""

import hashlib
import io
import re
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vosbench.dataset import Dataset, Download
from vosbench.dataset.fetch import fetch
from vosbench.dataset.roots import find_root, known_root, set_root
from vosbench.errors import DataError, UsageError
from vosbench.registry import load_dataset

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
Cli = Callable[..., subprocess.CompletedProcess[str]]


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return buffer.getvalue()


CONTENT = zipped({"toy/frames/a.txt": b"x" * 300_000})


class Server(ThreadingHTTPServer):
    """Serves files by path; ``/short/…`` breaks off in the middle; ``/gone`` is not there."""

    daemon_threads = True
    asked: list[tuple[str, str | None]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        data = {"toy.zip": CONTENT, "bad.zip": b"no zip"}.get(self.path.rsplit("/", 1)[-1])
        if data is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted else 0  # type: ignore[index]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if self.path.startswith("/short/") and not wanted:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.asked = []
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def toy(server: Server, *paths: str, checksum: str | None = None, name: str = "toy.zip") -> Dataset:
    mirrors = tuple(f"http://127.0.0.1:{server.server_address[1]}{path}" for path in paths)
    download = Download(name=name, mirrors=mirrors, checksum=checksum)
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


def test_an_interrupted_download_goes_on(server: Server, tmp_path: Path) -> None:
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


def test_a_file_that_is_no_archive(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be unpacked"):
        fetch(toy(server, "/bad.zip", name="bad.zip"), tmp_path, accepted=True)


def test_the_licence_comes_first(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"for tests only\. Accept it with --accept-licence"):
        fetch(toy(server, "/toy.zip"), tmp_path, accepted=False)
    with pytest.raises(UsageError, match="opens no connection"):
        fetch(toy(server, "/toy.zip"), tmp_path, accepted=True, offline=True)
    assert not server.asked


def test_what_needs_a_form_says_the_steps(tmp_path: Path) -> None:
    dataset = replace(load_dataset("toy", [TOY]), steps="Fill in the form.")
    with pytest.raises(DataError, match=r"cannot be fetched by a program\. Fill in the form"):
        fetch(dataset, tmp_path, accepted=True)


def test_entries_that_escape_are_not_unpacked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Handler.do_GET.__globals__, "CONTENT", zipped({"../evil.txt": b"x"}))
    with pytest.raises(DataError, match="escapes"):
        fetch(toy(server, "/toy.zip"), tmp_path / "in", accepted=True)
    assert not (tmp_path / "evil.txt").exists()


def test_tar_archives_are_unpacked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        info = tarfile.TarInfo("toy/a.txt")
        info.size = 1
        file.addfile(info, io.BytesIO(b"x"))
    monkeypatch.setitem(Handler.do_GET.__globals__, "CONTENT", buffer.getvalue())
    fetch(toy(server, "/toy.zip", name="toy.tar.gz"), tmp_path, accepted=True)
    assert (tmp_path / "toy" / "a.txt").read_text() == "x"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "roots.json"
    monkeypatch.setenv("VOSBENCH_CONFIG", str(path))
    monkeypatch.delenv("VOSBENCH_DATA", raising=False)
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))
    return path


def test_roots_are_looked_for_in_order(settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = replace(load_dataset("toy", [TOY]), folders=("Toy-2026",))
    with pytest.raises(UsageError, match="set-root toy FOLDER"):
        find_root(dataset)
    assert known_root(dataset) is None
    (tmp_path / "set").mkdir()
    assert set_root(dataset, tmp_path / "set") == settings
    assert find_root(dataset) == known_root(dataset) == tmp_path / "set"
    (tmp_path / "data" / "Toy-2026").mkdir(parents=True)
    monkeypatch.setenv("VOSBENCH_DATA", str(tmp_path / "data"))
    assert find_root(dataset) == tmp_path / "data" / "Toy-2026"
    assert find_root(dataset, tmp_path / "given") == tmp_path / "given"


def test_damaged_settings(settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text("[")
    with pytest.raises(DataError, match="mend or delete"):
        find_root(load_dataset("toy", [TOY]))


def test_set_root_by_command(cli: Cli, settings: Path, toy_root: Path) -> None:
    done = cli("data", "set-root", "toy", toy_root, "--plugin", TOY)
    assert done.returncode == 0, done.stderr
    assert str(toy_root) in cli("data", "roots").stdout
    listed = cli("list", "datasets", "--long", "--plugin", TOY).stdout
    assert re.search(rf"here +{re.escape(str(toy_root))}", listed)
    scored = cli("score", toy_root / "masks", "--dataset", "toy", "--plugin", TOY)
    assert scored.returncode == 0, scored.stderr
    refused = cli("data", "set-root", "toy", "nowhere", "--plugin", TOY)
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert settings.is_file()


def test_fetch_by_command(cli: Cli) -> None:
    offline = cli("fetch", "davis16", "--to", "data", "--offline", "--accept-licence")
    assert offline.returncode == 2
    assert "--offline opens no connection" in offline.stderr
    unaccepted = cli("fetch", "davis16", "--to", "data")
    assert unaccepted.returncode == 2
    assert "CC BY-NC 4.0" in unaccepted.stderr
