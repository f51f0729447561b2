"""Keys that may bypass the gateway, as candidates for `mart.findings`: one per API key."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.formatting import counted, dollars, dollars_of
from openai_costs.questions.causes import added_up, child_words, from_json, in_words
from openai_costs.questions.gateway import (
    LOOKBACK,
    SPAN,
    judged_lately,
    meter_until,
    of_last_days,
    registry_until,
    since_lookback,
)
from openai_costs.questions.namesakes import Marks, with_marks
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding
from openai_costs.tables.candidate import candidates as as_candidates
from openai_costs.tables.mart.gateway_bypass import GatewayBypass

PAGE = "docs/governance.md"
QUIET_DAYS = 4
"""A key of office hours is silent over a long weekend, and has not stopped."""
UNREGISTERED = Rule(
    "gateway_bypass.unregistered",
    title="{who} may have spent {usd} outside the gateway " + SPAN,
    next_step="Ask {owner} what it is for. Then declare it in [[gateway.upstreams]] if it is the "
    "gateway's, add it to [[gateway.allowed]], or revoke it. If it was deleted, or its project "
    "archived, ask which key the program that used it uses now.",
    span=SPAN,
    window_days=LOOKBACK.days,
    quiet_days=QUIET_DAYS,
    page=PAGE,
)
UNMETERED = Rule(
    "gateway_bypass.unmetered",
    title="{who} may be in use outside the gateway: {usd} not metered " + SPAN,
    next_step="Compare these days in mart.cost_reconciliation. If the requests are missing there "
    "too, rotate the key in the gateway and look for a program that stops working.",
    span=SPAN,
    window_days=LOOKBACK.days,
    quiet_days=QUIET_DAYS,
    page=PAGE,
)
CRITICAL_USD = Decimal(500)
"""From how many dollars of the last 30 days a key is critical."""
MOST_MODELS = 3

_ELSEWHERE = "so it may be in use outside the gateway"
_NOT_NAMED = "No gateway token named the key"
_WAS_ELSEWHERE = "so it may have been in use outside the gateway"
WHY = {
    "unregistered": f"No gateway token names the key, {_ELSEWHERE}",
    "service_account": f"The key belongs to a service account and no gateway token names it, "
    f"{_ELSEWHERE}",
    "deleted_key": f"{_NOT_NAMED}, which has been deleted by now, {_WAS_ELSEWHERE}",
    "archived_project": f"{_NOT_NAMED}, whose project has been archived by now, {_WAS_ELSEWHERE}",
    "unmetered": "The gateway did not meter {at_risk}, so the key may also be in use elsewhere",
}


def candidates(bypass: pl.DataFrame) -> pl.DataFrame:
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
    tokens = pl.col("at_risk_tokens")
    keys = (
        at_risk.with_columns(rule=rule)
        .filter(of_last_days("connection", "api_key_id", "rule"))
        .sort("day")
        .group_by("connection", "api_key_id", "rule", maintain_order=True)
        .agg(
            pl.col("key_name", "owner", "project_name", "project_id", "reason").last(),
            pl.col("new_since_day").last(),
            pl.col("at_risk_usd", "billed_usd").sum(),
            at_risk_tokens=pl.when(tokens.is_not_null().all()).then(tokens.sum()),
            models=pl.col("at_risk_models"),
            first=pl.col("day").min(),
            day=pl.col("day").max(),
            days=pl.col("day").n_unique(),
        )
    )
    rows = [_row(row) for row in keys.iter_rows(named=True)]
    return (
        as_candidates(pl.DataFrame(rows, infer_schema_length=None)) if rows else Finding.no_rows()
    )


def _row(key: dict[str, Any]) -> dict[str, Any]:
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
    project = key["project_name"] or key["project_id"]
    where = f" in project {project}" if project else ""
    tokens = counted(key["at_risk_tokens"], "token") if key["at_risk_tokens"] else ""
    is_unmetered = key["reason"] == "unmetered"
    at_risk = dollars(key["at_risk_usd"]) + (f" ({tokens}) of it" if tokens else " of it")
    why = WHY[key["reason"]].format(at_risk=at_risk)
    used = f" for {tokens}" if tokens and not is_unmetered else ""
    return (
        f"{dollars(key['billed_usd'])} was billed to API key {key['key_name'] or key['api_key_id']}"
        f"{of}{where}{used} on {_range(key)}. {why}{_since(key)}.{_by_model(key['models'])}"
    )


def _range(key: dict[str, Any]) -> str:
    if key["first"] == key["day"]:
        return str(key["day"])
    return f"{counted(key['days'], 'day')} from {key['first']} to {key['day']}"


def _since(key: dict[str, Any]) -> str:
    """Return since when, of its newest days: it may have been behind the gateway in between."""
    since = key["new_since_day"]
    if since is None:
        return ""
    return f", again since {since}" if key["first"] < since else f", since {since}"


def _by_model(texts: Iterable[str]) -> str:
    models = added_up((one for text in texts for one in from_json(text)), child_words)
    words = in_words(models, MOST_MODELS, dollars_of)
    return f" By model: {words}." if words else ""


def distinguished(bypass: pl.DataFrame, marks: Marks) -> pl.DataFrame:
    """Return mart.gateway_bypass with names that distinguish namesakes."""
    rows = with_marks(bypass, "key_name", pl.lit("api_key"), pl.col("api_key_id"), marks)
    return with_marks(rows, "project_name", pl.lit("project"), pl.col("project_id"), marks)


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    rows = judged_lately(lake, facts, GatewayBypass, registry_until(lake, facts))
    return candidates(distinguished(rows.filter(pl.col("reason") != "unmetered"), facts.marks))


def _ask_unmetered(lake: Lake, facts: Facts) -> pl.DataFrame:
    rows = judged_lately(lake, facts, GatewayBypass, meter_until(lake, facts))
    return candidates(distinguished(rows.filter(reason="unmetered"), facts.marks))


QUESTIONS = (
    Question((UNREGISTERED,), (GatewayBypass,), _ask, registry_until, since_lookback),
    Question((UNMETERED,), (GatewayBypass,), _ask_unmetered, meter_until, since_lookback),
)
