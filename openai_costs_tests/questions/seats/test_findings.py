from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
from openai_costs_tests.org import day

NOBODY = Settings(home="", config_file=Path("openai_costs.toml"))
PEOPLE = NOBODY.model_copy(update={"directory": Directory(files=("people.csv",))})


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


def test_a_leaver_who_still_spends_is_told_with_the_dollars() -> None:
    active = {"left_day": day(1), "last_active_day": day(20), "is_current": False, "api_keys": 1}
    said = said_of(seat("jo", "left", "41.5", **active))
    assert Finding.broken_rules(said) == []
    row = said.row(0, named=True)
    assert (row["rule"], row["severity"]) == ("seats.leaver_spends", "critical")
    assert (row["impact_usd"], row["owner"], row["day"]) == (Decimal("41.5"), "labs", day(21))
    assert row["because"] == (
        "The directory says Jo left on 2026-11-01, but their keys spent $41.50 from 2026-10-23 to "
        "2026-11-21; last active on 2026-11-20. They still own 1 API key: revoke or reassign them."
    )


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
    assert (
        "a seat of $25.00 a month (the contract price, an assumption) and may not need it"
        in said["because"][0]
    )


def test_where_the_directory_is_not_believed_nobody_is_flagged() -> None:
    assert said_of(seat("jo", None, "99"), seat("cy", None)).is_empty()


def test_no_address_is_in_a_finding() -> None:
    said = said_of(seat("cy", "unmatched", name="cy@acme.example"))
    texts = [value for row in said.rows() for value in row if isinstance(value, str)]
    assert not any("@" in text for text in texts)


@pytest.mark.parametrize(("left", "told"), [(day(19), 1), (day(20), 0), (None, 1)])
def test_who_spent_up_to_the_day_they_left_is_no_finding(left: object, told: int) -> None:
    active = {"left_day": left, "last_active_day": day(20), "is_current": False}
    assert said_of(seat("jo", "left", "41.5", **active)).height == told


def looks(home: Path, settings: Settings, *seats: tuple[int, dict[str, object]]) -> pl.DataFrame:
    """The findings after a look on each of some days, at one seat as it was on that day."""
    lake = Lake(UPath(home))
    lake.replace_whole(Users, members())
    for number, held in seats:
        days = [day(number) - timedelta(days=age) for age in range(20)]
        known = {"connection": "acme", "source": "costs", "state": "settled"}
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


STRANGER = seat("cy", "unmatched", "3")


def test_a_directory_in_doubt_opens_and_closes_nothing(tmp_path: Path) -> None:
    after = looks(tmp_path, PEOPLE, (20, STRANGER), (21, STRANGER | {"status": None}))
    assert after["state"].to_list() == ["open"]


def test_without_a_directory_nobody_stays_a_stranger(tmp_path: Path) -> None:
    after = looks(tmp_path, NOBODY, (20, STRANGER), (21, STRANGER | {"status": None}))
    assert after["state"].to_list() == ["closed"]


def test_a_directory_in_doubt_says_nothing_about_idle_seats(tmp_path: Path) -> None:
    idle = seat("cy", None, is_idle=True, seat_usd=Decimal(25))
    after = looks(tmp_path, PEOPLE, (20, idle), (21, idle | {"is_idle": False}))
    assert after.select("rule", "state").rows() == [("seats.idle", "closed")]


def test_a_stranger_stays_one_finding_although_nobody_looked_for_days(tmp_path: Path) -> None:
    after = looks(tmp_path, PEOPLE, (20, STRANGER), (25, STRANGER))
    assert after.select("state", "since_day", "day").rows() == [("open", day(2), day(25))]
