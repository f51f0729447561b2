"""What the incidents say: candidates for `mart.findings`, in words with numbers.

Not here: when a kind holds and what it says (kinds/).
"""

import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.formatting import counted, dollars
from openai_costs.questions.anomalies.cause_texts import causes_in_words
from openai_costs.questions.anomalies.kinds import KINDS, by_published
from openai_costs.questions.anomalies.kinds.kind import Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import span, total_impact
from openai_costs.questions.rules import Facts, Question
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding, candidates
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies


def incident_candidates(anomalies: pl.DataFrame, critical_usd: Decimal) -> pl.DataFrame:
    """Return a candidate per incident.

    Args:
        anomalies: mart.spend_anomalies.
        critical_usd: From how many dollars an incident is critical.
    """
    reported = anomalies.filter("is_told").sort("incident_id", "connection", "day")
    incidents = reported.partition_by("incident_id", maintain_order=True)
    others = _other_subjects(anomalies)
    found = [_candidate(days.rows(named=True), critical_usd, others) for days in incidents]
    return candidates(pl.DataFrame(found, infer_schema_length=None)) if found else Finding.no_rows()


def _other_subjects(anomalies: pl.DataFrame) -> Mapping[tuple[str, str], str]:
    """Return the series that saw an incident and do not report it, by incident and connection."""
    found = defaultdict[tuple[str, str], list[list[str]]](list)
    columns = ("incident_id", "connection", "series_kind", "series_id")
    for incident, connection, *subject in (
        anomalies.filter(~pl.col("is_told")).select(columns).unique().sort(columns).iter_rows()
    ):
        found[incident, connection].append(subject)
    return {key: json.dumps(subjects) for key, subjects in found.items()}


def _candidate(
    days: Days, critical_usd: Decimal, others: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    newest = days[-1]
    kind, impact = by_published(newest["kind"]), total_impact(days)
    return {
        "rule": kind.rule.id,
        "severity": _severity(kind, impact, critical_usd),
        "subject_kind": newest["series_kind"],
        "subject_id": newest["series_id"],
        "subject_name": newest["series_name"],
        **{name: newest[name] for name in ("connection", "day", "since_day")},
        "observed": newest["actual_usd"],
        "expected": newest["expected_usd"],
        "threshold": newest["lower_usd" if newest["direction"] == "down" else "upper_usd"],
        "unit": "USD",
        "impact_usd": impact,
        "because": _because(kind, days),
        "outlook": _outlook(newest) if kind.goes_on else None,
        "owner": newest["team"] or newest["owner"],
        "table_name": SpendAnomalies.full_name(),
        "also_seen_by": others.get((newest["incident_id"], newest["connection"])),
    }


def _severity(kind: Kind, impact: Decimal, critical_usd: Decimal) -> str:
    if kind.is_informational:
        return "info"
    return "critical" if impact >= critical_usd else "warning"


def _because(kind: Kind, days: Days) -> str:
    return " ".join(
        (kind.sentence(days), _impact(days), causes_in_words(day["causes"] for day in days))
    ).strip()


def _impact(days: Days) -> str:
    """Return the dollars of all days, and which days those are."""
    impact = total_impact(days)
    side = "above" if impact >= 0 else "below"
    total = "Total: " if len(days) > 1 else ""
    return f"{total}{dollars(abs(impact))} {side} expected {span(days)}."


def _outlook(newest: dict[str, Any]) -> str | None:
    """What the rest of the month costs more than expected if every day is like the newest."""
    day = newest["day"]
    left = monthrange(day.year, day.month)[1] - day.day
    if not left:
        return None
    more = dollars(left * newest["impact_usd"])
    rest = f"the remaining {counted(left, 'day')} are" if left > 1 else "the last day is"
    return f"{more} more than expected by the end of the month, if {rest} like {day}."


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    return incident_candidates(lake.read(SpendAnomalies), facts.settings.anomalies.critical_usd)


QUESTION = Question(
    rules=tuple(kind.rule for kind in KINDS),
    reads=(SpendAnomalies, Spend),
    ask=_ask,
)
