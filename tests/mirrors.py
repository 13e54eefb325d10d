"""A server of archives for tests: whole, cut off, slow, gone, or something else."""

import contextlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in entries.items():
            file.writestr(zipfile.ZipInfo(name), data)  # of a fixed date
    return buffer.getvalue()


CONTENT = zipped({"toy/frames/a.txt": b"x" * 300_000})
OTHER = zipped({"toy/frames/a.txt": b"y" * 300_000})
PAGE = b"\n<!DOCTYPE html><html><title>Too many downloads</title></html>"


class Server(ThreadingHTTPServer):
    """Serves files by path.

    ``/short/…`` breaks off in the middle, ``/page`` is an HTML page, ``/gone`` is not there, ``/away/…`` redirects to
    another host without encryption, ``/other/…`` is another archive, and ``/slow/…`` waits in the middle.
    """

    daemon_threads = True
    asked: list[tuple[str, str | None]]
    waiting: threading.Event
    proceed: threading.Event

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client may go without reading everything."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        data = {"toy.zip": CONTENT, "bad.zip": b"no zip", "page": PAGE}.get(self.path.rsplit("/", 1)[-1])
        if self.path.startswith("/away/"):
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/toy.zip")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path.startswith("/other/"):
            data = OTHER
        if data is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted else 0  # type: ignore[index]
        if start >= len(data) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if self.path.startswith("/short/") and not wanted:
            body = body[: len(body) // 2]
            self.close_connection = True
        if self.path.startswith("/slow/") and not wanted:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.server.waiting.set()
            self.server.proceed.wait(60)
            body = body[len(body) // 2 :]
        with contextlib.suppress(OSError):  # the client may be gone
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """The server, at a free port of this machine."""
    found = Server(("127.0.0.1", 0), Handler)
    found.asked, found.waiting, found.proceed = [], threading.Event(), threading.Event()
    thread = threading.Thread(target=found.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield found
    finally:
        found.proceed.set()
        found.shutdown()
        thread.join()
        found.server_close()
