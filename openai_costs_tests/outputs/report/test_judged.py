"""No data is never "no finding": the sentences say what was judged and what was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from openai_costs.outputs.report.judged import Judged, what_was_judged
from openai_costs.tables.mart.coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Mapping

SPEND = "unusual spend"
REST = ("budgets", "keys that bypass the gateway", "people who left")
ANY = pl.DataFrame({"a": [1]})
NONE = ANY.clear()


def case(
    states: Mapping[str, str], *, is_set_up: bool = False, status: str = "", is_judged: bool = True
) -> Judged:
    """What was looked for with a state of the one day of each connection."""
    rows = [
        dict.fromkeys(Coverage.types())
        | {"connection": one, "source": "costs", "state": state, "is_connected": True}
        for one, state in states.items()
    ]
    coverage = pl.DataFrame(rows, schema=Coverage.types())
    seats = pl.DataFrame({"status": [status or None]}, schema={"status": pl.String})
    there = ANY if is_set_up else NONE
    return what_was_judged(coverage, there, there, seats, is_judged=is_judged)


def test_before_a_day_has_settled_nothing_was_judged() -> None:
    first = case({"acme": "provisional"}, is_set_up=True, status="left")
    assert first.no_finding == (
        "No finding is open: no day has settled yet, so nothing was judged."
    )
    assert first.no_saving == "No day has settled yet, so no saving could be measured."
    assert first.no_restatement == "No day has settled yet, so none could be restated."


def test_before_the_end_of_a_first_backfill_nothing_was_judged() -> None:
    early = case({"acme": "settled"}, is_judged=False)
    assert early.no_finding == (
        "Nothing was judged yet: a backfill does that once it has read everything."
    )


def test_what_is_not_looked_for_or_was_refused_was_not_looked_for() -> None:
    plain = case({"acme": "settled"}, status="service_account")
    assert (plain.found_in, plain.not_looked_for) == ((SPEND,), REST)
    assert plain.no_finding == (
        "No finding is open. Looked for: unusual spend. Not looked for, because it is not set up "
        "or could not be used: budgets, keys that bypass the gateway, people who left."
    )


@pytest.mark.parametrize("status", ["left", "unmatched", "alias", "matched"])
def test_with_everything_set_up_all_of_it_was_looked_for(status: str) -> None:
    whole = case({"acme": "settled"}, is_set_up=True, status=status)
    assert (whole.found_in, whole.not_looked_for) == ((SPEND, *REST), ())
    assert "not looked for" not in whole.no_finding


def test_a_connection_without_a_settled_day_is_named_beside_others() -> None:
    some = case({"acme": "settled", "claude": "provisional"})
    assert some.no_finding.endswith("Not judged, because no day has settled yet: claude.")
