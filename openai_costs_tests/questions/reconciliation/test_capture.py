from datetime import timedelta
from decimal import Decimal

import polars as pl

from openai_costs.questions.reconciliation.capture import Reads, capture
from openai_costs.settings.connection import Connection
from openai_costs.sources.bedrock.settings import BedrockConnection
from openai_costs.sources.focus_file.settings import FocusConnection
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs_tests.questions.reconciliation.sides import DAY, bill, counted, line, meter

NEXT = DAY + timedelta(days=1)
ACME, BETA = (OpenAIConnection(name=name) for name in ("acme", "beta"))


def captured(
    ledger: pl.DataFrame,
    metered: pl.DataFrame,
    *connections: Connection,
    is_read: bool = True,
) -> pl.DataFrame:
    states = {"day": [DAY, NEXT], "is_settled": [True, is_read]}
    read = pl.DataFrame(states, schema={"day": pl.Date, "is_settled": pl.Boolean})
    of_host = ledger.with_columns(host=pl.coalesce("host", "provider"))
    days = read.with_columns(connection=pl.lit("acme"))
    found = capture(of_host, metered, Reads(days, read, connections or (ACME,)), "gateway")
    assert GatewayCapture.broken_rules(found) == []
    return found


def test_the_rate_of_a_day_is_that_of_all_keys_and_needs_no_mapping():
    two_days = bill(
        line("input", "20", 2_000_000),
        line("output", "5.57", 100_000, api_key_id="key_other"),
        line("input", "36", 3_600_000, day=NEXT),
    )
    seen = meter(
        counted("22.11805", 1_900_000, 0, 100_000, token_id="tok_nowhere"),  # noqa: S106 - an id
        counted("24.984", 2_500_000, 0, 0, day=NEXT),
    )
    found = captured(two_days, seen)
    assert found["capture_rate"].to_list() == [Decimal("0.865"), Decimal("0.694")]
    assert found["billed_tokens"].to_list() == [2_100_000, 3_600_000]
    assert found["metered_tokens"].to_list() == [2_000_000, 2_500_000]


def test_tokens_at_another_price_change_the_rate_of_dollars_and_not_that_of_tokens():
    dear = meter(counted("20", 1_000_000, 0, 0))
    found = captured(bill(line("input", "10", 2_000_000)), dear)
    rates = found.select("capture_rate", "token_capture_rate").row(0)
    assert rates == (Decimal(2), Decimal("0.5"))


def test_a_day_on_which_the_gateway_metered_nothing_has_a_rate_of_zero():
    found = captured(bill(line("input", "10", 1)), meter())
    assert found.select("provider", "metered_usd", "capture_rate").row(0) == ("openai", 0, 0)


def test_each_provider_behind_the_gateway_has_a_rate_of_its_own():
    bills = bill(line("input", "10", 1), line("input", "4", 1, provider="anthropic"))
    seen = meter(
        counted("5", 1, 0, 0, upstream_provider="text-completion-openai"),
        counted("1", 1, 0, 0, upstream_provider="anthropic"),
    )
    found = captured(bills, seen)
    assert dict(found.select("provider", "capture_rate").rows()) == {
        "anthropic": Decimal("0.25"),
        "openai": Decimal("0.5"),
    }


def test_what_others_invoice_is_no_part_of_the_bill_of_the_models_maker():
    bills = bill(
        line("input", "10", 1),
        line("input", "90", 1, host="openrouter"),
        line("input", "8", 1, provider="anthropic", host="aws"),
    )
    seen = meter(
        counted("5", 1, 0, 0, upstream_provider="openai"),
        counted("2", 1, 0, 0, upstream_provider="bedrock"),
    )
    found = captured(bills, seen)
    assert dict(found.select("provider", "capture_rate").rows()) == {
        "aws": Decimal("0.25"),
        "openai": Decimal("0.5"),
    }


def test_a_provider_that_the_gateway_does_not_serve_has_no_rate():
    found = captured(bill(line("input", "4", 1, provider="github_copilot")), meter())
    assert found.is_empty()


def test_a_credit_is_no_part_of_what_could_be_captured():
    found = captured(bill(line("input", "10", 1), line(None, "-25", line_item="credit")), meter())
    assert found["billed_usd"].to_list() == [10]


def test_a_day_that_may_still_move_says_so():
    found = captured(bill(line("input", "10", 1, day=NEXT)), meter(), is_read=False)
    assert found["is_settled"].to_list() == [False]


def test_a_day_of_which_another_bill_of_the_provider_was_not_read_is_not_settled():
    """Its metered dollars would be compared with a part of what was billed."""
    both = bill(line("input", "10", 1)), meter(counted("12", 1, 0, 0))
    assert captured(*both, ACME)["is_settled"].to_list() == [True]
    assert captured(*both, ACME, BETA)["is_settled"].to_list() == [False]
    seen = meter(counted("12", 1, 0, 0, upstream_provider="anthropic"))
    (other, ours) = captured(both[0], seen, ACME, BETA)["is_settled"].to_list()
    assert (other, ours) == (False, False)


def test_the_bills_of_a_cloud_are_those_of_all_connections_that_it_invoices():
    """Two of AWS, and an export of which only the files say who invoices."""
    both = (
        bill(line("input", "10", 1, provider="anthropic", host="aws")),
        meter(counted("40", 1, 0, 0, upstream_provider="bedrock")),
    )
    more = {"files": ("billing",)}
    ours = BedrockConnection.model_validate({"name": "acme", **more})
    others = [
        BedrockConnection.model_validate({"name": "beta", **more}),
        FocusConnection.model_validate({"name": "beta", "host": "aws", **more}),
    ]
    elsewhere = [
        FocusConnection.model_validate({"name": "beta", "host": "azure", **more}),
        FocusConnection.model_validate({"name": "beta", **more}),
    ]
    for of_aws, some in ((False, others), (True, elsewhere)):
        for other in some:
            found = captured(*both, ours, other).filter(provider="aws")
            assert found["is_settled"].to_list() == [of_aws], other


def test_a_day_without_a_line_on_the_bill_is_settled_when_bill_and_meter_are():
    seen = meter(
        counted("5", 1, 0, 0),
        counted("5", 1, 0, 0, day=NEXT),
        counted("1", 1, 0, 0, upstream_provider="anthropic"),
    )
    found = captured(bill(), seen, is_read=False)
    assert found.select("day", "provider", "is_settled").rows() == [
        (DAY, "anthropic", False),
        (DAY, "openai", True),
        (NEXT, "openai", False),
    ]


def test_a_line_of_tokens_without_a_quantity_leaves_the_tokens_unknown():
    found = captured(bill(line("input", "10"), line("output", "1", 5)), meter())
    assert found.select("billed_tokens", "token_capture_rate").row(0) == (None, None)
