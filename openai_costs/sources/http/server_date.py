"""What time it is by a server's clock: the `Date` of its responses."""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from openai_costs.kernel.errors import SettingsError
from openai_costs.sources.http.client import client

TIMEOUT = httpx.Timeout(3.0)
LONGEST_ANSWER = 5.0
"""Seconds: three hosts are asked at the most, within a minute of a sensor."""


def date_in(header: str) -> datetime | None:
    """Return what a `Date` header says (RFC 9110, 6.6.1); None where it says nothing readable."""
    with suppress(ValueError):
        date = parsedate_to_datetime(header)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    return None


def asked_date(address: str) -> datetime | None:
    """Ask the host of an address for its `Date`, without a key and without its path.

    None where it does not answer, or does not say; a refusal says it as well.
    """
    with suppress(httpx.HTTPError, httpx.InvalidURL, SettingsError):
        host = httpx.URL(address).copy_with(raw_path=b"/", userinfo=b"", fragment="")
        with (
            client(host, timeout=TIMEOUT, longest=LONGEST_ANSWER) as asking,
            asking.stream("HEAD", host) as response,
        ):
            return date_in(response.headers.get("date", ""))
    return None
