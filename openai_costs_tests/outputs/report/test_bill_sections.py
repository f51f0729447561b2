from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.outputs.report.bill_sections import gateway_section, price_section
from openai_costs.questions.provider_scope import PRICES, WHY_NOT
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs_tests.outputs.report.bill import of


def checked(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of mart.price_check of one day and one model."""
    usual = dict.fromkeys(PriceCheck.types()) | {
        "day": date(2026, 11, 1),
        "connection": "acme",
        "model": "gpt-4.1",
        "cause": "no_price",
        "price_source": "a list",
    }
    return pl.DataFrame([usual | row for row in rows], schema=PriceCheck.types())


def test_the_price_check_never_adds_up_who_invoices_and_says_whom_no_list_is_about():
    section = price_section(
        checked(
            {"provider": "openai", "host": "openai", "billed_usd": Decimal(2)},
            {"provider": "openai", "host": "azure", "billed_usd": Decimal(3)},
        )
    )
    cells = [[cell.text for cell in row.cells[:3]] for row in section.rows]
    assert cells == [["gpt-4.1", "azure", "$3.00"], ["gpt-4.1", "openai", "$2.00"]]
    assert section.more == f"$3.00 of azure cannot be compared: {WHY_NOT[PRICES]['azure']}"


def test_a_bill_of_which_every_line_was_compared_says_nothing_more():
    row = {"provider": "openai", "host": "openai", "billed_usd": Decimal(2), "cause": "agrees"}
    assert price_section(checked(row | {"list_price_usd": Decimal(1)})).more == ""


def test_what_is_less_than_the_whole_bill_says_which_lines_it_is_of():
    row = {"provider": "openai", "host": "openai", "billed_usd": Decimal(2), "cause": "agrees"}
    priced = price_section(checked(row | {"list_price_usd": Decimal(1)}))
    assert priced.summary.startswith("$2.00 of $2.00 billed in lines of usage from ")
    day = {"day": date(2026, 11, 1), "billed_usd": Decimal(2), "metered_usd": Decimal(1)}
    day |= {"is_settled": True}
    metered = gateway_section(GatewayBypass.no_rows(), of(GatewayCapture, day))
    assert "metered $1.00 of $2.00 billed without credits (50.0 %)" in metered.summary
