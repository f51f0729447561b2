from __future__ import annotations

from decimal import Decimal

import polars as pl

from openai_costs.spend.breakdown import by_project_key_model, by_user
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.org import day

Line = tuple[str | None, str | None, str | None, str]
TINY = "0.000000000000000001"


def ledger(*lines: Line, number: int = 1) -> pl.DataFrame:
    """Lines as (project, key, model, USD)."""
    blank = dict.fromkeys(Ledger.types())
    known = {"connection": "acme", "provider": "openai", "day": day(number), "grouping": "all"}
    rows = [
        blank
        | known
        | {"project_id": project, "api_key_id": key, "model": model, "usage_type": "input"}
        | {"line_item": f"{model}, input", "billed_usd": Decimal(usd)}
        for project, key, model, usd in lines
    ]
    return pl.DataFrame(rows, schema=Ledger.types())


def user_view(*lines: tuple[str | None, str, str]) -> pl.DataFrame:
    """Lines as (user, model, USD)."""
    rows = [
        ("acme", "openai", day(1), user, f"{model}, input", model, "input", Decimal(usd))
        for user, model, usd in lines
    ]
    return pl.DataFrame(rows, schema=UserView.types(), orient="row")


def test_lines_of_one_project_key_and_model_are_added_up() -> None:
    lines = (("p", "k", "gpt-5", "1"), ("p", "k", "gpt-5", TINY), ("p", "k2", "gpt-5", "4"))
    cut = by_project_key_model(ledger(*lines))
    assert cut.select("project_id", "api_key_id", "billed_usd").rows() == [
        ("p", "k", Decimal("1.000000000000000001")),
        ("p", "k2", Decimal(4)),
    ]


def test_dollars_without_project_key_or_model_stay() -> None:
    cut = by_project_key_model(ledger((None, None, None, "3"), ("p", None, None, "2")))
    assert cut.select("project_id", "api_key_id", "model", "billed_usd").rows() == [
        (None, None, None, Decimal(3)),
        ("p", None, None, Decimal(2)),
    ]


def test_days_are_never_added_to_one_another() -> None:
    two = pl.concat([ledger(("p", "k", "m", "1")), ledger(("p", "k", "m", "2"), number=2)])
    assert by_project_key_model(two).select("day", "billed_usd").rows() == [
        (day(1), Decimal(1)),
        (day(2), Decimal(2)),
    ]


def test_a_credit_is_part_of_the_sum() -> None:
    cut = by_project_key_model(ledger(("p", "k", "m", "5"), ("p", "k", "m", "-7.5")))
    assert cut["billed_usd"].to_list() == [Decimal("-2.5")]


def test_no_lines_make_no_rows() -> None:
    assert by_project_key_model(Ledger.no_rows()).schema == Spend.no_rows().schema
    assert by_user(UserView.no_rows()).schema == SpendByUser.no_rows().schema


def test_the_order_of_the_lines_does_not_matter() -> None:
    lines = (("p", "k", "a", "1"), (None, None, "b", "2"), ("q", None, "a", "3"))
    there, back = (by_project_key_model(ledger(*some)) for some in (lines, lines[::-1]))
    assert there.equals(back)


def test_every_cut_keeps_its_contract() -> None:
    cut = by_project_key_model(ledger((None, None, None, "3"), ("p", "k", "m", "2")))
    assert Spend.broken_rules(cut) == []
    assert SpendByUser.broken_rules(by_user(user_view((None, "m", "3"), ("ada", "m", "2")))) == []


def test_what_the_provider_gives_a_user_is_direct_and_the_rest_unattributed() -> None:
    cut = by_user(user_view(("ada", "m", "1"), ("ada", "m", "2"), (None, "m", "4")))
    assert cut.select("user_id", "attribution", "billed_usd").rows() == [
        (None, "unattributed", Decimal(4)),
        ("ada", "direct", Decimal(3)),
    ]
