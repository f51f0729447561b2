"""Which stored days other tokens judge otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from upath import UPath

from openai_costs.questions.days_of_other_tokens import days_of_other_tokens
from openai_costs.settings import Gateway
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.spend import Spend
from openai_costs_tests.org import INVOICED
from openai_costs_tests.questions.reconciliation.sides import (
    DAY,
    bill,
    counted,
    line,
    meter,
    tokens,
)

if TYPE_CHECKING:
    from datetime import date

AT = datetime(2026, 4, 1, tzinfo=UTC)
DAYS = range(50)
LISTED: dict[str, Any] = {"last_seen_day": DAY + timedelta(days=60)}


def on(*numbers: int) -> set[date]:
    return {DAY + timedelta(days=one) for one in numbers}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Fifty days of key_maps, metered on every fifth, and of key_other on the last two."""
    made = Lake(UPath(tmp_path_factory.mktemp("lake")))
    days = [DAY + timedelta(days=one) for one in DAYS]
    lines = [line("output", "1", 10, day=day, api_key_id="key_maps") for day in days]
    lines += [line("output", "1", 10, day=day, api_key_id="key_other") for day in days[-2:]]
    ledger = bill(*(one | INVOICED for one in lines))
    assert not made.replace(
        Spend, [Batch(ledger, {Slice("acme", day): AT for day in days})]
    ).refused
    calls = [counted("1", 0, 0, 10, day=day) for day in days[::5]]
    requests = meter(*(one | {"cost_basis": "metered", "is_partial": False} for one in calls))
    read_at = {Slice("gateway", day): AT for day in days}
    assert not made.replace(GatewaySpend, [Batch(requests, read_at)]).refused
    return made


def other(lake: Lake, before: list[dict[str, Any]], now: list[dict[str, Any]]) -> set[date]:
    return days_of_other_tokens(lake, Gateway(), tokens(*before), tokens(*now))


def test_a_new_token_of_a_key_that_was_covered_judges_no_day_otherwise(lake: Lake) -> None:
    more = LISTED | {"token_id": "tok_new"}
    assert other(lake, [LISTED], [LISTED]) == set()
    assert other(lake, [LISTED], [LISTED, more]) == set()


def test_a_token_that_names_a_key_for_the_first_time_judges_its_days(lake: Lake) -> None:
    more = LISTED | {"token_id": "tok_new", "openai_api_key_id": "key_other"}
    assert other(lake, [LISTED], [LISTED, more]) == on(48, 49)


def test_a_token_that_is_gone_judges_the_days_from_the_first_list_without_it(lake: Lake) -> None:
    gone = {"is_current": False, "counts_until_day": DAY + timedelta(days=46)}
    assert other(lake, [LISTED], [LISTED | gone]) == on(47, 48, 49)


def test_a_token_that_was_given_to_another_key_judges_the_days_that_it_may_have_had_it(
    lake: Lake,
) -> None:
    before = {"is_current": False, "counts_until_day": DAY + timedelta(days=39)}
    since = {"openai_api_key_id": "key_other", "counts_from_day": DAY + timedelta(days=31)}
    days = other(lake, [LISTED], [LISTED | before, LISTED | since])
    assert days == on(35, *range(40, 50))
