"""Flags on the days of unusual spend: what happened, how far above expected, and who. Pure.

An incident has one flag, on its costliest day, and its finding, open, closed or muted. Not here:
which days are unusual (questions/anomalies).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.kernel.formatting import dollars, signed_dollars, total_usd
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.address import address

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_CAUSES: Final = 4

Known = dict[tuple[str, str, Any], dict[str, Any]]
"""Findings by the kind and id of their subject and their first day."""


def flags(anomalies: pl.DataFrame, findings: pl.DataFrame) -> list[dict[str, Any]]:
    """Return a flag per reported incident, oldest first: what the chart's card shows.

    Args:
        anomalies: mart.spend_anomalies.
        findings: mart.findings.

    Returns:
        day, first, last, title, above, causes, state, finding, address of each.
    """
    known = _by_incident(findings)
    incidents = (
        anomalies.filter("is_told").sort("day").partition_by("incident_id", maintain_order=True)
    )
    return sorted((_flag(rows, known) for rows in incidents), key=lambda one: str(one["day"]))


def _by_incident(findings: pl.DataFrame) -> Known:
    """Return findings by subject and first day: an incident has no other name in both."""
    rows = findings.filter(pl.col("rule").str.starts_with("anomalies."))
    return {
        (row["subject_kind"], row["subject_id"], row["since_day"]): row
        for row in rows.iter_rows(named=True)
    }


def _flag(rows: pl.DataFrame, known: Known) -> dict[str, Any]:
    worst = rows.sort(pl.col("impact_usd").abs(), "day").row(-1, named=True)
    first, last = rows["day"][0], rows["day"][-1]
    finding = known.get((worst["series_kind"], worst["series_id"], worst["since_day"]), {})
    name = without_domains(worst["series_name"] or worst["series_id"])
    above = total_usd(rows["impact_usd"].to_list())
    actual, expected = dollars(worst["actual_usd"]), dollars(worst["expected_usd"])
    return {
        "day": str(worst["day"]),
        "first": str(first),
        "last": str(last),
        "title": f"{name}: {actual}, expected {expected}",
        "above": f"{signed_dollars(above)} against expected, {_days(first, last)}",
        "causes": list(_causes(worst["causes"])),
        "state": finding.get("state", "recorded"),
        "id": finding.get("finding_id", ""),
        "kind": worst["series_kind"],
        "member": without_domains(worst["series_id"]),
        "address": address({worst["series_kind"]: worst["series_id"]}, days=(first, last)),
    }


def _days(first: object, last: object) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _causes(text: str) -> Iterator[str]:
    """Yield the causes of a day as `model gpt-6-astra +$980.00`."""
    for one in json.loads(text)[:_MOST_CAUSES]:
        name = without_domains(str(one.get("name") or one["id"]))
        word = one["dimension"].replace("_", " ")
        yield f"{word} {name} {signed_dollars(Decimal(one['impact_usd']))}"
