"""Which stored days other tokens, and other reads of the meter, judge otherwise."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.questions.gateway import all_meter_days
from openai_costs.questions.reconciliation.capture import Reads, capture
from openai_costs.questions.reconciliation.reconcile import reconciliation
from openai_costs.questions.reconciliation.unjudged_days import (
    days_judged_otherwise,
    days_of_other_bills,
    days_to_compare_again,
    unjudged_days,
)
from openai_costs.settings import Gateway
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import keep_refusal, with_own_days
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.archive import Archive
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.storage.withdrawal import withdraw
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs_tests.org import INVOICED
from openai_costs_tests.questions.reconciliation.sides import (
    DAY,
    bill,
    counted,
    line,
    meter,
    sides,
    tokens,
)

AT = datetime(2026, 4, 1, tzinfo=UTC)
DAYS = range(50)
GATEWAY = Gateway(token_files=("tokens.csv",))
LISTED: dict[str, Any] = {"last_seen_day": DAY + timedelta(days=60)}


def stale_by(lake: Lake, settings: Settings) -> set[date]:
    return {day for some in days_to_compare_again(lake, settings) for day in some}


def on(*numbers: int) -> set[date]:
    return {DAY + timedelta(days=one) for one in numbers}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Fifty days of key_maps, metered on every fifth, and of key_other on the last two."""
    made = Lake(UPath(tmp_path))
    days = sorted(on(*DAYS))
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


def listed(lake: Lake, *rows: dict[str, Any]) -> None:
    lake.replace_whole(GatewayTokens, tokens(*({"is_partial": False} | row for row in rows)))


def compared(lake: Lake) -> None:
    """Make mart.cost_reconciliation of all days by what is stored."""
    days = sorted(lake.days(Spend, "acme"))
    both = sides(
        lake.read(Spend, days),
        lake.read(GatewaySpend, days),
        lake.read(GatewayTokens),
        meter_days=all_meter_days(lake),
    )
    rows = reconciliation(both, GATEWAY, days)
    read_at = {Slice("acme", day): AT for day in days}
    assert not lake.replace(CostReconciliation, [Batch(rows, read_at)]).refused


def stale(lake: Lake) -> set[date]:
    ranges = days_judged_otherwise(lake, GATEWAY)
    return {day for days in ranges for day in days}


def other(lake: Lake, before: list[dict[str, Any]], now: list[dict[str, Any]]) -> set[date]:
    """Return the days that are stale by other tokens, and none once these have compared them."""
    listed(lake, *before)
    compared(lake)
    assert stale(lake) == set()
    listed(lake, *now)
    days = stale(lake)
    compared(lake)
    assert stale(lake) == set()
    return days


def test_a_day_that_the_meter_has_and_the_bill_has_not_is_compared_when_the_registry_is_read(
    lake: Lake,
) -> None:
    alone = DAY + timedelta(days=len(DAYS))
    calls = [counted("1", 0, 0, 10, day=alone, cost_basis="metered", is_partial=False)]
    assert not lake.replace(
        GatewaySpend, [Batch(meter(*calls), {Slice("gateway", alone): AT})]
    ).refused
    assert unjudged_days(lake, GATEWAY) == []
    listed(lake, LISTED | {"connection": "gateway"})
    compared(lake)
    assert unjudged_days(lake, GATEWAY) == [DayRange(alone, alone)]
    others = meter(counted("1", 0, 0, 10, day=alone, cost_basis="metered", is_partial=False))
    elsewhere = others.with_columns(upstream_provider=pl.lit("anthropic"))
    assert not lake.replace(GatewaySpend, [Batch(elsewhere, {Slice("gateway", alone): AT})]).refused
    assert unjudged_days(lake, GATEWAY) == []


def test_a_new_token_of_a_key_that_was_covered_judges_no_day_otherwise(lake: Lake) -> None:
    more = LISTED | {"token_id": "tok_new"}
    assert other(lake, [LISTED], [LISTED, more]) == set()


def test_a_token_that_names_a_key_for_the_first_time_judges_its_days_and_those_beside_them(
    lake: Lake,
) -> None:
    more = LISTED | {"token_id": "tok_new", "openai_api_key_id": "key_other"}
    assert other(lake, [LISTED], [LISTED, more]) == on(46, 47, 48, 49)


