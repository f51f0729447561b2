from decimal import Decimal

import polars as pl

from openai_costs.questions.gateway_bypass.unjudged import KEYED, unjudged


def billed(*rows: tuple[str, str, str]) -> pl.DataFrame:
    amounts = [(name, Decimal(keyed), Decimal(usd)) for name, keyed, usd in rows]
    return pl.DataFrame(amounts, schema=KEYED, orient="row")


def test_spend_that_names_keys_and_a_registry_that_was_read_leave_nothing_to_say() -> None:
    assert unjudged(billed(("acme", "12", "12")), (), is_registry_known=True) == []


def test_a_registry_that_was_never_read_is_named_with_the_dollars_that_are_not_judged() -> None:
    (why,) = unjudged(billed(("acme", "12", "12.50")), (), is_registry_known=False)
    assert why.startswith("$12.50 of the last 30 days is not judged: the gateway's tokens were")


def test_costs_without_any_key_are_named_with_their_connection_and_dollars() -> None:
    (why,) = unjudged(
        billed(("acme", "0", "12.50"), ("labs", "1", "1")), (), is_registry_known=True
    )
    assert why.startswith("$12.50 of connection acme in the last 30 days names no API key")


def test_connections_that_give_costs_only_are_named_and_their_keys_judged_by_their_ids() -> None:
    (why,) = unjudged(billed(("acme", "5", "5")), ("acme", "other"), is_registry_known=True)
    assert why.startswith("access is costs_only for acme: keys are judged by their ids alone.")
