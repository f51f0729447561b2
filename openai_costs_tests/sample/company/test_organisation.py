from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from openai_costs.sample.company.events import EventKind
from openai_costs.sample.company.organisation import sample_organisation
from openai_costs.sample.company.prices import price_on
from openai_costs_tests.sample.asking import NOW, ORGANISATION, TODAY, ago

SATURDAY = 5


def dollars(age: int, **where: str) -> Decimal:
    lines = ORGANISATION.ledger(ago(age), NOW)
    matching = (x for x in lines if all(getattr(x, name) == value for name, value in where.items()))
    return sum((line.amount for line in matching), Decimal(0))


def test_a_day_is_the_same_however_many_days_are_asked_for() -> None:
    week = sample_organisation(TODAY, days=7)
    years = sample_organisation(TODAY, days=1100)
    for age in range(8):
        assert week.ledger(ago(age), NOW) == years.ledger(ago(age), NOW)


def test_the_same_seed_and_date_give_the_same_company() -> None:
    assert sample_organisation(TODAY) == sample_organisation(TODAY)


def test_another_seed_gives_other_amounts() -> None:
    other = sample_organisation(TODAY, seed="ebb")
    assert other.ledger(ago(2), NOW) != ORGANISATION.ledger(ago(2), NOW)


def test_days_outside_the_window_have_no_lines() -> None:
    assert ORGANISATION.ledger(ago(121), NOW) == []
    assert ORGANISATION.ledger(ago(-1), NOW) == []


@pytest.mark.parametrize("days", [6, 1101])
def test_a_window_that_is_too_short_or_too_long_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match=str(days)):
        sample_organisation(TODAY, days=days)


@pytest.mark.parametrize("shift", range(0, 370, 13))
def test_every_today_has_its_incidents_inside_its_history(shift: int) -> None:
    today = TODAY + timedelta(days=shift)
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    organisation = sample_organisation(today)
    assert {event.kind for event in organisation.events} == set(EventKind)
    for event in organisation.events:
        assert event.days
        assert organisation.first_day <= event.days[-1] < today
    empty = organisation.event(EventKind.NO_ROWS).days[0]
    assert organisation.ledger(empty, now) == []
    assert not any(empty in event.days for event in organisation.events if not event.empty_day)


def test_every_amount_is_units_times_the_price_in_its_project() -> None:
    for line in ORGANISATION.ledger(ago(4), NOW):
        price = price_on(line.day, line.line_item, line.project_id)
        assert line.amount % price.usd_per_unit == 0
        if line.quantity is not None:
            assert line.amount == line.quantity * price.usd_per_unit


def test_no_two_lines_share_all_their_dimensions() -> None:
    counts = Counter(line[:6] for line in ORGANISATION.ledger(ago(4), NOW))
    assert set(counts.values()) == {1}


def test_some_money_has_no_project_no_key_and_some_has_empty_strings() -> None:
    lines = ORGANISATION.ledger(ago(4), NOW)
    assert any(line.project_id is None for line in lines)
    assert any(line.project_id == "" for line in lines)
    assert any(line.project_id and line.api_key_id is None for line in lines)
    assert any(line.project_id and line.user_id == "" for line in lines)


def test_some_lines_have_units_of_no_name_and_some_have_no_units() -> None:
    lines = ORGANISATION.ledger(ago(4), NOW)
    assert any(line.quantity is not None and line.quantity_unit is None for line in lines)
    assert any(line.quantity is None for line in lines)
    assert any(line.quantity_unit == "1000_tokens" for line in lines)


def test_today_is_billed_up_to_the_second_of_looking() -> None:
    noon = ORGANISATION.ledger(TODAY, NOW)
    evening = ORGANISATION.ledger(TODAY, NOW + timedelta(hours=6))
    assert 0 < sum(x.amount for x in noon) < sum(x.amount for x in evening)
    assert ORGANISATION.ledger(TODAY, NOW.replace(hour=0)) == []


