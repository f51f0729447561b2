"""The sample organization's ledger: what a day cost, line by line, as the vendor knew it then.

A day's lines depend on the seed, on `today`, on the day and on the moment of looking; never on
how many days were asked for. Amounts are exact: integer units times the price of the day.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from openai_costs.sample.company.activity import by_then
from openai_costs.sample.company.company import tidewater_maps
from openai_costs.sample.company.events import RESTATED_AFTER
from openai_costs.sample.company.history import LONGEST_DAYS, SHORTEST_DAYS, USUAL_DAYS
from openai_costs.sample.company.incidents import planted_events
from openai_costs.sample.company.padding import (
    PaddingLine,
    padded,
    padding_key_count,
    padding_keys,
    padding_lines,
)
from openai_costs.sample.company.prices import FREE, price_on
from openai_costs.sample.company.workloads import (
    Bought,
    Place,
    Workload,
    bought,
    ordinary_workloads,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from openai_costs.sample.company.events import Event, EventKind, ExtraLine
    from openai_costs.sample.company.fixtures import Fixtures


class LedgerLine(NamedTuple):
    """One line of one day's bill: dimensions, exact dollars, and units where the vendor counts."""

    day: date
    project_id: str | None
    user_id: str | None
    api_key_id: str | None
    line_item: str
    api_source: str | None
    amount: Decimal
    quantity: int | None
    quantity_unit: str | None


@dataclass(frozen=True)
class Organisation:
    """The sample organization; days before `first_day` have no lines."""

    fixtures: Fixtures
    seed: str
    first_day: date
    today: date
    events: tuple[Event, ...]
    workloads: tuple[Workload, ...]
    padding: tuple[PaddingLine, ...] = ()

    def ledger(self, day: date, as_of: datetime) -> list[LedgerLine]:
        """Lines of the UTC `day` as a reader sees them at `as_of` (aware).

        The day `as_of` falls on is billed up to that second; a line shows from its first unit on.
        Days to come have no lines. A restated day reads differently once four days have passed.
        """
        now = as_of.astimezone(UTC)
        lines = self.units(day, now)
        if day == now.date():
            so_far = (now - _midnight(day)).seconds
            lines = [line._replace(units=by_then(line.units, so_far)) for line in lines]
            lines = [line for line in lines if line.units]
        return [_priced(day, line) for line in lines if line.line_item not in FREE]

    def units(self, day: date, as_of: datetime) -> list[Bought]:
        """What the whole UTC `day` buys, as known at `as_of`; of a running day, all it will."""
        now = as_of.astimezone(UTC)
        if not self.first_day <= day <= now.date() or day in self._empty_days:
            return []
        is_restated = now >= _midnight(day) + RESTATED_AFTER
        if (day, is_restated) not in self._ordinary_days:
            self._ordinary_days[day, is_restated] = list(self._ordinary_units(day, now))
        return [*self._ordinary_days[day, is_restated], *padded(self.padding, self.seed, day)]

    def event(self, kind: EventKind) -> Event:
        """The one planted incident of this kind."""
        return next(event for event in self.events if event.kind is kind)

    def _ordinary_units(self, day: date, now: datetime) -> Iterator[Bought]:
        units: defaultdict[tuple[Place, str], int] = defaultdict(int)
        age = (self.today - day).days
        for workload in self.workloads:
            for line_item, quantity in bought(workload, self.seed, day, age):
                units[workload.place, line_item] += quantity
        for line in self._extra_lines.get(day, ()):
            if line.is_seen(now):
                units[line.place, line.line_item] += line.quantity
        for (place, line_item), quantity in units.items():
            yield Bought(place, line_item, quantity)

    @cached_property
    def _ordinary_days(self) -> dict[tuple[date, bool], list[Bought]]:
        """The days asked for so far, before and after their restatement; padding is too long."""
        return {}

    @cached_property
    def _extra_lines(self) -> dict[date, list[ExtraLine]]:
        by_day: defaultdict[date, list[ExtraLine]] = defaultdict(list)
        for event in self.events:
            for line in event.lines:
                by_day[line.day].append(line)
        return dict(by_day)

    @cached_property
    def _empty_days(self) -> frozenset[date]:
        return frozenset(event.empty_day for event in self.events if event.empty_day is not None)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _priced(day: date, line: Bought) -> LedgerLine:
    (project_id, user_id, api_key_id, api_source), line_item, units = line
    price = price_on(day, line_item, project_id)
    amount = units * price.usd_per_unit
    counted = units if price.has_quantity else None
    return LedgerLine(
        day, project_id, user_id, api_key_id, line_item, api_source, amount, counted, price.unit
    )


def _with_padding(organisation: Organisation, rows_per_day: int) -> Organisation:
    """The same organization with days about `rows_per_day` lines long."""
    ordinary_rows = sum(len(workload.mix) for workload in organisation.workloads)
    missing = max(0, rows_per_day - ordinary_rows)
    used_at = _midnight(organisation.today)
    keys = padding_keys(organisation.fixtures, padding_key_count(missing), used_at)
    fixtures = replace(organisation.fixtures, api_keys=(*organisation.fixtures.api_keys, *keys))
    return replace(organisation, fixtures=fixtures, padding=padding_lines(keys, missing))


def sample_organisation(
    today: date, *, seed: str = "tidewater", days: int = USUAL_DAYS, rows_per_day: int = 0
) -> Organisation:
    """Tidewater Maps with a bill of `days` complete UTC days before `today`, plus today so far.

    `rows_per_day` above the ordinary 60 or so pads every day with small lines up to about that
    many. Raises ValueError for fewer days than
    SHORTEST_DAYS or more than LONGEST_DAYS.
    """
    if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        raise ValueError(f"days must be {SHORTEST_DAYS} to {LONGEST_DAYS}, not {days}")
    fixtures = tidewater_maps(today)
    organisation = Organisation(
        fixtures=fixtures,
        seed=seed,
        first_day=today - timedelta(days=days),
        today=today,
        events=planted_events(fixtures, today),
        workloads=ordinary_workloads(fixtures, today),
    )
    return _with_padding(organisation, rows_per_day)
