"""Rows of the tables about findings as typed values, and back. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import polars as pl

from openai_costs.tables.contract import Contract
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings

AHEAD = timedelta(days=3)
"""What is further in the future was recorded under a clock ahead; with less, ours may be behind,
and it comes by itself."""

Key = tuple[str, str, str, str]
"""The subject of a finding: rule, connection, subject_kind, subject_id."""


@dataclass(frozen=True)
class Candidate:
    """A row of tables/candidate.py."""

    rule: str
    severity: str
    subject_kind: str
    subject_id: str
    subject_name: str | None
    connection: str
    day: date
    since_day: date
    observed: Decimal | None
    expected: Decimal | None
    threshold: Decimal | None
    unit: str
    impact_usd: Decimal | None
    because: str
    outlook: str | None
    owner: str | None
    table_name: str
    also_seen_by: str | None = field(default=None, kw_only=True)

    @property
    def key(self) -> Key:
        """Return its subject."""
        return (self.rule, self.connection, self.subject_kind, self.subject_id)

    @property
    def other_keys(self) -> list[Key]:
        """Return the other subjects that saw the same incident."""
        subjects = json.loads(self.also_seen_by or "[]")
        return [(self.rule, self.connection, kind, name) for kind, name in subjects]


@dataclass(frozen=True)
class Finding(Candidate):
    """A row of mart.findings, which does not keep by whom else it was seen."""

    finding_id: str
    opened_day: date
    docs: str
    state: str = "open"
    change: int = 0
    closed_day: date | None = None
    told_usd: Decimal | None = None
    muted_until: date | None = None
    mute_reason: str | None = None
    muted_by: str | None = None
    acknowledged_by: str | None = None
    acknowledged_day: date | None = None


@dataclass(frozen=True)
class Change:
    """A row of mart.finding_changes."""

    finding_id: str
    change: int
    kind: str
    changed_day: date
    is_told: bool
    severity: str
    day: date
    observed: Decimal | None
    expected: Decimal | None
    unit: str
    impact_usd: Decimal | None
    because: str
    outlook: str | None


@dataclass(frozen=True)
class Delivery:
    """A row of mart.deliveries. Instants are UTC without a zone, as in the table."""

    finding_id: str
    change: int
    channel: str
    kind: str
    status: str
    attempt: int = 0
    is_possibly_repeated: bool = False
    tried_at: datetime | None = None
    sent_at: datetime | None = None
    next_try_at: datetime | None = None
    said: str | None = None

    @property
    def key(self) -> tuple[str, int, str]:
        """Return the change and the channel."""
        return (self.finding_id, self.change, self.channel)

    def is_ahead(self, now: datetime, by: timedelta = AHEAD) -> bool:
        """Return whether it was tried at an instant that has not come (UTC, without a zone)."""
        return self.tried_at is not None and self.tried_at > now + by


Row = TypeVar("Row", Candidate, Finding, Change, Delivery)


def rows(kind: type[Row], frame: pl.DataFrame) -> list[Row]:
    """Return the rows of a frame as values."""
    return [kind(**row) for row in frame.iter_rows(named=True)]


def findings_frame(findings: Iterable[Finding]) -> pl.DataFrame:
    """Return findings as a frame of mart.findings, in an order that does not depend on the run."""
    return _frame(Findings, sorted(findings, key=lambda one: (one.opened_day, one.finding_id)))


def changes_frame(changes: Iterable[Change]) -> pl.DataFrame:
    """Return changes as a frame of mart.finding_changes."""
    return _frame(FindingChanges, list(changes))


def deliveries_frame(deliveries: Iterable[Delivery]) -> pl.DataFrame:
    """Return deliveries as a frame of mart.deliveries."""
    return _frame(Deliveries, list(deliveries))


def _frame(table: type[Contract], values: Sequence[Any]) -> pl.DataFrame:
    schema = table.types()
    return pl.DataFrame([asdict(one) for one in values], schema=schema, orient="row")
