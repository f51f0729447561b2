from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openai_costs.kernel.money import MONEY
from openai_costs.questions.spend.attribution import attribution
from openai_costs.questions.spend.breakdown import by_project_key_model
from openai_costs.questions.spend.stale_slices import (
    COLUMNS_OF_KEYS,
    COLUMNS_OF_USERS,
    days_with,
    slices_of_other_teams,
    stale_rows,
)
from openai_costs.settings import Team
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs_tests.org import day
from openai_costs_tests.questions.spend.acme import NOT_READ, directory, ledger, line, usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_costs.questions.spend.names import Directory

SPENT = ledger(
    line("app", "key", "3"),
    line("app", "key", "2", user="ana"),
    line("lab", None, "1") | {"day": day(2)},
)
USED = usage(("lab", "ana", None, 1)).with_columns(day=day(2))
LISTED: dict[str, Any] = {
    "keys": {"key": "ana"},
    "users": {"ana": "Ana"},
    "projects": {"app": "App", "lab": "Lab"},
}


def stale(
    was: Directory, now: Directory, before: Sequence[Team] = (), after: Sequence[Team] = ()
) -> list[int]:
    """The days whose marts, made before, are not what would be made now."""
    made = attribution(SPENT, UserView.no_rows(), USED, was, before)
    marts = {COLUMNS_OF_KEYS: by_project_key_model(SPENT, made, was), COLUMNS_OF_USERS: made}
    of_keys, of_users = (mart.select(columns).unique() for columns, mart in marts.items())
    stale = stale_rows(of_keys, of_users, now, after)
    days = [days_with(mart, rows) for mart, rows in zip(marts.values(), stale, strict=True)]
    return sorted(one.day for one in set().union(*days))


@pytest.mark.parametrize("listed", [{}, LISTED], ids=["nothing listed", "all listed"])
def test_what_was_just_made_is_not_stale(listed: dict[str, Any]) -> None:
    assert stale(directory(**listed), directory(**listed)) == []


def test_days_made_before_the_directory_was_read_are_stale() -> None:
    assert stale(NOT_READ, directory(**LISTED)) == [1, 2]


@pytest.mark.parametrize(
    ("change", "days"),
    [
        ({"projects": {"app": "New", "lab": "Lab"}}, [1]),
        ({"projects": {"app": "App", "lab": "New"}}, [2]),
        ({"users": {"ana": "New"}}, [1, 2]),
        ({"keys": {"key": "ben"}}, [1]),
        ({"keys": {"key": None}}, [1]),
    ],
    ids=["project", "other project", "user", "owner", "no owner"],
)
def test_days_with_another_name_or_owner_are_stale(change: dict[str, Any], days: list[int]) -> None:
    assert stale(directory(**LISTED), directory(**(LISTED | change))) == days


def test_a_day_whose_key_has_found_its_owner_is_stale() -> None:
    was = directory(**(LISTED | {"keys": {"key": None}}))
    assert stale(was, directory(**LISTED)) == [1]


def test_a_new_thing_that_spent_nothing_makes_no_day_stale() -> None:
    more = LISTED | {"users": {"ana": "Ana", "ben": "Ben"}, "keys": {"key": "ana", "new": "ben"}}
    assert stale(directory(**LISTED), directory(**more)) == []


def test_a_day_of_another_team_is_stale() -> None:
    known = directory(**LISTED)
    teams = (Team(name="labs", projects=("lab",)),)
    assert stale(known, known, (), teams) == [2]
    assert stale(known, known, teams, teams) == []
    assert stale(known, known, teams, ()) == [2]


def team_usd(*rows: tuple[int, str | None, str]) -> pl.DataFrame:
    """Dollars per team, as (day, team, USD)."""
    said = [("acme", day(number), team, Decimal(usd)) for number, team, usd in rows]
    schema = {"connection": pl.String, "day": pl.Date, "team": pl.String, "usd": MONEY}
    return pl.DataFrame(said, schema=schema, orient="row")


def test_a_day_whose_marts_have_other_dollars_of_a_team_is_stale() -> None:
    made = team_usd((1, "labs", "5"), (1, None, "0"), (2, "labs", "1"), (3, None, "7"))
    attributed = team_usd((1, "labs", "5"), (2, "search", "1"), (3, None, "7"))
    assert slices_of_other_teams(made, attributed) == [Slice("acme", day(2))]
    assert slices_of_other_teams(attributed, attributed) == []
