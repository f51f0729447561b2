from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from upath import UPath

from openai_costs.outputs.alerts.evaluation import evaluate
from openai_costs.outputs.alerts.record import recorded
from openai_costs.questions.rules import Facts
from openai_costs.questions.seats.findings import QUESTIONS, seat_candidates
from openai_costs.settings import Directory
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.seats import Seats
from openai_costs_tests.org import connected, day

WITHOUT_PEOPLE = Settings(home="", config_file=Path("openai_costs.toml"))
PEOPLE = WITHOUT_PEOPLE.model_copy(update={"directory": Directory(files=("people.csv",))})


def seat(user: str, status: str | None, usd: str = "0", **values: object) -> dict[str, object]:
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
    } | values


def found_among(*seats: dict[str, object]) -> pl.DataFrame:
    return seat_candidates(pl.DataFrame([*seats], schema=Seats.types()), members())


def members() -> pl.DataFrame:
    row = dict.fromkeys(Users.types()) | {
        "connection": "acme",
        "id": "cy",
        "provider": "openai",
        "role": "reader",
        "status": "active",
        "first_seen_day": day(2),
        "last_seen_day": day(21),
        "is_current": True,
    }
    return pl.DataFrame([row], schema=Users.types())


def leaver(after: str, left_day: date | None, **more: object) -> dict[str, object]:
    active = {"left_day": left_day, "last_active_day": day(20), "is_current": False}
    return seat("jo", "left", "41.5", spend_after_left_usd=Decimal(after), **(active | more))


def test_a_leaver_who_still_spends_is_a_finding_with_the_dollars_after_leaving() -> None:
    found = found_among(leaver("30.25", day(1), api_keys=1))
    assert Finding.broken_rules(found) == []
    row = found.row(0, named=True)
    assert (row["rule"], row["severity"]) == ("seats.leaver_spends", "critical")
    assert (row["observed"], row["impact_usd"]) == (Decimal("30.25"), Decimal("30.25"))
    assert (row["owner"], row["day"]) == ("labs", day(21))
    assert row["because"] == (
        "The directory says Jo left on 2026-11-01, but their keys spent $30.25 from 2026-11-02 to "
        "2026-11-21; last active on 2026-11-20. They still own 1 API key, and a service may use "
        "it."
    )


@pytest.mark.parametrize(
    ("left_day", "days"),
    [
        (date(2026, 9, 1), "left on 2026-09-01, but their keys spent $5.00 from 2026-10-23 to"),
        (day(20), "left on 2026-11-20, but their keys spent $5.00 on 2026-11-21;"),
        (None, "left, without a day, but their keys spent $5.00 from 2026-10-23 to 2026-11-21;"),
    ],
)
def test_the_dollars_of_a_leaver_name_their_days(left_day: date | None, days: str) -> None:
    assert days in found_among(leaver("5", left_day))["because"][0]


@pytest.mark.parametrize(
    ("keys", "step"),
    [
        ({}, "They own no key that is still listed."),
        ({"api_keys": 2}, "They still own 2 API keys, and a service may use them."),
        ({"api_keys": 1, "admin_keys": 1}, "1 API key and 1 admin key, and a service may use them"),
    ],
)
def test_the_reason_names_the_keys_of_a_leaver(keys: dict[str, int], step: str) -> None:
    assert step in found_among(leaver("5", day(1), **keys))["because"][0]


def test_a_leaver_without_spend_and_people_who_are_known_are_no_finding() -> None:
    assert found_among(
        leaver("0", day(1)), seat("ann", "matched", "5"), seat("al", "alias")
    ).is_empty()


def test_a_member_who_is_in_no_directory_is_a_finding_and_a_robot_or_an_invitation_is_not() -> None:
    found = found_among(
        seat("cy", "unmatched", "3"),
        seat("gone", "unmatched", is_current=False),
        seat("bot", "service_account", seat_kind="service_account"),
        seat("new", "invited", seat_kind="invite"),
    )
    assert found.select("rule", "subject_id").rows() == [("seats.unmatched", "cy")]


def test_an_idle_seat_is_a_finding_where_it_has_a_price() -> None:
    found = found_among(
        seat("a", "matched", is_idle=True, seat_usd=Decimal(25)), seat("b", "matched", is_idle=True)
    )
    assert found.select("rule", "subject_id", "impact_usd").rows() == [
        ("seats.idle", "a", Decimal(25))
    ]
    assert (
        "a seat of $25.00 a month (the contract price, an assumption) and may not need it"
        in found["because"][0]
    )


