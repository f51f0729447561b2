"""What deserves a look, worst first: open findings as the page tells them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.report.dollars import cents, dollars
from openai_costs.report.facts import Found, OpenFindings
from openai_costs.report.names import without_address
from openai_costs.tables.mart.findings import OPEN, worst_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_SHOWN: Final = 12
_LONGEST_NAME: Final = 80


def open_findings(findings: pl.DataFrame, connections: Sequence[str]) -> OpenFindings:
    """Return the open findings of mart.findings: by severity, then by the dollars at stake.

    Args:
        findings: mart.findings.
        connections: Those the page knows; a finding of none of them is of all together.
    """
    place = {name: i for i, name in enumerate(connections)}
    worst = worst_first(findings.filter(pl.col("state").is_in(OPEN)))
    return OpenFindings(
        shown=tuple(_told(row, place) for row in worst.head(_MOST_SHOWN).iter_rows(named=True)),
        hidden=max(0, worst.height - _MOST_SHOWN),
        muted=findings.filter(state="muted").height,
    )


def _told(row: Mapping[str, Any], place: Mapping[str, int]) -> Found:
    kind, name = row["subject_kind"].replace("_", " "), row["subject_name"] or row["subject_id"]
    usd, owner = row["impact_usd"], row["owner"]
    return Found(
        connection=place.get(row["connection"]),
        severity=row["severity"],
        at_stake="" if usd is None else dollars(cents(usd)),
        about=without_address(f"{kind} {name}")[:_LONGEST_NAME],
        note=f"{row['rule']}, {row['since_day']} to {row['day']}"
        + (f", for {without_address(owner)}" if owner else ""),
        sentence=without_address(row["because"]),
        outlook=without_address(row["outlook"] or ""),
    )
