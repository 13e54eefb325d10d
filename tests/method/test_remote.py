"""Weights that are named by address: a server for files on the web, which is a hub as well."""

import hashlib
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from in_process import call
from vosbench.errors import DataError, UsageError
from vosbench.files import OFFLINE
from vosbench.method.remote import fetched, folder
from vosbench.method.sources import Source, sources
from vosbench.registry import load_method

CONTENT, OTHER = b"weights" * 1000, b"others" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()
COMMIT, LATER = "a" * 40, "b" * 40
needs_hub = pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")


class Server(ThreadingHTTPServer):
    """Hands out files; what was asked is noted."""

    asked: list[str]
    files: dict[str, bytes]
    commit: str
    stated: bool

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(f"GET {self.path}")
        self._send(body=True)

    def do_HEAD(self) -> None:
        self.server.asked.append(f"HEAD {self.path}")
        self._send(body=False)

    def _send(self, *, body: bool) -> None:
        content = self.server.files.get(self.path.replace(self.server.commit, "main"))
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://weights.invalid/net.pt")
        elif content is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            if "/resolve/" in self.path:
                digest = hashlib.sha256(content).hexdigest() if self.server.stated else "c" * 40
                self.send_header("X-Repo-Commit", self.server.commit)
                self.send_header("X-Linked-Etag" if self.server.stated else "ETag", f'"{digest}"')
                self.send_header("X-Linked-Size", str(len(content)))
        self.end_headers()
        if content is not None and body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.asked, found.commit, found.stated = [], COMMIT, True
    found.files = {
        "/net.pt": CONTENT,
        "/net%20one.pt?download=true": CONTENT,
        "/page": b"<!DOCTYPE html>sign in",
        "/user/repo/resolve/main/part/net.safetensors": CONTENT,
    }
    if context is not None:
        found.socket = context.wrap_socket(found.socket, server_side=True)
    thread = threading.Thread(target=found.serve_forever, args=(0.02,))
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(OFFLINE, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serving()


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("HF_ENDPOINT", f"http://{server.place}")
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_TOKEN_PATH", "/dev/null")
    return server


def test_a_file_is_fetched_once_and_checked(server: Server) -> None:
    notes: list[str] = []
    typed = Path(f"http://{server.place}/net.pt#sha256={SHA}")
    for _ in range(2):
        found = fetched(typed, notes.append)
        assert found == folder() / SHA / "net.pt"
        assert found.read_bytes() == CONTENT
    assert server.asked == ["GET /net.pt"]
    assert notes == [f"fetches http://{server.place}/net.pt"]
    assert [each.name for each in folder().rglob("*") if each.is_file()] == ["net.pt"]


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(server: Server) -> None:
    typed = Path(f"http://{server.place}/net.pt#sha256={SHA}")
    fetched(typed).write_bytes(OTHER)
    assert fetched(typed).read_bytes() == CONTENT


def test_parts_entries_and_odd_names(server: Server, tmp_path: Path) -> None:
    here = tmp_path / "here.pt"
    here.write_bytes(OTHER)
    typed = f"encoder=http://{server.place}/net.pt#sha256={SHA.upper()}#ema,decoder={here}"
    assert sources(fetched(Path(typed))) == (
        Source(folder() / SHA / "net.pt", "encoder", "ema"),
        Source(here, "decoder", ""),
    )
    odd = fetched(Path(f"http://{server.place}/net%20one.pt?download=true#sha256={SHA}"))
    assert odd == folder() / SHA / "net_one.pt"


def test_files_on_disk_are_left_alone(tmp_path: Path) -> None:
    for typed in ("net.pt", "encoder=a.pt,decoder=b.pt", "net.pt#ema", str(tmp_path / "https" / "net.pt")):
        assert fetched(Path(typed)) == Path(typed)


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (
            "{}/net.pt",
            r'"http://.+/net\.pt" has no hash, so nobody knows what it will be; add #sha256=… \(see: sha256sum',
        ),
        ("{}/net.pt#ema", "has no hash"),
        ("{}/net.pt#sha256=abc", "a SHA-256 has 64 hexadecimal digits, not 3"),
        ("http://weights.example/net.pt#sha256=" + SHA, 'write "https://weights.example/net.pt"'),
        ("hf://net.pt", "is not of the form hf://user/repository/file or …/file@revision"),
    ],
)
def test_addresses_that_are_refused(server: Server, address: str, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        fetched(Path(address.format(f"http://{server.place}")))
    assert server.asked == []


def test_another_file_is_refused(server: Server) -> None:
    actual = f"another file, with the SHA-256 {SHA}"
    lines = {"net.pt": actual, "page": "an HTML page, not the file", "gone": "404", "away": "not encrypted"}
    for path, line in lines.items():
        with pytest.raises(DataError, match=f'the weights "http://{server.place}/{path}" .*{line}'):
            fetched(Path(f"http://{server.place}/{path}#sha256={'0' * 64}"))
    assert not [each for each in folder().rglob("*") if each.is_file()]


def test_offline_only_the_cache_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = Path(f"http://{server.place}/net.pt#sha256={SHA}")
    monkeypatch.setenv(OFFLINE, "1")
    with pytest.raises(UsageError, match=r"net\.pt\" are not in the cache, and --offline allows no connection"):
        fetched(typed)
    assert server.asked == []
    monkeypatch.delenv(OFFLINE)
    fetched(typed)
    monkeypatch.setenv(OFFLINE, "1")
    assert fetched(typed).read_bytes() == CONTENT


def test_an_encrypted_server_is_asked_if_its_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the server's certificate, is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    for server in serving(context):
        typed = Path(f"https://{server.place}/net.pt#sha256={SHA}")
        with pytest.raises(DataError, match="cannot be fetched: SSLError"):
            fetched(typed)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert fetched(typed).read_bytes() == CONTENT


@needs_hub
def test_a_file_of_the_hub(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    typed = Path("hf://user/repo/part/net.safetensors")
    found = fetched(typed, notes.append)
    assert found == folder() / SHA / "net.safetensors"
    assert found.read_bytes() == CONTENT
    assert notes == [f"fetches hf://user/repo/part/net.safetensors, commit {COMMIT}"]
    assert [each for each in hub.asked if "GET /user" in each] == [
        f"GET /user/repo/resolve/{COMMIT}/part/net.safetensors"
    ]
    hub.asked.clear()
    assert fetched(typed, notes.append) == found  # a branch is asked, and nothing is fetched
    assert hub.asked == ["HEAD /user/repo/resolve/main/part/net.safetensors"]
    hub.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetched(typed, notes.append) == found
    assert hub.asked == []
    assert len(notes) == 1


@needs_hub
def test_a_branch_that_moves_is_noted(hub: Server) -> None:
    notes: list[str] = []
    typed = Path("hf://user/repo/part/net.safetensors")
    fetched(typed)
    hub.commit, hub.files["/user/repo/resolve/main/part/net.safetensors"] = LATER, OTHER
    assert fetched(typed, notes.append).read_bytes() == OTHER
    changed = "hf://user/repo/part/net.safetensors has changed since it was last fetched"
    assert notes[1] == f"{changed}: commit {LATER}, was {COMMIT}"


@needs_hub
def test_a_commit_is_asked_once(hub: Server) -> None:
    typed = Path(f"hf://user/repo/part/net.safetensors@{COMMIT}")
    fetched(typed)
    hub.asked.clear()
    assert fetched(typed).read_bytes() == CONTENT
    assert hub.asked == []


@needs_hub
def test_a_hash_that_is_typed_comes_first(hub: Server) -> None:
    typed = "hf://user/repo/part/net.safetensors#sha256="
    with pytest.raises(DataError, match=f"another file, with the SHA-256 {SHA}"):
        fetched(Path(typed + "0" * 64))
    assert not [each for each in hub.asked if "GET /user" in each]
    hub.stated = False
    with pytest.raises(UsageError, match=r"the Hub states no SHA-256 of .+; add #sha256=…"):
        fetched(Path(typed.removesuffix("#sha256=")))
    with pytest.raises(DataError, match=f"another file, with the SHA-256 {SHA}"):
        fetched(Path(typed + "0" * 64))
    assert fetched(Path(typed + SHA)).read_bytes() == CONTENT
    assert not [each for each in folder().iterdir() if each.name.startswith(".hub")]


@needs_hub
def test_what_the_hub_does_not_have(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r'the weights "hf://user/repo/gone\.pt" cannot be fetched: .*404'):
        fetched(Path("hf://user/repo/gone.pt"))
    assert hub.asked
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example")
    with pytest.raises(UsageError, match=r"HF_ENDPOINT is http://hub\.example, but"):
        fetched(Path("hf://user/repo/gone.pt"))


@pytest.mark.torch
def test_commands_take_addresses(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record and the maps are those of the file itself."""
    monkeypatch.chdir(tmp_path)
    file = load_method("f2net.tiny")[0].weights["tiny"]
    assert isinstance(file, Path)
    server.files["/net.safetensors"] = file.read_bytes()
    address = f"http://{server.place}/net.safetensors#sha256={hashlib.sha256(file.read_bytes()).hexdigest()}"
    run = ["run", "--method", "f2net.tiny", "--dataset", "sample", "--videos", "animal-walk", "--limit", "2"]
    assert call(*run, "--weights", file, "--out", "file").returncode == 0
    done = call(*run, "--weights", address, "--out", "address")
    assert done.returncode == 0, done.stderr
    assert "note: fetches http://127.0.0.1" in done.stderr
    (one,), (other,) = (list(Path(place, "sample").glob("*.json")) for place in ("file", "address"))
    assert one.read_bytes() == other.read_bytes()
    done = call(*run, "--weights", address.replace("net.s", "other.s"), "--offline", "--out", "offline")
    assert done.returncode == 2
    assert "--offline allows no connection" in done.stderr
    assert OFFLINE not in os.environ
    server.files.clear()
    again = call("convert", address, "--method", "f2net.tiny", "--out", "again.safetensors", "--offline")
    assert f'"{folder()}' in again.stderr
    assert "was written by vosbench already" in again.stderr
    absent = address.replace("net.s", "other.s")
    for words in (["train", "f2net.tiny", "--data", "sample"], ["export", "f2net.tiny", "--out", "net.onnx"]):
        done = call(*words, "--weights", absent, "--offline")
        assert done.returncode == 2
        assert "--offline allows no connection" in done.stderr
