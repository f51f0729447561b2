"""One account at a provider: where it is, with which key, what may be asked, and how often.

Not here: how the provider's API is spoken to (api.py), asking it (transport.py).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import httpx
from pydantic import SecretStr

from openai_costs.kernel.errors import PathNotAllowed, Permission, ReadFailed
from openai_costs.kernel.hosts import is_loopback
from openai_costs.sources.http.api import Api


class KeyUnusable(ReadFailed):
    """The key holds a line break or a letter that no header can carry; it is not repeated here."""

    def __init__(self, connection: str, key_env: str) -> None:
        super().__init__(
            f"Connection {connection!r}: the key in {key_env} holds a line break, or a character "
            "that no key has. Nothing was sent. Copy the key as one line."
        )


@dataclass(frozen=True)
class Access:
    """How to reach one account: where, with which key, and what may be asked.

    Args:
        connection: The connection's name, for messages.
        base_url: The API's root.
        key: Returns the secret at the moment it is needed.
        key_env: The variable the secret comes from, for messages.
        allowed: Patterns that a path below `base_url` must match in full, one per endpoint.
        api: How the provider's API is spoken to.
        remedies: What to do about a status, for messages, where there is more to say than usual.
        requests_per_minute: Pace per endpoint; None takes the provider's, or none on this machine.
        max_body_bytes: The largest body taken into memory; eight times as much where the caller
            cannot ask for less.
        hopeless: Words, in small letters, of messages after which another try does not help, also
            with a status that is otherwise tried again.
        address_setting: The setting that `base_url` comes from, for messages.
        attempts: How often a request is tried at the most; None for as long as it may help.
    """

    connection: str
    base_url: str
    key: Callable[[], SecretStr] = field(repr=False)
    key_env: str
    allowed: Sequence[str]
    api: Api = field(default_factory=Api)
    remedies: Mapping[int, str] = field(default_factory=dict)
    requests_per_minute: int | None = None
    max_body_bytes: int = 64 * 1024 * 1024
    hopeless: Sequence[str] = ()
    address_setting: str = "base_url"
    attempts: int | None = None

    @property
    def host(self) -> str:
        """The host, and the port where one is given, for messages."""
        return self.address.netloc.decode()

    @cached_property
    def address(self) -> httpx.URL:
        """The API's root, as the library that connects understands it."""
        return httpx.URL(self.base_url)

    @property
    def pace(self) -> int:
        """Requests a minute per endpoint; 0 for no limit, as for a server on this machine."""
        is_own = is_loopback(self.address.host)
        return self.requests_per_minute or (0 if is_own else self.api.requests_per_minute)

    def endpoint(self, path: str) -> str:
        """Return the pattern that a path matches: all its paths share one limit and one pace.

        Raises:
            PathNotAllowed: No pattern does.
        """
        for pattern in self.allowed:
            if re.fullmatch(pattern, path):
                return pattern
        raise PathNotAllowed("GET", path, self.allowed)

    def url(self, path: str) -> httpx.URL:
        """Return the address of a path, which is that path below the root and nothing else.

        An encoded slash, a dot segment, a query or a fragment would ask another path than the one
        that the list was asked about.

        Raises:
            PathNotAllowed: The path is not on the list, or not as it would be asked.
        """
        self.endpoint(path)
        root = self.address
        asked = httpx.URL(f"{self.base_url}{path}") if path.isprintable() else root
        is_path = asked.path == root.path.rstrip("/") + path and "\\" not in path
        if not is_path or _server(asked) != _server(root) or asked.query or asked.fragment:
            raise PathNotAllowed("GET", path, self.allowed)
        return asked

    def redirect(self, path: str, location: str) -> httpx.URL | None:
        """Return where the answer to a path may send us; None where it may not, or not there.

        Only a provider whose `Api` says so may, to an https address that is not this machine.
        """
        if self.endpoint(path) not in self.api.redirected:
            return None
        try:
            there = self.address.join(location)
        except httpx.InvalidURL:
            return None
        is_outside = there.scheme == "https" and not is_loopback(there.host)
        is_fit = is_outside or _server(there) == _server(self.address)
        return there if is_fit and there.host and not there.userinfo else None

    def headers(self, path: str) -> Mapping[str, str]:
        """Return the headers that a path needs besides the key's."""
        return self.api.path_headers.get(self.endpoint(path), {})

    def permission(self, path: str) -> Permission:
        """Return what the key needs for a path."""
        return self.api.permissions.get(self.endpoint(path), self.api.permission)


def _server(url: httpx.URL) -> tuple[str, str, int | None, bytes]:
    return url.scheme, url.host, url.port, url.userinfo
