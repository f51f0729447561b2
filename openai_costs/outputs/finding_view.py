"""The view of the page that a finding speaks of, as an address behind the `#`. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from openai_costs.outputs.alerts.rows import Finding
from openai_costs.outputs.report.address import address

Scopes = Mapping[str, Mapping[str, str | None]]
"""What each budget covers: its filter, by its name."""

NO_SCOPES: Final[Scopes] = {}
_BEFORE: Final = timedelta(days=14)
"""How many days before an incident its view begins."""


def view_of(one: Finding, scopes: Scopes = NO_SCOPES) -> str:
    """Return the address of the view of a finding's dollars; of its row, where there is none.

    Args:
        one: The finding.
        scopes: What each budget covers, as far as that is known.
    """
    days = (min(one.since_day, one.day) - _BEFORE, one.day)
    if one.subject_kind == "budget":
        scope = scopes.get(one.subject_id.partition("/")[0])
        return row_of(one) if scope is None else address(scope, days=days)
    view = address({one.subject_kind: one.subject_id}, days=days)
    return view if f"{one.subject_kind}=" in view else row_of(one)


def row_of(one: Finding) -> str:
    """Return the address of a finding's row in the section of findings."""
    return f"#finding-{one.finding_id}"
