"""Where bill and meter do not agree, as candidates for `mart.findings`: one per cause."""

from typing import Any

import polars as pl

from openai_costs.questions.gateway import judged_lately, meter_until
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding, candidates
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation

GAP = Rule(
    "reconciliation.gap",
    title="Bill and gateway meter of {connection} differed by {usd} {when}: {name}",
    span="{when}",
    quiet_days=4,
    page="docs/governance.md",
)
TOLD_ELSEWHERE = ("agrees", "bypass", "late_or_unsettled")
"""A bypass is told key by key, with its owner; what has not settled is not judged."""
SHOWN = 3


def found(reconciliation: pl.DataFrame) -> pl.DataFrame:
    """Return a candidate per connection and cause of gaps above the tolerance on settled days.

    Args:
        reconciliation: mart.cost_reconciliation of the last days.
    """
    gaps = reconciliation.filter(
        pl.col("is_settled"),
        ~pl.col("is_within_tolerance"),
        ~pl.col("cause").is_in(TOLD_ELSEWHERE),
    )
    causes = gaps.partition_by("connection", "cause", maintain_order=True)
    rows = [_said(rows) for rows in causes]
    return candidates(pl.DataFrame(rows, infer_schema_length=None)) if rows else Finding.no_rows()


def _said(gaps: pl.DataFrame) -> dict[str, Any]:
    connection, cause = gaps.select("connection", "cause").row(0)
    sums = gaps.select(pl.col("billed_usd", "metered_usd", "gap_usd").sum()).row(0, named=True)
    first, last = gaps.select(first=pl.col("day").min(), last=pl.col("day").max()).row(0)
    return {
        "rule": GAP.id,
        "severity": "warning",
        "subject_kind": "connection",
        "subject_id": f"{connection}/{cause}",
        "subject_name": cause.replace("_", " "),
        "connection": connection,
        "day": last,
        "since_day": first,
        "observed": sums["billed_usd"],
        "expected": sums["metered_usd"],
        "unit": "USD",
        "impact_usd": abs(sums["gap_usd"]),
        "because": f"{cause.replace('_', ' ').capitalize()}: billed {sums['billed_usd']:,.2f}, "
        f"metered {sums['metered_usd']:,.2f} USD, {sums['gap_usd']:+,.2f} USD from {first} to "
        f"{last}. Largest: {_largest(gaps)}.",
        "table_name": CostReconciliation.full_name(),
    }


def _largest(gaps: pl.DataFrame) -> str:
    by_key = (
        gaps.group_by("api_key_id", "model")
        .agg(pl.col("gap_usd").sum())
        .sort(pl.col("gap_usd").abs(), "api_key_id", "model", descending=[True, False, False])
        .head(SHOWN)
    )
    said = (
        f"{key or 'no key'} with {model or 'no model'} {usd:+,.2f}"
        for key, model, usd in by_key.iter_rows()
    )
    return ", ".join(said)


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    return found(judged_lately(lake, facts, CostReconciliation, meter_until(lake, facts)))


QUESTION = Question((GAP,), (CostReconciliation,), _ask, meter_until)
