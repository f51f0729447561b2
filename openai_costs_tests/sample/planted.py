"""What a reader of the sample organization must find, and nothing beside it.

One row for each finding: its rule, whom it is about, since when, and its dollars, worked out from
what the company bought and from nothing that the product computes. What is planted to be understood
and must lead to no finding is in `INNOCENT`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.sample.company.directories import IDLE, LEFT, UNLISTED_PERSON
from openai_costs.sample.company.events import EventKind
from openai_costs.sample.company.gateway import FEWER_CACHED, ROUND_IT, UNPRICED_MODEL
from openai_costs.sample.company.prices import price_on
from openai_costs.sample.setup import BUDGETS, PROJECTS_OF_TEAMS, SEAT_USD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from openai_costs.sample.company.organisation import LedgerLine, Organisation

INNOCENT: Final = {
    "key_route_prod": "its virtual key was rotated: the old hash is on the meter and in no list",
    "key_shared_large": "the gateway picks it by model, whichever virtual key asks",
    "key_shared_small": "the gateway picks it by model, whichever virtual key asks",
    "key_desk_prod": "bill, usage report and gateway write the name of its tuned model in two ways",
    "key_finance_close": "newer models cost a tenth more where its project's data has to stay",
    "key_search_sweeps": "no two of its days are alike, and that is how it has always been",
    "user-kaveh": "the key of the sweeps is his",
    "user-lferrandez": "the other Lucia Ferrandez is the one whose seat is idle",
    "proj_voice_guide_fr": "another project has the same name",
    "user-signe": "one directory knows her by an older address and the other by the present one",
}
"""Whom a careless reader would accuse of something else than what is planted, and why not."""

_LOOK_BACK: Final = timedelta(days=30)
_SEAT_DAYS: Final = timedelta(days=29)
_THRESHOLDS_PCT: Final = (80, 50)

_ANOMALIES: Final = (
    # kind, rule, subject, whether its dollars are the planted ones to the cent
    (EventKind.RUNAWAY_KEY, "anomalies.spike", "user-hyejin", True),
    (EventKind.MODEL_LAUNCH, "anomalies.level_shift", "user-svc-route_api", False),
    (EventKind.SLOW_LEAK, "anomalies.slow_leak", "key_search_reindex", False),
    (EventKind.LEAVER_KEY, "anomalies.spike", "key_labs_jonas", False),
    (EventKind.WEEKEND_ACTIVITY, "anomalies.awake_at_the_weekend", "user-freya", True),
    (EventKind.NEW_KEY, "anomalies.new_spender", "key_labs_new", True),
)


class Planted(NamedTuple):
    """A finding that must be there.

    Args:
        rule: Its rule.
        subject_id: Whom it is about.
        since_day: Since when; of an estimate, not before it.
        usd: Its dollars. Of a threshold: how far the day on which it was passed went above it.
        is_estimate: Whether the product can only estimate its dollars: against a baseline, or for
            days to come.
    """

    rule: str
    subject_id: str
    since_day: date
    usd: Decimal
    is_estimate: bool = False


class _Truth:
    """What the company spent on each day up to the last settled one."""

    def __init__(self, organisation: Organisation, last: date) -> None:
        self.organisation, self.last = organisation, last
        self.fixtures, self.today = organisation.fixtures, organisation.today
        self.long_after = datetime.combine(last + timedelta(days=90), time.min, UTC)
        people = ((one.id, one.team) for one in self.fixtures.people)
        projects = ((one, team) for team, ids in PROJECTS_OF_TEAMS.items() for one in ids)
        self._team_of = dict([*people, *projects])

    def usd(
        self, first: date, last: date, counts: Callable[[LedgerLine], bool] = lambda _: True
    ) -> Decimal:
        """Return what some lines of some days add up to, once nothing changes any more."""
        return sum(
            (line.amount for day in _days(first, last) for line in self.lines(day) if counts(line)),
            Decimal(0),
        )

    def lines(self, day: date) -> list[LedgerLine]:
        """Return the bill of a day; also of one that is still to come."""
        return self.organisation.ledger(day, self.long_after)

    def team(self, line: LedgerLine) -> str | None:
        """Return the team whose money it is: that of the person, else that of the project."""
        key = self.fixtures.key_by_id.get(line.api_key_id or "")
        who = line.user_id or (key and key.user_id) or ""
        return self._team_of.get(who, self._team_of.get(line.project_id or ""))


def planted_findings(organisation: Organisation, last: date) -> list[Planted]:
    """Return every finding there must be.

    Args:
        organisation: The company, read from its first day on.
        last: The last day that has settled.
    """
    truth = _Truth(organisation, last)
    return [*_anomalies(truth), *_budgets(truth), *_of_the_gateway(truth), *_seats(truth)]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=step) for step in range((last - first).days + 1))


def _anomalies(truth: _Truth) -> Iterator[Planted]:
    for kind, rule, subject, is_exact in _ANOMALIES:
        event = truth.organisation.event(kind)
        days = [day for day in event.days if day <= truth.last]
        usd = sum(map(event.usd_on, days), Decimal(0))
        yield Planted(rule, subject, days[0], usd, is_estimate=not is_exact)


def _budgets(truth: _Truth) -> Iterator[Planted]:
    this_month = truth.last.replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    for budget in BUDGETS:
        for month in (last_month, this_month):
            yield from _of_month(truth, budget, month)


def _of_month(truth: _Truth, budget: Mapping[str, object], month: date) -> Iterator[Planted]:
    """Yield the findings about a budget's month: above the limit, or the highest threshold."""
    name, limit = f"{budget['name']}/{month}", Decimal(str(budget["limit_usd"]))

    def counts(line: LedgerLine) -> bool:
        return "id" not in budget or truth.team(line) == budget["id"]

    end = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    spent = {day: truth.usd(month, day, counts) for day in _days(month, min(end, truth.last))}
    newest = spent[max(spent)]
    if newest > limit:
        yield Planted("budgets.exceeded", name, _first_above(spent, limit), newest - limit)
        return
    for pct in _THRESHOLDS_PCT:
        if newest >= (part := limit * pct / 100):
            day = _first_above(spent, part)
            yield Planted("budgets.threshold", f"{name}/{pct}%", day, spent[day] - part)
            break
    if end > truth.last and (whole := truth.usd(month, end, counts)) > limit:
        yield Planted("budgets.forecast_exceeds", name, month, whole - limit, is_estimate=True)


