"""The period of one bill, and what a rule says about it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import dollars, to_cents
from openai_costs.questions.optimization.list_cost import ListedModel, Mix, together
from openai_costs.questions.optimization.measured import BILL, GROUP, KINDS, PERIOD_DAYS

MIN_SAVING_USD: Final = Decimal(1)
"""A saving below this in the whole period is not reported."""


class Saving(NamedTuple):
    """One row of mart.optimization, without what all rows of a bill share."""

    rule: str
    subject_kind: str
    subject: str
    subject_name: str | None
    model: str | None
    billed_usd: Decimal
    saving_usd: Decimal
    because: str


class Use(NamedTuple):
    """What one key used of one model: its tokens by tier and day."""

    key: str
    model: ListedModel
    tiers: dict[str, dict[date, Mix]]


@dataclass(frozen=True)
class Facts:
    """The period of what one host invoices to one connection.

    Args:
        connection: The connection's name.
        host: Who invoices.
        settled: The settled days, at most the last `PERIOD_DAYS`; at least one.
        tokens: `tokens` of those days, or `billed_tokens`.
        lines: `lines` of those days.
        paid: `paid` of those days.
        keys: core.api_keys of the connection; none where someone else invoices.
        projects: core.projects of the connection, likewise.
    """

    connection: str
    host: str
    settled: frozenset[date]
    tokens: pl.DataFrame
    lines: pl.DataFrame
    paid: pl.DataFrame
    keys: pl.DataFrame
    projects: pl.DataFrame

    @property
    def period(self) -> DayRange:
        """The days from the first that was measured to the last."""
        return DayRange(min(self.settled), max(self.settled))

    @property
    def is_whole(self) -> bool:
        """Whether every day of the period was measured: only then is not spend really none."""
        return len(self.settled) == PERIOD_DAYS

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What each key used of each model, where every row of usage has all counts."""
        keyed = self.tokens.drop_nulls(["api_key_id", "model"]).sort(GROUP)
        is_whole = pl.all_horizontal(pl.col(KINDS).is_not_null()).all()
        counted = keyed.filter(is_whole.over("api_key_id", "model"))
        found: dict[tuple[str, ListedModel], dict[str, dict[date, Mix]]] = {}
        rows = counted.select("api_key_id", "model", "region", "service_tier", "day", *KINDS)
        for key, name, region, tier, day, *counts in rows.iter_rows():
            subject = (key, ListedModel(name, self.host, region))
            by_day = found.setdefault(subject, {}).setdefault(tier, {})
            by_day[day] = together([by_day.get(day, Mix()), Mix(*counts)])
        return tuple(Use(*subject, tiers) for subject, tiers in found.items())

    @cached_property
    def key_bills(self) -> dict[tuple[str | None, str | None], Decimal]:
        """What each key was billed for each model."""
        return self._bills("api_key_id")

    @cached_property
    def project_bills(self) -> dict[tuple[str | None, str | None], Decimal]:
        """What each project was billed for each model."""
        return self._bills("project_id")

    @cached_property
    def names(self) -> dict[str | None, str | None]:
        """The last known name of each key and project."""
        known = pl.concat(one.select("id", "name") for one in (self.keys, self.projects))
        return dict(known.iter_rows())

    def as_paid(self, model: str | None, usd: Decimal) -> tuple[Decimal, str]:
        """Return dollars at list price as dollars of the bill, and how, where that differs.

        A contract discount is a saving that was already made. All dollars are to a cent, as they
        are written, so that the sentence can be calculated again.
        """
        saving = to_cents(usd)
        billed, listed = map(to_cents, self._paid.get(model, (Decimal(0), Decimal(0))))
        if billed >= listed:
            return saving, ""
        paid = max(billed, Decimal(0))
        saving = to_cents(saving * paid / listed)
        how = f"{dollars(paid)} billed / {dollars(listed)} at list price"
        return saving, f"; x {how} = {dollars(saving)}"

    def saving_of_key(self, rule: str, use: Use, usd: Decimal, because: str) -> Saving:
        """Return what one key would save on one model."""
        return Saving(
            rule,
            "api_key",
            subject_of(use.key, use.model),
            self.names.get(use.key),
            use.model.name,
            self.key_bills.get((use.key, use.model.name), Decimal(0)),
            usd,
            because,
        )

    def _bills(self, column: str) -> dict[tuple[str | None, str | None], Decimal]:
        sums = self.lines.group_by(column, "model").agg(pl.col("billed_usd").sum())
        return {(identity, model): usd for identity, model, usd in sums.iter_rows()}

    @cached_property
    def _paid(self) -> dict[str | None, tuple[Decimal, Decimal]]:
        sums = self.paid.select("model", "billed_usd", "expected_usd")
        return {model: (billed, expected) for model, billed, expected in sums.iter_rows()}


def subject_of(identity: str, model: ListedModel) -> str:
    """Return the subject of a row about a model, by the id of its key or project."""
    return " ".join(filter(None, (identity, model.name, model.region)))


class Measured(NamedTuple):
    """What was measured of all bills: the frames of measured.py and two of the directory."""

    tokens: pl.DataFrame
    lines: pl.DataFrame
    paid: pl.DataFrame
    keys: pl.DataFrame
    projects: pl.DataFrame


def facts_of(days: pl.DataFrame, measured: Measured) -> Iterator[Facts]:
    """Yield the facts of each bill of a connection that has settled days.

    Args:
        days: `measured.periods`.
        measured: What was measured of all bills.
    """
    keys, projects = (one.with_columns(host="provider") for one in measured[3:])
    frames = (*measured[:3], keys, projects)
    bills = pl.concat([one.select(BILL) for one in frames]).unique().sort(BILL)
    for name, host in bills.iter_rows():
        settled = frozenset(days.filter(connection=name)["day"])
        mine = (one.filter(connection=name, host=host) for one in frames)
        if settled:
            yield Facts(name, host, settled, *mine)
