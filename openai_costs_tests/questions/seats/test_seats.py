from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from openai_costs.kernel.money import MONEY
from openai_costs.questions.matching import Match, Matcher
from openai_costs.questions.seats.assets import membership
from openai_costs.questions.seats.seats import Membership, seats
from openai_costs.settings import Directory
from openai_costs.settings import Seats as Prices
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.project_members import ProjectMembers
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.seats import Seats
from openai_costs_tests.org import INVOICED
from openai_costs_tests.questions.budgets.ledger import covered

AS_OF = date(2026, 3, 31)
RULES = Directory()
FREE = Prices()
KNOWN = {
    "connection": "acme",
    "provider": "openai",
    "status": "active",
    "first_seen_day": date(2026, 1, 1),
    "last_seen_day": AS_OF,
    "is_current": True,
}


def frame(table: type[Contract], usual: dict[str, Any], rows: Any) -> pl.DataFrame:  # noqa: ANN401
    blank = dict.fromkeys(table.types())
    return pl.DataFrame([blank | usual | row for row in rows], schema=table.types())


def person(person_id: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"person_id": person_id, **more}


def people(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {"status": "active", "origin": "people.csv:2", "team": "maps", "is_trusted": True}
    return frame(Engineers, usual, rows)


MIRA = person("mira", email="mira@tide.example", aliases="m.okafor@tide.example")
LEFT = person("jon", email="jon@tide.example", status="left", left_day=date(2026, 2, 1))


def members(*users: dict[str, Any], **others: Any) -> Membership:  # noqa: ANN401
    spend = {
        "connection": pl.String,
        "user_id": pl.String,
        "spend_30d_usd": MONEY,
        "last_day": pl.Date,
    }
    by_day = {
        "connection": pl.String,
        "user_id": pl.String,
        "day": pl.Date,
        "billed_usd": MONEY,
    }
    key = KNOWN | {"project_id": "proj_maps", "redacted_value": "sk-..1"}
    admin = KNOWN | {"redacted_value": "sk-..1"}
    in_project = {name: value for name, value in key.items() if name != "redacted_value"}
    return Membership(
        users=frame(Users, KNOWN | {"role": "reader"}, users),
        invites=frame(Invites, KNOWN | {"status": "pending"}, others.get("invites", ())),
        service_accounts=frame(ServiceAccounts, in_project, others.get("robots", ())),
        project_members=frame(ProjectMembers, in_project, others.get("projects", ())),
        api_keys=frame(ApiKeys, key, others.get("keys", ())),
        admin_keys=frame(AdminKeys, admin, others.get("admins", ())),
        spenders=pl.DataFrame(others.get("spent", []), schema=spend, orient="row"),
        spent_days=pl.DataFrame(others.get("days", []), schema=by_day, orient="row"),
        subscriptions=others.get("subscriptions", {}),
        as_of_days=others.get("as_of", {"acme": AS_OF}),
        read_from=others.get("read_from", dict.fromkeys(("acme", "beta"), date(2025, 1, 1))),
    )


def held(
    given: Membership,
    known: pl.DataFrame,
    rules: Directory = RULES,
    prices: Prices = FREE,
) -> list[dict[str, Any]]:
    found = seats(given, known, rules, prices)
    assert Seats.broken_rules(found) == []
    return found.rows(named=True)


def status_of(email: str, rules: Directory = RULES, *known: dict[str, Any]) -> tuple[Any, Any]:
    given = members({"id": "user-1", "email": email})
    (row,) = held(given, people(*(known or (MIRA, LEFT))), rules)
    return row["status"], row["matched_by"]


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("mira@tide.example", ("matched", "email")),
        (" Mira@Tide.Example ", ("matched", "email")),
        ("M.Okafor@tide.example", ("alias", "alias")),
        ("jon@tide.example", ("left", "email")),
        ("nobody@tide.example", ("unmatched", None)),
        ("mira@tide-labs.example", ("unmatched", None)),
        ("mira+api@tide.example", ("unmatched", None)),
        ("", ("unmatched", None)),
    ],
)
def test_an_address_finds_its_person_by_explicit_rules_only(email: str, expected: Any):  # noqa: ANN401
    assert status_of(email) == expected


