"""One account at a provider: where it is, as whom we ask, what may be asked, and how often.

Not here: asking (transport.py).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from openai_costs.kernel.errors import PathNotAllowed
from openai_costs.kernel.hosts import is_loopback

REQUESTS_PER_MINUTE = 6
"""The admin API's limit is undocumented; 7 to 10 a minute and endpoint were measured by others
(terraform-provider-openai pull request 76), refilled after about 60 s, announced by no header."""


@dataclass(frozen=True)
class Access:
    """How to reach one account: where, as whom, and what may be asked.

    Args:
        connection: The connection's name, for messages.
        base_url: The API's root.
        key: Returns the secret at the moment it is needed.
        key_env: The variable the secret comes from, for messages.
        allowed: Patterns that a path below `base_url` must match in full, one per endpoint.
        scopes: The scope that a pattern's paths need, for messages; by default the costs' own.
        remedies: What to do about a status, for messages, where there is more to say than usual.
        requests_per_minute: Pace per endpoint; None takes the provider's, or none on this machine.
        max_body_bytes: The largest body taken into memory.
        hopeless: Words, in small letters, of messages after which another try does not help, also
            with a status that is otherwise tried again.
    """

    connection: str
    base_url: str
    key: Callable[[], SecretStr] = field(repr=False)
    key_env: str
    allowed: Sequence[str]
    scopes: Mapping[str, str] = field(default_factory=dict)
    remedies: Mapping[int, str] = field(default_factory=dict)
    requests_per_minute: int | None = None
    max_body_bytes: int = 64 * 1024 * 1024
    hopeless: Sequence[str] = ()

    @property
    def host(self) -> str:
        """The host, and the port where one is given, for messages."""
        return urlsplit(self.base_url).netloc

    @property
    def pace(self) -> int:
        """Requests a minute per endpoint; 0 for a server on this machine: our own, needs none."""
        is_own = is_loopback(urlsplit(self.base_url).hostname)
        return self.requests_per_minute or (0 if is_own else REQUESTS_PER_MINUTE)

    def endpoint(self, path: str) -> str:
        """Return the pattern that a path matches: all its paths share one limit and one pace.

        Raises:
            PathNotAllowed: No pattern does.
        """
        for pattern in self.allowed:
            if re.fullmatch(pattern, path):
                return pattern
        raise PathNotAllowed("GET", path, self.allowed)
