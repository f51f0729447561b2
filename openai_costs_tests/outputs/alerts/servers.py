"""Receivers on this machine: an HTTP server and a mail sink that keep what they are sent."""

from __future__ import annotations

import atexit
import json
import socket
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE: Final = 0.01
"""How soon a server sees that it is to end, in seconds; by default, half a second."""


@dataclass
class Inbox:
    """What a receiver got, and how it answers: `answers` first, then 200."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    hangs_up: bool = False

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@contextmanager
def http_inbox() -> Iterator[Inbox]:
    """A web server on 127.0.0.1."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.got.append((dict(self.headers), body))
            if inbox.hangs_up:
                self.close_connection = True
                return
            status, answer = inbox.answers.pop(0) if inbox.answers else (200, "ok")
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def do_HEAD(self) -> None:
            inbox.heads.append(f"{self.requestline}\n{self.headers}")
            self.send_response(405)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(AT_ONCE,), daemon=True).start()
        inbox.url = f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/s3cr3tpath"
        yield inbox
        server.shutdown()


@dataclass
class Mailbox:
    """A mail sink: refuses recipients with `refused` in their name, keeps the rest."""

    url: str = ""
    letters: list[str] = field(default_factory=list)
    refuses_data: int = 0
    hangs_up: bool = False


class MailHandler(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as smtplib asks for."""

    box: Mailbox

    def handle(self) -> None:
        self.say("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "QUIT":
                self.say("221 bye")
                break
            if verb != "DATA":
                self.say("550 no such user" if "refused" in line else "250 ok")
            elif not self.take():
                break

    def take(self) -> bool:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line)
        if self.box.hangs_up:
            return False
        if self.box.refuses_data:
            self.say(f"{self.box.refuses_data} not now for ada@acme.example")
        else:
            self.box.letters.append("".join(lines))
            self.say("250 taken")
        return True

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server on 127.0.0.1."""
    box = Mailbox()
    handler = type("Handler", (MailHandler,), {"box": box})
    with MailServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(AT_ONCE,), daemon=True).start()
        box.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        yield box
        server.shutdown()


def closed_port() -> int:
    """A port of this machine that refuses connections, as long as the tests run.

    It is taken and never listened at, so that no server, of this process or another, can get it.
    """
    return int(_taken().getsockname()[1])


@cache
def _taken() -> socket.socket:
    taken = socket.socket()
    atexit.register(taken.close)
    taken.bind(("127.0.0.1", 0))
    return taken
