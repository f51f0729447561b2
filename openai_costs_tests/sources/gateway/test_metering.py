from decimal import Decimal

import polars as pl
import pytest

from openai_costs.kernel.days import ONE_DAY
from openai_costs.kernel.money import NotAnAmount
from openai_costs.sources.gateway.metering import MeterRow, day_rows, metered
from openai_costs.storage.slices import Slice
from openai_costs_tests.sources.gateway.litellm.proxy import DAY

KEY = Slice("gateway", DAY)


def of_day(rows: list[MeterRow]) -> pl.DataFrame:
    return metered(day_rows(KEY, rows))


def row(usd: str | None, **more: int | None) -> MeterRow:
    counts = {"input_tokens": 10, "cached_tokens": 4, "cache_write_tokens": 1, "output_tokens": 5}
    said = {"requests": 1} | counts | more
    return MeterRow("tok", "openai", "gpt-5", usd=usd, **said)


def test_overlaps_are_subtracted_once():
    (one,) = of_day([row("0.5")]).rows(named=True)
    assert (one["input_tokens"], one["input_uncached_tokens"]) == (10, 5)


def test_a_gateway_that_counts_its_cache_beside_the_input_leaves_plain_input_unknown():
    (one,) = of_day([row("0.5", cached_tokens=40)]).rows(named=True)
    assert (one["input_uncached_tokens"], one["input_cached_tokens"]) == (None, 40)


def test_one_unknown_count_makes_the_sum_unknown():
    (one,) = of_day([row("0.5"), row("0.5", output_tokens=None)]).rows(named=True)
    assert (one["output_tokens"], one["input_tokens"]) == (None, 20)


@pytest.mark.parametrize("usd", ["0", "0.0", "0E-18", None])
def test_no_dollars_for_tokens_are_no_price(usd: str | None):
    (one,) = of_day([row(usd)]).rows(named=True)
    assert (one["metered_usd"], one["is_unpriced"], one["unpriced_tokens"]) == (None, True, 15)


def test_priced_requests_keep_their_dollars_beside_unpriced_ones():
    (one,) = of_day([row("0.5"), row("0")]).rows(named=True)
    assert (one["metered_usd"], one["unpriced_tokens"]) == (Decimal("0.5"), 15)


def test_sums_are_exact():
    (one,) = of_day([row("0.1")] * 10).rows(named=True)
    assert one["metered_usd"] == Decimal(1)


@pytest.mark.parametrize("usd", ["NaN", "inf", "1,5", "free"])
def test_dollars_that_are_no_number_are_refused(usd: str):
    with pytest.raises(NotAnAmount):
        of_day([row(usd)])


def test_nothing_metered_is_no_row():
    assert of_day([]).is_empty()


def test_days_are_added_up_apart_and_are_partial_apart():
    days = [Slice("gateway", DAY), Slice("gateway", DAY + ONE_DAY)]
    parts = [day_rows(key, [row("0.5")] * 2, is_partial=key == days[1]) for key in days]
    found = metered(pl.concat(parts))
    assert found["day"].to_list() == [one.day for one in days]
    assert found["metered_usd"].to_list() == [Decimal(1)] * 2
    assert found["is_partial"].to_list() == [False, True]


def test_an_alias_that_is_an_address_is_not_in_the_table():
    named = {"a": "zoe@acme.example", "b": "ci of zoe@acme.example", "c": "ci"}
    rows = [row("1")._replace(token_id=one, token_name=name) for one, name in named.items()]
    assert of_day(rows)["token_name"].to_list() == [None, "ci of [e-mail address]", "ci"]
