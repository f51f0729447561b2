from __future__ import annotations

from typing import Final

import duckdb
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.questions.namesakes import (
    NAMESAKES,
    WITH_NAMESAKES,
    called,
    distinguished,
    join_namesakes,
    label,
    marks_of,
    with_marks,
)

TABLES: Final = ("projects", "api_keys", "users", "service_accounts")
Row = tuple[str, str, str]
ids = st.text("abn3@.", min_size=1, max_size=9)
named = st.dictionaries(ids, st.sampled_from(["Atlas", "prod", "O'Neil"]), max_size=6)


def answer(question: str, **tables: list[Row]) -> list[tuple[str, ...]]:
    """What a question answers of a directory with these things: connection, id, name."""
    with duckdb.connect() as sql:
        sql.execute("CREATE SCHEMA core")
        for table in TABLES:
            owner = ", owner_id VARCHAR, owner_name VARCHAR, last_seen_day DATE"
            columns = "connection VARCHAR, id VARCHAR, name VARCHAR"
            sql.execute(f"CREATE TABLE core.{table} ({columns}{owner})")
            insert = f"INSERT INTO core.{table} (connection, id, name) VALUES (?, ?, ?)"  # noqa: S608 - our own names
            for row in tables.get(table, []):
                sql.execute(insert, row)
        return sql.sql(question).fetchall()


def test_two_projects_of_one_name_are_distinct_by_the_end_of_their_ids() -> None:
    names = {"proj_n3": "Atlas", "proj_n4": "Atlas", "proj_x": "Borealis", "": "(no project)"}
    assert distinguished(names) == {
        "proj_n3": "Atlas \u00b7 roj_n3",
        "proj_n4": "Atlas \u00b7 roj_n4",
        "proj_x": "Borealis",
        "": "(no project)",
    }


def test_namesakes_whose_ids_end_alike_are_numbered() -> None:
    names = {"a_123456": "prod", "b_123456": "prod"}
    assert distinguished(names) == {"a_123456": "prod \u00b7 1", "b_123456": "prod \u00b7 2"}


def test_accounts_of_one_person_have_their_connections_and_no_numbers() -> None:
    accounts = {"user-hyejin": "acme", "user_01hyejin": "claude"}
    named = distinguished(dict.fromkeys(accounts, "Hyejin"), accounts)
    assert named == {"user-hyejin": "Hyejin \u00b7 acme", "user_01hyejin": "Hyejin \u00b7 claude"}
    users = [(connection, key, "Hyejin") for key, connection in accounts.items()]
    marks = {key: mark for _, key, mark in answer(NAMESAKES, users=users)}
    assert {key: f"Hyejin{mark}" for key, mark in marks.items()} == named


def test_an_id_that_is_an_address_shows_nothing_behind_its_at_sign() -> None:
    apart = distinguished({"bo@a.io": "Bo", "bo@b.io": "Bo"})
    assert not any("@" in name for name in apart.values())
    assert len(set(apart.values())) == 2


@settings(max_examples=40, deadline=None)
@given(named)
def test_views_and_page_have_one_rule(names: dict[str, str]) -> None:
    shown, join = label("project", "p.name", "p.id"), join_namesakes("project", "p.id")
    question = f"{WITH_NAMESAKES} SELECT p.id, {shown} FROM core.projects p {join}"  # noqa: S608 - our own words
    projects = [("acme", key, name) for key, name in names.items()]
    assert dict(answer(question, projects=projects)) == distinguished(names)
    marks = {("project", key): mark for _, key, mark in answer(NAMESAKES, projects=projects)}
    assert marks_of({"project": directory(*projects)}) == marks


def directory(*listed: Row) -> pl.DataFrame:
    columns = ("connection", "id", "name")
    return pl.DataFrame([*listed], dict.fromkeys(columns, pl.String), orient="row")


def test_rows_and_lists_have_the_marks_of_their_kind_and_a_name_that_is_null_has_none() -> None:
    twice = directory(("one", "k1", "prod"), ("two", "k2", "prod"), ("one", "k3", "etl"))
    marks = marks_of({"api_key": twice, "user": directory(("one", "k1", "Cleo"))})
    assert marks == {("api_key", "k1"): " \u00b7 k1", ("api_key", "k2"): " \u00b7 k2"}
    assert called(twice, "api_key", marks) == {
        "k1": "prod \u00b7 k1",
        "k2": "prod \u00b7 k2",
        "k3": "etl",
    }
    rows = pl.DataFrame(
        {
            "kind": ["api_key", "user", "api_key", "api_key", "api_key"],
            "key": ["k1", "k1", "k2", "k3", None],
            "name": ["prod", "Cleo", None, "etl", "prod"],
        }
    )
    named = with_marks(rows, "name", pl.col("kind"), pl.col("key"), marks)
    assert named["name"].to_list() == ["prod \u00b7 k1", "Cleo", None, "etl", "prod"]
    assert with_marks(rows.clear(), "name", pl.lit("user"), pl.col("key"), marks).is_empty()


def test_one_project_seen_through_two_connections_is_no_namesake_of_itself() -> None:
    seen_twice = [("acme", "p", "Atlas"), ("acme-inc", "p", "Atlas")]
    assert answer(NAMESAKES, projects=seen_twice) == []


def test_a_person_and_a_service_account_of_one_name_are_distinct() -> None:
    found = answer(
        NAMESAKES,
        users=[("acme", "user-1", "desk")],
        service_accounts=[("acme", "svc-1", "desk")],
        projects=[("acme", "proj-1", "desk")],
    )
    assert sorted(found) == [
        ("user", "svc-1", " \u00b7 svc-1"),
        ("user", "user-1", " \u00b7 user-1"),
    ]
