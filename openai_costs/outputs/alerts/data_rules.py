"""The rule data.late: costs that should have settled by now and have not. Pure.

While a day is late nothing about its spend is opened or closed; this is what is said instead.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl

from openai_costs.kernel.days import ONE_DAY
from openai_costs.outputs.alerts.delivery_queue import DELIVERY_FAILED
from openai_costs.outputs.alerts.rows import Delivery, rows
from openai_costs.questions.rules import Rule
from openai_costs.tables.candidate import EVERY_CONNECTION, Finding, candidates
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.deliveries import Deliveries

LATE = Rule("data.late", quiet_days=0)

SLACK = timedelta(hours=6)
"""How long after it could have settled a day may be read: the daily refresh is at 02:30 UTC."""

BAD = 2
"""More late days than this are critical: a weekend can explain two."""

LOOK_BACK = 30
"""Older gaps are for the check `contiguous` and a backfill, not for an alarm."""


def late(coverage: pl.DataFrame, now: datetime, grace: timedelta, owner: str) -> pl.DataFrame:
    """Return a candidate for each connection whose newest days are late, or that was never read.

    Args:
        coverage: `mart.coverage`.
        now: The current instant.
        grace: How long after its end a day stays provisional.
        owner: Who runs this.
    """
    due = (now - grace - SLACK).date() - ONE_DAY
    was_read = pl.col("read_at").is_not_null()
    first = pl.col("day").filter(was_read).min().over("connection", "source")
    known = coverage.filter(pl.col("day").is_between(first.fill_null(pl.col("day")), due))
    recent = known.filter(pl.col("day") > due - ONE_DAY * LOOK_BACK)
    missing = recent.filter(pl.col("state") != "settled")
    through = recent.filter(state="settled").group_by("connection", "source")
    found = (
        _until(missing, known, due)
        .join(through.agg(through=pl.col("day").max()), on=["connection", "source"], how="left")
        .sort("connection", "source")
    )
    return _said(found, now.date(), due, owner)


def _until(missing: pl.DataFrame, known: pl.DataFrame, due: date) -> pl.DataFrame:
    """Return the days that are late: connection, source, since_day, days.

    Coverage may itself end too early: when nothing ran, nobody wrote down that days are missing.
    """
    listed = missing.group_by("connection", "source").agg(
        since_day=pl.col("day").min(), listed=pl.len().cast(pl.Int64)
    )
    ends = known.group_by("connection", "source").agg(end=pl.col("day").max())
    both = ends.join(listed, on=["connection", "source"], how="left")
    beyond = (pl.lit(due) - pl.col("end")).dt.total_days()
    return both.with_columns(
        days=pl.col("listed").fill_null(0) + beyond,
        since_day=pl.col("since_day").fill_null(pl.col("end") + pl.duration(days=1)),
    ).filter(pl.col("days") > 0)


def _said(found: pl.DataFrame, today: date, due: date, owner: str) -> pl.DataFrame:
    newest = pl.col("through").dt.to_string("%Y-%m-%d").fill_null("none")
    rows = found.select(
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
            "{} {} are not settled through {}: newest settled day {}. Findings about the spend of "
            "these days wait until they are. `openai-costs backfill` reads what is missing.",
            _days("days"),
            "source",
            pl.lit(str(due)),
            newest,
        ),
        owner=pl.lit(owner),
        table_name=pl.lit(Coverage.full_name()),
    )
    return candidates(rows) if rows.height else Finding.no_rows()


def _days(count: str) -> pl.Expr:
    number = pl.col(count)
    return pl.when(number == 1).then(pl.lit("1 day of")).otherwise(pl.format("{} days of", number))


# The rule data.delivery_failed: a channel that did not take a message. Pure.

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
            found.append(_undelivered_row(route, newest, tried, today, owner))
    return candidates(pl.DataFrame(found)) if found else Finding.no_rows()


_NEVER = datetime.min  # noqa: DTZ901 - instants in tables have no zone

_TRIED = frozenset({"sent", "waiting", "failed", "unclear"})


def _when(one: Delivery) -> datetime:
    return one.tried_at or _NEVER


def _is_in_trouble(one: Delivery) -> bool:
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
        "because": f"The route did not take a message ({newest.attempt} attempts, {newest.status}):"
        f" {newest.said}. Messages not delivered: {len(waiting)}, see mart.deliveries.",
        "owner": owner,
        "table_name": Deliveries.full_name(),
    }
