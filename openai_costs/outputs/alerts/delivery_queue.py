"""What is to be sent now, and to whom: changes matched with routes, less what was sent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from openai_costs.kernel.days import ONE_DAY
from openai_costs.outputs.alerts.rows import Change, Delivery, Finding
from openai_costs.settings import Route

FORGOTTEN_AFTER = timedelta(days=3)
"""An older change is not sent: a new route does not begin with the past."""

DELIVERY_FAILED = "data.delivery_failed"
DONE = frozenset({"sent", "failed", "unclear", "skipped"})

WEEKLY = "weekly"
"""The kind of a weekly digest, which is about no finding (outputs/digest)."""


@dataclass(frozen=True)
class Queued:
    """Something that a route should report: the row with what was tried so far."""

    row: Delivery


@dataclass(frozen=True)
class QueuedChange(Queued):
    """A change that a route should report."""

    finding: Finding
    change: Change


@dataclass(frozen=True)
class QueuedMessage:
    """What one message reports: changes, or a weekly digest."""

    route: Route
    changes: Sequence[Queued]


@dataclass(frozen=True)
class DeliveryQueue:
    """What to do now.

    Args:
        messages: What to send.
        skipped: Changes that will not be sent, with the reason.
    """

    messages: Sequence[QueuedMessage]
    skipped: Sequence[Delivery]


def delivery_queue(
    findings: Iterable[Finding],
    changes: Iterable[Change],
    deliveries: Iterable[Delivery],
    routes: Iterable[Route],
    now: datetime,
) -> DeliveryQueue:
    """Return what to send and what to skip, at an instant (UTC, without a zone).

    A finding's changes are sent in order: a later one waits until the earlier one is settled. Where
    it has grown several times since a message was sent, the newest change says so.
    """
    known = {one.finding_id: one for one in findings}
    logged = {one.key: one for one in deliveries}
    in_order = sorted(changes, key=lambda one: (one.finding_id, one.change))
    messages: list[QueuedMessage] = []
    skipped: list[Delivery] = []
    for route in routes:
        queued: list[QueuedChange] = []
        for name, some in groupby(in_order, key=lambda one: one.finding_id):
            if name in known:
                of_finding = _FindingQueue(route, known[name], logged, now)
                queued += of_finding.queued(some)
                skipped += of_finding.skipped
        messages += _messages(route, sorted(queued, key=_age), logged.values(), now)
    return DeliveryQueue(messages, skipped)


class _FindingQueue:
    """The queue of one finding for one route."""

    def __init__(
        self,
        route: Route,
        finding: Finding,
        logged: Mapping[tuple[str, int, str], Delivery],
        now: datetime,
    ) -> None:
        self._route, self._finding, self._logged, self._now = route, finding, logged, now
        self.skipped: list[Delivery] = []

    def queued(self, changes: Iterable[Change]) -> list[QueuedChange]:
        """Return what to report now: the first change, or all of them for a digest."""
        queued: list[QueuedChange] = []
        was_sent, in_order = False, list(changes)
        for change, following in zip(in_order, (*in_order[1:], None), strict=True):
            name = self._route.name
            row = self._logged.get((change.finding_id, change.change, name))
            row = None if row and row.status == "skipped" and row.is_ahead(self._now) else row
            if row and row.status in DONE:
                if row.status in ("sent", "unclear"):
                    was_sent = change.kind != "muted"  # which resolves an incident
                continue
            if not self._is_wanted(change, was_sent=was_sent or bool(queued)):
                continue
            fresh = Delivery(change.finding_id, change.change, name, change.kind, "sending")
            if why := self._reason_to_skip(change, following, is_new=row is None):
                self.skipped.append(_skipped(row or fresh, why, self._now))
                continue
            if row and not row.is_ahead(self._now) and (row.next_try_at or self._now) > self._now:
                break
            queued.append(QueuedChange(row or fresh, self._finding, change))
            if not self._route.digest:
                break
        return queued

    def _is_wanted(self, change: Change, *, was_sent: bool) -> bool:
        finding = self._finding
        if change.kind == "muted":
            return was_sent and self._route.is_stateful
        if change.kind == "closed":
            return was_sent and (change.is_told or self._route.is_stateful)
        if finding.rule == DELIVERY_FAILED and finding.subject_id == self._route.name:
            return False  # a route that fails cannot report its own failure
        about = (finding.rule, change.severity, finding.connection, finding.owner)
        return change.is_told and self._route.wants(*about)

    def _reason_to_skip(self, change: Change, following: Change | None, *, is_new: bool) -> str:
        if is_new and change.changed_day < _day(self._now) - FORGOTTEN_AFTER:
            return f"older than {FORGOTTEN_AFTER.days} days when it could first be sent"
        if self._finding.state == "muted" and change.kind in ("opened", "growing"):
            return "muted before it was sent"
        if following and change.kind == following.kind == "growing":
            is_next_wanted = self._is_wanted(following, was_sent=True)
            return "it has grown again, which a newer message says" if is_next_wanted else ""
        return ""


def _messages(
    route: Route, queued: Sequence[QueuedChange], logged: Iterable[Delivery], now: datetime
) -> list[QueuedMessage]:
    """Return the messages about what is queued: of a digest one, if it is due.

    A digest is due from its hour on, and before that hour where a change of a day before waits:
    whoever delivers once a day may do so earlier.
    """
    if not route.digest:
        return [QueuedMessage(route, [one]) for one in queued]
    hour = now.replace(hour=route.digest_hour, minute=0, second=0, microsecond=0)
    is_early = now < hour
    due = hour - ONE_DAY if is_early else hour
    mine = [one for one in logged if one.channel == route.name and one.kind != WEEKLY]
    was_sent = any(one.sent_at and due <= one.sent_at <= now for one in mine)
    waits = any((one.next_try_at or now) > now for one in mine if not one.is_ahead(now))
    is_due = any(one.change.changed_day < _day(now) or not is_early for one in queued)
    return [QueuedMessage(route, queued)] if is_due and not (was_sent or waits) else []


def _skipped(row: Delivery, reason: str, now: datetime) -> Delivery:
    return replace(row, status="skipped", tried_at=now, next_try_at=None, said=reason)


def _age(queued: QueuedChange) -> tuple[date, str, int]:
    change = queued.change
    return (change.changed_day, change.finding_id, change.change)


def _day(instant: datetime) -> date:
    return instant.date()
