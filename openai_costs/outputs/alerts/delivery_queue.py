"""What is to be sent now, to whom: changes laid over routes, less what was told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from openai_costs.outputs.alerts.rows import Change, Delivery, Finding
from openai_costs.settings import Route

FORGOTTEN_AFTER = timedelta(days=3)
"""A change older than this is no news: a new route does not begin with the old ones."""

DELIVERY_FAILED = "data.delivery_failed"
DONE = frozenset({"sent", "failed", "unclear", "skipped"})


@dataclass(frozen=True)
class Item:
    """A change that a route should tell, and what was tried so far."""

    finding: Finding
    change: Change
    row: Delivery


@dataclass(frozen=True)
class Parcel:
    """What goes out as one message."""

    route: Route
    items: Sequence[Item]


@dataclass(frozen=True)
class Due:
    """What is to be done now.

    Args:
        parcels: Messages to send.
        skipped: Changes that will not be told, with the reason.
    """

    parcels: Sequence[Parcel]
    skipped: Sequence[Delivery]


def due(
    findings: Iterable[Finding],
    changes: Iterable[Change],
    deliveries: Iterable[Delivery],
    routes: Iterable[Route],
    now: datetime,
) -> Due:
    """Return what is to be sent and what is not, at an instant (UTC, without a zone).

    A finding's changes go out in order: a later one waits until the fate of the earlier is known.
    """
    known = {one.finding_id: one for one in findings}
    told = {one.key: one for one in deliveries}
    in_order = sorted(changes, key=lambda one: (one.finding_id, one.change))
    parcels: list[Parcel] = []
    skipped: list[Delivery] = []
    for route in routes:
        items: list[Item] = []
        for name, some in groupby(in_order, key=lambda one: one.finding_id):
            if name in known:
                walk = _Walk(route, known[name], told, now)
                items += walk.items(some)
                skipped += walk.skipped
        parcels += _packed(route, sorted(items, key=_age), told.values(), now)
    return Due(parcels, skipped)


class _Walk:
    """A walk through the changes of one finding for one route."""

    def __init__(
        self,
        route: Route,
        finding: Finding,
        told: Mapping[tuple[str, int, str], Delivery],
        now: datetime,
    ) -> None:
        self._route, self._finding, self._told, self._now = route, finding, told, now
        self.skipped: list[Delivery] = []

    def items(self, changes: Iterable[Change]) -> list[Item]:
        """Return what is to be told now: the first change, or all of them for a digest."""
        found: list[Item] = []
        was_told = False
        for change in changes:
            name = self._route.name
            row = self._told.get((change.finding_id, change.change, name))
            if row and row.status in DONE:
                if row.status in ("sent", "unclear"):
                    was_told = change.kind != "muted"  # which resolves an incident
                continue
            if not self._is_wanted(change, was_told=was_told or bool(found)):
                continue
            fresh = Delivery(change.finding_id, change.change, name, change.kind, "sending")
            if why := self._too_late(change, is_new=row is None):
                self.skipped.append(_skipped(row or fresh, why, self._now))
                continue
            if row and row.next_try_at and row.next_try_at > self._now:
                break
            found.append(Item(self._finding, change, row or fresh))
            if not self._route.digest:
                break
        return found

    def _is_wanted(self, change: Change, *, was_told: bool) -> bool:
        finding = self._finding
        if change.kind == "muted":
            return was_told and self._route.is_stateful
        if change.kind == "closed":
            return was_told and (change.is_told or self._route.is_stateful)
        if finding.rule == DELIVERY_FAILED and finding.subject_id == self._route.name:
            return False  # a channel that is down cannot say so
        about = (finding.rule, change.severity, finding.connection, finding.owner)
        return change.is_told and self._route.wants(*about)

    def _too_late(self, change: Change, *, is_new: bool) -> str:
        if is_new and change.changed_day < _day(self._now) - FORGOTTEN_AFTER:
            return f"older than {FORGOTTEN_AFTER.days} days when it could first be sent"
        if self._finding.state == "muted" and change.kind in ("opened", "growing"):
            return "muted before it was sent"
        return ""


def _packed(
    route: Route, items: Sequence[Item], told: Iterable[Delivery], now: datetime
) -> list[Parcel]:
    if not route.digest:
        return [Parcel(route, [item]) for item in items]
    today = _day(now)
    had_it = any(
        one.channel == route.name and one.sent_at and _day(one.sent_at) == today for one in told
    )
    waits = any(one.channel == route.name and (one.next_try_at or now) > now for one in told)
    is_time = now.hour >= route.digest_hour and not (had_it or waits)
    return [Parcel(route, items)] if items and is_time else []


def _skipped(row: Delivery, why: str, now: datetime) -> Delivery:
    return replace(row, status="skipped", tried_at=now, next_try_at=None, said=why)


def _age(item: Item) -> tuple[date, str, int]:
    return (item.change.changed_day, item.change.finding_id, item.change.change)


def _day(instant: datetime) -> date:
    return instant.date()
