"""The view of the page that a finding speaks of, as an address behind the `#`. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from openai_costs.kernel.days import ONE_DAY
from openai_costs.outputs.alerts.rows import Finding
from openai_costs.outputs.alerts.rules import find_rule
from openai_costs.outputs.alerts.titles import first_day_of
from openai_costs.outputs.report.address import address
from openai_costs.tables.candidate import EVERY_CONNECTION

Scopes = Mapping[str, Mapping[str, str | None]]
"""What each budget covers: its filter, by its name."""

NO_SCOPES: Final[Scopes] = {}


def view_of(one: Finding, scopes: Scopes = NO_SCOPES) -> str:
    """Return the address of the view of a finding's dollars; of its row, where there is none.

    Args:
        one: The finding.
        scopes: What each budget covers, as far as that is known.
    """
    days = _days_of(one)
    if one.subject_kind == "budget":
        scope = scopes.get(one.subject_id.partition("/")[0])
        return row_of(one) if scope is None else address(scope, days=days)
    place = {} if one.connection == EVERY_CONNECTION else {"connection": one.connection}
    view = address(place | {one.subject_kind: one.subject_id}, days=days)
    return view if f"{one.subject_kind}=" in view else row_of(one)


def _days_of(one: Finding) -> tuple[date, date]:
    """Return the first and the last day that the dollars of a finding are of."""
    rule, first = find_rule(one.rule), first_day_of(one)
    if rule.window_days:
        window = one.day - timedelta(days=rule.window_days - 1)
        first = max(first + ONE_DAY, window) if rule.is_after_since else window
    return min(first, one.day), one.day


def row_of(one: Finding) -> str:
    """Return the address of a finding's row in the section of findings."""
    return f"#finding-{one.finding_id}"
