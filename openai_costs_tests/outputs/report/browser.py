"""A headless Chromium, where this machine has one: what no reading of the HTML can tell."""

from __future__ import annotations

import re
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from shutil import which
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

BROWSER: Final = which("chromium") or which("chromium-browser") or which("google-chrome")
_FRAME: Final = """<!doctype html><iframe src="page.html" width="{width}" height="900"></iframe>
<script>
document.querySelector("iframe").addEventListener("load", ({{ target }}) => setTimeout(() => {{
  document.title = "width " + target.contentDocument.documentElement.scrollWidth;
}}, 300));
</script>"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base
        """Say nothing."""


def scroll_width(html: str, width: int, folder: Path) -> int:
    """Return how wide a page is that is shown on a screen of some width, in pixels."""
    assert BROWSER
    (folder / "page.html").write_text(html, encoding="utf-8")
    (folder / "frame.html").write_text(_FRAME.format(width=width), encoding="utf-8")
    # From one server, because a browser lets no file look into another.
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/frame.html"
        shown = _dom(address, folder / "profile")
        server.shutdown()
    found = re.search(r"<title>width (\d+)</title>", shown)
    assert found, shown[-2_000:]
    return int(found[1])


def _dom(address: str, profile: Path) -> str:
    options = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"),
        *("--disable-background-networking", "--virtual-time-budget=5000", "--dump-dom"),
        *("--hide-scrollbars", f"--user-data-dir={profile}", "--window-size=1000,1000"),
    )
    done = subprocess.run(  # noqa: S603 - our own page
        [str(BROWSER), *options, address], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout
