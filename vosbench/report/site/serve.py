"""The site over localhost: files of a table, and frames made on demand; nothing else can be reached.

Conventions:
    The server listens on 127.0.0.1. It answers GET and HEAD of paths that are in its table, and only if the Host header
    names this machine, so that no page elsewhere can reach it by a name of its own (DNS rebinding). Paths are never
    joined to folders: a path is a key of the table, or it is not found. Files are opened only if they lie below the
    site's folder, links resolved.
"""

import mimetypes
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote_to_bytes

from vosbench.errors import DataError, UsageError, VosbenchError
from vosbench.files import hidden
from vosbench.report.site.media import THUMB, Job, frame_of, thumb_of

HOST = "127.0.0.1"
PATIENCE = 30.0
"""Seconds until a connection that says nothing is closed."""
EVERY = 1.0
"""Seconds between looks at the records."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
POLICY = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]*)"')
STRICT = "default-src 'none'"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
Maker = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Content:
    """What can be reached.

    Attributes:
        folder: the site's.
        jobs: ``media/<dataset>/<video>`` → the video whose pictures are made on demand.
        files: path below the site → file, those that exist when this is made.
    """

    folder: Path
    jobs: Mapping[str, Job] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def content_of(folder: Path, jobs: Mapping[str, Job]) -> Content:
    """The content of a site: its files, without hidden ones and links, and pictures of videos."""
    root = folder.resolve()
    files = {}
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if path.is_file() and path.resolve() == path and not any(map(hidden, parts)):
            files["/".join(parts)] = path
    return Content(root, jobs, files)


class Live:
    """A site that is built again when its records have changed."""

    def __init__(self, build: Callable[[], Content], state: Callable[[], object], note: Callable[[str], None]) -> None:
        """Build the site.

        Args:
            build: builds the site and says what can be reached.
            state: something that differs whenever records have changed.
            note: called with a line if the site cannot be built again; the last one is then shown.
        """
        self._build, self._state, self._note = build, state, note
        self._lock = threading.Lock()
        self._seen = state()
        self._looked = time.monotonic()
        self._content = build()

    def content(self) -> Content:
        """What can be reached now; records are looked at once in a while."""
        with self._lock:
            if time.monotonic() - self._looked < EVERY:
                return self._content
            seen = self._state()
            if seen != self._seen:
                self._seen = seen
                try:
                    self._content = self._build()
                except (VosbenchError, OSError) as error:
                    self._note(f"the site is not built again: {error}")
            self._looked = time.monotonic()
            return self._content


class Server(ThreadingHTTPServer):
    """Serves a live site; see the conventions of this module."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, live: Live, port: int = 0) -> None:
        """Listen.

        Args:
            live: the site.
            port: 0 for any that is free.

        Raises:
            UsageError: if another program uses the port.
        """
        self.live = live
        try:
            super().__init__((HOST, port), Handler)
        except OSError as error:
            raise UsageError(f"port {port} cannot be used: {error.strerror}; pass another with --port") from None
        names = (HOST, "localhost")
        self.hosts = {f"{name}:{self.port}" for name in names} | (set(names) if self.port == 80 else set())

    @property
    def port(self) -> int:
        """The port that is listened to."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """The address of the site."""
        return f"http://{HOST}:{self.port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that broke."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "vosbench"
    sys_version = ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with the headers of a file."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Write no log."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a status alone; nothing of the request is repeated."""
        del message, explain
        if code == HTTPStatus.NOT_IMPLEMENTED:  # any other method
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(status, f"{status.value} {status.phrase}\n".encode(), "text/plain; charset=utf-8")

    def _answer(self) -> None:
        if self.headers.get_all("Host", []) not in [[name] for name in self.server.hosts]:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        path = _path(self.path)
        content = self.server.live.content()
        try:
            data = None if path is None else _read(content, path)
        except (OSError, DataError):
            data = None
        if path is None or data is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        suffix = Path(path).suffix
        kind = TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        self._send(HTTPStatus.OK, data, kind, keep=path.startswith(("media/", "assets/vendor/")))

    def _send(self, status: HTTPStatus, data: bytes, kind: str, *, keep: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "private, max-age=3600" if keep else "no-cache")
        found = POLICY.search(data, 0, 4096) if kind.startswith("text/html") else None
        policy = found.group(1).decode("latin-1") if found else STRICT
        self.send_header("Content-Security-Policy", f"{policy}; frame-ancestors 'none'")
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _path(target: str) -> str | None:
    """The path of a request below the site; None if it is not one.

    >>> _path("/"), _path("/a%2Fb.js?x=1"), _path("http://elsewhere/a"), _path("/%ff")
    ('index.html', 'a/b.js', None, None)
    """
    if not target.startswith("/"):
        return None
    try:
        found = unquote_to_bytes(target.partition("#")[0].partition("?")[0]).decode()
    except ValueError:
        return None
    return found.removeprefix("/") or "index.html"


def _read(content: Content, path: str) -> bytes | None:
    """What a path stands for; None if it is not in the table."""
    file = content.files.get(path)
    if file is not None:
        return file.read_bytes() if file.resolve() == file and file.is_relative_to(content.folder) else None
    place, _, name = path.rpartition("/")
    job = content.jobs.get(place)
    if job is None:
        return None
    if name == THUMB:
        return thumb_of(job.video)
    number = re.fullmatch(r"(\d{5})\.jpg", name, re.ASCII)
    index = int(number[1]) if number else len(job.video)
    return frame_of(job.video.frames[index]) if index < len(job.video) else None
