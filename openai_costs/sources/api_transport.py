"""A transport to the API that a connection is about: where it is, and with which key.

Not here: what a provider's API is, and what may be asked of it (its own connection.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.http.access import Access
from openai_costs.sources.http.api import Api
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.provider import Reach, Tell

IN_PROCESS_HOST = "http://127.0.0.1"
"""What the sample organization is called by; nothing listens there."""

ROOT = "/v1"
"""What most addresses of an API end in."""

NOT_FOUND = 404


class Vendor(NamedTuple):
    """A vendor whose API is asked.

    Args:
        name: Its name, for a person.
        api: What its API is.
        allowed: Patterns of the paths that may be asked, by a connection's access.
        root: What the address of its API ends in; empty where it ends in nothing special.
        sample_root: The base path that the sample organization answers at.
        not_found: What a 404 may mean besides, as sentences.
        hopeless: Words of messages after which another try does not help, whatever the status.
    """

    name: str
    api: Api
    allowed: Mapping[str, tuple[str, ...]]
    root: str = ROOT
    sample_root: str = ROOT
    not_found: str = ""
    hopeless: tuple[str, ...] = ()


def transport_to(
    vendor: Vendor, settings: Settings, connection: Connection, reach: Reach, tell: Tell
) -> Transport:
    """Return a transport to a connection's API; the key is read when a request leaves."""
    access = Access(
        connection=connection.name,
        base_url=_address(vendor, connection),
        key=settings.key_reader(connection),
        key_env=str(connection.key_place),
        allowed=vendor.allowed[connection.access],
        api=vendor.api,
        remedies=_remedies(connection.base_url, vendor),
        requests_per_minute=connection.requests_per_minute,
        hopeless=vendor.hopeless,
        attempts=reach.attempts,
        max_body_bytes=settings.reading.max_body_mb * 1024 * 1024,
    )
    return Transport(access, reach.inner(connection), tell, reach.take_date(connection))


def _address(vendor: Vendor, connection: Connection) -> str:
    return IN_PROCESS_HOST + vendor.sample_root if connection.is_sample else connection.base_url


def _remedies(base_url: str, vendor: Vendor) -> dict[int, str]:
    """Return what to do about a page that is not there, where the address looks like the cause."""
    root = vendor.root
    if base_url.endswith(root):
        return {NOT_FOUND: vendor.not_found} if vendor.not_found else {}
    elsewhere = f"`base_url` does not end in {root}, as {vendor.name}'s does: try {base_url}{root}."
    return {NOT_FOUND: f"{elsewhere} {vendor.not_found}".rstrip()}
