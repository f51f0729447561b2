from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from openai_costs.outputs.report.bill_sections import gateway_section
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs_tests.outputs.report.bill import of

DAY = date(2026, 11, 20)


def test_a_key_of_the_gateway_section_opens_the_dollars_of_its_own_connection() -> None:
    rows = [
        {"day": DAY, "connection": name, "at_risk_usd": Decimal(usd), "reason": "without_key"}
        for name, usd in (("acme", "9"), ("labs", "7"))
    ]
    made = gateway_section(of(GatewayBypass, *rows), GatewayCapture.no_rows())
    addresses = [row.address or "" for row in made.rows]
    assert ["connection=acme" in addresses[0], "connection=labs" in addresses[1]] == [True, True]
    assert all("api_key=~none" in one for one in addresses)


def captured(day: date, billed: str, metered: str, *, is_settled: bool = True) -> dict[str, Any]:
    return {
        "day": day,
        "connection": "gateway",
        "provider": "openai",
        "billed_usd": Decimal(billed),
        "metered_usd": Decimal(metered),
        "is_settled": is_settled,
    }


def test_days_of_which_a_bill_was_not_read_are_no_part_of_the_share() -> None:
    """Their metered dollars stood beside a part of the bills: more than all was metered."""
    half = [captured(date(2026, 11, n), "2", "12", is_settled=False) for n in (17, 18)]
    rows = [*half, captured(DAY, "17", "12")]
    said = gateway_section(GatewayBypass.no_rows(), of(GatewayCapture, *rows)).summary
    assert "The gateway metered $12.00 of $17.00 billed without credits (70.6 %) from" in said
    assert "Not counted: $24.00 metered on 2 days of which a bill or the meter has not" in said
    none = gateway_section(GatewayBypass.no_rows(), of(GatewayCapture, *half)).summary
    assert none.startswith("No day has settled on the bill and on the gateway's meter from ")


def test_what_was_metered_for_a_provider_without_a_bill_is_no_share_of_the_bills() -> None:
    sums = (("openai", "100", "80"), ("anthropic", "0", "30.5"))
    rows = [
        {
            "day": DAY,
            "connection": "gateway",
            "provider": provider,
            "billed_usd": Decimal(billed),
            "metered_usd": Decimal(metered),
            "is_settled": True,
        }
        for provider, billed, metered in sums
    ]
    said = gateway_section(GatewayBypass.no_rows(), of(GatewayCapture, *rows)).summary
    assert "The gateway metered $80.00 of $100.00 billed without credits (80.0 %)" in said
    assert "It metered $30.50 more of anthropic, without a bill to compare with." in said
