"""Which routes a weekly digest is due for: once a week each, again where it failed. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import get_args

from openai_costs.kernel.days import ONE_DAY
from openai_costs.outputs.alerts.delivery_queue import DONE, WEEKLY, Queued, QueuedMessage
from openai_costs.outputs.alerts.rows import Delivery
from openai_costs.settings import Route
from openai_costs.settings.alerts import Alerts, Weekday, Weekly

LATEST = timedelta(days=3)
"""How long after its hour a digest is first sent: one that was missed is not sent a week late."""

CHANGE = 1
"""A digest is sent once; the delivery log counts changes from one."""


def week_of(weekly: Weekly, now: datetime) -> date:
    """Return the newest day that a digest was due on, at an instant (UTC, without a zone)."""
    days = (now.weekday() - get_args(Weekday).index(weekly.day)) % 7
    due = now.date() - timedelta(days=days)
    return due if _due_at(weekly, due) <= now else due - timedelta(days=7)


def name_of(weekly: Weekly, now: datetime) -> str:
    """Return the name of the newest digest in the delivery log."""
    return f"{WEEKLY}-{week_of(weekly, now)}"


def cron_of(weekly: Weekly) -> str:
    """Return the cron schedule of a digest; 0 is Sunday."""
    return f"0 {weekly.hour} * * {(get_args(Weekday).index(weekly.day) + 1) % 7}"


def due(
    alerts: Alerts, deliveries: Iterable[Delivery], now: datetime, *, is_asked: bool = False
) -> list[QueuedMessage]:
    """Return the digests to send now, at an instant (UTC, without a zone).

    Args:
        alerts: The routes, and when the digest is sent.
        deliveries: The delivery log.
        now: The instant.
        is_asked: Whether a person asks for it, who need not be on time.
    """
    weekly = alerts.weekly
    if weekly is None:
        return []
    name = name_of(weekly, now)
    is_on_time = is_asked or now < _due_at(weekly, week_of(weekly, now)) + LATEST
    chosen = [route for route in alerts.routes if route.name in weekly.routes]
    weeklies = (one for one in deliveries if one.kind == WEEKLY)
    logged = [one for one in weeklies if not one.is_ahead(now, ONE_DAY)]  # of a clock ahead
    return [
        QueuedMessage(route, [Queued(row)])
        for route in chosen
        for row in _rows(route, name, logged, is_on_time=is_on_time)
        if is_asked or not (row.next_try_at and row.next_try_at > now)
    ]


def waiting(alerts: Alerts, deliveries: Iterable[Delivery], now: datetime) -> list[QueuedMessage]:
    """Return the digests that failed and are to be sent again now."""
    return [
        one
        for one in due(alerts, deliveries, now)
        if any(each.row.status != "sending" for each in one.changes)
    ]


def _rows(
    route: Route, name: str, logged: Iterable[Delivery], *, is_on_time: bool
) -> Iterator[Delivery]:
    """Yield the row of a route's digest, unless it is done, or too late to begin."""
    mine = [one for one in logged if (one.finding_id, one.channel) == (name, route.name)]
    if mine:
        yield from (one for one in mine if one.status not in DONE)
    elif is_on_time:
        yield Delivery(name, CHANGE, route.name, WEEKLY, "sending")


def _due_at(weekly: Weekly, day: date) -> datetime:
    return datetime.combine(day, time(weekly.hour))
