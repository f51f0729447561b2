from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.money import SMALLEST
from openai_costs.questions.prices.catalogue import Item, list_price
from openai_costs.questions.prices.price_check import (
    checked_dollars,
    price_check,
    unknown_models,
    unpriced,
    without_list,
)
from openai_costs.questions.usage.billable import billable
from openai_costs.sources.openai.costs.line_items import parsed_columns
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs_tests.org import WIDE, day
from openai_costs_tests.questions.usage.frames import WHERE, ledger, table, tokens, usage

NO_USAGE = billable(usage())


def line(label: str, usd: str, quantity: str | None = None, **more: object) -> dict[str, Any]:
    """A line of the ledger, its label parsed as the ledger's are."""
    (parsed,) = parsed_columns(pl.Series([label])).rows(named=True)
    known = None if quantity is None else Decimal(quantity)
    unit = None if quantity is None else "tokens"
    return parsed | {"billed_usd": Decimal(usd), "quantity": known, "quantity_unit": unit} | more


EU = "EU_STORAGE_PROCESSING"
SEEN = {"status": "active", "first_seen_day": day(1), "last_seen_day": day(1), "is_current": True}
PROJECTS = table(
    Projects,
    {"connection": "acme", "provider": "openai"} | SEEN,
    {"id": "p", "residency": "GLOBAL"},
    {"id": "proj_eu", "residency": EU},
)


def checked(*lines: dict[str, Any], used: pl.DataFrame = NO_USAGE) -> pl.DataFrame:
    frame = price_check(ledger(*lines), used, PROJECTS)
    assert PriceCheck.broken_rules(frame) == []
    return frame


def only(*lines: dict[str, Any], used: pl.DataFrame = NO_USAGE) -> dict[str, Any]:
    (row,) = checked(*lines, used=used).rows(named=True)
    return row


def cause(label: str, usd: str, quantity: str | None = None, **more: object) -> str:
    return str(only(line(label, usd, quantity, **more))["cause"])


def test_what_was_billed_at_list_price_agrees() -> None:
    row = only(line("gpt-4.1, input", "2", "1000000"))
    assert (row["list_price_usd"], row["expected_usd"]) == (Decimal("0.000002"), Decimal(2))
    assert (row["gap_usd"], row["cause"], row["quantity_source"]) == (0, "agrees", "ledger")


@pytest.mark.parametrize(
    ("label", "usd", "quantity", "expected"),
    [
        ("gpt-4.1, input", "1.8", "1000000", "contract_discount"),
        ("gpt-4.1, input", "2.2", "1000000", "above_list"),
        ("gpt-4.1, input", "2", None, "quantity_missing"),
        ("gpt-99-nova, input", "2", "1000000", "no_price"),
        ("ultrafast | gpt-4.1, input", "2", "1000000", "unknown_tier"),
        ("Completions", "2", "1000000", "label_not_parsed"),
    ],
)
def test_the_cause_says_why_they_differ_or_why_it_is_unknown(
    label: str, usd: str, quantity: str | None, expected: str
) -> None:
    assert cause(label, usd, quantity) == expected


def test_what_is_not_known_is_null_and_never_zero() -> None:
    row = only(line("gpt-99-nova, input", "2", "1000000"))
    assert (row["list_price_usd"], row["expected_usd"], row["gap_usd"]) == (None, None, None)


def test_the_noise_of_a_binary_multiplication_agrees() -> None:
    assert cause("gpt-4.1, input", "2.0000000000000004", "1000000") == "agrees"
    assert cause("gpt-4.1, input", "2.00001", "1000000") == "above_list"


def test_lines_of_one_label_are_added_up_and_units_kept_apart() -> None:
    same = line("whisper-1", "0.01", "100", quantity_unit="duration_seconds")
    other = line("whisper-1", "0.06", "10", quantity_unit="duration_minutes", api_key_id="k2")
    frame = checked(same, same | {"api_key_id": "k2"}, other)
    assert frame.select("quantity_unit", "quantity", "billed_usd", "cause").rows() == [
        ("duration_minutes", Decimal(10), Decimal("0.06"), "agrees"),
        ("duration_seconds", Decimal(200), Decimal("0.02"), "agrees"),
    ]


def test_a_quantity_of_which_a_part_is_missing_is_missing() -> None:
    known = line("gpt-4.1, input", "2", "1000000")
    unknown = known | {"api_key_id": "k2", "quantity": None}
    assert only(known, unknown)["cause"] == "quantity_missing"


def test_a_line_without_dollars_and_quantity_takes_nothing_from_the_others() -> None:
    known = line("gpt-4.1, input", "2", "1000000")
    nothing = known | {"api_key_id": "k2", "quantity": None, "billed_usd": Decimal(0)}
    assert only(known, nothing)["cause"] == "agrees"


