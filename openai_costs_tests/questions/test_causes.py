from __future__ import annotations

import json
from decimal import Decimal

from openai_costs.questions.anomalies.cause_texts import causes_in_words as of_an_anomaly
from openai_costs.questions.budgets.causes import as_text as of_a_budget
from openai_costs.questions.causes import (
    NONE,
    OTHER,
    added_up,
    as_json,
    cause,
    cause_words,
    from_json,
    in_words,
)


def usd(text: str) -> Decimal:
    return Decimal(text)


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
    assert added_up(from_json(text)) == {"API key etl": exact}


def test_a_cause_is_called_by_its_name_or_else_its_id() -> None:
    one = usd("1")
    assert cause_words(cause("api_key", "key_1", one, "etl")) == "API key etl"
    assert cause_words(cause("line_item", "gpt-5, input", one)) == "line item gpt-5, input"
    assert cause_words(cause("line_item", NONE, one)) == "no line item"
    assert cause_words(cause("model", OTHER, one)) == "other"


def test_the_largest_are_named_and_all_others_are_one_number() -> None:
    parts = {"a": usd("1"), "b": usd("-5"), "c": usd("3"), OTHER: usd("0.5")}
    assert in_words(parts, 2) == "b -$5.00, c +$3.00, other +$1.50"


def test_the_cents_of_the_parts_add_up_to_those_of_the_whole() -> None:
    parts = {"a": usd("1049.726"), "b": usd("278.226"), OTHER: usd("278.646")}
    assert in_words(parts, 2) == "a +$1,049.73, b +$278.23, other +$278.64"


def test_a_rest_of_less_than_half_a_cent_is_not_written() -> None:
    assert in_words({"a": usd("1"), OTHER: usd("0.004")}, 2) == "a +$1.00"


def test_budgets_and_anomalies_write_the_same_causes_in_the_same_words() -> None:
    text = as_json([cause("usage_type", NONE, usd("5")), cause("usage_type", OTHER, usd("0.001"))])
    assert of_a_budget(text) == "no usage type +$5.00"
    assert of_an_anomaly([text]) == f"What: {of_a_budget(text)}."
