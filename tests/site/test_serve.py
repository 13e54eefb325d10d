"""The local server: what it answers, and above all what it does not."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from factories import make_record, write_toy
from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError
from vosbench.records.record import write
from vosbench.report.site.media import Job
from vosbench.report.site.serve import Content, Live, Server, content_of

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site, with a secret next to it and a link to it."""
    site = tmp_path / "site"
    (site / "data").mkdir(parents=True)
    policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'\">"
    (site / "index.html").write_text(policy)
    (site / "data" / "board.js").write_text("VB.board({});\n")
    (site / ".made.json").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    (site / "link.txt").symlink_to(tmp_path / "secret.txt")
    (site / "folder").symlink_to(tmp_path)
    return site


@pytest.fixture
def server(folder: Path, tmp_path: Path) -> Iterator[Server]:
    root = write_toy(tmp_path / "toy")
    frames = tuple(sorted((root / "frames" / "v0").iterdir()))
    jobs = {"media/toy/v0": Job("media/toy/v0", Video(name="v0", frames=frames))}
    with Server(Live(lambda: content_of(folder, jobs), lambda: 0, print)) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(server: Server, line: str, *headers: str, host: str | None = "") -> tuple[int, dict[str, str], bytes]:
    """Send a request as it is; returns status, headers and body."""
    named = [] if host is None else [f"Host: {host or f'127.0.0.1:{server.port}'}"]
    text = "\r\n".join([line, *named, *headers, "Connection: close", "", ""])
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(text.encode("latin-1"))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), dict(each.split(": ", 1) for each in rest), body


def test_files_are_answered_with_a_policy(server: Server) -> None:
    status, headers, body = ask(server, "GET / HTTP/1.1")
    assert status == 200
    assert body.startswith(b"<meta")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"] == "default-src 'none'; script-src 'self'; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    status, headers, body = ask(server, "GET /data/board.js?x=1#y HTTP/1.1", host=f"localhost:{server.port}")
    assert (status, body) == (200, b"VB.board({});\n")
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    status, headers, body = ask(server, "HEAD /data/board.js HTTP/1.1")
    assert (status, headers["Content-Length"], body) == (200, "14", b"")
    assert server.server_address[0] == "127.0.0.1"


def test_pictures_are_made_on_demand(server: Server, folder: Path) -> None:
    for name in ("00000.jpg", "00004.jpg", "thumb.jpg"):
        status, headers, body = ask(server, f"GET /media/toy/v0/{name} HTTP/1.1")
        assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    for name in ("00005.jpg", "0.jpg", "00000.png", "", "../v0/00000.jpg", "%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0.jpg"):
        assert ask(server, f"GET /media/toy/v0/{name} HTTP/1.1")[0] == 404
    assert not (folder / "media").exists()


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/data/../../secret.txt",
        "//etc/passwd",
        "/%2Fetc/passwd",
        "/etc/passwd",
        "/link.txt",
        "/folder/secret.txt",
        "/folder/site/index.html",
        "/data",
        "/data/",
        "/.made.json",
        "/./index.html",
        "/data/board.js/",
        "/data\\board.js",
        "/data/board.js%00",
        "/%00",
        "/%ff%fe",
        "/index.html;a",
        "http://127.0.0.1/index.html",
        "*",
        "index.html",
        "file:///etc/passwd",
        "/" + "a" * 5000,
    ],
)
def test_nothing_else_can_be_reached(server: Server, path: str) -> None:
    status, headers, body = ask(server, f"GET {path} HTTP/1.1")
    assert (status, body) == (404, b"404 Not Found\n")
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "X"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    status, headers, _ = ask(server, f"{method} /index.html HTTP/1.1")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.:{port}", "[::1]:{port}", None],
)
def test_other_hosts_are_refused(server: Server, host: str | None) -> None:
    named = None if host is None else host.format(port=server.port)
    assert ask(server, "GET /index.html HTTP/1.1", host=named)[0] == 421


def test_odd_requests_are_refused(server: Server) -> None:
    assert ask(server, "GET /index.html HTTP/1.1", "Host: evil.example")[0] == 421  # two hosts
    assert ask(server, "GET /index.html HTTP/1.1", "Content-Length: 5")[0] == 400
    assert ask(server, "GET /index.html HTTP/1.1", "Transfer-Encoding: chunked")[0] == 400
    assert ask(server, "GET / x HTTP/1.1")[0] == 400
    assert ask(server, f"GET /{'a' * 70000} HTTP/1.1")[0] == 414


def test_a_file_that_becomes_a_link_is_not_followed(server: Server, folder: Path) -> None:
    (folder / "data" / "board.js").unlink()
    (folder / "data" / "board.js").symlink_to(folder.parent / "secret.txt")
    assert ask(server, "GET /data/board.js HTTP/1.1")[0] == 404


def test_site_is_built_again_when_records_change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vosbench.report.site.serve.EVERY", 0.0)
    state, built, notes = [0], list[int](), list[str]()

    def build() -> Content:
        if state[0] == 2:
            raise DataError("damaged")
        built.append(state[0])
        return content_of(folder, {})

    live = Live(build, lambda: state[0], notes.append)
    live.content()
    state[0] = 1
    live.content()
    state[0] = 2
    assert "index.html" in live.content().files
    live.content()
    assert built == [0, 1]
    assert notes == ["the site is not built again: damaged"]


def test_port_in_use_is_one_line(server: Server) -> None:
    with pytest.raises(UsageError, match=rf"port {server.port} cannot be used: .*; pass another with --port"):
        Server(server.live, server.port)


def test_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="needs the extra site")
    record = make_record("toy", {"J_mean": 0.5}, videos={"v0": {"J_mean": 0.5}})
    write(tmp_path / "results" / "toy" / "toy.json", record, [])
    words = ["serve", "--results", str(tmp_path / "results"), "--port", "0", "--no-published", "--plugin", str(TOY)]
    command = [sys.executable, "-m", "vosbench", *words, "--media", "none"]
    environment = {**os.environ, "VOSBENCH_CACHE": str(tmp_path / "cache")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stdout is not None
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", run.stdout.readline())
        assert found
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=10) as connection:
            connection.sendall(f"GET /data/board.js HTTP/1.1\r\nHost: localhost:{found[1]}\r\n\r\n".encode())
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=20)
    assert (run.returncode, errors) == (0, "")