def test_another_domain_is_the_same_only_when_settings_say_so():
    rules = Directory(domain_aliases={"tide-labs.example": "tide.example"})
    assert status_of("mira@tide-labs.example", rules) == ("alias", "domain")


def test_a_plus_tag_does_not_count_only_when_settings_say_so():
    rules = Directory(ignore_plus_tags=True)
    assert status_of("mira+api@tide.example", rules) == ("alias", "plus_tag")


def test_an_address_that_two_people_claim_matches_neither():
    twin = person("mira2", email="other@tide.example", aliases="mira@tide.example ")
    both = (person("mira", email="x@tide.example", aliases="mira@tide.example"), twin)
    assert status_of("mira@tide.example", RULES, *both) == ("unmatched", "shared_address")


def test_a_declared_user_id_matches_without_an_address():
    declared = person("mira", openai_user_id="user-1")
    assert status_of("", RULES, declared) == ("matched", "openai_user_id")


def test_a_login_that_is_an_alias_matches_where_a_vendor_shows_no_address():
    matcher = Matcher(people(person("mira", aliases="mira-k,m@tide.example")), RULES)
    assert matcher.find(None, "mira-k") == Match("mira", "alias")
    assert matcher.find("other@tide.example", "mira-k") is None


@given(st.emails(), st.booleans())
def test_case_and_blanks_never_change_who_an_address_is(email: str, is_upper: bool):  # noqa: FBT001
    matcher = Matcher(people(person("one", email=email)), RULES)
    written = f"  {email.upper() if is_upper else email} "
    found = matcher.find(written, "user-1")
    assert found is None or found.person_id == "one"
    assert email.upper().casefold() != email.casefold() or found is not None


def test_without_a_trusted_directory_no_one_is_flagged():
    given = members({"id": "user-1", "email": "a@tide.example"}, invites=({"id": "invite-1"},))
    assert {row["status"] for row in held(given, people())} == {None, "invited"}
    doubtful = people(MIRA, LEFT).with_columns(is_trusted=pl.lit(False))
    assert {row["status"] for row in held(given, doubtful)} == {None, "invited"}


def test_an_engineer_who_left_and_is_invited_again_is_left():
    given = members(invites=({"id": "invite-1", "email": "jon@tide.example"},))
    assert [row["status"] for row in held(given, people(LEFT))] == ["left"]


def test_invites_that_were_taken_or_ran_out_hold_nothing():
    taken = {"id": "invite-1", "accepted_at": datetime(2026, 1, 1)}  # noqa: DTZ001 - UTC without a zone
    given = members(invites=(taken, {"id": "invite-2", "status": "expired"}, {"id": "invite-3"}))
    assert [row["user_id"] for row in held(given, people())] == ["invite-3"]


def test_robots_are_known_by_the_provider_by_their_list_or_by_a_pattern():
    given = members(
        {"id": "user-bot", "is_service_account": True},
        {"id": "user-ci", "email": "CI-runner@tide.example"},
        robots=({"id": "svc-1"}, {"id": "user-bot"}),
    )
    rules = Directory(service_accounts=("ci-*@tide.example",))
    rows = held(given, people(MIRA), rules)
    assert {row["user_id"]: row["status"] for row in rows} == {
        "svc-1": "service_account",
        "user-bot": "service_account",
        "user-ci": "service_account",
    }


def test_who_is_gone_is_listed_only_while_they_spend():
    gone = {"is_current": False, "status": "vanished"}
    given = members(
        {"id": "user-1", "email": "jon@tide.example", **gone},
        {"id": "user-2", **gone},
        spent=[("acme", "user-1", Decimal(5), AS_OF)],
    )
    (row,) = held(given, people(LEFT), prices=Prices(month_usd=Decimal(30)))
    assert (row["user_id"], row["status"], row["spend_30d_usd"]) == ("user-1", "left", Decimal(5))
    assert (row["is_current"], row["seat_usd"]) == (False, None)


