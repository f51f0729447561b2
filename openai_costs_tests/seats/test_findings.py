from __future__ import annotations

from decimal import Decimal

import polars as pl

from openai_costs.seats.findings import found
from openai_costs.tables.finding import Finding
from openai_costs.tables.mart.seats import Seats
from openai_costs_tests.org import day


def seat(user: str, status: str | None, usd: str = "0", **said: object) -> dict[str, object]:
    return {
        "connection": "acme",
        "user_id": user,
        "seat_kind": "user",
        "name": user.title(),
        "email": f"{user}@acme.example",
        "role": "reader",
        "is_current": True,
        "status": status,
        "team": "labs",
        "spend_30d_usd": Decimal(usd),
        "is_idle": False,
        "seat_basis": "none",
        "as_of_day": day(21),
    } | said


def said_of(*seats: dict[str, object]) -> pl.DataFrame:
    return found(pl.DataFrame([*seats], schema=Seats.types()))


def test_a_leaver_who_still_spends_is_told_with_the_dollars() -> None:
    said = said_of(seat("jo", "left", "41.5", left_day=day(1), is_current=False))
    assert Finding.broken_rules(said) == []
    row = said.row(0, named=True)
    assert (row["rule"], row["severity"]) == ("seats.leaver_spends", "critical")
    assert (row["impact_usd"], row["owner"], row["day"]) == (Decimal("41.5"), "labs", day(21))
    assert "Jo left on 2026-11-01, says the directory, and spent 41.50 USD" in row["because"]


def test_a_leaver_without_spend_and_people_who_are_known_are_no_finding() -> None:
    assert said_of(seat("jo", "left"), seat("ann", "matched", "5"), seat("al", "alias")).is_empty()


def test_a_member_nobody_knows_is_told_and_a_robot_or_an_invitation_is_not() -> None:
    said = said_of(
        seat("cy", "unmatched", "3"),
        seat("gone", "unmatched", is_current=False),
        seat("bot", "service_account", seat_kind="service_account"),
        seat("new", "invited", seat_kind="invite"),
    )
    assert said.select("rule", "subject_id").rows() == [("seats.unmatched", "cy")]


def test_an_idle_seat_is_told_where_it_has_a_price() -> None:
    said = said_of(
        seat("a", "matched", is_idle=True, seat_usd=Decimal(25)), seat("b", "matched", is_idle=True)
    )
    assert said.select("rule", "subject_id", "impact_usd").rows() == [
        ("seats.idle", "a", Decimal(25))
    ]
    assert "25.00 USD a month (contract price, an assumption)" in said["because"][0]


def test_where_the_directory_is_not_believed_nobody_is_flagged() -> None:
    assert said_of(seat("jo", None, "99"), seat("cy", None)).is_empty()


def test_no_address_is_in_a_finding() -> None:
    said = said_of(seat("cy", "unmatched", name="cy@acme.example"))
    texts = [value for row in said.rows() for value in row if isinstance(value, str)]
    assert not any("@" in text for text in texts)
