"""The delivery log: written before a message leaves, and again when its outcome is known.

For a caller that holds the table (`Lake.alone`): a row `sending` that it meets is of a process that
died, and whether its message arrived is unknown.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from openai_costs.outputs.alerts.channels.channel import DeliveryFailed
from openai_costs.outputs.alerts.delivery_queue import QueuedMessage
from openai_costs.outputs.alerts.rows import Delivery, deliveries_frame, rows
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
"""How long to wait after each failure: eight attempts over 22 hours, then it is given up."""


class DeliveryLog:
    """The deliveries of a lake, kept up to date on disk."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._rows = {one.key: one for one in rows(Delivery, lake.read(Deliveries))}
        died = [one for one in self._rows.values() if one.status == "sending"]
        self._put(_after_a_crash(one) for one in died)

    @property
    def rows(self) -> list[Delivery]:
        """Return all deliveries."""
        return list(self._rows.values())

    def sending(self, message: QueuedMessage, now: datetime) -> QueuedMessage:
        """Record that a message is about to leave, and return it with that row."""
        changes = [
            replace(
                one,
                row=replace(
                    one.row,
                    status="sending",
                    attempt=one.row.attempt + 1,
                    tried_at=now,
                    next_try_at=None,
                ),
            )
            for one in message.changes
        ]
        self._keep(one.row for one in changes)
        return replace(message, changes=changes)

    def sent(self, message: QueuedMessage, now: datetime, remark: str) -> None:
        """Record that a channel accepted a message."""
        self._keep(
            replace(one.row, status="sent", sent_at=now, said=remark or None)
            for one in message.changes
        )

    def failed(self, message: QueuedMessage, now: datetime, failure: DeliveryFailed) -> None:
        """Record that a message was not delivered, and when the next attempt is, if any."""
        self._keep(_after_a_failure(one.row, now, failure) for one in message.changes)

    def postponed(
        self, messages: Iterable[QueuedMessage], now: datetime, failure: DeliveryFailed
    ) -> None:
        """Record the failure of one message for those behind it: their channel is down."""
        not_tried = DeliveryFailed(str(failure), is_retryable=True)
        rows = [
            replace(one.row, attempt=one.row.attempt + 1, tried_at=now)
            for message in messages
            for one in message.changes
        ]
        self._keep(_after_a_failure(row, now, not_tried) for row in rows)

    def skipped(self, skipped: Iterable[Delivery]) -> None:
        """Record what will not be sent."""
        self._keep(skipped)

    def _keep(self, changed: Iterable[Delivery]) -> None:
        if self._put(changed):
            self._lake.replace_whole(Deliveries, deliveries_frame(self._rows.values()))

    def _put(self, changed: Iterable[Delivery]) -> bool:
        new = {one.key: one for one in changed}
        self._rows |= new
        return bool(new)


def _after_a_crash(row: Delivery) -> Delivery:
    """Return a message of a process that died: it is sent once more, and never a third time."""
    if row.is_possibly_repeated:
        reason = "the sending process died twice; the message may have arrived"
        return replace(row, status="unclear", said=reason)
    reason = "the sending process died"
    return replace(row, status="waiting", is_possibly_repeated=True, said=reason)


def _after_a_failure(row: Delivery, now: datetime, failure: DeliveryFailed) -> Delivery:
    row = replace(row, said=str(failure), next_try_at=None)
    if failure.may_have_arrived and row.is_possibly_repeated:
        return replace(row, status="unclear")
    is_unclear = row.is_possibly_repeated or failure.may_have_arrived
    if not failure.is_retryable or row.attempt > len(WAITS):
        return replace(row, status="failed", is_possibly_repeated=is_unclear)
    return replace(
        row,
        status="waiting",
        is_possibly_repeated=is_unclear,
        next_try_at=now + WAITS[row.attempt - 1],
    )