def test_a_number_without_a_unit_is_calls_for_a_tool_and_nothing_for_tokens() -> None:
    tool = only(line("web search tool calls", "0.02", "2", quantity_unit=None))
    assert (tool["quantity_unit"], tool["expected_usd"]) == ("calls", Decimal("0.02"))
    assert cause("gpt-4.1, input", "2", "1000000", quantity_unit=None) == "quantity_missing"


def test_a_quantity_beyond_belief_is_not_known() -> None:
    assert cause("gpt-4.1, input", "2", "1000000000000000") == "quantity_missing"


def test_the_price_is_the_one_of_the_day() -> None:
    earlier = line("gpt-5.6-sol, input", "5", "1000000", day=day(1).replace(month=8))
    later = line("gpt-5.6-sol, input", "4", "1000000")
    assert checked(earlier, later)["cause"].to_list() == ["agrees", "agrees"]


# --- quantities from usage ---------------------------------------------------------------------


def used(*rows: dict[str, Any]) -> pl.DataFrame:
    return billable(usage(*({"model": "gpt-4.1"} | row for row in rows)))


def test_usage_stands_in_for_a_quantity_that_the_bill_does_not_have() -> None:
    row = only(line("gpt-4.1, input", "2"), used=used(tokens(1_000_000, cached=7)))
    assert (row["quantity"], row["quantity_source"]) == (Decimal(1_000_000), "usage")
    assert (row["quantity_unit"], row["cause"]) == ("tokens", "agrees")


def test_the_bills_own_quantity_counts_before_usage() -> None:
    row = only(line("gpt-4.1, input", "2", "1000000"), used=used(tokens(5)))
    assert (row["quantity"], row["quantity_source"]) == (Decimal(1_000_000), "ledger")


def test_each_side_takes_its_own_tokens() -> None:
    lines = [line(f"gpt-4.1, {side}", "1") for side in ("input", "cached input", "output")]
    frame = checked(*lines, used=used(tokens(30, cached=20, output=10)))
    assert dict(frame.select("usage_type", "quantity").rows()) == {
        "cached_input": 20,
        "input": 30,
        "output": 10,
    }


def test_two_lines_that_share_a_pool_of_usage_have_no_quantity() -> None:
    lines = (line("gpt-5.4, input", "1"), line("gpt-5.4, input, long context", "1"))
    frame = checked(*lines, used=used(tokens(30, model="gpt-5.4")))
    assert frame["quantity"].to_list() == [None, None]


def test_usage_that_no_line_names_may_be_in_any_of_them() -> None:
    frame = checked(line("gpt-4.1, input", "1"), used=used(tokens(30), tokens(9, batch=True)))
    assert frame["quantity"].to_list() == [None]


def test_tiers_with_lines_of_their_own_take_their_own_usage() -> None:
    lines = (line("gpt-4.1, input", "1"), line("batch | gpt-4.1, input", "1"))
    frame = checked(*lines, used=used(tokens(30), tokens(9, batch=True)))
    assert dict(frame.select("service_tier", "quantity").rows()) == {"batch": 9, "standard": 30}


def test_beside_a_line_for_audio_a_line_without_modality_has_no_quantity() -> None:
    lines = (line("gpt-audio, input", "1"), line("gpt-audio audio, input", "1"))
    row = tokens(30, model="gpt-audio", input_text_tokens=20, input_audio_tokens=10)
    assert checked(*lines, used=used(row))["quantity"].to_list() == [None, None]


def test_a_modality_takes_its_own_tokens() -> None:
    lines = (line("gpt-audio text, input", "1"), line("gpt-audio audio, input", "1"))
    row = tokens(30, model="gpt-audio", input_text_tokens=20, input_audio_tokens=10)
    frame = checked(*lines, used=used(row))
    assert frame["quantity"].to_list() == [Decimal(10), Decimal(20)]


def test_usage_that_does_not_say_is_no_quantity() -> None:
    old = tokens(30, input_uncached_tokens=None)
    assert only(line("gpt-4.1, input", "1"), used=used(old))["cause"] == "quantity_missing"


def test_usage_of_another_day_or_connection_is_none() -> None:
    others = used(tokens(30, day=day(2)), tokens(30, connection="bolt"))
    assert only(line("gpt-4.1, input", "1"), used=others)["quantity"] is None


