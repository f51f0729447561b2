"""The planted incidents: what went wrong (or right) at the sample organization, to the cent.

Every incident is extra ledger lines on top of the ordinary day, so its dollars are known exactly
and a rule's finding can be compared with the truth. Days are placed relative to `today`, all
within the last 64 days (the month-end job repeats further back). `incidents.py` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.sample.company.prices import price_on

if TYPE_CHECKING:
    from openai_costs.sample.company.workloads import Place

RESTATED_AFTER: Final = timedelta(days=4)


class EventKind(StrEnum):
    """What sort of thing happened; a test picks its incident by this name."""

    RUNAWAY_KEY = "runaway_key"
    MODEL_LAUNCH = "model_launch"
    SLOW_LEAK = "slow_leak"
    LEAVER_KEY = "leaver_key"
    WEEKEND_ACTIVITY = "weekend_activity"
    NEW_KEY = "new_key"
    MONTH_END_JOB = "month_end_job"
    RESTATED_DAY = "restated_day"
    NO_ROWS = "no_rows"
    REFUND = "refund"
    CREDIT = "credit"


class Seen(StrEnum):
    """When a line shows on the bill: always, or only on one side of a restatement."""

    ALWAYS = "always"
    UNTIL_RESTATED = "until_restated"
    ONCE_RESTATED = "once_restated"


class ExtraLine(NamedTuple):
    """Units bought on top of the ordinary day at one place."""

    day: date
    place: Place
    line_item: str
    quantity: int
    seen: Seen = Seen.ALWAYS

    @property
    def usd(self) -> Decimal:
        """Exact dollars: units times the price in its project."""
        price = price_on(self.day, self.line_item, self.place.project_id)
        return self.quantity * price.usd_per_unit

    def is_seen(self, as_of: datetime) -> bool:
        """Whether a bill printed at `as_of` (UTC) carries this line."""
        if self.seen is Seen.ALWAYS:
            return True
        restated_at = datetime.combine(self.day, time.min, UTC) + RESTATED_AFTER
        return (as_of >= restated_at) is (self.seen is Seen.ONCE_RESTATED)


@dataclass(frozen=True, slots=True)
class Event:
    """One planted incident.

    `lines` may run past `yesterday` so that the story goes on if the clock does; `days` and `usd`
    speak only of complete days, the ones whose numbers no longer move.
    """

    kind: EventKind
    because: str
    yesterday: date
    lines: tuple[ExtraLine, ...] = ()
    empty_day: date | None = None

    @property
    def days(self) -> tuple[date, ...]:
        """The complete UTC days it touched, oldest first."""
        if self.empty_day is not None:
            return (self.empty_day,)
        return tuple(sorted({line.day for line in self._settled}))

    @property
    def usd(self) -> Decimal:
        """Exact extra dollars over `days`; a restatement counts what came minus what went."""
        return sum((_signed_usd(line) for line in self._settled), Decimal(0))

    def usd_on(self, day: date) -> Decimal:
        """Exact extra dollars of one day."""
        return sum((_signed_usd(line) for line in self.lines if line.day == day), Decimal(0))

    @property
    def project_ids(self) -> frozenset[str | None]:
        """The projects the extra dollars land on."""
        return frozenset(line.place.project_id for line in self.lines)

    @property
    def api_key_ids(self) -> frozenset[str | None]:
        """The API keys that spent them."""
        return frozenset(line.place.api_key_id for line in self.lines)

    @property
    def line_items(self) -> frozenset[str]:
        """What was bought."""
        return frozenset(line.line_item for line in self.lines)

    @property
    def _settled(self) -> tuple[ExtraLine, ...]:
        return tuple(line for line in self.lines if line.day <= self.yesterday)


def _signed_usd(line: ExtraLine) -> Decimal:
    return -line.usd if line.seen is Seen.UNTIL_RESTATED else line.usd