def test_a_token_that_is_gone_judges_the_days_from_the_first_list_without_it(lake: Lake) -> None:
    gone = {"is_current": False, "counts_until_day": DAY + timedelta(days=46)}
    assert other(lake, [LISTED], [LISTED | gone]) == on(45, 46, 47, 48, 49)


def test_a_token_that_was_given_to_another_key_judges_the_days_that_it_may_have_had_it(
    lake: Lake,
) -> None:
    before = {"is_current": False, "counts_until_day": DAY + timedelta(days=39)}
    first = DAY + timedelta(days=31)
    since = {
        "openai_api_key_id": "key_other",
        "counts_from_day": first,
        "first_seen_day": first,
    }
    days = other(lake, [LISTED], [LISTED | before, LISTED | since])
    assert days == on(*range(33, 50))


def test_days_of_a_meter_that_were_withdrawn_are_judged_otherwise(lake: Lake) -> None:
    listed(lake, LISTED)
    compared(lake)
    withdraw(lake, "gateway", dict.fromkeys(on(11, 12, 13), ()))
    assert stale(lake) == on(*range(9, 16))
    compared(lake)
    assert stale(lake) == set()


def test_days_that_an_older_version_compared_are_compared_once_more(
    lake: Lake, tmp_path: Path
) -> None:
    """They do not say what judged them, and so were judged by its tokens and settings for good."""
    listed(lake, LISTED)
    compared(lake)
    DeltaTable(tmp_path / "lake/mart/cost_reconciliation").update({"judged_by": "NULL"})
    lake = Lake(UPath(tmp_path))
    assert stale(lake) == on(*DAYS)
    compared(lake)
    assert stale(lake) == set()


def test_days_are_not_whole_any_more_where_a_bill_comes_that_was_not_read_for_them(
    lake: Lake,
) -> None:
    """The sum of one bill stood beside all that was metered of two."""
    days = sorted(lake.days(Spend, "acme"))
    usual = dict.fromkeys(SpendControl.types()) | {
        "connection": "acme",
        "provider": "openai",
        "billed_usd": Decimal(1),
        "is_settled": True,
        "read_at": AT.replace(tzinfo=None),
    }
    read = [usual | {"day": day} for day in days]
    frame = pl.DataFrame(read, schema=SpendControl.types())
    acme, beta = (OpenAIConnection(name=name) for name in ("acme", "beta"))

    def stale_with(*connections: OpenAIConnection) -> set[date]:
        ranges = days_of_other_bills(lake, GATEWAY, connections)
        return {day for some in ranges for day in some}

    def captured_with(*connections: OpenAIConnection) -> None:
        reads = Reads(
            frame.select("connection", "day", "is_settled"), all_meter_days(lake), connections
        )
        rows = capture(lake.read(Spend, days), lake.read(GatewaySpend, days), reads, "gateway")
        read_at = {Slice("gateway", day): AT for day in days}
        assert not lake.replace(GatewayCapture, [Batch(rows, read_at)]).refused

    assert stale_with(acme) == set()
    slices = {Slice("acme", day): AT for day in days}
    assert not lake.replace(SpendControl, [Batch(frame, slices)]).refused
    captured_with(acme)
    assert stale_with(acme) == set()
    settled = {day for day in days if day < AT.date() - timedelta(days=1)}
    assert stale_with(acme, beta) == settled
    captured_with(acme, beta)
    assert stale_with(acme, beta) == set()
    assert stale_with(acme) == settled
    home = lake.root.parent
    both = Settings(
        home=str(home), config_file=Path("x.toml"), connections=(acme, beta), gateway=GATEWAY
    )
    assert settled.isdisjoint(stale_by(lake, both))
    keep_refusal(Archive(home), beta, "It is counted as acme.", "acme")  # it has no bill of its own
    assert with_own_days(both) == [acme]
    assert settled <= stale_by(lake, both)
    captured_with(acme)
    assert settled.isdisjoint(stale_by(lake, both))


def test_without_a_gateway_no_day_is_compared_and_none_is_stale(tmp_path: Path) -> None:
    assert stale(Lake(UPath(tmp_path))) == set()
