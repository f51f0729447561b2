"""Two cuts of the same dollars: what both prove together, and nothing more."""

from decimal import Decimal

import polars as pl
from polars.testing import assert_frame_equal

from openai_costs.sources.anthropic.costs.frames import ROWS
from openai_costs.sources.anthropic.costs.refinement import refined


def rows(*lines: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"model": "sonnet", "token_type": "output_tokens"} | one for one in lines], schema=ROWS
    )


def line(usd: str, **more: str | None) -> dict[str, object]:
    return {"billed_usd": Decimal(usd), "list_usd": Decimal(usd), **more}


def products(frame: pl.DataFrame) -> dict[tuple[str | None, str | None], Decimal]:
    return {
        (tier, product): usd
        for tier, product, usd in frame.select("service_tier", "product", "billed_usd").iter_rows()
    }


def test_one_product_is_the_product_of_every_tier():
    ledger = rows(line("2", service_tier="standard"), line("1", service_tier="batch"))
    found = refined(ledger, rows(line("3", product="chat")), "product")
    assert products(found) == {("standard", "chat"): 2, ("batch", "chat"): 1}


def test_one_tier_is_the_tier_of_every_product():
    ledger = rows(line("3", service_tier="standard"))
    cut = rows(line("1", product="chat"), line("2", product="claude_code"))
    found = refined(ledger, cut, "product")
    assert products(found) == {("standard", "chat"): 1, ("standard", "claude_code"): 2}
    assert found["list_usd"].sum() == 3


def test_several_of_both_are_not_guessed():
    ledger = rows(line("2", service_tier="standard"), line("1", service_tier="batch"))
    cut = rows(line("1", product="chat"), line("2", product="claude_code"))
    assert_frame_equal(refined(ledger, cut, "product"), ledger, check_row_order=False)


def test_sums_that_differ_prove_nothing():
    ledger = rows(line("2", service_tier="standard"))
    cut = rows(line("2.01", product="chat"))
    assert_frame_equal(refined(ledger, cut, "product"), ledger)


def test_users_and_keys_are_not_mixed_up():
    ledger = rows(line("2", user_id="ada"), line("5", user_id=None), line("7", api_key_id="k"))
    cut = rows(line("2", user_id="ada", product="chat"), line("5", product="cowork"))
    found = refined(ledger, cut, "product")
    assert dict(found.select("billed_usd", "product").iter_rows()) == {
        2: "chat",
        5: "cowork",
        7: None,
    }


def test_a_cut_without_any_row_changes_nothing():
    ledger = rows(line("2"))
    assert_frame_equal(refined(ledger, rows(), "product"), ledger)
    assert refined(rows(), ledger, "product").is_empty()
