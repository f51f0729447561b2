"""Where bill and meter do not agree, as candidates for `mart.findings`: one per cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import counted, dollars, listed, signed_dollars
from openai_costs.questions.gateway import (
    LOOKBACK,
    SPAN,
    judged_lately,
    meter_until,
    of_last_days,
    since_lookback,
)
from openai_costs.questions.gateway_coverage import owned
from openai_costs.questions.gateway_routes import Routes
from openai_costs.questions.namesakes import called
from openai_costs.questions.reconciliation.cause_words import CAUSES
from openai_costs.questions.reconciliation.judged_by import REQUEST
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.settings import Gateway
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding
from openai_costs.tables.candidate import candidates as as_candidates
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import ESTIMATED, GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation

GAP = Rule(
    "reconciliation.gap",
    title="Bill and gateway meter differed by {usd} " + SPAN + ": {name}",
    span=SPAN,
    window_days=LOOKBACK.days,
    compared="metered",
    quiet_days=4,
    page="docs/governance.md",
)
REPORTED_ELSEWHERE = ("agrees", "bypass", "credits", "late_or_unsettled")
"""A bypass is reported key by key, with its owner; no one causes a credit; what has not settled
is not judged."""
DEFAULTS = Gateway()
MOST_POOLS = 3
MOST_TOKENS = 5
NAMELESS = (
    "Requests without a gateway token cannot be mapped: declare the OpenAI key that their models "
    "use in [[gateway.upstreams]]."
)
_KEYS_OF_DAY = ("connection", "day", "project_id", "api_key_id", "level")
_MISSING_NAME = ("missing_on_meter", "missing_on_bill", "unexplained")
"""Causes of the gaps that a model's missing name leaves: one at the model, one without a model."""

_METERED = (
    f"SELECT DISTINCT {', '.join(REQUEST)} FROM stored "  # noqa: S608 - our own names
    "WHERE day >= DATE '{since}'"
)
_ALL_TOKENS = ("missing_on_meter", "missing_on_bill")
_OF_KIND = {"cached_tokens": "cached_input", "cache_writes": "cache_write"}


