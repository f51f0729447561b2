"""Reads a LiteLLM proxy: its keys as one read a day, its meter as one read per day.

Not here: what is asked (protocol.py), what an answer means (frames.py).
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

import httpx
from pydantic import SecretStr

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.kernel.errors import AccessRefused, CursorRefused, ReadFailed, RequestRefused
from openai_costs.settings import Gateway
from openai_costs.settings.load import gateway_key
from openai_costs.sources.gateway.litellm import protocol
from openai_costs.sources.gateway.litellm.endpoints import ALLOWED, METER, NAME, REGISTRY
from openai_costs.sources.http.access import Access
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.http.paging import Body, Get, Page
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.provider import Tell
from openai_costs.storage.archive import DayRead

T = TypeVar("T")

REMEDY = (
    "Give {key_env} a LiteLLM key of a proxy admin, or of the role proxy_admin_viewer, "
    "which only reads."
)
"""Which key reads the registry and the meter."""


class GatewayRefused(ReadFailed):
    """401 or 403 from the gateway: its key may not read; `remedy` says which key may."""

    def __init__(self, gateway: str, path: str, message: str, remedy: str) -> None:
        super().__init__(
            f"Gateway {gateway!r} refused GET {path} with the message {message!r}. {remedy}"
        )


@dataclass(frozen=True)
class LiteLLM:
    """Reads one proxy.

    Args:
        gateway: Where it is, and how its meter is read.
        clock: Tells the time.
        inner: The inner HTTP transport; None for the network.
    """

    gateway: Gateway
    clock: Clock
    inner: httpx.BaseTransport | None = None

    def registry(self, today: date, tell: Tell) -> Iterator[DayRead]:
        """Yield the keys there are and were, as one read of today.

        Raises:
            ReadFailed: The list could not be completed.
            SettingsError: The gateway has no key; nothing was sent.
        """
        read_at = self.clock()
        with closing(self._transport(tell)) as transport:
            lists = {"keys": self._hold(protocol.complete(protocol.live_keys()), transport)}
            absent = {}
            try:
                gone = protocol.complete(protocol.deleted_keys())
                lists["deleted"] = self._hold(gone, transport)
            except CursorRefused:
                raise
            except RequestRefused as refused:  # proxies older than the status filter
                absent["deleted"] = refused.message
        tell(f"{self.gateway.name}: read the registry")
        yield self._read(REGISTRY, today, read_at, lists, absent)

    def meter(self, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield what was metered on each of some days, newest first.

        Raises:
            ReadFailed: A day could not be completed; the days before it were yielded.
            SettingsError: The gateway has no key; nothing was sent.
        """
        ask = protocol.daily_sums if self.gateway.meter == "daily" else protocol.requests_of
        with closing(self._transport(tell)) as transport:
            for day in reversed(list(days)):
                read_at = self.clock()
                pages = self._hold(protocol.complete(ask(day)), transport)
                yield self._read(METER, day, read_at, {self.gateway.meter: pages}, {})
                tell(f"{self.gateway.name}: read the meter of {day}")

    def _transport(self, tell: Tell) -> Transport:
        gateway_key(self.gateway)

        def key() -> SecretStr:
            return gateway_key(self.gateway)

        access = Access(
            connection=self.gateway.name,
            base_url=self.gateway.litellm_url or "",
            key=key,
            key_env=self.gateway.key_env,
            allowed=ALLOWED,
            requests_per_minute=self.gateway.requests_per_minute,
            address_setting="litellm_url",
        )
        return Transport(access, self.inner, tell)

    def _hold(self, conversation: Generator[Get, Body, T], transport: Transport) -> T:
        try:
            return hold(conversation, transport)
        except AccessRefused as refused:
            remedy = REMEDY.format(key_env=self.gateway.key_env)
            raise GatewayRefused(self.gateway.name, refused.path, refused.message, remedy) from None

    def _read(
        self,
        dataset: str,
        day: date,
        read_at: datetime,
        lists: dict[str, list[Page]],
        absent: dict[str, str],
    ) -> DayRead:
        """Put pages together: one part per page, named `keys.0`."""
        pages = {
            f"{name}.{n}": page for name, found in lists.items() for n, page in enumerate(found)
        }
        requests: dict[str, tuple[str, list[tuple[str, str]], list[str]]] = {
            part: (page.get.path, list(page.get.params), []) for part, page in pages.items()
        }
        bodies = {part: bytes(page.body) for part, page in pages.items()}
        return DayRead(NAME, self.gateway.name, dataset, day, read_at, requests, bodies, absent)
