from __future__ import annotations

import json

import pytest

from openai_costs.kernel.errors import PageRefused
from openai_costs.sources.exports.kept_parts import rows_of, totals
from openai_costs.sources.exports.sheets import ROW

TOTAL = {"source": "a", "month": "2026-11", "currency": "EUR", "rows": 1, "billed": "1.50"}


@pytest.mark.parametrize("number", [10**40, -1, "1", None])
def test_a_kept_row_whose_number_is_none_is_refused_with_its_page(number: object) -> None:
    body = json.dumps([{ROW: number, "billedcost": "1"}]).encode()
    with pytest.raises(PageRefused, match="else than text and its number"):
        rows_of(body, "rows_0")


def test_a_kept_row_keeps_its_number_and_its_texts() -> None:
    body = json.dumps([{ROW: 7, "billedcost": "1.50"}]).encode()
    assert rows_of(body, "rows_0").to_dicts() == [{"billedcost": "1.50", ROW: 7}]


@pytest.mark.parametrize("in_usd", ["", "1,5", "NaN", "1e40", "1e999999999"])
def test_a_kept_total_that_is_no_amount_is_refused_with_its_page(in_usd: str) -> None:
    body = json.dumps([TOTAL | {"billed_in_usd": in_usd}]).encode()
    with pytest.raises(PageRefused, match="is not an amount"):
        totals(body, "control")