def test_calls_and_seconds_stand_in_too() -> None:
    calls = {"endpoint": "file_search_calls", "quantity": Decimal(4), "quantity_unit": "calls"}
    heard = {"endpoint": "audio_transcriptions", "model": "whisper-1", "quantity_unit": "seconds"}
    frame = checked(
        line("assistants api | file search", "0.01"),
        line("whisper-1", "0.006"),
        used=used(calls, heard | {"quantity": Decimal(60)}),
    )
    assert frame.select("quantity", "quantity_unit", "quantity_source", "cause").rows() == [
        (Decimal(4), "calls", "usage", "agrees"),
        (Decimal(60), "duration_seconds", "usage", "agrees"),
    ]


# --- figures -----------------------------------------------------------------------------------


def test_the_dollars_that_were_checked_are_counted_per_day() -> None:
    frame = checked(
        line("gpt-4.1, input", "2", "1000000"),
        line("gpt-99-nova, input", "6", "1000000"),
        line("gpt-4.1, input", "3", "1000000", day=day(2)),
    )
    assert checked_dollars(frame).rows() == [
        (day(1), Decimal(8), Decimal(2)),
        (day(2), Decimal(3), Decimal(3)),
    ]


def test_an_unknown_model_is_named_with_its_dollars_and_a_tool_is_not_a_model() -> None:
    missing = unpriced(
        checked(
            line("gpt-99-nova, input", "6", "1"),
            line("gpt-99-nova, output", "1", "1"),
            line("Vector storage", "9", "1", quantity_unit="gibibyte_hours"),
            line("gpt-image-2.5-sunburst", "2", "1", quantity_unit="images"),
            line("gpt-98, cached input", "0", "0"),
        )
    )
    assert missing["billed_usd"].sum() == 18
    assert unknown_models(missing).rows() == [("openai", "gpt-99-nova", Decimal(7))]


def test_no_lines_are_no_rows() -> None:
    frame = checked()
    assert frame.is_empty()
    assert unknown_models(unpriced(frame)).is_empty()


# --- exactness ---------------------------------------------------------------------------------

LABELS = st.sampled_from(
    ["gpt-4.1, input", "gpt-5-nano, cached input", "gpt-5.4, output, long context", "whisper-1"]
)
QUANTITIES = st.decimals(min_value=-(10**14), max_value=10**14, places=6)
DOLLARS = st.decimals(min_value=-(10**9), max_value=10**9, places=18)


@given(label=LABELS, quantity=QUANTITIES, billed=DOLLARS)
def test_expected_is_the_exact_product_and_the_gap_the_exact_difference(
    label: str, quantity: Decimal, billed: Decimal
) -> None:
    unit = "duration_seconds" if label == "whisper-1" else "tokens"
    row = only(line(label, str(billed), str(quantity), quantity_unit=unit))
    said = parsed_columns(pl.Series([label])).rows(named=True)[0]
    item = Item(**{name: said[name] for name in Item._fields[:5]}, quantity_unit=unit)
    price = list_price(item, WHERE["day"]).usd
    assert price is not None
    product = WIDE.multiply(quantity, price).quantize(SMALLEST, context=WIDE)
    assert row["expected_usd"] == product
    assert row["gap_usd"] == WIDE.subtract(billed, product)


def test_ten_per_cent_above_list_in_a_project_with_a_residency_is_the_regional_uplift() -> None:
    lines = (
        line("gpt-5.4-2026-03-05, input", "11.00", "4000000", project_id="proj_eu"),
        line("gpt-5.4-2026-03-05, output", "16.50", "1000000", project_id="proj_eu"),
    )
    rows = checked(*lines).select("gap_usd", "cause", "residency").rows()
    assert rows == [(Decimal(usd), "regional_uplift", EU) for usd in ("1.00", "1.50")]


def test_ten_per_cent_above_list_without_a_residency_stay_above_list() -> None:
    row = only(line("gpt-5.4-2026-03-05, input", "11.00", "4000000"))
    assert (row["gap_usd"], row["cause"], row["residency"]) == (Decimal(1), "above_list", None)


def test_another_share_above_list_in_a_project_with_a_residency_stays_above_list() -> None:
    row = only(line("gpt-5.4-2026-03-05, input", "12.00", "4000000", project_id="proj_eu"))
    assert row["cause"] == "above_list"


def test_the_same_label_in_and_outside_a_region_is_priced_apart() -> None:
    label = "gpt-5.4-2026-03-05, input"
    rows = checked(line(label, "11", "4000000", project_id="proj_eu"), line(label, "10", "4000000"))
    assert {(row["residency"], row["cause"]) for row in rows.rows(named=True)} == {
        (EU, "regional_uplift"),
        (None, "agrees"),
    }


# --- several providers -------------------------------------------------------------------------


