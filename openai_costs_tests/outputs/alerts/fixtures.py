"""Small candidates, findings and changes for the tests about alerts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.outputs.alerts.judged_days import JudgedDays
from openai_costs.outputs.alerts.rows import Candidate, Change, Finding
from openai_costs.questions.rules import Rule
from openai_costs.settings import Alerts, Route
from openai_costs.tables.candidate import Finding as Handed

if TYPE_CHECKING:
    from collections.abc import Iterable

SPIKE: Final = Rule("anomalies.spike", title="Spend of {who} was {usd} above expected {when}")
LATE: Final = Rule(
    "data.late",
    title="Late data from {connection}: {observed} of {name} not settled, from {since} on",
    span="as of {day}",
    quiet_days=0,
)
FIRST: Final = date(2026, 11, 1)
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


def day(number: int) -> date:
    """Day 1 is the first of November 2026; 31 is the first of December."""
    return FIRST + timedelta(days=number - 1)


def candidate(first: int, last: int | None = None, **other: Any) -> Candidate:  # noqa: ANN401 - any column
    """A spike of the key `etl` that holds from one day to another."""
    values: dict[str, Any] = {
        "rule": "anomalies.spike",
        "severity": "warning",
        "subject_kind": "api_key",
        "subject_id": "key_etl",
        "subject_name": "etl",
        "connection": "acme",
        "day": day(last or first),
        "since_day": day(first),
        "observed": Decimal(425),
        "expected": Decimal("12.5"),
        "threshold": Decimal(40),
        "unit": "USD",
        "impact_usd": Decimal("412.50"),
        "because": "The key etl made 34 times as many requests as on other Wednesdays",
        "outlook": None,
        "owner": "data-platform",
        "table_name": "mart.spend_anomalies",
    }
    return Candidate(**(values | other))


def finding(first: int = 18, last: int | None = None, **other: Any) -> Finding:  # noqa: ANN401 - any column
    """The finding of such a spike."""
    own = {"finding_id", "opened_day", "docs", "state", "change", "closed_day", "told_usd"}
    of_life = {name: other.pop(name) for name in own & set(other)}
    values: dict[str, Any] = {
        "finding_id": "f1a2b3c4d5e6",
        "opened_day": day(20),
        "docs": "docs/alerts.md#anomalies-spike",
        "change": 1,
    }
    return Finding(**asdict(candidate(first, last, **other)), **(values | of_life))


def change(number: int = 1, kind: str = "opened", **other: Any) -> Change:  # noqa: ANN401 - any column
    """A change of that finding."""
    values: dict[str, Any] = {
        "finding_id": "f1a2b3c4d5e6",
        "change": number,
        "kind": kind,
        "changed_day": NOW.date(),
        "is_told": True,
        "severity": "warning",
        "day": day(20),
        "observed": Decimal(425),
        "expected": Decimal("12.5"),
        "unit": "USD",
        "impact_usd": Decimal("412.50"),
        "because": "The key etl made 34 times as many requests as on other Wednesdays",
        "outlook": None,
    }
    return Change(**(values | other))


def judged(*numbers: int, rule: Rule = SPIKE, connection: str = "acme") -> JudgedDays:
    """Days that a rule judged."""
    days = frozenset(day(number) for number in numbers)
    return JudgedDays({rule.id: rule}, {(rule.id, connection): days})


def through(number: int, rule: Rule = SPIKE) -> JudgedDays:
    """All days up to one."""
    return judged(*range(1, number + 1), rule=rule)


def frame(found: Iterable[Candidate]) -> pl.DataFrame:
    """Candidates as a question hands them over."""
    return pl.DataFrame([asdict(one) for one in found], schema=Handed.types(), orient="row")


def route(name: str = "finops", channel: str = "webhook", **other: Any) -> Route:  # noqa: ANN401 - any column
    """A route with what its channel needs."""
    needs: dict[str, Any] = {"url_env": "ALERT_URL", "secret_env": "ALERT_SECRET"}
    if channel == "email":
        needs |= {"sender": "costs@acme.example", "to": ("finops@acme.example",)}
    return Route.model_validate({"name": name, "channel": channel, **needs, **other})


def alerts(*routes: Route, **other: Any) -> Alerts:  # noqa: ANN401 - any column
    """Settings of alerts."""
    return Alerts(routes=routes or (route(),), **other)