@pytest.mark.parametrize(
    ("left_day", "after"), [(date(2026, 3, 20), 7), (date(2026, 2, 1), 12), (None, 12)]
)
def test_only_the_dollars_after_the_leaving_day_are_those_of_a_leaver(
    left_day: date | None, after: int
):
    gone = person("jon", email="jon@tide.example", status="left", left_day=left_day)
    spent = [(date(2026, 3, 10), 3), (date(2026, 3, 20), 2), (date(2026, 3, 21), 7)]
    given = members(
        {"id": "user-1", "email": "jon@tide.example"},
        {"id": "user-2", "email": "mira@tide.example"},
        spent=[("acme", "user-1", Decimal(12), date(2026, 3, 21))],
        days=[("acme", user, day, usd) for day, usd in spent for user in ("user-1", "user-2")],
    )
    left, active = held(given, people(gone, MIRA))
    assert (left["spend_30d_usd"], left["spend_after_left_usd"]) == (Decimal(12), Decimal(after))
    assert (active["status"], active["spend_after_left_usd"]) == ("matched", None)


def test_a_leaver_without_spend_has_none_after_leaving():
    (row,) = held(members({"id": "user-1", "email": "jon@tide.example"}), people(LEFT))
    assert (row["status"], row["spend_after_left_usd"]) == ("left", Decimal(0))


def test_a_seat_shows_its_keys_and_projects():
    given = members(
        {"id": "user-1"},
        admins=({"id": "key_a", "owner_id": "user-1"},),
        keys=(
            {"id": "key_1", "owner_id": "user-1"},
            {"id": "key_2", "owner_id": "user-1", "is_current": False},
        ),
        projects=({"id": "user-1"}, {"id": "user-1", "project_id": "proj_b"}),
    )
    (row,) = held(given, people())
    assert (row["admin_keys"], row["api_keys"], row["projects"]) == (1, 1, 2)


def test_a_seat_without_activity_for_longer_than_settings_allow_is_idle():
    old, new = datetime(2026, 2, 1), datetime(2026, 3, 20)  # noqa: DTZ001 - UTC without a zone
    given = members(
        {"id": "user-old", "last_used_at": old, "added_at": old},
        {"id": "user-new", "added_at": new},
        {"id": "user-never", "added_at": old},
        {"id": "user-spends", "added_at": old},
        spent=[("acme", "user-spends", Decimal(1), date(2026, 3, 30))],
    )
    rows = {
        row["user_id"]: (row["is_idle"], row["last_active_day"]) for row in held(given, people())
    }
    assert rows == {
        "user-old": (True, date(2026, 2, 1)),
        "user-new": (False, None),
        "user-never": (True, None),
        "user-spends": (False, date(2026, 3, 30)),
    }


def test_a_contract_price_is_an_assumption_by_role_and_no_robot_has_one():
    prices = Prices(month_usd=Decimal(30), month_usd_by_role={"owner": Decimal(60)})
    given = members({"id": "user-1"}, {"id": "user-2", "role": "owner"}, robots=({"id": "svc-1"},))
    rows = {
        r["user_id"]: (r["seat_usd"], r["seat_basis"]) for r in held(given, people(), prices=prices)
    }
    assert rows == {
        "user-1": (Decimal(30), "contract_price"),
        "user-2": (Decimal(60), "contract_price"),
        "svc-1": (None, "none"),
    }


def test_a_seat_line_that_does_appear_is_shared_to_the_last_digit():
    given = members({"id": "a"}, {"id": "b"}, {"id": "c"}, subscriptions={"acme": Decimal(100)})
    rows = held(given, people())
    assert sum(row["billed_seat_usd"] for row in rows) == Decimal(100)
    assert {row["seat_basis"] for row in rows} == {"bill"}


def test_an_empty_ledger_makes_no_one_idle():
    given = members({"id": "user-1"}, as_of={})
    assert [row["is_idle"] for row in held(given, people())] == [False]


