"""A real browser for the tests of the site.

The fixture `page` is a page in Chromium whose test fails if anything is written to the console as an error, a script
fails, or a request leaves the site. Without playwright or Chromium such tests are skipped and say what is missing.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

AXE = Path(__file__).parent / "axe" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SERIOUS = {"serious", "critical"}
INSIDE = {"data", "blob", "about"}
"""Schemes that ask nobody for anything."""
ABORTED = "net::ERR_ABORTED"
"""Of a picture that is no longer wanted, or a page that is left; a file that is missing fails otherwise."""
_held = ExitStack()
_browsers: dict[str, Any] = {}


def _start() -> Any:
    """The one Chromium of this process, started when it is first needed.

    It is not a fixture of the session, because its threads must be gone when later tests fork.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    path = os.environ.get("VOSBENCH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("needs Chromium: apt-get install --no-install-recommends chromium, or set VOSBENCH_CHROMIUM")
    if "chromium" not in _browsers:
        playwright = _held.enter_context(sync_api.sync_playwright())
        # No name resolves, so that nothing could leave the machine even if a page asked for it.
        closed = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
        browser = playwright.chromium.launch(executable_path=path, args=[closed, "--enable-precise-memory-info"])
        _held.callback(browser.close)
        _browsers["chromium"] = browser
    return _browsers["chromium"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Close the browser after the last test of this folder, and after its pages."""
    yield
    here = Path(__file__).parent
    if here in item.path.parents and (nextitem is None or here not in nextitem.path.parents):
        _browsers.clear()
        _held.close()


class Watch:
    """Opens pages and notes what goes wrong on them; the test fails at its end if anything is left in `problems`."""

    def __init__(self, made: Path) -> None:
        self.made = made
        self.problems: list[str] = []
        self.contexts = ExitStack()

    def open(self, **options: Any) -> Any:
        """Open an empty page in a profile of its own; options are those of playwright's ``Browser.new_context``."""
        usual: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}}
        context = self.contexts.enter_context(_start().new_context(**{**usual, **options}))
        context.set_default_timeout(30_000)  # of busy machines
        page = context.new_page()
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("dialog", self._asked_the_user)
        return page

    def _asked(self, request: Any) -> None:
        """Requests may only go to files that tests have made, and to this machine."""
        parts = urlsplit(request.url)
        inside = parts.scheme in INSIDE or parts.hostname in {"127.0.0.1", "localhost"}
        if parts.scheme == "file":
            inside = Path(unquote(parts.path)).resolve().is_relative_to(self.made)
        if not inside:
            self.problems.append(f"request to elsewhere: {request.url}")

    def _asked_the_user(self, dialog: Any) -> None:
        """No page opens a dialog; names of others that were run as scripts would."""
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _failed(self, request: Any) -> None:
        if request.failure != ABORTED:
            self.problems.append(f"failed: {request.url} {request.failure}")

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")


@pytest.fixture
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Open as many pages as a test needs: ``watch.open(color_scheme="dark")``."""
    made = Watch(tmp_path_factory.getbasetemp().resolve())
    with made.contexts:
        yield made
    assert not made.problems, "\n".join(made.problems)


@pytest.fixture
def page(watch: Watch) -> Any:
    """A page of 1200 × 900 pixels."""
    return watch.open()


@pytest.fixture
def accessible() -> Callable[[Any], None]:
    """Assert that axe-core finds no serious or critical violation on a page as it is shown now."""

    def check(page: Any) -> None:
        page.evaluate(AXE.read_text("utf-8"))  # not a script element, which the page's policy would refuse
        found = page.evaluate("axe.run(document, {preload: false})")  # preloading would fetch, and be refused
        lines = [
            f"{each['impact']} {each['id']}: {each['help']}: {node['html'][:200]}"
            for each in found["violations"]
            if each["impact"] in SERIOUS
            for node in each["nodes"][:3]
        ]
        assert not lines, "\n".join(lines)

    return check


@pytest.fixture
def serving() -> Iterator[Callable[[Any], str]]:
    """Serve a site, a folder or a `Live` one, and say its address."""
    pytest.importorskip("jinja2", reason="needs the extra site")
    from vosbench.report.site.serve import Live, Server, content_of

    def serve(site: Path | Live) -> str:
        shown = site if isinstance(site, Live) else Live(lambda: content_of(site, {}), lambda: 0, print)
        server = running.enter_context(Server(shown))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        running.callback(thread.join)
        running.callback(server.shutdown)
        return server.url

    with ExitStack() as running:
        yield serve