@dataclass(frozen=True)
class Names:
    """What the directory and the gateway call what the table knows by its id.

    Args:
        keys: Names of API keys.
        projects: Names of projects.
        unmapped: Gateway tokens of metered requests that no OpenAI key is known for; None for
            requests without a token.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, str] = field(default_factory=dict)
    unmapped: Sequence[str | None] = ()


def candidates(
    reconciliation: pl.DataFrame, names: Names, gateway: Gateway = DEFAULTS
) -> pl.DataFrame:
    """Return a candidate per connection and cause of gaps above the tolerance on settled days.

    Args:
        reconciliation: mart.cost_reconciliation of the last days.
        names: What its ids are called.
        gateway: How large a difference is none.
    """
    gaps = reconciliation.filter(
        ~_is_metered_without_model(gateway),
        pl.col("is_settled"),
        ~pl.col("is_within_tolerance"),
        ~pl.col("cause").is_in(REPORTED_ELSEWHERE),
        # Spend without a key has no meter to differ from: it bypassed, or it is a credit or refund.
        pl.col("api_key_id").is_not_null() | (pl.col("level") != "key"),
        # Tokens at list price cannot say that a price is wrong.
        (pl.col("metered_basis") != ESTIMATED) | (pl.col("cause") != "price_differs"),
    )
    lately = gaps.filter(of_last_days("connection", "cause"))
    causes = lately.partition_by("connection", "cause", maintain_order=True)
    rows = [_row(of_cause, names) for of_cause in causes]
    if not rows:
        return Finding.no_rows()
    return as_candidates(pl.DataFrame(rows, infer_schema_length=None))


def _is_metered_without_model(gateway: Gateway) -> pl.Expr:
    """Return whether what is missing may be what the same keys were metered without a model.

    It may where the gaps of a day offset each other: only the gateway's log lacks a name.
    """
    cause = pl.col("cause").is_in(_MISSING_NAME)
    is_unnamed = pl.col("model").is_null() & (pl.col("metered_usd") != 0) & cause
    net, billed = (pl.col(name).filter(cause).sum() for name in ("gap_usd", "billed_usd"))
    share = gateway.tolerance_pct / 100
    allowed = pl.max_horizontal(pl.lit(gateway.tolerance_usd), billed.abs() * share)
    return cause & (is_unnamed.any() & (net.abs() <= allowed)).over(_KEYS_OF_DAY)


def _row(gaps: pl.DataFrame, names: Names) -> dict[str, Any]:
    connection, cause = gaps.select("connection", "cause").row(0)
    sums = gaps.select(pl.col("billed_usd", "metered_usd", "gap_usd").sum()).row(0, named=True)
    words = CAUSES[cause]
    subject = words.billed_more if sums["gap_usd"] > 0 else words.metered_more
    return {
        "rule": GAP.id,
        "severity": "warning",
        "subject_kind": "gateway",
        "subject_id": f"{connection}/{cause}",
        "subject_name": f"{connection}: {subject}",
        "connection": connection,
        "day": gaps["day"].max(),
        "since_day": gaps["day"].min(),
        "observed": sums["billed_usd"],
        "expected": sums["metered_usd"],
        "unit": "USD",
        "impact_usd": abs(sums["gap_usd"]),
        "because": _because(gaps, sums, subject, names),
        "table_name": CostReconciliation.full_name(),
    }


def _because(gaps: pl.DataFrame, sums: Mapping[str, Decimal], subject: str, names: Names) -> str:
    gap, cause = sums["gap_usd"], gaps["cause"][0]
    side = "more" if gap > 0 else "less"
    days = DayRange(min(gaps["day"]), max(gaps["day"])).span
    return (
        f"The bill has {dollars(abs(gap))} {side} than the gateway's meter {days}: "
        f"{dollars(sums['billed_usd'])} billed, {dollars(sums['metered_usd'])} metered. "
        f"Main cause: {subject}{_tokens(gaps, cause)}. Largest: {_largest(gaps, names)}. "
        f"{_step(gaps, names)}"
    )


def _tokens(gaps: pl.DataFrame, cause: str) -> str:
    """Return how many tokens a cause is about, where both sides count them."""
    if cause not in (*_ALL_TOKENS, *_OF_KIND):
        return ""
    kind = _OF_KIND.get(cause)
    of_kind = gaps.filter(usage_type=kind) if kind else gaps
    apart = (of_kind["billed_tokens"] - of_kind["metered_tokens"]).drop_nulls().sum()
    return f" ({counted(abs(int(apart)), 'token')})" if apart else ""


def _largest(gaps: pl.DataFrame, names: Names) -> str:
    pools = (
        gaps.group_by("project_id", "api_key_id", "level", "model")
        .agg(pl.col("gap_usd").sum())
        .sort(pl.col("gap_usd").abs(), "api_key_id", "model", descending=[True, False, False])
    )
    texts = [
        f"{_whose(project, key, level, names)} with {model or 'no model'} {signed_dollars(usd)}"
        for project, key, level, model, usd in pools.iter_rows()
    ]
    return listed(texts, MOST_POOLS)


def _whose(project: str | None, key: str | None, level: str, names: Names) -> str:
    if level == "gateway":
        return "the gateway's keys together"
    if key:
        return f"API key {names.keys.get(key, key)}"
    if project and level == "project":
        return f"project {names.projects.get(project, project)}"
    return "gateway tokens without an OpenAI key" if level == "unmapped" else "no API key"


def _step(gaps: pl.DataFrame, names: Names) -> str:
    """Return what to do next: of what has no key, to name one."""
    cause = gaps["cause"][0]
    is_unmapped = cause == "unexplained" and "unmapped" in gaps["level"].to_list()
    if not (is_unmapped and names.unmapped):
        return CAUSES[cause].step
    steps = []
    if tokens := [one for one in names.unmapped if one]:
        which = listed(tokens, MOST_TOKENS, "token")
        steps.append(f"Map these gateway tokens to an OpenAI key or declare one for them: {which}.")
    if None in names.unmapped:
        steps.append(NAMELESS)
    return " ".join(steps)


def _names(lake: Lake, facts: Facts, *, has_unmapped: bool) -> Names:
    """Return the names; those of unmapped tokens only where gaps are of them."""
    keys = lake.read(ApiKeys)
    projects = called(lake.read(Projects), "project", facts.marks)
    unmapped = _unmapped(lake, facts, keys) if has_unmapped else ()
    return Names(called(keys, "api_key", facts.marks), projects, unmapped)


def _unmapped(lake: Lake, facts: Facts, keys: pl.DataFrame) -> list[str | None]:
    """Return the tokens of lately metered requests that no OpenAI key is known for."""
    since, gateway = since_lookback(lake, facts) - LOOKBACK, facts.settings.gateway
    schema = GatewaySpend.no_rows().select(REQUEST).schema
    requests = lake.ask(GatewaySpend, _METERED.format(since=since), schema)
    tokens = lake.read(GatewayTokens)
    on_bills = owned(requests, keys, Routes(tokens, gateway.upstreams, gateway.models))
    names = tokens.group_by("token_id").agg(pl.col("name").last())
    found = on_bills.filter(level="unmapped").select(pl.col("token_id").replace("", None)).unique()
    named = found.join(names, on="token_id", how="left").sort("name", "token_id")
    called_so = named.select(pl.coalesce("name", "token_id")).to_series()
    return called_so.unique(maintain_order=True).to_list()


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    rows = judged_lately(lake, facts, CostReconciliation, meter_until(lake, facts))
    names = _names(lake, facts, has_unmapped="unmapped" in rows["level"])
    return candidates(rows, names, facts.settings.gateway)


QUESTION = Question((GAP,), (CostReconciliation,), _ask, meter_until, since_lookback)