@pytest.mark.parametrize(("days_read", "is_idle"), [(0, False), (29, False), (30, True)])
def test_no_one_is_idle_for_longer_than_the_ledger_was_read(
    days_read: int,
    is_idle: bool,  # noqa: FBT001
):
    given = members({"id": "user-1"}, read_from={"acme": AS_OF - timedelta(days=days_read)})
    assert [row["is_idle"] for row in held(given, people())] == [is_idle]


def test_without_members_there_is_no_seat():
    assert held(members(), people(MIRA)) == []


def test_a_ledger_that_was_not_read_for_long_makes_no_one_idle():
    old = AS_OF - timedelta(days=40)
    given = members(
        {"id": "user-1"},
        {"id": "user-2", "connection": "beta"},
        spent=[("acme", "user-1", Decimal(1), AS_OF), ("beta", "user-2", Decimal(1), old)],
        as_of={"acme": AS_OF, "beta": old},
    )
    rows = {row["connection"]: (row["as_of_day"], row["is_idle"]) for row in held(given, people())}
    assert rows == {"acme": (AS_OF, False), "beta": (old, False)}


@pytest.mark.parametrize(
    ("left_day", "status"),
    [(AS_OF + timedelta(days=30), "matched"), (AS_OF, "matched"), (AS_OF - timedelta(1), "left")],
)
def test_who_leaves_on_a_day_to_come_is_still_here(left_day: date, status: str):
    leaving = person("jon", email="jon@tide.example", status="left", left_day=left_day)
    assert status_of("jon@tide.example", RULES, leaving)[0] == status


def test_who_came_back_has_the_address_they_had_when_they_left():
    back = person("jon2", email="jon@tide.example")
    assert status_of("jon@tide.example", RULES, LEFT, back) == ("matched", "email")


def test_an_accent_is_the_same_however_it_is_written():
    known = person("jose", email="jos\u00e9@tide.example")
    assert status_of("JOSE\u0301@tide.example", RULES, known) == ("matched", "email")


def test_a_model_that_is_called_like_a_subscription_is_no_seat(tmp_path: Path):
    usual = {"connection": "acme", "provider": "openai", "day": AS_OF, "grouping": "all"} | INVOICED
    lines = (
        {"line_item": "ChatGPT seats", "billed_usd": Decimal(60)},
        {"line_item": "chatgpt-4o-latest, input", "usage_type": "input", "billed_usd": Decimal(7)},
        {"line_item": "chatgpt-image-latest", "api_key_id": "key_1", "billed_usd": Decimal(9)},
        {"line_item": "chatgpt-x", "quantity_unit": "tokens", "billed_usd": Decimal(9)},
        {"line_item": "storage", "billed_usd": Decimal(9)},
    )
    lake = Lake(UPath(tmp_path))
    read = {Slice("acme", AS_OF): datetime(2026, 4, 2, tzinfo=UTC)}
    lake.replace(Spend, [Batch(frame(Spend, usual, lines), read)])
    found = membership(lake, FREE)
    assert found.subscriptions == {"acme": Decimal(60)}
    assert found.as_of_days == {"acme": AS_OF}


def test_dollars_of_seats_are_those_of_settled_days(tmp_path: Path):
    usual = {"connection": "acme", "provider": "openai", "grouping": "all"} | INVOICED
    lake, days = Lake(UPath(tmp_path)), (AS_OF, AS_OF + timedelta(days=1))
    lines = [{"line_item": "ChatGPT seats", "billed_usd": Decimal(60), "day": day} for day in days]
    read = {Slice("acme", day): datetime(2026, 4, 2, tzinfo=UTC) for day in days}
    lake.replace(Spend, [Batch(frame(Spend, usual, lines), read)])
    states = covered(("acme", days[0], "settled"), ("acme", days[1], "provisional"))
    lake.replace_whole(Coverage, states)
    found = membership(lake, FREE)
    assert found.subscriptions == {"acme": Decimal(60)}
    assert found.as_of_days == {"acme": AS_OF}
