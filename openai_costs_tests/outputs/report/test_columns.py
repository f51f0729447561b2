from __future__ import annotations

import zlib
from array import array
from base64 import b64decode
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from openai_costs.outputs.publish.bi.view import NONE as VIEWS_NONE
from openai_costs.outputs.report.columns import packed
from openai_costs.outputs.report.dimensions import DIMENSIONS, NONE, Dimension, members
from openai_costs.outputs.report.explorer_data import reduced
from openai_costs.outputs.report.facts import spend_facts
from openai_costs.settings.schema import NO_TEAM
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs_tests.outputs.report.bill import attribution, january

KINDS = {"Uint16": "H", "Int32": "i", "Uint32": "I", "Float64": "d"}
USD = ["0.000000000000000001", "-4000000060.5", "19999999.123456789123456789"]


def unpacked(made: dict[str, Any]) -> dict[str, list[float]]:
    data, place, columns = zlib.decompress(b64decode(made["data"]), -15), 0, {}
    for name, kind, length in made["columns"]:
        numbers = array(KINDS[kind])
        size = numbers.itemsize * length
        numbers.frombytes(data[place : place + size])
        columns[name] = numbers.tolist()
        place += -(-size // 8) * 8
    return columns


def test_dollars_come_back_to_the_last_digit_with_their_day_and_members() -> None:
    lines = [(i, f"proj_{i}", "u", usd) for i, usd in enumerate(USD, start=1)]
    facts = spend_facts(attribution(lines), Ledger.no_rows())
    named = {one.id: members(one, facts[one.column].to_list()) for one in DIMENSIONS}
    made = unpacked(packed(facts, named, january(1), ["billed_usd"]))
    parts = zip(made["dollars"], made["billionths"], made["quintillionths"], strict=True)
    sums = [Decimal(int(a) * 10**18 + int(b) * 10**9 + int(c)).scaleb(-18) for a, b, c in parts]
    assert [f"{one:f}" for one in sums] == [f"{Decimal(usd):.18f}" for usd in USD]
    assert made["day"] == [0, 1, 1]  # differences
    assert made["project"] == [1, 2, 3]


def test_too_many_rows_keep_the_finest_dimension_together_and_every_dollar() -> None:
    lines = [(1, "proj_a", f"user-{i}", "1") for i in range(5)]
    facts = spend_facts(attribution(lines), Ledger.no_rows())
    (small, _), dropped = reduced((facts, facts.clear()), most=4)
    assert [one.title for one in dropped] == [
        "Usage type",
        "Service tier",
        "API key",
        "Project",
        "User",
    ]
    assert small.select("user_id", "billed_usd").rows() == [(None, Decimal(5))]
    assert reduced((facts, facts.clear()), most=5)[1] == ()


@pytest.mark.parametrize("ids", [["ann@one.example", "ann@two.example"]])
def test_two_ids_that_are_addresses_stay_two_and_show_no_domain(ids: list[str]) -> None:
    user = next(one for one in DIMENSIONS if one.id == "user")
    made = members(user, [*ids, None])
    assert made.keys == (None, *ids)
    assert made.ids == ("~none", "ann", "ann~1")
    assert len(set(made.names)) == 3
    assert "@" not in " ".join((*made.ids, *made.names))


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda one: one.id)
def test_a_member_that_is_called_as_none_is_stays_another_one(dimension: Dimension) -> None:
    made = members(dimension, ["a", NONE, f"{NONE}@one.example"])
    assert len(set(made.ids)) == 4
    assert made.ids[0] == NONE
    assert len(set(made.names)) == 4


def test_the_names_that_no_team_may_have_are_those_of_no_team() -> None:
    team = next(one for one in DIMENSIONS if one.id == "team")
    assert {NONE, VIEWS_NONE, team.none} == set(NO_TEAM)


def test_the_day_of_a_fact_is_counted_from_the_first_of_the_page() -> None:
    facts = spend_facts(attribution([(3, "a", "u", "1")]), Ledger.no_rows())
    named = {one.id: members(one, facts[one.column].to_list()) for one in DIMENSIONS}
    assert unpacked(packed(facts, named, date(2025, 12, 31), ["billed_usd"]))["day"] == [3]
