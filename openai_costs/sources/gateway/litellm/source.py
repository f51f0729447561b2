"""Reads a LiteLLM proxy: its keys as one read a day, its meter as one read per day.

Not here: what is asked (protocol.py), what an answer means (frames.py).
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import httpx

from openai_costs.kernel.clock_skew import SkewAwareClock
from openai_costs.kernel.days import Clock, DayRange, is_settled
from openai_costs.kernel.errors import AccessRefused, CursorRefused, ReadFailed, RequestRefused
from openai_costs.settings import Gateway
from openai_costs.settings.secrets_in_use import gateway_key_reader
from openai_costs.sources.gateway.litellm import protocol
from openai_costs.sources.gateway.litellm.endpoints import (
    ALLOWED,
    METER,
    NAME,
    REGISTRY,
    WHOLE_VIEW,
)
from openai_costs.sources.gateway.litellm.partial_answers import (
    ADMIN_KEY,
    NO_DATABASE,
    NO_VIEW,
    DatabaseMissing,
    SpendLogsMissing,
    Totals,
    ViewIsPartial,
    counted_totals,
    has_no_database,
    logged_totals,
    shortfall,
)
from openai_costs.sources.http.access import Access
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.http.paging import Body, Get, Page
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.provider import Tell
from openai_costs.storage.archive import DayRead

T = TypeVar("T")

WRITES_TAKE = timedelta(minutes=5)
"""How long after its end a day's requests may still be on their way into the spend logs."""


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
        clock: Returns the current time.
        inner: The inner HTTP transport; None for the network.
        compared: What the `Date` of its responses is compared with; None compares nothing.
    """

    gateway: Gateway
    clock: Clock
    inner: httpx.BaseTransport | None = None
    compared: SkewAwareClock | None = None

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
            self._require_whole_view(transport)
        tell(f"{self.gateway.name}: read the registry")
        yield self._read(REGISTRY, today, read_at, lists, absent)

    def meter(self, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield what was metered on each of some days, newest first.

        Raises:
            ReadFailed: A day could not be completed; the days before it were yielded. Or the key
                sees a part of the proxy only, or spend logs are missing.
            SettingsError: The gateway has no key; nothing was sent.
        """
        ask = protocol.daily_sums if self.gateway.meter == "daily" else protocol.requests_of
        missing: list[str] = []
        with closing(self._transport(tell)) as transport:
            self._require_whole_view(transport)
            for day in reversed(list(days)):
                read_at = self.clock()
                in_all = self._counted(day, transport)
                pages = self._hold(protocol.complete(ask(day)), transport)
                if in_all and (lack := self._lack(day, pages, in_all, read_at)):
                    missing.append(lack)
                    continue
                yield self._read(METER, day, read_at, {self.gateway.meter: pages}, {})
                tell(f"{self.gateway.name}: read the meter of {day}")
        if missing:
            raise SpendLogsMissing(self.gateway.name, missing)

    def _require_whole_view(self, transport: Transport) -> None:
        """Refuse a key that is given its own rows only; proxies that cannot tell are believed.

        Raises:
            ViewIsPartial: The key does not see the whole proxy.
        """
        for path in WHOLE_VIEW:
            try:
                transport.get(path, (), may_be_large=True)
            except AccessRefused as refused:
                where = (self.gateway.name, path, refused.message, str(self.gateway.key_place))
                raise ViewIsPartial(*where) from None
            except RequestRefused as refused:
                self._require_database(path, refused.message)
            else:
                return

    def _require_database(self, path: str, message: str) -> None:
        if has_no_database(message):
            raise DatabaseMissing(self.gateway.name, path) from None

    def _counted(self, day: date, transport: Transport) -> Totals | None:
        """Return what the proxy counted on a day that is read request by request, before it is."""
        if self.gateway.meter == "daily":
            return None
        pages = self._hold(protocol.complete(protocol.daily_sums(day)), transport)
        return counted_totals(page.body for page in pages)

    def _lack(self, day: date, pages: list[Page], in_all: Totals, read_at: datetime) -> str | None:
        """Return what the requests of a day lack of what the proxy counted."""
        logged = logged_totals((page.body for page in pages), day)
        if logged is None:
            return None
        if self.compared:
            read_at = self.compared.instant(self.gateway.name, read_at).believed
        is_over = is_settled(day, read_at, WRITES_TAKE)
        return shortfall(day, logged, in_all, self.gateway, is_over=is_over)

    def _transport(self, tell: Tell) -> Transport:
        key = gateway_key_reader(self.gateway)
        key()
        access = Access(
            connection=self.gateway.name,
            base_url=self.gateway.litellm_url or "",
            key=key,
            key_env=str(self.gateway.key_place),
            allowed=ALLOWED,
            requests_per_minute=self.gateway.requests_per_minute,
            hopeless=(*NO_DATABASE, *NO_VIEW),
            address_setting="litellm_url",
        )
        return Transport(access, self.inner, tell, self._take_date)

    def _take_date(self, date: datetime) -> None:
        if self.compared:
            self.compared.compare_gateway(self.gateway.name, date)

    def _hold(self, conversation: Generator[Get, Body, T], transport: Transport) -> T:
        try:
            return hold(conversation, transport)
        except AccessRefused as refused:
            remedy = ADMIN_KEY.format(key_env=self.gateway.key_place)
            raise GatewayRefused(self.gateway.name, refused.path, refused.message, remedy) from None
        except CursorRefused:  # the first page came: there is a database
            raise
        except RequestRefused as refused:
            self._require_database(refused.answer.path, refused.message)
            raise

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
        requests = {part: page.get.as_kept() for part, page in pages.items()}
        bodies = {part: bytes(page.body) for part, page in pages.items()}
        return DayRead(NAME, self.gateway.name, dataset, day, read_at, requests, bodies, absent)
