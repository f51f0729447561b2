from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from openai_costs.questions.usage.consistency import billed_tokens, disagreements, used_tokens
from openai_costs_tests.org import day
from openai_costs_tests.questions.usage.frames import ledger, tokens, usage

if TYPE_CHECKING:
    import polars as pl


def found(billed: list[dict[str, Any]], used: list[dict[str, Any]]) -> pl.DataFrame:
    return disagreements(billed_tokens(ledger(*billed)), used_tokens(usage(*used)))


def line(side: str, quantity: int | None, **more: object) -> dict[str, Any]:
    known = None if quantity is None else Decimal(quantity)
    return {"line_item": f"gpt-5, {side}", "usage_type": side, "quantity": known} | more


def test_the_sides_of_the_bill_together_are_the_input_and_output_of_usage() -> None:
    billed = [line("input", 500), line("cached_input", 400), line("output", 70)]
    assert found(billed, [tokens(500, cached=400, output=70)]).is_empty()


def test_two_per_cent_are_tolerated_and_not_more() -> None:
    assert found([line("input", 100)], [tokens(102)]).is_empty()
    assert found([line("input", 100)], [tokens(103)]).rows() == [
        ("acme", day(1), "gpt-5", Decimal(1), Decimal(100), Decimal(103), Decimal(3))
    ]


def test_too_little_usage_is_a_gap_too() -> None:
    assert found([line("input", 100)], [tokens(90)])["gap_pct"].item() == -10


def test_a_billed_model_without_usage_is_reported() -> None:
    (row,) = found([line("input", 100)], [tokens(100, model="gpt-5-mini")]).rows(named=True)
    assert (row["billed_tokens"], row["used_tokens"], row["gap_pct"]) == (100, None, None)


def test_a_billed_model_without_usage_is_reported_also_where_the_bill_has_no_quantity() -> None:
    (row,) = found([line("input", None)], []).rows(named=True)
    assert (row["billed_usd"], row["billed_tokens"], row["used_tokens"]) == (1, None, None)


def test_a_bill_without_quantities_cannot_differ_from_usage() -> None:
    assert found([line("input", 100), line("output", None)], [tokens(7)]).is_empty()


def test_a_line_without_dollars_needs_no_usage() -> None:
    assert found([line("cached_input", 0, billed_usd=Decimal(0))], []).is_empty()


def test_a_refund_takes_back_dollars_and_no_use() -> None:
    back = {"api_key_id": None, "billed_usd": Decimal("-0.6")}
    for quantity in (-60, None):
        billed = [line("output", 100), line("output", quantity, **back)]
        assert found(billed, [tokens(0, output=100)]).is_empty()
        assert found(billed, [tokens(0, output=40)])["gap_pct"].item() == -60


def test_days_and_connections_are_compared_apart() -> None:
    billed = [line("input", 100), line("input", 100, day=day(2))]
    used = [tokens(100), tokens(50, day=day(2)), tokens(50, connection="bolt")]
    assert found(billed, used).select("connection", "day", "used_tokens").rows() == [
        ("acme", day(2), Decimal(50))
    ]


def test_tokens_that_the_vendor_spent_itself_may_be_counted_as_usage_or_not() -> None:
    billed = [line("input", 100), line("output", 50, surface="evals")]
    assert found(billed, [tokens(100)]).is_empty()
    assert found(billed, [tokens(150)]).is_empty()
    assert found(billed, [tokens(160)])["billed_tokens"].item() == 150


def test_a_model_that_is_only_counted_in_seconds_cannot_be_compared() -> None:
    heard = {"endpoint": "audio_transcriptions", "quantity": Decimal(60)}
    assert found([line("input", 100)], [heard | {"quantity_unit": "seconds"}]).is_empty()


def test_a_tuned_model_is_the_same_on_the_bill_and_in_usage() -> None:
    billed = [line("input", 100, model="ft-gpt-4o-2024-08-06")]
    assert found(billed, [tokens(100, model="ft:gpt-4o-2024-08-06:acme::Xy1")]).is_empty()


def test_training_has_no_usage_and_needs_none() -> None:
    assert found([line("training", 100)], []).is_empty()
