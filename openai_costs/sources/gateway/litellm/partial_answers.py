"""Answers of a proxy that hold less than the proxy has, without saying so. Pure.

A key of no admin gets its own rows with HTTP 200. A proxy that writes no spend logs has none
to give. A proxy without a database has nothing at all. What is read so is not kept: a part that
looks like the whole would accuse those who are in the other part.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from openai_costs.kernel.days import naive
from openai_costs.kernel.errors import ReadFailed
from openai_costs.kernel.formatting import counted, dollars, listed
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.settings import Gateway
from openai_costs.sources.http.paging import Body

MOST_DAYS = 3
"""As many days as a message lists."""
NO_DATABASE = ("database not connected", "db not connected", "no db connected")
"""How a proxy without a database refuses, with HTTP 500; asking again does not help."""

NO_VIEW = ("monthlyglobalspend",)
"""Part of the error where a database lacks the view that the sum of all spend comes from."""

ADMIN_KEY = (
    "Give {key_env} a LiteLLM key of a proxy admin, or of the role proxy_admin_viewer, "
    "which only reads."
)
"""Which key reads the whole registry and the whole meter."""


class ViewIsPartial(ReadFailed):
    """The key sees a part of the proxy only: its own tokens and requests."""

    def __init__(self, gateway: str, path: str, message: str, key_env: str) -> None:
        super().__init__(
            f"Gateway {gateway!r}: the key in {key_env} sees a part of the proxy only. GET {path} "
            f"was refused with the message {message!r}. Such a key gets its own tokens and "
            "requests, so nothing from this read was kept and no key is judged by it. "
            f"{ADMIN_KEY.format(key_env=key_env)}"
        )


class DatabaseMissing(ReadFailed):
    """The proxy has no database: it knows no tokens and keeps no spend."""

    def __init__(self, gateway: str, path: str) -> None:
        super().__init__(
            f"Gateway {gateway!r}: the proxy has no database, so GET {path} has nothing to answer. "
            "Connect one, or let the proxy's logging callback write its requests to files, and "
            'read those: [gateway] spend_files = [...] and spend_layout = "litellm_callback".'
        )


class SpendLogsMissing(ReadFailed):
    """Days of which the proxy has fewer requests than it counted."""

    def __init__(self, gateway: str, days: Sequence[str]) -> None:
        super().__init__(
            f"Gateway {gateway!r}: {listed(days, MOST_DAYS, 'day', '; ')}. The proxy writes no "
            "spend logs (disable_spend_logs), or has deleted those of these days. Nothing of them "
            'was kept and no key is judged by them. Set [gateway] meter = "daily".'
        )


class Totals(NamedTuple):
    """What a day adds up to.

    Args:
        requests: How many requests.
        usd: Their dollars.
    """

    requests: int
    usd: Decimal


class _DailyMeta(msgspec.Struct):
    total_api_requests: int = 0
    total_spend: Decimal = Decimal(0)


class _DailyPage(msgspec.Struct):
    metadata: _DailyMeta


class _Log(msgspec.Struct):
    started_at: dt.datetime = msgspec.field(name="startTime")
    spend: Decimal = Decimal(0)


class _LogPage(msgspec.Struct):
    data: list[_Log]


def counted_totals(pages: Iterable[Body]) -> Totals | None:
    """Return what the proxy counted on a day; None where its pages do not say.

    Args:
        pages: The pages of `/user/daily/activity` for that day, each with its own totals.
    """
    try:
        found = [msgspec.json.decode(page, type=_DailyPage).metadata for page in pages]
    except UNREADABLE:
        return None
    usd = sum((one.total_spend for one in found), Decimal(0))
    return Totals(sum(one.total_api_requests for one in found), usd)


def logged_totals(pages: Iterable[Body], day: dt.date) -> Totals | None:
    """Return what the spend logs of a day add up to; None where they cannot be read.

    Args:
        pages: The pages of `/spend/logs/v2` for that day.
        day: The UTC day: rows of the next midnight are not counted.
    """
    try:
        every = [row for page in pages for row in msgspec.json.decode(page, type=_LogPage).data]
    except UNREADABLE:
        return None
    found = [row for row in every if naive(row.started_at).date() == day]
    return Totals(len(found), sum((row.spend for row in found), Decimal(0)))


def shortfall(
    day: dt.date, logged: Totals, in_all: Totals, gateway: Gateway, *, is_over: bool
) -> str | None:
    """Return what the spend logs of a day lack; None where they hold what the proxy counted.

    Args:
        day: The UTC day.
        logged: What the spend logs add up to.
        in_all: What the proxy counted.
        gateway: How large a difference is none.
        is_over: Whether the day was over when it was read. Until then the logs run behind, and
            only a day without any is sure to lack some.
    """
    share = gateway.tolerance_pct / 100
    usd = in_all.usd - logged.usd
    is_short = usd > max(gateway.tolerance_usd, in_all.usd * share) or (
        in_all.requests - logged.requests > in_all.requests * share
    )
    is_empty = logged.requests == 0 and in_all.requests > 0
    if not (is_empty or (is_over and is_short)):
        return None
    return (
        f"{counted(logged.requests, 'request')} with {dollars(logged.usd)} in the spend logs of "
        f"{day}, where the proxy counted {in_all.requests:,} with {dollars(in_all.usd)}"
    )


def has_no_database(message: str) -> bool:
    """Return whether an error says that the proxy has no database."""
    return any(words in message.casefold() for words in NO_DATABASE)
