from __future__ import annotations

from datetime import date
from decimal import Decimal

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