def test_a_settled_day_does_not_change() -> None:
    assert ORGANISATION.ledger(ago(5), NOW) == ORGANISATION.ledger(ago(5), NOW + timedelta(days=9))


def test_the_restated_day_grows_one_line_and_loses_one() -> None:
    event = ORGANISATION.event(EventKind.RESTATED_DAY)
    day = event.days[0]
    early = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=3, hours=23)
    before = {line[:6]: line for line in ORGANISATION.ledger(day, early)}
    after = {line[:6]: line for line in ORGANISATION.ledger(day, early + timedelta(hours=1))}
    lost = [before[key] for key in before if key not in after]
    grown = [key for key in after if after[key] != before[key]]
    assert [line.amount for line in lost] == [Decimal("4.20")]
    assert [after[key].amount - before[key].amount for key in grown] == [Decimal("27.00")]
    assert event.usd == Decimal("22.80")


def test_the_runaway_key_spends_880_dollars_in_one_weekend() -> None:
    event = ORGANISATION.event(EventKind.RUNAWAY_KEY)
    assert [day.weekday() for day in event.days] == [5, 6]
    assert event.usd == Decimal(880)
    spent = sum(dollars((TODAY - day).days, api_key_id="key_labs_hyejin") for day in event.days)
    assert spent == event.usd


def test_the_leaver_spends_nothing_but_the_planted_dollars_after_leaving() -> None:
    event = ORGANISATION.event(EventKind.LEAVER_KEY)
    left = next(p.left_day for p in ORGANISATION.fixtures.people if p.id == "user-jonas")
    assert left is not None
    assert event.days[0] > left.date()
    ages = range((TODAY - left.date()).days - 1, 0, -1)
    assert sum(dollars(age, api_key_id="key_labs_jonas") for age in ages) == event.usd


def test_finance_close_spends_on_exactly_one_weekend() -> None:
    event = ORGANISATION.event(EventKind.WEEKEND_ACTIVITY)
    weekend_ages = [age for age in range(1, 121) if ago(age).weekday() >= SATURDAY]
    awake = [ago(age) for age in weekend_ages if dollars(age, project_id="proj_finance_close")]
    assert sorted(awake) == list(event.days)


def test_no_one_spends_before_creation_or_after_the_archive() -> None:
    keys = ORGANISATION.fixtures.key_by_id
    projects = {project.id: project for project in ORGANISATION.fixtures.projects}
    for age in range(121):
        for line in ORGANISATION.ledger(ago(age), NOW):
            if line.api_key_id:
                key = keys[line.api_key_id]
                assert key.created_at.date() <= line.day
                assert (key.project_id, key.billed_user_id) == (line.project_id, line.user_id)
                archived = projects[key.project_id].archived_at
                assert archived is None or line.day <= archived.date()


def test_every_reference_in_the_cast_resolves() -> None:
    fixtures = ORGANISATION.fixtures
    people = {person.id for person in fixtures.people}
    robots = {account.id: account for account in fixtures.service_accounts}
    for key in fixtures.api_keys:
        assert key.project_id in fixtures.project_names
        if key.owner_type == "user":
            assert key.owner_id == key.user_id
            assert key.user_id in people
        else:
            assert robots[key.owner_id].user_id == key.user_id
    assert all(email.endswith(".example") for email in fixtures.user_emails.values())
    assert all(set(project.member_ids) <= people for project in fixtures.projects)
    assert [project.status for project in fixtures.projects].count("archived") == 1


@pytest.mark.parametrize("rows", [200, 5_000])
def test_padding_brings_a_day_to_about_the_rows_asked_for(rows: int) -> None:
    padded = sample_organisation(TODAY, rows_per_day=rows)
    lines = padded.ledger(ago(4), NOW)
    assert abs(len(lines) - rows) <= 40
    assert len({line[:6] for line in lines}) == len(lines)
    keys = padded.fixtures.key_by_id
    assert all(line.api_key_id in keys for line in lines if line.api_key_id)
    assert set(ORGANISATION.ledger(ago(4), NOW)) <= set(lines)
