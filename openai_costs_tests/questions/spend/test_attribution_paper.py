"""docs/attribution.md computes: each result in it is rebuilt from the tables beside it."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import polars as pl

from openai_costs.questions.spend.attribution import attribution
from openai_costs.questions.spend.shares import shared_out
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.spend_by_user import ATTRIBUTIONS
from openai_costs_tests.questions.spend.acme import ACME, PLAIN, RICH, directory, rows

PAPER: Final = Path(__file__).parents[3] / "docs" / "attribution.md"
NUMBERS: Final = {"billed_usd": Decimal, "share_pct": Decimal, "tokens": int}
TABLES: Final = re.findall(r"^\|.*\n\|[-|]+\n(?:\|.*\n)+", PAPER.read_text("utf-8"), re.MULTILINE)
(METHODS, HOSTS, SPENT, OWNED, USED, FOUND, SPENT_APART, VIEW, FOUND_APART, THIRDS) = TABLES


def lines(table: str) -> list[dict[str, Any]]:
    """The rows of a Markdown table by the names in its head; `null` is none."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    head, body = cells[:1], cells[2:]
    return [{name: read(name, cell) for name, cell in zip(*head, row, strict=True)} for row in body]


def read(name: str, cell: str) -> Any:  # noqa: ANN401 - a text, a count or an amount
    return None if cell == "null" else NUMBERS.get(name, str)(cell)


def written(table: list[dict[str, Any]]) -> set[tuple[object, ...]]:
    """The rows in no order, with 1.80 dollars as 1.8."""
    return {
        tuple(cell.normalize() if isinstance(cell, Decimal) else cell for cell in row.values())
        for row in table
    }


def found(spent: str, view: str, used: str, grouping: str) -> set[tuple[object, ...]]:
    """The attribution of tables of the paper."""
    ledger = rows(Ledger, (ACME | {"grouping": grouping} | one for one in lines(spent)))
    seen = rows(UserView, (ACME | one for one in lines(view)))
    tokens = (ACME | {"input_tokens": one.pop("tokens")} | one for one in lines(used))
    known = directory(keys={one["api_key_id"]: one["owner_id"] for one in lines(OWNED)})
    made = attribution(ledger, seen, rows(Usage, tokens), known, ())
    return written(made.select(lines(FOUND)[0].keys()).to_dicts())


def test_the_list_has_every_method_in_order() -> None:
    said = [line["attribution"].strip("`") for line in lines(METHODS)]
    assert said == list(ATTRIBUTIONS)


def test_the_worked_example_is_what_comes_out() -> None:
    assert found(SPENT, "", USED, RICH) == written(lines(FOUND))


def test_the_example_of_the_user_view_is_what_comes_out() -> None:
    assert found(SPENT_APART, VIEW, "", PLAIN) == written(lines(FOUND_APART))


def test_the_examples_add_up_to_their_ledgers() -> None:
    for ledger, parts in ((SPENT, FOUND), (SPENT_APART, FOUND_APART)):
        assert sum(one["billed_usd"] for one in lines(ledger)) == sum(
            one["billed_usd"] for one in lines(parts)
        )
    by_method = dict.fromkeys(ATTRIBUTIONS, Decimal(0))
    for one in lines(FOUND):
        by_method[one["attribution"]] += one["billed_usd"]
    said = "Direct {direct}, key owner {key_owner}, allocated {allocated:.2f}, unattributed "
    text = " ".join(PAPER.read_text("utf-8").split())
    assert (said + "{unattributed:.2f}: together 20").format(**by_method) in text


def test_the_thirds_of_a_dollar_are_what_comes_out() -> None:
    weights = pl.DataFrame([{"pool": "a"} | line for line in lines(THIRDS)]).drop("billed_usd")
    dollar = pl.DataFrame({"pool": ["a"], "billed_usd": [Decimal(1)]}).cast(
        {"billed_usd": Ledger.types()["billed_usd"]}
    )
    parts = shared_out(dollar, weights, ["pool"]).sort("user_id")
    assert parts["billed_usd"].to_list() == [line["billed_usd"] for line in lines(THIRDS)]