def anthropic(kind: str, usd: str, **more: object) -> dict[str, Any]:
    """A line of Anthropic's bill, which has no quantity."""
    return {
        "connection": "claude",
        "provider": "anthropic",
        "host": "anthropic",
        "line_item": f"claude-haiku-4-5-20251001, {kind}",
        "model": "claude-haiku-4-5-20251001",
        "usage_type": kind,
        "billed_usd": Decimal(usd),
        "quantity": None,
        "quantity_unit": None,
    } | more


def bedrock(region: str, usd: str, **more: object) -> dict[str, Any]:
    """A million tokens into Claude Haiku, billed by AWS."""
    return {
        "connection": "cloud",
        "provider": "anthropic",
        "host": "aws",
        "line_item": f"{region}, Claude Haiku 4.5, input",
        "model": "claude-haiku-4-5",
        "region": region,
        "billed_usd": Decimal(usd),
        "quantity": Decimal(1_000_000),
    } | more


def test_one_model_has_the_price_of_each_who_invoices_it() -> None:
    frame = checked(
        anthropic("input", "1", quantity=Decimal(1_000_000), quantity_unit="tokens"),
        bedrock("global", "1"),
        bedrock("eu-central-1", "1.1"),
    )
    assert frame.select("host", "region", "list_price_usd", "cause").rows() == [
        ("anthropic", None, Decimal("0.000001"), "agrees"),
        ("aws", "eu-central-1", Decimal("0.0000011"), "agrees"),
        ("aws", "global", Decimal("0.000001"), "agrees"),
    ]


def test_one_label_of_two_who_invoice_is_two_lines() -> None:
    here = line("gpt-4.1, input", "2", "1000000")
    frame = checked(here, here | {"host": "azure", "provider": "openai"})
    assert frame.select("host", "billed_usd", "cause").rows() == [
        ("azure", Decimal(2), "no_price"),
        ("openai", Decimal(2), "agrees"),
    ]


def test_anthropics_usage_stands_in_for_the_quantities_of_its_bill() -> None:
    used = billable(
        usage(
            tokens(3_000_000, cached=1_000_000, output=2_000_000, write=5_000_000)
            | {
                "connection": "claude",
                "provider": "anthropic",
                "endpoint": "messages",
                "model": "claude-haiku-4-5-20251001",
                "input_cache_write_5m_tokens": 4_000_000,
                "input_cache_write_1h_tokens": 1_000_000,
            }
        )
    )
    bill = {
        "input": "3",
        "cached_input": "0.1",
        "cache_write_5m": "5",
        "cache_write_1h": "2",
        "output": "10",
    }
    frame = checked(*(anthropic(kind, usd) for kind, usd in bill.items()), used=used)
    assert set(frame["cause"]) == {"agrees"}
    assert set(frame["quantity_source"]) == {"usage"}


def test_a_day_of_many_short_requests_does_not_cost_what_one_long_request_would() -> None:
    of_day = {
        "line_item": "claude-sonnet-4-5, input",
        "model": "claude-sonnet-4-5",
        "quantity": Decimal(1_000_000),
        "quantity_unit": "tokens",
    }
    usual = anthropic("input", "3", **of_day)
    long = anthropic("input", "6", **of_day) | {"line_item": "long", "is_long_context": True}
    assert set(checked(usual, long)["cause"]) == {"agrees"}


def test_work_that_stays_in_a_region_costs_a_tenth_more_at_anthropic() -> None:
    of_day = {"quantity": Decimal(1_000_000), "quantity_unit": "tokens", "region": "us"}
    assert only(anthropic("input", "1.1", **of_day))["cause"] == "regional_uplift"
    assert only(anthropic("input", "1.1", **of_day | {"region": "global"}))["cause"] == "above_list"


def test_credits_and_what_was_not_billed_have_no_list_price_and_no_line() -> None:
    usual = line("gpt-4.1, input", "2", "1000000")
    credit = usual | {"charge_category": "credit", "billed_usd": Decimal(-1)}
    metered = usual | {"cost_basis": "metered"}
    assert checked(usual, credit, metered)["billed_usd"].to_list() == [Decimal(2)]


def test_a_model_is_unknown_at_who_has_a_list_and_a_bill_without_a_list_is_apart() -> None:
    missing = unpriced(
        checked(
            anthropic("input", "3", model="claude-nova-9"),
            bedrock("us-east-1", "4", model="a.nova", line_item="a"),
            bedrock("eu-west-1", "5", model="nova-pro", line_item="b"),
            line("gpt-4.1, input", "2", "1000000", host="azure"),
        )
    )
    assert unknown_models(missing).rows() == [
        ("aws", "a.nova", Decimal(4)),
        ("anthropic", "claude-nova-9", Decimal(3)),
    ]
    assert without_list(missing).rows() == [("azure", Decimal(2))]
