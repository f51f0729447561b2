from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from openai_costs.questions.spend.attribution import attribution
from openai_costs.questions.spend.breakdown import by_project_key_model, by_user
from openai_costs.settings import Team
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.org import day
from openai_costs_tests.questions.spend.acme import ACME, NOT_READ, TINY, directory, item, rows

if TYPE_CHECKING:
    from openai_costs.questions.spend.names import Directory

Line = tuple[str | None, str | None, str | None, str]


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


def attributed(*lines: tuple[str | None, str | None, str, str]) -> pl.DataFrame:
    """mart.spend_attribution from (project, user, attribution, USD)."""
    names = ("project_id", "user_id", "attribution")
    said = (ACME | item("gpt-5", usd) | dict(zip(names, who, strict=True)) for *who, usd in lines)
    kept = ({name: one[name] for name in one if name != "line_item"} for one in said)
    return rows(SpendAttribution, kept)


def by_project(lines: pl.DataFrame, known: Directory = NOT_READ, *teams: Team) -> pl.DataFrame:
    made = attribution(lines, UserView.no_rows(), Usage.no_rows(), known, teams)
    return by_project_key_model(lines, made, known)


def test_lines_of_one_project_key_and_model_are_added_up() -> None:
    lines = (("p", "k", "gpt-5", "1"), ("p", "k", "gpt-5", TINY), ("p", "k2", "gpt-5", "4"))
    cut = by_project(ledger(*lines))
    assert cut.select("project_id", "api_key_id", "billed_usd").rows() == [
        ("p", "k", Decimal("1.000000000000000001")),
        ("p", "k2", Decimal(4)),
    ]


def test_dollars_without_project_key_or_model_stay() -> None:
    cut = by_project(ledger((None, None, None, "3"), ("p", None, None, "2")))
    assert cut.select("project_id", "api_key_id", "model", "billed_usd").rows() == [
        (None, None, None, Decimal(3)),
        ("p", None, None, Decimal(2)),
    ]


def test_days_are_never_added_to_one_another() -> None:
    two = pl.concat([ledger(("p", "k", "m", "1")), ledger(("p", "k", "m", "2"), number=2)])
    assert by_project(two).select("day", "billed_usd").rows() == [
        (day(1), Decimal(1)),
        (day(2), Decimal(2)),
    ]


def test_a_credit_is_part_of_the_sum() -> None:
    cut = by_project(ledger(("p", "k", "m", "5"), ("p", "k", "m", "-7.5")))
    assert cut["billed_usd"].to_list() == [Decimal("-2.5")]


def test_no_lines_make_no_rows() -> None:
    assert by_project(Ledger.no_rows()).schema == Spend.no_rows().schema
    assert by_user(SpendAttribution.no_rows()).schema == SpendByUser.no_rows().schema


def test_the_order_of_the_lines_does_not_matter() -> None:
    lines = (("p", "k", "a", "1"), (None, None, "b", "2"), ("q", None, "a", "3"))
    there, back = (by_project(ledger(*some)) for some in (lines, lines[::-1]))
    assert there.equals(back)


def test_every_cut_keeps_its_contract() -> None:
    cut = by_project(ledger((None, None, None, "3"), ("p", "k", "m", "2")))
    assert Spend.broken_rules(cut) == []
    users = by_user(attributed((None, None, "unattributed", "3"), ("p", "ada", "direct", "2")))
    assert SpendByUser.broken_rules(users) == []


def test_projects_and_keys_carry_their_last_known_names() -> None:
    known = directory(keys={"k": None}, projects={"p": "Route planner"})
    cut = by_project(ledger(("p", "k", "m", "1"), ("q", None, "m", "2")), known)
    assert cut.select("project_name", "api_key_name").rows() == [
        ("Route planner", "k's name"),
        (None, None),
    ]


def test_a_key_says_more_of_the_team_than_its_owner_and_the_owner_more_than_the_project() -> None:
    known = directory(keys={"k": "ada", "k2": "ada"})
    teams = (
        Team(name="of the key", api_keys=("k",)),
        Team(name="of the owner", users=("ada",)),
        Team(name="of the project", projects=("p",)),
    )
    lines = (("p", "k", "m", "1"), ("p", "k2", "m", "2"), ("p", None, "m", "3"))
    cut = by_project(ledger(*lines), known, *teams)
    assert dict(cut.select("api_key_id", "team").iter_rows()) == {
        "k": "of the key",
        "k2": "of the owner",
        None: "of the project",
    }


def test_a_line_of_zero_dollars_stays_and_has_no_team() -> None:
    team = Team(name="t", projects=("p",))
    cut = by_project(ledger(("p", None, "m", "0"), ("p", None, "n", "1")), NOT_READ, team)
    assert cut.select("model", "billed_usd", "team").rows() == [
        ("m", Decimal(0), None),
        ("n", Decimal(1), "t"),
    ]


def test_dollars_by_user_are_added_up_over_projects_and_keys() -> None:
    found = by_user(attributed(("p", "ada", "direct", "1"), ("q", "ada", "direct", "2")))
    assert found.select("user_id", "attribution", "billed_usd").rows() == [
        ("ada", "direct", Decimal(3))
    ]


def test_ways_to_a_user_are_never_added_to_one_another() -> None:
    found = by_user(attributed(("p", "ada", "direct", "1"), ("p", "ada", "key_owner", "2")))
    assert found.select("attribution", "billed_usd").rows() == [
        ("direct", Decimal(1)),
        ("key_owner", Decimal(2)),
    ]
