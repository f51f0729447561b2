"""The rule data.delivery_failed: a channel that did not take a message. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from openai_costs.alerts.due import DELIVERY_FAILED
from openai_costs.alerts.rows import Delivery, rows
from openai_costs.findings import Rule
from openai_costs.tables.finding import EVERY_CONNECTION, Finding, candidates
from openai_costs.tables.mart.deliveries import Deliveries

UNDELIVERED = Rule(DELIVERY_FAILED, quiet_days=0)
MANY = 3
"""So many tries in vain make a channel worth reporting before it is given up."""


def undelivered(
    deliveries: pl.DataFrame, routes: Iterable[str], today: date, owner: str
) -> pl.DataFrame:
    """Return a candidate for each route whose newest message failed, or failed several times."""
    found = []
    for route in routes:
        tried = [
            one for one in rows(Delivery, deliveries.filter(channel=route)) if one.status in _TRIED
        ]
        newest = max(tried, key=_when, default=None)
        if newest and _is_in_trouble(newest):
            found.append(_said(route, newest, tried, today, owner))
    return candidates(pl.DataFrame(found)) if found else Finding.no_rows()


_NEVER = datetime.min  # noqa: DTZ901 - instants in tables have no zone
_TRIED = frozenset({"sent", "waiting", "failed", "unclear"})


def _when(one: Delivery) -> datetime:
    return one.tried_at or _NEVER


def _is_in_trouble(one: Delivery) -> bool:
    return one.status in ("failed", "unclear") or (one.status == "waiting" and one.attempt >= MANY)


def _said(
    route: str, newest: Delivery, tried: Sequence[Delivery], today: date, owner: str
) -> dict[str, object]:
    last_sent = max((_when(one) for one in tried if one.status == "sent"), default=_NEVER)
    waiting = [one for one in tried if one.status != "sent" and _when(one) >= last_sent]
    return {
        "rule": UNDELIVERED.id,
        "severity": "critical",
        "subject_kind": "route",
        "subject_id": route,
        "subject_name": None,
        "connection": EVERY_CONNECTION,
        "day": today,
        "since_day": min(min(map(_when, waiting)).date(), today),
        "observed": Decimal(len(waiting)),
        "expected": Decimal(0),
        "unit": "messages",
        "because": f"The route did not take a message ({newest.attempt} attempts, {newest.status}):"
        f" {newest.said}. Messages not delivered: {len(waiting)}, see mart.deliveries.",
        "owner": owner,
        "table_name": Deliveries.full_name(),
    }