def test_without_a_trusted_directory_no_one_is_flagged() -> None:
    assert found_among(seat("jo", None, "99"), seat("cy", None)).is_empty()


def test_no_address_is_in_a_finding() -> None:
    found = found_among(seat("cy", "unmatched", name="cy@acme.example"))
    texts = [value for row in found.rows() for value in row if isinstance(value, str)]
    assert not any("@" in text for text in texts)


def findings_after(
    home: Path, settings: Settings, *seats: tuple[int, dict[str, object]]
) -> pl.DataFrame:
    """The findings after an evaluation on each of some days, at one seat as it was on that day."""
    lake = Lake(UPath(home))
    lake.replace_whole(Users, members())
    for number, held in seats:
        days = [day(number) - timedelta(days=age) for age in range(20)]
        known = {"connection": "acme", "source": "costs", "state": "settled", "is_connected": True}
        blank = dict.fromkeys(Coverage.types())
        state = [blank | known | {"day": one} for one in days]
        state += [one | {"connection": "beta", "state": "missing"} for one in state]  # never read
        lake.replace_whole(Coverage, pl.DataFrame(state, schema=Coverage.types()))
        dated = [held | {"as_of_day": day(number)}]
        lake.replace_whole(Seats, pl.DataFrame(dated, schema=Seats.types()))
        noon = datetime.combine(day(number + 2), datetime.min.time(), UTC)
        evaluation = evaluate(lake, Facts(settings, noon), QUESTIONS)
        after = recorded(lake, evaluation, settings.alerts, noon.date())
        lake.replace_whole(Findings, after)
    return lake.read(Findings)


def test_two_people_of_one_name_are_distinguished(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    held = [seat(one, "unmatched", "3", name="Cleo Cruz") for one in ("user-a", "user-b")]
    lake.replace_whole(Seats, pl.DataFrame(held, schema=Seats.types()))
    settled = [("acme", "costs", day(21), "settled", None, None, None)]
    lake.replace_whole(Coverage, connected(settled))
    marks = {("user", one): f" \u00b7 {one}" for one in ("user-a", "user-b")}
    noon = datetime.combine(day(23), datetime.min.time(), UTC)
    found = QUESTIONS[0].ask(lake, Facts(PEOPLE, noon, marks))
    assert sorted(found["subject_name"]) == ["Cleo Cruz \u00b7 user-a", "Cleo Cruz \u00b7 user-b"]
    assert sorted(found["because"])[1].startswith("Cleo Cruz \u00b7 user-b (reader) is not in")


STRANGER = seat("cy", "unmatched", "3")


def test_a_directory_in_doubt_opens_and_closes_nothing(tmp_path: Path) -> None:
    after = findings_after(tmp_path, PEOPLE, (20, STRANGER), (21, STRANGER | {"status": None}))
    assert after["state"].to_list() == ["open"]


def test_without_a_directory_no_one_stays_unmatched(tmp_path: Path) -> None:
    after = findings_after(
        tmp_path, WITHOUT_PEOPLE, (20, STRANGER), (21, STRANGER | {"status": None})
    )
    assert after["state"].to_list() == ["closed"]


def test_a_directory_in_doubt_still_closes_idle_seats(tmp_path: Path) -> None:
    idle = seat("cy", None, is_idle=True, seat_usd=Decimal(25))
    after = findings_after(tmp_path, PEOPLE, (20, idle), (21, idle | {"is_idle": False}))
    assert after.select("rule", "state").rows() == [("seats.idle", "closed")]


def test_an_unmatched_member_stays_one_finding_over_days_without_an_evaluation(
    tmp_path: Path,
) -> None:
    after = findings_after(tmp_path, PEOPLE, (20, STRANGER), (25, STRANGER))
    assert after.select("state", "since_day", "day").rows() == [("open", day(2), day(25))]


def test_an_address_that_several_people_of_the_directory_have_is_no_strangers() -> None:
    shared = seat("ada", "unmatched", "5", matched_by="shared_address")
    stranger = seat("bo", "unmatched", "5")
    assert found_among(shared, stranger)["subject_id"].to_list() == ["bo"]
