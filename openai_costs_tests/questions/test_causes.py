from __future__ import annotations

import json
from decimal import Decimal

import polars as pl

from openai_costs.questions.anomalies.cause_texts import causes_in_words as of_an_anomaly
from openai_costs.questions.budgets.causes import as_text as of_a_budget
from openai_costs.questions.causes import (
    NONE,
    OTHER,
    Part,
    added_up,
    as_json,
    cause,
    cause_words,
    distinguished,
    from_json,
    in_words,
)


def usd(text: str) -> Decimal:
    return Decimal(text)


def named(parts: dict[str, Decimal]) -> list[Part]:
    return [Part(*one) for one in parts.items()]


def test_dollars_are_exact_texts_and_come_back_as_they_were() -> None:
    exact = usd("12.000000000000000001")
    text = as_json([cause("api_key", "key_1", exact, "etl", {"price_usd": usd("-3.50")})])
    assert json.loads(text) == [
        {
            "dimension": "api_key",
            "id": "key_1",
            "name": "etl",
            "impact_usd": "12.000000000000000001",
            "price_usd": "-3.5",
        }
    ]
    assert added_up(from_json(text)) == [Part("API key etl", exact)]


def test_namesakes_are_causes_of_their_own_and_all_of_them_add_up() -> None:
    each = [cause("api_key", f"key_{n}", usd("360"), "prod") for n in (1, 2)]
    text = as_json([*each, cause("api_key", "key_3", usd("0.01"), "etl")])
    rows = pl.DataFrame({"causes": [text, None, "[]"]})
    marks = {("api_key", "key_1"): " \u00b7 key_1", ("api_key", "key_2"): " \u00b7 key_2"}
    first, *others = distinguished(rows, marks)["causes"]
    assert others == [None, "[]"]
    parts = added_up([*from_json(first), *from_json(first)])
    assert {one.words: one.usd for one in parts} == {
        "API key prod \u00b7 key_1": usd("720"),
        "API key prod \u00b7 key_2": usd("720"),
        "API key etl": usd("0.02"),
    }
    assert in_words(parts, 1) == "API key prod \u00b7 key_1 +$720.00, other +$720.02"
    words = "API key prod +$360.00, API key prod +$360.00, API key etl +$0.01"
    assert of_a_budget(text, 72_001) == words


def test_a_cause_is_called_by_its_name_or_else_its_id() -> None:
    one = usd("1")
    assert cause_words(cause("api_key", "key_1", one, "etl")) == "API key etl"
    assert cause_words(cause("line_item", "gpt-5, input", one)) == "line item gpt-5, input"
    assert cause_words(cause("line_item", NONE, one)) == "no line item"
    assert cause_words(cause("model", OTHER, one)) == "other"


def test_the_largest_are_named_and_all_others_are_one_number() -> None:
    parts = named({"a": usd("1"), "b": usd("-5"), "c": usd("3"), OTHER: usd("0.5")})
    assert in_words(parts, 2) == "b -$5.00, c +$3.00, other +$1.50"


def test_the_cents_of_the_parts_add_up_to_those_of_the_whole() -> None:
    parts = named({"a": usd("1049.726"), "b": usd("278.226"), OTHER: usd("278.646")})
    assert in_words(parts, 2) == "a +$1,049.73, b +$278.23, other +$278.64"


def test_a_rest_of_less_than_half_a_cent_is_not_written() -> None:
    assert in_words(named({"a": usd("1"), OTHER: usd("0.004")}), 2) == "a +$1.00"


def test_budgets_and_anomalies_write_the_same_causes_in_the_same_words() -> None:
    text = as_json([cause("usage_type", NONE, usd("5")), cause("usage_type", OTHER, usd("0.001"))])
    assert of_a_budget(text, 500) == "no usage type +$5.00"
    assert of_an_anomaly([text]) == f"What: {of_a_budget(text, 500)}."
