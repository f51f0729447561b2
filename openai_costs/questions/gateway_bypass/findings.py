"""What goes round the gateway, as candidates for `mart.findings`: one per API key."""

from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.questions.gateway import judged_lately, meter_until, registry_until
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding, candidates
from openai_costs.tables.mart.gateway_bypass import GatewayBypass

PAGE = "docs/governance.md"
QUIET_DAYS = 4
"""A key of office hours is silent over a long weekend, and has not stopped."""
SPAN = "in the last 30 days, through {day}"
UNREGISTERED = Rule(
    "gateway_bypass.unregistered",
    title="{who} spent {usd} outside the gateway " + SPAN,
    span=SPAN,
    quiet_days=QUIET_DAYS,
    page=PAGE,
)
UNMETERED = Rule(
    "gateway_bypass.unmetered",
    title="{who} may be in use outside the gateway: {usd} not metered " + SPAN,
    span=SPAN,
    quiet_days=QUIET_DAYS,
    page=PAGE,
)
CRITICAL_USD = Decimal(500)
"""From how many dollars of the last 30 days a key is critical."""

WORDS = {
    "unregistered": "and no token of the gateway names it",
    "service_account": "and no token of the gateway names it; it is a robot's",
    "deleted_key": "and no token of the gateway names it; it was deleted since",
    "unmetered": "and the gateway metered far less: somebody else has the key",
}


def found(bypass: pl.DataFrame) -> pl.DataFrame:
    """Return a candidate per connection, API key and rule that is not on the allow-list.

    Spend that names no key (storage, bundles, the playground) is in the table and no finding: no
    key could have been registered for it.

    Args:
        bypass: mart.gateway_bypass of the last days.
    """
    is_of_a_key = pl.col("api_key_id").is_not_null()
    at_risk = bypass.filter(is_of_a_key, ~pl.col("is_allowed"), pl.col("at_risk_usd") > 0)
    is_unmetered = pl.col("reason") == "unmetered"
    rule = pl.when(is_unmetered).then(pl.lit(UNMETERED.id)).otherwise(pl.lit(UNREGISTERED.id))
    keys = (
        at_risk.sort("day")
        .group_by("connection", "api_key_id", rule=rule, maintain_order=True)
        .agg(
            pl.col("key_name", "owner", "project_name", "project_id", "reason").last(),
            pl.col("at_risk_usd", "billed_usd", "tokens").sum(),
            pl.col("new_since_day").min(),
            first=pl.col("day").min(),
            day=pl.col("day").max(),
            days=pl.col("day").n_unique(),
        )
    )
    rows = [_said(row) for row in keys.iter_rows(named=True)]
    return candidates(pl.DataFrame(rows, infer_schema_length=None)) if rows else Finding.no_rows()


def _said(key: dict[str, Any]) -> dict[str, Any]:
    owner = None if "@" in (key["owner"] or "") else key["owner"]
    return {
        "rule": key["rule"],
        "severity": "critical" if key["at_risk_usd"] >= CRITICAL_USD else "warning",
        "subject_kind": "api_key",
        "subject_id": key["api_key_id"],
        "subject_name": key["key_name"],
        "connection": key["connection"],
        "day": key["day"],
        "since_day": min(key["new_since_day"] or key["first"], key["first"]),
        "observed": key["billed_usd"],
        "unit": "USD",
        "impact_usd": key["at_risk_usd"],
        "because": _because(key, owner),
        "owner": owner,
        "table_name": GatewayBypass.full_name(),
    }


def _because(key: dict[str, Any], owner: str | None) -> str:
    of = f" of {owner}" if owner else ""
    where = key["project_name"] or key["project_id"] or "no project"
    tokens = f" for {key['tokens']:,} tokens" if key["tokens"] else ""
    new = f" Round the gateway since {key['new_since_day']}." if key["new_since_day"] else ""
    return (
        f"API key {key['key_name'] or key['api_key_id']}{of}, {where}, was billed "
        f"{key['billed_usd']:,.2f} USD{tokens} on {key['days']} days from {key['first']} to "
        f"{key['day']}, {WORDS[key['reason']]}: {key['at_risk_usd']:,.2f} USD that the gateway did "
        f"not see.{new}"
    )


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    rows = judged_lately(lake, facts, GatewayBypass, registry_until(lake, facts))
    return found(rows.filter(pl.col("reason") != "unmetered"))


def _ask_unmetered(lake: Lake, facts: Facts) -> pl.DataFrame:
    rows = judged_lately(lake, facts, GatewayBypass, meter_until(lake, facts))
    return found(rows.filter(reason="unmetered"))


QUESTIONS = (
    Question((UNREGISTERED,), (GatewayBypass,), _ask, registry_until),
    Question((UNMETERED,), (GatewayBypass,), _ask_unmetered, meter_until),
)
