from __future__ import annotations

import polars as pl
import pytest

from openai_costs.questions.optimization.list_cost import Mix
from openai_costs.questions.prices.catalogue import Item, list_price
from openai_costs.questions.reconciliation.sides import used_tokens
from openai_costs.questions.token_kinds import COLUMN_OF, COLUMN_OF_MODALITY, KINDS, plain_input
from openai_costs.questions.usage.billable import billable
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.org import day
from openai_costs_tests.questions.usage.frames import tokens, usage


def test_every_kind_has_a_column_in_usage_and_on_the_meter() -> None:
    assert tuple(COLUMN_OF) == KINDS
    assert set(COLUMN_OF.values()) <= Usage.types().keys() & GatewaySpend.types().keys()
    assert set(COLUMN_OF_MODALITY.values()) <= Usage.types().keys()


def test_a_mix_of_tokens_and_the_price_list_know_the_same_kinds() -> None:
    assert Mix._fields == (*KINDS, "cache_write_1h")  # which some vendors bill apart
    assert {kind for kind in KINDS if list_price(Item("gpt-6-astra", kind), day(1)).usd} == {*KINDS}


@pytest.mark.parametrize("endpoint", ["embeddings", "moderations", "completions"])
def test_price_check_and_reconciliation_count_the_same_tokens_of_an_endpoint(endpoint: str) -> None:
    only_input = endpoint != "completions"
    counts = {"input_tokens": 7} if only_input else tokens(7, cached=3, output=2)
    rows = usage({"endpoint": endpoint} | counts)
    known = pl.col("modality").is_null() & pl.col("quantity").is_not_null()
    at_prices = dict(billable(rows).filter(known).select("usage_type", "quantity").rows())
    at_gaps = dict(used_tokens(rows).select("usage_type", "reported_tokens").rows())
    assert at_prices == at_gaps
    assert at_gaps["input"] == 7


def test_embeddings_count_all_of_their_input_as_plain_input_even_where_they_tell_parts() -> None:
    row = usage({"endpoint": "embeddings", "input_tokens": 9, "input_uncached_tokens": 4})
    assert row.select(plain_input()).item() == 9
