"""What the incidents say: candidates for `mart.findings`, in words with numbers.

Not here: when a kind holds and what it says (kinds/).
"""

import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.formatting import counted, dollars
from openai_costs.questions.anomalies.cause_texts import causes_in_words
from openai_costs.questions.anomalies.kinds import KINDS, by_published
from openai_costs.questions.anomalies.kinds.kind import GAP_DAYS, Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import span, total_impact
from openai_costs.questions.causes import distinguished
from openai_costs.questions.coverage import newest_settled, settled_in_all
from openai_costs.questions.namesakes import with_marks
from openai_costs.questions.rules import Facts, Question
from openai_costs.questions.series import holes
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import EVERY_CONNECTION, Finding, candidates
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies


def incident_candidates(
    anomalies: pl.DataFrame, critical_usd: Decimal, coverage: pl.DataFrame
) -> pl.DataFrame:
    """Return a candidate per incident.

    Args:
        anomalies: mart.spend_anomalies.
        critical_usd: From how many dollars an incident is critical.
        coverage: mart.coverage: which days are known.
    """
    reported = anomalies.filter("is_told").sort("incident_id", "connection", "day")
    incidents = reported.partition_by("incident_id", maintain_order=True)
    others = _other_subjects(anomalies)
    through = _settled_through(coverage)
    found = [
        _candidate(days := one.rows(named=True), critical_usd, others)
        | {"outlook": _outlook(days[-1], through)}
        for one in incidents
    ]
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


def _settled_through(coverage: pl.DataFrame) -> Mapping[str, date]:
    """Return the newest settled day of each connection, and the newest that is settled in all."""
    in_all = settled_in_all(coverage)
    every = {EVERY_CONNECTION: in_all[-1]} if len(in_all) else {}
    return every | dict(newest_settled(coverage).iter_rows())


def _outlook(newest: dict[str, Any], through: Mapping[str, date]) -> str | None:
    """What the days ahead cost more than expected if every one of them is like the newest.

    Settled days are not ahead: after some of them without it, an incident is over.
    """
    day = newest["day"]
    known = max(day, through.get(newest["connection"], day))
    left = (day.replace(day=monthrange(day.year, day.month)[1]) - known).days
    is_over = (known - day).days >= GAP_DAYS
    if is_over or left <= 0 or not by_published(newest["kind"]).goes_on:
        return None
    more = dollars(left * newest["impact_usd"])
    rest = f"the remaining {counted(left, 'day')} are" if left > 1 else "the last day is"
    return f"{more} more than expected by the end of the month, if {rest} like {day}."


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    critical_usd = facts.settings.anomalies.critical_usd
    anomalies = distinguished(lake.read(SpendAnomalies), facts.marks)
    series = pl.col("series_kind"), pl.col("series_id")
    named = with_marks(anomalies, "series_name", *series, facts.marks)
    return incident_candidates(named, critical_usd, lake.read(Coverage))


def _holes(lake: Lake, _facts: Facts) -> Mapping[str, Collection[date]]:
    """Return the days that the detector does not judge, also those of all connections together."""
    found = holes(lake.read(Coverage))
    return found | {EVERY_CONNECTION: set().union(*found.values())}


QUESTION = Question(
    rules=tuple(kind.rule for kind in KINDS),
    reads=(SpendAnomalies, Spend),
    ask=_ask,
    judges_none=_holes,
)
