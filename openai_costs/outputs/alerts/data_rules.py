"""The rules data.late and data.delivery_failed. Pure.

While a day is late, findings about its spend neither open nor close; data.late says so instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple, Protocol

import polars as pl

from openai_costs.kernel.days import ONE_DAY, midnight, naive
from openai_costs.kernel.formatting import counted
from openai_costs.outputs.alerts.delivery_queue import DELIVERY_FAILED
from openai_costs.outputs.alerts.rows import Delivery, rows
from openai_costs.questions.rules import Rule
from openai_costs.tables.candidate import EVERY_CONNECTION, Finding, candidates
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.deliveries import Deliveries

LATE = Rule(
    "data.late",
    title="Late data from {connection}: {observed} of {name} not settled, from {since} on",
    next_step="Run `openai-costs doctor`, which checks what the connection reads. Then read the "
    "missing days with `openai-costs backfill`.",
    span="as of {day}",
    quiet_days=0,
)

SLACK = timedelta(hours=6)
"""How long after a day could have settled it may be read: the daily refresh is at 02:30 UTC."""

BAD = 2
"""More late days than this are critical: a weekend can explain two."""

READ_AGAIN = (
    "Run `openai-costs backfill` to read what is missing, and `openai-costs doctor` to check what "
    "the connection reads."
)
"""What helps against late days, unless the reads are refused."""

LOOKBACK = 30
"""A gap that ended earlier is for the check `contiguous` and a backfill, not for an alert; one that
reaches into these days counts from its first day."""


class Refused(Protocol):
    """Why the newest read of a connection was refused for its account.

    `holder` is the connection that counts the account, and empty where the reason is another.
    """

    @property
    def text(self) -> str:
        """The reason as sentences, with what to do."""
        ...

    @property
    def holder(self) -> str:
        """The connection that counts the account."""
        ...


class Settling(NamedTuple):
    """How long days stay provisional.

    Args:
        grace: How long after its end, where the provider has no rule of its own.
        within: How long at most, for each connection whose provider has one.
    """

    grace: timedelta
    within: Mapping[str, timedelta] = MappingProxyType({})


def late(
    coverage: pl.DataFrame,
    now: datetime,
    settling: Settling,
    owner: str,
    refusals: Mapping[str, Refused] = MappingProxyType({}),
) -> pl.DataFrame:
    """Return a candidate for each connection with late days, or that was never read.

    A day that was read and whose provider settles it later, by a rule of its own, is late only
    after that time: a cloud goes on writing to a month after its end.

    A day that its provider has deleted, or that is before a `start` that was set later, is late no
    more: nothing reads it again.

    The second connection of one organization is never late: the first has its days, and the check
    `read_complete` and `openai-costs doctor` say which of the two to remove.

    Args:
        coverage: `mart.coverage`.
        now: The current instant.
        settling: How long days stay provisional.
        owner: The owner of findings about data.
        refusals: Why the newest read of a connection was refused for its account, by connection.
    """
    grace = settling.grace
    deadline = (now - grace - SLACK).date() - ONE_DAY
    was_read = pl.col("read_at").is_not_null()
    first = pl.col("day").filter(was_read).min().over("connection", "source")
    counted_elsewhere = [name for name, refused in refusals.items() if refused.holder]
    connected = coverage.filter("is_connected", ~pl.col("connection").is_in(counted_elsewhere))
    known = connected.filter(pl.col("day").is_between(first.fill_null(pl.col("day")), deadline))
    waits = pl.col("connection").replace_strict(
        dict(settling.within), default=grace, return_dtype=pl.Duration("us")
    )
    waits = pl.max_horizontal(waits - grace, pl.lit(timedelta(0)))
    is_whole = (pl.col("state") == "settled") & (
        pl.col("day") <= deadline - ONE_DAY * LOOKBACK - waits
    )
    whole_until = pl.col("day").filter(is_whole).max().over("connection", "source")
    recent = known.filter(whole_until.is_null() | (pl.col("day") > whole_until))
    is_due = (pl.col("state") == "missing") | (pl.col("day") <= deadline - waits)
    missing = recent.filter(pl.col("state") != "settled", is_due, pl.col("reason").is_null())
    through = known.filter(state="settled").group_by("connection", "source")
    days = (
        _late_days(missing, known, deadline)
        .join(through.agg(through=pl.col("day").max()), on=["connection", "source"], how="left")
        .sort("connection", "source")
    )
    remedies = {name: refused.text for name, refused in refusals.items()}
    return _late_rows(days, now.date(), deadline, owner, remedies)


def _late_days(missing: pl.DataFrame, known: pl.DataFrame, deadline: date) -> pl.DataFrame:
    """Return the days that are late: connection, source, since_day, days.

    Coverage may itself end too early: without a run, it does not list the missing days.
    """
    listed = missing.group_by("connection", "source").agg(
        since_day=pl.col("day").min(), listed=pl.len().cast(pl.Int64)
    )
    ends = known.group_by("connection", "source").agg(end=pl.col("day").max())
    both = ends.join(listed, on=["connection", "source"], how="left")
    beyond = (pl.lit(deadline) - pl.col("end")).dt.total_days()
    return both.with_columns(
        days=pl.col("listed").fill_null(0) + beyond,
        since_day=pl.col("since_day").fill_null(pl.col("end") + pl.duration(days=1)),
    ).filter(pl.col("days") > 0)


def _late_rows(
    late_days: pl.DataFrame, today: date, deadline: date, owner: str, remedies: Mapping[str, str]
) -> pl.DataFrame:
    through = pl.col("through").dt.to_string("%Y-%m-%d").fill_null("none")
    rows = late_days.select(
        rule=pl.lit(LATE.id),
        severity=pl.when(pl.col("days") > BAD)
        .then(pl.lit("critical"))
        .otherwise(pl.lit("warning")),
        subject_kind=pl.lit("source"),
        subject_id="source",
        connection="connection",
        day=pl.lit(today),
        since_day="since_day",
        observed=pl.col("days"),
        expected=pl.lit(0),
        threshold=pl.lit(0),
        unit=pl.lit("days"),
        because=pl.format(
            "{} of {} through {} not settled; the newest settled day is {}. Findings about the "
            "spend of these days wait until they settle. {}",
            _days("days"),
            "source",
            pl.lit(str(deadline)),
            through,
            pl.col("connection").replace_strict(dict(remedies), default=READ_AGAIN),
        ),
        owner=pl.lit(owner),
        table_name=pl.lit(Coverage.full_name()),
    )
    return candidates(rows) if rows.height else Finding.no_rows()


def _days(count: str) -> pl.Expr:
    number = pl.col(count)
    one, many = pl.lit("1 day"), pl.format("{} days", number)
    return pl.when(number == 1).then(one).otherwise(many)


# The rule data.delivery_failed: a route that did not deliver a message.

UNDELIVERED = Rule(
    DELIVERY_FAILED,
    title="The alert route {name} failed on {since}: {observed} not delivered",
    span="as of {day}",
    quiet_days=0,
)

MANY = 3
"""A message that still waits after so many attempts is reported before it is given up."""


def undelivered(
    deliveries: pl.DataFrame, routes: Iterable[str], today: date, owner: str
) -> pl.DataFrame:
    """Return a candidate for each route whose newest message failed, or failed several times."""
    failing, now = [], naive(midnight(today))
    for route in routes:
        mine = rows(Delivery, deliveries.filter(channel=route))
        tried = [one for one in mine if one.status in _TRIED and not one.is_ahead(now)]
        newest = max(tried, key=_when, default=None)
        if newest and _is_failing(newest):
            failing.append(_undelivered_row(route, newest, tried, today, owner))
    return candidates(pl.DataFrame(failing)) if failing else Finding.no_rows()


_NEVER = datetime.min  # noqa: DTZ901 - instants in tables have no zone

_TRIED = frozenset({"sent", "waiting", "failed", "unclear"})


def _when(one: Delivery) -> datetime:
    return one.tried_at or _NEVER


def _is_failing(one: Delivery) -> bool:
    return one.status in ("failed", "unclear") or (one.status == "waiting" and one.attempt >= MANY)


def _undelivered_row(
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
        "because": f"The newest message is {newest.status} after "
        f"{counted(newest.attempt, 'attempt')}: {newest.said}. mart.deliveries lists every message "
        "that was not delivered; `openai-costs doctor` checks the route.",
        "owner": owner,
        "table_name": Deliveries.full_name(),
    }