def _first_above(spent: dict[date, Decimal], limit: Decimal) -> date:
    return min(day for day, usd in spent.items() if usd >= limit)


def _of_the_gateway(truth: _Truth) -> Iterator[Planted]:
    made = truth.fixtures.key_by_id[ROUND_IT].created_at.date()
    usd = truth.usd(made, truth.last, lambda line: line.api_key_id == ROUND_IT)
    yield Planted("gateway_bypass.unregistered", ROUND_IT, made, usd)
    first = truth.last - _LOOK_BACK + timedelta(days=1)
    launched = max(first, truth.organisation.event(EventKind.MODEL_LAUNCH).days[0])
    usd = truth.usd(launched, truth.last, lambda line: line.line_item.startswith(UNPRICED_MODEL))
    yield Planted("reconciliation.gap", "sample/unpriced_model", launched, usd)
    usd = sum((_miscounted(truth, day) for day in _days(first, truth.last)), Decimal(0))
    yield Planted("reconciliation.gap", "sample/cached_tokens", first, usd)


def _miscounted(truth: _Truth, day: date) -> Decimal:
    """Return what a quarter of a day's cached tokens is too dear at the price of plain ones."""
    key, model = FEWER_CACHED
    cached = sum(
        line.quantity or 0
        for line in truth.lines(day)
        if line.api_key_id == key and line.line_item == f"{model}, cached input"
    )
    plain, reduced = (
        price_on(day, f"{model}, {side}").usd_per_unit for side in ("input", "cached input")
    )
    return cached // 4 * (plain - reduced)


def _seats(truth: _Truth) -> Iterator[Planted]:
    first, last = truth.last - _SEAT_DAYS, truth.last

    def spent(user: str, since: date) -> Decimal:
        return truth.usd(since, last, lambda line: line.user_id == user)

    # He alone used the model whose pictures were refunded: what came back is his.
    refund = truth.organisation.event(EventKind.REFUND).usd
    if left := truth.fixtures.person_by_id[LEFT].left_day:
        after = max(first, left.date() + timedelta(days=1))
        yield Planted("seats.leaver_spends", LEFT, left.date(), spent(LEFT, after))
    yield Planted("seats.unmatched", UNLISTED_PERSON, last, spent(UNLISTED_PERSON, first) + refund)
    for user in IDLE:
        used = [
            key.last_used_at.date()
            for key in truth.fixtures.api_keys
            if key.user_id == user and key.last_used_at
        ]
        yield Planted("seats.idle", user, max(used, default=last), Decimal(SEAT_USD))
