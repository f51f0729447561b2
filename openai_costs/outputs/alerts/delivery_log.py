"""The record of deliveries: written before a message leaves, and again when its fate is known.

For one who holds the table (`Lake.alone`): a row `sending` that is met then is of a process that
died, so nobody knows whether its message arrived.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from openai_costs.outputs.alerts.channels.channel import DeliveryFailed
from openai_costs.outputs.alerts.delivery_queue import Parcel
from openai_costs.outputs.alerts.rows import Delivery, deliveries_frame, rows
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
"""How long to wait after each failure: eight tries over 22 hours, then it is given up."""


class Ledger:
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

    def intend(self, parcel: Parcel, now: datetime) -> Parcel:
        """Write down that a parcel leaves now, and return it with that row."""
        items = [
            replace(
                item,
                row=replace(
                    item.row,
                    status="sending",
                    attempt=item.row.attempt + 1,
                    tried_at=now,
                    next_try_at=None,
                ),
            )
            for item in parcel.items
        ]
        self._keep(item.row for item in items)
        return replace(parcel, items=items)

    def sent(self, parcel: Parcel, now: datetime, remark: str) -> None:
        """Write down that a parcel was taken."""
        self._keep(
            replace(item.row, status="sent", sent_at=now, said=remark or None)
            for item in parcel.items
        )

    def refused(self, parcel: Parcel, now: datetime, failure: DeliveryFailed) -> None:
        """Write down that a parcel was not taken, and when it is tried again, if at all."""
        self._keep(_after_a_failure(item.row, now, failure) for item in parcel.items)

    def put_off(self, parcels: Iterable[Parcel], now: datetime, failure: DeliveryFailed) -> None:
        """Let parcels share the fate of one before them: their channel is down."""
        late = DeliveryFailed(str(failure), is_retryable=True)
        tried = [
            replace(item.row, attempt=item.row.attempt + 1, tried_at=now)
            for parcel in parcels
            for item in parcel.items
        ]
        self._keep(_after_a_failure(row, now, late) for row in tried)

    def skip(self, skipped: Iterable[Delivery]) -> None:
        """Write down what will not be told."""
        self._keep(skipped)

    def _keep(self, changed: Iterable[Delivery]) -> None:
        if self._put(changed):
            self._lake.replace_whole(Deliveries, deliveries_frame(self._rows.values()))

    def _put(self, changed: Iterable[Delivery]) -> bool:
        new = {one.key: one for one in changed}
        self._rows |= new
        return bool(new)


def _after_a_crash(row: Delivery) -> Delivery:
    """Return what becomes of a message of a process that died: sent once more, and no more."""
    if row.is_possibly_repeated:
        return replace(row, status="unclear", said="the sender died twice; it may have arrived")
    return replace(row, status="waiting", is_possibly_repeated=True, said="the sender died")


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
